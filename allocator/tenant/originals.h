/* The discovery sections that a rewrite took out of a Collector, put back where they were: what the
 * allocator runs is what the user wrote. Ownership: everything in the arena given at birth, which
 * outlives the trees made. Threads: as its arena. */
#ifndef OTEL_TA_TENANT_ORIGINALS_H
#define OTEL_TA_TENANT_ORIGINALS_H

#include "allocator/codec/node.h"
#include "allocator/codec/spanmap.h"

struct originals {
    struct arena *arena;
    struct spanmap jobs;  /* receiver 0xFF job → its sections */
    struct spanmap lists; /* receiver → the list that block style took */
};

/* 'stash' may be NULL: nothing is stored. */
void originals_init(struct originals *o, const struct node *stash, struct arena *arena);
/* The scrape_configs of 'receiver' as they were: 'list' (may be NULL) with the sections of its jobs
 * joined in, and the jobs that block style took behind them. An error under the path where 'f'
 * stands for each job that points at the allocator while nothing is stored for it; its name goes to
 * 'lost', for such a job may not run: it would discover from the allocator itself. */
const struct node *originals_put_back(const struct originals *o, const struct node_pair *receiver,
                                      const struct node *list, struct faults *f,
                                      struct spanmap *lost);
void originals_fini(struct originals *o);

#endif
