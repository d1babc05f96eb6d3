#define LOG_MODULE "kubernetes"
#include "allocator/engine/joins.h"

#include "allocator/base/container.h"
#include "allocator/base/hash.h"
#include "allocator/base/limits.h"
#include "allocator/base/log.h"

struct joins_user {
    struct join *join;
    size_t part;
};

/* Objects that the watcher follows. */
struct collection {
    struct table_node by_key, by_want;
    struct span key; /* owned: of the ask */
    uint64_t want;
    char *resource; /* for people */
    struct replica replica;
    VEC(struct joins_user) users;
};

/* A section, and all that are equal to it. */
struct join {
    struct table_node node;
    uint64_t want;
    struct rolejoin *objects;
    struct collection **collections;
    size_t n_collections;
    bool is_due;
    unsigned n_asked; /* times: everything is to be told, and settled as often */
};

/* ---- tables */

static bool is_join(const struct table_node *node, const void *key)
{
    return CONTAINER_OF(node, struct join, node)->want == *(const uint64_t *)key;
}

static struct join *find_join(const struct joins *j, uint64_t want)
{
    struct table_node *node = table_find(&j->joins, hash_mix(want), is_join, &want);

    return node == NULL ? NULL : CONTAINER_OF(node, struct join, node);
}

static bool is_collection(const struct table_node *node, const void *key)
{
    return span_eq(CONTAINER_OF(node, struct collection, by_key)->key, *(const struct span *)key);
}

static bool has_want(const struct table_node *node, const void *key)
{
    return CONTAINER_OF(node, struct collection, by_want)->want == *(const uint64_t *)key;
}

/* ---- collections */

static struct collection *new_collection(struct joins *j, const struct ask_kube *what,
                                         struct span key, uint64_t want)
{
    const struct ask ask = { .carrier = CARRIER_KUBE, .refresh_ms = 1, .kube = *what };
    struct collection *c = mem_zalloc(sizeof(*c));

    c->key = mem_dup_span(key);
    c->want = want;
    c->resource = mem_strndup(what->resource.p, what->resource.len);
    replica_init(&c->replica, kubernetes_kind(what->kind));
    table_put(&j->collections, &c->by_key, hash_fast(key));
    table_put(&j->by_want, &c->by_want, hash_mix(want));
    j->hooks.post(j->hooks.arg, &want_new(want, &ask)->mail);
    return c;
}

static struct collection *need_collection(struct joins *j, const struct ask_kube *what,
                                          uint64_t *last_id)
{
    const struct ask ask = { .carrier = CARRIER_KUBE, .kube = *what };
    AUTO_BUF bytes;

    buf_init(&bytes, LIMIT_DOCUMENT_BYTES);
    ask_key(&ask, &bytes);
    struct span key = buf_span(&bytes);
    struct table_node *node = table_find(&j->collections, hash_fast(key), is_collection, &key);
    return node != NULL ? CONTAINER_OF(node, struct collection, by_key)
                        : new_collection(j, what, key, ++*last_id);
}

static void free_collection(struct joins *j, struct collection *c)
{
    table_del(&j->collections, &c->by_key);
    table_del(&j->by_want, &c->by_want);
    replica_fini(&c->replica);
    vec_fini(&c->users);
    mem_free_span(&c->key);
    mem_free(c->resource);
    mem_free(c);
}

static void leave_collection(struct joins *j, struct collection *c, const struct join *who)
{
    size_t n = 0;

    for (size_t i = 0; i < c->users.n; i++) {
        if (c->users.v[i].join != who) {
            c->users.v[n++] = c->users.v[i];
        }
    }
    c->users.n = n;
    if (n == 0) {
        j->hooks.post(j->hooks.arg, &want_change_new(WATCHER_WANT_CANCEL, c->want)->mail);
        free_collection(j, c);
    }
}

/* ---- joins */

static void make_due(struct joins *j, struct join *one)
{
    if (!one->is_due) {
        one->is_due = true;
        *vec_push(&j->due) = one->want;
    }
}

void joins_add(struct joins *j, uint64_t want, const struct sdconfig *section,
               const struct ask *ask, uint64_t *last_id)
{
    size_t n = ask->join.n_collections;
    const struct replica **parts = mem_array(n, sizeof(*parts));
    struct join *one = mem_zalloc(sizeof(*one));
    struct kubernetes_section s;

    kubernetes_read(section, &s);
    one->want = want;
    one->collections = mem_array(n, sizeof(struct collection *));
    one->n_collections = n;
    for (size_t i = 0; i < n; i++) {
        struct collection *c = need_collection(j, &ask->join.collections[i], last_id);
        *vec_push(&c->users) = (struct joins_user){ one, i };
        one->collections[i] = c;
        parts[i] = &c->replica;
    }
    one->objects = rolejoin_new(s.role, s.attach, parts, n);
    one->n_asked = 1;
    table_put(&j->joins, &one->node, hash_mix(want));
    make_due(j, one);
    mem_free(parts);
}

