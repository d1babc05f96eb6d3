/* Reviews that are too big to be written down: depth, size, number of jobs. */
#include "allocator/codec/nodeedit.h"
#include "allocator/codec/zlib.h"
#include "allocator/tenant/annotation.h"
#include "tests/check.h"
#include "tests/unit/admission/reviewcheck.h"

static void add_head(struct buf *out)
{
    buf_init(out, 64 * MIB);
    buf_add_str(out, "{\"kind\":\"AdmissionReview\",\"apiVersion\":\"admission.k8s.io/"
                     "v1\",\"request\":{\"uid\":\"u-1\",\"kind\":{\"group\":"
                     "\"opentelemetry.io\",\"version\":\"v1beta1\",\"kind\":"
                     "\"OpenTelemetryCollector\"},\"name\":\"shop\",\"namespace\":"
                     "\"otel\",\"operation\":\"CREATE\",\"object\":{\"metadata\":{\"name\":"
                     "\"shop\"},\"spec\":{\"mode\":\"statefulset\",\"targetAllocator\":{"
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

static void check_annotation_too_big(void)
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

/* ---- the annotation's bytes */

static struct span as_json(struct reviewcheck *c, const struct node *root)
{
    AUTO_BUF json = { 0 };

    buf_init(&json, MIB);
    yamltext_value(root, YAMLTEXT_JSON_COMPACT, &json);
    return arena_span(&c->arena, buf_span(&json));
}

static struct span annotation_of(const struct node *root)
{
    struct span value = { NULL, 0 };

    (void)node_as_text(node_path(root, "metadata", "annotations", WIRE_ANNOTATION, NULL), &value);
    return value;
}

static struct node *with_annotation(struct reviewcheck *c, const struct node *root, const char *key,
                                    struct span value)
{
    const struct node *metadata = node_get(root, "metadata");
    const struct node *all = nodeedit_member(&c->arena, node_get(metadata, "annotations"),
                                             span_of(key), nodeedit_text(&c->arena, value));

    return nodeedit_member(&c->arena, root, SPAN_LIT("metadata"),
                           nodeedit_member(&c->arena, metadata, SPAN_LIT("annotations"), all));
}

/* The annotation as versions wrote it that knew one level. */
static struct span at_level_6(struct reviewcheck *c, struct span value)
{
    AUTO_BUF packed = { 0 }, out = { 0 };
    struct span json = { NULL, 0 };
    struct node *tree = NULL;

    is_int(annotation_decode(value, &c->arena, &json, &tree, NULL), 0, "the annotation is read");
    buf_init(&packed, MIB);
    zlib_deflate(json, 6, &packed);
    buf_init(&out, MIB);
    buf_add_str(&out, "gz1:");
    base64_encode(buf_span(&packed), &out);
    return arena_span(&c->arena, buf_span(&out));
}

/* What 'object' becomes when it is written over 'old', which may be empty. */
static struct node *write_over(struct reviewcheck *c, struct span object, struct span old)
{
    static const char head[] =
        "{\"kind\":\"AdmissionReview\",\"apiVersion\":\"admission.k8s.io/v1\",\"request\":{"
        "\"kind\":{\"group\":\"opentelemetry.io\",\"version\":\"v1beta1\"},\"operation\":"
        "\"CREATE\"}}";
    struct span review = reviewcheck_with_object(c, SPAN_LIT(head), object, old), result = object;
    struct node *tree = NULL;
    bool is_patched = true;

    ok(reviewcheck_answer(c, review) &&
           (c->patch.len == 0 || reviewcheck_apply(c, review, &result, &is_patched)) &&
           node_from_json(result, 0, &c->arena, &tree, NULL) == 0,
       "an object is written: %s", c->why);
    return tree;
}

/* An object that says the same keeps its annotation, whoever wrote that, as long as it fits. */
static void check_kept_bytes(void)
{
    AUTO_BUF object = { 0 }, filler = { 0 };
    struct reviewcheck c;
    uint32_t noise = 1;

    reviewcheck_init(&c);
    buf_init(&object, MIB);
    buf_add_str(&object,
                "{\"metadata\":{\"name\":\"shop\"},\"spec\":{\"targetAllocator\":{"
                "\"enabled\":true},\"config\":{\"receivers\":{\"prometheus\":{\"config\":{"
                "\"scrape_configs\":[{\"job_name\":\"a\",\"static_configs\":[{\"targets\":["
                "\"x:1\"");
    for (unsigned i = 0; i < 3000; i++) {
        noise = noise * 1664525U + 1013904223U;
        buf_addf(&object, ",\"10.0.%u.%u:9100\"", noise >> 24, i);
    }
    buf_add_str(&object, "]}]}]}}}}}}");

    const struct node *fast = write_over(&c, buf_span(&object), SPAN_LIT(""));
    struct span small = at_level_6(&c, annotation_of(fast));
    const struct node *old = with_annotation(&c, fast, WIRE_ANNOTATION, small);
    ok(small.len < annotation_of(fast).len, "%zu bytes, and %zu of another level",
       annotation_of(fast).len, small.len);

    (void)write_over(&c, as_json(&c, old), as_json(&c, old));
    is_int(c.patch.len, 0, "what an older version wrote stays");
    const struct node *again = write_over(&c, buf_span(&object), as_json(&c, old));
    ok(node_equal(again, old), "also where the write comes without annotation");
    ok(node_get(c.response, "warnings") == NULL, "and nobody is told again");

    size_t taken = 1 + sizeof(WIRE_ANNOTATION) - 1 + annotation_of(fast).len;
    buf_init(&filler, LIMIT_ANNOTATIONS);
    while (filler.len + taken <= LIMIT_ANNOTATIONS) {
        buf_add_char(&filler, 'y');
    }
    const struct node *full = with_annotation(&c, fast, "x", buf_span(&filler));
    const struct node *pressed = write_over(&c, as_json(&c, full), as_json(&c, fast));
    is_span(annotation_of(pressed), small, "where it no longer fits it is pressed");
    (void)write_over(&c, as_json(&c, pressed), as_json(&c, pressed));
    is_int(c.patch.len, 0, "and then it stays");
    reviewcheck_fini(&c);
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
    check_annotation_too_big();
    check_kept_bytes();
    check_duplicates();
    return check_done();
}
