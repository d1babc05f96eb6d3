/* The HTTP API over the real server: the recorded answers of upstream's allocator, and where ours
 * differ on purpose. */
#include "allocator/serve/routes.h"

#include <stdatomic.h>
#include <stdio.h>

#include "allocator/base/log.h"
#include "allocator/base/mem.h"
#include "allocator/base/metric.h"
#include "allocator/http/server.h"
#include "allocator/serve/publisher.h"
#include "tests/check.h"
#include "tests/fake/rawclient.h"
#include "tests/unit/serve/wholepage.h"

#define THREADS 2

struct site { /* a server, what it serves, and one connection */
    struct http_server *server;
    struct serve *serve;
    struct publisher *publisher;
    struct rawclient client;
    size_t used;
    struct {
        void *part;
        void (*free_fn)(void *part);
    } parts[64]; /* of the next snapshot */
    size_t n_parts;
    void (*meanwhile)(struct site *s); /* from the hand-over on, before each thread has it */
};

static void site_open(struct site *s, bool secrets_over_http)
{
    struct err err = { 0 };

    *s = (struct site){ .serve = serve_new(THREADS, secrets_over_http),
                        .publisher = publisher_new() };
    const struct http_listener listener = { .name = "http",
                                            .address = "127.0.0.1:0",
                                            .max_body_bytes = 1024,
                                            .request_timeout_ms = 60000,
                                            .handler = serve_handle,
                                            .arg = s->serve };
    const struct http_server_options options = { .n_threads = THREADS,
                                                 .listeners = &listener,
                                                 .n_listeners = 1 };
    ok(http_server_start(&options, &s->server, &err) == 0, "server %s", err.text);
    raw_connect(&s->client, http_server_port(s->server, 0));
}

static void site_close(struct site *s)
{
    raw_close(&s->client);
    http_server_stop(&s->server, 5000);
    serve_free(&s->serve);
    is_int(publisher_reap(s->publisher) <= 1, 1, "no request holds a snapshot after the stop");
    publisher_free(&s->publisher);
}

static struct rawanswer ask(struct site *s, const char *fmt, ...) PRINTF_LIKE(2, 3);
static struct rawanswer ask(struct site *s, const char *fmt, ...)
{
    char line[4096], text[8192];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    char *headers = strchr(line, '\n');
    if (headers != NULL) {
        *headers++ = '\0';
    }
    bool has_method = line[0] != '/';
    snprintf(text, sizeof(text), "%s%s HTTP/1.1\r\n%s\r\n%s\r\n", has_method ? "" : "GET ", line,
             headers == NULL ? "Host: localhost:8080" : headers, "");
    raw_say(&s->client, text);
    return raw_read(&s->client, &s->used, strncmp(line, "HEAD", 4) != 0);
}

static void is_answer(struct site *s, const char *request, int status, const char *body)
{
    struct rawanswer a = ask(s, "%s", request);

    is_int(a.status, status, "%s", request);
    is_span(a.body, span_of(body), "  body of %s", request);
}

/* Every thread has the newest snapshot: each message goes after the hand-over in its queue. */
static void count_thread(unsigned thread, void *arg)
{
    (void)thread;
    ref_put(arg);
}

static void settle(struct site *s)
{
    static struct ref left;

    ref_init(&left);
    for (unsigned i = 0; i < THREADS; i++) {
        ref_get(&left);
    }
    http_server_broadcast(s->server, count_thread, &left);
    while (!ref_is_sole(&left)) {
        usleep(100);
    }
}

/* 'part' lives as long as snapshots that are made until the next publish(). */
static void hold(struct site *s, void *part, void (*free_fn)(void *part))
{
    s->parts[s->n_parts].part = part;
    s->parts[s->n_parts++].free_fn = free_fn;
}

static void publish(struct site *s, const struct directory *d, const struct page_row *const *rows,
                    size_t n, bool is_synced)
{
    serve_publish(s->serve, s->server, publisher_publish(s->publisher, d, rows, n, is_synced));
    if (s->meanwhile != NULL) {
        s->meanwhile(s);
    }
    settle(s);
    for (size_t i = 0; i < s->n_parts; i++) {
        publisher_retire(s->publisher, s->parts[i].part, 1, s->parts[i].free_fn);
    }
    s->n_parts = 0;
}

/* ---- the data of the recording */

static const struct span collectors[] = { SPAN_LIT("sim-collector-0"), SPAN_LIT("sim-collector-1"),
                                          SPAN_LIT("sim-collector-2") };
static const struct directory_tenant upstream_tenant = { { NULL, 0 },       { NULL, 0 }, collectors,
                                                         COUNT(collectors), NULL,        NULL };
