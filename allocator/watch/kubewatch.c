#define LOG_MODULE "kubernetes"
#include "allocator/watch/kubewatch.h"

#include "allocator/base/clock.h"
#include "allocator/base/container.h"
#include "allocator/base/hash.h"
#include "allocator/base/limits.h"
#include "allocator/base/log.h"
#include "allocator/base/metric.h"
#include "allocator/base/vec.h"
#include "allocator/client/oauth2.h"
#include "allocator/discovery/objectarrival.h"
#include "allocator/watch/kubecluster.h"

#include <assert.h>
#include <stdio.h>

enum {
    CONNECT_MS = 10000,
    BATCH_BYTES = 64 * 1024, /* of a list that are told at once */
    /* A resource is there a moment after its definition, and not usable before another. */
    ARRIVES_MS = 200,
    ARRIVAL_TRIES = 5, /* each waits twice as long */
};

#define USER_AGENT                                                                                 \
    "otel-ta" /* what begins with "curl" or "Mozilla" gets pretty-printed answers                  \
               */

struct follow;

struct subscriber {
    struct source_want base;
    struct follow *follow;
    struct subscriber *next; /* of the same */
};

struct server {
    struct server *next;
    struct span key; /* owned */
    struct kubecluster *cluster;
    unsigned n_follows;
    struct follow
        *scout; /* of definitions of resources, once one was absent; not among n_follows */
};

/* One collection that is followed. */
struct follow {
    struct follow *next;
    struct kubewatch *owner;
    struct server *server;
    struct span key;            /* owned: of the ask */
    char *resource, *namespace; /* for people */
    struct reflector *reflector;
    struct subscriber *subscribers;
    struct http_request *request; /* under way, or NULL */
    enum reflector_stage stage;   /* of it */
    int status;                   /* of its answer; 0: none yet */
    unsigned n_changes;           /* of the reflector's state, that were told */
    unsigned n_tries;             /* left, since its definition was seen */
    uint64_t n_events;
};

struct kubewatch {
    struct carrier_source base;
    struct http_client *client;
    struct oauth2 *tokens;
    struct kubeconfig_places places;
    const char *user_agent;
    struct server *servers;
    struct follow *follows;
    uint64_t seed;
};

static struct subscriber *subscriber_of(struct source_want *w)
{
    return CONTAINER_OF(w, struct subscriber, base);
}

/* ---- what arrives */

static bool is_scout(const struct follow *f)
{
    return f->server->scout == f;
}

static void log_change(const struct follow *f, const struct reflector_report *report)
{
    if (is_scout(f) && report->state != REFLECTOR_FOLLOWING) {
        log_debug("what comes is asked for each minute: definitions cannot be followed",
                  LOG_STR("error", report->problem));
    } else if (report->state == REFLECTOR_FOLLOWING) {
        log_info("a Kubernetes resource is followed", LOG_STR("resource", f->resource),
                 LOG_STR("namespace", f->namespace), LOG_INT("objects", report->n_objects));
    } else {
        log_warn("a Kubernetes resource cannot be followed; what is known of it stays",
                 LOG_STR("resource", f->resource), LOG_STR("namespace", f->namespace),
                 LOG_STR("state", reflector_state_name(report->state)),
                 LOG_STR("error", report->problem));
    }
    if (report->oddity != NULL) {
        log_warn("an API server sent something that is passed over",
                 LOG_STR("resource", f->resource), LOG_STR("what", report->oddity));
    }
}

static void count(struct follow *f, const struct reflector_report *report)
{
    const char *const labels[] = { f->resource, f->namespace };

    metric_set_for(METRIC_KUBE_OBJECTS, labels, (double)report->n_objects);
    metric_set_for(METRIC_KUBE_FOLLOWING, labels, report->state == REFLECTOR_FOLLOWING ? 1 : 0);
    metric_add_for(METRIC_KUBE_EVENTS, labels, report->n_events - f->n_events);
    f->n_events = report->n_events;
}

static void scout(struct kubewatch *k, struct server *s);

/* Definitions were made or changed: whoever waits for one tries soon. */
static void announce(const struct follow *f, const struct objectbatch *batch, int64_t now_ms)
{
    for (size_t i = 0; i < objectbatch_count(batch); i++) {
        const struct objectevent e = objectbatch_at(batch, i);
        for (struct follow *o = f->owner->follows; o != NULL; o = o->next) {
            if (e.kind == OBJECT_SET && o->server == f->server && span_is(e.key, o->resource)) {
                o->n_tries = ARRIVAL_TRIES;
                reflector_hurry(o->reflector, now_ms + ARRIVES_MS);
            }
        }
    }
}

