/* POST /mutate on a plain listener: the answers that depend on how much there is to do and how long
 * it takes, what is counted for them, and what the route itself refuses. How long a review takes is
 * said here, so that the answers are the same on a machine that is busy with other things. */
#include "webhook/admission/route.h"

#include "allocator/base/limits.h"
#include "allocator/base/metric.h"
#include "allocator/http/server.h"
#include "tests/check.h"
#include "tests/fake/rawclient.h"

#include <stdatomic.h>

enum { MAX_IN_FLIGHT = 4 * 1024 * 1024 };

/* Written here, read by the serving thread: it looks at the clock before and after a review. */
static _Atomic int64_t review_takes_us;

static int64_t now_us(void)
{
    static _Atomic int64_t now;

    return atomic_fetch_add(&now, review_takes_us);
}

static bool page_says(const char *line)
{
    AUTO_BUF page = { 0 };

    buf_init(&page, MIB);
    metric_render(&page);
    return memmem(page.p, page.len, line, strlen(line)) != NULL;
}

static void add_review(struct buf *out, size_t n_padding)
{
    buf_add_str(
        out, "{\"kind\":\"AdmissionReview\",\"apiVersion\":\"admission.k8s.io/v1\",\"request\":{"
             "\"uid\":\"u-1\",\"kind\":{\"group\":\"opentelemetry.io\",\"version\":\"v1beta1\","
             "\"kind\":\"OpenTelemetryCollector\"},\"name\":\"c\",\"namespace\":\"ns\","
             "\"operation\":\"CREATE\",\"object\":{\"metadata\":{\"name\":\"c\",\"namespace\":"
             "\"ns\"},\"spec\":{\"targetAllocator\":{\"enabled\":true},\"config\":{\"receivers\":"
             "{\"prometheus\":{\"config\":{\"scrape_configs\":[{\"job_name\":\"job\","
             "\"static_configs\":[]}]}}}}}}}}");
    for (size_t i = 0; i < n_padding; i++) {
        buf_add_char(out, ' ');
    }
}

static void is_answer(unsigned port, const char *request_line, const char *headers,
                      struct span body, int status)
{
    struct rawclient c;
    size_t used = 0;
    AUTO_STR head = mem_printf("%s HTTP/1.1\r\nHost: a\r\nContent-Length: %zu\r\n%s\r\n",
                               request_line, body.len, headers);

    raw_connect(&c, port);
    raw_say(&c, head);
    raw_send(&c, body.p, body.len);
    struct rawanswer a = raw_read(&c, &used, true);
    is_int(a.status, status, "%s %s: %zu bytes", request_line, headers, body.len);
    is_span(raw_header(a.head, "Content-Type"), SPAN_LIT("application/json"), "  with JSON");
    is_span(raw_header(a.head, "Retry-After"), (struct span){ 0 }, "  without Retry-After");
    if (status != 200) {
        AUTO_STR code = mem_printf("\"code\":%d}", status);
        ok(a.body.p != NULL && memmem(a.body.p, a.body.len, "\"kind\":\"Status\"", 15) != NULL &&
               memmem(a.body.p, a.body.len, code, strlen(code)) != NULL,
           "  a Status: %.*s", SPAN_ARG(a.body));
    }
    raw_close(&c);
}

static void test_load(unsigned port)
{
    AUTO_BUF small = { 0 }, fat = { 0 };

    buf_init(&small, MIB);
    buf_init(&fat, LIMIT_REVIEW_BYTES);
    add_review(&small, 0);
    add_review(&fat, MAX_IN_FLIGHT);
    is_answer(port, "POST /mutate?timeout=10s", "", buf_span(&small), 200);
    review_takes_us = 900;
    is_answer(port, "POST /mutate?timeout=1ms", "", buf_span(&small), 200);
    review_takes_us = 54 * 1000 * 1000;
    is_answer(port, "POST /mutate?timeout=1m0s", "", buf_span(&small), 200);
    is_answer(port, "POST /mutate?timeout=x", "", buf_span(&small), 200);
    is_answer(port, "POST /mutate?timeout=0s", "", buf_span(&small), 200);
    ok(page_says("reviews_total{verdict=\"patched\"} 5\n"), "five are counted as patched");
    is_answer(port, "POST /mutate?timeout=59999ms", "", buf_span(&small), 504);
    ok(page_says("reviews_total{verdict=\"timeout\"} 1\n"), "a late one is counted as such");
    review_takes_us = 901;
    is_answer(port, "POST /mutate?timeout=1ms", "", buf_span(&small), 504);
    ok(page_says("reviews_total{verdict=\"timeout\"} 2\n"), "so is one that is hardly late");
    ok(page_says("reviews_total{verdict=\"patched\"} 5\n"), "and neither as patched");
    is_answer(port, "POST /mutate?timeout=30s", "", buf_span(&fat), 503);
    ok(page_says("reviews_total{verdict=\"busy\"} 1\n"), "a refused one is counted as such");
    is_answer(port, "POST /mutate", "", buf_span(&small), 200);
    ok(page_says("reviews_total{verdict=\"patched\"} 6\n"), "its bytes are no longer in the way");
}

static void test_refusals(unsigned port)
{
    struct span body = SPAN_LIT("{}");

    is_answer(port, "POST /other", "", body, 404);
    is_answer(port, "POST /mutate/", "", body, 404);
    is_answer(port, "POST /%6dutate", "", body, 404);
    is_answer(port, "PUT /mutate", "", body, 405);
    is_answer(port, "POST /mutate", "Content-Encoding: gzip\r\n", body, 415);
    is_answer(port, "POST /mutate", "Content-Encoding: identity\r\n", body, 400);
}

int main(void)
{
    const struct rewrite_options options = { .collector_id_expr = SPAN_LIT("${POD_NAME}") };
    struct admission_route *route = admission_route_new(&options, MAX_IN_FLIGHT, now_us);
    const struct http_listener listener = { .name = "webhook",
                                            .address = "127.0.0.1:0",
                                            .max_body_bytes = LIMIT_REVIEW_BYTES,
                                            .request_timeout_ms = 60000,
                                            .handler = admission_route_handle,
                                            .arg = route };
    const struct http_server_options so = { .n_threads = 1,
                                            .listeners = &listener,
                                            .n_listeners = 1 };
    struct http_server *s = NULL;
    struct err err = { 0 };

    ok(http_server_start(&so, &s, &err) == 0, "server %s", err.text);
    test_load(http_server_port(s, 0));
    test_refusals(http_server_port(s, 0));
    http_server_stop(&s, 1000);
    admission_route_free(&route);
    return check_done();
}
