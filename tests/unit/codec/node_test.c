#include "allocator/base/limits.h"
#include "allocator/codec/node.h"
#include "allocator/codec/yamldoc.h"
#include "tests/check.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static struct node *from_yaml(struct arena *arena, const char *text)
{
    struct node *root = NULL;
    struct err err = { 0 };

    ok(yamldoc_parse(span_of(text), arena, &root, &err) == 0, "YAML: %s %s", text, err.text);
    return root;
}

static struct node *from_json(struct arena *arena, const char *text)
{
    struct node *root = NULL;
    struct err err = { 0 };

    ok(node_from_json(span_of(text), 0, arena, &root, &err) == 0, "JSON: %s %s", text, err.text);
    return root;
}

static void test_bool(void)
{
    static const struct {
        const char *yaml;
        int value; /* -1: none */
    } t[] = {
        { "true", 1 },    { "True", 1 },  { "TRUE", 1 },     { "yes", 1 },
        { "Yes", 1 },     { "YES", 1 },   { "on", 1 },       { "On", 1 },
        { "ON", 1 },      { "y", 1 },     { "Y", 1 },        { "false", 0 },
        { "False", 0 },   { "FALSE", 0 }, { "no", 0 },       { "No", 0 },
        { "NO", 0 },      { "off", 0 },   { "Off", 0 },      { "OFF", 0 },
        { "n", 0 },       { "N", 0 },     { "tRue", -1 },    { "yEs", -1 },
        { "'true'", -1 }, { "1", -1 },    { "\"yes\"", -1 }, { "!!str on", -1 },
        { "[true]", -1 }, { "~", -1 },    { "! true", -1 },  { "|\n true", -1 },
    };
    struct arena arena;
    bool value = false;

    arena_init(&arena);
    for (size_t i = 0; i < COUNT(t); i++) {
        bool is_bool = node_as_bool(from_yaml(&arena, t[i].yaml), &value);
        is_int(is_bool ? value : -1, t[i].value, "%s as a boolean", t[i].yaml);
    }
    ok(!node_as_bool(NULL, &value), "nothing is no boolean");
    ok(node_as_bool(from_json(&arena, "true"), &value) && value, "JSON true");
    ok(node_as_bool(from_json(&arena, "false"), &value) && !value, "JSON false");
    ok(!node_as_bool(from_json(&arena, "\"yes\""), &value), "JSON has no other");
    arena_fini(&arena);
}

