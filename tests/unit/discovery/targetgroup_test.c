#include "allocator/discovery/targetgroup.h"

#include "allocator/base/buf.h"
#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "tests/check.h"

#include <stdio.h>
#include <stdlib.h>

static struct strpool pool;
static struct sd_batch batch;

/* One line a group: "a:1 b:2 {k="v",l=""}". */
static void batch_text(const struct sd_batch *b, struct buf *out)
{
    buf_clear(out);
    for (size_t i = 0; i < b->groups.n; i++) {
        const struct sd_group *g = &b->groups.v[i];
        for (uint32_t k = 0; k < g->n_targets; k++) {
            buf_addf(out, "%.*s ", SPAN_ARG(g->targets[k]));
        }
        buf_add_char(out, '{');
        for (uint32_t k = 0; k < g->shape->n; k++) {
            buf_addf(out, "%s%s=", k == 0 ? "" : ",", g->shape->fields[k].name->text);
            buf_add_json(out, g->values[k]);
        }
        buf_add_str(out, "}\n");
    }
}

static void check_body(bool is_yaml, const char *body, const char *want, const char *name)
{
    static const struct targetgroup_origin origin = { "__meta_from", SPAN_LIT("x") };
    struct err err = { 0 };
    AUTO_BUF got;

    buf_init(&got, MIB);
    sd_batch_reset(&batch);
    struct span text = check_at_edge(span_of(body));
    int rc = is_yaml ? targetgroup_parse_yaml(text, &origin, &batch, &err)
                     : targetgroup_parse_json(text, &origin, &batch, &err);
    if (rc == 0) {
        batch_text(&batch, &got);
    } else {
        buf_addf(&got, "refused");
        check_note("%s: %s", name, err.text);
    }
    is_span(buf_span(&got), span_of(want), "%s", name);
}

static void test_json(void)
{
    static const struct {
        const char *name, *body, *want;
    } t[] = {
        { "empty list", "[]", "" },
        { "null is no groups", " null ", "" },
        { "one group", "[{\"targets\":[\"a:1\",\"b:2\"],\"labels\":{\"k\":\"v\"}}]",
          "a:1 b:2 {__meta_from=\"x\",k=\"v\"}\n" },
        { "labels first, white space", "[ { \"labels\" : { } ,\n\"targets\" : [ \"a\" ] } ]\n",
          "a {__meta_from=\"x\"}\n" },
        { "no targets, no group", "[{\"labels\":{\"k\":\"v\"}},{\"targets\":[]}]", "" },
        { "null members", "[{\"targets\":null,\"labels\":null}]", "" },
        { "null target and null value are empty", "[{\"targets\":[null],\"labels\":{\"k\":null}}]",
          " {__meta_from=\"x\",k=\"\"}\n" },
        { "members match in any case", "[{\"TARGETS\":[\"a\"],\"Labels\":{\"K\":\"v\"}}]",
          "a {K=\"v\",__meta_from=\"x\"}\n" },
        { "the long s is an s", "[{\"target\xc5\xbf\":[\"a\"],\"label\\u017f\":{}}]",
          "a {__meta_from=\"x\"}\n" },
        { "the last of equal keys wins",
          "[{\"targets\":[\"a\"],\"targets\":[\"b\"],\"labels\":{\"k\":\"1\",\"k\":\"2\"},"
          "\"labels\":{\"l\":\"3\",\"l\":\"4\"}}]",
          "b {__meta_from=\"x\",l=\"4\"}\n" },
        { "address and origin in the text do not count",
          "[{\"targets\":[\"a\"],\"labels\":{\"__address__\":\"no\",\"__meta_from\":\"no\"}}]",
          "a {__meta_from=\"x\"}\n" },
        { "escapes",
          "[{\"targets\":[\"\\u0061\\n\"],\"labels\":{\"\\u006b\":\"\\\"\\u00e9\\ud83d\\ude00\"}}]",
          "a\n {__meta_from=\"x\",k=\"\\\"\xc3\xa9\xf0\x9f\x98\x80\"}\n" },
        { "a lone surrogate becomes U+FFFD",
          "[{\"targets\":[\"a\"],\"labels\":{\"k\":\"\\ud800\"}}]",
          "a {__meta_from=\"x\",k=\"\xef\xbf\xbd\"}\n" },
        { "invalid UTF-8 becomes U+FFFD", "[{\"targets\":[\"a\"],\"labels\":{\"k\":\"x\xff\"}}]",
          "a {__meta_from=\"x\",k=\"x\xef\xbf\xbd\"}\n" },
        { "top-level object", "{}", "refused" },
        { "top-level text", "\"x\"", "refused" },
        { "null group", "[null]", "refused" },
        { "group that is a list", "[[]]", "refused" },
        { "unknown field", "[{\"targets\":[\"a\"],\"source\":\"x\"}]", "refused" },
        { "targets as text", "[{\"targets\":\"a\"}]", "refused" },
        { "number as target", "[{\"targets\":[1]}]", "refused" },
        { "labels as list", "[{\"labels\":[]}]", "refused" },
        { "number as value", "[{\"targets\":[\"a\"],\"labels\":{\"k\":1}}]", "refused" },
        { "object as value", "[{\"targets\":[\"a\"],\"labels\":{\"k\":{}}}]", "refused" },
        { "empty label name", "[{\"targets\":[\"a\"],\"labels\":{\"\":\"v\"}}]", "refused" },
        { "bytes after the list", "[] x", "refused" },
        { "cut short", "[{\"targets\":[\"a\"]}", "refused" },
        { "trailing comma", "[{\"targets\":[\"a\"]},]", "refused" },
        { "nothing", "", "refused" },
        { "cut behind a group and a blank", "[{\"targets\":[\"a\"]} ", "refused" },
        { "cut behind a comma", "[{\"targets\":[\"a\"]}, ", "refused" },
        { "a name of a member that goes on", "[{\"targetsx\":[]}]", "refused" },
        { "a name of a member that ends too soon", "[{\"target\":[]}]", "refused" },
        { "half a long s at its end", "[{\"target\xc5\":[]}]", "refused" },
        { "other letters beside the alphabet", "[{\"\\u0074arget{\":[]}]", "refused" },
        { "control character", "[{\"targets\":[\"a\nb\"]}]", "refused" },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        check_body(false, t[i].body, t[i].want, t[i].name);
    }
}

