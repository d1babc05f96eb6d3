#include "allocator/tenant/podgroups.h"

#include "allocator/base/container.h"
#include "allocator/base/hash.h"
#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "allocator/tenant/collectorfollow.h"

#define INSTANCE_MAX 63 /* characters of a label's value */

struct podgroup {
    struct table_node node;
    char *key; /* "namespace/instance" */
    size_t n_pods;
    struct collectorpods states;
    int64_t due_ms;
    bool is_touched;
};

struct member { /* a pod */
    struct table_node node;
    char *key; /* "namespace/name" */
    struct podgroup *group;
};

void podgroups_instance(struct span ns, struct span name, struct buf *out)
{
    size_t len = ns.len + 1 + name.len, from = out->len;
    size_t excess = len > INSTANCE_MAX ? len - INSTANCE_MAX : 0;

    buf_add_span(out, span_make(ns.p, excess < ns.len ? ns.len - excess : 0));
    buf_add_char(out, '.');
    buf_add_span(out, name);
    if (out->len - from > INSTANCE_MAX) {
        out->len = from + INSTANCE_MAX;
    }
}

void podgroups_key(struct span ns, struct span name, struct buf *out)
{
    buf_add_span(out, ns);
    buf_add_char(out, '/');
    podgroups_instance(ns, name, out);
}

/* ---- groups */

static bool is_group(const struct table_node *node, const void *key)
{
    return span_is(*(const struct span *)key, CONTAINER_OF(node, struct podgroup, node)->key);
}

static bool is_member(const struct table_node *node, const void *key)
{
    return span_is(*(const struct span *)key, CONTAINER_OF(node, struct member, node)->key);
}

static struct podgroup *find_group(const struct podgroups *g, struct span key)
{
    struct table_node *node = table_find(&g->groups, hash_fast(key), is_group, &key);

    return node == NULL ? NULL : CONTAINER_OF(node, struct podgroup, node);
}

static struct podgroup *need_group(struct podgroups *g, struct span key)
{
    struct podgroup *group = find_group(g, key);

    if (group == NULL) {
        group = mem_zalloc(sizeof(*group));
        group->key = mem_strndup(key.p, key.len);
        group->due_ms = INT64_MAX;
        collectorpods_init(&group->states, g->grace_ms);
        table_put(&g->groups, &group->node, hash_fast(key));
    }
    return group;
}

static void free_group(struct podgroup *group)
{
    collectorpods_fini(&group->states);
    mem_free(group->key);
    mem_free(group);
}

static void touch(struct podgroups *g, struct podgroup *group)
{
    if (!group->is_touched) {
        group->is_touched = true;
        *vec_push(&g->touched) = group;
    }
}

/* ---- pods */

struct told { /* one batch */
    struct podgroups *g;
    int64_t now_ms, wall_ms;
};

static struct member *find_member(const struct podgroups *g, struct span key)
{
    struct table_node *node = table_find(&g->members, hash_fast(key), is_member, &key);

    return node == NULL ? NULL : CONTAINER_OF(node, struct member, node);
}

static void leave(struct podgroups *g, struct member *m)
{
    collectorpods_gone(&m->group->states, object_key_name(span_of(m->key)));
    m->group->n_pods--;
    touch(g, m->group);
}

static void join(struct podgroups *g, struct span key, struct member *m, struct podgroup *group)
{
    if (m == NULL) {
        m = mem_zalloc(sizeof(*m));
        m->key = mem_strndup(key.p, key.len);
        table_put(&g->members, &m->node, hash_fast(key));
    }
    m->group = group;
    group->n_pods++;
}

static void free_member(struct member *m)
{
    mem_free(m->key);
    mem_free(m);
}

/* The key of the group that a pod says it is of. */
static struct span group_of(const struct object_collector *pod, struct span key,
                            struct arena *arena)
{
    struct span ns = object_key_namespace(key), instance = { "", 0 };

    for (size_t i = 0; i < pod->labels.n; i++) {
        if (span_is(pod->labels.v[i].name, "app.kubernetes.io/instance")) {
            instance = pod->labels.v[i].value;
        }
    }
    return span_of(arena_printf(arena, "%.*s/%.*s", SPAN_ARG(ns), SPAN_ARG(instance)));
}

