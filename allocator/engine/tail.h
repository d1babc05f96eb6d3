/* Tails of targets, each distinct one kept once: the labels that most targets of a source have in
 * common, as JSON, from a comma (or nothing) up to the "}}" that ends the target. Hundreds of
 * targets borrow one tail. Threads: the engine's; the bytes are read by serving threads until
 * publisher_retire() lets them go. */
#ifndef OTEL_TA_ENGINE_TAIL_H
#define OTEL_TA_ENGINE_TAIL_H

#include "allocator/base/table.h"
#include "allocator/serve/publisher.h"

struct tail {
    struct table_node node;
    uint32_t n_refs; /* targets that borrow it */
    uint32_t len;
    char text[];
};

struct tails {
    struct table table;
    struct publisher *publisher;
    size_t used_bytes; /* by them, and by the targets and leftovers of all jobs (engine/room.h) */
    size_t most_bytes; /* that these may take */
};

void tails_init(struct tails *t, struct publisher *publisher);
/* The tail with this text, without a reference for the caller: one that is never referenced
 * stays until the next tails_fini(), so intern only what a target is about to borrow. */
struct tail *tails_intern(struct tails *t, struct span text);
bool tails_have(const struct tails *t, struct span text);
/* What one takes, with its place in the table. */
static inline size_t tail_weight(size_t len)
{
    return sizeof(struct tail) + len + 32;
}
static inline void tail_ref(struct tail *tail)
{
    tail->n_refs++;
}
/* The last reference retires it. */
void tails_unref(struct tails *t, struct tail *tail) ON(engine);
void tails_fini(struct tails *t); /* nothing may be published any more */

#endif