#define CONFIG(name, secret)                                                                       \
    SPAN_LIT("{\"job_name\":\"" name "\",\"password\":\"" secret "\"}"),                           \
        SPAN_LIT("{\"job_name\":\"" name "\",\"password\":\"<secret>\"}")
static const struct directory_job upstream_jobs[] = {
    { 0, { NULL, 0 }, SPAN_LIT("plain"), CONFIG("plain", "hidden") },
    { 0, { NULL, 0 }, SPAN_LIT("empty"), CONFIG("empty", "hidden") },
    { 0, { NULL, 0 }, SPAN_LIT("with space/slash%+\xc3\xbc"), CONFIG("odd", "hidden") },
};
static const struct page_part plain_parts[] = {
    { SPAN_LIT(",{\"targets\":[\"10.0.0.1:9100\"],\"labels\":{\"__address__\":\"10.0.0.1:9100\""),
      SPAN_LIT(",\"team\":\"a\"}}") },
    { SPAN_LIT(",{\"targets\":[\"10.0.0.2:9100\"],\"labels\":{\"__address__\":\"10.0.0.2:9100\""),
      SPAN_LIT(",\"team\":\"a\"}}") },
    { SPAN_LIT(",{\"targets\":[\"10.0.0.3:9100\"],\"labels\":{\"__address__\":\"10.0.0.3:9100\""),
      SPAN_LIT(",\"team\":\"a\"}}") },
    { SPAN_LIT(",{\"targets\":[\"10.0.1.1:1\"],\"labels\":{\"__address__\":\"10.0.1.1:1\""),
      SPAN_LIT("}}") },
};

static struct page_row *row_of(struct site *s, struct page *a, struct page *b, struct page *c,
                               size_t n_targets)
{
    struct page *const pages[] = { a, b, c };
    struct page_row *row = page_row_new(COUNT(pages), n_targets);

    row->n = 0;
    for (uint32_t seat = 0; seat < COUNT(pages); seat++) {
        if (pages[seat] != NULL) {
            row->seats[row->n] = seat;
            row->pages[row->n++] = pages[seat];
        }
    }
    hold(s, a, wholepage_free);
    hold(s, b, wholepage_free);
    hold(s, c, wholepage_free);
    hold(s, row, mem_free);
    return row;
}

static void free_directory(void *d)
{
    directory_free(d);
}

static void publish_recording(struct site *s, bool is_synced)
{
    struct directory *d =
        directory_new(&upstream_tenant, 1, upstream_jobs, COUNT(upstream_jobs), NULL);
    const struct page_row *rows[COUNT(upstream_jobs)] = { NULL };

    rows[0] = row_of(s, NULL, wholepage_new(plain_parts, 1), wholepage_new(plain_parts + 1, 2), 3);
    rows[1] = row_of(s, NULL, NULL, NULL, 0);
    rows[2] = row_of(s, wholepage_new(plain_parts + 3, 1), NULL, wholepage_new(NULL, 0), 1);
    hold(s, d, free_directory);
    publish(s, d, rows, COUNT(rows), is_synced);
}

#define ONE                                                                                        \
    "{\"targets\":[\"10.0.0.1:9100\"],\"labels\":{\"__address__\":\"10.0.0.1:9100\",\"team\":"     \
    "\"a\"}}"
#define TWO                                                                                        \
    "{\"targets\":[\"10.0.0.2:9100\"],\"labels\":{\"__address__\":\"10.0.0.2:9100\",\"team\":"     \
    "\"a\"}}"
#define THREE                                                                                      \
    "{\"targets\":[\"10.0.0.3:9100\"],\"labels\":{\"__address__\":\"10.0.0.3:9100\",\"team\":"     \
    "\"a\"}}"
#define ODD "{\"targets\":[\"10.0.1.1:1\"],\"labels\":{\"__address__\":\"10.0.1.1:1\"}}"
#define MEMBER(job, c, targets)                                                                    \
    "\"sim-collector-" c "\":{\"_link\":\"/jobs/" job "/targets?collector_id=sim-collector-" c     \
    "\",\"targets\":[" targets "]}"

