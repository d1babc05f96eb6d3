/* Whose Collector a review is about: the object says it, and where it does not, the request. */
#include "tests/check.h"
#include "tests/unit/admission/reviewcheck.h"

static const struct {
    const char *name, *ns; /* members of the object's metadata, as JSON; NULL: none */
    const char *request;   /* members of the request */
    const char *want;      /* in front of the job in the URL; NULL: left alone */
} samples[] = {
    { "\"shop\"", "\"otel\"", "\"name\":\"x\",\"namespace\":\"y\"",
      "shop-targetallocator.otel.svc" },
    { "\"shop\"", NULL, "\"name\":\"x\",\"namespace\":\"y\"", "shop-targetallocator.y.svc" },
    { NULL, "\"otel\"", "\"name\":\"x\",\"namespace\":\"y\"", "x-targetallocator.otel.svc" },
    { NULL, NULL, "\"name\":\"x\",\"namespace\":\"y\"", "x-targetallocator.y.svc" },
    { "\"\"", "\"\"", "\"name\":\"x\",\"namespace\":\"y\"", "x-targetallocator.y.svc" },
    { "null", "null", "\"name\":\"x\",\"namespace\":\"y\"", "x-targetallocator.y.svc" },
    { "\"shop\"", "\"otel\"", "\"name\":\"\",\"namespace\":\"\"", "shop-targetallocator.otel.svc" },
    { "\"shop\"", "\"otel\"", "\"a\":1", "shop-targetallocator.otel.svc" },
    { NULL, "\"otel\"", "\"namespace\":\"y\"", NULL },
    { NULL, "\"otel\"", "\"name\":\"\",\"namespace\":\"y\"", NULL },
};

static void add_member(struct buf *out, const char *key, const char *value)
{
    if (value != NULL) {
        buf_addf(out, "%s\"%s\":%s", out->p[out->len - 1] == '{' ? "" : ",", key, value);
    }
}

int main(void)
{
    for (size_t i = 0; i < COUNT(samples); i++) {
        AUTO_BUF body = { 0 };
        struct reviewcheck c;
        reviewcheck_init(&c);
        c.options.style = WIRE_QUALIFIED;
        buf_init(&body, MIB);
        buf_addf(&body,
                 "{\"kind\":\"AdmissionReview\",\"apiVersion\":\"admission.k8s.io/v1\","
                 "\"request\":{\"uid\":\"u-1\",\"kind\":{\"group\":\"opentelemetry.io\","
                 "\"version\":\"v1beta1\",\"kind\":\"OpenTelemetryCollector\"},%s,"
                 "\"operation\":\"CREATE\",\"object\":{\"metadata\":{",
                 samples[i].request);
        add_member(&body, "name", samples[i].name);
        add_member(&body, "namespace", samples[i].ns);
        buf_add_str(&body, "},\"spec\":{\"targetAllocator\":{\"enabled\":true},\"config\":{"
                           "\"receivers\":{\"prometheus\":{\"config\":{\"scrape_configs\":["
                           "{\"job_name\":\"j\",\"static_configs\":[]}]}}}}}}}}");
        ok(reviewcheck_answer(&c, buf_span(&body)), "%zu: the reply has the right form %s", i,
           c.why);
        is_str(admission_verdict_name(c.reply.verdict),
               samples[i].want == NULL ? "ignored" : "patched", "%s, verdict", samples[i].request);
        if (samples[i].want != NULL) {
            AUTO_STR url = mem_printf("http://%s:80/jobs/j/targets", samples[i].want);
            ok(memmem(c.patch.p, c.patch.len, url, strlen(url)) != NULL, "  it is %s in %.*s", url,
               300, c.patch.p);
        } else {
            ok(memmem(c.reply.reason.p, c.reply.reason.len, "is not known yet", 16) != NULL,
               "  %.*s", SPAN_ARG(c.reply.reason));
        }
        reviewcheck_fini(&c);
    }
    return check_done();
}
