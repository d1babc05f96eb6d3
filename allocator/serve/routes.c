#include "allocator/serve/routes.h"

#include <assert.h>
#include <stdatomic.h>

#include "allocator/base/clock.h"
#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "allocator/base/metric.h"
#include "allocator/codec/urlform.h"
#include "allocator/serve/gzip.h"
#include "allocator/serve/index.h"
#include "allocator/serve/share.h"
#include "allocator/serve/unknown.h"

#define PLAIN "text/plain; charset=utf-8"

enum route {
    ROUTE_TARGETS,
    ROUTE_JOBS,
    ROUTE_SCRAPE_CONFIGS,
    ROUTE_METRICS,
    ROUTE_LIVEZ,
    ROUTE_READYZ,
    ROUTE_INDEX,
    ROUTE_NONE,
    ROUTE_COUNT,
};

/* As the metric has them: upstream's router writes patterns so. */
static const char *const route_patterns[ROUTE_COUNT] = {
    [ROUTE_TARGETS] = "/jobs/:job_id/targets",
    [ROUTE_JOBS] = "/jobs",
    [ROUTE_SCRAPE_CONFIGS] = "/scrape_configs",
    [ROUTE_METRICS] = "/metrics",
    [ROUTE_LIVEZ] = "/livez",
    [ROUTE_READYZ] = "/readyz",
    [ROUTE_INDEX] = "/",
    [ROUTE_NONE] = "",
};

/* ---- state */

struct serve_thread {
    struct pin *current;  /* NULL before the first snapshot */
    struct arena scratch; /* decoded words of the request under way */
    struct metric_part *durations[ROUTE_COUNT];
    struct rate unknown;
    char apart[64]; /* keeps neighbours off this thread's cache lines */
};

struct serve {
    unsigned n_threads;
    bool secrets_over_http;
    atomic_bool is_draining; /* written by serve_set_draining(), read by answer_readyz() */
    atomic_uint n_synced;    /* threads whose snapshot is: ready is who is so on each of them */
    struct serve_thread *threads;
};

struct handover {
    struct serve *serve;
    const struct snapshot *snapshot;
    struct ref left; /* threads that have not taken theirs */
};

struct serve *serve_new(unsigned n_threads, bool secrets_over_http)
{
    struct serve *serve = mem_zalloc(sizeof(*serve));

    serve->n_threads = n_threads;
    serve->secrets_over_http = secrets_over_http;
    atomic_init(&serve->is_draining, false);
    atomic_init(&serve->n_synced, 0);
    serve->threads = mem_array(n_threads, sizeof(*serve->threads));
    for (unsigned i = 0; i < n_threads; i++) {
        struct serve_thread *t = &serve->threads[i];

        arena_init(&t->scratch);
        for (size_t r = 0; r < ROUTE_COUNT; r++) {
            t->durations[r] = metric_part_new(METRIC_HTTP_DURATION, &route_patterns[r]);
        }
    }
    return serve;
}

static void take_snapshot(unsigned thread, void *arg)
{
    struct handover *h = arg;
    struct serve_thread *t = &h->serve->threads[thread];
    struct pin *before = t->current;

    bool was_synced = before != NULL && before->snapshot->is_synced;

    t->current = mem_zalloc(sizeof(*t->current));
    *t->current = (struct pin){ h->snapshot, 1 };
    if (h->snapshot->is_synced && !was_synced) {
        atomic_fetch_add_explicit(&h->serve->n_synced, 1, memory_order_relaxed);
    }
    if (before != NULL) {
        pin_drop(before);
    }
    if (ref_put(&h->left)) {
        mem_free(h);
    }
}

void serve_publish(struct serve *serve, struct http_server *server, const struct snapshot *s)
{
    struct handover *h = mem_zalloc(sizeof(*h));

    assert(http_server_threads(server) == serve->n_threads);
    *h = (struct handover){ .serve = serve, .snapshot = s };
    ref_init(&h->left);
    for (unsigned i = 1; i < serve->n_threads; i++) {
        ref_get(&h->left);
        snapshot_get(s);
    }
    http_server_broadcast(server, take_snapshot, h);
}