static void test_recorded(struct site *s)
{
    static const char *const empty = "[]\n";

    is_answer(
        s, "/jobs", 200,
        "{\"empty\":{\"_link\":\"/jobs/empty/targets\"},\"plain\":{\"_link\":\"/jobs/plain/"
        "targets\"},"
        "\"with "
        "space/slash%+\xc3\xbc\":{\"_link\":\"/jobs/with+space%2Fslash%25%2B%C3%BC/targets\"}}\n");
    is_answer(s, "/jobs/plain/targets", 200,
              "{" MEMBER("plain", "0", "") "," MEMBER("plain", "1", ONE) "," MEMBER(
                  "plain", "2", TWO "," THREE) "}\n");
    is_answer(s, "/jobs/plain/targets?collector_id=sim-collector-0", 200, empty);
    is_answer(s, "/jobs/plain/targets?collector_id=sim-collector-1", 200, "[" ONE "]\n");
    is_answer(s, "/jobs/plain/targets?collector_id=sim-collector-2", 200, "[" TWO "," THREE "]\n");
    is_answer(s, "/jobs/plain/targets?collector_id=nobody", 200, empty);
    is_answer(s, "/jobs/plain/targets?collector_id=", 200, empty);
    is_answer(s, "/jobs/plain/targets?collector_id=sim-collector-0&collector_id=sim-collector-1",
              200, empty);
    is_answer(s, "/jobs/plain/targets?x=y&collector_id=sim%2Dcollector-1&receiver=prometheus", 200,
              "[" ONE "]\n");
    is_answer(s, "/jobs/unknown/targets", 200,
              "{" MEMBER("unknown", "0", "") "," MEMBER("unknown", "1",
                                                        "") "," MEMBER("unknown", "2", "") "}\n");
    is_answer(s, "/jobs/unknown/targets?collector_id=sim-collector-0", 200, empty);
    is_answer(s, "/jobs/empty/targets?collector_id=sim-collector-0", 200, empty);
    is_answer(s, "/jobs/with+space%2Fslash%25%2B%C3%BC/targets?collector_id=sim-collector-0", 200,
              "[" ODD "]\n");
    is_answer(s, "/jobs/with%20space%2fslash%25%2b%c3%bc/targets?collector_id=sim-collector-0", 200,
              "[" ODD "]\n");
    is_answer(s, "/jobs/with%20space%2Fslash%25%2B%C3%BC/targets", 200,
              "{" MEMBER("with+space%2Fslash%25%2B%C3%BC", "0", ODD) "," MEMBER(
                  "with+space%2Fslash%25%2B%C3%BC", "1",
                  "") "," MEMBER("with+space%2Fslash%25%2B%C3%BC", "2", "") "}\n");
    is_answer(s, "/jobs/with%20space/slash/targets", 404, "404 page not found");
    is_answer(s, "//jobs/plain/targets", 404, "404 page not found");
    is_answer(s, "/healthz", 404, "404 page not found");
    is_answer(s, "/nope", 404, "404 page not found");
    is_answer(s, "/jobs//targets", 404, "404 page not found");
    is_answer(s, "/livez", 200, "");
    is_answer(s, "/readyz", 200, "");
    is_int(ask(s, "/jobs/%%zz/targets?collector_id=sim-collector-0").status, 400,
           "broken escape in the job");
    is_int(ask(s, "/jobs/%%zz/targets").status, 400, "broken escape in the job, all collectors");
    is_int(ask(s, "/jobs/plain/targets?collector_id=%%2").status, 400,
           "broken escape in the collector");
    is_span(raw_header(ask(s, "/jobs/plain/targets?collector_id=sim-collector-1").head,
                       "Content-Length"),
            SPAN_LIT("84"), "Content-Length as recorded");
}

static void test_redirects_and_methods(struct site *s)
{
    struct rawanswer a = ask(s, "/jobs/");

    is_int(a.status, 301, "/jobs/");
    is_span(raw_header(a.head, "Location"), SPAN_LIT("/jobs"), "  Location");
    is_int(a.body.len, 40, "  Go's page");
    a = ask(s, "/jobs/plain/targets/?collector_id=\"<a>");
    is_span(raw_header(a.head, "Location"), SPAN_LIT("/jobs/plain/targets?collector_id=\"<a>"),
            "query is kept");
    is_span(a.body,
            SPAN_LIT("<a href=\"/jobs/plain/targets?collector_id=&#34;&lt;a&gt;\">Moved "
                     "Permanently</a>.\n\n"),
            "escaped");
    is_int(ask(s, "/nope/").status, 404, "no redirect to nowhere");
    is_int(ask(s, "/jobs//").status, 404, "one slash only");

    a = ask(s, "POST /jobs");
    is_int(a.status, 405, "POST /jobs");
    is_span(raw_header(a.head, "Allow"), SPAN_LIT("GET, HEAD"), "  Allow");
    is_int(ask(s, "OPTIONS /readyz").status, 405, "OPTIONS");
    is_int(ask(s, "DELETE /nope").status, 404, "a wrong path is told first");
    a = ask(s, "HEAD /jobs/plain/targets?collector_id=sim-collector-1");
    is_int(a.status, 200, "HEAD");
    is_span(raw_header(a.head, "Content-Length"), SPAN_LIT("84"), "  Content-Length as recorded");
    is_span(raw_header(a.head, "Content-Type"), SPAN_LIT("application/json"),
            "  Content-Type exactly");
    is_span(raw_header(ask(s, "/nope").head, "Content-Type"), SPAN_LIT("text/plain"),
            "404: Content-Type as recorded");
}

