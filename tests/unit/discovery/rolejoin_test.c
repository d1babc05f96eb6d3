/* Joins beside a full computation: a cluster of few names, where everything points to everything,
 * changes at random, in small steps and by lists. After each step what a join has told, source by
 * source, is what a join that is made now tells at once; and a step that changes nothing that was
 * looked up tells nothing. */
#include "allocator/discovery/rolejoin.h"

#include "allocator/base/container.h"
#include "allocator/base/hash.h"
#include "tests/check.h"

#include <stdio.h>
#include <stdlib.h>

enum { STEPS = 400, NAMES = 4, MOST_SOURCES = 64 };

static uint64_t seed = 7;

static unsigned chance(unsigned n)
{
    seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
    return (unsigned)((seed >> 33) % n);
}

/* ---- what a listener knows */

struct known {
    char name[64];
    uint64_t hash; /* of all that its targets are */
};
struct listener {
    struct strpool pool;
    struct sd_batch batch;
    struct known v[MOST_SOURCES];
    size_t n;
    size_t n_told;
};

static uint64_t hash_of(const struct sd_batch *b)
{
    struct hash64_state st;

    hash64_begin(&st);
    for (size_t i = 0; i < b->groups.n; i++) {
        const struct sd_group *g = &b->groups.v[i];
        hash64_add(&st, g->targets[0]);
        for (uint32_t f = 0; f < g->shape->n; f++) {
            hash64_add(&st, str_span(g->shape->fields[f].name));
            hash64_add(&st, SPAN_LIT("="));
            hash64_add(&st, g->values[f]);
            hash64_add(&st, SPAN_LIT(";"));
        }
    }
    return hash64_end(&st);
}

static struct known *find_known(struct listener *l, struct span name)
{
    for (size_t i = 0; i < l->n; i++) {
        if (span_is(name, l->v[i].name)) {
            return &l->v[i];
        }
    }
    return NULL;
}

static void changed(void *arg, struct span name, const struct role_input *in)
{
    struct listener *l = arg;
    struct known *k = find_known(l, name);
    const struct role_ops *role = roles[0];

    l->n_told++;
    if (in == NULL) {
        ok(k != NULL, "%.*s was told before it went", SPAN_ARG(name));
        if (k != NULL) {
            *k = l->v[--l->n];
        }
        return;
    }
    for (const struct role_ops *const *r = roles; *r != NULL; r++) {
        role = span_has_prefix(name, (*r)->source_prefix) ? *r : role;
    }
    if (k == NULL && l->n < MOST_SOURCES) {
        k = &l->v[l->n++];
        (void)snprintf(k->name, sizeof(k->name), "%.*s", SPAN_ARG(name));
    }
    sd_batch_reset(&l->batch);
    struct err err = { 0 };
    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): there are roles */
    int rc = role->digest(in, &l->batch, &err);
    if (rc == 0 && k != NULL) {
        k->hash = hash_of(&l->batch);
    } else if (k != NULL) {
        k->hash = (uint64_t)-rc;
    }
}

static void listener_init(struct listener *l)
{
    memset(l, 0, sizeof(*l));
    strpool_init(&l->pool);
    sd_batch_init(&l->batch, &l->pool);
}

static void listener_fini(struct listener *l)
{
    sd_batch_fini(&l->batch);
    strpool_fini(&l->pool);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct known *)a)->name, ((const struct known *)b)->name);
}

static bool are_equal(struct listener *a, struct listener *b)
{
    bool is_equal = a->n == b->n;

    qsort(a->v, a->n, sizeof(a->v[0]), by_name);
    qsort(b->v, b->n, sizeof(b->v[0]), by_name);
    for (size_t i = 0; is_equal && i < a->n; i++) {
        is_equal = strcmp(a->v[i].name, b->v[i].name) == 0 && a->v[i].hash == b->v[i].hash;
    }
    return is_equal;
}

/* ---- the cluster */

static struct replica replicas[OBJECT_N_KINDS];
static struct objectdraft draft;

static const char *const spaces[] = { "x", "y" };

static void write_meta(struct buf *out, enum object_kind kind, unsigned name, const char *ns)
{
    static const char *const owners[] = { "ReplicaSet", "Job", "Deployment", "CronJob" };

    buf_addf(out, "{\"metadata\":{\"name\":\"n%u\"", name);
    if (*ns != '\0') {
        buf_addf(out, ",\"namespace\":\"%s\"", ns);
    }
    buf_addf(out, ",\"labels\":{\"v\":\"%u\",\"kubernetes.io/service-name\":\"n%u\"}", chance(3),
             chance(NAMES));
    if (chance(2) == 0) {
        unsigned first = kind == OBJECT_POD ? 0 : 2;
        buf_addf(out,
                 ",\"ownerReferences\":[{\"kind\":\"%s\",\"name\":\"n%u\",\"controller\":true}]",
                 owners[first + chance(2)], chance(NAMES));
    }
    buf_add_str(out, "}");
}