void serve_set_draining(struct serve *serve)
{
    atomic_store_explicit(&serve->is_draining, true, memory_order_relaxed);
}

void serve_free(struct serve **serve)
{
    struct serve *s = *serve;

    if (s == NULL) {
        return;
    }
    for (unsigned i = 0; i < s->n_threads; i++) {
        if (s->threads[i].current != NULL) {
            pin_drop(s->threads[i].current);
        }
        arena_fini(&s->threads[i].scratch);
    }
    mem_free(s->threads);
    mem_free(s);
    *serve = NULL;
}

/* ---- a request */

static struct span take_segment(struct span *path)
{
    const char *slash = path->len == 0 ? NULL : memchr(path->p, '/', path->len);
    struct span segment = { path->p, slash == NULL ? path->len : (size_t)(slash - path->p) };

    *path = span_from(*path, segment.len + (slash == NULL ? 0 : 1));
    return segment;
}

static enum route plain_route(struct span path)
{
    for (enum route r = ROUTE_JOBS; r <= ROUTE_INDEX; r++) {
        if (span_is(path, route_patterns[r])) {
            return r;
        }
    }
    return ROUTE_NONE;
}

static enum route find_route(struct span path, struct span *out_job)
{
    if (!span_has_prefix(path, "/jobs/")) {
        return plain_route(path);
    }
    struct span rest = span_from(path, 6);
    struct span job = take_segment(&rest);

    *out_job = job;
    return job.len > 0 && span_is(rest, "targets") ? ROUTE_TARGETS : ROUTE_NONE;
}

struct match {
    enum route route;
    bool is_misspelt; /* but for a slash at its end the path would fit */
    bool is_list;     /* of Collectors */
};

static struct match parse_path(struct request *r)
{
    struct span path = exchange_path(r->x);
    struct match m = { 0 };

    if (span_is(path, "/n") || span_has_prefix(path, "/n/")) {
        struct span rest = span_from(path, path.len > 2 ? 3 : 2);

        r->has_prefix = true;
        r->ns = take_segment(&rest);
        r->cr = take_segment(&rest);
        if (r->cr.len == 0 && rest.len == 0) {
            r->has_prefix = false; /* it names nobody */
            return (struct match){ .route = ROUTE_INDEX, .is_list = true };
        }
        path = rest.len == 0 ? SPAN_LIT("/") : (struct span){ rest.p - 1, rest.len + 1 };
    }
    m.route = find_route(path, &r->job);
    if (m.route == ROUTE_NONE && path.len > 1 && path.p[path.len - 1] == '/') {
        path.len--;
        m.route = find_route(path, &r->job);
        m.is_misspelt = m.route != ROUTE_NONE;
    }
    return m;
}

static bool find_tenant(struct request *r)
{
    struct span ns, cr;

    r->tenant = DIRECTORY_ANY;
    if (!r->has_prefix) {
        return true;
    }
    if (!request_decode(r, r->ns, &ns) || !request_decode(r, r->cr, &cr)) {
        return false;
    }
    r->tenant = directory_tenant_of_path(r->snapshot->directory, ns, cr);
    return r->tenant != DIRECTORY_ANY;
}

/* ---- answers of every route */

static void answer_not_found(struct request *r)
{
    exchange_reply(r->x, 404, "text/plain", SPAN_LIT("404 page not found"));
}

static void answer_wrong_method(struct request *r)
{
    exchange_add_header(r->x, "Allow", SPAN_LIT("GET, HEAD"));
    exchange_fail(r->x, 405, "only GET and HEAD are allowed here");
}

