/* Which tenants there are: read from Collector manifests (local mode) or upstream's
 * targetallocator.yaml (drop-in mode). Pure: texts in, tenants out, which borrow nothing; used by
 * the keeper, who tells the engine about them, and by the offline commands. Threads: any. */
#ifndef OTEL_TA_TENANT_TENANTS_H
#define OTEL_TA_TENANT_TENANTS_H

#include "allocator/base/vec.h"
#include "allocator/tenant/gap.h"
#include "allocator/tenant/receivers.h"
#include "allocator/tenant/tenant.h"

struct dropin;

enum tenants_kind { TENANTS_MANIFEST, TENANTS_DROPIN };

struct tenants_source {
    enum tenants_kind kind;
    char *path; /* for faults; relative paths inside are relative to the working directory (drop-in)
                   or its folder */
    bool is_found; /* in a folder that was named, where other manifests may stand beside Collectors
                    */
    char *text;
    size_t len;
    const struct dropin *dropin; /* TENANTS_DROPIN: 'text' as it was parsed, its faults told; NULL:
                                    not yet */
    char *fault;                 /* owned: why it cannot be read, which was told; NULL: it can */
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
    bool thorough, advises;   /* as in struct scrape_options; advises: manifests */
    bool needs_no_collectors; /* drop-in: only the jobs are of interest */
    bool has_pods;            /* the collectors are pods that somebody follows, and come to the
                                 tenant later */
    bool has_namespace;       /* that of the pods is known */
    bool leaves_files;        /* manifests: as in struct takable_options */
    bool has_cluster;         /* kubernetes_sd_configs are run: whoever wrote the document may read
                                 what they ask for */
    bool keeps_sound;         /* for a server: a fault costs its job, or its Collector where the
                                 frame of that is broken, or the file; all else is loaded */
};

struct tenants {
    struct tenant **v; /* each owned */
    size_t n, cap;
    VEC(char *) passed_over; /* owned; of each Collector that is none: who it is, and why */
    struct left_jobs left;   /* of those that are: the jobs that stay with the collectors */
    struct gaps gaps;        /* what faults have cost, beside single jobs */
};

/* Faults carry file and document; on any error the result is empty, or, with 'keeps_sound', what
 * has none: 0 then. */
int tenants_load(const struct tenants_source *sources, size_t n,
                 const struct tenants_options *options, struct faults *f,
                 struct tenants *out) MUST_USE;
/* The same for one document that is a tree: an object of the cluster that is called 'path'. Jobs
 * may take what 'room' has; what they took is gone from it. */
int tenants_load_object(const struct node *object, const char *path,
                        const struct tenants_options *options, size_t *room, struct faults *f,
                        struct tenants *out) MUST_USE;
/* More jobs, from elsewhere, of the tenant without name, which adopts them and is made if there is
 * none: a drop-in file's has the same collectors. Moves 'jobs'. */
void tenants_add(struct tenants *t, const struct tenants_options *options, struct scrapejobs *jobs);
/* All jobs belong to 'pool' from now on (scrapejob_adopt()). */
void tenants_adopt(struct tenants *t, struct strpool *pool);
/* There is something in it that can be served: a Collector that has a job, or means to have none.
 */
bool tenants_are_usable(const struct tenants *t);
void tenants_fini(struct tenants *t);

#endif