static void write_ref(struct buf *out)
{
    unsigned what = chance(4);

    if (what == 0) {
        buf_addf(out, ",\"targetRef\":{\"kind\":\"Node\",\"name\":\"n%u\"}", chance(NAMES));
    } else if (what < 3) {
        buf_addf(out, ",\"targetRef\":{\"kind\":\"Pod\",\"namespace\":\"%s\",\"name\":\"n%u\"}",
                 spaces[chance(2)], chance(NAMES));
    }
    if (chance(2) == 0) {
        buf_addf(out, ",\"nodeName\":\"n%u\"", chance(NAMES));
    }
}

static void write_object(struct buf *out, enum object_kind kind, unsigned name, const char *ns)
{
    write_meta(out, kind, name, ns);
    switch (kind) {
    case OBJECT_NODE:
        buf_addf(out, ",\"status\":{\"addresses\":[%s]}",
                 chance(4) == 0 ? "" : "{\"type\":\"InternalIP\",\"address\":\"10.0.0.1\"}");
        break;
    case OBJECT_POD:
        buf_addf(out,
                 ",\"spec\":{\"nodeName\":\"n%u\",\"containers\":[{\"name\":\"c\",\"ports\":[{"
                 "\"containerPort\":8%u},{\"containerPort\":9%u}]}]},\"status\":{\"podIP\":\"%s\"}",
                 chance(NAMES), chance(2), chance(2), chance(4) == 0 ? "" : "10.1.0.1");
        break;
    case OBJECT_SERVICE:
        buf_addf(out,
                 ",\"spec\":{\"ipFamilyPolicy\":\"%s\",\"ipFamilies\":[\"IPv4\"],\"ports\":[{"
                 "\"port\":80}]}",
                 chance(2) == 0 ? "SingleStack" : "PreferDualStack");
        break;
    case OBJECT_ENDPOINTS:
        buf_add_str(out, ",\"subsets\":[{\"addresses\":[{\"ip\":\"10.1.0.1\"");
        write_ref(out);
        buf_add_str(out, "},{\"ip\":\"10.1.0.2\"");
        write_ref(out);
        buf_addf(out, "}],\"ports\":[{\"port\":8%u}]}]", chance(2));
        break;
    case OBJECT_ENDPOINTSLICE:
        buf_addf(out, ",\"addressType\":\"%s\",\"endpoints\":[{\"addresses\":[\"10.1.0.1\"]",
                 chance(2) == 0 ? "IPv4" : "IPv6");
        write_ref(out);
        buf_addf(out, "}],\"ports\":[{\"port\":8%u}]", chance(2));
        break;
    case OBJECT_INGRESS:
        buf_addf(out, ",\"spec\":{\"rules\":[{\"host\":\"h%u\"}]}", chance(2));
        break;
    case OBJECT_NAMESPACE:
    case OBJECT_REPLICASET:
    case OBJECT_JOB:
    case OBJECT_N_KINDS:
    case OBJECT_CUSTOM:
    case OBJECT_N_ALL_KINDS:
        break;
    }
    buf_add_str(out, "}");
}

static bool has_namespace(enum object_kind kind)
{
    return kind != OBJECT_NODE && kind != OBJECT_NAMESPACE;
}

static void change_one(enum object_kind kind)
{
    bool is_namespaced = has_namespace(kind);
    unsigned name = chance(NAMES);
    const char *ns = is_namespaced ? spaces[chance(2)] : "";
    size_t before = draft.text.len;
    char key[16];

    if (kind == OBJECT_NAMESPACE) {
        (void)snprintf(key, sizeof(key), "%s", spaces[name % 2]);
    } else {
        (void)snprintf(key, sizeof(key), "%s%sn%u", ns, is_namespaced ? "/" : "", name);
    }
    if (chance(3) == 0) {
        objectdraft_add(&draft, OBJECT_GONE, 0, span_of(key), SPAN_LIT(""));
        return;
    }
    write_object(&draft.text, kind, name, ns);
    objectdraft_add(&draft, OBJECT_SET, draft.text.len - before, span_of(key), SPAN_LIT("1"));
}

/* ---- joins of it */

#define MOST_JOINS 12

struct watched {
    struct rolejoin *join;
    struct listener listener;
    const struct role_ops *role;
    struct role_attach attach;
    const struct replica *parts[OBJECT_N_KINDS];
    size_t n_parts;
};

static struct watched joins[MOST_JOINS];

