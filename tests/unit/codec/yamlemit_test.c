#include "allocator/base/limits.h"
#include "allocator/codec/yamldoc.h"
#include "tests/check.h"

#include <stdio.h>
#include <stdlib.h>

/* How texts are written. */
static void test_texts(void)
{
    static const struct {
        const char *json, *yaml;
    } t[] = {
        { "\"plain\"", "plain\n" },
        { "\"two words\"", "two words\n" },
        { "\"http://a.b:80/c?d=e&f=%2F\"", "http://a.b:80/c?d=e&f=%2F\n" },
        { "\"10.0.0.1:9090\"", "10.0.0.1:9090\n" },
        { "\"30s\"", "30s\n" },
        { "\"1m30s\"", "1m30s\n" },
        { "\"/etc/a-b_c.d\"", "/etc/a-b_c.d\n" },
        { "\"$1:$2\"", "$1:$2\n" },
        { "\"(.+):\\\\d+\"", "(.+):\\d+\n" },
        { "\"é中😀\"", "é中😀\n" },
        { "\"a#b\"", "a#b\n" },
        { "\"it's\"", "it's\n" },
        { "\"\"", "''\n" },
        { "\" a\"", "' a'\n" },
        { "\"a \"", "'a '\n" },
        { "\"a:\"", "'a:'\n" },
        { "\"a: b\"", "'a: b'\n" },
        { "\"a #b\"", "'a #b'\n" },
        { "\"[a-z]+'\"", "'[a-z]+'''\n" },
        { "\"{x}\"", "'{x}'\n" },
        { "\"- a\"", "'- a'\n" },
        { "\"*a\"", "'*a'\n" },
        { "\"@a\"", "'@a'\n" },
        { "\"%a\"", "'%a'\n" },
        { "\"---\"", "'---'\n" },
        { "\"...\"", "'...'\n" },
        { "\"yes\"", "'yes'\n" },
        { "\"Off\"", "'Off'\n" },
        { "\"y\"", "'y'\n" },
        { "\"TRUE\"", "'TRUE'\n" },
        { "\"null\"", "'null'\n" },
        { "\"~\"", "'~'\n" },
        { "\"=\"", "'='\n" },
        { "\"<<\"", "'<<'\n" },
        { "\".inf\"", "'.inf'\n" },
        { "\".NaN\"", "'.NaN'\n" },
        { "\"-.INF\"", "'-.INF'\n" },
        { "\"12\"", "'12'\n" },
        { "\"0644\"", "'0644'\n" },
        { "\"1_000\"", "'1_000'\n" },
        { "\"1,000\"", "'1,000'\n" },
        { "\"0x1F\"", "'0x1F'\n" },
        { "\"0o17\"", "'0o17'\n" },
        { "\"0b11\"", "'0b11'\n" },
        { "\"1e3\"", "'1e3'\n" },
        { "\"1.5\"", "'1.5'\n" },
        { "\".5\"", "'.5'\n" },
        { "\"+1\"", "'+1'\n" },
        { "\"10.1.2.3\"", "'10.1.2.3'\n" },
        { "\"12:30\"", "'12:30'\n" },
        { "\"12:30:45.5\"", "'12:30:45.5'\n" },
        { "\"2026-11-24\"", "'2026-11-24'\n" },
        { "\"2026-11-24T17:00:00Z\"", "'2026-11-24T17:00:00Z'\n" },
        { "\"tab\\there\"", "\"tab\\there\"\n" },
        { "\"a\\u0001\\\"\\\\\"", "\"a\\u0001\\\"\\\\\"\n" },
        { "\"a\\u007f\"", "\"a\\u007f\"\n" },
        { "\"a\\u0085b\\u2028c\\u2029d\\ufeffe\\uffff\"",
          "\"a\\u0085b\\u2028c\\u2029d\\ufeffe\\uffff\"\n" },
        { "\"a\\r\\n\"", "\"a\\r\\n\"\n" },
        { "\"\\n\"", "\"\\n\"\n" },
        { "\" a\\nb\"", "\" a\\nb\"\n" },
        { "\"\\ta\\nb\"", "\"\\ta\\nb\"\n" },
        { "\"a\\nb\"", "|-\n  a\n  b\n" },
        { "\"a\\nb\\n\"", "|\n  a\n  b\n" },
        { "\"a\\n\"", "|\n  a\n" },
        { "\"a\\n\\n\"", "|+\n  a\n\n" },
        { "\"a\\n\\n  b # c: \\n\"", "|\n  a\n\n    b # c: \n" },
        { "\"a\\n   \"", "|-\n  a\n     \n" },
        { "\"a\\n \\n\"", "|\n  a\n   \n" },
        { "true", "true\n" },
        { "false", "false\n" },
        { "null", "null\n" },
        { "-12", "-12\n" },
        { "1.5", "1.5\n" },
        { "5.0", "5.0\n" },
        { "0.1", "0.1\n" },
        { "1e20", "1.0e+20\n" },
        { "1.5e-7", "1.5e-07\n" },
        { "0.30000000000000004", "0.30000000000000004\n" },
        { "{}", "{}\n" },
        { "[]", "[]\n" },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        json_t *tree = json_loads(t[i].json, JSON_DECODE_ANY, NULL);
        AUTO_BUF out;
        buf_init(&out, 4096);
        yamldoc_emit(tree, &out);
        is_span(buf_span(&out), span_of(t[i].yaml), "%s", t[i].json);
        json_decref(tree);
    }
}

