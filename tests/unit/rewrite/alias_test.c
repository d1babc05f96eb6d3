/* A text that refers from one place to another is never refused: it is written out, or stays. */
#include "webhook/rewrite/revision.h"

#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "allocator/codec/yamldoc.h"
#include "tests/check.h"

#include <string.h>

static const struct rewrite_options options = { .collector_id_expr = { "${POD_NAME}", 11 } };

/* The Collector with that text as the webhook sees it. */
static int revise(struct arena *arena, struct span text, struct faults *f, struct revision *r)
{
    struct node *root = NULL;
    AUTO_BUF json;

    buf_init(&json, 16 * MIB);
    buf_add_str(&json, "{\"apiVersion\":\"opentelemetry.io/v1alpha1\",\"kind\":"
                       "\"OpenTelemetryCollector\",\"metadata\":{\"name\":\"c\"},\"spec\":{"
                       "\"mode\":\"statefulset\",\"targetAllocator\":{\"enabled\":true},"
                       "\"config\":");
    buf_add_json(&json, text);
    buf_add_str(&json, "}}");
    struct span copy = arena_span(arena, buf_span(&json));
    is_int(node_from_json(copy, 0, arena, &root, NULL), 0, "a Collector");
    const struct revision_input in = { .root = root, .options = &options };
    return revision_make(&in, arena, f, r);
}

#define JOB "{job_name: j, static_configs: [{targets: ['a:1']}]}"

static void test_written_out(void)
{
    static const char *const texts[] = {
        "receivers:\n  prometheus: &r {config: {scrape_configs: [" JOB "]}}\n  prometheus/b: *r\n",
        "x: &r {config: {scrape_configs: [" JOB "]}}\nreceivers:\n  prometheus: *r\n",
        "x: &r {scrape_configs: [" JOB "]}\nreceivers: {prometheus: {config: *r}}\n",
        "x: &r [" JOB "]\nreceivers: {prometheus: {config: {scrape_configs: *r}}}\n",
        "x: &r " JOB "\nreceivers: {prometheus: {config: {scrape_configs: [*r]}}}\n",
        "x: &r {prometheus: {config: {scrape_configs: [" JOB "]}}}\nreceivers: *r\n",
        "x: &r {config: {scrape_configs: [" JOB "]}}\nreceivers:\n  prometheus:\n    <<: *r\n",
        "x: &r {prometheus: {config: {scrape_configs: [" JOB "]}}}\nreceivers: {<<: *r}\n",
        "x: &r {receivers: {prometheus: {config: {scrape_configs: [" JOB "]}}}}\n<<: *r\n",
        "x: &r {scrape_configs: [" JOB "]}\nreceivers: {prometheus: {config: {<<: [*r]}}}\n",
        "receivers: {prometheus: {config: {scrape_configs: [{job_name: j, static_configs: "
        "&s [{targets: ['a:1']}]}, {job_name: k, static_configs: *s, x: *s}]}}}\n",
        "receivers: {prometheus: {config: {scrape_configs: [{job_name: j, static_configs: "
        "[{targets: &s ['a:1']}]}]}}}\nexporters: {x: *s}\n",
    };

    for (size_t i = 0; i < COUNT(texts); i++) {
        struct arena arena;
        struct faults f;
        struct revision r;
        arena_init(&arena);
        faults_init(&f);
        is_int(revise(&arena, span_of(texts[i]), &f, &r), 0, "not refused: %s", texts[i]);
        is_int(f.n, 0, "and nothing to say: %s", f.n == 0 ? "" : f.v[0].text);
        ok(r.new_text.p != NULL && r.annotation.p != NULL, "it is rewritten");
        ok(r.new_text.p != NULL &&
               memmem(r.new_text.p, r.new_text.len, "/jobs/j/targets", 15) != NULL,
           "to %.*s", SPAN_ARG(r.new_text));
        AUTO_BUF applied;
        buf_init(&applied, MIB);
        splice_apply(&r.edits, span_of(texts[i]), &applied);
        is_span(buf_span(&applied), r.new_text, "its edits are those of the user's text");
        revision_fini(&r);
        faults_fini(&f);
        arena_fini(&arena);
    }
}

/* More than a text may have, written out. */
static void test_stays(void)
{
    struct arena arena;
    struct faults f;
    struct revision r;
    AUTO_BUF text;

    arena_init(&arena);
    faults_init(&f);
    buf_init(&text, MIB);
    buf_add_str(&text, "x: &t ");
    for (size_t i = 0; i < 10000; i++) {
        buf_add_char(&text, 'x');
    }
    buf_add_str(&text, "\ny: [");
    for (size_t i = 0; i < 400; i++) {
        buf_add_str(&text, "*t, ");
    }
    buf_add_str(&text, "]\nreceivers:\n  prometheus: &r {config: {scrape_configs: [" JOB
                       "]}}\n  prometheus/b: *r\n");
    is_int(revise(&arena, buf_span(&text), &f, &r), 0, "not refused");
    is_int(r.is_changed, false, "it stays");
    is_int(f.n_errors, 0, "no error");
    ok(f.n == 1 && strstr(f.v[0].text, "the configuration stays as it is: ") == f.v[0].text,
       "and is told: %s", f.n == 0 ? "" : f.v[0].text);
    revision_fini(&r);
    faults_fini(&f);
    arena_fini(&arena);
}

int main(void)
{
    test_written_out();
    test_stays();
    return check_done();
}
