/* Evens out what a strategy gave: no collector has more than 1.05 times its fair share of the
 * targets, nor less than 0.85 times. Up to there each target stays where the strategy wants it (its
 * own choice); what is too much for a collector goes to the best-scoring one with room, then
 * collectors with too little get those targets of others that score highest with them.
 *
 * A pure function of the targets and the collectors' names, so that replicas agree and nothing
 * depends on what was before. The price of a bound per target: an owner depends on the other
 * targets too. One target more or less can move some of another collector, where bounds are met;
 * and a collector that joins moves some between those that stay, the more the fewer targets there
 * are. Where that is less than two targets, up to two more or less than the share are allowed.
 * The bounds of collectors differ by one, and which have the narrower one goes by their names, so
 * that a share which changes a little changes few of them.
 *
 * Which of a collector's targets are too many is decided by 'keys', which are hashes of the whole
 * target: equal ones are alike, and then it is the order here. Threads: any; no state. */
#ifndef OTEL_TA_SHARD_BOUND_H
#define OTEL_TA_SHARD_BOUND_H

#include "allocator/shard/strategy.h"

#include <stddef.h>

struct bound_input {
    const uint64_t *address_hashes, *keys; /* by slot */
    const uint32_t *choices; /* by slot: the collector, or STRATEGY_NONE: nothing to look at (an
                                empty slot, a target without a collector) */
    size_t n_slots;
    const uint64_t *hashes; /* by collector, for strategy_score() */
    const uint32_t *loads;  /* by collector: how often it is a choice */
    size_t n_collectors;
};

/* Writes the owner of each slot. False, and nothing written, when the choices are within bounds:
 * that costs a look at 'loads'. */
bool bound_spread(const struct bound_input *in, uint32_t *out_owners);

#endif
