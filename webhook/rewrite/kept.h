/* Originals that no job has back and that the annotation goes on keeping: of jobs that were to be
 * restored and are not there, or cannot be told, and of everything that a job whose originals are
 * missing might mean. A job that discovers something of its own has no use for what is stored under
 * its name, and a job that is taken out of a Collector that stays rewritten takes its originals
 * along. Ownership: everything in the arena given. Threads: any. */
#ifndef OTEL_TA_WEBHOOK_REWRITE_KEPT_H
#define OTEL_TA_WEBHOOK_REWRITE_KEPT_H

#include "webhook/rewrite/plan.h"

struct kept {
    const struct node *receivers; /* as in the annotation; NULL: nothing */
    const struct node *records;   /* likewise, of the jobs among them */
    struct span names;            /* for a sentence: "job 'a', job 'b' of prometheus/2" */
};

/* 'annotation' (may be NULL) is the one that 'plan' was made with. 'is_restore': of a Collector
 * that is not rewritten any more. */
void kept_find(const struct plan *plan, const struct node *annotation, bool is_restore,
               struct arena *arena, struct kept *out);
/* Adds them to 'json', a new annotation as plan_write_annotation() gives it. */
void kept_join(const struct kept *k, struct arena *arena, struct buf *json);
/* The names of the jobs whose originals are missing, for a sentence; empty: there are none. */
struct span kept_lost_names(const struct plan *plan, struct arena *arena);

#endif
