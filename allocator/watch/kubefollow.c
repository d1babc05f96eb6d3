#define LOG_MODULE "kubernetes"
#include "allocator/watch/kubefollow.h"

#include "allocator/base/clock.h"
#include "allocator/base/limits.h"
#include "allocator/base/log.h"
#include "allocator/base/metric.h"

#include <stdio.h>

enum {
    CONNECT_MS = 10000,
    BATCH_BYTES = 64 * 1024, /* of a list that are told at once */
    /* A resource is there a moment after its definition, and not usable before another. */
    ARRIVES_MS = 200,
    ARRIVAL_TRIES = 5, /* each waits twice as long */
};

/* ---- what became known */

static void log_change(const struct kubefollow *f, const struct reflector_report *report)
{
    if (f->is_optional && report->state != REFLECTOR_FOLLOWING) {
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

static void count(struct kubefollow *f, const struct reflector_report *report)
{
    const char *const labels[] = { f->resource, f->namespace };

    metric_set_for(METRIC_KUBE_OBJECTS, labels, (double)report->n_objects);
    metric_set_for(METRIC_KUBE_FOLLOWING, labels, report->state == REFLECTOR_FOLLOWING ? 1 : 0);
    metric_add_for(METRIC_KUBE_EVENTS, labels, report->n_events - f->n_events);
    f->n_events = report->n_events;
}

/* Everything that is news. */
static void deliver(struct kubefollow *f)
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
    f->hooks->told(f, &report, batch);
}

void kubefollow_hurry(struct kubefollow *f, int64_t now_ms)
{
    struct reflector_report report;

    reflector_report(f->reflector, &report);
    if (f->request == NULL && report.waits_for_host) {
        reflector_hurry(f->reflector, now_ms);
    }
}

void kubefollow_expect(struct kubefollow *f, int64_t now_ms)
{
    f->n_tries = ARRIVAL_TRIES;
    reflector_hurry(f->reflector, now_ms + ARRIVES_MS);
}

/* Its definition is there, so it will be. */
static void try_again(struct kubefollow *f, int64_t now_ms)
{
    struct reflector_report report;

    reflector_report(f->reflector, &report);
    if (report.state == REFLECTOR_ABSENT && f->n_tries > 0) {
        reflector_hurry(f->reflector, now_ms + (ARRIVES_MS << (ARRIVAL_TRIES - f->n_tries + 1)));
        f->n_tries--;
    }
}

/* ---- transfers */

static void on_head(void *arg, int status, int retry_after_s)
{
    struct kubefollow *f = arg;

    f->status = status;
    reflector_head(f->reflector, status, retry_after_s);
    deliver(f);
    f->hooks->reached(f);
}

static bool on_piece(void *arg, struct span piece)
{
    struct kubefollow *f = arg;
    bool goes_on = reflector_piece(f->reflector, piece);

    if (f->stage == REFLECTOR_WATCH || reflector_pending_bytes(f->reflector) >= BATCH_BYTES) {
        deliver(f);
    }
    return goes_on;
}

static void count_request(const struct kubefollow *f, const char *error)
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
    struct kubefollow *f = arg;
    enum transfer_end end = TRANSFER_COMPLETE;

    f->request = NULL;
    if (response->error != NULL) {
        end = response->was_sent ? TRANSFER_CUT : TRANSFER_REFUSED;
    } else if (f->status == 0) { /* it ended within its head, and libcurl finds that complete */
        end = TRANSFER_CUT;
    }
    count_request(f, response->error);
    if (f->status == 401) {
        kubecluster_forget_credentials(f->place.cluster);
    }
    reflector_end(f->reflector, end, response->error, clock_mono_ms());
    try_again(f, clock_mono_ms());
    deliver(f);
}

static void stop(struct kubefollow *f, int64_t now_ms) ON(watcher)
{
    oauth2_cancel(f->place.tokens, f->request);
    f->request = NULL;
    reflector_end(f->reflector, TRANSFER_STOPPED, NULL, now_ms);
}

static int send_request(struct kubefollow *f, const struct reflector_request *request,
                        struct err *err) ON(watcher)
{
    static const struct http_stream stream = { on_head, on_piece };
    struct credentials r = { .options = { .timeout_ms = request->timeout_ms,
                                          .connect_timeout_ms = CONNECT_MS,
                                          .max_body_bytes = SIZE_MAX,
                                          .stream = &stream,
                                          .is_trusted = true,
                                          .is_long = request->is_watch } };
    struct arena arena;

    arena_init(&arena);
    credentials_header(&r, SPAN_LIT("User-Agent"), span_of(f->place.user_agent));
    credentials_header(&r, SPAN_LIT("Accept"), request->accept);
    int rc = kubecluster_prepare(f->place.cluster, request->target, &arena, &r, err);
    if (rc == 0) {
        r.options.wants_gzip = request->wants_gzip && kubecluster_may_compress(f->place.cluster);
        f->request = credentials_send(&r, f->place.client, f->place.tokens, on_done, f);
    }
    credentials_fini(&r);
    arena_fini(&arena);
    return rc;
}

void kubefollow_tick(struct kubefollow *f, int64_t now_ms)
{
    struct reflector_request request;
    struct err err;

    if (reflector_deadline_ms(f->reflector) > now_ms ||
        kubecluster_must_wait(f->place.cluster, now_ms) ||
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

int64_t kubefollow_deadline_ms(const struct kubefollow *f)
{
    int64_t due = reflector_deadline_ms(f->reflector);
    int64_t ready = kubecluster_deadline_ms(f->place.cluster);

    return due > ready ? due : ready;
}

void kubefollow_relist(struct kubefollow *f, int64_t now_ms)
{
    if (reflector_refresh(f->reflector, now_ms)) {
        stop(f, now_ms);
    }
    deliver(f);
}

/* ---- life */

void kubefollow_init(struct kubefollow *f, const struct ask_kube *ask, uint64_t seed,
                     const struct kubefollow_place *place, const struct kubefollow_hooks *hooks)
{
    const struct reflector_options options = { .max_object_bytes = LIMIT_KUBE_OBJECT,
                                               .max_list_bytes = LIMIT_SD_BODY,
                                               .seed = seed };
    struct span ns = ask->is_own_namespace ? kubecluster_namespace(place->cluster) : ask->namespace;
    const struct reflector_want want = { .group = ask->group,
                                         .version = ask->version,
                                         .resource = ask->resource,
                                         .kind = ask->kind,
                                         .namespace = ns,
                                         .label_selector = ask->label_selector,
                                         .field_selector = ask->field_selector,
                                         .is_metadata = ask->is_metadata };

    *f = (struct kubefollow){ .hooks = hooks, .place = *place };
    f->resource = mem_printf("%.*s%s%.*s", SPAN_ARG(ask->resource), ask->group.len > 0 ? "." : "",
                             SPAN_ARG(ask->group));
    f->namespace = mem_strndup(ns.p, ns.len);
    f->reflector = reflector_new(&want, &options);
}

void kubefollow_fini(struct kubefollow *f)
{
    if (f->request != NULL) {
        oauth2_cancel(f->place.tokens, f->request);
    }
    reflector_free(&f->reflector);
    mem_free(f->resource);
    mem_free(f->namespace);
}
