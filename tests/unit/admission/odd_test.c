/* Reviews that are none, or are about nothing of ours: what is answered, and why. */
#include "allocator/base/mem.h"
#include "tests/check.h"
#include "tests/unit/admission/reviewcheck.h"

#define KIND                                                                                       \
    "\"group\":\"opentelemetry.io\",\"version\":\"v1beta1\",\"kind\":\"OpenTelemetryCollector\""
#define OBJECT                                                                                     \
    "{\"metadata\":{\"name\":\"shop\"},\"spec\":{\"targetAllocator\":{\"enabled\":true},"          \
    "\"config\":{\"receivers\":{\"prometheus\":{\"config\":{\"scrape_configs\":["                  \
    "{\"job_name\":\"j\",\"static_configs\":[]}]}}}}}}"
#define REVIEW(kind, version, request)                                                             \
    "{\"x\":[1,{\"y\":null}],\"kind\":\"" kind "\",\"apiVersion\":\"admission.k8s.io/" version     \
    "\",\"request\":{" request "},\"z\":1}"
#define REQUEST(uid, kind, operation, more)                                                        \
    "\"uid\":\"" uid "\",\"kind\":{" kind "},\"name\":\"shop\",\"operation\":\"" operation "\"" more
#define WITH(object)                                                                               \
    REVIEW("AdmissionReview", "v1", REQUEST("u", KIND, "CREATE", ",\"object\":" object))

static const char good[] = WITH(OBJECT);

#define NO_REVIEW                                                                                  \
    "otel-ta: the body is not an AdmissionReview of admission.k8s.io/v1 or v1beta1 with a uid"
#define NO_METADATA "the object has no metadata"

static const struct {
    const char *body, *verdict, *why;
    int status;
} samples[] = {
    { good, "patched", NULL, 200 },
    { REVIEW("AdmissionReview", "v1beta1", REQUEST("u", KIND, "UPDATE", ",\"object\":" OBJECT)),
      "patched", NULL, 200 },
    { REVIEW("Review", "v1", REQUEST("u", KIND, "CREATE", ",\"object\":" OBJECT)), "bad_request",
      NO_REVIEW, 400 },
    { REVIEW("AdmissionReview", "v2", REQUEST("u", KIND, "CREATE", ",\"object\":" OBJECT)),
      "bad_request", NO_REVIEW, 400 },
    { REVIEW("AdmissionReview", "v1", REQUEST("", KIND, "CREATE", ",\"object\":" OBJECT)),
      "bad_request", NO_REVIEW, 400 },
    { "{}", "bad_request", NO_REVIEW, 400 },
    { "{\"request\":{}}", "bad_request", NO_REVIEW, 400 },
    { REVIEW("AdmissionReview", "v1", REQUEST("u", KIND, "DELETE", ",\"object\":" OBJECT)),
      "ignored", "not a create or update", 200 },
    { REVIEW("AdmissionReview", "v1", REQUEST("u", KIND, "CONNECT", ",\"object\":" OBJECT)),
      "ignored", "not a create or update", 200 },
    { REVIEW("AdmissionReview", "v1",
             REQUEST("u", KIND, "UPDATE", ",\"subResource\":\"status\",\"object\":" OBJECT)),
      "ignored", "a subresource", 200 },
    { REVIEW("AdmissionReview", "v1",
             REQUEST("u", KIND, "UPDATE", ",\"subResource\":\"\",\"object\":" OBJECT)),
      "patched", NULL, 200 },
    { REVIEW("AdmissionReview", "v1",
             REQUEST("u", "\"group\":\"apps\",\"kind\":\"OpenTelemetryCollector\"", "CREATE",
                     ",\"object\":" OBJECT)),
      "ignored", "not an OpenTelemetryCollector", 200 },
    { REVIEW("AdmissionReview", "v1",
             REQUEST("u", "\"group\":\"opentelemetry.io\",\"kind\":\"OpAMPBridge\"", "CREATE",
                     ",\"object\":" OBJECT)),
      "ignored", "not an OpenTelemetryCollector", 200 },
    { REVIEW("AdmissionReview", "v1", REQUEST("u", KIND, "CREATE", "")), "ignored", "no object",
      200 },
    { WITH("null"), "ignored", "no object", 200 },
    { WITH("[]"), "ignored", "no object", 200 },
    { WITH("\"x\""), "ignored", "no object", 200 },
    { WITH("1"), "ignored", "no object", 200 },
    { WITH("{}"), "ignored", NO_METADATA, 200 },
    { WITH("{\"spec\":{}}"), "ignored", NO_METADATA, 200 },
    { WITH("{\"metadata\":null}"), "ignored", NO_METADATA, 200 },
    { WITH("{\"metadata\":[]}"), "ignored", NO_METADATA, 200 },
    { WITH("{\"metadata\":\"x\"}"), "ignored", NO_METADATA, 200 },
    { WITH("{\"metadata\":{\"deletionTimestamp\":\"2026-01-01T00:00:00Z\"}}"), "ignored",
      "being deleted", 200 },
};

