/* The collector on the target's own node. Of two collectors on one node the one with the smaller
 * name (the Go allocator takes a random one). Targets without a node, or on a node without
 * collector, are for the fleet's fallback strategy. */
#include "allocator/base/hash.h"
#include "allocator/base/mem.h"
#include "allocator/base/order.h"
#include "allocator/shard/strategy.h"

#include <stdlib.h>

struct node_entry {
    uint64_t node_hash;
    uint32_t collector;
};

struct strategy {
    struct node_entry *entries; /* sorted by node, then collector; after the last an empty one,
                                   which no target's node is */
    size_t n;
};

static struct strategy *create(const struct strategy_options *options)
{
    (void)options;
    return mem_zalloc(sizeof(struct strategy));
}

static int compare_entries(const void *a, const void *b)
{
    const struct node_entry *x = a, *y = b;
    int c = order_u64(x->node_hash, y->node_hash);
    return c != 0 ? c : order_u64(x->collector, y->collector);
}

static void set_collectors(struct strategy *s, const struct strategy_collector *v, size_t n)
{
    mem_free(s->entries);
    s->entries = mem_array(n + 1, sizeof(*s->entries));
    s->n = 0;
    for (size_t i = 0; i < n; i++) {
        if (v[i].node.len > 0) {
            s->entries[s->n++] = (struct node_entry){ hash64(v[i].node), (uint32_t)i };
        }
    }
    qsort(s->entries, s->n, sizeof(*s->entries), compare_entries);
}

static uint32_t pick(const struct strategy *s, const struct strategy_target *t,
                     const struct strategy_load *load)
{
    size_t low = 0, high = s->n;
    (void)load;

    if (t->node_hash == 0) {
        return STRATEGY_NONE;
    }
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (s->entries[mid].node_hash < t->node_hash) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return s->entries[low].node_hash == t->node_hash ? s->entries[low].collector : STRATEGY_NONE;
}

static void destroy(struct strategy *s)
{
    mem_free(s->entries);
    mem_free(s);
}

const struct strategy_ops strategy_per_node = {
    .name = "per-node",
    .create = create,
    .set_collectors = set_collectors,
    .pick = pick,
    .destroy = destroy,
};