static void test_unexpanded(struct site *s)
{
    static const char *const ids[] = { "$POD_NAME", "${POD_NAME}", "$%7BPOD_NAME%7D",
                                       "${env:POD_NAME}" };
    uint64_t before = metric_value(METRIC_LITERAL_COLLECTOR);

    for (size_t i = 0; i < COUNT(ids); i++) {
        struct rawanswer a = ask(s, "/jobs/plain/targets?collector_id=%s", ids[i]);
        is_int(a.status, 400, "collector_id=%s", ids[i]);
        ok(memmem(a.body.p, a.body.len, "${POD_NAME}", 11) != NULL, "  with a hint");
    }
    is_int(metric_value(METRIC_LITERAL_COLLECTOR) - before, COUNT(ids), "counted");
    before = metric_value(METRIC_UNKNOWN_COLLECTOR);
    ask(s, "/jobs/plain/targets?collector_id=nobody");
    is_int(metric_value(METRIC_UNKNOWN_COLLECTOR) - before, 1, "unknown collector counted");
    before = metric_value(METRIC_UNKNOWN_JOB);
    ask(s, "/jobs/unknown/targets?collector_id=sim-collector-0");
    is_int(metric_value(METRIC_UNKNOWN_JOB) - before, 1, "unknown job counted");
}

static bool contains(struct span s, const char *what)
{
    return s.len > 0 && memmem(s.p, s.len, what, strlen(what)) != NULL;
}

static void test_scrape_configs(struct site *s, bool is_clear)
{
    struct rawanswer a = ask(s, "/scrape_configs");
    char etag[64];

    is_int(contains(a.body, "hidden"), is_clear, "/scrape_configs: secrets in clear?");
    is_int(contains(a.body, "<secret>"), !is_clear, "/scrape_configs: masked?");
    is_span(raw_header(a.head, "Content-Type"), SPAN_LIT("application/json"), "  Content-Type");
    is_span(raw_header(a.head, "Vary"), SPAN_LIT("Accept-Encoding"), "  Vary");
    snprintf(etag, sizeof(etag), "%.*s", SPAN_ARG(raw_header(a.head, "ETag")));
    size_t plain_len = a.body.len;
    a = ask(s, "/scrape_configs\nHost: x\r\nIf-None-Match: W/%s, \"z\"", etag);
    is_int(a.status, 304, "unchanged");
    is_int(a.body.len, 0, "  no body");
    is_int(ask(s, "/scrape_configs\nHost: x\r\nIf-None-Match: \"z\"").status, 200, "changed");
    a = ask(s, "/scrape_configs\nHost: x\r\nAccept-Encoding: gzip");
    is_span(raw_header(a.head, "Content-Encoding"), SPAN_LIT("gzip"), "packed");
    ok(!span_is(raw_header(a.head, "ETag"), etag), "  with another ETag");
    ok(a.body.len < plain_len && a.body.p[0] == '\x1f', "  and shorter");
    is_span(raw_header(ask(s, "/jobs/plain/targets?collector_id=sim-collector-1\nHost: "
                              "x\r\nAccept-Encoding: gzip")
                           .head,
                       "Content-Encoding"),
            (struct span){ 0 }, "targets are never packed");
}

static void test_metrics(struct site *s)
{
    struct rawanswer a = ask(s, "/metrics");

    is_int(a.status, 200, "/metrics");
    ok(contains(
           a.body,
           "opentelemetry_allocator_http_duration_seconds_count{path=\"/jobs/:job_id/targets\"} "),
       "durations by route");
    ok(contains(raw_header(a.head, "Content-Type"), "version=0.0.4"), "Content-Type");
    a = ask(s, "/metrics\nHost: x\r\nAccept-Encoding: gzip");
    is_span(raw_header(a.head, "Content-Encoding"), SPAN_LIT("gzip"), "packed");
    a = ask(s, "/");
    ok(contains(a.body, "jobs        3\n") && contains(a.body, "collectors  3\n") &&
           contains(a.body, "targets     4\n"),
       "index");
}

