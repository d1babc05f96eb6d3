#define LOG_MODULE "serve"
#include "allocator/serve/unknown.h"

#include "allocator/base/clock.h"
#include "allocator/base/limits.h"
#include "allocator/base/log.h"
#include "allocator/base/metric.h"
#include "allocator/codec/urlform.h"
#include "allocator/codec/walk.h"
#include "allocator/tenant/wire.h"

#define MAX_LOOKED_AT 2000 /* names that are compared: an answer must not cost more than that */
#define SHOWN 128          /* bytes of a name */

/* ---- words */

/* Quoted, as people can see it. */
static void add_name(struct buf *out, struct span name)
{
    buf_add_char(out, '\'');
    buf_add_visible(out, span_make(name.p, name.len < SHOWN ? name.len : SHOWN));
    buf_add_str(out, name.len > SHOWN ? "…'" : "'");
}

static void add_tenant(struct buf *out, const struct directory *d, size_t tenant)
{
    struct directory_name t = directory_tenant_name(d, tenant);

    buf_add_visible(out, t.ns);
    buf_add_str(out, t.ns.len > 0 ? "/" : "");
    buf_add_visible(out, t.name);
}

/* "/n/<ns>/<cr>" where the words of the request do not say it already. */
static void add_prefix(struct buf *out, const struct request *r, size_t tenant)
{
    if (directory_n_tenants(r->snapshot->directory) > 1 || r->has_prefix) {
        directory_add_path(r->snapshot->directory, tenant, out);
    }
}

static void add_job_path(struct buf *out, const struct request *r, size_t job)
{
    const struct directory *d = r->snapshot->directory;
    struct directory_name j = directory_job_name(d, job);

    add_prefix(out, r, directory_job_tenant(d, job));
    buf_add_str(out, "/jobs/");
    buf_add_span(out, j.escaped);
    buf_add_str(out, "/targets?collector_id=…");
    if (j.receiver.len > 0) {
        buf_add_str(out, "&receiver=");
        urlform_escape(j.receiver, out);
    }
}

static struct span decoded(struct request *r, struct span raw)
{
    struct span out = { "", 0 };

    return request_decode(r, raw, &out) ? out : raw;
}

/* ---- who could be meant */

static bool is_candidate(const struct request *r, size_t tenant)
{
    return r->tenant != DIRECTORY_ANY
               ? r->tenant == tenant
               : directory_admits(r->snapshot->directory, exchange_host(r->x), tenant);
}

static bool has_candidate(const struct request *r)
{
    const struct directory *d = r->snapshot->directory;

    for (size_t i = 0; i < directory_n_tenants(d); i++) {
        if (is_candidate(r, i)) {
            return true;
        }
    }
    return false;
}

static bool is_upstream(const struct request *r)
{
    const struct directory *d = r->snapshot->directory;

    return directory_n_tenants(d) == 1 && directory_tenant_name(d, 0).name.len == 0;
}

/* ---- answers */

static void fail(struct request *r, int status, struct buf *text)
{
    buf_add_char(text, '\n');
    exchange_reply(r->x, status, "text/plain; charset=utf-8", buf_span(text));
}

void unknown_fault(struct request *r, struct span fault)
{
    AUTO_BUF text;

    buf_init(&text, 16 * KIB);
    buf_add_str(&text, "not served, since its configuration has a fault: ");
    buf_add_visible(&text, span_make(fault.p, fault.len < KIB ? fault.len : KIB));
    exchange_add_header(r->x, "Retry-After", SPAN_LIT("5"));
    fail(r, 503, &text);
}

static void not_known_yet(struct request *r, const char *why)
{
    exchange_add_header(r->x, "Retry-After", SPAN_LIT("5"));
    exchange_fail(r->x, 503, "%s", why);
}

/* Nobody can say that there is no such thing. */
static bool is_hidden(struct request *r, size_t tenant)
{
    const struct directory *d = r->snapshot->directory;
    struct span fault = directory_tenant_fault(d, tenant);

    if (fault.len > 0) {
        unknown_fault(r, fault);
        return true;
    }
    if (directory_may_have_more(d, tenant)) {
        not_known_yet(r, "not known: a job of this Collector has a fault, and no name by which it "
                         "could be told from this one (/readyz?verbose says more)");
        return true;
    }
    return false;
}