static void test_similar_neighbours(void)
{
    static const struct {
        const char *name, *body, *want;
    } t[] = {
        { "values differ",
          "[{\"targets\":[\"a:1\"],\"labels\":{\"k\":\"v\",\"l\":\"w\"}},{\"targets\":[\"b:22\"],"
          "\"labels\":{\"k\":\"\",\"l\":\"w\"}},"
          "{\"targets\":[\"b:2\"],\"labels\":{\"k\":\"vv\",\"l\":\"w2\"}}]",
          "a:1 {__meta_from=\"x\",k=\"v\",l=\"w\"}\nb:22 {__meta_from=\"x\",k=\"\",l=\"w\"}\nb:2 "
          "{__meta_from=\"x\",k=\"vv\",l=\"w2\"}\n" },
        { "a name differs",
          "[{\"targets\":[\"a\"],\"labels\":{\"k\":\"v\"}},{\"targets\":[\"a\"],\"labels\":{\"j\":"
          "\"v\"}}]",
          "a {__meta_from=\"x\",k=\"v\"}\na {__meta_from=\"x\",j=\"v\"}\n" },
        { "an escape appears",
          "[{\"targets\":[\"a\"],\"labels\":{\"k\":\"v\"}},{\"targets\":[\"a\"],\"labels\":{\"k\":"
          "\"\\u0041\"}},"
          "{\"targets\":[\"a\"],\"labels\":{\"k\":\"\\u0042\"}}]",
          "a {__meta_from=\"x\",k=\"v\"}\na {__meta_from=\"x\",k=\"A\"}\na "
          "{__meta_from=\"x\",k=\"B\"}\n" },
        { "an escape that is not one",
          "[{\"targets\":[\"a\"],\"labels\":{\"k\":\"v\"}},{\"targets\":[\"a\"],\"labels\":{\"k\":"
          "\"\\x\"}}]",
          "refused" },
        { "control character in a changed value",
          "[{\"targets\":[\"a\"]},{\"targets\":[\"b\tc\"]}]", "refused" },
        { "a cut character", "[{\"targets\":[\"a\xc3\xa9\"]},{\"targets\":[\"a\xc3z\"]}]",
          "a\xc3\xa9 {__meta_from=\"x\"}\na\xef\xbf\xbdz {__meta_from=\"x\"}\n" },
        { "equal keys inside",
          "[{\"targets\":[\"a\"],\"labels\":{\"k\":\"1\",\"k\":\"2\"}},{\"targets\":[\"a\"],"
          "\"labels\":{\"k\":\"3\",\"k\":\"2\"}}]",
          "a {__meta_from=\"x\",k=\"2\"}\na {__meta_from=\"x\",k=\"2\"}\n" },
        { "ends inside the copy", "[{\"targets\":[\"a\"]},{\"targets\":[\"a", "refused" },
        { "no bracket after the copy", "[{\"targets\":[\"a\"]},{\"targets\":[\"b\"]}", "refused" },
        { "no comma before the copy", "[{\"targets\":[\"a\"]}{\"targets\":[\"b\"]}]", "refused" },
        { "two commas", "[{\"targets\":[\"a\"]},,{\"targets\":[\"b\"]}]", "refused" },
        { "more targets",
          "[{\"targets\":[\"a\",\"b\"]},{\"targets\":[\"c\",\"d\"]},{\"targets\":[\"c\"]},{"
          "\"targets\":[\"e\"]}]",
          "a b {__meta_from=\"x\"}\nc d {__meta_from=\"x\"}\nc {__meta_from=\"x\"}\ne "
          "{__meta_from=\"x\"}\n" },
        { "a group without targets between",
          "[{\"targets\":[\"a\"]},{\"targets\":[]},{\"targets\":[\"b\"]},{\"targets\":[\"c\"]}]",
          "a {__meta_from=\"x\"}\nb {__meta_from=\"x\"}\nc {__meta_from=\"x\"}\n" },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        check_body(false, t[i].body, t[i].want, t[i].name);
    }
}

