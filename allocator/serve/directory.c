#include "allocator/serve/directory.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "allocator/base/buf.h"
#include "allocator/base/hash.h"
#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "allocator/codec/urlform.h"
#include "allocator/serve/gzip.h"
#include "allocator/tenant/wire.h"

#define NONE UINT32_MAX
#define SERVICE_SUFFIX "-targetallocator"
#define NO_NAMESPACE                                                                               \
    "-"              /* in paths: what many a proxy makes of an empty segment is none at all       \
                      */
#define MAX_LEFT 256 /* of a tenant: those of long ago are forgotten */

struct tenant {
    struct span ns, name;
    struct span service; /* host name of its Service; empty for a tenant without a name */
    struct span *collectors;
    size_t n_collectors;
    struct span *addresses; /* of the same; empty: not known */
    uint32_t *seats;        /* of the same */
    struct span *left;      /* collectors that were there some time ago, the latest first */
    size_t n_left;
    struct span fault; /* it is known, and not served */
    bool may_have_more;
};

struct views { /* of directories with the same jobs */
    struct arena arena;
    struct directory_view *of_tenants;
    struct directory_view none;
    uint64_t hash; /* of what they are made from */
    unsigned n_users;
};

struct job {
    size_t tenant;
    struct span receiver; /* empty = default */
    struct span name, escaped;
    struct span config, config_masked; /* borrowed while the directory is made */
    struct span fault;                 /* it is known, and not run */
    uint32_t next;                     /* with the same name, of other tenants and receivers */
};

struct collector_slot {
    uint64_t hash;
    uint32_t tenant, collector; /* collector NONE: free */
};

struct directory {
    struct arena arena;
    struct tenant *tenants;
    size_t n_tenants;
    struct job *jobs;
    size_t n_jobs;
    uint32_t *job_slots; /* open addressing by hash of 'escaped'; the first of each name */
    size_t n_job_slots;
    struct collector_slot *collector_slots;
    size_t n_collector_slots;
    struct views *views;
    struct span gaps; /* lines */
    bool has_unread_file;
};

/* ---- look-up */

/* A power of two, at most half full. */
static size_t slots_for(size_t n)
{
    size_t slots = 8;

    while (slots < 2 * n) {
        slots *= 2;
    }
    return slots;
}

static uint64_t collector_hash(size_t tenant, uint64_t name_hash)
{
    return hash_mix(name_hash ^ (tenant * 0x9e3779b97f4a7c15ULL));
}

/* The slot of this name, or the free one where it belongs. */
static size_t job_slot(const struct directory *d, struct span escaped)
{
    size_t i = hash_fast(escaped) & (d->n_job_slots - 1);

    while (d->job_slots[i] != NONE && !span_eq(d->jobs[d->job_slots[i]].escaped, escaped)) {
        i = (i + 1) & (d->n_job_slots - 1);
    }
    return i;
}

static uint32_t find_collector(const struct directory *d, size_t tenant, struct span name,
                               uint64_t name_hash)
{
    uint64_t hash = collector_hash(tenant, name_hash);

    for (size_t i = hash & (d->n_collector_slots - 1);; i = (i + 1) & (d->n_collector_slots - 1)) {
        const struct collector_slot *slot = &d->collector_slots[i];

        if (slot->collector == NONE) {
            return NONE;
        }
        if (slot->hash == hash && slot->tenant == tenant &&
            span_eq(d->tenants[tenant].collectors[slot->collector], name)) {
            return slot->collector;
        }
    }
}

/* The one collector with this address. Asked only for requests that their words do not resolve. */
static uint32_t find_address(const struct tenant *t, struct span peer)
{
    uint32_t found = NONE;

    for (uint32_t i = 0; peer.len > 0 && i < t->n_collectors; i++) {
        if (span_eq(t->addresses[i], peer)) {
            if (found != NONE) {
                return NONE;
            }
            found = i;
        }
    }
    return found;
}

static bool equal_ignoring_case(struct span a, struct span lower)
{
    if (a.len != lower.len) {
        return false;
    }
    for (size_t i = 0; i < a.len; i++) {
        char c = a.p[i] >= 'A' && a.p[i] <= 'Z' ? (char)(a.p[i] - 'A' + 'a') : a.p[i];
        if (c != lower.p[i]) {
            return false;
        }
    }
    return true;
}

