#include "allocator/base/limits.h"
#include "allocator/codec/jsonpatch.h"
#include "tests/check.h"

static struct node *parse(const char *text, struct arena *arena)
{
    struct node *n = NULL;
    struct err err;

    if (node_from_json(span_of(text), 0, arena, &n, &err) < 0) {
        ok(false, "%s: %s", text, err.text);
    }
    return n;
}

static void is_tree(const struct node *got, const char *want, const char *what)
{
    AUTO_BUF json = { 0 };

    buf_init(&json, MIB);
    node_write_json(got, &json);
    is_json(buf_span(&json), span_of(want), "%s", what);
}

/* RFC 6902, appendix A, as far as it concerns us, and its pitfalls. */
static void check_application(void)
{
    static const struct {
        const char *document, *patch, *want; /* NULL: does not fit */
    } t[] = {
        { "{\"foo\":\"bar\"}", "[{\"op\":\"add\",\"path\":\"/baz\",\"value\":\"qux\"}]",
          "{\"baz\":\"qux\",\"foo\":\"bar\"}" },
        { "{\"foo\":[\"bar\",\"baz\"]}", "[{\"op\":\"add\",\"path\":\"/foo/1\",\"value\":\"qux\"}]",
          "{\"foo\":[\"bar\",\"qux\",\"baz\"]}" },
        { "{\"baz\":\"qux\",\"foo\":\"bar\"}", "[{\"op\":\"remove\",\"path\":\"/baz\"}]",
          "{\"foo\":\"bar\"}" },
        { "{\"foo\":[\"bar\",\"qux\",\"baz\"]}", "[{\"op\":\"remove\",\"path\":\"/foo/1\"}]",
          "{\"foo\":[\"bar\",\"baz\"]}" },
        { "{\"baz\":\"qux\"}", "[{\"op\":\"replace\",\"path\":\"/baz\",\"value\":\"boo\"}]",
          "{\"baz\":\"boo\"}" },
        { "{\"foo\":\"bar\"}",
          "[{\"op\":\"add\",\"path\":\"/child\",\"value\":{\"g\":{}}},{\"op\":\"add\",\"path\":\"/"
          "child/g/x\",\"value\":1}]",
          "{\"foo\":\"bar\",\"child\":{\"g\":{\"x\":1}}}" },
        { "{\"a\":{\"b\":[{\"x\":1},{\"x\":2}]},\"ab\":{}}",
          "[{\"op\":\"add\",\"path\":\"/a/b/1/y\",\"value\":3},{\"op\":\"remove\",\"path\":"
          "\"/a/b/0\"},{\"op\":\"add\",\"path\":\"/a/b/0/z\",\"value\":4},{\"op\":\"add\",\"path\":"
          "\"/ab/c\",\"value\":5},{\"op\":\"remove\",\"path\":\"/a/b/0/x\"}]",
          "{\"a\":{\"b\":[{\"y\":3,\"z\":4}]},\"ab\":{\"c\":5}}" },
        { "{\"a\":{\"b\":{}}}",
          "[{\"op\":\"add\",\"path\":\"/a/b/c\",\"value\":1},{\"op\":\"replace\",\"path\":\"/"
          "a\",\"value\":{\"b\":{}}},{\"op\":\"add\",\"path\":\"/a/b/d\",\"value\":2}]",
          "{\"a\":{\"b\":{\"d\":2}}}" },
        { "{\"a\":{\"b\":{}}}",
          "[{\"op\":\"add\",\"path\":\"/a/b/c\",\"value\":1},{\"op\":\"replace\",\"path\":"
          "\"\",\"value\":{\"a\":{\"b\":{}}}},{\"op\":\"add\",\"path\":\"/a/b/d\",\"value\":2}]",
          "{\"a\":{\"b\":{\"d\":2}}}" },
        { "{\"foo\":[1]}", "[{\"op\":\"add\",\"path\":\"/foo/-\",\"value\":[2]}]",
          "{\"foo\":[1,[2]]}" },
        { "{\"a/b\":1,\"m~n\":2,\"~1\":3}",
          "[{\"op\":\"remove\",\"path\":\"/a~1b\"},{\"op\":\"replace\",\"path\":\"/"
          "m~0n\",\"value\":9},"
          "{\"op\":\"remove\",\"path\":\"/~01\"}]",
          "{\"m~n\":9}" },
        { "{\"\":{\"\":1}}", "[{\"op\":\"replace\",\"path\":\"//\",\"value\":2}]",
          "{\"\":{\"\":2}}" },
        { "{\"a\":1}", "[{\"op\":\"replace\",\"path\":\"\",\"value\":[]}]", "[]" },
        { "{\"a\":1}", "[{\"op\":\"add\",\"path\":\"/a\",\"value\":2}]", "{\"a\":2}" },
        { "{\"a\":1}", "[{\"op\":\"remove\",\"path\":\"/b\"}]", NULL },
        { "{\"a\":1}", "[{\"op\":\"replace\",\"path\":\"/b\",\"value\":1}]", NULL },
        { "{\"a\":1}", "[{\"op\":\"add\",\"path\":\"/b/c\",\"value\":1}]", NULL },
        { "{\"a\":1}", "[{\"op\":\"add\",\"path\":\"/a/c\",\"value\":1}]", NULL },
        { "[1]", "[{\"op\":\"add\",\"path\":\"/2\",\"value\":1}]", NULL },
        { "[1]", "[{\"op\":\"add\",\"path\":\"/01\",\"value\":1}]", NULL },
        { "[1]", "[{\"op\":\"remove\",\"path\":\"/-\"}]", NULL },
        { "[1]", "[{\"op\":\"remove\",\"path\":\"/1\"}]", NULL },
        { "[1]", "[{\"op\":\"remove\",\"path\":\"\"}]", NULL },
        { "{\"a\":1}", "[{\"op\":\"remove\",\"path\":\"a\"}]", NULL },
        { "{\"~\":1}", "[{\"op\":\"remove\",\"path\":\"/~\"}]", NULL },
        { "{\"~2\":1}", "[{\"op\":\"remove\",\"path\":\"/~2\"}]", NULL },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        struct jsonpatch patch = { .ops = { .n = 0 } };
        struct node *result = NULL;
        struct arena arena;
        arena_init(&arena);
        const struct node *document = parse(t[i].document, &arena);
        is_int(jsonpatch_read(parse(t[i].patch, &arena), &arena, &patch, NULL), 0, "%s: read",
               t[i].patch);
        int rc = jsonpatch_apply(&patch, document, &arena, &result, NULL);
        is_int(rc, t[i].want == NULL ? ERR_INVALID : 0, "%s on %s", t[i].patch, t[i].document);
        if (rc == 0 && t[i].want != NULL) {
            is_tree(result, t[i].want, t[i].patch);
        }
        is_tree(document, t[i].document, "the document is as it was");
        AUTO_BUF again = { 0 };
        buf_init(&again, MIB);
        jsonpatch_write(&patch, &again);
        is_json(buf_span(&again), span_of(t[i].patch), "and so is the patch");
        jsonpatch_fini(&patch);
        arena_fini(&arena);
    }
}

