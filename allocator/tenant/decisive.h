/* Which expression in the rules of a scrape job decides about its targets: whether there is one,
 * and what it is. A replacement that nobody reads later, the interval and the credentials of the
 * scrape do not. What is not known stands in the labels that it is written to, until a rule chooses
 * by one of them, or Prometheus does when the rules have run. Pure. Threads: any. */
#ifndef OTEL_TA_TENANT_DECISIVE_H
#define OTEL_TA_TENANT_DECISIVE_H

#include "allocator/codec/node.h"

struct decisive {
    const struct node *text; /* the scalar that holds the expression */
    struct span path;        /* in the job: "relabel_configs[0].regex" */
};

/* 'job' with all filled in that is known (expression.h); 'global' may be NULL. True: there is one.
 * The path is in 'arena'. */
bool decisive_find(const struct node *job, const struct node *global, struct arena *arena,
                   struct decisive *out);
/* The first expression below 'n'; its path begins with 'head'. */
bool decisive_find_any(const struct node *n, struct span head, struct arena *arena,
                       struct decisive *out);

#endif