/* Everything that is news, to everybody who wants it. */
static void deliver(struct follow *f)
{
    struct reflector_report report;
    AUTO(objectbatch) batch = reflector_take(f->reflector);

    reflector_report(f->reflector, &report);
    bool is_change = report.n_changes != f->n_changes;
    if (batch == NULL && !is_change && report.oddity == NULL) {
        return;
    }
    if (is_change || report.oddity != NULL) {
        log_change(f, &report);
    }
    f->n_changes = report.n_changes;
    count(f, &report);
    if (is_scout(f) && batch != NULL) {
        announce(f, batch, clock_mono_ms());
    }
    if (report.state == REFLECTOR_ABSENT && strchr(f->resource, '.') != NULL) {
        scout(f->owner, f->server);
    }
    for (struct subscriber *s = f->subscribers; s != NULL; s = s->next) {
        object_arrival_post(object_arrival_new(s->base.want->id, batch, &report),
                            f->owner->base.engine);
    }
}

/* Somebody reached the server: those who wait for it need not wait longer. */
static void tell_others(const struct follow *f, int64_t now_ms)
{
    struct reflector_report report;

    for (struct follow *o = f->owner->follows; o != NULL; o = o->next) {
        if (o == f || o->server != f->server || o->request != NULL) {
            continue;
        }
        reflector_report(o->reflector, &report);
        if (report.waits_for_host) {
            reflector_hurry(o->reflector, now_ms);
        }
    }
}

/* ---- transfers */

static void on_head(void *arg, int status, int retry_after_s)
{
    struct follow *f = arg;

    f->status = status;
    reflector_head(f->reflector, status, retry_after_s);
    deliver(f);
    tell_others(f, clock_mono_ms());
}

static bool on_piece(void *arg, struct span piece)
{
    struct follow *f = arg;
    bool goes_on = reflector_piece(f->reflector, piece);

    if (f->stage == REFLECTOR_WATCH || reflector_pending_bytes(f->reflector) >= BATCH_BYTES) {
        deliver(f);
    }
    return goes_on;
}

/* Its definition is there, so it will be. */
static void try_again(struct follow *f, int64_t now_ms)
{
    struct reflector_report report;

    reflector_report(f->reflector, &report);
    if (report.state == REFLECTOR_ABSENT && f->n_tries > 0) {
        reflector_hurry(f->reflector, now_ms + (ARRIVES_MS << (ARRIVAL_TRIES - f->n_tries + 1)));
        f->n_tries--;
    }
}

static void count_request(const struct follow *f, const char *error)
{
    static const char *const verbs[] = {
        [REFLECTOR_LIST] = "list",
        [REFLECTOR_WATCH] = "watch",
        [REFLECTOR_PROBE] = "probe",
        [REFLECTOR_LOOK] = "look",
    };
    char status[16];

    snprintf(status, sizeof(status), "%d", f->status);
    metric_add_for(METRIC_KUBE_REQUESTS,
                   (const char *[]){
                       f->resource, verbs[f->stage],
                       f->status == 0 || (f->status == 200 && error != NULL) ? "error" : status },
                   1);
}

static void on_done(void *arg, struct http_response *response)
{
    struct follow *f = arg;
    enum transfer_end end = TRANSFER_COMPLETE;

    f->request = NULL;
    if (response->error != NULL) {
        end = response->was_sent ? TRANSFER_CUT : TRANSFER_REFUSED;
    } else if (f->status == 0) { /* it ended within its head, and libcurl finds that complete */
        end = TRANSFER_CUT;
    }
    count_request(f, response->error);
    if (f->status == 401) {
        kubecluster_forget_credentials(f->server->cluster);
    }
    reflector_end(f->reflector, end, response->error, clock_mono_ms());
    try_again(f, clock_mono_ms());
    deliver(f);
}

static void stop(struct follow *f, int64_t now_ms) ON(watcher)
{
    oauth2_cancel(f->owner->tokens, f->request);
    f->request = NULL;
    reflector_end(f->reflector, TRANSFER_STOPPED, NULL, now_ms);
}