/* However deep the places are, and in whatever order they come: the result is that of single
 * patches, and the document stays as it was. */
static void check_depth(void)
{
    for (size_t depth = 1; depth <= 20; depth++) {
        struct jsonpatch patch = { .ops = { .n = 0 } };
        struct node *result = NULL;
        AUTO_BUF document = { 0 }, operations = { 0 }, want = { 0 }, path = { 0 };
        struct arena arena;

        arena_init(&arena);
        buf_init(&document, MIB);
        buf_init(&operations, MIB);
        buf_init(&want, MIB);
        buf_init(&path, MIB);
        buf_add_char(&operations, '[');
        for (size_t i = 0; i < depth; i++) {
            buf_add_str(&path, "/m");
            buf_add_str(&document, "{\"a\":0,\"m\":");
            buf_addf(&want, "{\"a\":%s,\"m\":", i == 0 ? "0" : "2");
            /* down and up again: twice at each level, with the levels in between */
            buf_addf(&operations, "%s{\"op\":\"replace\",\"path\":\"%s/a\",\"value\":1}",
                     i == 0 ? "" : ",", path.p);
        }
        buf_add_str(&document, "{\"a\":0,\"l\":[1,[2]]}");
        buf_add_str(&want, "{\"a\":2,\"l\":[1,[2,3]]}");
        buf_addf(&operations, ",{\"op\":\"add\",\"path\":\"%s/l/1/-\",\"value\":3}", path.p);
        for (size_t i = depth; i > 0; i--) {
            buf_addf(&operations, ",{\"op\":\"replace\",\"path\":\"%.*s/a\",\"value\":2}",
                     (int)(2 * i), path.p);
            buf_add_char(&document, '}');
            buf_add_char(&want, '}');
        }
        buf_add_char(&operations, ']');
        const struct node *root = parse(document.p, &arena);
        is_int(jsonpatch_read(parse(operations.p, &arena), &arena, &patch, NULL), 0, "depth %zu",
               depth);
        is_int(jsonpatch_apply(&patch, root, &arena, &result, NULL), 0, "applied");
        is_tree(result, want.p, "every level is changed");
        is_tree(root, document.p, "the document is as it was");
        jsonpatch_fini(&patch);
        arena_fini(&arena);
    }
}

