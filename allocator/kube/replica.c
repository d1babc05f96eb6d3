#include "allocator/kube/replica.h"

#include "allocator/base/container.h"
#include "allocator/base/hash.h"
#include "allocator/base/limits.h"

struct replica_object {
    struct table_node node;
    uint32_t key_len, cut_len;
    bool is_gone; /* aside: it is no more */
    char text[];  /* key, cut */
};

static struct span key_of(const struct replica_object *o)
{
    return span_make(o->text, o->key_len);
}

static struct span cut_of(const struct replica_object *o)
{
    return span_make(o->text + o->key_len, o->cut_len);
}

static bool has_key(const struct table_node *node, const void *key)
{
    return span_eq(key_of(CONTAINER_OF(node, struct replica_object, node)),
                   *(const struct span *)key);
}

static struct replica_object *find(const struct replica *r, struct span key)
{
    struct table_node *node = table_find(&r->objects, hash_fast(key), has_key, &key);

    return node == NULL ? NULL : CONTAINER_OF(node, struct replica_object, node);
}

static struct replica_object *object_new(struct span key, struct span cut, bool is_gone)
{
    struct replica_object *o = mem_alloc(sizeof(*o) + key.len + cut.len);

    o->key_len = (uint32_t)key.len;
    o->cut_len = (uint32_t)cut.len;
    o->is_gone = is_gone;
    memcpy(o->text, key.p, key.len);
    if (cut.len > 0) {
        memcpy(o->text + key.len, cut.p, cut.len);
    }
    return o;
}

static void take_out(struct replica *r, struct replica_object *o)
{
    table_del(&r->objects, &o->node);
    r->size_bytes -= o->key_len + o->cut_len;
}

/* Moves 'o' into the replica: it counts. */
static void count(struct replica *r, struct replica_object *o, const struct replica_hooks *hooks)
{
    struct replica_object *old = find(r, key_of(o));

    if (old == NULL ? o->is_gone : !o->is_gone && span_eq(cut_of(old), cut_of(o))) {
        mem_free(o);
        return;
    }
    if (old != NULL) {
        take_out(r, old);
    }
    if (!o->is_gone) {
        table_put(&r->objects, &o->node, hash_fast(key_of(o)));
        r->size_bytes += o->key_len + o->cut_len;
    }
    hooks->changed(hooks->arg, key_of(o));
    mem_free(old);
    if (o->is_gone) {
        mem_free(o);
    }
}

static void forget_aside(struct replica *r)
{
    vec_each(&r->aside, o) {
        mem_free(*o);
    }
    vec_fini(&r->aside);
    r->is_listing = false;
}

static void commit(struct replica *r, const struct replica_hooks *hooks)
{
    r->is_known = true;
    for (size_t i = 0; i < r->aside.n; i++) {
        count(r, r->aside.v[i], hooks);
    }
    vec_clear(&r->aside);
    forget_aside(r);
}

/* Into 'r->cut', which can be read. */
static int cut(struct replica *r, struct span object, struct err *err)
{
    union object_any any;
    int rc = object_cut(r->kind, object, &r->cut, err);

    if (rc == 0) {
        arena_reset(&r->arena);
        rc = object_view(r->kind, buf_span(&r->cut), &r->arena, &any, err);
    }
    return rc;
}

static void take_object(struct replica *r, const struct objectevent *e,
                        const struct replica_hooks *hooks)
{
    struct err err = { 0 };

    buf_clear(&r->cut);
    if (e->kind == OBJECT_SET && cut(r, e->object, &err) < 0) {
        hooks->unreadable(hooks->arg, e->key, &err);
        return;
    }
    struct replica_object *o = object_new(e->key, buf_span(&r->cut), e->kind == OBJECT_GONE);
    if (r->is_listing) {
        *vec_push(&r->aside) = o;
    } else {
        count(r, o, hooks);
    }
}

void replica_init(struct replica *r, enum object_kind kind)
{
    memset(r, 0, sizeof(*r));
    r->kind = kind;
    table_init(&r->objects);
    buf_init(&r->cut, LIMIT_KUBE_OBJECT);
    arena_init(&r->arena);
}

void replica_take(struct replica *r, const struct objectbatch *batch,
                  const struct replica_hooks *hooks)
{
    size_t n = objectbatch_count(batch);

    for (size_t i = 0; i < n; i++) {
        struct objectevent e = objectbatch_at(batch, i);
        switch (e.kind) {
        case OBJECTS_BEGIN:
            forget_aside(r);
            r->is_listing = true;
            break;
        case OBJECTS_COMMIT:
            commit(r, hooks);
            break;
        case OBJECTS_DROP:
            forget_aside(r);
            break;
        case OBJECT_SET:
        case OBJECT_GONE:
            take_object(r, &e, hooks);
            break;
        }
    }
}

bool replica_find(const struct replica *r, struct span key, struct span *out_cut)
{
    const struct replica_object *o = find(r, key);

    if (o != NULL) {
        *out_cut = cut_of(o);
    }
    return o != NULL;
}

void replica_each(const struct replica *r, void (*fn)(void *arg, struct span key, struct span cut),
                  void *arg)
{
    for (struct table_node *n = table_next(&r->objects, NULL); n != NULL;
         n = table_next(&r->objects, n)) {
        const struct replica_object *o = CONTAINER_OF(n, struct replica_object, node);
        fn(arg, key_of(o), cut_of(o));
    }
}

void replica_fini(struct replica *r)
{
    struct table_node *next;

    for (struct table_node *n = table_next(&r->objects, NULL); n != NULL; n = next) {
        next = table_next(&r->objects, n);
        mem_free(CONTAINER_OF(n, struct replica_object, node));
    }
    table_fini(&r->objects);
    forget_aside(r);
    buf_fini(&r->cut);
    arena_fini(&r->arena);
}