struct host {
    struct span service; /* first label */
    struct span ns;      /* second label, may be empty */
    bool is_service;     /* looks like the Service of a Collector */
};

static struct host host_parse(struct span host)
{
    struct host h = { 0 };
    size_t end = 0;

    while (end < host.len && host.p[end] != '.' && host.p[end] != ':') {
        end++;
    }
    h.service = (struct span){ host.p, end };
    if (end < host.len && host.p[end] == '.') {
        size_t begin = end + 1;
        for (end = begin; end < host.len && host.p[end] != '.' && host.p[end] != ':'; end++) {
        }
        h.ns = (struct span){ host.p + begin, end - begin };
    }
    size_t suffix = sizeof(SERVICE_SUFFIX) - 1;
    h.is_service =
        h.service.len > suffix &&
        equal_ignoring_case(span_from(h.service, h.service.len - suffix), SPAN_LIT(SERVICE_SUFFIX));
    return h;
}

/* May a request with this Host mean this tenant? A tenant without a name answers to every Host. */
static bool host_admits(const struct host *h, const struct tenant *t)
{
    if (t->service.len == 0 || !h->is_service) {
        return true;
    }
    return equal_ignoring_case(h->service, t->service) &&
           (h->ns.len == 0 || equal_ignoring_case(h->ns, t->ns));
}

static bool job_fits(const struct directory *d, const struct directory_question *q,
                     const struct host *h, const struct job *job)
{
    if (!span_eq(job->receiver, q->receiver)) {
        return false;
    }
    return q->tenant == DIRECTORY_ANY ? host_admits(h, &d->tenants[job->tenant])
                                      : job->tenant == q->tenant;
}

enum directory_answer directory_find(const struct directory *d, const struct directory_question *q,
                                     size_t *out_job, size_t *out_seat)
{
    uint32_t i = d->job_slots[job_slot(d, q->escaped_job)];
    const struct host h = host_parse(q->host);
    uint64_t hash = hash_fast(q->collector);
    bool knows_job = false;
    unsigned n = 0, n_of_peer = 0;

    for (; i != NONE; i = d->jobs[i].next) {
        const struct job *job = &d->jobs[i];

        if (!job_fits(d, q, &h, job)) {
            continue;
        }
        knows_job = true;
        uint32_t of_peer = find_address(&d->tenants[job->tenant], q->peer);
        uint32_t collector =
            q->is_by_peer ? of_peer : find_collector(d, job->tenant, q->collector, hash);
        if (collector == NONE) {
            continue;
        }
        n++;
        n_of_peer += collector == of_peer;
        if (n == 1 || collector == of_peer) {
            *out_job = i;
            *out_seat = d->tenants[job->tenant].seats[collector];
        }
    }
    if (n == 1 || n_of_peer == 1) {
        return DIRECTORY_FOUND;
    }
    if (n > 1) {
        return DIRECTORY_AMBIGUOUS;
    }
    return knows_job ? DIRECTORY_UNKNOWN_COLLECTOR : DIRECTORY_UNKNOWN_JOB;
}

enum directory_answer directory_find_job(const struct directory *d,
                                         const struct directory_question *q, size_t *out_job)
{
    const struct host h = host_parse(q->host);
    unsigned n = 0;

    for (uint32_t i = d->job_slots[job_slot(d, q->escaped_job)]; i != NONE; i = d->jobs[i].next) {
        if (job_fits(d, q, &h, &d->jobs[i])) {
            *out_job = i;
            n++;
        }
    }
    return n == 1 ? DIRECTORY_FOUND : n > 1 ? DIRECTORY_AMBIGUOUS : DIRECTORY_UNKNOWN_JOB;
}

size_t directory_tenant_of_path(const struct directory *d, struct span ns, struct span name)
{
    ns = span_is(ns, NO_NAMESPACE) ? SPAN_LIT("") : ns;
    for (size_t i = 0; i < d->n_tenants; i++) {
        if (span_eq(d->tenants[i].name, name) && span_eq(d->tenants[i].ns, ns)) {
            return i;
        }
    }
    return DIRECTORY_ANY;
}

enum directory_answer directory_tenant_of_host(const struct directory *d, struct span host,
                                               struct span peer, size_t *out_tenant)
{
    const struct host h = host_parse(host);
    size_t n = 0, n_of_peer = 0;

