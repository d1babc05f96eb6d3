/* Tails of targets, each distinct one kept once: the labels that most targets of a source have in
 * common, as JSON, from a comma (or nothing) up to the "}}" that ends the target. Hundreds of
 * targets borrow one tail. Threads: the engine's; the bytes are read by serving threads until
 * publisher_retire() lets them go. */
#ifndef OTEL_TA_ENGINE_FRAGMENT_H
#define OTEL_TA_ENGINE_FRAGMENT_H

#include "allocator/base/table.h"
#include "allocator/serve/publisher.h"

struct fragment {
    struct table_node node;
    uint32_t n_refs; /* targets that borrow it */
    uint32_t len;
    char text[];
};

struct fragments {
    struct table table;
    struct publisher *publisher;
};

void fragments_init(struct fragments *f, struct publisher *publisher);
/* The fragment with this text, without a reference for the caller: one that is never referenced
 * stays until the next fragments_fini(), so intern only what a target is about to borrow. */
struct fragment *fragments_intern(struct fragments *f, struct span text);
static inline void fragment_ref(struct fragment *fragment)
{
    fragment->n_refs++;
}
/* The last reference retires it. */
void fragments_unref(struct fragments *f, struct fragment *fragment) ON(engine);
void fragments_fini(struct fragments *f); /* nothing may be published any more */

#endif
