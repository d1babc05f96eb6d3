/* Reviews that are too big to be written down: depth, size, number of jobs. */
#include "tests/check.h"
#include "tests/unit/webhook/reviewcheck.h"

static void add_head(struct buf *out)
{
    buf_init(out, 64 * MIB);
    buf_add_str(out, "{\"kind\":\"AdmissionReview\",\"apiVersion\":\"admission.k8s.io/"
                     "v1\",\"request\":{\"uid\":\"u-1\",\"kind\":{\"group\":"
                     "\"opentelemetry.io\",\"version\":\"v1beta1\",\"kind\":"
                     "\"OpenTelemetryCollector\"},\"name\":\"shop\",\"namespace\":"
                     "\"otel\",\"operation\":\"CREATE\",\"object\":{\"metadata\":{\"name\":"
                     "\"shop\"},\"spec\":{\"targetAllocator\":{"
                     "\"enabled\":true},\"config\":{\"receivers\":{\"prometheus\":{\"config\":{"
                     "\"scrape_configs\":[");
}

static void add_tail(struct buf *out)
{
    buf_add_str(out, "]}}}}}}}}");
}

static void add_repeated(struct buf *out, const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        buf_add_str(out, text);
    }
}

/* 'n' levels in a member that is 'where'; answered with the uid in any case. */
static void check_depth(const char *where, size_t n, enum admission_verdict want)
{
    AUTO_BUF body = { 0 };
    struct reviewcheck c;

    reviewcheck_init(&c);
    add_head(&body);
    buf_addf(&body, "{\"job_name\":\"a\",\"static_configs\":[{\"targets\":[\"x\"]}],\"%s\":[",
             where);
    add_repeated(&body, "[", n);
    add_repeated(&body, "]", n);
    buf_add_str(&body, "]}");
    add_tail(&body);
    ok(reviewcheck_answer(&c, buf_span(&body)), "%zu levels in %s: the reply has the right form %s",
       n, where, c.why);
    is_str(admission_verdict_name(c.reply.verdict), admission_verdict_name(want),
           "%zu levels in %s", n, where);
    reviewcheck_fini(&c);
}

static void check_many_jobs(size_t n)
{
    AUTO_BUF body = { 0 };
    struct reviewcheck c;

    reviewcheck_init(&c);
    add_head(&body);
    for (size_t i = 0; i < n; i++) {
        buf_addf(&body, "%s{\"job_name\":\"job-%zu\",\"static_configs\":[]}", i == 0 ? "" : ",", i);
    }
    add_tail(&body);
    ok(reviewcheck_answer(&c, buf_span(&body)), "%zu jobs: the reply has the right form %s", n,
       c.why);
    is_int(c.reply.http_status, 200, "%zu jobs are answered", n);
    is_str(admission_verdict_name(c.reply.verdict), n > 50000 ? "denied" : "patched", "%zu jobs",
           n);
    reviewcheck_fini(&c);
}

static void check_warning_length(void)
{
    AUTO_BUF body = { 0 };
    struct reviewcheck c;

    reviewcheck_init(&c);
    add_head(&body);
    buf_add_str(&body, "{\"static_configs\":[],\"job_name\":\"b\"},{\"job_name\":\"");
    add_repeated(&body, "\xc3\xa9\\u0007", 300);
    buf_add_str(&body, "\"}");
    add_tail(&body);
    ok(reviewcheck_answer(&c, buf_span(&body)), "a long name: the reply has the right form %s",
       c.why);
    const struct node *warnings = node_get(c.response, "warnings");
    is_int(warnings == NULL ? 0 : warnings->n, 2, "two warnings");
    for (size_t i = 0; warnings != NULL && i < warnings->n; i++) {
        struct span text = { NULL, 0 };
        size_t n_chars = 0, n_controls = 0;
        (void)node_as_text(warnings->items[i], &text);
        for (size_t k = 0; k < text.len; k++) {
            n_chars += ((unsigned char)text.p[k] & 0xc0) != 0x80 ? 1 : 0;
            n_controls += (unsigned char)text.p[k] < 0x20 ? 1 : 0;
        }
        ok(n_chars <= LIMIT_WARNING && n_controls == 0, "warning %zu is one short line", i);
    }
    reviewcheck_fini(&c);
}

