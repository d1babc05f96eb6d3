#include "allocator/tenant/collectorpods.h"

#include "allocator/base/container.h"
#include "allocator/base/hash.h"
#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "allocator/base/vec.h"

#include <stdlib.h>

enum {
    MOST_DOUBLINGS = 4,
    FORGIVEN_AFTER_MS = 600000,
};

enum stage {
    STAGE_AWAY,   /* no collector: no node yet, or terminating */
    STAGE_IN,     /* a collector, and well */
    STAGE_FADING, /* a collector, ill; until its deadline */
    STAGE_OUT,    /* no collector: ill for too long */
    STAGE_HELD,   /* no collector yet: well again; until its deadline */
    STAGES,
};

enum event {
    EVENT_AWAY, /* seen without a node, or terminating */
    EVENT_WELL,
    EVENT_ILL,
    EVENT_DUE,   /* its deadline has come */
    EVENT_ALONE, /* there is no collector */
    EVENTS,
};

static const enum stage steps[STAGES][EVENTS] = {
    [STAGE_AWAY] = {
        [EVENT_AWAY] = STAGE_AWAY,
        [EVENT_WELL] = STAGE_IN,
        [EVENT_ILL] = STAGE_FADING, /* how long it has been so decides */
        [EVENT_DUE] = STAGE_AWAY,
        [EVENT_ALONE] = STAGE_AWAY,
    },
    [STAGE_IN] = {
        [EVENT_AWAY] = STAGE_AWAY,
        [EVENT_WELL] = STAGE_IN,
        [EVENT_ILL] = STAGE_FADING,
        [EVENT_DUE] = STAGE_IN,
        [EVENT_ALONE] = STAGE_IN,
    },
    [STAGE_FADING] = {
        [EVENT_AWAY] = STAGE_AWAY,
        [EVENT_WELL] = STAGE_IN,
        [EVENT_ILL] = STAGE_FADING,
        [EVENT_DUE] = STAGE_OUT,
        [EVENT_ALONE] = STAGE_FADING,
    },
    [STAGE_OUT] = {
        [EVENT_AWAY] = STAGE_AWAY,
        [EVENT_WELL] = STAGE_HELD,
        [EVENT_ILL] = STAGE_OUT,
        [EVENT_DUE] = STAGE_OUT,
        [EVENT_ALONE] = STAGE_OUT,
    },
    [STAGE_HELD] = {
        [EVENT_AWAY] = STAGE_AWAY,
        [EVENT_WELL] = STAGE_HELD,
        [EVENT_ILL] = STAGE_OUT,
        [EVENT_DUE] = STAGE_IN,
        [EVENT_ALONE] = STAGE_IN,
    },
};

struct pod {
    struct table_node node;
    struct span name, runs_on, address;
    enum stage stage;
    int n_out;           /* times it was out for its health, not forgiven */
    int64_t counts_ms;   /* since when it is a collector, or was last */
    int64_t deadline_ms; /* INT64_MAX: none */
};

static bool is_collector(const struct pod *pod)
{
    return pod->stage == STAGE_IN || pod->stage == STAGE_FADING;
}

/* Whoever is held was out at least once. */
static int64_t hold_ms(const struct collectorpods *p, const struct pod *pod)
{
    return p->grace_ms << (pod->n_out - 1);
}

static void leave_for_health(struct pod *pod, int64_t now_ms)
{
    if (now_ms - pod->counts_ms >= FORGIVEN_AFTER_MS) {
        pod->n_out = 0;
    }
    pod->n_out += pod->n_out <= MOST_DOUBLINGS;
}

/* 'ill_ms': since when it is ill, where that is the event. */
static void step(struct collectorpods *p, struct pod *pod, enum event event, int64_t ill_ms,
                 int64_t now_ms)
{
    enum stage from = pod->stage;
    bool was_collector = is_collector(pod);

    pod->stage = steps[from][event];
    if (is_collector(pod) && !was_collector) {
        pod->counts_ms = now_ms;
    }
    switch (pod->stage) {
    case STAGE_FADING:
        /* What was not well in between is ill since the first time. */
        if (from != STAGE_FADING || ill_ms + p->grace_ms < pod->deadline_ms) {
            pod->deadline_ms = ill_ms + p->grace_ms;
        }
        break;
    case STAGE_HELD:
        if (from != STAGE_HELD) {
            pod->deadline_ms = now_ms + hold_ms(p, pod);
        }
        break;
    case STAGE_OUT:
        if (from == STAGE_FADING) {
            leave_for_health(pod, now_ms);
        }
        pod->deadline_ms = INT64_MAX;
        break;
    case STAGE_AWAY:
    case STAGE_IN:
    case STAGES:
    default:
        pod->deadline_ms = INT64_MAX;
        break;
    }
}

/* ---- what is told */

static bool is_name(const struct table_node *node, const void *key)
{
    return span_eq(CONTAINER_OF(node, struct pod, node)->name, *(const struct span *)key);
}

static struct pod *find(const struct collectorpods *p, struct span name)
{
    struct table_node *node = table_find(&p->pods, hash_fast(name), is_name, &name);