    for (size_t i = 0; i < d->n_tenants; i++) {
        if (host_admits(&h, &d->tenants[i])) {
            bool is_of_peer = find_address(&d->tenants[i], peer) != NONE;
            n++;
            n_of_peer += is_of_peer;
            if (n == 1 || is_of_peer) {
                *out_tenant = i;
            }
        }
    }
    if (d->n_tenants == 0) {
        *out_tenant = DIRECTORY_ANY;
        return DIRECTORY_FOUND;
    }
    return n == 1 || n_of_peer == 1 ? DIRECTORY_FOUND
           : n > 1                  ? DIRECTORY_AMBIGUOUS
                                    : DIRECTORY_UNKNOWN_TENANT;
}

size_t directory_n_jobs(const struct directory *d)
{
    return d->n_jobs;
}

struct directory_name directory_tenant_name(const struct directory *d, size_t tenant)
{
    return (struct directory_name){ .ns = d->tenants[tenant].ns, .name = d->tenants[tenant].name };
}

struct directory_name directory_job_name(const struct directory *d, size_t job)
{
    const struct job *j = &d->jobs[job];
    return (
        struct directory_name){ .name = j->name, .receiver = j->receiver, .escaped = j->escaped };
}

static void add_path(const struct tenant *t, struct buf *out)
{
    buf_add_str(out, "/n/");
    urlform_escape(t->ns.len > 0 ? t->ns : SPAN_LIT(NO_NAMESPACE), out);
    buf_add_char(out, '/');
    urlform_escape(t->name, out);
}

void directory_add_path(const struct directory *d, size_t tenant, struct buf *out)
{
    add_path(&d->tenants[tenant], out);
}

bool directory_admits(const struct directory *d, struct span host, size_t tenant)
{
    const struct host h = host_parse(host);
    return host_admits(&h, &d->tenants[tenant]);
}

struct span directory_collector_of_host(struct span host)
{
    const struct host h = host_parse(host);
    return h.is_service ? span_make(h.service.p, h.service.len - (sizeof(SERVICE_SUFFIX) - 1))
                        : SPAN_LIT("");
}

bool directory_has_left(const struct directory *d, size_t tenant, struct span collector)
{
    const struct tenant *t = &d->tenants[tenant];

    for (size_t i = 0; i < t->n_left; i++) {
        if (span_eq(t->left[i], collector)) {
            return true;
        }
    }
    return false;
}

struct span directory_tenant_fault(const struct directory *d, size_t tenant)
{
    return d->tenants[tenant].fault;
}

struct span directory_job_fault(const struct directory *d, size_t job)
{
    return d->jobs[job].fault;
}

bool directory_may_have_more(const struct directory *d, size_t tenant)
{
    return d->tenants[tenant].may_have_more;
}

bool directory_has_unread_file(const struct directory *d)
{
    return d->has_unread_file;
}

struct span directory_gaps(const struct directory *d)
{
    return d->gaps;
}

size_t directory_n_tenants(const struct directory *d)
{
    return d->n_tenants;
}

size_t directory_job_tenant(const struct directory *d, size_t job)
{
    return d->jobs[job].tenant;
}

const struct span *directory_collectors(const struct directory *d, size_t tenant, size_t *out_n)
{
    *out_n = d->tenants[tenant].n_collectors;
    return d->tenants[tenant].collectors;
}

const uint32_t *directory_seats(const struct directory *d, size_t tenant)
{
    return d->tenants[tenant].seats;
}

const struct directory_view *directory_view(const struct directory *d, size_t tenant)
{
    return tenant == DIRECTORY_ANY ? &d->views->none : &d->views->of_tenants[tenant];
}

/* ---- making one */

static struct span keep(struct arena *arena, struct buf *b)
{
    assert(buf_error(b) == 0); /* names and configurations are capped where they are read */
    struct span s = arena_span(arena, buf_span(b));

    buf_fini(b);
    return s;
}

