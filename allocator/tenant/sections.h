/* The discovery sections of one scrape job ("static_configs", "*_sd_configs"), apart from the job:
 * what a rewrite takes out, keeps in the annotation and puts back. Sorted by name.
 * Ownership: everything lives in the arena given. Threads: any. */
#ifndef OTEL_TA_TENANT_SECTIONS_H
#define OTEL_TA_TENANT_SECTIONS_H

#include "allocator/codec/node.h"
#include "allocator/tenant/jobname.h"

struct section {
    struct span name;
    const struct node *value;
};

struct sections {
    struct section *v;
    size_t n;
};

/* Our own entry in http_sd_configs, as found in a job. */
struct own_entry {
    bool is_there;
    bool is_alone;              /* nothing else in its section */
    const struct node *options; /* the whole entry when somebody has given it more than our URL */
    struct span url;
    struct jobname_read job; /* whose originals it stands for: the job may have another name now */
    struct span receiver;
};

/* What the job itself discovers; our own entry is not part of it, and beside our entry an empty
 * section says nothing. One with options is ours if something is stored for it: anybody may ask
 * upstream's allocator in this way. */
void sections_of_job(const struct node *job, struct arena *arena, struct sections *out,
                     struct own_entry *out_own);
/* The same when no entry of ours is in it. */
void sections_as_written(const struct node *job, struct arena *arena, struct sections *out);
/* The member of the annotation for one job; NULL gives none. */
void sections_of_map(const struct node *map, struct arena *arena, struct sections *out);
/* 'stored' and what 'added' has more: lists of the same section are joined, without exact
 * duplicates. */
void sections_join(const struct sections *stored, const struct sections *added, struct arena *arena,
                   struct sections *out);
/* The job with these sections in place of its own. */
const struct node *sections_put(const struct sections *s, const struct node *job,
                                struct arena *arena);
/* {"static_configs":[…]} */
void sections_write(const struct sections *s, struct buf *out);

/* The first key or text below 'n' with a NUL character, which C and many a tool would cut off;
 * NULL when there is none. */
const struct node *sections_find_nul(const struct node *n);
/* Moves 'f' from 'n' to what sections_find_nul() found. */
void sections_push_nul(const struct node *n, struct faults *f);

#endif