static void test_numbers(void)
{
    static const struct {
        const char *yaml;
        bool is_int, is_uint, is_double;
        int64_t i;
        uint64_t u;
        double d;
    } t[] = {
        { "0", true, true, true, 0, 0, 0 },
        { "15", true, true, true, 15, 15, 15 },
        { "+15", true, true, true, 15, 15, 15 },
        { "-15", true, false, true, -15, 0, -15 },
        { "-0", true, true, true, 0, 0, 0 },
        { "9223372036854775807", true, true, true, INT64_MAX, INT64_MAX, 9223372036854775807.0 },
        { "-9223372036854775808", true, false, true, INT64_MIN, 0, -9223372036854775808.0 },
        { "9223372036854775808", false, true, true, 0, 9223372036854775808ULL,
          9223372036854775808.0 },
        { "18446744073709551615", false, true, true, 0, UINT64_MAX, 18446744073709551615.0 },
        { "18446744073709551616", false, false, true, 0, 0, 18446744073709551616.0 },
        { "0x1F", true, true, true, 31, 31, 31 },
        { "-0x1f", true, false, true, -31, 0, -31 },
        { "0b101", true, true, true, 5, 5, 5 },
        { "0o17", true, true, true, 15, 15, 15 },
        { "017", true, true, true, 15, 15, 15 },
        { "0800", true, true, true, 800, 800, 800 },
        { "1_000_000", true, true, true, 1000000, 1000000, 1000000 },
        { "1e3", true, true, true, 1000, 1000, 1000 },
        { "5.0", true, true, true, 5, 5, 5 },
        { "-2.50", true, false, true, -2, 0, -2.5 },
        { "1.5", true, true, true, 1, 1, 1.5 },
        { ".5", true, true, true, 0, 0, 0.5 },
        { "-.5", true, true, true, 0, 0, -0.5 },
        { "1e-2", true, true, true, 0, 0, 0.01 },
        { "1e400", false, false, false, 0, 0, 0 },
        { "1e17", true, true, true, 100000000000000000, 100000000000000000, 1e17 },
        { "1e19", false, true, true, 0, 10000000000000000000ULL, 1e19 },
        { "1e20", false, false, true, 0, 0, 1e20 },
        { ".inf", false, false, false, 0, 0, 0 },
        { "nan", false, false, false, 0, 0, 0 },
        { "0x", false, false, false, 0, 0, 0 },
        { "0x0x1", false, false, false, 0, 0, 0 },
        { "0b2", false, false, false, 0, 0, 0 },
        { "0x1.8p1", false, false, false, 0, 0, 0 },
        { "--1", false, false, false, 0, 0, 0 },
        { "+-1", false, false, false, 0, 0, 0 },
        { "1 2", false, false, false, 0, 0, 0 },
        { "12s", false, false, false, 0, 0, 0 },
        { "1.2.3", false, false, false, 0, 0, 0 },
        { "'15'", false, false, false, 0, 0, 0 },
        { "!!str 15", false, false, false, 0, 0, 0 },
        { "_", false, false, false, 0, 0, 0 },
        { "_1", false, false, false, 0, 0, 0 },
        { "._5", false, false, false, 0, 0, 0 },
        { "!!int '15'", true, true, true, 15, 15, 15 },
        { "~", false, false, false, 0, 0, 0 },
        { "[1]", false, false, false, 0, 0, 0 },
        { "true", false, false, false, 0, 0, 0 },
    };
    struct arena arena;

    arena_init(&arena);
    for (size_t k = 0; k < COUNT(t); k++) {
        const struct node *n = from_yaml(&arena, t[k].yaml);
        int64_t i = 0;
        uint64_t u = 0;
        double d = 0;
        is_int(node_as_int(n, &i), t[k].is_int, "%s: is it an int", t[k].yaml);
        is_int(i, t[k].i, "%s: its value", t[k].yaml);
        is_int(node_as_uint(n, &u), t[k].is_uint, "%s: is it a uint", t[k].yaml);
        ok(u == t[k].u, "%s: %" PRIu64, t[k].yaml, u);
        is_int(node_as_double(n, &d), t[k].is_double, "%s: is it a double", t[k].yaml);
        ok(fabs(d - t[k].d) <= 1e-15 * fabs(d), "%s: %g", t[k].yaml, d);
    }
    arena_fini(&arena);
}

static void test_text(void)
{
    struct arena arena;
    struct span s = SPAN_LIT("untouched");

    arena_init(&arena);
    struct node *map =
        from_yaml(&arena, "a: 0644\nb: yes\nc: 1.0\nd: 'x'\ne: ~\nf: {}\ng: []\nh: ''\ni:\n");
    ok(node_as_text(node_get(map, "a"), &s) && span_is(s, "0644"), "digits as typed");
    ok(node_as_text(node_get(map, "b"), &s) && span_is(s, "yes"), "a boolean as typed");
    ok(node_as_text(node_get(map, "c"), &s) && span_is(s, "1.0"), "a real as typed");
    ok(node_as_text(node_get(map, "d"), &s) && span_is(s, "x"), "without quotes");
    ok(node_as_text(node_get(map, "h"), &s) && s.len == 0, "empty text");
    s = SPAN_LIT("untouched");
    ok(!node_as_text(node_get(map, "e"), &s), "null is no text");
    ok(!node_as_text(node_get(map, "f"), &s), "a map is no text");
    ok(!node_as_text(node_get(map, "g"), &s), "a list is no text");
    ok(!node_as_text(node_get(map, "i"), &s), "an empty value is no text");
    ok(!node_as_text(node_get(map, "z"), &s), "an absent one neither");
    is_span(s, SPAN_LIT("untouched"), "and nothing was written");
    ok(node_is_null(node_get(map, "e")) && node_is_null(node_get(map, "i")) && node_is_null(NULL),
       "nulls");
    ok(!node_is_null(node_get(map, "h")), "an empty string is not null");
    is_str(node_type_name(node_get(map, "a")), "text", "names of types");
    is_str(node_type_name(node_get(map, "e")), "null", "names of types");
    is_str(node_type_name(node_get(map, "f")), "a mapping", "names of types");
    is_str(node_type_name(node_get(map, "g")), "a list", "names of types");
    arena_fini(&arena);
}

