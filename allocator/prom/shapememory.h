/* What was found out about the labels of a builder by looking at their names, so that the next
 * target with the same labels needs no looking: keyed by who wants to know and by the shape.
 * Targets of one source have a few shapes, but seldom one after the other. Bounded: when it is full
 * (LIMIT_SHAPE_FACTS, LIMIT_SHAPE_BYTES), all is forgotten and learned anew. Threads: as the
 * builder it belongs to. */
#ifndef OTEL_TA_PROM_SHAPEMEMORY_H
#define OTEL_TA_PROM_SHAPEMEMORY_H

#include "allocator/base/table.h"

/* The head of whatever is remembered, which is one block of mem_alloc(). */
struct shape_fact {
    struct table_node node;
    uint64_t owner, shape;
    size_t n;                                /* labels of the builder */
    void (*forget)(struct shape_fact *fact); /* what is in it goes; NULL: nothing to do */
};

struct shapememory {
    struct table table;
    size_t bytes;
};

#define SHAPE_ORDER 0 /* the owner of what sorting found out; others have numbers from 1 on */

void shapememory_init(struct shapememory *m);
/* NULL: it is not known. Lives until the next shapememory_put(). */
struct shape_fact *shapememory_find(const struct shapememory *m, uint64_t owner, uint64_t shape,
                                    size_t n);
/* 'fact' has owner, shape and n, is not known yet, and is moved. */
void shapememory_put(struct shapememory *m, struct shape_fact *fact);
void shapememory_fini(struct shapememory *m);

#endif