/* As Go's router does, its page included. */
static void answer_redirect(struct request *r)
{
    struct span path = exchange_path(r->x), query = exchange_query(r->x);
    AUTO_BUF to, page;

    buf_init(&to, MIB);
    buf_init(&page, 8 * MIB);
    buf_add(&to, path.p, path.len - 1);
    if (query.len > 0) {
        buf_add_char(&to, '?');
        buf_add_span(&to, query);
    }
    buf_add_str(&page, "<a href=\"");
    index_add_html(&page, buf_span(&to));
    buf_add_str(&page, "\">Moved Permanently</a>.\n\n");
    exchange_add_header(r->x, "Location", buf_span(&to));
    exchange_reply(r->x, 301, "text/html; charset=utf-8", buf_span(&page));
}

/* 'body' belongs to the snapshot. */
static void reply_shared(struct request *r, struct span body)
{
    struct iovec *v = arena_alloc(exchange_arena(r->x), sizeof(*v));

    *v = page_piece(body);
    request_reply_pieces(r, v, 1, body.len);
}

/* ---- the other routes */

/* The tenant a list is asked of; DIRECTORY_ANY: there is none. False when that was answered
 * already.
 */
static bool find_listed(struct request *r, size_t *out_tenant)
{
    *out_tenant = r->tenant;
    if (r->has_prefix) {
        return !unknown_is_out(r, r->tenant);
    }
    switch (directory_tenant_of_host(r->snapshot->directory, exchange_host(r->x),
                                     exchange_peer(r->x), out_tenant)) {
    case DIRECTORY_AMBIGUOUS:
        request_ambiguous(r);
        return false;
    case DIRECTORY_UNKNOWN_TENANT:
        unknown_tenant(r);
        return false;
    case DIRECTORY_FOUND:
    case DIRECTORY_UNKNOWN_JOB:
    case DIRECTORY_UNKNOWN_COLLECTOR:
        break;
    }
    return !unknown_is_out(r, *out_tenant);
}

static void answer_jobs(struct request *r)
{
    size_t tenant = DIRECTORY_ANY;

    if (find_listed(r, &tenant)) {
        reply_shared(r, directory_view(r->snapshot->directory, tenant)->jobs.plain);
    }
}

static bool has_etag(const struct request *r, struct span etag)
{
    struct span known = exchange_header(r->x, "If-None-Match");

    return span_is(known, "*") ||
           (known.len > 0 && memmem(known.p, known.len, etag.p, etag.len) != NULL);
}

static void answer_body(struct request *r, const struct directory_body *body)
{
    bool packed = body->gzip.len > 0 && gzip_is_accepted(exchange_header(r->x, "Accept-Encoding"));
    struct span etag = packed ? body->gzip_etag : body->etag;

    exchange_add_header(r->x, "ETag", etag);
    exchange_add_header(r->x, "Vary", SPAN_LIT("Accept-Encoding"));
    if (has_etag(r, etag)) {
        exchange_reply(r->x, 304, NULL, (struct span){ 0 });
        return;
    }
    if (packed) {
        exchange_add_header(r->x, "Content-Encoding", SPAN_LIT("gzip"));
    }
    reply_shared(r, packed ? body->gzip : body->plain);
}

/* Secrets go to whom the configuration trusts. */
static void answer_scrape_configs(struct request *r)
{
    bool is_trusted = exchange_is_verified(r->x) || r->serve->secrets_over_http;
    size_t tenant = DIRECTORY_ANY;

    if (find_listed(r, &tenant)) {
        const struct directory_view *view = directory_view(r->snapshot->directory, tenant);

        answer_body(r, is_trusted ? &view->configs : &view->configs_masked);
    }
}

static void answer_metrics(struct request *r)
{
    AUTO_BUF text, packed;
    bool is_packed = gzip_is_accepted(exchange_header(r->x, "Accept-Encoding"));

    buf_init(&text, LIMIT_METRICS_BYTES);
    buf_init(&packed, LIMIT_METRICS_BYTES);
    metric_render(&text);
    if (buf_error(&text) != 0) {
        exchange_fail(r->x, 500, "there are too many metrics");
        return;
    }
    exchange_add_header(r->x, "Vary", SPAN_LIT("Accept-Encoding"));
    if (is_packed) {
        gzip_compress(buf_span(&text), &packed);
        exchange_add_header(r->x, "Content-Encoding", SPAN_LIT("gzip"));
    }
    exchange_reply(r->x, 200, "text/plain; version=0.0.4; charset=utf-8",
                   buf_span(is_packed ? &packed : &text));
}

