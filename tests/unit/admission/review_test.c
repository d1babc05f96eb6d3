/* A Collector is read to the same values that reading all of it gives, however its JSON is
 * written. */
#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "tests/check.h"
#include "webhook/admission/review.h"

static void write(const struct node *root, struct buf *out)
{
    buf_init(out, MIB);
    node_write_json(node_path(root, "metadata", "annotations", NULL), out);
}

/* 'is_copied': its bytes are canonical, and that is seen. */
static void check(const char *annotations, bool is_copied)
{
    AUTO_STR text = mem_printf("{\"metadata\":{\"annotations\":%s}}", annotations);
    struct node *read = NULL, *whole = NULL;
    AUTO_BUF got = { 0 }, want = { 0 };
    struct arena arena;

    arena_init(&arena);
    is_int(review_collector(span_of(text), REVIEW_METADATA, &arena, &read, NULL), 0, "%s",
           annotations);
    is_int(node_from_json(span_of(text), 0, &arena, &whole, NULL), 0, "and all of it");
    if (read != NULL && whole != NULL) {
        write(read, &got);
        write(whole, &want);
        is_span(buf_span(&got), buf_span(&want), "the same value");
        const struct node *found = node_path(read, "metadata", "annotations", NULL);
        ok((found->canonical != NULL) == is_copied, "it is %sknown to be canonical",
           is_copied ? "" : "not ");
        ok(!is_copied || span_eq(span_of(annotations), buf_span(&want)), "which it is");
    }
    arena_fini(&arena);
}

static void check_depths(void)
{
    static const char text[] =
        "{\"spec\":{\"mode\":\"x\",\"config\":{\"receivers\":{\"prometheus\":{\"config\":{"
        "\"scrape_configs\":[{\"job_name\":\"a\",\"scrape_interval\":\"1s\"}]}}}}},"
        "\"metadata\":{\"name\":\"b\"}}";
    static const struct {
        enum review_depth depth;
        bool has_mode, has_name, has_interval;
    } t[] = {
        { REVIEW_METADATA, false, false, false },
        { REVIEW_SECTIONS, true, true, false },
        { REVIEW_JOBS, true, true, true },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        struct node *root = NULL;
        struct arena arena;
        arena_init(&arena);
        is_int(review_collector(SPAN_LIT(text), t[i].depth, &arena, &root, NULL), 0, "depth %zu",
               i);
        const struct node *list = node_path(root, "spec", "config", "receivers", "prometheus",
                                            "config", "scrape_configs", NULL);
        const struct node *job = list != NULL && list->n == 1 ? list->items[0] : NULL;
        ok(node_path(root, "metadata", "name", NULL) != NULL, "has the name");
        is_int(node_path(root, "spec", "mode", NULL) != NULL, t[i].has_mode, "the mode");
        is_int(node_get(job, "job_name") != NULL, t[i].has_name, "the name of the job");
        is_int(node_get(job, "scrape_interval") != NULL, t[i].has_interval, "all of the job");
        arena_fini(&arena);
    }
}

int main(void)
{
    static const struct {
        const char *text;
        bool is_copied;
    } t[] = {
        { "{}", true },
        { "[]", true },
        { "null", true },
        { "true", true },
        { "-1.50e3", true },
        { "\"\"", true },
        { "\"a/b<>&\x7f\"", true },
        { "{\"a\":1,\"a/b\":[{},[],null,\"x\",{\"y\":{\"z\":[false]}}],\"b\":\"\"}", true },
        { "{\"\":{\"\":0}}", true },
        { "{ }", false },
        { "[ ]", false },
        { "[1 ,2]", false },
        { "{\"a\": 1}", false },
        { "{\"a\":1 }", false },
        { "{\"b\":1,\"a\":2}", false },
        { "{\"ab\":1,\"a\":2}", false },
        { "\"a\\/b\"", false },
        { "\"a\\u0000b\"", false },
        { "\"\\u003c\"", false },
        { "\"\xc3\xa9\"", false },
        { "{\"\xc3\xa9\":1}", false },
        { "\"\xff\"", false },
        { "{\"\xff\":1,\"\xef\xbf\xbe\":2}", false }, /* U+FFFD comes before U+FFFE */
        { "{\"\\u0061\":1}", false },
        { "{\"a\":\"\\n\"}", false },
        { "[{\"b\":1},{\"b\":[ 1]}]", false },
        { "[{\"a\":\"b\",\"c\":{\"e\":1,\"d\":2}}]", false },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        check(t[i].text, t[i].is_copied);
    }
    check_depths();
    return check_done();
}
