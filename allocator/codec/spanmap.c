#include "allocator/codec/spanmap.h"

#include "allocator/base/container.h"
#include "allocator/base/hash.h"

struct name {
    struct span scope, key;
};

struct entry {
    struct table_node node;
    struct name name;
    const void *thing;
};

static uint64_t hash_of(const struct name *name)
{
    uint64_t hash = hash_fast(name->key);

    return name->scope.len == 0 ? hash : hash ^ hash_mix(hash_fast(name->scope) + 1);
}

static bool is_entry(const struct table_node *node, const void *wanted)
{
    const struct entry *e = CONTAINER_OF(node, struct entry, node);
    const struct name *name = wanted;

    return span_eq(e->name.key, name->key) && span_eq(e->name.scope, name->scope);
}

static const struct entry *find(const struct spanmap *m, const struct name *name, uint64_t hash)
{
    const struct table_node *node = table_find(&m->table, hash, is_entry, name);

    return node == NULL ? NULL : CONTAINER_OF(node, struct entry, node);
}

void spanmap_init(struct spanmap *m, struct arena *arena)
{
    table_init(&m->table);
    m->arena = arena;
    arena_init(&m->own);
}

bool spanmap_put_in(struct spanmap *m, struct span scope, struct span key, const void *thing)
{
    const struct name name = { scope, key };
    uint64_t hash = hash_of(&name);

    if (find(m, &name, hash) != NULL) {
        return false;
    }
    struct entry *e = arena_alloc(m->arena == NULL ? &m->own : m->arena, sizeof(*e));
    e->name = name;
    e->thing = thing;
    table_put(&m->table, &e->node, hash);
    return true;
}

const void *spanmap_get_in(const struct spanmap *m, struct span scope, struct span key)
{
    const struct name name = { scope, key };
    const struct entry *e = find(m, &name, hash_of(&name));

    return e == NULL ? NULL : e->thing;
}

bool spanmap_put(struct spanmap *m, struct span key, const void *thing)
{
    return spanmap_put_in(m, SPAN_LIT(""), key, thing);
}

bool spanmap_has(const struct spanmap *m, struct span key)
{
    const struct name name = { SPAN_LIT(""), key };

    return find(m, &name, hash_of(&name)) != NULL;
}

void spanmap_fini(struct spanmap *m)
{
    table_fini(&m->table);
    arena_fini(&m->own);
}