/* Some file or Collector that could have it is missing, or all are. */
static bool is_unsure(struct request *r)
{
    const struct directory *d = r->snapshot->directory;

    if (directory_n_tenants(d) == 0 && !directory_has_unread_file(d)) {
        not_known_yet(r, "this process knows no Collector: the cluster has none that asks for an "
                         "allocator, nor has what it was given (otel-ta serve -f collector.yaml, "
                         "or --config-file targetallocator.yaml)");
        return true;
    }
    for (size_t i = 0; i < directory_n_tenants(d); i++) {
        if (is_candidate(r, i) && is_hidden(r, i)) {
            return true;
        }
    }
    if (directory_has_unread_file(d) && (r->tenant == DIRECTORY_ANY || !has_candidate(r))) {
        not_known_yet(r, "not known: a configuration file cannot be read, and may have it "
                         "(/readyz?verbose says which)");
        return true;
    }
    return false;
}

bool unknown_is_out(struct request *r, size_t tenant)
{
    if (tenant == DIRECTORY_ANY) {
        return is_unsure(r);
    }
    struct span fault = directory_tenant_fault(r->snapshot->directory, tenant);
    if (fault.len > 0) {
        unknown_fault(r, fault);
    }
    return fault.len > 0;
}

/* As the Go allocator, with the reason where somebody may see it. */
static void answer_upstream(struct request *r, struct span empty, const struct buf *text)
{
    AUTO_BUF warning;

    buf_init(&warning, 16 * KIB);
    buf_add_str(&warning, "299 otel-ta \"");
    for (size_t i = 0; i < text->len; i++) { /* a header has room for printable ASCII */
        char c = text->p[i];
        buf_add_char(&warning, c < ' ' || c > '~' || c == '"' || c == '\\' ? '?' : c);
    }
    buf_add_char(&warning, '"');
    exchange_add_header(r->x, "Warning", buf_span(&warning));
    exchange_reply(r->x, 200, REQUEST_JSON, empty);
}

/* ---- nearest */

struct nearest {
    struct walk_near near;
    size_t n_looked_at, found; /* SIZE_MAX: nothing is near */
};

static void look(struct nearest *n, struct span name, size_t index)
{
    if (n->n_looked_at++ < MAX_LOOKED_AT && walk_near_try(&n->near, name)) {
        n->found = index;
    }
}

static struct nearest nearest_to(struct span word)
{
    return (struct nearest){ .near = walk_near_to(word), .found = SIZE_MAX };
}

/* ---- Collectors */

static void say_tenants(struct request *r, struct span word, struct buf *text)
{
    const struct directory *d = r->snapshot->directory;
    struct nearest n = nearest_to(word);

    for (size_t i = 0; i < directory_n_tenants(d); i++) {
        look(&n, directory_tenant_name(d, i).name, i);
    }
    if (n.found == SIZE_MAX && directory_n_tenants(d) == 1) {
        n.found = 0;
    }
    if (n.found != SIZE_MAX) {
        buf_add_str(text, n.near.is_found ? "; did you mean " : "; there is ");
        add_tenant(text, d, n.found);
        buf_add_str(text, n.near.is_found ? "? Ask below " : ", below ");
        directory_add_path(d, n.found, text);
    }
    buf_add_str(text, "; /n/ lists all");
}

void unknown_tenant(struct request *r)
{
    struct span host = exchange_host(r->x), word;
    AUTO_BUF text;

    buf_init(&text, 16 * KIB);
    if (is_unsure(r)) {
        return;
    }
    if (r->has_prefix) {
        word = decoded(r, r->cr);
        buf_add_str(&text, "no Collector ");
        add_name(&text, word);
        struct span ns = decoded(r, r->ns);
        if (ns.len > 0) {
            buf_add_str(&text, " in namespace ");
            add_name(&text, ns);
        }
    } else {
        word = directory_collector_of_host(host);
        buf_add_str(&text, "the Host ");
        add_name(&text, host);
        buf_add_str(&text, " is the Service of no Collector");
    }
    say_tenants(r, word, &text);
    fail(r, 404, &text);
}

/* ---- jobs */

enum kinship { JOB_TWIN, JOB_STRANGER, JOB_NEAR };

/* The same name in another receiver, or of another Collector; else the nearest name. SIZE_MAX:
 * there is none of these. */
static size_t find_like(const struct request *r, const struct directory_question *q,
                        struct span word, enum kinship *out)
{
    const struct directory *d = r->snapshot->directory;
    struct nearest near = nearest_to(word);
    size_t twin = SIZE_MAX, stranger = SIZE_MAX;

    for (size_t i = 0; i < directory_n_jobs(d); i++) {
        struct directory_name j = directory_job_name(d, i);
        if (!is_candidate(r, directory_job_tenant(d, i))) {
            stranger = span_eq(j.name, word) && span_eq(j.receiver, q->receiver) ? i : stranger;
        } else if (span_eq(j.name, word)) {
            twin = i;
        } else {
            look(&near, j.name, i);
        }
    }
    *out = twin != SIZE_MAX ? JOB_TWIN : stranger != SIZE_MAX ? JOB_STRANGER : JOB_NEAR;
    return twin != SIZE_MAX ? twin : stranger != SIZE_MAX ? stranger : near.found;
}

