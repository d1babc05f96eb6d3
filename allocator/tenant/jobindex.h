/* Jobs by (receiver, job name), so that a configuration of a hundred thousand jobs costs linear
 * time. Ownership: names and nodes are borrowed; entries live in the arena given at init. Threads:
 * belongs to one thread. */
#ifndef OTEL_TA_TENANT_JOBINDEX_H
#define OTEL_TA_TENANT_JOBINDEX_H

#include "allocator/codec/node.h"
#include "allocator/codec/spanmap.h"

struct jobindex {
    struct spanmap jobs;
};

void jobindex_init(struct jobindex *index, struct arena *arena);
/* False, and nothing is added, when there is one already. */
bool jobindex_add(struct jobindex *index, struct span receiver, struct span job,
                  const struct node *node);
const struct node *jobindex_find(const struct jobindex *index, struct span receiver,
                                 struct span job);
/* Every job of an annotation's "receivers"; what has another shape is passed over. */
void jobindex_add_annotation(struct jobindex *index, const struct node *annotation);
void jobindex_fini(struct jobindex *index);

#endif