static void add_tenants(struct directory *d, const struct directory_tenant *tenants)
{
    struct buf service;

    d->tenants = arena_zalloc(&d->arena, d->n_tenants * sizeof(*d->tenants));
    for (size_t i = 0; i < d->n_tenants; i++) {
        struct tenant *t = &d->tenants[i];

        t->ns = arena_span(&d->arena, tenants[i].ns);
        t->name = arena_span(&d->arena, tenants[i].name);
        t->n_collectors = tenants[i].n_collectors;
        t->collectors = arena_alloc(&d->arena, t->n_collectors * sizeof(*t->collectors));
        for (size_t c = 0; c < t->n_collectors; c++) {
            t->collectors[c] = arena_span(&d->arena, tenants[i].collectors[c]);
        }
        t->addresses = arena_zalloc(&d->arena, t->n_collectors * sizeof(*t->addresses));
        for (size_t c = 0; tenants[i].addresses != NULL && c < t->n_collectors; c++) {
            t->addresses[c] = arena_span(&d->arena, tenants[i].addresses[c]);
        }
        t->seats = arena_alloc(&d->arena, t->n_collectors * sizeof(*t->seats));
        for (uint32_t c = 0; c < t->n_collectors; c++) {
            t->seats[c] = tenants[i].seats == NULL ? c : tenants[i].seats[c];
        }
        if (t->name.len > 0) {
            buf_init(&service, KIB);
            wire_service_name(t->name, &service);
            t->service = keep(&d->arena, &service);
        }
    }
}

static void add_jobs(struct directory *d, const struct directory_job *jobs)
{
    struct buf escaped;

    d->jobs = arena_zalloc(&d->arena, d->n_jobs * sizeof(*d->jobs));
    for (size_t i = 0; i < d->n_jobs; i++) {
        struct job *job = &d->jobs[i];

        assert(jobs[i].tenant < d->n_tenants);
        job->tenant = jobs[i].tenant;
        if (!span_is(jobs[i].receiver, WIRE_DEFAULT_RECEIVER)) {
            job->receiver = arena_span(&d->arena, jobs[i].receiver);
        }
        job->name = arena_span(&d->arena, jobs[i].name);
        job->config = jobs[i].config;
        job->config_masked = jobs[i].config_masked;
        buf_init(&escaped, 3 * jobs[i].name.len + 1);
        urlform_escape(jobs[i].name, &escaped);
        job->escaped = keep(&d->arena, &escaped);
    }
}

static void index_jobs(struct directory *d)
{
    d->n_job_slots = slots_for(d->n_jobs);
    d->job_slots = arena_alloc(&d->arena, d->n_job_slots * sizeof(*d->job_slots));
    memset(d->job_slots, 0xff, d->n_job_slots * sizeof(*d->job_slots));
    for (size_t i = 0; i < d->n_jobs; i++) {
        size_t slot = job_slot(d, d->jobs[i].escaped);

        d->jobs[i].next = d->job_slots[slot];
        d->job_slots[slot] = (uint32_t)i;
    }
}

static void index_collectors(struct directory *d)
{
    size_t n = 0;

    for (size_t t = 0; t < d->n_tenants; t++) {
        n += d->tenants[t].n_collectors;
    }
    d->n_collector_slots = slots_for(n);
    d->collector_slots = arena_alloc(&d->arena, d->n_collector_slots * sizeof(*d->collector_slots));
    memset(d->collector_slots, 0xff, d->n_collector_slots * sizeof(*d->collector_slots));
    for (size_t t = 0; t < d->n_tenants; t++) {
        for (size_t c = 0; c < d->tenants[t].n_collectors; c++) {
            uint64_t hash = collector_hash(t, hash_fast(d->tenants[t].collectors[c]));
            size_t i = hash & (d->n_collector_slots - 1);

            while (d->collector_slots[i].collector != NONE) {
                i = (i + 1) & (d->n_collector_slots - 1);
            }
            d->collector_slots[i] = (struct collector_slot){ hash, (uint32_t)t, (uint32_t)c };
        }
    }
}

/* ---- the lists */

static int compare_jobs(const void *a, const void *b)
{
    const struct job *x = *(const struct job *const *)a, *y = *(const struct job *const *)b;
    int c = span_cmp(x->name, y->name);

    if (c == 0) {
        c = span_cmp(x->receiver, y->receiver);
    }
    return c != 0 ? c : (x > y) - (x < y);
}

/* Where two receivers have a job of the same name, an object can show one: the default receiver's.
 */
static bool is_repeated(const struct job *const *sorted, size_t i)
{
    return i > 0 && span_eq(sorted[i]->name, sorted[i - 1]->name);
}

