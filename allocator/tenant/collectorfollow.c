#define LOG_MODULE "collectors"
#include "allocator/tenant/collectorfollow.h"

#include "allocator/base/log.h"
#include "allocator/codec/timestamp.h"

struct told { /* one batch */
    struct collectorfollow *f;
    int64_t now_ms, wall_ms;
};

static int64_t age_ms(struct span since, int64_t wall_ms)
{
    int64_t from_ms;

    return since.p != NULL && timestamp_parse(since, &from_ms) ? wall_ms - from_ms : 0;
}

static struct podstate state_of(const struct object_collector *pod, int64_t wall_ms)
{
    struct podstate state = { .name = pod->name,
                              .node = pod->node_name,
                              .address = pod->ip,
                              .is_terminating = pod->deleted.p != NULL,
                              .is_running = span_is(pod->phase, "Running"),
                              .is_ready = true, /* until it says otherwise */
                              .started_ms_ago = age_ms(pod->started, wall_ms) };

    for (size_t i = 0; i < pod->conditions.n; i++) {
        const struct object_turn *turn = &pod->conditions.v[i];
        if (span_is(turn->type, "Ready")) {
            state.is_ready = span_is(turn->status, "True");
            state.turned_ms_ago = age_ms(turn->since, wall_ms);
        }
    }
    return state;
}

void collectorfollow_unreadable(void *arg, struct span key, const struct err *err)
{
    (void)arg;
    log_warn("a pod cannot be read; it stays as it was", LOG_SPAN("pod", key),
             LOG_STR("error", err->text));
}

bool collectorfollow_read(struct span key, struct span cut, int64_t wall_ms, struct arena *arena,
                          struct object_collector *out, struct podstate *out_state)
{
    struct err err = { 0 };

    if (object_view(OBJECT_COLLECTOR, cut, arena, out, &err) < 0) {
        collectorfollow_unreadable(NULL, key, &err);
        return false;
    }
    *out_state = state_of(out, wall_ms);
    return true;
}

static void changed(void *arg, struct span key)
{
    const struct told *t = arg;
    struct object_collector pod;
    struct podstate state;
    struct span cut;

    if (!replica_find(&t->f->pods, key, &cut)) {
        collectorpods_gone(&t->f->states, object_key_name(key));
        return;
    }
    arena_reset(&t->f->arena);
    if (collectorfollow_read(key, cut, t->wall_ms, &t->f->arena, &pod, &state)) {
        collectorpods_see(&t->f->states, &state, t->now_ms);
    }
}

void collectorfollow_take(struct collectorfollow *f, const struct objectbatch *batch,
                          int64_t now_ms, int64_t wall_ms)
{
    struct told told = { f, now_ms, wall_ms };
    const struct replica_hooks hooks = { changed, collectorfollow_unreadable, &told };

    replica_take(&f->pods, batch, &hooks);
}

int64_t collectorfollow_settle(struct collectorfollow *f, int64_t now_ms)
{
    return collectorpods_settle(&f->states, now_ms);
}

bool collectorfollow_list(const struct collectorfollow *f, struct collectorlist *out)
{
    if (f->pods.is_known) {
        collectorpods_list(&f->states, out);
    }
    return f->pods.is_known;
}

void collectorfollow_init(struct collectorfollow *f, int64_t grace_ms)
{
    replica_init(&f->pods, OBJECT_COLLECTOR);
    collectorpods_init(&f->states, grace_ms);
    arena_init(&f->arena);
}

void collectorfollow_fini(struct collectorfollow *f)
{
    replica_fini(&f->pods);
    collectorpods_fini(&f->states);
    arena_fini(&f->arena);
}