static void test_before_sync(void)
{
    struct site s;

    site_open(&s, false);
    for (int i = 0; i < 2; i++) { /* without a snapshot, then with one that is not synced */
        struct rawanswer a = ask(&s, "/jobs/plain/targets?collector_id=sim-collector-1");
        is_int(a.status, 503, "targets before the sync: never an empty list");
        is_span(raw_header(a.head, "Retry-After"), SPAN_LIT("5"), "  Retry-After");
        is_int(ask(&s, "/jobs/plain/targets").status, 503, "targets by collector");
        is_int(ask(&s, "/scrape_configs").status, 503, "scrape_configs");
        is_int(ask(&s, "/readyz").status, 503, "readyz");
        is_int(ask(&s, "/livez").status, 200, "livez");
        is_int(ask(&s, "/metrics").status, 200, "metrics");
        is_int(ask(&s, "/").status, 200, "index");
        is_int(ask(&s, "/jobs").status, i == 0 ? 503 : 200, "jobs: as soon as they are known");
        is_int(ask(&s, "/nope").status, 404, "unknown path");
        is_span(ask(&s, "/readyz?verbose").body, SPAN_LIT("[-]synced\n[+]serving\n"),
                "what is missing");
        if (i == 0) {
            publish_recording(&s, false);
        }
    }
    publish_recording(&s, true);
    is_int(ask(&s, "/readyz").status, 200, "ready after the sync");
    serve_set_draining(s.serve);
    is_int(ask(&s, "/readyz").status, 503, "not ready while draining");
    is_int(ask(&s, "/jobs/plain/targets?collector_id=sim-collector-1").status, 200,
           "but still serving");
    site_close(&s);
}

static atomic_bool is_held; /* the last thread, by a message */

static void hold_thread(unsigned thread, void *arg)
{
    (void)arg;
    while (thread == THREADS - 1 && atomic_load(&is_held)) {
        usleep(100);
    }
}