/* A text that was unescaped is kept once for all the neighbours that repeat it: they are compared,
 * not read. */
static void test_neighbours_share(void)
{
#define FIRST "{\"targets\":[\"a\"],\"labels\":{\"e\":\"\\u0041\",\"k\":\"1\"}}"
#define SECOND "{\"targets\":[\"b\"],\"labels\":{\"e\":\"\\u0041\",\"k\":\"22\"}}"
#define THIRD "{\"targets\":[\"b\"],\"labels\":{\"e\":\"\\u0041\",\"k\":\"\"}}"
    static const struct {
        const char *name, *body;
        bool is_shared;
    } t[] = {
        { "the same", "[" FIRST "," FIRST "," FIRST "]", true },
        { "plain strings differ", "[" FIRST "," SECOND "," THIRD "]", true },
        { "longer, then shorter", "[" THIRD "," SECOND "," FIRST "]", true },
        { "white space before", "[" FIRST " \n\t\r," SECOND " ," THIRD "]", true },
        { "white space behind", "[" FIRST ", \n\t\r" SECOND ", " THIRD "]", true },
        { "white space inside",
          "[" FIRST ",{ \"targets\":[\"a\"],\"labels\":{\"e\":\"\\u0041\",\"k\":\"1\"}}," FIRST "]",
          false },
        { "a repeated member",
          "[{\"targets\":[],\"targets\":[\"a\"],\"labels\":{\"e\":\"\\u0041\"}},{\"targets\":[],"
          "\"targets\":[\"a\"],\"labels\":{\"e\":\"\\u0041\"}}]",
          false },
        { "repeated labels",
          "[{\"labels\":{},\"targets\":[\"a\"],\"labels\":{\"e\":\"\\u0041\"}},{\"labels\":{},"
          "\"targets\":[\"a\"],\"labels\":{\"e\":\"\\u0041\"}}]",
          false },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        struct err err = { 0 };
        sd_batch_reset(&batch);
        is_int(targetgroup_parse_json(span_of(t[i].body), NULL, &batch, &err), 0, "%s: %s",
               t[i].name, err.text);
        for (size_t k = 1; k < batch.groups.n; k++) {
            is_span(batch.groups.v[k].values[0], SPAN_LIT("A"), "group %zu: the text", k);
            is_int(batch.groups.v[k].values[0].p == batch.groups.v[k - 1].values[0].p,
                   t[i].is_shared, "and whether it is the one before it");
        }
    }
}

/* A label's or target's text, and how many labels, at the limit and beyond it. */
static bool is_read(bool is_yaml, const char *fmt, size_t len, struct err *err)
{
    AUTO_BUF body;
    AUTO_STR text = mem_alloc(len + 1);

    memset(text, 'x', len);
    text[len] = '\0';
    buf_init(&body, 4 * MIB);
    for (; *fmt != '\0'; fmt++) {
        if (*fmt == '%') {
            buf_add_str(&body, text);
        } else {
            buf_add_char(&body, *fmt);
        }
    }
    sd_batch_reset(&batch);
    return (is_yaml ? targetgroup_parse_yaml : targetgroup_parse_json)(buf_span(&body), NULL,
                                                                       &batch, err) == 0;
}

