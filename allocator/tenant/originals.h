/* What a rewrite took out of a Collector, and where it belongs: the discovery sections of each job,
 * and the jobs that block style took whole. The rewriter finds here what comes back or stays in the
 * annotation; for the allocator everything is put back, so that it runs what the user wrote.
 * Ownership: everything in the arena given at birth, which outlives the trees made. Threads: as its
 * arena. */
#ifndef OTEL_TA_TENANT_ORIGINALS_H
#define OTEL_TA_TENANT_ORIGINALS_H

#include "allocator/codec/node.h"
#include "allocator/codec/spanmap.h"
#include "allocator/tenant/sections.h"

struct originals {
    struct arena *arena;
    const struct node *receivers; /* of the annotation, or NULL */
    const struct node *records;   /* its member "text", or NULL: the rewriter knows what it says */
    struct spanmap jobs;          /* by receiver and name as it is read: struct original */
};

/* The sections of one job, and where they were stored. */
struct original {
    const struct node *map;
    const struct node *records; /* of the annotation that has it */
    struct span receiver;
    struct jobname_written job;
    struct original *next; /* with the same name as it is read: no rewrite of ours stores two */
};

/* 'annotation' is as annotation_decode() gives it, or NULL: nothing is stored. */
void originals_init(struct originals *o, const struct node *annotation, struct arena *arena);
/* The job 'job' of 'receiver', which has 'own'; NULL: nothing is stored for it. Our URL says of
 * which job its sections were taken, so that one that was renamed after its rewrite still finds
 * them. */
const struct original *originals_find(const struct originals *o, const struct own_entry *own,
                                      struct span receiver, struct jobname_written job);
/* What is stored of a receiver, or NULL. */
const struct node *originals_of_receiver(const struct originals *o, struct span receiver);
/* Is this "target_allocator" one whose endpoint a rewrite made, for whatever Collector and style?
 * What is stored of a receiver's list and block counts while it is. */
bool originals_is_our_block(const struct node *block, struct arena *arena);
/* 'list' (may be NULL) and the jobs that are stored whole ('stored', may be NULL), in the order
 * that they had: a job of the same name that is in the list again is the user's newer word. */
const struct node *originals_join_jobs(const struct node *list, const struct node *stored,
                                       struct arena *arena);
/* What is stored in place of a job that stays in the list, so that all come back in their order.
 * 'job' is its name, or empty. */
const struct node *originals_left_job(struct span job, struct arena *arena);
/* Is 'list' what is left of one whose other jobs are 'stored' (may be NULL)? */
bool originals_is_rest(const struct node *list, const struct node *stored, struct arena *arena);
/* The scrape_configs of 'receiver' as they were: 'list' (may be NULL) with the sections of its jobs
 * joined in, and after them the jobs that block style took. An error under the path where 'f'
 * stands for each job that points at the allocator while it has nothing else to discover and
 * nothing is stored for it; its name as it is read goes to 'lost', for such a job may not run: it
 * would discover from the allocator itself. */
const struct node *originals_put_back(const struct originals *o, const struct node_pair *receiver,
                                      const struct node *list, struct faults *f,
                                      struct spanmap *lost);
/* The sentence of that error, also for a rewrite: mem_free() it. */
char *originals_loss(struct span job);
/* Of a receiver whose block is ours while the annotation cannot be read: all of its jobs may be in
 * there. */
#define ORIGINALS_BLOCK_LOSS                                                                       \
    "points at the allocator: what it replaced is in an annotation that cannot be read"
void originals_fini(struct originals *o);

#endif
