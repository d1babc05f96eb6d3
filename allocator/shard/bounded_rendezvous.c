/* Rendezvous hashing of 65,536 slots with a cap: no collector holds more than 1.02 times its fair
 * share of the slots. A target belongs to the slot of its address, so that targets coming and going
 * never move others, and the table depends on the collectors' names only: replicas agree. */
#include "allocator/base/hash.h"
#include "allocator/base/mem.h"
#include "allocator/shard/strategy.h"

#include <math.h>
#include <stdlib.h>

#define SLOTS 65536
#define SLACK 1.02

struct strategy {
    uint32_t owner[SLOTS];
    bool is_empty;
};

static struct strategy *create(const struct strategy_options *options)
{
    struct strategy *s = mem_zalloc(sizeof(*s));
    (void)options;
    s->is_empty = true;
    return s;
}

/* The highest-scoring collector that still has room. */
static uint32_t best_with_room(const uint64_t *hashes, const uint32_t *loads, size_t n,
                               uint32_t cap, uint64_t slot_hash)
{
    uint32_t best = STRATEGY_NONE;
    uint64_t best_score = 0;

    for (uint32_t i = 0; i < n; i++) {
        uint64_t x = hash_mix(hashes[i] ^ slot_hash);
        if (loads[i] < cap && (best == STRATEGY_NONE || x > best_score)) {
            best = i;
            best_score = x;
        }
    }
    return best;
}

static void set_collectors(struct strategy *s, const struct strategy_collector *v, size_t n)
{
    s->is_empty = n == 0;
    if (n == 0) {
        return;
    }
    uint64_t *hashes = mem_array(n, sizeof(*hashes));
    uint32_t *loads = mem_array(n, sizeof(*loads));
    uint32_t cap = (uint32_t)ceil((double)SLOTS / (double)n * SLACK);

    for (size_t i = 0; i < n; i++) {
        hashes[i] = hash64(v[i].name);
    }
    for (uint32_t slot = 0; slot < SLOTS; slot++) {
        s->owner[slot] = best_with_room(hashes, loads, n, cap, hash_mix(slot + 1));
        loads[s->owner[slot]]++;
    }
    mem_free(loads);
    mem_free(hashes);
}

static uint32_t pick(const struct strategy *s, const struct strategy_target *t,
                     const struct strategy_load *load)
{
    (void)load;
    return s->is_empty ? STRATEGY_NONE : s->owner[hash_mix(t->address_hash) % SLOTS];
}

static void destroy(struct strategy *s)
{
    mem_free(s);
}

const struct strategy_ops strategy_bounded_rendezvous = {
    .name = "bounded-rendezvous",
    .create = create,
    .set_collectors = set_collectors,
    .pick = pick,
    .destroy = destroy,
};
