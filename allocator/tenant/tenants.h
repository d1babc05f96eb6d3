/* Which tenants and scrape jobs exist: read from Collector manifests (local mode) or upstream's
 * targetallocator.yaml (drop-in mode). Pure: texts in, structs out; used by the engine, by the
 * keeper to check a file before it is handed over, and by the offline commands. Threads: as the
 * strpool. */
#ifndef OTEL_TA_TENANT_TENANTS_H
#define OTEL_TA_TENANT_TENANTS_H

#include "allocator/tenant/collectorlist.h"
#include "allocator/tenant/receivers.h"

enum tenants_kind { TENANTS_MANIFEST, TENANTS_DROPIN };

struct tenants_source {
    enum tenants_kind kind;
    char *path; /* for faults; relative paths inside are relative to the working directory (drop-in)
                   or its folder */
    char *text;
    size_t len;
};

struct tenants_options { /* what the command line says; empty = not given, the document decides */
    const struct collectorlist *collectors; /* NULL, or who they are; an empty list says nothing */
    size_t collector_count; /* or a number: the pods of the CR's StatefulSet ("collector-0" … in
                               drop-in mode); 0 = spec.replicas */
    struct span strategy, fallback;
    bool is_v0;          /* consistent hashing as of operator ≤ 0.158.0 */
    bool is_block_style; /* --rewrite-style: all jobs reach collectors by the target_allocator block
                          */
    bool include_disabled;    /* manifests: also CRs that do not ask for an allocator */
    bool thorough;            /* as in struct scrape_options */
    bool needs_no_collectors; /* drop-in: only the jobs are of interest */
    struct scrapememo *memo;  /* as in struct scrape_options */
};

struct tenant { /* one Collector CR */
    struct span ns, name;
    struct span service; /* by which its collectors find the allocator; empty without a name */
    struct span strategy, fallback;
    bool is_v0;
    bool are_jobs_inline; /* the rewrite left them in the CR beside a target_allocator block, which
                             must not bring them a second time */
    struct collectorlist collectors;
    struct scrapejobs jobs;
};

struct tenants {
    struct arena arena; /* owns the texts */
    struct tenant *v;
    size_t n;
};

/* Faults carry file and document; on any error the result is empty. */
int tenants_load(const struct tenants_source *sources, size_t n,
                 const struct tenants_options *options, struct strpool *pool, struct faults *f,
                 struct tenants *out) MUST_USE;
/* One more tenant, without name, for jobs that come from elsewhere; moves 'jobs'. */
void tenants_add(struct tenants *t, const struct tenants_options *options, struct scrapejobs *jobs);
void tenants_fini(struct tenants *t);

#endif
