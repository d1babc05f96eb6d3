/* The collectors of one Collector CR, and which of them has which target. Each target sits in a
 * slot; slots are dense arrays, so that a collector joining a million targets is one pass over a
 * few megabytes. A collector is known by its seat, a small number that is its own as long as it is
 * there: others that come or go leave what is kept by seat as it is. A seat that gets free is given
 * away again, though not in the same fleet_set_collectors(). Invariant: every slot has exactly one
 * owner (a seat), or none and is counted as unassigned. Threads: the engine's. */
#ifndef OTEL_TA_SHARD_FLEET_H
#define OTEL_TA_SHARD_FLEET_H

#include "allocator/shard/strategy.h"

struct fleet;

#define FLEET_NONE UINT32_MAX

struct fleet_options {
    struct span strategy; /* empty: consistent-hashing */
    struct span
        fallback; /* empty: none; used by per-node when the node is unknown or has no collector */
    bool is_v0;
};

/* ERR_NOT_FOUND with the known names for an unknown strategy. */
int fleet_new(const struct fleet_options *options, struct fleet **out, struct err *err) MUST_USE;
const char *fleet_strategy(const struct fleet *f);

/* Called for each target whose owner changed (old or new may be FLEET_NONE). 'from' may be the seat
 * of a collector that leaves. */
typedef void fleet_moved_fn(void *arg, void *target, uint32_t from, uint32_t to);

/* The complete new list (any order, duplicates dropped, copied). Targets keep their owner where the
 * strategy says so. Returns true when anything about the list changed (names or nodes). */
bool fleet_set_collectors(struct fleet *f, const struct strategy_collector *v, size_t n,
                          fleet_moved_fn *moved, void *arg);
size_t fleet_collectors(const struct fleet *f);
/* The seat of collector i, 0 <= i < fleet_collectors(), in the order of their names. */
uint32_t fleet_seat(const struct fleet *f, size_t i);
/* Whose seat it is; empty: free since the last fleet_set_collectors(). */
struct span fleet_collector_name(const struct fleet *f, uint32_t seat);

struct fleet_target {
    uint64_t address_hash, node_hash; /* as in strategy.h */
    uint64_t identity;                /* hash of what makes it another target than others */
    uint32_t job;
    void *target; /* the caller's pointer */
};
/* Puts a target into a slot and gives it an owner. */
uint32_t fleet_add(struct fleet *f, const struct fleet_target *t, uint32_t *out_owner);
void fleet_remove(struct fleet *f, uint32_t slot);
uint32_t fleet_owner(const struct fleet *f, uint32_t slot);
/* The target behind this slot is represented by another pointer from now on (same identity, fresh
 * labels). */
void fleet_replace(struct fleet *f, uint32_t slot, void *target);
/* The node of a target can change with its labels: re-picks the owner, returns it. */
uint32_t fleet_update(struct fleet *f, uint32_t slot, uint64_t node_hash);
/* With a bounded strategy, after targets came or went: owners are evened out. Before it the owner
 * of a new target is what the strategy picks, and perhaps too much for that one. Cheap when nothing
 * came or went. */
void fleet_settle(struct fleet *f, fleet_moved_fn *moved, void *arg);
size_t fleet_targets_of(const struct fleet *f, uint32_t seat);
size_t fleet_unassigned(const struct fleet *f);
/* Empties every slot: those who had one put their targets in again. Collectors keep their seats. */
void fleet_clear(struct fleet *f);
void fleet_free(struct fleet **f);

#endif
