/* One Collector as the allocator serves it: who it is, how its targets are shared out and among
 * whom, and its scrape jobs. A parcel: it owns everything it has, the names in its jobs' rules too,
 * so that it can be made on one thread and moved to another. Threads: one at a time. */
#ifndef OTEL_TA_TENANT_TENANT_H
#define OTEL_TA_TENANT_TENANT_H

#include "allocator/scrape/scrapejob.h"
#include "allocator/tenant/collectorlist.h"

struct tenant {
    struct arena arena;   /* owns the texts below */
    struct strpool names; /* of the jobs, until they are adopted */
    struct span ns, name; /* its key; empty in drop-in mode, where there is one */
    struct span file;     /* where it was read; may be empty */
    struct span service;  /* by which its collectors find the allocator; empty without a name */
    struct span strategy, fallback;
    bool is_v0;           /* consistent hashing as of operator ≤ 0.158.0 */
    bool are_jobs_inline; /* the rewrite left them in the CR beside a target_allocator block, which
                             must not bring them a second time */
    struct collectorlist collectors;
    struct scrapejobs jobs;
    bool has_keys;   /* engine/tenantkey.h has been here */
    uint64_t key[2]; /* then: of everything but the collectors */
};

/* Without jobs and collectors. Copies both names. */
struct tenant *tenant_new(struct span ns, struct span name);
/* The order of keys. */
int tenant_compare(struct span ns, struct span name, struct span other_ns, struct span other_name);
void tenant_free(struct tenant **t);

#endif