static void test_lookup(void)
{
    struct arena arena;
    struct span s;

    arena_init(&arena);
    struct node *root =
        from_yaml(&arena, "base: &b {x: 1, y: 2}\nuse:\n  <<: *b\n  y: 3\n  deep: {er: [7]}\n");
    ok(node_as_text(node_path(root, "use", "x", NULL), &s) && span_is(s, "1"), "a merged member");
    ok(node_as_text(node_path(root, "use", "y", NULL), &s) && span_is(s, "3"), "own members win");
    ok(node_path(root, "use", "deep", "er", NULL)->type == NODE_LIST, "along three keys");
    ok(node_path(root, "use", "nothing", "er", NULL) == NULL, "a missing key on the way");
    ok(node_path(root, "use", "y", "er", NULL) == NULL, "a scalar on the way");
    ok(node_get(NULL, "a") == NULL && node_get(node_path(root, "use", "y", NULL), "a") == NULL,
       "no map");
    ok(node_get_span(root, SPAN_LIT("usefully")) == NULL, "the whole key counts");
    ok(node_get_span(root, span_make("usefully", 3)) != NULL, "and no more");
    struct node *use = node_get(root, "use");
    is_int(use->n, 3, "what is hidden is not there");
    ok(!use->pairs[0].is_merged && !use->pairs[1].is_merged && use->pairs[2].is_merged,
       "merged ones come last");
    arena_fini(&arena);
}

static void test_json_places(void)
{
    static const char text[] = "{\n  \"a\": [1, \"\\u00e9\"],\n\t\"é\" : null\n}\n";
    struct arena arena;
    struct node *root = NULL;

    arena_init(&arena);
    is_int(node_from_json(span_of(text), 1000, &arena, &root, NULL), 0, "JSON");
    is_int(root->begin, 1000, "offsets have the base added");
    is_int(root->end, 1000 + (int)sizeof(text) - 2, "the end too");
    struct node *list = node_get(root, "a");
    is_span(span_make(text + list->begin - 1000, list->end - list->begin),
            SPAN_LIT("[1, \"\\u00e9\"]"), "bytes");
    is_int(list->line, 2, "line");
    is_int(list->column, 7, "column");
    is_span(list->items[1]->text, SPAN_LIT("é"), "decoded");
    ok(list->is_json && list->style == NODE_FLOW && list->items[1]->style == NODE_DOUBLE, "styles");
    is_int(root->pairs[1].value->column, 7, "columns count characters");
    is_int(root->pairs[1].value->line, 3, "line");
    ok(root->pairs[1].value->type == NODE_NULL, "null");
    arena_fini(&arena);
}

static void test_json_faults(void)
{
    static const struct {
        const char *text, *error;
        int code;
    } t[] = {
        { "{\"a\":1,\n \"a\":2}", "line 2, column 2: key 'a' is given twice", ERR_INVALID },
        { "{\"a\":1,\"\\u0061\":2}", "line 1, column 8: key 'a' is given twice", ERR_INVALID },
        { "[1,\n2", "line 2, offset 5: the text ends too early", ERR_INVALID },
        { "{\"a\" 1}", "line 1, offset 5: expected ':'", ERR_INVALID },
        { "", "line 1, offset 0: the text ends too early", ERR_INVALID },
        { "1 1", "line 1, offset 2: bytes after the value", ERR_INVALID },
    };
    struct arena arena;
    AUTO_BUF deep;

    arena_init(&arena);
    for (size_t i = 0; i < COUNT(t); i++) {
        struct node *root = NULL;
        struct err err = { 0 };
        is_int(node_from_json(span_of(t[i].text), 0, &arena, &root, &err), t[i].code, "refused: %s",
               t[i].text);
        is_str(err.text, t[i].error, "says where");
        ok(root == NULL, "no output");
    }
    buf_init(&deep, MIB);
    for (int i = 0; i < LIMIT_DEPTH; i++) {
        buf_add_char(&deep, '[');
    }
    for (int i = 0; i < LIMIT_DEPTH; i++) {
        buf_add_char(&deep, ']');
    }
    struct node *root = NULL;
    struct err err = { 0 };
    is_int(node_from_json(buf_span(&deep), 0, &arena, &root, &err), 0, "as deep as allowed: %s",
           err.text);
    deep.p[LIMIT_DEPTH - 1] = '{';
    buf_clear(&deep);
    for (int i = 0; i <= LIMIT_DEPTH; i++) {
        buf_add_char(&deep, '[');
    }
    is_int(node_from_json(buf_span(&deep), 0, &arena, &root, &err), ERR_TOO_BIG, "one deeper");
    is_str(err.text, "line 1, column 257: nested too deeply", "says where");
    arena_fini(&arena);
}