static void check_reading(void)
{
    static const struct {
        const char *patch;
        int rc;
    } t[] = {
        { "{}", ERR_INVALID },
        { "[{\"op\":\"test\",\"path\":\"/a\",\"value\":1}]", ERR_UNSUPPORTED },
        { "[{\"op\":\"move\",\"path\":\"/a\",\"from\":\"/b\"}]", ERR_UNSUPPORTED },
        { "[{\"op\":\"add\",\"path\":\"/a\"}]", ERR_INVALID },
        { "[{\"path\":\"/a\"}]", ERR_INVALID },
        { "[1]", ERR_INVALID },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        struct jsonpatch patch = { .ops = { .n = 0 } };
        struct arena arena;
        arena_init(&arena);
        is_int(jsonpatch_read(parse(t[i].patch, &arena), &arena, &patch, NULL), t[i].rc, "%s",
               t[i].patch);
        jsonpatch_fini(&patch);
        arena_fini(&arena);
    }
}

static void check_difference(void)
{
    static const struct {
        const char *from, *to, *patch;
    } t[] = {
        { "{\"a\":1}", "{\"a\":1}", "[]" },
        { "{\"a\":1,\"b\":[1,{\"x\":2}]}", "{\"a\":1,\"b\":[1,{\"x\":3}]}",
          "[{\"op\":\"replace\",\"path\":\"/b/1/x\",\"value\":3}]" },
        { "{\"a/~\":1}", "{}", "[{\"op\":\"remove\",\"path\":\"/a~1~0\"}]" },
        { "{}", "{\"a\":{\"b\":null}}",
          "[{\"op\":\"add\",\"path\":\"/a\",\"value\":{\"b\":null}}]" },
        { "{\"a\":[1]}", "{\"a\":[1,2]}",
          "[{\"op\":\"replace\",\"path\":\"/a\",\"value\":[1,2]}]" },
        { "{\"a\":\"1\"}", "{\"a\":1}", "[{\"op\":\"replace\",\"path\":\"/a\",\"value\":1}]" },
        { "{\"a\":null}", "{\"a\":{}}", "[{\"op\":\"replace\",\"path\":\"/a\",\"value\":{}}]" },
        { "{\"b\":1,\"a\":2}", "{\"a\":2,\"b\":1}", "[]" },
        { "{\"n\":1.50}", "{\"n\":1.50}", "[]" },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        struct jsonpatch patch = { .ops = { .n = 0 } };
        AUTO_BUF json = { 0 };
        struct arena arena;
        arena_init(&arena);
        buf_init(&json, MIB);
        jsonpatch_diff(parse(t[i].from, &arena), parse(t[i].to, &arena), SPAN_LIT(""), &arena,
                       &patch);
        jsonpatch_write(&patch, &json);
        is_json(buf_span(&json), span_of(t[i].patch), "from %s to %s", t[i].from, t[i].to);
        jsonpatch_fini(&patch);
        arena_fini(&arena);
    }
}

/* Two trees are the same as JSON, whatever the order of members; numbers are what is written, and a
 * text is not the number or the word that it spells. */
static void check_same(void)
{
    static const struct {
        const char *a, *b;
        bool is_same;
    } t[] = {
        { "null", "null", true },
        { "null", "\"null\"", false },
        { "null", "\"\"", false },
        { "null", "[]", false },
        { "null", "false", false },
        { "true", "true", true },
        { "true", "false", false },
        { "true", "\"true\"", false },
        { "1", "1", true },
        { "1", "2", false },
        { "1", "\"1\"", false },
        { "1.0", "1.00", false },
        { "\"a\"", "\"\\u0061\"", true },
        { "\"a\"", "\"A\"", false },
        { "[]", "[]", true },
        { "[]", "{}", false },
        { "[1,2]", "[1,2]", true },
        { "[1,2]", "[2,1]", false },
        { "[1,2]", "[1]", false },
        { "[1]", "[1,2]", false },
        { "{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1}", true },
        { "{\"a\":1}", "{\"a\":1,\"b\":2}", false },
        { "{\"a\":1,\"b\":2}", "{\"a\":1}", false },
        { "{\"a\":1}", "{\"b\":1}", false },
        { "{\"a\":null}", "{}", false },
        { "{\"a\":[{\"b\":null}]}", "{\"a\":[{\"b\":null}]}", true },
        { "{\"a\":[{\"b\":null}]}", "{\"a\":[{\"b\":0}]}", false },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        struct arena arena;
        arena_init(&arena);
        const struct node *a = parse(t[i].a, &arena), *b = parse(t[i].b, &arena);
        is_int(jsonpatch_same(a, b), t[i].is_same, "%s and %s", t[i].a, t[i].b);
        is_int(jsonpatch_same(b, a), t[i].is_same, "and the other way round");
        ok(jsonpatch_same(a, a), "the same one");
        arena_fini(&arena);
    }
}

int main(void)
{
    check_application();
    check_depth();
    check_reading();
    check_difference();
    check_same();
    return check_done();
}