static void see(const struct told *t, struct span key, struct span cut)
{
    struct podgroups *g = t->g;
    struct object_collector pod;
    struct podstate state;

    if (!collectorfollow_read(key, cut, t->wall_ms, &g->arena, &pod, &state)) {
        return;
    }
    struct podgroup *group = need_group(g, group_of(&pod, key, &g->arena));
    struct member *m = find_member(g, key);
    if (m == NULL || m->group != group) {
        if (m != NULL) {
            leave(g, m);
        }
        join(g, key, m, group);
    }
    collectorpods_see(&group->states, &state, t->now_ms);
    touch(g, group);
}

static void pod_changed(void *arg, struct span key)
{
    const struct told *t = arg;
    struct span cut;

    arena_reset(&t->g->arena);
    if (replica_find(&t->g->pods, key, &cut)) {
        see(t, key, cut);
        return;
    }
    struct member *m = find_member(t->g, key);
    if (m != NULL) {
        leave(t->g, m);
        table_del(&t->g->members, &m->node);
        free_member(m);
    }
}

void podgroups_take(struct podgroups *g, const struct objectbatch *batch, int64_t now_ms,
                    int64_t wall_ms)
{
    struct told told = { g, now_ms, wall_ms };
    const struct replica_hooks hooks = { pod_changed, collectorfollow_unreadable, &told };

    replica_take(&g->pods, batch, &hooks);
}

/* ---- time */

static void touch_due(struct podgroups *g, int64_t now_ms)
{
    if (now_ms < g->due_ms) {
        return;
    }
    g->due_ms = INT64_MAX;
    for (struct table_node *n = table_next(&g->groups, NULL); n != NULL;
         n = table_next(&g->groups, n)) {
        struct podgroup *group = CONTAINER_OF(n, struct podgroup, node);
        if (group->due_ms <= now_ms) {
            touch(g, group);
        } else if (group->due_ms < g->due_ms) {
            g->due_ms = group->due_ms;
        }
    }
}

void podgroups_settle(struct podgroups *g, int64_t now_ms,
                      void (*changed)(void *arg, struct span key), void *arg)
{
    touch_due(g, now_ms);
    vec_each(&g->touched, place) {
        struct podgroup *group = *place;
        group->is_touched = false;
        group->due_ms = collectorpods_settle(&group->states, now_ms);
        g->due_ms = group->due_ms < g->due_ms ? group->due_ms : g->due_ms;
        changed(arg, span_of(group->key));
        if (group->n_pods == 0 && group->due_ms == INT64_MAX) {
            table_del(&g->groups, &group->node);
            free_group(group);
        }
    }
    vec_clear(&g->touched);
}

bool podgroups_list(const struct podgroups *g, struct span key, struct collectorlist *out)
{
    const struct podgroup *group = find_group(g, key);

    if (g->pods.is_known && group != NULL) {
        collectorpods_list(&group->states, out);
    }
    return g->pods.is_known;
}

/* ---- life */

void podgroups_init(struct podgroups *g, int64_t grace_ms)
{
    *g = (struct podgroups){ .grace_ms = grace_ms, .due_ms = INT64_MAX };
    replica_init(&g->pods, OBJECT_COLLECTOR);
    table_init(&g->members);
    table_init(&g->groups);
    arena_init(&g->arena);
}

void podgroups_fini(struct podgroups *g)
{
    for (struct table_node *n = table_next(&g->members, NULL), *next; n != NULL; n = next) {
        next = table_next(&g->members, n);
        free_member(CONTAINER_OF(n, struct member, node));
    }
    for (struct table_node *n = table_next(&g->groups, NULL), *next; n != NULL; n = next) {
        next = table_next(&g->groups, n);
        free_group(CONTAINER_OF(n, struct podgroup, node));
    }
    table_fini(&g->members);
    table_fini(&g->groups);
    vec_fini(&g->touched);
    replica_fini(&g->pods);
    arena_fini(&g->arena);
}