static void test_samples(void)
{
    for (size_t i = 0; i < COUNT(samples); i++) {
        struct reviewcheck c;
        reviewcheck_init(&c);
        ok(reviewcheck_answer(&c, check_at_edge(span_of(samples[i].body))),
           "%s: the reply has the right form %s", samples[i].body, c.why);
        is_int(c.reply.http_status, samples[i].status, "  status");
        is_str(admission_verdict_name(c.reply.verdict), samples[i].verdict, "  verdict");
        if (samples[i].why != NULL) {
            is_span(c.reply.reason, span_of(samples[i].why), "  why");
        }
        reviewcheck_fini(&c);
    }
}

/* No part of a review is a review, wherever it was cut, nor is one with something after it. */
static void test_cut(void)
{
    const size_t len = sizeof(good) - 1;
    unsigned n_taken = 0, n_untold = 0;

    for (size_t n = 0; n < len; n++) {
        struct reviewcheck c;
        reviewcheck_init(&c);
        (void)reviewcheck_answer(&c, check_at_edge(span_make(good, n)));
        n_taken += c.reply.http_status != 400 || c.reply.verdict != ADMISSION_BAD;
        n_untold += !span_has_prefix(c.reply.reason, "otel-ta: the body is not JSON: ");
        reviewcheck_fini(&c);
    }
    is_int(n_taken, 0, "of %zu beginnings none is taken", len);
    is_int(n_untold, 0, "each is told why");
    static const char *const after[] = { "{}", "x", ",", "}", "1", "\"\"" };
    for (size_t i = 0; i < COUNT(after); i++) {
        struct reviewcheck c;
        AUTO_STR text = mem_printf("%s%s", good, after[i]);
        reviewcheck_init(&c);
        (void)reviewcheck_answer(&c, check_at_edge(span_of(text)));
        is_int(c.reply.http_status, 400, "with %s after it", after[i]);
        reviewcheck_fini(&c);
    }
}

/* One byte of a review becomes another: it is answered in the right form whatever that is. */
static void test_spoiled(void)
{
    static const char bytes[] = "\"{}[],:0\\ \x01";
    AUTO_STR text = mem_printf("%s", good);
    unsigned n_wrong = 0;

    for (size_t i = 0; i < sizeof(good) - 1; i++) {
        for (size_t k = 0; k + 1 < sizeof(bytes); k++) {
            struct reviewcheck c;
            text[i] = bytes[k];
            reviewcheck_init(&c);
            if (!reviewcheck_answer(&c, span_make(text, sizeof(good) - 1)) && n_wrong++ == 0) {
                check_note("%s: %s", text, c.why);
            }
            reviewcheck_fini(&c);
        }
        text[i] = good[i];
    }
    is_int(n_wrong, 0, "every reply has the right form");
}

int main(void)
{
    test_samples();
    test_cut();
    test_spoiled();
    return check_done();
}
