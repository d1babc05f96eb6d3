/* From texts, or pairs of texts, to things; a set where only the keys matter. The one hash
 * container of texts: a document of a hundred thousand keys costs linear time. Ownership: keys and
 * things are borrowed; nodes live in the arena given at birth, or are the map's own. Threads: a map
 * belongs to one thread. */
#ifndef OTEL_TA_CODEC_SPANMAP_H
#define OTEL_TA_CODEC_SPANMAP_H

#include "allocator/base/arena.h"
#include "allocator/base/table.h"

struct spanmap {
    struct table table;
    struct arena *arena; /* NULL: 'own' */
    struct arena own;
};

/* 'arena' may be NULL: for a map that is gone long before any arena at hand. */
void spanmap_init(struct spanmap *m, struct arena *arena);
/* False when 'key' is there already: the first one stays. */
bool spanmap_put(struct spanmap *m, struct span key, const void *thing);
bool spanmap_has(const struct spanmap *m, struct span key);
/* The same for keys that are unique only within a scope: a job within its receiver. */
bool spanmap_put_in(struct spanmap *m, struct span scope, struct span key, const void *thing);
/* NULL when it is not there. */
const void *spanmap_get_in(const struct spanmap *m, struct span scope, struct span key);
void spanmap_fini(struct spanmap *m);

#endif
