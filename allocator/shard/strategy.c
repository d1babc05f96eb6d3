#include "allocator/shard/strategy.h"

#include <stddef.h>

const struct strategy_ops *const strategies[] = {
    &strategy_consistent_hashing, &strategy_least_weighted,     &strategy_per_node,
    &strategy_rendezvous,         &strategy_bounded_rendezvous, NULL,
};

const struct strategy_ops *strategy_find(struct span name)
{
    for (size_t i = 0; strategies[i] != NULL; i++) {
        if (span_is(name, strategies[i]->name)) {
            return strategies[i];
        }
    }
    return NULL;
}