static void test_limits(void)
{
    static const struct {
        bool is_yaml;
        const char *what, *body, *where;
    } t[] = {
        { false, "a target", "[{\"targets\":[\"%\"]}]",
          "group 0: offset 13: a target is too long" },
        { false, "a value", "[{\"targets\":[\"a\"],\"labels\":{\"k\":\"%\"}}]",
          "group 0: offset 32: a label value is too long" },
        { false, "a target that is compared", "[{\"targets\":[\"a\"]},{\"targets\":[\"%\"]}]",
          "group 1: offset 31: a target is too long" },
        { false, "the third", "[{\"targets\":[\"a\"]},{\"targets\":[\"b\"]},{\"targets\":[\"%\"]}]",
          "group 2: offset 49: a target is too long" },
        { true, "a target as YAML", "- targets:\n  - a\n  - %\n", "line 3: a target is too long" },
        { true, "a value as YAML", "- labels:\n    k: %\n", "line 2: a label value is too long" },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        struct err err = { 0 };
        ok(is_read(t[i].is_yaml, t[i].body, LIMIT_LABEL_VALUE, &err), "%s at the limit: %s",
           t[i].what, err.text);
        ok(!is_read(t[i].is_yaml, t[i].body, LIMIT_LABEL_VALUE + 1, &err), "%s beyond it",
           t[i].what);
        is_str(err.text, t[i].where, "is told where");
    }
}

static void test_many_labels(void)
{
    for (size_t n = LIMIT_LABELS_PER_TARGET; n <= LIMIT_LABELS_PER_TARGET + 1; n++) {
        AUTO_BUF body;
        struct err err = { 0 };
        buf_init(&body, MIB);
        buf_add_str(&body, "[{\"targets\":[\"a\"],\"labels\":{");
        for (size_t i = 0; i < n; i++) {
            buf_addf(&body, "%s\"l%zu\":\"v\"", i == 0 ? "" : ",", i);
        }
        buf_add_str(&body, "}}]");
        sd_batch_reset(&batch);
        int rc = targetgroup_parse_json(buf_span(&body), NULL, &batch, &err);
        is_int(rc, n == LIMIT_LABELS_PER_TARGET ? 0 : ERR_INVALID, "%zu labels: %s", n, err.text);
    }
}

static void test_changes(void)
{
    struct err err;
    const char *body =
        "[{\"targets\":[\"a\"],\"labels\":{\"same\":\"1\",\"diff\":\"1\",\"once\":\"1\"}},"
        "{\"targets\":[\"b\"],\"labels\":{\"same\":\"1\",\"diff\":\"2\",\"once\":\"2\"}},"
        "{\"targets\":[\"c\"],\"labels\":{\"same\":\"1\",\"diff\":\"3\",\"once\":\"2\",\"late\":"
        "\"\"}}]";
    static const struct {
        const char *name;
        unsigned n;
    } want[] = { { "same", 0 }, { "diff", 2 }, { "once", 1 }, { "late", 1 } };

    sd_batch_reset(&batch);
    is_int(targetgroup_parse_json(span_of(body), NULL, &batch, &err), 0, "read");
    for (size_t i = 0; i < COUNT(want); i++) {
        unsigned n = 99;
        vec_each(&batch.columns, c) {
            n = span_is(str_span(c->name), want[i].name) ? c->n_changes : n;
        }
        is_int(n, want[i].n, "changes of %s", want[i].name);
    }
}