/* The kernel says which thread has a connection: the one that answers is not the one held up. */
static void connect_to_other(struct site *s)
{
    const struct timeval moment = { .tv_usec = 50000 }, patience = { .tv_sec = 10 };
    int status = 0;

    for (int i = 0; i < 200 && status == 0; i++) {
        raw_close(&s->client);
        raw_connect(&s->client, http_server_port(s->server, 0));
        setsockopt(s->client.fd, SOL_SOCKET, SO_RCVTIMEO, &moment, sizeof(moment));
        s->used = 0;
        status = ask(s, "/livez").status;
    }
    is_int(status, 200, "a thread answers");
    setsockopt(s->client.fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
}

static void ready_with_last_thread(struct site *s)
{
    connect_to_other(s);
    while (ask(s, "/jobs/plain/targets?collector_id=sim-collector-1").status == 503) {
        usleep(100);
    }
    is_int(ask(s, "/readyz").status, 503, "not ready: a thread would not answer so yet");
    is_int(ask(s, "/jobs/plain/targets?collector_id=sim-collector-1").status, 200,
           "although this one does");
    atomic_store(&is_held, false);
}

static void test_held_thread(void)
{
    struct site s;

    site_open(&s, false);
    atomic_store(&is_held, true);
    http_server_broadcast(s.server, hold_thread, NULL);
    s.meanwhile = ready_with_last_thread;
    publish_recording(&s, true);
    is_int(ask(&s, "/readyz").status, 200, "ready with the last thread");
    site_close(&s);
}

/* A job that came with a reload and had no first result. */
static void test_waiting_job(void)
{
    struct site s;
    struct directory *d = directory_new(&upstream_tenant, 1, upstream_jobs, 2, NULL);

    site_open(&s, false);
    const struct page_row *rows[2] = { NULL, row_of(&s, NULL, NULL, NULL, 0) };
    hold(&s, d, free_directory);
    publish(&s, d, rows, COUNT(rows), true);
    is_int(ask(&s, "/jobs/plain/targets?collector_id=sim-collector-1").status, 503, "it waits");
    is_int(ask(&s, "/jobs/plain/targets").status, 503, "for all collectors too");
    is_int(ask(&s, "/jobs/empty/targets?collector_id=sim-collector-1").status, 200,
           "the others do not");
    is_int(ask(&s, "/readyz").status, 200, "nor does the process");
    site_close(&s);
}

/* ---- several Collectors */

/* The test's own address is the second collector's. */
static const struct span addresses[] = { SPAN_LIT("10.0.0.7"), SPAN_LIT("127.0.0.1"),
                                         SPAN_LIT("10.0.0.8") };
static const struct span names_a[] = { SPAN_LIT("a-collector-0") };
static const struct directory_tenant many_tenants[] = {
    { SPAN_LIT("prod"), SPAN_LIT("shop"), names_a, 1, NULL, NULL },
    { SPAN_LIT("test"), SPAN_LIT("shop"), names_a, 1, NULL, NULL },
    { SPAN_LIT("test"), SPAN_LIT("mail"), collectors, 3, addresses, NULL },
};
static const struct directory_job many_jobs[] = {
    { 0, SPAN_LIT("prometheus"), SPAN_LIT("node"), CONFIG("prod", "hidden") },
    { 1, SPAN_LIT("prometheus"), SPAN_LIT("node"), CONFIG("test", "hidden") },
    { 1, SPAN_LIT("prometheus/2"), SPAN_LIT("node"), CONFIG("test2", "hidden") },
    { 2, SPAN_LIT("prometheus"), SPAN_LIT("disk"), CONFIG("disk", "hidden") },
};

static void test_tenants(void)
{
    struct site s;
    struct directory *d =
        directory_new(many_tenants, COUNT(many_tenants), many_jobs, COUNT(many_jobs), NULL);
    const struct page_row *rows[COUNT(many_jobs)];

    site_open(&s, true);
    for (size_t i = 0; i < COUNT(rows); i++) {
        rows[i] = row_of(&s, wholepage_new(plain_parts + i, 1), wholepage_new(plain_parts + i, 1),
                         NULL, 1);
    }
    hold(&s, d, free_directory);
    publish(&s, d, rows, COUNT(rows), true);

    is_answer(&s, "/n/prod/shop/jobs/node/targets?collector_id=a-collector-0", 200, "[" ONE "]\n");
    is_answer(&s, "/n/test/shop/jobs/node/targets?collector_id=a-collector-0", 200, "[" TWO "]\n");
    is_answer(&s,
              "/n/test/shop/jobs/node/targets?collector_id=a-collector-0&receiver=prometheus%2F2",
              200, "[" THREE "]\n");
    is_answer(&s, "/n/test/shop/jobs/node/targets?receiver=prometheus%2F2", 200,
              "{\"a-collector-0\":{\"_link\":\"/n/test/shop/jobs/node/"
              "targets?collector_id=a-collector-0&receiver=prometheus%2F2\","
              "\"targets\":[" THREE "]}}\n");
    is_answer(&s, "/n/prod/none/jobs/node/targets?collector_id=a-collector-0", 404,
              "no Collector 'none' in namespace 'prod'; /n/ lists all\n");
    is_answer(&s, "/n/prod/shp/jobs/node/targets?collector_id=a-collector-0", 404,
              "no Collector 'shp' in namespace 'prod'; did you mean prod/shop? Ask below "
              "/n/prod/shop; /n/ lists all\n");
    is_answer(&s, "/n/prod/shop/jobs/nod/targets?collector_id=a-collector-0", 404,
              "no job 'nod'; did you mean 'node'? Ask "
              "/n/prod/shop/jobs/node/targets?collector_id=\xe2\x80\xa6; /jobs lists all\n");
    is_answer(&s, "/n/prod/shop/jobs/disk/targets?collector_id=a-collector-0", 404,
              "no job 'disk'; there is one of test/mail: ask "
              "/n/test/mail/jobs/disk/targets?collector_id=\xe2\x80\xa6; /jobs lists all\n");
    is_answer(&s, "/n/prod/shop/jobs/node/targets?collector_id=a-colector-0", 404,
              "no collector 'a-colector-0'; did you mean 'a-collector-0'? 1 can be meant; without "
              "collector_id all are shown\n");
    is_answer(&s,
              "/n/prod/shop/jobs/node/targets?collector_id=a-collector-0&receiver=prometheus%2F9",
              404,
              "no job 'node' of receiver 'prometheus/9'; it is one of receiver 'prometheus': ask "
              "/n/prod/shop/jobs/node/targets?collector_id=\xe2\x80\xa6; /jobs lists all\n");
    is_answer(&s, "/n/prod/shop/jobs", 200,
              "{\"node\":{\"_link\":\"/n/prod/shop/jobs/node/targets\"}}\n");
    is_answer(&s, "/n/prod/shop/livez", 200, "");
    is_int(ask(&s, "/n/prod").status, 200, "the Collectors of a namespace");
    is_int(ask(&s, "/n/none/").status, 404, "of one that has none");
    ok(contains(ask(&s, "/n/").body, "/n/prod/shop/\n") &&
           contains(ask(&s, "/").body, "/n/test/mail/\n"),
       "all of them");
    ok(contains(ask(&s, "/n/prod/shop/\nAccept: text/html").body,
                "<a href=\"/n/prod/shop/jobs/node/targets\">node</a>"),
       "a browser gets links");
    is_int(ask(&s, "/n/prod/shop/").status, 200, "index of one");
    is_int(ask(&s, "/n/prod/shop/jobs/").status, 301, "redirect below a prefix");

    is_int(ask(&s, "/jobs/node/targets?collector_id=a-collector-0").status, 421,
           "ambiguous: nobody else's targets");
    is_int(ask(&s, "/jobs/node/targets").status, 421, "ambiguous by collector");
    is_span(
        ask(&s,
            "/jobs/node/targets?collector_id=a-collector-0\nHost: shop-targetallocator.prod.svc:80")
            .body,
        SPAN_LIT("[" ONE "]\n"), "qualified Host");
    is_int(ask(&s, "/jobs/node/targets?collector_id=a-collector-0\nHost: shop-targetallocator:80")
               .status,
           421, "bare Host");
    is_answer(&s, "/jobs/node/targets?collector_id=a-collector-0\nHost: shp-targetallocator:80",
              404,
              "the Host 'shp-targetallocator:80' is the Service of no Collector; did you mean "
              "prod/shop? Ask below /n/prod/shop; /n/ lists all\n");
    is_int(ask(&s, "/scrape_configs\nHost: new-targetallocator").status, 404,
           "and its configuration");
    is_int(ask(&s, "/scrape_configs\nHost: shop-targetallocator").status, 421,
           "configuration of a bare Host");

    struct rawanswer a = ask(&s, "/scrape_configs\nHost: shop-targetallocator.test");
    ok(contains(a.body, "hidden") && contains(a.body, "test") && !contains(a.body, "prod"),
       "one tenant, trusted: clear");
    a = ask(&s, "/scrape_configs");
    ok(contains(a.body, "disk") && !contains(a.body, "prod"), "told by the source address");
    is_int(ask(&s, "/scrape_configs\nHost: shop-targetallocator").status, 421,
           "but never mixed where it does not help");
    uint64_t before = metric_value(METRIC_COLLECTOR_BY_ADDRESS);
    is_answer(&s, "/jobs/disk/targets?collector_id=$POD_NAME", 200, "[" ODD "]\n");
    is_int(metric_value(METRIC_COLLECTOR_BY_ADDRESS) - before, 1, "counted");
    is_int(ask(&s, "/jobs/node/targets?collector_id=$POD_NAME").status, 400,
           "no collector of that job has the address");
    is_span(ask(&s, "/n/test/mail/scrape_configs").body,
            SPAN_LIT("{\"disk\":{\"job_name\":\"disk\",\"password\":\"hidden\"}}"), "of another");
    site_close(&s);
}

/* A request under way keeps its snapshot and every part of it, however many follow. */
static void test_pinned_across_snapshots(void)
{
    enum { N = 250000 }; /* 20 MB: more than the sockets hold */
    struct site s;
    struct page_part *parts = mem_array(N, sizeof(*parts));
    struct directory *d = directory_new(&upstream_tenant, 1, upstream_jobs, 1, NULL);

    for (size_t i = 0; i < N; i++) {
        parts[i] = plain_parts[i % 3];
    }
    site_open(&s, false);
    const struct page_row *row = row_of(&s, NULL, wholepage_new(parts, N), NULL, N);
    hold(&s, d, free_directory);
    publish(&s, d, &row, 1, true);
    raw_say(&s.client,
            "GET /jobs/plain/targets?collector_id=sim-collector-1 HTTP/1.1\r\nHost: x\r\n\r\n");
    raw_more(&s.client); /* it has begun */
    struct directory *empty = directory_new(NULL, 0, NULL, 0, NULL);
    for (int i = 0; i < 100; i++) {
        publish(&s, empty, NULL, 0, true);
        publisher_reap(s.publisher);
    }
    is_int(publisher_reap(s.publisher), 2, "the pinned snapshot and the current one live");
    struct rawanswer a = raw_read(&s.client, &s.used, true);
    is_int(a.body.len, N * 81 + N - 1 + 3, "the answer is complete");
    is_int(ask(&s, "/jobs").status, 503, "who knows nobody says nothing of jobs");
    is_int(ask(&s, "/jobs/a/targets?collector_id=b").status, 503, "nor of targets");
    is_int(ask(&s, "/scrape_configs").status, 503, "nor how to scrape them");
    is_int(ask(&s, "/n/a/b/jobs").status, 503, "of whomever");
    publisher_retire(s.publisher, empty, 1, free_directory);
    site_close(&s);
    mem_free(parts);
}

/* ---- changes under load: every answer is of one snapshot, whole */

struct reader {
    unsigned port;
    atomic_bool is_over;
    atomic_uint n_answers, n_torn;
    pthread_t thread;
};

/* All targets of a body have the same generation: "g":"<n>". */
static bool is_whole(struct span body, size_t n)
{
    static const char mark[] = "\"g\":\"";
    struct span generation = { 0 };
    size_t found = 0;

    for (size_t i = 0; i + sizeof(mark) + 6 <= body.len; i++) {
        if (memcmp(body.p + i, mark, sizeof(mark) - 1) == 0) {
            struct span g = { body.p + i + sizeof(mark) - 1, 6 };
            if (found > 0 && !span_eq(g, generation)) {
                return false;
            }
            generation = g;
            found++;
        }
    }
    return found == n;
}

enum { CHURN_TARGETS = 200, CHURN_ROUNDS = 400 };

static void *read_along(void *arg)
{
    struct reader *r = arg;
    struct rawclient c;
    size_t used = 0;

    raw_connect(&c, r->port);
    while (!atomic_load(&r->is_over)) {
        raw_say(&c,
                "GET /jobs/plain/targets?collector_id=sim-collector-0 HTTP/1.1\r\nHost: x\r\n\r\n");
        struct rawanswer a = raw_read(&c, &used, true);
        bool is_good = a.status == 200 && is_whole(a.body, CHURN_TARGETS);
        atomic_fetch_add(is_good ? &r->n_answers : &r->n_torn, 1);
        if (a.status == 0) {
            break;
        }
    }
    raw_close(&c);
    return NULL;
}

/* What one generation consists of; freed as one part. */
struct generation {
    char own[64], tail[32];
    struct page *page;
    struct page_row *row;
};

static void free_generation(void *arg)
{
    struct generation *g = arg;

    wholepage_free(g->page);
    mem_free(g->row);
    memset(g, 'x', sizeof(*g)); /* a reader that still looks would see it */
    mem_free(g);
}

static struct generation *generation_new(unsigned number)
{
    struct generation *g = mem_zalloc(sizeof(*g));
    struct page_part parts[CHURN_TARGETS];

    snprintf(g->own, sizeof(g->own), ",{\"targets\":[\"a:1\"],\"labels\":{\"a\":\"b\"");
    snprintf(g->tail, sizeof(g->tail), ",\"g\":\"%06u\"}}", number);
    for (size_t i = 0; i < CHURN_TARGETS; i++) {
        parts[i] = (struct page_part){ span_of(g->own), span_of(g->tail) };
    }
    g->page = wholepage_new(parts, CHURN_TARGETS);
    g->row = page_row_new(1, CHURN_TARGETS);
    g->row->seats[0] = 0;
    g->row->pages[0] = g->page;
    return g;
}

static void test_churn(void)
{
    struct site s;
    struct reader readers[3] = { 0 };
    struct directory *d = directory_new(&upstream_tenant, 1, upstream_jobs, 1, NULL);
    struct generation *before = NULL;
    struct err err;
    size_t most = 0;

    site_open(&s, false);
    for (unsigned i = 0; i < CHURN_ROUNDS; i++) {
        struct generation *g = generation_new(i);
        const struct page_row *row = g->row;

        serve_publish(s.serve, s.server, publisher_publish(s.publisher, d, &row, 1, true));
        publisher_retire(s.publisher, before, 1, free_generation); /* no longer in the state */
        before = g;
        if (i == 0) {
            settle(&s);
            for (size_t r = 0; r < COUNT(readers); r++) {
                readers[r].port = http_server_port(s.server, 0);
                ok(thread_start(&readers[r].thread, "reader", read_along, &readers[r], &err) == 0,
                   "reader");
            }
        }
        size_t live = publisher_reap(s.publisher);
        most = live > most ? live : most;
        usleep(500);
    }
    for (size_t r = 0; r < COUNT(readers); r++) {
        atomic_store(&readers[r].is_over, true);
        thread_join(readers[r].thread);
        ok(atomic_load(&readers[r].n_answers) > 0, "%u answers, each of one snapshot",
           atomic_load(&readers[r].n_answers));
        is_int(atomic_load(&readers[r].n_torn), 0, "none torn or lost");
    }
    check_note("at most %zu snapshots lived at a time", most);
    settle(&s);
    is_int(publisher_reap(s.publisher), 1, "in the end only the current one lives");
    publisher_retire(s.publisher, before, 1, free_generation);
    hold(&s, d, free_directory);
    publish(&s, d, NULL, 0, true);
    site_close(&s);
}

int main(void)
{
    struct site s;

    log_set_level(LOG_ERROR);
    test_before_sync();
    site_open(&s, false);
    publish_recording(&s, true);
    test_recorded(&s);
    test_redirects_and_methods(&s);
    test_unexpanded(&s);
    test_scrape_configs(&s, false);
    test_metrics(&s);
    site_close(&s);
    site_open(&s, true);
    publish_recording(&s, true);
    test_scrape_configs(&s, true);
    site_close(&s);
    test_held_thread();
    test_waiting_job();
    test_tenants();
    test_pinned_across_snapshots();
    test_churn();
    return check_done();
}