static void answer_readyz(struct request *r)
{
    bool is_synced =
        atomic_load_explicit(&r->serve->n_synced, memory_order_relaxed) == r->serve->n_threads;
    bool is_draining = atomic_load_explicit(&r->serve->is_draining, memory_order_relaxed);
    struct span verbose, text = { 0 };

    if (urlform_query(exchange_query(r->x), "verbose", &verbose)) {
        struct span gaps =
            r->snapshot == NULL ? SPAN_LIT("") : directory_gaps(r->snapshot->directory);
        text =
            span_of(arena_printf(exchange_arena(r->x), "[%c]synced\n[%c]serving\n%.*s",
                                 is_synced ? '+' : '-', is_draining ? '-' : '+', SPAN_ARG(gaps)));
    }
    if (!is_synced) {
        exchange_add_header(r->x, "Retry-After", SPAN_LIT("5"));
    }
    exchange_reply(r->x, is_synced && !is_draining ? 200 : 503, text.len > 0 ? PLAIN : NULL, text);
}

/* ---- dispatch */

/* Routes that answer from the directory and the rows. */
static void answer_from_snapshot(struct request *r, enum route route)
{
    /* A collector keeps the targets it has when it gets a 503; an empty list would take them away.
     */
    if (r->snapshot == NULL || (!r->snapshot->is_synced && route != ROUTE_JOBS)) {
        request_not_ready(r);
    } else if (!find_tenant(r)) {
        unknown_tenant(r);
    } else if (route == ROUTE_TARGETS) {
        share_answer(r);
    } else if (route == ROUTE_JOBS) {
        answer_jobs(r);
    } else {
        answer_scrape_configs(r);
    }
}

static void answer_about_process(struct request *r, enum route route, bool is_list)
{
    if (r->has_prefix && r->snapshot == NULL) {
        request_not_ready(r);
    } else if (r->has_prefix && !find_tenant(r)) {
        unknown_tenant(r);
    } else if (route == ROUTE_METRICS) {
        answer_metrics(r);
    } else if (route == ROUTE_LIVEZ) {
        exchange_reply(r->x, 200, NULL, (struct span){ 0 });
    } else if (route == ROUTE_READYZ) {
        answer_readyz(r);
    } else {
        index_answer(r, is_list);
    }
}

static void answer(struct request *r, struct match m)
{
    struct span method = exchange_method(r->x);

    if (m.route == ROUTE_NONE) {
        answer_not_found(r);
    } else if (!span_is(method, "GET") && !span_is(method, "HEAD")) {
        answer_wrong_method(r);
    } else if (m.is_misspelt) {
        answer_redirect(r);
    } else if (m.route <= ROUTE_SCRAPE_CONFIGS) {
        answer_from_snapshot(r, m.route);
    } else {
        answer_about_process(r, m.route, m.is_list);
    }
}

void serve_handle(struct exchange *x, void *arg)
{
    struct serve *serve = arg;
    struct serve_thread *t = &serve->threads[exchange_thread(x)];
    int64_t begin_us = clock_mono_us();
    struct request r = {
        .x = x,
        .serve = serve,
        .scratch = &t->scratch,
        .unknown = &t->unknown,
        .pin = t->current,
        .snapshot = t->current == NULL ? NULL : t->current->snapshot,
        .tenant = DIRECTORY_ANY,
    };

    struct match m = parse_path(&r);
    answer(&r, m);
    if (t->scratch.used_bytes > 0) {
        arena_reset(&t->scratch);
    }
    metric_part_observe(t->durations[m.route], (double)(clock_mono_us() - begin_us) / 1e6);
}