static void test_yaml(void)
{
    static const struct {
        const char *name, *body, *want;
    } t[] = {
        { "nothing", "", "" },
        { "empty list", "[]", "" },
        { "texts stay as they are typed",
          "- targets: [a:1, 5]\n  labels: {n: 0644, y: yes, f: 1.0, e: ~, s: 'q'}\n",
          "a:1 5 {__meta_from=\"x\",e=\"\",f=\"1.0\",n=\"0644\",s=\"q\",y=\"yes\"}\n" },
        { "no targets", "- labels: {a: b}\n", "" },
        { "null group", "- ~\n", "refused" },
        { "unknown field", "- targets: [a]\n  source: x\n", "refused" },
        { "field in other case", "- Targets: [a]\n", "refused" },
        { "equal keys", "- targets: [a]\n  labels: {k: 1, k: 2}\n", "refused" },
        { "list as value", "- targets: [a]\n  labels: {k: [1]}\n", "refused" },
        { "mapping", "targets: [a]\n", "refused" },
        { "cut short", "- targets: [a\n", "refused" },
        { "null members", "- {targets: ~, labels: ~}\n- {targets: [a], labels: }\n",
          "a {__meta_from=\"x\"}\n" },
        { "null target", "- targets: [~, b]\n", " b {__meta_from=\"x\"}\n" },
        { "list as target", "- targets: [[a]]\n", "refused" },
        { "text as targets", "- targets: a\n", "refused" },
        { "text as labels", "- labels: a\n", "refused" },
        { "empty name", "- labels: {'': a}\n", "refused" },
        { "list as name", "- labels: {[a]: b}\n", "refused" },
        { "list as field", "- {[a]: b}\n", "refused" },
        { "text as group", "- a\n", "refused" },
        { "null", "~\n", "" },
        { "the first document counts", "- targets: [a]\n---\n- targets: [b]\n",
          "a {__meta_from=\"x\"}\n" },
        { "a good group behind a bad one", "- targets: a\n- targets: [b]\n", "refused" },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        check_body(true, t[i].body, t[i].want, t[i].name);
    }
}

static unsigned pick(unsigned n)
{
    static uint64_t x = 7;

    x = x * 6364136223846793005ULL + 1442695040888963407ULL;
    return (unsigned)(x >> 33) % n;
}

/* One of a few shapes, now and then one of many; values of all lengths. */
static void random_group(struct buf *out)
{
    static const char *const values[] = { "",  "1", "22",  "\\u0041", "\xc3\xa9", "long, longer",
                                          "}", "{", "\\\"" };
    static const unsigned usual[] = { 0x3f, 0x1d, 0x2a, 0x3e };
    unsigned shape = pick(8) == 0 ? pick(64) : usual[pick(COUNT(usual))];
    unsigned n_targets = pick(10) == 0 ? pick(3) : 1;

    buf_addf(out, "{%s\"targets\":[", pick(12) == 0 ? " " : "");
    for (unsigned i = 0; i < n_targets; i++) {
        buf_addf(out, "%s\"h%u:%u\"", i == 0 ? "" : ",", pick(1000), pick(10));
    }
    buf_add_str(out, "],\"labels\":{");
    for (unsigned i = 0, n = 0; i < 6; i++) {
        if ((shape >> i & 1) != 0) {
            buf_addf(out, "%s\"label_%u\":\"%s\"", n++ == 0 ? "" : ",", pick(40) == 0 ? 0 : i,
                     values[pick(COUNT(values))]);
        }
    }
    buf_add_str(out, "}}");
}

/* Whatever comes before it, a group is what it is alone. */
static void test_mixed_neighbours(void)
{
    size_t n_wrong = 0;

    for (unsigned round = 0; round < 400; round++) {
        AUTO_BUF body, want, one, got;
        struct err err = { 0 };
        buf_init(&body, MIB);
        buf_init(&want, MIB);
        buf_init(&one, MIB);
        buf_init(&got, MIB);
        buf_add_char(&body, '[');
        for (unsigned i = pick(30) + 2; i > 0; i--) {
            AUTO_BUF text;
            buf_init(&text, KIB);
            buf_add_char(&text, '[');
            size_t from = body.len;
            random_group(&body);
            buf_add_span(&text, span_from(buf_span(&body), from));
            buf_add_char(&text, ']');
            buf_add_str(&body, i == 1 ? "]" : ",");
            sd_batch_reset(&batch);
            n_wrong += targetgroup_parse_json(buf_span(&text), NULL, &batch, &err) < 0 ? 1 : 0;
            batch_text(&batch, &one);
            buf_add_span(&want, buf_span(&one));
        }
        sd_batch_reset(&batch);
        n_wrong += targetgroup_parse_json(buf_span(&body), NULL, &batch, &err) < 0 ? 1 : 0;
        batch_text(&batch, &got);
        if (!span_eq(buf_span(&got), buf_span(&want))) {
            check_note("%s\ngives\n%s", body.p, got.p);
            n_wrong++;
        }
    }
    is_int(n_wrong, 0, "groups of shapes that alternate are what each is alone");
}

int main(void)
{
    strpool_init(&pool);
    sd_batch_init(&batch, &pool);
    test_json();
    test_similar_neighbours();
    test_mixed_neighbours();
    test_neighbours_share();
    test_limits();
    test_many_labels();
    test_changes();
    test_yaml();
    sd_batch_fini(&batch);
    strpool_fini(&pool);
    return check_done();
}
