/* How a target finds its collector: the shape of a strategy and the list of all.
 * A strategy is pure arithmetic over the sorted collector names, so that replicas agree without
 * talking; least-weighted alone also looks at the loads it is given. What a bounded one picks is
 * evened out afterwards, over all targets (bound.h), which replicas agree on if they know the same.
 * Threads: a strategy belongs to one thread (the engine's). */
#ifndef OTEL_TA_SHARD_STRATEGY_H
#define OTEL_TA_SHARD_STRATEGY_H

#include "allocator/base/err.h"
#include "allocator/base/hash.h"
#include "allocator/base/span.h"

#include <stdbool.h>
#include <stdint.h>

#define STRATEGY_NONE UINT32_MAX

struct strategy_collector {
    struct span name;
    struct span node;    /* empty: unknown */
    struct span address; /* that its requests come from, as inet_ntop() writes it; empty: unknown.
                            No strategy looks at it */
};

struct strategy_target {
    uint64_t address_hash; /* hash64 of the target's own __address__, before relabeling */
    uint64_t node_hash;    /* hash64 of its node name; 0 = none */
    uint32_t job;
    uint32_t owner; /* present owner (an index into the collectors as set), or STRATEGY_NONE */
};

struct strategy_load {           /* of least-weighted: kept by the fleet */
    const uint32_t *targets;     /* by collector */
    const uint32_t *job_targets; /* of the target's job, by collector; NULL = all zero */
};

struct strategy_options {
    bool is_v0; /* consistent-hashing as library v0.10.0 (operator ≤ 0.158.0), else v1.0.0 */
};

/* How well a collector suits a target. */
static inline uint64_t strategy_score(uint64_t collector_hash, uint64_t address_hash)
{
    return hash_mix(collector_hash ^ address_hash);
}

struct strategy;
struct strategy_ops {
    const char *name;
    bool needs_load;
    bool is_bounded; /* as the strategy of a fleet; as its fallback it is not */
    struct strategy *(*create)(const struct strategy_options *options);
    /* 'v' is sorted by name, names are distinct; borrowed until the next call. */
    void (*set_collectors)(struct strategy *s, const struct strategy_collector *v, size_t n);
    /* Index of the owner, or STRATEGY_NONE. */
    uint32_t (*pick)(const struct strategy *s, const struct strategy_target *t,
                     const struct strategy_load *load);
    /* After collectors changed: t->owner is the present owner in the new list, or STRATEGY_NONE
     * when it left; 'added' are the indices of the new ones. Must give what pick() gives; NULL:
     * pick() is cheap enough. */
    uint32_t (*repick)(const struct strategy *s, const struct strategy_target *t,
                       const uint32_t *added, size_t n_added);
    /* By collector, for strategy_score(): the highest is picked. NULL where that is not so; not for
     * bounded ones. */
    const uint64_t *(*hashes)(const struct strategy *s);
    void (*destroy)(struct strategy *s);
};

extern const struct strategy_ops strategy_consistent_hashing, strategy_least_weighted,
    strategy_per_node, strategy_rendezvous, strategy_bounded_rendezvous;
/* NULL-terminated, in the order of the documentation. */
extern const struct strategy_ops *const strategies[];
/* NULL when unknown. */
const struct strategy_ops *strategy_find(struct span name);

#endif
