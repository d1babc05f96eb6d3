/* From texts to things: an index, or a set, that a peer's document cannot make slow.
 * Ownership: nodes live in the arena given at birth, keys and things are borrowed.
 * Threads: a map belongs to one thread. */
#ifndef OTEL_TA_CODEC_SPANMAP_H
#define OTEL_TA_CODEC_SPANMAP_H

#include "allocator/base/arena.h"
#include "allocator/base/table.h"

struct spanmap {
    struct table table;
    struct arena *arena;
};

void spanmap_init(struct spanmap *m, struct arena *arena);
/* False when 'key' is there already: the first one stays. */
bool spanmap_put(struct spanmap *m, struct span key, const void *thing);
/* NULL when it is not there. */
const void *spanmap_get(const struct spanmap *m, struct span key);
bool spanmap_has(const struct spanmap *m, struct span key);
void spanmap_fini(struct spanmap *m);

#endif