    return node == NULL ? NULL : CONTAINER_OF(node, struct pod, node);
}

static void replace(struct span *text, struct span by)
{
    if (!span_eq(*text, by)) {
        mem_free_span(text);
        *text = mem_dup_span(by);
    }
}

static struct pod *find_or_add(struct collectorpods *p, struct span name)
{
    struct pod *pod = find(p, name);

    if (pod == NULL) {
        pod = mem_zalloc(sizeof(*pod));
        pod->name = mem_dup_span(name);
        pod->runs_on = mem_dup_span(SPAN_LIT(""));
        pod->address = mem_dup_span(SPAN_LIT(""));
        pod->deadline_ms = INT64_MAX;
        table_put(&p->pods, &pod->node, hash_fast(name));
    }
    return pod;
}

static enum event event_of(const struct collectorpods *p, const struct podstate *pod,
                           int64_t *out_ill_for_ms)
{
    *out_ill_for_ms = 0;
    if (pod->is_terminating || pod->node.len == 0) {
        return EVENT_AWAY;
    }
    if (p->grace_ms == 0 || (pod->is_running && pod->is_ready)) {
        return EVENT_WELL;
    }
    if (!pod->is_running && pod->started_ms_ago > *out_ill_for_ms) {
        *out_ill_for_ms = pod->started_ms_ago;
    }
    if (!pod->is_ready && pod->turned_ms_ago > *out_ill_for_ms) {
        *out_ill_for_ms = pod->turned_ms_ago;
    }
    return EVENT_ILL;
}

void collectorpods_see(struct collectorpods *p, const struct podstate *pod, int64_t now_ms)
{
    struct pod *known = find_or_add(p, pod->name);
    int64_t ill_for_ms;
    enum event event = event_of(p, pod, &ill_for_ms);

    replace(&known->runs_on, pod->node);
    replace(&known->address, pod->address);
    /* What was due before this was seen happened before it. */
    if (known->deadline_ms <= now_ms) {
        step(p, known, EVENT_DUE, 0, now_ms);
    }
    step(p, known, event, now_ms - ill_for_ms, now_ms);
}

static void free_pod(struct pod *pod)
{
    mem_free_span(&pod->name);
    mem_free_span(&pod->runs_on);
    mem_free_span(&pod->address);
    mem_free(pod);
}

void collectorpods_gone(struct collectorpods *p, struct span name)
{
    struct pod *pod = find(p, name);

    if (pod != NULL) {
        table_del(&p->pods, &pod->node);
        free_pod(pod);
    }
}

/* ---- what follows */

static struct pod *next(const struct collectorpods *p, const struct pod *prev)
{
    struct table_node *node = table_next(&p->pods, prev == NULL ? NULL : &prev->node);

    return node == NULL ? NULL : CONTAINER_OF(node, struct pod, node);
}

int64_t collectorpods_settle(struct collectorpods *p, int64_t now_ms)
{
    int64_t next_ms = INT64_MAX;
    size_t n_collectors = 0;

    for (struct pod *pod = next(p, NULL); pod != NULL; pod = next(p, pod)) {
        if (pod->deadline_ms <= now_ms) {
            step(p, pod, EVENT_DUE, 0, now_ms);
        }
        n_collectors += is_collector(pod);
    }
    for (struct pod *pod = next(p, NULL); pod != NULL; pod = next(p, pod)) {
        if (n_collectors == 0) {
            step(p, pod, EVENT_ALONE, 0, now_ms);
        }
        next_ms = pod->deadline_ms < next_ms ? pod->deadline_ms : next_ms;
    }
    return next_ms;
}

static int by_name(const void *a, const void *b)
{
    return span_cmp((*(const struct pod *const *)a)->name, (*(const struct pod *const *)b)->name);
}

void collectorpods_list(const struct collectorpods *p, struct collectorlist *out)
{
    VEC(const struct pod *) pods = { 0 };

    for (struct pod *pod = next(p, NULL); pod != NULL; pod = next(p, pod)) {
        if (is_collector(pod)) {
            *vec_push(&pods) = pod;
        }
    }
    if (pods.n > 1) {
        qsort(pods.v, pods.n, sizeof(*pods.v), by_name);
    }
    size_t n = pods.n < LIMIT_COLLECTORS ? pods.n : LIMIT_COLLECTORS;
    struct strategy_collector *v = mem_array(n + 1, sizeof(*v));
    for (size_t i = 0; i < n; i++) {
        v[i] =
            (struct strategy_collector){ pods.v[i]->name, pods.v[i]->runs_on, pods.v[i]->address };
    }
    const struct collectorlist borrowed = { .v = v, .n = n };
    collectorlist_copy(out, &borrowed);
    mem_free(v);
    vec_fini(&pods);
}

void collectorpods_init(struct collectorpods *p, int64_t grace_ms)
{
    table_init(&p->pods);
    p->grace_ms = grace_ms;
}

void collectorpods_fini(struct collectorpods *p)
{
    struct pod *pod = next(p, NULL);

    while (pod != NULL) {
        struct pod *following = next(p, pod);
        free_pod(pod);
        pod = following;
    }
    table_fini(&p->pods);
}
