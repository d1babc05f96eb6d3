/* One kept target of one source, and the JSON it is served as. Immutable bytes, mutable place.
 * Targets of a job with one identity form a chain, lowest (source, index) first; the head of the
 * chain is served and sits in a slot of the fleet, the others wait. Threads: the engine's; 'own'
 * and the tail are read by serving threads until publisher_retire() lets them go. */
#ifndef OTEL_TA_ENGINE_TARGET_H
#define OTEL_TA_ENGINE_TARGET_H

#include "allocator/engine/tail.h"
#include "allocator/shard/fleet.h"

struct target {
    struct table_node node; /* of heads: in the job's table; the hash is the identity */
    struct target *next;    /* the same identity from further back */
    struct tail *tail;
    struct source *source;
    uint64_t address_hash; /* of the address before relabeling: what consistent hashing goes by */
    uint64_t node_hash;
    uint32_t index; /* among the targets of its source */
    uint32_t slot;  /* in the fleet; FLEET_NONE: not served */
    uint32_t own_len;
    bool is_confirmed; /* its source, being read, still has it */
    char own[];
};

/* What one takes of its own, with its places in tables, the fleet and the pages. */
static inline size_t target_weight(size_t own_len)
{
    return sizeof(struct target) + own_len + 240;
}

static inline uint64_t target_identity(const struct target *t)
{
    return t->node.hash;
}

#endif