static void test_trees(void)
{
    static const struct {
        const char *json, *yaml;
    } t[] = {
        { "{\"b\":1,\"a\":[1,\"x\",[2,[]],{\"k\":\"v\",\"l\":{\"m\":null}}],\"e\":{},\"f\":"
          "\"p\\nq\\n\",\"no\":true}",
          "b: 1\n"
          "a:\n"
          "- 1\n"
          "- x\n"
          "- - 2\n"
          "  - []\n"
          "- k: v\n"
          "  l:\n"
          "    m: null\n"
          "e: {}\n"
          "f: |\n"
          "  p\n"
          "  q\n"
          "'no': true\n" },
        { "[{\"a\":\"x\\ny\",\"b\":[{\"c\":1}]},\"z\\n\"]", "- a: |-\n"
                                                            "    x\n"
                                                            "    y\n"
                                                            "  b:\n"
                                                            "  - c: 1\n"
                                                            "- |\n"
                                                            "  z\n" },
        { "{\"a\\nb\":1,\"\":2,\"a: b\":3}", "\"a\\nb\": 1\n"
                                             "'': 2\n"
                                             "'a: b': 3\n" },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        json_t *tree = json_loads(t[i].json, 0, NULL);
        AUTO_BUF out;
        buf_init(&out, 4096);
        yamldoc_emit(tree, &out);
        is_span(buf_span(&out), span_of(t[i].yaml), "tree %zu", i);
        json_decref(tree);
    }
    AUTO_BUF small;
    json_t *tree = json_loads("{\"a\":[1,2,3]}", 0, NULL);
    buf_init(&small, 5);
    yamldoc_emit(tree, &small);
    is_int(buf_error(&small), ERR_TOO_BIG, "past the cap");
    json_decref(tree);
}

/* ---- random trees come back as they were */

static unsigned pick(uint64_t *rnd, unsigned n)
{
    *rnd ^= *rnd << 13;
    *rnd ^= *rnd >> 7;
    *rnd ^= *rnd << 17;
    return (unsigned)(*rnd >> 24) % n;
}

static json_t *random_text(uint64_t *rnd)
{
    static const char *const parts[] = {
        "a",   "1",  " ", "\n", ":",  "#",    "-",        "'",
        "\"",  "\\", "é", "中", "\t", "0x",   ".",        "e",
        "yes", "~",  "|", ">",  "&",  "*",    "!",        "%",
        "{",   "]",  ",", "?",  "\r", "\x01", "\xc2\x85", "\xe2\x80\xa8",
        "😀",   "@",  "`", "="
    };
    AUTO_BUF out;

    buf_init(&out, 4096);
    for (unsigned n = pick(rnd, 7); n > 0; n--) {
        buf_add_str(&out, parts[pick(rnd, COUNT(parts))]);
    }
    return json_stringn(out.p == NULL ? "" : out.p, out.len);
}

static json_t *random_tree(uint64_t *rnd, unsigned depth)
{
    unsigned kind = pick(rnd, depth == 0 ? 6 : 10);

    if (kind == 0) {
        return json_integer((json_int_t)pick(rnd, 1000) - 500);
    }
    if (kind == 1) {
        return pick(rnd, 2) == 0 ? json_real(pick(rnd, 1000) / 7.0) : json_boolean(pick(rnd, 2));
    }
    if (kind == 2) {
        return json_null();
    }
    if (kind < 6) {
        return random_text(rnd);
    }
    json_t *tree = kind < 8 ? json_object() : json_array();
    for (unsigned n = pick(rnd, 4); n > 0; n--) {
        json_t *value = random_tree(rnd, depth - 1);
        if (kind < 8) {
            json_t *key = random_text(rnd);
            json_object_set_new(tree, json_string_value(key), value);
            json_decref(key);
        } else {
            json_array_append_new(tree, value);
        }
    }
    return tree;
}

static bool comes_back(const json_t *tree, uint64_t seed, const char *dump)
{
    struct arena arena;
    struct node *root = NULL;
    struct err err = { 0 };
    AUTO_BUF yaml;
    FILE *f = dump == NULL ? NULL : fopen(dump, "ae");

    arena_init(&arena);
    buf_init(&yaml, MIB);
    buf_add_str(&yaml, "# text is never JSON\n");
    yamldoc_emit(tree, &yaml);
    if (f != NULL) {
        char *json = json_dumps(tree, JSON_COMPACT | JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
        fprintf(f, "%zu %zu\n%s\n%s", strlen(json), yaml.len, json, yaml.p);
        free(json);
        fclose(f);
    }
    bool is_good = yamldoc_parse(buf_span(&yaml), &arena, &root, &err) == 0;
    json_t *again = node_to_jansson(root);
    is_good = is_good && json_equal(again, tree);
    if (!is_good) {
        ok(false, "seed %llu: %s\n%s", (unsigned long long)seed, err.text, yaml.p);
    }
    json_decref(again);
    arena_fini(&arena);
    return is_good;
}

/* With arguments: first and last seed, and a file that gets the cases for other readers. */
int main(int argc, char **argv)
{
    uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 1,
             last = argc > 2 ? strtoull(argv[2], NULL, 10) : 3000;
    bool is_good = true;

    test_texts();
    test_trees();
    for (; seed <= last && is_good; seed++) {
        uint64_t rnd = seed * 0x9e3779b97f4a7c15ULL;
        json_t *tree = random_tree(&rnd, 4);
        is_good = comes_back(tree, seed, argc > 3 ? argv[3] : NULL);
        json_decref(tree);
    }
    ok(is_good, "random trees come back");
    return check_done();
}
