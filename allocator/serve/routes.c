#include "allocator/serve/routes.h"

#include <assert.h>
#include <stdatomic.h>

#include "allocator/base/clock.h"
#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "allocator/base/metric.h"
#include "allocator/base/rate.h"
#include "allocator/codec/urlform.h"
#include "allocator/prom/wire.h"
#include "allocator/serve/directory.h"
#include "allocator/serve/gzip.h"
#define LOG_MODULE "serve"
#include "allocator/base/log.h"

#define JSON "application/json"
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

/* ---- state. A snapshot is counted across threads once per thread; what a thread's requests hold
 * is counted by the thread alone. */

struct pin {
    const struct snapshot *snapshot;
    size_t n; /* requests, and one while it is current */
};

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
    struct serve_thread *threads;
};

struct handover {
    struct serve *serve;
    const struct snapshot *snapshot;
    struct ref left; /* threads that have not taken theirs */
};

static void unpin(void *arg)
{
    struct pin *pin = arg;

    if (--pin->n == 0) {
        snapshot_put(pin->snapshot);
        mem_free(pin);
    }
}

struct serve *serve_new(unsigned n_threads, bool secrets_over_http)
{
    struct serve *serve = mem_zalloc(sizeof(*serve));

    serve->n_threads = n_threads;
    serve->secrets_over_http = secrets_over_http;
    atomic_init(&serve->is_draining, false);
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

    t->current = mem_zalloc(sizeof(*t->current));
    *t->current = (struct pin){ h->snapshot, 1 };
    if (before != NULL) {
        unpin(before);
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
            unpin(s->threads[i].current);
        }
        arena_fini(&s->threads[i].scratch);
    }
    mem_free(s->threads);
    mem_free(s);
    *serve = NULL;
}

/* ---- a request */

struct request {
    struct exchange *x;
    struct serve *serve;
    struct serve_thread *thread;
    const struct snapshot *snapshot; /* NULL before the first */
    enum route route;
    bool is_misspelt;   /* but for a slash at its end the path would fit */
    bool has_prefix;    /* /n/<ns>/<cr> */
    struct span ns, cr; /* raw segments of the prefix */
    struct span job;    /* raw segment */
    size_t tenant;      /* that the prefix names; DIRECTORY_ANY without one */
};

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

static void parse_path(struct request *r)
{
    struct span path = exchange_path(r->x);

    if (span_has_prefix(path, "/n/")) {
        struct span rest = span_from(path, 3);

        r->has_prefix = true;
        r->ns = take_segment(&rest);
        r->cr = take_segment(&rest);
        path = rest.len == 0 ? SPAN_LIT("/") : (struct span){ rest.p - 1, rest.len + 1 };
    }
    r->route = find_route(path, &r->job);
    if (r->route == ROUTE_NONE && path.len > 1 && path.p[path.len - 1] == '/') {
        path.len--;
        r->route = find_route(path, &r->job);
        r->is_misspelt = r->route != ROUTE_NONE;
    }
}

/* Decodes a raw word once; true unless an escape is broken. */
static bool decode(struct request *r, struct span raw, struct span *out)
{
    return urlform_unescape(raw, &r->thread->scratch, out, NULL) == 0;
}

