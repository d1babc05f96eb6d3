#include "allocator/kube/objectindex.h"

#include "allocator/base/container.h"
#include "allocator/base/hash.h"
#include "allocator/base/mem.h"

#include <assert.h>

struct object {
    struct table_node node;
    struct objectmark known;  /* when is_known */
    struct objectmark listed; /* by list 'list' */
    uint32_t list;            /* the last that had it; 0: none */
    uint32_t key_len;
    bool is_known;
    char key[];
};

/* Up to 19 digits: what fits. */
static bool number_of(struct span s, uint64_t *out)
{
    uint64_t n = 0;

    if (s.len == 0 || s.len > 19) {
        return false;
    }
    for (size_t i = 0; i < s.len; i++) {
        if (s.p[i] < '0' || s.p[i] > '9') {
            return false;
        }
        n = 10 * n + (uint64_t)(s.p[i] - '0');
    }
    *out = n;
    return true;
}

struct objectmark objectmark_of(const struct objecthead *head)
{
    struct objectmark mark = { .uid = hash_fast(head->uid) };

    mark.is_ordered = number_of(head->version, &mark.version);
    if (!mark.is_ordered) {
        mark.version = hash_fast(head->version);
    }
    return mark;
}

static bool is_same(const struct objectmark *a, const struct objectmark *b)
{
    return a->uid == b->uid && a->version == b->version && a->is_ordered == b->is_ordered;
}

static bool is_older(const struct objectmark *a, const struct objectmark *b)
{
    return a->is_ordered && b->is_ordered && a->version < b->version;
}

static bool is_key(const struct table_node *node, const void *key)
{
    const struct object *o = CONTAINER_OF(node, struct object, node);

    return span_eq(span_make(o->key, o->key_len), *(const struct span *)key);
}

static struct object *find(const struct objectindex *x, struct span key, uint64_t hash)
{
    struct table_node *node = table_find(&x->table, hash, is_key, &key);

    return node == NULL ? NULL : CONTAINER_OF(node, struct object, node);
}

static struct object *add(struct objectindex *x, struct span key, uint64_t hash)
{
    struct object *o = mem_zalloc(sizeof(*o) + key.len);

    o->key_len = (uint32_t)key.len;
    memcpy(o->key, key.p, key.len);
    table_put(&x->table, &o->node, hash);
    x->bytes += sizeof(*o) + key.len;
    return o;
}

static void drop(struct objectindex *x, struct object *o)
{
    x->n -= o->is_known;
    x->bytes -= sizeof(*o) + o->key_len;
    table_del(&x->table, &o->node);
    mem_free(o);
}

void objectindex_init(struct objectindex *x)
{
    *x = (struct objectindex){ 0 };
    table_init(&x->table);
}

static enum objectindex_news compare(const struct object *o, const struct objectmark *mark,
                                     bool is_list)
{
    if (!o->is_known) {
        return OBJECT_IS_NEW;
    }
    if (is_same(&o->known, mark)) {
        return OBJECT_IS_SAME;
    }
    if (!is_list && is_older(mark, &o->known)) {
        return OBJECT_IS_OLDER;
    }
    return o->known.uid == mark->uid ? OBJECT_IS_CHANGED : OBJECT_IS_REPLACED;
}

enum objectindex_news objectindex_note(struct objectindex *x, struct span key,
                                       struct objectmark mark)
{
    uint64_t hash = hash_fast(key);
    struct object *o = find(x, key, hash);

    if (o == NULL) {
        o = add(x, key, hash);
    }
    enum objectindex_news news = compare(o, &mark, x->is_listing);
    if (x->is_listing) {
        o->listed = mark;
        o->list = x->list;
    } else if (news != OBJECT_IS_OLDER) {
        x->n += !o->is_known;
        o->is_known = true;
        o->known = mark;
    }
    return news;
}

bool objectindex_remove(struct objectindex *x, struct span key, struct objectmark last)
{
    struct object *o = find(x, key, hash_fast(key));

    assert(!x->is_listing);
    if (o == NULL || is_older(&last, &o->known)) {
        return false;
    }
    drop(x, o);
    return true;
}

void objectindex_begin_list(struct objectindex *x)
{
    assert(!x->is_listing);
    x->is_listing = true;
    x->list++;
}

static void end_list(struct objectindex *x, bool is_commit,
                     void (*gone)(void *arg, struct span key), void *arg)
{
    struct table_node *next, *node = table_next(&x->table, NULL);

    assert(x->is_listing);
    x->is_listing = false;
    for (; node != NULL; node = next) {
        struct object *o = CONTAINER_OF(node, struct object, node);
        next = table_next(&x->table, node);
        if (!is_commit && o->is_known) {
            continue;
        }
        if (!is_commit) {
            drop(x, o);
        } else if (o->list != x->list) {
            gone(arg, span_make(o->key, o->key_len));
            drop(x, o);
        } else {
            x->n += !o->is_known;
            o->is_known = true;
            o->known = o->listed;
        }
    }
}

void objectindex_commit(struct objectindex *x, void (*gone)(void *arg, struct span key), void *arg)
{
    end_list(x, true, gone, arg);
}

void objectindex_abort(struct objectindex *x)
{
    end_list(x, false, NULL, NULL);
}

void objectindex_fini(struct objectindex *x)
{
    struct table_node *next, *node = table_next(&x->table, NULL);

    for (; node != NULL; node = next) {
        next = table_next(&x->table, node);
        mem_free(CONTAINER_OF(node, struct object, node));
    }
    table_fini(&x->table);
}