void joins_refresh(struct joins *j, uint64_t want)
{
    struct join *one = find_join(j, want);

    one->n_asked++;
    make_due(j, one);
}

static void free_join(struct joins *j, struct join *one)
{
    for (size_t i = 0; i < one->n_collections; i++) {
        leave_collection(j, one->collections[i], one);
    }
    table_del(&j->joins, &one->node);
    rolejoin_free(&one->objects);
    mem_free(one->collections);
    mem_free(one);
}

void joins_cancel(struct joins *j, uint64_t want)
{
    free_join(j, find_join(j, want));
}

/* ---- telling */

struct telling {
    const struct joins *joins;
    uint64_t want;
};

static void tell_source(void *arg, struct span name, const struct role_input *in)
{
    const struct telling *t = arg;

    t->joins->hooks.source(t->joins->hooks.arg, t->want, name, in);
}

static void work_on(struct joins *j, struct join *one)
{
    struct telling to = { j, one->want };
    const struct rolejoin_hooks hooks = { tell_source, &to };

    one->is_due = false;
    if (!rolejoin_is_ready(one->objects)) {
        return; /* the last collection that comes makes it due again */
    }
    if (one->n_asked > 0) {
        rolejoin_tell_all(one->objects, &hooks);
    }
    rolejoin_flush(one->objects, &hooks);
    for (; one->n_asked > 0; one->n_asked--) {
        j->hooks.settled(j->hooks.arg, one->want);
    }
}

void joins_work(struct joins *j)
{
    for (size_t i = 0; i < j->due.n; i++) {
        struct join *one = find_join(j, j->due.v[i]);
        if (one != NULL) { /* was not cancelled meanwhile */
            work_on(j, one);
        }
    }
    vec_clear(&j->due);
}

void joins_show(const struct joins *j, uint64_t want,
                void (*fn)(void *arg, struct span name, const struct role_input *in), void *arg)
{
    struct join *one = find_join(j, want);

    if (one != NULL && rolejoin_is_ready(one->objects)) {
        rolejoin_show_all(one->objects, &(struct rolejoin_hooks){ fn, arg });
    }
}

/* ---- what comes */

struct taking {
    struct joins *joins;
    struct collection *collection;
};

static void object_changed(void *arg, struct span key)
{
    const struct taking *t = arg;

    vec_each(&t->collection->users, user) {
        rolejoin_touch(user->join->objects, user->part, key);
    }
}

static void object_unreadable(void *arg, struct span key, const struct err *err)
{
    const struct taking *t = arg;

    log_warn("a Kubernetes object cannot be read; it counts as it was before",
             LOG_STR("resource", t->collection->resource), LOG_SPAN("object", key),
             LOG_STR("error", err->text));
}

void joins_arrive(struct joins *j, const struct object_arrival *a)
{
    struct table_node *node = table_find(&j->by_want, hash_mix(a->want), has_want, &a->want);

    if (node == NULL) {
        return; /* was dropped while the arrival was under way */
    }
    struct collection *c = CONTAINER_OF(node, struct collection, by_want);
    struct taking taking = { j, c };
    const struct replica_hooks hooks = { object_changed, object_unreadable, &taking };
    if (a->batch != NULL) {
        replica_take(&c->replica, a->batch, &hooks);
        vec_each(&c->users, user) {
            make_due(j, user->join);
        }
    }
}

/* ---- life */

void joins_init(struct joins *j, const struct joins_hooks *hooks)
{
    *j = (struct joins){ .hooks = *hooks };
    table_init(&j->joins);
    table_init(&j->collections);
    table_init(&j->by_want);
}

static void post_nothing(void *arg, struct mail *mail)
{
    (void)arg;
    mail->dispose(mail);
}

void joins_fini(struct joins *j)
{
    struct table_node *next;

    j->hooks.post = post_nothing; /* the watcher is on its way out */

    for (struct table_node *n = table_next(&j->joins, NULL); n != NULL; n = next) {
        next = table_next(&j->joins, n);
        free_join(j, CONTAINER_OF(n, struct join, node));
    }
    table_fini(&j->joins);
    table_fini(&j->collections);
    table_fini(&j->by_want);
    vec_fini(&j->due);
}