static void check_stash_too_big(void)
{
    AUTO_BUF body = { 0 };
    struct reviewcheck c;
    uint32_t noise = 1;

    reviewcheck_init(&c);
    add_head(&body);
    buf_add_str(&body, "{\"job_name\":\"a\",\"static_configs\":[{\"targets\":[\"x\"");
    for (size_t i = 0; i < 20000; i++) {
        noise = noise * 1664525U + 1013904223U;
        buf_addf(&body, ",\"%08x%08x:9100\"", noise, noise * 2654435761U);
    }
    buf_add_str(&body, "]}]}");
    add_tail(&body);
    ok(reviewcheck_answer(&c, buf_span(&body)),
       "too much for an annotation: the reply has the right form %s", c.why);
    is_str(admission_verdict_name(c.reply.verdict), "denied",
           "too much for an annotation is denied");
    ok(memmem(c.reply.reason.p, c.reply.reason.len, "file_sd", 7) != NULL, "with advice: %.*s",
       SPAN_ARG(c.reply.reason));
    reviewcheck_fini(&c);
}

/* Members given twice, near each other and far apart: the last one counts, and what is stored is
 * what comes of the object with the last ones alone. */
static void check_twice(const char *before, const char *metadata, const char *job, size_t n_between)
{
    AUTO_BUF object = { 0 };
    struct reviewcheck c;
    struct node *plain = NULL, *want = NULL, *got = NULL;
    struct span review, result, want_text;
    bool is_patched = false;

    buf_init(&object, MIB);
    buf_addf(&object, "{%s\"metadata\":{\"name\":\"shop\",%s", before, metadata);
    for (size_t i = 0; i < n_between; i++) {
        buf_addf(&object, ",\"m%zu\":%zu", i, i);
    }
    buf_addf(&object,
             ",%s},\"spec\":{\"targetAllocator\":{\"enabled\":true},\"config\":{\"receivers\":{"
             "\"prometheus\":{\"config\":{\"scrape_configs\":[{%s",
             metadata, job);
    for (size_t i = 0; i < n_between; i++) {
        buf_addf(&object, ",\"static_configs\":[{\"targets\":[\"x%zu\"]}]", i);
    }
    buf_addf(&object, ",%s}]}}}}}}", job);
    reviewcheck_init(&c);
    c.options.is_block_style = n_between % 2 == 1; /* reads jobs in full */
    review = reviewcheck_with_object(&c,
                                     SPAN_LIT("{\"kind\":\"AdmissionReview\",\"apiVersion\":"
                                              "\"admission.k8s.io/v1\",\"request\":{\"kind\":{"
                                              "\"group\":\"opentelemetry.io\"},\"name\":"
                                              "\"shop\",\"operation\":\"CREATE\"}}"),
                                     buf_span(&object), SPAN_LIT(""));
    bool is_good = reviewcheck_answer(&c, review) &&
                   reviewcheck_apply(&c, review, &result, &is_patched) &&
                   node_from_json(result, 0, &c.arena, &got, NULL) == 0;
    ok(is_good, "%s, %s, %zu between: the patch applies %s", metadata, job, n_between, c.why);

    AUTO_BUF alone = { 0 };
    buf_init(&alone, MIB);
    if (reviewcheck_read_object(&c, buf_span(&object), &plain)) {
        yamltext_value(plain, YAMLTEXT_JSON_COMPACT, &alone);
    }
    review = reviewcheck_with_object(&c, review, buf_span(&alone), SPAN_LIT(""));
    is_good = is_good && reviewcheck_answer(&c, review) &&
              reviewcheck_apply(&c, review, &want_text, &is_patched) &&
              node_from_json(want_text, 0, &c.arena, &want, NULL) == 0;
    ok(is_good && node_equal(got, want), "and gives what the last ones alone give");
    reviewcheck_fini(&c);
}

static void check_duplicates(void)
{
    static const size_t between[] = { 0, 1, 62, 63, 64, 65, 300 };

    for (size_t i = 0; i < COUNT(between); i++) {
        check_twice("", "\"annotations\":{\"a\":\"1\"},\"annotations\":{\"b\":\"2\"}",
                    "\"job_name\":\"first\",\"job_name\":\"last\",\"static_configs\":[{"
                    "\"targets\":[\"y\"]}]",
                    between[i]);
        check_twice("\"spec\":{\"config\":{\"receivers\":{\"prometheus\":{}}}},",
                    "\"labels\":{\"a\":\"1\"}",
                    "\"job\\u005fname\":\"first\",\"job_name\":\"last\",\"static_configs\":[],"
                    "\"file_sd_configs\":[]",
                    between[i]);
    }
}

int main(void)
{
    check_depth("params", 200, ADMISSION_PATCHED);
    check_depth("params", 10002, ADMISSION_PATCHED);
    check_depth("file_sd_configs", 100, ADMISSION_PATCHED);
    check_depth("file_sd_configs", 10002, ADMISSION_IGNORED);
    check_depth("params", 20000, ADMISSION_BAD);
    check_many_jobs(1);
    check_many_jobs(2000);
    check_many_jobs(100000);
    check_warning_length();
    check_stash_too_big();
    check_duplicates();
    return check_done();
}
