/* What a collector accepts in a scrape job of a Collector resource and is hardly meant there, as
 * warnings: addresses by which each collector means itself, and expressions with which no collector
 * starts, or which nobody fills in. One wording for everybody who looks at a job. Threads: any. */
#ifndef OTEL_TA_TENANT_JOBADVICE_H
#define OTEL_TA_TENANT_JOBADVICE_H

#include "allocator/codec/node.h"

struct jobadvice {
    struct span name;
    bool is_taken;    /* the allocator shares out its targets */
    bool needs_nodes; /* those without a node are nobody's */
};

/* 'f' stands at 'job'. */
void jobadvice_give(const struct node *job, const struct jobadvice *about, struct faults *f);
/* A job of upstream's file, where nobody fills an expression in: the operator hands it on as it is
 * written, and collectors do not expand what they get from an allocator. */
void jobadvice_give_literal(const struct node *job, struct span name, struct faults *f);
#endif
