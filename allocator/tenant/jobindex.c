#include "allocator/tenant/jobindex.h"

#include "allocator/base/hash.h"

struct entry {
    struct table_node node;
    struct span receiver, job;
    const struct node *value;
};

struct key {
    struct span receiver, job;
};

static uint64_t hash_of(struct span receiver, struct span job)
{
    return hash_mix(hash_fast(receiver) + 1) ^ hash_fast(job);
}

static bool matches(const struct table_node *node, const void *key)
{
    const struct entry *e = (const void *)node;
    const struct key *k = key;

    return span_eq(e->job, k->job) && span_eq(e->receiver, k->receiver);
}

void jobindex_init(struct jobindex *index, struct arena *arena)
{
    table_init(&index->table);
    index->arena = arena;
}

const struct node *jobindex_find(const struct jobindex *index, struct span receiver,
                                 struct span job)
{
    const struct key key = { receiver, job };
    const struct entry *e =
        (const void *)table_find(&index->table, hash_of(receiver, job), matches, &key);

    return e == NULL ? NULL : e->value;
}

bool jobindex_add(struct jobindex *index, struct span receiver, struct span job,
                  const struct node *node)
{
    if (jobindex_find(index, receiver, job) != NULL) {
        return false;
    }
    struct entry *e = arena_zalloc(index->arena, sizeof(*e));
    e->receiver = receiver;
    e->job = job;
    e->value = node;
    table_put(&index->table, &e->node, hash_of(receiver, job));
    return true;
}

void jobindex_add_annotation(struct jobindex *index, const struct node *annotation)
{
    const struct node *receivers = node_get(annotation, "receivers");

    if (receivers == NULL || receivers->type != NODE_MAP) {
        return;
    }
    for (size_t r = 0; r < receivers->n; r++) {
        const struct node *jobs = node_get(receivers->pairs[r].value, "jobs");
        for (size_t i = 0; jobs != NULL && jobs->type == NODE_MAP && i < jobs->n; i++) {
            if (jobs->pairs[i].value->type == NODE_MAP) {
                (void)jobindex_add(index, receivers->pairs[r].key->text, jobs->pairs[i].key->text,
                                   jobs->pairs[i].value);
            }
        }
    }
}

void jobindex_fini(struct jobindex *index)
{
    table_fini(&index->table);
}
