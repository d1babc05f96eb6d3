#define LOG_MODULE "engine"
#include "allocator/engine/engine.h"

#include "allocator/base/clock.h"
#include "allocator/base/container.h"
#include "allocator/base/limits.h"
#include "allocator/base/log.h"
#include "allocator/base/mem.h"
#include "allocator/base/metric.h"
#include "allocator/base/thread.h"
#include "allocator/discovery/want.h"
#include "allocator/engine/state.h"

#include <assert.h>
#include <malloc.h>
#include <poll.h>
#include <stdlib.h>

#define WINDOW_MAX_US                                                                              \
    10000                 /* under load, at most this long between a change and its publication    \
                           */
#define WINDOW_PER_COST 4 /* under load, publishing takes at most a fifth of the time */
#define REAP_INTERVAL_MS 1000 /* while requests pin old snapshots */
#define HURRY_INTERVAL_US 250000

#ifndef OTEL_TA_CHECK
#define OTEL_TA_CHECK 0
#endif

enum { MAIL_STOP = 100 };

struct engine {
    struct engine_options options;
    struct mailbox *box;
    pthread_t thread;
    struct state *state;

    int64_t pending_us;   /* since when something waits for publication; 0: nothing does */
    int64_t published_us; /* end of the last publication */
    int64_t window_us;    /* what it asks to be left between two */
    int64_t hurried_us;   /* when slow readers were last told to end */
    bool is_pinned;       /* requests still read snapshots that are gone */
    bool is_stopping;
};

/* ---- tenants */

/* It keeps what it had. Who told of it is told. */
static void refuse(struct engine *e, const struct tenant *tenant, const struct err *err)
{
    AUTO_STR name = mem_printf("%.*s", SPAN_ARG(tenant->name));

    log_error("a collector is refused; what is known of it stays", LOG_STR("collector", name),
              LOG_STR("error", err->text));
    if (e->options.refusals != NULL) {
        mailbox_post(e->options.refusals, tenantmail_refusal(tenant->ns, tenant->name, err));
    }
}

static void take_tenant(struct engine *e, struct tenant_mail *m) ON(engine)
{
    struct err err = { 0 };

    if (m->tenant == NULL) {
        state_drop_tenant(e->state, span_of(m->ns), span_of(m->name));
    } else if (state_put_tenant(e->state, &m->tenant, &err) < 0) {
        refuse(e, m->tenant, &err);
    }
}

static void complete(struct engine *e) ON(engine)
{
    struct state_counts counts;
    int64_t from = clock_mono_us();

    state_complete(e->state, clock_mono_ms());
    state_count(e->state, &counts);
    log_info("configuration in use", LOG_INT("jobs", counts.n_jobs),
             LOG_INT("discovery_sections_awaited", counts.n_wants_open),
             LOG_INT("ms", (clock_mono_us() - from) / 1000));
}

/* ---- publication */

/* In a build with CHECK=1. */
static void verify(const struct engine *e)
{
    struct err err = { 0 };

    if (OTEL_TA_CHECK && state_verify(e->state, &err) < 0) {
        log_error("an invariant is broken", LOG_STR("error", err.text));
        abort();
    }
}

static void reap(struct engine *e) ON(engine)
{
    int64_t now_us = clock_mono_us();

    e->is_pinned = state_reap(e->state);
    uint64_t sequence = e->is_pinned ? state_crowding(e->state) : 0;
    if (sequence != 0 && e->options.hurry != NULL && now_us - e->hurried_us > HURRY_INTERVAL_US) {
        e->options.hurry(e->options.publish_arg, sequence);
        e->hurried_us = now_us;
    }
}

static void publish(struct engine *e) ON(engine)
{
    bool was_synced = state_is_synced(e->state);
    int64_t from = clock_mono_us();
    const struct snapshot *s = state_publish(e->state);
    int64_t now = clock_mono_us();

    verify(e);
    if (s != NULL) {
        e->options.publish(e->options.publish_arg, s);
        metric_observe(METRIC_PUBLISH_SECONDS, (double)(now - e->pending_us) / 1e6);
    }
    e->pending_us = 0;
    e->published_us = now;
    e->window_us = (now - from) * WINDOW_PER_COST;
    if (e->window_us > WINDOW_MAX_US) {
        e->window_us = WINDOW_MAX_US;
    }
    reap(e);
    if (!was_synced && state_is_synced(e->state)) {
        struct state_counts counts;
        state_count(e->state, &counts);
        log_info("every job had its first result", LOG_INT("jobs", counts.n_jobs),
                 LOG_INT("targets", counts.n_served), LOG_INT("unassigned", counts.n_unassigned));
        malloc_trim(0); /* what the first reading of everything took is given back */
    }
}