static int send_request(struct follow *f, const struct reflector_request *request, struct err *err)
    ON(watcher)
{
    static const struct http_stream stream = { on_head, on_piece };
    struct credentials r = { .options = { .timeout_ms = request->timeout_ms,
                                          .connect_timeout_ms = CONNECT_MS,
                                          .max_body_bytes = SIZE_MAX,
                                          .stream = &stream,
                                          .is_long = request->is_watch } };
    struct arena arena;

    arena_init(&arena);
    credentials_header(&r, SPAN_LIT("User-Agent"), span_of(f->owner->user_agent));
    credentials_header(&r, SPAN_LIT("Accept"), request->accept);
    int rc = kubecluster_prepare(f->server->cluster, request->target, &arena, &r, err);
    if (rc == 0) {
        r.options.wants_gzip = request->wants_gzip && kubecluster_may_compress(f->server->cluster);
        f->request = credentials_send(&r, f->owner->client, f->owner->tokens, on_done, f);
    }
    credentials_fini(&r);
    arena_fini(&arena);
    return rc;
}

static void begin(struct follow *f, int64_t now_ms) ON(watcher)
{
    struct reflector_request request;
    struct err err;

    if (reflector_deadline_ms(f->reflector) > now_ms ||
        kubecluster_must_wait(f->server->cluster, now_ms) ||
        !reflector_next(f->reflector, now_ms, &request)) {
        return;
    }
    f->stage = request.stage;
    f->status = 0;
    if (send_request(f, &request, &err) < 0) {
        count_request(f, err.text);
        reflector_end(f->reflector, TRANSFER_REFUSED, err.text, now_ms);
        deliver(f);
    }
}

static int64_t deadline_ms(const struct carrier_source *s)
{
    int64_t first = INT64_MAX;

    for (const struct follow *f = CONTAINER_OF(s, struct kubewatch, base)->follows; f != NULL;
         f = f->next) {
        int64_t due = reflector_deadline_ms(f->reflector);
        int64_t ready = kubecluster_deadline_ms(f->server->cluster);
        due = due > ready ? due : ready;
        first = due < first ? due : first;
    }
    return first;
}

static void tick(struct carrier_source *s, int64_t now_ms) ON(watcher)
{
    for (struct follow *f = CONTAINER_OF(s, struct kubewatch, base)->follows; f != NULL;
         f = f->next) {
        begin(f, now_ms);
    }
}

/* ---- who is followed */

static struct server *need_server(struct kubewatch *k, const struct ask_kube *ask)
{
    AUTO_BUF key;

    buf_init(&key, MIB);
    ask_cluster_key(ask, &key);
    for (struct server *s = k->servers; s != NULL; s = s->next) {
        if (span_eq(s->key, buf_span(&key))) {
            return s;
        }
    }
    struct server *s = mem_zalloc(sizeof(*s));
    s->key = mem_dup_span(buf_span(&key));
    s->cluster = kubecluster_new(ask, &k->places);
    s->next = k->servers;
    k->servers = s;
    return s;
}

static void end_follow(struct follow *f) ON(watcher);

static void release_server(struct kubewatch *k, struct server *s) ON(watcher)
{
    struct server **at = &k->servers;

    if (--s->n_follows > 0) {
        return;
    }
    if (s->scout != NULL) {
        end_follow(s->scout);
    }
    while (*at != s) {
        at = &(*at)->next;
    }
    *at = s->next;
    kubecluster_free(&s->cluster);
    mem_free_span(&s->key);
    mem_free(s);
}

static struct follow *new_follow(struct kubewatch *k, struct server *server,
                                 const struct ask_kube *ask, struct span key)
{
    const struct reflector_options options = { .max_object_bytes = LIMIT_KUBE_OBJECT,
                                               .max_list_bytes = LIMIT_SD_BODY,
                                               .seed = hash_mix(++k->seed) };
    const struct reflector_want want = { .group = ask->group,
                                         .version = ask->version,
                                         .resource = ask->resource,
                                         .kind = ask->kind,
                                         .namespace = ask->namespace,
                                         .label_selector = ask->label_selector,
                                         .field_selector = ask->field_selector,
                                         .is_metadata = ask->is_metadata };
    struct follow *f = mem_zalloc(sizeof(*f));

    f->owner = k;
    f->key = mem_dup_span(key);
    f->resource = mem_printf("%.*s%s%.*s", SPAN_ARG(ask->resource), ask->group.len > 0 ? "." : "",
                             SPAN_ARG(ask->group));
    f->namespace = mem_strndup(ask->namespace.p, ask->namespace.len);
    f->reflector = reflector_new(&want, &options);
    f->server = server;
    f->next = k->follows;
    k->follows = f;
    return f;
}

