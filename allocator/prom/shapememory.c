#include "allocator/prom/shapememory.h"

#include "allocator/base/container.h"
#include "allocator/base/hash.h"
#include "allocator/base/limits.h"
#include "allocator/base/mem.h"

struct key {
    uint64_t owner, shape;
    size_t n;
};

static uint64_t hash_of(uint64_t owner, uint64_t shape)
{
    return hash_mix(shape + owner * 0x9e3779b97f4a7c15ULL);
}

static bool has_key(const struct table_node *node, const void *arg)
{
    const struct shape_fact *fact = CONTAINER_OF(node, struct shape_fact, node);
    const struct key *key = arg;

    return fact->shape == key->shape && fact->owner == key->owner && fact->n == key->n;
}

void shapememory_init(struct shapememory *m)
{
    table_init(&m->table);
    m->bytes = 0;
}

struct shape_fact *shapememory_find(const struct shapememory *m, uint64_t owner, uint64_t shape,
                                    size_t n)
{
    const struct key key = { owner, shape, n };
    struct table_node *node = table_find(&m->table, hash_of(owner, shape), has_key, &key);

    return node == NULL ? NULL : CONTAINER_OF(node, struct shape_fact, node);
}

void shapememory_put(struct shapememory *m, struct shape_fact *fact)
{
    size_t bytes = mem_size(fact);

    if (m->table.n >= LIMIT_SHAPE_FACTS || m->bytes + bytes > LIMIT_SHAPE_BYTES) {
        shapememory_fini(m);
    }
    table_put(&m->table, &fact->node, hash_of(fact->owner, fact->shape));
    m->bytes += bytes;
}

void shapememory_fini(struct shapememory *m)
{
    struct table_node *node = table_next(&m->table, NULL);

    while (node != NULL) {
        struct table_node *next = table_next(&m->table, node);
        struct shape_fact *fact = CONTAINER_OF(node, struct shape_fact, node);
        if (fact->forget != NULL) {
            fact->forget(fact);
        }
        mem_free(fact);
        node = next;
    }
    table_fini(&m->table);
    shapememory_init(m);
}