static bool find_tenant(struct request *r)
{
    struct span ns, cr;

    r->tenant = DIRECTORY_ANY;
    if (!r->has_prefix) {
        return true;
    }
    if (!decode(r, r->ns, &ns) || !decode(r, r->cr, &cr)) {
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

static void answer_not_ready(struct request *r)
{
    exchange_add_header(r->x, "Retry-After", SPAN_LIT("5"));
    exchange_fail(r->x, 503, "discovery has not had its first result yet");
}

static void answer_wrong_method(struct request *r)
{
    exchange_add_header(r->x, "Allow", SPAN_LIT("GET, HEAD"));
    exchange_fail(r->x, 405, "only GET and HEAD are possible here");
}

static void add_html(struct buf *out, struct span s)
{
    for (size_t i = 0; i < s.len; i++) {
        switch (s.p[i]) {
        case '&':
            buf_add_str(out, "&amp;");
            break;
        case '<':
            buf_add_str(out, "&lt;");
            break;
        case '>':
            buf_add_str(out, "&gt;");
            break;
        case '"':
            buf_add_str(out, "&#34;");
            break;
        case '\'':
            buf_add_str(out, "&#39;");
            break;
        default:
            buf_add_char(out, s.p[i]);
        }
    }
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
    add_html(&page, buf_span(&to));
    buf_add_str(&page, "\">Moved Permanently</a>.\n\n");
    exchange_add_header(r->x, "Location", buf_span(&to));
    exchange_reply(r->x, 301, "text/html; charset=utf-8", buf_span(&page));
}

static void reply_pieces(struct request *r, const struct iovec *v, size_t n, size_t bytes)
{
    struct pin *pin = r->thread->current;
    const struct exchange_pieces pieces = { v, n, bytes, unpin, pin };

    pin->n++;
    exchange_reply_pinned(r->x, 200, JSON, &pieces);
}

/* 'body' belongs to the snapshot. */
static void reply_shared(struct request *r, struct span body)
{
    struct iovec *v = arena_alloc(exchange_arena(r->x), sizeof(*v));

    *v = (struct iovec){ (char *)(uintptr_t)body.p, body.len };
    reply_pieces(r, v, 1, body.len);
}

/* ---- /jobs/{job}/targets */

/* The word as url.QueryEscape writes it, whatever the client made of it; false when an escape is
 * broken. */
static bool normalize(struct request *r, struct span raw, struct span *out)
{
    if (!decode(r, raw, out)) {
        return false;
    }
    AUTO_BUF escaped;
    buf_init(&escaped, 3 * out->len + 1);
    urlform_escape(*out, &escaped);
    *out = arena_span(&r->thread->scratch, buf_span(&escaped));
    return true;
}

static void note_unknown(struct request *r, const char *message, struct span collector)
{
    uint64_t n = 0;

    if (rate_allow(&r->thread->unknown, clock_mono_ms(), &n)) {
        log_warn(message, LOG_SPAN("job", r->job), LOG_SPAN("collector_id", collector),
                 LOG_SPAN("host", exchange_host(r->x)), LOG_SPAN("peer", exchange_peer(r->x)),
                 LOG_INT("suppressed", n));
    }
}

static void answer_ambiguous(struct request *r)
{
    exchange_fail(r->x, 421,
                  "several Collectors could be meant: ask "
                  "http://<collector>-targetallocator.<namespace>.svc, or below "
                  "/n/<namespace>/<collector>");
}

static void answer_empty(struct request *r)
{
    exchange_reply(r->x, 200, JSON, SPAN_LIT("[]\n"));
}

static void answer_page(struct request *r, size_t job, size_t collector)
{
    const struct page_row *row = r->snapshot->rows[job];
    const struct page *page =
        row == NULL || collector >= row->n_collectors ? NULL : row->pages[collector];

    if (row == NULL) {
        answer_not_ready(r);
    } else if (page == NULL) {
        answer_empty(r);
    } else {
        reply_pieces(r, page->pieces, page->n_pieces, page->bytes);
    }
}

/* collector_id arrived as "$POD_NAME": only the source address can say who asks. */
static void answer_unexpanded(struct request *r, struct directory_question *q)
{
    size_t job = 0, collector = 0;

    metric_add(METRIC_LITERAL_COLLECTOR, 1);
    q->peer = exchange_peer(r->x);
    q->is_by_peer = true;
    if (!normalize(r, r->job, &q->escaped_job)) {
        exchange_fail(r->x, 400, "the job's name has a broken %% escape");
    } else if (directory_find(r->snapshot->directory, q, &job, &collector) == DIRECTORY_FOUND) {
        metric_add(METRIC_COLLECTOR_BY_ADDRESS, 1);
        answer_page(r, job, collector);
    } else {
        note_unknown(r, "collector_id is an unexpanded variable", q->collector);
        exchange_fail(r->x, 400,
                      "collector_id is an unexpanded variable, and the address it comes from names "
                      "no collector: write ${POD_NAME} (collectors since 0.104 leave $POD_NAME as "
                      "it is), and give the container POD_NAME from metadata.name");
    }
}

static void answer_one_collector(struct request *r, struct directory_question *q)
{
    const struct directory *d = r->snapshot->directory;
    size_t job = 0, collector = 0;
    enum directory_answer found = directory_find(d, q, &job, &collector);

    if (found == DIRECTORY_UNKNOWN_JOB && !normalize(r, r->job, &q->escaped_job)) {
        exchange_fail(r->x, 400, "the job's name has a broken %% escape");
        return;
    }
    if (found == DIRECTORY_UNKNOWN_JOB) {
        found = directory_find(d, q, &job, &collector);
    }
    if (found == DIRECTORY_AMBIGUOUS) {
        q->peer = exchange_peer(r->x);
        found = directory_find(d, q, &job, &collector);
    }
    switch (found) {
    case DIRECTORY_FOUND:
        answer_page(r, job, collector);
        return;
    case DIRECTORY_AMBIGUOUS:
        answer_ambiguous(r);
        return;
    case DIRECTORY_UNKNOWN_JOB:
        metric_add(METRIC_UNKNOWN_JOB, 1);
        note_unknown(r, "job is not known: answered with no targets", q->collector);
        answer_empty(r);
        return;
    case DIRECTORY_UNKNOWN_TENANT:
    case DIRECTORY_UNKNOWN_COLLECTOR:
        metric_add(METRIC_UNKNOWN_COLLECTOR, 1);
        note_unknown(r, "collector is not known: answered with no targets", q->collector);
        answer_empty(r);
        return;
    }
}

/* One member of the object: "c":{"_link":"…","targets":[…]}. Adds to 'v', returns how many pieces.
 */
static size_t add_member(struct request *r, const struct directory_question *q,
                         struct span collector, const struct page *page, bool is_first,
                         struct iovec *v)
{
    struct buf text;
    size_t n = 0;

    buf_init(&text, MIB);
    buf_add_str(&text, is_first ? "{" : ",");
    buf_add_json(&text, collector);
    buf_add_str(&text, ":{\"_link\":\"");
    if (r->has_prefix) { /* raw segments of a tenant that was found: their escapes are sound, their
                            bytes printable */
        buf_addf(&text, "/n/%.*s/%.*s", SPAN_ARG(r->ns), SPAN_ARG(r->cr));
    }
    buf_addf(&text, "/jobs/%.*s/targets?collector_id=", SPAN_ARG(q->escaped_job));
    urlform_escape(collector, &text);
    if (q->receiver.len > 0) {
        buf_add_str(&text, "&receiver=");
        urlform_escape(q->receiver, &text);
    }
    buf_add_str(&text, "\",\"targets\":");
    struct span head = arena_span(exchange_arena(r->x), buf_span(&text));
    buf_fini(&text);

    v[n++] = (struct iovec){ (char *)(uintptr_t)head.p, head.len };
    if (page == NULL) {
        v[n++] = (struct iovec){ (char *)(uintptr_t) "[]", 2 };
    } else {
        memcpy(v + n, page->pieces, page->n_pieces * sizeof(*v));
        n += page->n_pieces;
        v[n - 1].iov_len--; /* the newline at the end of a page */
    }
    v[n++] = (struct iovec){ (char *)(uintptr_t) "}", 1 };
    return n;
}

/* 'row' may be NULL: no such job. */
static void answer_by_collector(struct request *r, const struct directory_question *q,
                                size_t tenant, const struct page_row *row)
{
    size_t n_collectors = 0, n_pieces = 2, n = 0, bytes = 0;
    const struct span *collectors =
        directory_collectors(r->snapshot->directory, tenant, &n_collectors);

    for (size_t c = 0; c < n_collectors; c++) {
        const struct page *page = row == NULL || c >= row->n_collectors ? NULL : row->pages[c];
        n_pieces += 2 + (page == NULL ? 1 : page->n_pieces);
    }
    struct iovec *v = arena_alloc(exchange_arena(r->x), n_pieces * sizeof(*v));

    for (size_t c = 0; c < n_collectors; c++) {
        const struct page *page = row == NULL || c >= row->n_collectors ? NULL : row->pages[c];
        n += add_member(r, q, collectors[c], page, c == 0, v + n);
    }
    struct span end = n == 0 ? SPAN_LIT("{}\n") : SPAN_LIT("}\n");
    v[n++] = (struct iovec){ (char *)(uintptr_t)end.p, end.len };
    for (size_t i = 0; i < n; i++) {
        bytes += v[i].iov_len;
    }
    reply_pieces(r, v, n, bytes);
}

static void answer_all_collectors(struct request *r, struct directory_question *q)
{
    const struct directory *d = r->snapshot->directory;
    size_t job = 0;

    if (!normalize(r, r->job, &q->escaped_job)) {
        exchange_fail(r->x, 400, "the job's name has a broken %% escape");
        return;
    }
    enum directory_answer found = directory_find_job(d, q, &job);

    if (found == DIRECTORY_FOUND && r->snapshot->rows[job] == NULL) {
        answer_not_ready(r);
        return;
    }
    if (found == DIRECTORY_FOUND) {
        answer_by_collector(r, q, directory_job_tenant(d, job), r->snapshot->rows[job]);
        return;
    }
    size_t tenant = r->tenant;

    if (found == DIRECTORY_UNKNOWN_JOB) {
        metric_add(METRIC_UNKNOWN_JOB, 1);
        found = r->has_prefix ? DIRECTORY_FOUND
                              : directory_tenant_of_host(d, exchange_host(r->x),
                                                         exchange_peer(r->x), &tenant);
    }
    if (found == DIRECTORY_AMBIGUOUS) {
        answer_ambiguous(r);
    } else if (found == DIRECTORY_FOUND && tenant != DIRECTORY_ANY) {
        answer_by_collector(r, q, tenant, NULL);
    } else {
        exchange_reply(r->x, 200, JSON, SPAN_LIT("{}\n"));
    }
}

static void answer_targets(struct request *r)
{
    struct span query = exchange_query(r->x);
    struct span collector = { 0 }, receiver = { 0 };
    bool has_collector = urlform_query(query, "collector_id", &collector);

    (void)urlform_query(query, "receiver", &receiver);
    if (!decode(r, collector, &collector) || !decode(r, receiver, &receiver)) {
        exchange_fail(r->x, 400, "the query has a broken %% escape");
        return;
    }
    if (span_is(receiver, WIRE_DEFAULT_RECEIVER)) {
        receiver = (struct span){ 0 };
    }
    struct directory_question q = {
        .tenant = r->tenant,
        .host = exchange_host(r->x),
        .escaped_job = r->job,
        .receiver = receiver,
        .collector = collector,
    };
    if (has_collector && wire_is_unexpanded(collector)) {
        answer_unexpanded(r, &q);
    } else if (has_collector) {
        answer_one_collector(r, &q);
    } else {
        answer_all_collectors(r, &q);
    }
}

/* ---- the other routes */

/* The tenant a list is asked of; DIRECTORY_ANY: there is none. False when that was answered
 * already.
 */
static bool find_listed(struct request *r, size_t *out_tenant)
{
    *out_tenant = r->tenant;
    if (r->has_prefix) {
        return true;
    }
    switch (directory_tenant_of_host(r->snapshot->directory, exchange_host(r->x),
                                     exchange_peer(r->x), out_tenant)) {
    case DIRECTORY_AMBIGUOUS:
        answer_ambiguous(r);
        return false;
    case DIRECTORY_UNKNOWN_TENANT:
        answer_not_found(r);
        return false;
    case DIRECTORY_FOUND:
    case DIRECTORY_UNKNOWN_JOB:
    case DIRECTORY_UNKNOWN_COLLECTOR:
        break;
    }
    return true;
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
    bool is_synced = r->snapshot != NULL && r->snapshot->is_synced;
    bool is_draining = atomic_load_explicit(&r->serve->is_draining, memory_order_relaxed);
    struct span verbose, text = { 0 };

    if (urlform_query(exchange_query(r->x), "verbose", &verbose)) {
        text = span_of(arena_printf(exchange_arena(r->x), "[%c]synced\n[%c]serving\n",
                                    is_synced ? '+' : '-', is_draining ? '-' : '+'));
    }
    if (!is_synced) {
        exchange_add_header(r->x, "Retry-After", SPAN_LIT("5"));
    }
    exchange_reply(r->x, is_synced && !is_draining ? 200 : 503, text.len > 0 ? PLAIN : NULL, text);
}

struct counts {
    size_t jobs, collectors, targets;
};

static struct counts count(const struct request *r)
{
    struct counts n = { 0 };
    const struct directory *d = r->snapshot->directory;

    for (size_t i = 0; i < r->snapshot->n_jobs; i++) {
        if (r->tenant == DIRECTORY_ANY || r->tenant == directory_job_tenant(d, i)) {
            n.jobs++;
            n.targets += r->snapshot->rows[i] == NULL ? 0 : r->snapshot->rows[i]->n_targets;
        }
    }
    for (size_t t = 0; t < directory_n_tenants(d); t++) {
        size_t collectors = 0;

        directory_collectors(d, t, &collectors);
        n.collectors += r->tenant == DIRECTORY_ANY || r->tenant == t ? collectors : 0;
    }
    return n;
}

static void answer_index(struct request *r)
{
    struct counts n = { 0 };

    if (r->snapshot != NULL) {
        n = count(r);
    }
    exchange_reply(r->x, 200, PLAIN,
                   span_of(arena_printf(
                       exchange_arena(r->x),
                       "otel-ta target allocator\n\n"
                       "jobs        %zu\n"
                       "collectors  %zu\n"
                       "targets     %zu\n\n"
                       "/jobs                                     every job\n"
                       "/jobs/{job}/targets                       its targets, by collector\n"
                       "/jobs/{job}/targets?collector_id={name}   its targets for one collector\n"
                       "/scrape_configs                           how to scrape each job\n"
                       "/metrics  /livez  /readyz\n\n"
                       "Each also below /n/{namespace}/{collector}; with several Collectors they "
                       "must say which one is meant.\n",
                       n.jobs, n.collectors, n.targets)));
}

/* ---- dispatch */

/* Routes that answer from the directory and the rows. */
static void answer_from_snapshot(struct request *r)
{
    /* A collector keeps the targets it has when it gets a 503; an empty list would take them away.
     */
    if (r->snapshot == NULL || (!r->snapshot->is_synced && r->route != ROUTE_JOBS)) {
        answer_not_ready(r);
    } else if (!find_tenant(r)) {
        answer_not_found(r);
    } else if (r->route == ROUTE_TARGETS) {
        answer_targets(r);
    } else if (r->route == ROUTE_JOBS) {
        answer_jobs(r);
    } else {
        answer_scrape_configs(r);
    }
}

static void answer_about_process(struct request *r)
{
    if (r->has_prefix && (r->snapshot == NULL || !find_tenant(r))) {
        answer_not_found(r);
    } else if (r->route == ROUTE_METRICS) {
        answer_metrics(r);
    } else if (r->route == ROUTE_LIVEZ) {
        exchange_reply(r->x, 200, NULL, (struct span){ 0 });
    } else if (r->route == ROUTE_READYZ) {
        answer_readyz(r);
    } else {
        answer_index(r);
    }
}

static void answer(struct request *r)
{
    struct span method = exchange_method(r->x);

    if (r->route == ROUTE_NONE) {
        answer_not_found(r);
    } else if (!span_is(method, "GET") && !span_is(method, "HEAD")) {
        answer_wrong_method(r);
    } else if (r->is_misspelt) {
        answer_redirect(r);
    } else if (r->route <= ROUTE_SCRAPE_CONFIGS) {
        answer_from_snapshot(r);
    } else {
        answer_about_process(r);
    }
}

void serve_handle(struct exchange *x, void *arg)
{
    struct serve *serve = arg;
    struct serve_thread *t = &serve->threads[exchange_thread(x)];
    int64_t begin_us = clock_mono_us();
    struct request r = { .x = x, .serve = serve, .thread = t, .tenant = DIRECTORY_ANY };

    r.snapshot = t->current == NULL ? NULL : t->current->snapshot;
    parse_path(&r);
    answer(&r);
    if (t->scratch.used_bytes > 0) {
        arena_reset(&t->scratch);
    }
    metric_part_observe(t->durations[r.route], (double)(clock_mono_us() - begin_us) / 1e6);
}