/* Sees resources come; started when one is not there. Without the right to, they are asked for each
 * minute. */
static void scout(struct kubewatch *k, struct server *s)
{
    const struct ask_kube definitions = { .group = SPAN_LIT("apiextensions.k8s.io"),
                                          .version = SPAN_LIT("v1"),
                                          .resource = SPAN_LIT("customresourcedefinitions"),
                                          .kind = SPAN_LIT("CustomResourceDefinition"),
                                          .is_metadata = true };

    if (s->scout == NULL) {
        s->scout = new_follow(k, s, &definitions, SPAN_LIT(""));
    }
}

static void end_follow(struct follow *f) ON(watcher)
{
    struct kubewatch *k = f->owner;
    struct follow **at = &k->follows;

    while (*at != f) {
        at = &(*at)->next;
    }
    *at = f->next;
    if (f->request != NULL) {
        oauth2_cancel(k->tokens, f->request);
    }
    reflector_free(&f->reflector);
    if (!is_scout(f)) {
        release_server(k, f->server);
    }
    mem_free_span(&f->key);
    mem_free(f->resource);
    mem_free(f->namespace);
    mem_free(f);
}

static struct follow *find_follow(const struct kubewatch *k, struct span key)
{
    struct follow *f = k->follows;

    while (f != NULL && !span_eq(f->key, key)) {
        f = f->next;
    }
    return f;
}

/* ---- wants */

/* What a list that is broken off has told is taken back from those who were told. */
static void relist(struct follow *f, int64_t now_ms) ON(watcher)
{
    if (reflector_refresh(f->reflector, now_ms)) {
        stop(f, now_ms);
    }
    deliver(f);
}

static void refresh(struct source_want *w, int64_t now_ms) ON(watcher)
{
    relist(subscriber_of(w)->follow, now_ms);
}

static struct source_want *add(struct carrier_source *source, struct want *want, int64_t now_ms)
    ON(watcher)
{
    struct kubewatch *k = CONTAINER_OF(source, struct kubewatch, base);
    struct subscriber *s = mem_zalloc(sizeof(*s));
    struct ask ask = want->ask;
    AUTO_BUF key;

    source_keep(source, &s->base, want);
    buf_init(&key, MIB);
    ask.refresh_ms = 0; /* nothing to us, and what is made of it neither */
    ask.digest_by = (struct span){ 0 };
    ask_key(&ask, &key);
    s->follow = find_follow(k, buf_span(&key));
    if (s->follow == NULL) {
        struct server *server = need_server(k, &want->ask.kube);
        server->n_follows++;
        s->follow = new_follow(k, server, &want->ask.kube, buf_span(&key));
    } else {
        relist(s->follow, now_ms);
    }
    s->next = s->follow->subscribers;
    s->follow->subscribers = s;
    return &s->base;
}

static void redeliver(struct source_want *w)
{
    (void)w; /* an object that could not be read stays as it was, until it changes */
}

static void cancel(struct source_want *w) ON(watcher)
{
    struct subscriber *s = subscriber_of(w), **at = &s->follow->subscribers;

    while (*at != s) {
        at = &(*at)->next;
    }
    *at = s->next;
    if (s->follow->subscribers == NULL) {
        end_follow(s->follow);
    }
    source_forget(w);
    mem_free(s);
}

static void free_all(struct carrier_source *source) ON(watcher)
{
    struct kubewatch *k = CONTAINER_OF(source, struct kubewatch, base);

    assert(k->follows == NULL && k->servers == NULL);
    oauth2_free(&k->tokens);
    mem_free(k);
}

struct carrier_source *kubewatch_new(struct http_client *client,
                                     const struct kubeconfig_places *places, const char *user_agent)
{
    static const struct source_ops ops = {
        .carrier = CARRIER_KUBE,
        .add = add,
        .refresh = refresh,
        .redeliver = redeliver,
        .cancel = cancel,
        .deadline_ms = deadline_ms,
        .tick = tick,
        .free = free_all,
    };
    struct kubewatch *k = mem_zalloc(sizeof(*k));

    k->base.ops = &ops;
    k->client = client;
    k->tokens = oauth2_new(client);
    k->places = *places;
    k->user_agent = user_agent;
    k->seed = (uint64_t)clock_wall_ms(); /* replicas shall not go in step */
    return &k->base;
}