static void test_many_keys(void)
{
    AUTO_BUF text;
    struct arena arena;
    struct node *root = NULL;
    struct err err = { 0 };

    arena_init(&arena);
    buf_init(&text, 64 * MIB);
    buf_add_char(&text, '{');
    for (int i = 0; i < 100000; i++) {
        buf_addf(&text, "\"k%d\":%d,", i, i);
    }
    size_t len = text.len;
    buf_add_str(&text, "\"k\":0}");
    is_int(node_from_json(buf_span(&text), 0, &arena, &root, &err), 0, "100,001 keys");
    text.len = len;
    buf_add_str(&text, "\"k77\":0}");
    is_int(node_from_json(buf_span(&text), 0, &arena, &root, &err), ERR_INVALID,
           "one of them twice");
    ok(strstr(err.text, "key 'k77' is given twice") != NULL, "%s", err.text);
    buf_clear(&text);
    buf_add_char(&text, '[');
    for (int i = 0; i < LIMIT_YAML_NODES; i++) {
        buf_add_str(&text, "0,");
    }
    buf_add_str(&text, "0]");
    is_int(node_from_json(buf_span(&text), 0, &arena, &root, &err), ERR_TOO_BIG,
           "too many values: %s", err.text);
    arena_fini(&arena);
}

static void test_canonical(void)
{
    static const struct {
        const char *yaml, *json;
    } t[] = {
        { "{b: 1, a: 2, aa: 3, B: 4, é: 5, '': 6}",
          "{\"\":6,\"B\":4,\"a\":2,\"aa\":3,\"b\":1,\"é\":5}" },
        { "[true, false, null, True, ~, yes, '']", "[true,false,null,\"True\",null,\"yes\",\"\"]" },
        { "[1, 1.0, -0, 1e3, 0644, +1, .5, 1., 0x10, 1_0]",
          "[1,1.0,-0,1e3,\"0644\",\"+1\",\".5\",\"1.\",\"0x10\",\"1_0\"]" },
        { "[a b, \"q\\\"\\\\\\n\\u0001\\u007f</\", é]",
          "[\"a b\",\"q\\\"\\\\\\n\\u0001\x7f</\",\"é\"]" },
        { "{}", "{}" },
        { "[]", "[]" },
        { "x", "\"x\"" },
        { "b: &b {k: 1, l: 2}\na: {<<: *b, l: 3}\n",
          "{\"a\":{\"k\":1,\"l\":3},\"b\":{\"k\":1,\"l\":2}}" },
        { "a: &x [1, {z: 1, y: 2}]\nb: *x\n",
          "{\"a\":[1,{\"y\":2,\"z\":1}],\"b\":[1,{\"y\":2,\"z\":1}]}" },
        { "1: a\ntrue: b\nnull: c\n", "{\"1\":\"a\",\"null\":\"c\",\"true\":\"b\"}" },
    };
    struct arena arena;

    arena_init(&arena);
    for (size_t i = 0; i < COUNT(t); i++) {
        AUTO_BUF out, via;
        buf_init(&out, MIB);
        buf_init(&via, MIB);
        struct node *n = from_yaml(&arena, t[i].yaml);
        node_write_json(n, &out);
        is_span(buf_span(&out), span_of(t[i].json), "canonical: %s", t[i].yaml);
        node_write_json(from_json(&arena, t[i].json), &via);
        is_span(buf_span(&via), span_of(t[i].json), "stays canonical");
        ok(node_equal(n, from_json(&arena, t[i].json)), "equal");
        json_t *tree = node_to_jansson(n), *want = json_loads(t[i].json, JSON_DECODE_ANY, NULL);
        ok(json_equal(tree, want), "the same jansson tree");
        json_decref(tree);
        json_decref(want);
    }
    ok(!node_equal(from_yaml(&arena, "1"), from_yaml(&arena, "'1'")), "a number is not its text");
    ok(!node_equal(from_yaml(&arena, "[1]"), from_yaml(&arena, "[1, 1]")), "one item more");
    ok(node_equal(from_yaml(&arena, "{a: 1, b: 2}"), from_yaml(&arena, "b: 2\na: 1\n")),
       "order of keys");
    ok(node_equal(NULL, from_yaml(&arena, "~")), "nothing is null");
    arena_fini(&arena);
}