static void changed_object(void *arg, struct span key)
{
    const struct replica *r = arg;

    for (size_t i = 0; i < MOST_JOINS; i++) {
        for (size_t p = 0; p < joins[i].n_parts; p++) {
            if (joins[i].parts[p] == r) {
                rolejoin_touch(joins[i].join, p, key);
            }
        }
    }
}

static void unreadable(void *arg, struct span key, const struct err *err)
{
    (void)arg;
    ok(false, "%.*s can be read: %s", SPAN_ARG(key), err->text);
}

static void take(enum object_kind kind)
{
    const struct replica_hooks hooks = { changed_object, unreadable, &replicas[kind] };
    struct objectbatch *batch = objectdraft_take(&draft);

    if (batch != NULL) {
        replica_take(&replicas[kind], batch, &hooks);
        objectbatch_free(&batch);
    }
}

static void make_parts(struct watched *w)
{
    unsigned kinds = 1U << w->role->kind | w->role->joined |
                     (w->role->attached == NULL ? 0 : w->role->attached(w->attach));

    for (unsigned kind = 0; kind < OBJECT_N_KINDS; kind++) {
        if ((kinds & 1U << kind) != 0) {
            w->parts[w->n_parts++] = &replicas[kind];
        }
    }
}

static void check_all(int step)
{
    for (size_t i = 0; i < MOST_JOINS; i++) {
        struct watched *w = &joins[i];
        struct listener fresh;
        struct rolejoin_hooks hooks = { changed, &w->listener };
        rolejoin_flush(w->join, &hooks);
        listener_init(&fresh);
        hooks.arg = &fresh;
        struct rolejoin *full = rolejoin_new(w->role, w->attach, w->parts, w->n_parts);
        rolejoin_flush(full, &hooks);
        is_int(rolejoin_count(w->join), rolejoin_count(full), "step %d: as many sources", step);
        ok(are_equal(&w->listener, &fresh), "step %d: %s%s as computed anew", step, w->role->name,
           i % 2 == 0 ? "" : " with all attached");
        fresh.n = 0;
        rolejoin_tell_all(full, &hooks);
        ok(are_equal(&w->listener, &fresh), "step %d: who joins later hears the same", step);
        rolejoin_free(&full);
        listener_fini(&fresh);
    }
}

/* Nobody is told of what does not concern them. */
static void check_quiet(void)
{
    for (size_t i = 0; i < MOST_JOINS; i++) {
        struct watched *w = &joins[i];
        struct rolejoin_hooks hooks = { changed, &w->listener };
        w->listener.n_told = 0;
        rolejoin_flush(w->join, &hooks);
        is_int(w->listener.n_told, 0, "%s: nothing was touched", w->role->name);
    }
}

int main(void)
{
    objectdraft_init(&draft, 1 << 20);
    for (unsigned kind = 0; kind < OBJECT_N_KINDS; kind++) {
        replica_init(&replicas[kind], (enum object_kind)kind);
    }
    for (size_t i = 0; i < MOST_JOINS; i++) {
        const bool all = i % 2 == 1;
        joins[i].role = roles[i / 2];
        joins[i].attach = (struct role_attach){ all, all, all, all, all };
        make_parts(&joins[i]);
        joins[i].join =
            rolejoin_new(joins[i].role, joins[i].attach, joins[i].parts, joins[i].n_parts);
        listener_init(&joins[i].listener);
        ok(!rolejoin_is_ready(joins[i].join), "%s: nothing is known yet", joins[i].role->name);
    }
    for (unsigned kind = 0; kind < OBJECT_N_KINDS; kind++) {
        objectdraft_mark(&draft, OBJECTS_BEGIN);
        objectdraft_mark(&draft, OBJECTS_COMMIT);
        take((enum object_kind)kind);
    }
    for (size_t i = 0; i < MOST_JOINS; i++) {
        ok(rolejoin_is_ready(joins[i].join), "%s: all is known", joins[i].role->name);
    }
    for (int step = 0; step < STEPS; step++) {
        enum object_kind kind = (enum object_kind)chance(OBJECT_N_KINDS);
        bool is_list = chance(8) == 0;
        if (is_list) {
            objectdraft_mark(&draft, OBJECTS_BEGIN);
        }
        for (unsigned n = 1 + chance(3); n > 0; n--) {
            change_one(kind);
        }
        if (is_list) {
            take(kind);
            check_quiet();
            objectdraft_mark(&draft, chance(4) == 0 ? OBJECTS_DROP : OBJECTS_COMMIT);
        }
        take(kind);
        check_all(step);
        check_quiet();
    }
    for (size_t i = 0; i < MOST_JOINS; i++) {
        rolejoin_free(&joins[i].join);
        listener_fini(&joins[i].listener);
    }
    for (unsigned kind = 0; kind < OBJECT_N_KINDS; kind++) {
        replica_fini(&replicas[kind]);
    }
    objectdraft_fini(&draft);
    return check_done();
}