static void say_jobs(struct request *r, const struct directory_question *q, struct span word,
                     struct buf *text)
{
    const struct directory *d = r->snapshot->directory;
    enum kinship how;
    size_t found = find_like(r, q, word, &how);

    if (found != SIZE_MAX) {
        struct directory_name j = directory_job_name(d, found);
        if (how == JOB_TWIN) {
            buf_add_str(text, "; it is one of receiver ");
            add_name(text, j.receiver.len > 0 ? j.receiver : SPAN_LIT(WIRE_DEFAULT_RECEIVER));
        } else if (how == JOB_STRANGER) {
            buf_add_str(text, "; there is one of ");
            add_tenant(text, d, directory_job_tenant(d, found));
        } else {
            buf_add_str(text, "; did you mean ");
            add_name(text, j.name);
        }
        buf_add_str(text, how == JOB_NEAR ? "? Ask " : ": ask ");
        add_job_path(text, r, found);
    }
    buf_add_str(text, "; /jobs lists all");
}

void unknown_note(const struct request *r, const char *message, struct span collector)
{
    uint64_t n = 0;

    if (rate_allow(r->unknown, clock_mono_ms(), &n)) {
        log_warn(message, LOG_SPAN("job", r->job), LOG_SPAN("collector_id", collector),
                 LOG_SPAN("host", exchange_host(r->x)), LOG_SPAN("peer", exchange_peer(r->x)),
                 LOG_INT("suppressed", n));
    }
}

void unknown_job(struct request *r, const struct directory_question *q, struct span empty)
{
    struct span word = decoded(r, r->job);
    AUTO_BUF text;

    buf_init(&text, 16 * KIB);
    metric_add(METRIC_UNKNOWN_JOB, 1);
    if (is_unsure(r)) {
        return;
    }
    if (!has_candidate(r)) {
        unknown_note(r, "a Collector is not known", q->collector);
        unknown_tenant(r);
        return;
    }
    buf_add_str(&text, "no job ");
    add_name(&text, word);
    if (q->receiver.len > 0) {
        buf_add_str(&text, " of receiver ");
        add_name(&text, q->receiver);
    }
    say_jobs(r, q, word, &text);
    if (is_upstream(r)) {
        unknown_note(r, "job is not known: answered with no targets", q->collector);
        answer_upstream(r, empty, &text);
    } else {
        unknown_note(r, "job is not known", q->collector);
        fail(r, 404, &text);
    }
}

/* ---- collectors */

static void say_collectors(struct request *r, const struct directory_question *q, struct buf *text)
{
    const struct directory *d = r->snapshot->directory;
    struct nearest near = nearest_to(q->collector);
    struct span best = { "", 0 };
    size_t n = 0;

    for (size_t i = 0; i < directory_n_tenants(d); i++) {
        size_t n_here = 0;
        const struct span *names = directory_collectors(d, i, &n_here);
        for (size_t k = 0; is_candidate(r, i) && k < n_here; k++, n++) {
            size_t before = near.found;
            look(&near, names[k], n);
            best = near.found != before || n == 0 ? names[k] : best;
        }
    }
    if (n == 0) {
        buf_add_str(text,
                    "; there are none yet (its pods, those of collector_selector, --collectors, or "
                    "spec.replicas)");
        return;
    }
    buf_add_str(text, near.found != SIZE_MAX ? "; did you mean " : "; there is ");
    add_name(text, best);
    buf_add_str(text, near.found != SIZE_MAX ? "?" : ",");
    buf_addf(text, " %zu can be meant; without collector_id all are shown", n);
}

void unknown_collector(struct request *r, const struct directory_question *q)
{
    const struct directory *d = r->snapshot->directory;
    AUTO_BUF text;

    buf_init(&text, 16 * KIB);
    metric_add(METRIC_UNKNOWN_COLLECTOR, 1);
    for (size_t i = 0; i < directory_n_tenants(d); i++) {
        if (is_candidate(r, i) && directory_has_left(d, i, q->collector)) {
            unknown_note(r, "collector is gone: answered with no targets", q->collector);
            exchange_reply(r->x, 200, REQUEST_JSON, SPAN_LIT("[]\n"));
            return;
        }
    }
    buf_add_str(&text, "no collector ");
    add_name(&text, q->collector);
    say_collectors(r, q, &text);
    if (is_upstream(r)) {
        unknown_note(r, "collector is not known: answered with no targets", q->collector);
        answer_upstream(r, SPAN_LIT("[]\n"), &text);
    } else {
        unknown_note(r, "collector is not known", q->collector);
        fail(r, 404, &text);
    }
}