static void test_jansson_numbers(void)
{
    struct arena arena;

    arena_init(&arena);
    json_t *tree =
        node_to_jansson(from_json(&arena, "[9223372036854775807,-9223372036854775808,"
                                          "9223372036854775808,1.5,1e400,5.0,1E2,\"a\\u0000b\"]"));
    ok(json_is_integer(json_array_get(tree, 0)) &&
           json_integer_value(json_array_get(tree, 0)) == INT64_MAX,
       "greatest");
    ok(json_is_integer(json_array_get(tree, 1)) &&
           json_integer_value(json_array_get(tree, 1)) == INT64_MIN,
       "least");
    ok(json_is_real(json_array_get(tree, 2)), "beyond");
    ok(json_is_real(json_array_get(tree, 3)), "a real");
    ok(json_is_string(json_array_get(tree, 4)), "beyond all doubles: its characters");
    ok(json_is_real(json_array_get(tree, 5)), "a point makes it real");
    ok(json_is_real(json_array_get(tree, 6)), "so does an exponent");
    is_int(json_string_length(json_array_get(tree, 7)), 3, "a NUL in a text");
    json_decref(tree);
    tree = node_to_jansson(from_json(&arena, "{\"a\\u0000b\":1,\"a\":2}"));
    is_int(json_object_size(tree), 2, "a NUL in a key");
    json_decref(tree);
    arena_fini(&arena);
}

/* JSON is YAML too: read as the one or the other, it is the same tree in the same places. */
static void test_json_is_yaml(void)
{
    static const char *const t[] = {
        "{\"a\":1}",
        "{\"a\": [1, 2.5, true, null, \"x\\n\\u00e9\"],\n  \"é中\": {\"b\": {}, \"c\": []}}",
        "[[], {}, [[]], [{\"k\": -1e5}], \"\", \"\\\"\"]",
        "{\"a\" : \"b\"  ,  \"c\":\"d\" }",
    };
    struct arena arena;

    arena_init(&arena);
    for (size_t i = 0; i < COUNT(t); i++) {
        AUTO_BUF yaml;
        struct node *a = NULL, *b = NULL;
        buf_init(&yaml, 4096);
        buf_addf(&yaml, "--- %s\n", t[i]);
        ok(node_from_json(span_of(t[i]), 4, &arena, &a, NULL) == 0 &&
               yamldoc_parse(buf_span(&yaml), &arena, &b, NULL) == 0 && node_equal(a, b),
           "both read %s", t[i]);
        for (size_t k = 0; a->type == NODE_MAP && k < a->n; k++) {
            const struct node *x = a->pairs[k].value, *y = b->pairs[k].value;
            ok(x->begin == y->begin && x->end == y->end && x->line == y->line &&
                   (x->line > 1 || x->column + 4 == y->column),
               "the same place: member %zu", k);
        }
    }
    arena_fini(&arena);
}

int main(void)
{
    test_bool();
    test_numbers();
    test_text();
    test_lookup();
    test_json_places();
    test_json_faults();
    test_many_keys();
    test_canonical();
    test_jansson_numbers();
    test_json_is_yaml();
    return check_done();
}