/* 'with_tenant': the link must say whose job it is. */
static void add_link(struct buf *out, const struct tenant *t, const struct job *job,
                     bool with_tenant)
{
    AUTO_BUF link;

    buf_init(&link, MIB);
    if (with_tenant) {
        add_path(t, &link);
    }
    buf_add_str(&link, "/jobs/");
    buf_add_span(&link, job->escaped);
    buf_add_str(&link, "/targets");
    if (job->receiver.len > 0) {
        buf_add_str(&link, "?receiver=");
        urlform_escape(job->receiver, &link);
    }
    buf_add_json(out, buf_span(&link));
}

static struct span render_jobs(struct directory *d, const struct job *const *sorted, size_t n)
{
    struct buf out;
    bool with_tenant = d->n_tenants > 1;

    buf_init(&out, LIMIT_PAGE_BYTES);
    buf_add_char(&out, '{');
    for (size_t i = 0; i < n; i++) {
        if (is_repeated(sorted, i)) {
            continue;
        }
        buf_add_str(&out, i == 0 ? "" : ",");
        buf_add_json(&out, sorted[i]->name);
        buf_add_str(&out, ":{\"_link\":");
        add_link(&out, &d->tenants[sorted[i]->tenant], sorted[i], with_tenant);
        buf_add_char(&out, '}');
    }
    buf_add_str(&out, "}\n");
    return keep(&d->views->arena, &out);
}

static struct span render_configs(struct directory *d, const struct job *const *sorted, size_t n,
                                  bool is_masked)
{
    struct buf out;
    bool is_first = true;

    buf_init(&out, LIMIT_PAGE_BYTES);
    buf_add_char(&out, '{');
    for (size_t i = 0; i < n; i++) {
        struct span config = is_masked ? sorted[i]->config_masked : sorted[i]->config;

        if (config.len == 0 || is_repeated(sorted, i)) {
            continue;
        }
        buf_add_str(&out, is_first ? "" : ",");
        is_first = false;
        buf_add_json(&out, sorted[i]->name);
        buf_add_char(&out, ':');
        buf_add_span(&out, config);
    }
    buf_add_char(&out, '}');
    return keep(&d->views->arena, &out);
}

static struct span etag_of(struct directory *d, struct span body, const char *suffix)
{
    char text[40];
    int n = snprintf(text, sizeof(text), "\"%016" PRIx64 "%s\"", hash64(body), suffix);

    return arena_span(&d->views->arena, (struct span){ text, (size_t)n });
}

static struct directory_body body_of(struct directory *d, struct span plain)
{
    struct directory_body body = { .plain = plain, .etag = etag_of(d, plain, "") };
    AUTO_BUF packed;

    buf_init(&packed, LIMIT_PAGE_BYTES);
    gzip_compress(plain, &packed);
    if (buf_error(&packed) == 0 && packed.len < plain.len) {
        body.gzip = arena_span(&d->views->arena, buf_span(&packed));
        body.gzip_etag = etag_of(d, plain, "-gzip");
    }
    return body;
}

static void make_view(struct directory *d, const struct job *const *sorted, size_t n,
                      struct directory_view *out)
{
    out->jobs = (struct directory_body){ .plain = render_jobs(d, sorted, n) };
    struct span clear = render_configs(d, sorted, n, false);
    struct span masked = render_configs(d, sorted, n, true);
    out->configs = body_of(d, clear);
    out->configs_masked = span_eq(clear, masked) ? out->configs : body_of(d, masked);
}

static void make_views(struct directory *d)
{
    const struct job **sorted = mem_array(d->n_jobs + 1, sizeof(struct job *));
    const struct job **some = mem_array(d->n_jobs + 1, sizeof(struct job *));

    for (size_t i = 0; i < d->n_jobs; i++) {
        sorted[i] = &d->jobs[i];
    }
    qsort(sorted, d->n_jobs, sizeof(*sorted), compare_jobs);
    make_view(d, sorted, 0, &d->views->none);
    for (size_t t = 0; t < d->n_tenants; t++) {
        size_t n = 0;

        for (size_t i = 0; i < d->n_jobs; i++) {
            if (sorted[i]->tenant == t) {
                some[n++] = sorted[i];
            }
        }
        make_view(d, some, n, &d->views->of_tenants[t]);
    }
    mem_free(sorted);
    mem_free(some);
}

