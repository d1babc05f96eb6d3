#include "allocator/codec/spanmap.h"

#include "allocator/base/hash.h"

struct entry {
    struct table_node node;
    struct span key;
    const void *thing;
};

static bool is_entry(const struct table_node *node, const void *key)
{
    const struct entry *e = (const struct entry *)(const void *)node;
    const struct span *wanted = key;

    return span_eq(e->key, *wanted);
}

void spanmap_init(struct spanmap *m, struct arena *arena)
{
    table_init(&m->table);
    m->arena = arena;
}

static const struct entry *find(const struct spanmap *m, struct span key)
{
    return (const struct entry *)(const void *)table_find(&m->table, hash64(key), is_entry, &key);
}

bool spanmap_put(struct spanmap *m, struct span key, const void *thing)
{
    if (find(m, key) != NULL) {
        return false;
    }
    struct entry *e = arena_alloc(m->arena, sizeof(*e));
    *e = (struct entry){ .key = key, .thing = thing };
    table_put(&m->table, &e->node, hash64(key));
    return true;
}

const void *spanmap_get(const struct spanmap *m, struct span key)
{
    const struct entry *e = find(m, key);

    return e == NULL ? NULL : e->thing;
}

bool spanmap_has(const struct spanmap *m, struct span key)
{
    return find(m, key) != NULL;
}

void spanmap_fini(struct spanmap *m)
{
    table_fini(&m->table);
}
