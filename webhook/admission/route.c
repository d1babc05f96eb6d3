#include "webhook/admission/route.h"

#include "allocator/base/limits.h"
#include "allocator/base/log.h"
#include "allocator/base/mem.h"
#include "allocator/base/metric.h"
#include "allocator/codec/urlform.h"
#include "allocator/prom/duration.h"
#include "webhook/admission/admission.h"

#include <stdatomic.h>

#define LOG_MODULE "webhook"
#define PATH "/mutate"
#define JSON_TYPE "application/json"

struct admission_route {
    struct rewrite_options options;
    struct arena arena; /* texts of the options */
    size_t max_in_flight_bytes;
    int64_t (*now_us)(void);
    /* Bytes of all bodies being answered, over all serving threads; each adds before and subtracts
     * after its own. */
    _Atomic size_t in_flight;
};

struct admission_route *admission_route_new(const struct rewrite_options *options,
                                            size_t max_in_flight_bytes, int64_t (*now_us)(void))
{
    struct admission_route *route = mem_zalloc(sizeof(*route));

    arena_init(&route->arena);
    route->max_in_flight_bytes = max_in_flight_bytes;
    route->now_us = now_us;
    route->options = *options;
    route->options.collector_id_expr = arena_span(&route->arena, options->collector_id_expr);
    route->options.shared_host = arena_span(&route->arena, options->shared_host);
    return route;
}

void admission_route_free(struct admission_route **route)
{
    if (*route != NULL) {
        arena_fini(&(*route)->arena);
        mem_free(*route);
        *route = NULL;
    }
}

static void fail(struct exchange *x, int status, const char *message)
{
    exchange_reply(x, status, JSON_TYPE, admission_status(status, message, exchange_scratch(x)));
}

/* "?timeout=5s", as the API server sends it. 0: none, or nothing that we understand. */
static int64_t timeout_ms(struct span query)
{
    struct span raw;
    int64_t ms = 0;

    if (!urlform_query(query, "timeout", &raw) || duration_parse(raw, &ms, NULL) < 0) {
        return 0;
    }
    return ms;
}

static void count(const char *verdict)
{
    metric_add_for(METRIC_WEBHOOK_REVIEWS, &verdict, 1);
}

static size_t count_left(const struct admission_reply *reply)
{
    size_t n = 0;

    for (size_t kind = LEFT_NOT + 1; kind < LEFT_KINDS; kind++) {
        const char *reason = left_kind_name((enum left_kind)kind);
        if (reply->n_left[kind] > 0) {
            metric_add_for(METRIC_WEBHOOK_JOBS_LEFT, &reason, reply->n_left[kind]);
        }
        n += reply->n_left[kind];
    }
    return n;
}

static void count_and_log(const struct admission_reply *reply, bool is_late, int64_t elapsed_us)
{
    const char *verdict = is_late ? "timeout" : admission_verdict_name(reply->verdict);

    size_t n_left = count_left(reply);

    count(verdict);
    metric_observe(METRIC_WEBHOOK_SECONDS, (double)elapsed_us / 1e6);
    if (reply->verdict == ADMISSION_FAILED) {
        metric_add(METRIC_WEBHOOK_SELFCHECK, 1);
        log_error("patch not sent", LOG_SPAN("reason", reply->reason),
                  LOG_SPAN("namespace", reply->ns), LOG_SPAN("name", reply->name),
                  LOG_SPAN("uid", reply->uid));
        return;
    }
    log_info("review", LOG_STR("verdict", verdict), LOG_SPAN("namespace", reply->ns),
             LOG_SPAN("name", reply->name), LOG_SPAN("reason", reply->reason),
             LOG_SPAN("uid", reply->uid), LOG_INT("jobs_left", (int64_t)n_left),
             LOG_INT("us", elapsed_us));
}

static void answer(const struct admission_route *route, struct exchange *x)
{
    struct admission_reply reply;
    int64_t deadline_us = timeout_ms(exchange_query(x)) * 1000;
    int64_t begin_us = route->now_us();

    admission_answer(exchange_body(x), &route->options, exchange_scratch(x), &reply);
    int64_t elapsed_us = route->now_us() - begin_us;
    /* A late answer is worth nothing: the API server has gone on. A tenth of its time is the way
     * back. */
    bool is_late = deadline_us > 0 && elapsed_us > deadline_us - deadline_us / 10;

    count_and_log(&reply, is_late, elapsed_us);
    if (is_late) {
        fail(x, 504, "otel-ta: the review took longer than its timeout");
        return;
    }
    exchange_reply(x, reply.http_status, JSON_TYPE, reply.body);
}

void admission_route_handle(struct exchange *x, void *arg)
{
    struct admission_route *route = arg;
    struct span encoding = exchange_header(x, "Content-Encoding");
    size_t size = exchange_body(x).len;

    if (!span_is(exchange_path(x), PATH)) {
        fail(x, 404, "otel-ta: reviews go to " PATH);
        return;
    }
    if (!span_is(exchange_method(x), "POST")) {
        exchange_add_header(x, "Allow", SPAN_LIT("POST"));
        fail(x, 405, "otel-ta: " PATH " takes POST");
        return;
    }
    if (encoding.len > 0 && !span_is_nocase(encoding, "identity")) {
        fail(x, 415, "otel-ta: encoded bodies are not supported");
        return;
    }
    if (size > LIMIT_REVIEW_BYTES) {
        fail(x, 413, "otel-ta: the review is too big");
        return;
    }
    if (atomic_fetch_add(&route->in_flight, size) + size > route->max_in_flight_bytes) {
        count("busy");
        log_warn("review refused: too many at once", LOG_INT("bytes", size));
        fail(x, 503, "otel-ta: too many reviews at once");
    } else {
        answer(route, x);
    }
    atomic_fetch_sub(&route->in_flight, size);
}