static uint64_t mix_word(uint64_t hash, struct span s)
{
    return hash_mix(hash ^ hash_fast(s));
}

/* Of everything the bodies show. */
static uint64_t hash_jobs(const struct directory *d)
{
    uint64_t hash = d->n_tenants;

    for (size_t i = 0; i < d->n_tenants; i++) {
        hash = mix_word(hash, d->tenants[i].ns);
        hash = mix_word(hash, d->tenants[i].name);
    }
    for (size_t i = 0; i < d->n_jobs; i++) {
        const struct job *job = &d->jobs[i];
        hash = hash_mix(hash ^ job->tenant);
        hash = mix_word(hash, job->receiver);
        hash = mix_word(hash, job->name);
        hash = mix_word(hash, job->config);
        hash = job->config_masked.p == job->config.p ? hash_mix(hash)
                                                     : mix_word(hash, job->config_masked);
    }
    return hash;
}

static void take_views(struct directory *d, const struct directory *before)
{
    uint64_t hash = hash_jobs(d);

    if (before != NULL && before->views->hash == hash) {
        d->views = before->views;
        d->views->n_users++;
        return;
    }
    d->views = mem_zalloc(sizeof(*d->views));
    d->views->n_users = 1;
    d->views->hash = hash;
    arena_init(&d->views->arena);
    d->views->of_tenants =
        arena_zalloc(&d->views->arena, d->n_tenants * sizeof(*d->views->of_tenants));
    make_views(d);
}

static void add_left(struct directory *d, size_t tenant, struct span name)
{
    struct tenant *t = &d->tenants[tenant];

    if (t->n_left < MAX_LEFT && find_collector(d, tenant, name, hash_fast(name)) == NONE) {
        t->left[t->n_left++] = arena_span(&d->arena, name);
    }
}

static void note_left(struct directory *d, const struct directory *before)
{
    for (size_t i = 0; before != NULL && i < d->n_tenants; i++) {
        struct tenant *t = &d->tenants[i];
        size_t k = i < before->n_tenants && span_eq(before->tenants[i].name, t->name) &&
                           span_eq(before->tenants[i].ns, t->ns)
                       ? i
                       : directory_tenant_of_path(before, t->ns, t->name);
        if (k == DIRECTORY_ANY) {
            continue;
        }
        const struct tenant *old = &before->tenants[k];
        size_t max = old->n_collectors + old->n_left;
        t->left = arena_alloc(&d->arena, (max < MAX_LEFT ? max : MAX_LEFT) * sizeof(*t->left));
        for (size_t c = 0; c < old->n_collectors; c++) {
            add_left(d, i, old->collectors[c]);
        }
        for (size_t c = 0; c < old->n_left; c++) {
            add_left(d, i, old->left[c]);
        }
    }
}

struct directory *directory_new(const struct directory_tenant *tenants, size_t n_tenants,
                                const struct directory_job *jobs, size_t n_jobs,
                                const struct directory *before)
{
    struct directory *d = mem_zalloc(sizeof(*d));

    arena_init(&d->arena);
    d->n_tenants = n_tenants;
    d->n_jobs = n_jobs;
    add_tenants(d, tenants);
    add_jobs(d, jobs);
    index_jobs(d);
    index_collectors(d);
    note_left(d, before);
    take_views(d, before);
    return d;
}

void directory_set_gaps(struct directory *d, const struct directory_gaps *gaps)
{
    for (size_t i = 0; i < d->n_tenants; i++) {
        d->tenants[i].fault = arena_span(&d->arena, gaps->of_tenants[i]);
        d->tenants[i].may_have_more = gaps->may_have_more[i];
    }
    for (size_t i = 0; i < d->n_jobs; i++) {
        d->jobs[i].fault = arena_span(&d->arena, gaps->of_jobs[i]);
    }
    d->gaps = arena_span(&d->arena, gaps->lines);
    d->has_unread_file = gaps->has_unread_file;
}

void directory_free(struct directory *d)
{
    if (d == NULL) {
        return;
    }
    if (--d->views->n_users == 0) {
        arena_fini(&d->views->arena);
        mem_free(d->views);
    }
    arena_fini(&d->arena);
    mem_free(d);
}
