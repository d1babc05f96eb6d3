/* Rendezvous (highest random weight) hashing: each target goes to the collector that scores highest
 * with it. A joining collector takes 1/n of the targets and moves no other; a leaving one gives
 * away its own only. Stateless: replicas agree. Evenness is that of chance; bounded-rendezvous is
 * the same with bounds (bound.h), which matter where there are few targets a collector. */
#include "allocator/base/hash.h"
#include "allocator/base/mem.h"
#include "allocator/shard/strategy.h"

struct strategy {
    uint64_t *hashes; /* of the collectors' names */
    size_t n;
};

static struct strategy *create(const struct strategy_options *options)
{
    (void)options;
    return mem_zalloc(sizeof(struct strategy));
}

static void set_collectors(struct strategy *s, const struct strategy_collector *v, size_t n)
{
    mem_free(s->hashes);
    s->hashes = mem_array(n, sizeof(*s->hashes));
    s->n = n;
    for (size_t i = 0; i < n; i++) {
        s->hashes[i] = hash64(v[i].name);
    }
}

static uint64_t score(const struct strategy *s, uint32_t collector, uint64_t address_hash)
{
    return strategy_score(s->hashes[collector], address_hash);
}

static uint32_t pick(const struct strategy *s, const struct strategy_target *t,
                     const struct strategy_load *load)
{
    uint32_t best = STRATEGY_NONE;
    uint64_t best_score = 0;
    (void)load;

    for (uint32_t i = 0; i < s->n; i++) {
        uint64_t x = score(s, i, t->address_hash);
        if (best == STRATEGY_NONE || x > best_score) {
            best = i;
            best_score = x;
        }
    }
    return best;
}

/* Scores of two names are equal for a target only if the names hash alike; then the smaller index
 * wins, as in pick(). */
static uint32_t repick(const struct strategy *s, const struct strategy_target *t,
                       const uint32_t *added, size_t n_added)
{
    if (t->owner == STRATEGY_NONE) {
        return pick(s, t, NULL);
    }
    uint32_t best = t->owner;
    uint64_t best_score = score(s, best, t->address_hash);
    for (size_t i = 0; i < n_added; i++) {
        uint64_t x = score(s, added[i], t->address_hash);
        if (x > best_score || (x == best_score && added[i] < best)) {
            best = added[i];
            best_score = x;
        }
    }
    return best;
}

static const uint64_t *hashes(const struct strategy *s)
{
    return s->hashes;
}

static void destroy(struct strategy *s)
{
    mem_free(s->hashes);
    mem_free(s);
}

const struct strategy_ops strategy_rendezvous = {
    .name = "rendezvous",
    .create = create,
    .set_collectors = set_collectors,
    .pick = pick,
    .repick = repick,
    .hashes = hashes,
    .destroy = destroy,
};

const struct strategy_ops strategy_bounded_rendezvous = {
    .name = "bounded-rendezvous",
    .is_bounded = true,
    .create = create,
    .set_collectors = set_collectors,
    .pick = pick,
    .repick = repick,
    .hashes = hashes,
    .destroy = destroy,
};