/* When to publish, on the monotonic clock: at once when the last time is long ago, else not too
 * soon after it. */
static int64_t publish_due_us(const struct engine *e)
{
    int64_t due = e->published_us + e->window_us;
    return e->pending_us > due ? e->pending_us : due;
}

/* ---- loop */

/* Something came that was noticed at 'seen_us'. */
static void note_news(struct engine *e, int64_t seen_us)
{
    if (e->pending_us == 0 && state_has_news(e->state)) {
        e->pending_us = seen_us;
    }
}

static void take_arrival(struct engine *e, const struct arrival *a) ON(engine)
{
    state_arrive(e->state, a);
    note_news(e, a->seen_us);
}

static void take_objects(struct engine *e, const struct object_arrival *a) ON(engine)
{
    state_take_objects(e->state, a);
    note_news(e, a->seen_us);
}

static void take_mail(struct engine *e, struct mail *mail) ON(engine)
{
    switch (mail->kind) {
    case ENGINE_ARRIVAL:
        take_arrival(e, CONTAINER_OF(mail, struct arrival, mail));
        break;
    case ENGINE_OBJECTS:
        take_objects(e, CONTAINER_OF(mail, struct object_arrival, mail));
        break;
    case ENGINE_TENANT:
        take_tenant(e, CONTAINER_OF(mail, struct tenant_mail, mail));
        break;
    case ENGINE_COLLECTORS: {
        struct collectors_mail *m = CONTAINER_OF(mail, struct collectors_mail, mail);
        state_put_collectors(e->state, span_of(m->ns), span_of(m->name), &m->list);
        break;
    }
    case ENGINE_GAPS:
        state_put_gaps(e->state, &CONTAINER_OF(mail, struct gaps_mail, mail)->gaps);
        break;
    case ENGINE_TENANTS_COMPLETE:
        complete(e);
        break;
    case ENGINE_RELEASE:
        state_release_watcher(e->state);
        break;
    default:
        assert(mail->kind == MAIL_STOP);
        e->is_stopping = true;
    }
    mail->dispose(mail);
}

static int wait_ms(const struct engine *e)
{
    int64_t now_us = clock_mono_us(), wait = -1;

    if (e->pending_us != 0) {
        int64_t left = publish_due_us(e) - now_us;
        return left <= 0 ? 0 : (int)((left + 999) / 1000);
    }
    if (e->is_pinned) {
        wait = REAP_INTERVAL_MS;
    }
    int64_t deadline = state_deadline_ms(e->state);
    if (deadline != INT64_MAX) {
        int64_t left = deadline - now_us / 1000;
        left = left < 0 ? 0 : left + 1;
        wait = wait < 0 || left < wait ? left : wait;
    }
    return (int)wait;
}

static void *run(void *arg)
{
    struct engine *e = arg;
    role_enter(engine);

    thread_background();
    while (!e->is_stopping) {
        struct pollfd fd = { .fd = mailbox_fd(e->box), .events = POLLIN };
        poll(&fd, 1, wait_ms(e));
        for (struct mail *mail = mailbox_drain(e->box), *next; mail != NULL; mail = next) {
            next = mail->next;
            take_mail(e, mail);
        }
        state_tick(e->state, clock_mono_ms());
        if (e->pending_us == 0 && state_has_news(e->state)) {
            e->pending_us = clock_mono_us();
        }
        if (e->pending_us != 0 && clock_mono_us() >= publish_due_us(e)) {
            publish(e);
        } else if (e->is_pinned) {
            reap(e);
        }
    }
    return NULL;
}

/* ---- life */

int engine_start(const struct engine_options *options, struct engine **out, struct err *err)
{
    struct engine *e = mem_zalloc(sizeof(*e));

    e->options = *options;
    e->box = mailbox_new(LIMIT_ARRIVALS);
    e->state = state_new(options->watcher);
    int rc = thread_start(&e->thread, "engine", run, e, err);
    if (rc < 0) {
        role_enter(engine); /* it never ran */
        state_free(&e->state);
        mailbox_free(&e->box);
        mem_free(e);
        return rc;
    }
    *out = e;
    return 0;
}

struct mailbox *engine_mailbox(struct engine *e)
{
    return e->box;
}

void engine_stop(struct engine *e)
{
    mailbox_post(e->box, want_signal_new(MAIL_STOP));
    thread_join(e->thread);
}

void engine_free(struct engine **engine)
{
    struct engine *e = *engine;

    if (e == NULL) {
        return;
    }
    role_enter(engine); /* its thread has ended */
    state_free(&e->state);
    mailbox_free(&e->box);
    mem_free(e);
    *engine = NULL;
}
