/* What state.c (arrivals, publication) and configure.c (one configuration after another) share, and
 * verify.c, explain.c, roster.c and shortage.c look at. Private to these. Threads: the engine's. */
#ifndef OTEL_TA_ENGINE_STATE_FIELDS_H
#define OTEL_TA_ENGINE_STATE_FIELDS_H

#include "allocator/engine/state.h"
#include "allocator/engine/tenancy.h"
#include "allocator/engine/wants.h"

/* What was told of one tenant and is not in force yet; after that only collectors that wait for
 * their tenant. */
struct told {
    char *ns, *name;
    size_t order;          /* of two, the later one counts */
    struct tenant *tenant; /* NULL: nothing, or is_gone */
    struct tenancy *fresh; /* with 'tenant': a new one for it, in case it needs that */
    bool is_gone, has_list;
    struct collectorlist list;
};

struct state {
    struct strpool pool;
    struct label_builder labels; /* where a target is judged; knows what earlier ones looked like */
    struct publisher *publisher;
    struct tails tails;
    struct wants wants;
    struct joins joins;
    struct sd_batch batch;
    struct gaps gaps;
    bool has_new_gaps;
    VEC(struct told) told;
    size_t n_told;
    VEC(struct tenancy *) tenancies; /* by namespace and name */
    VEC(struct job *) jobs;          /* by row */
    VEC(struct job *) dirty;
    const struct page_row **rows; /* of those; after them as many NULL as jobs are refused */
    size_t n_rows;
    struct directory *directory;
    size_t n_starved;       /* sections for whose lists there is no room (engine/shortage.h) */
    size_t used_when_short; /* what targets took when that was last seen */
    bool is_short;          /* somebody was told so */
    bool is_configured;
    bool is_synced;
    bool is_directory_new, is_synced_new; /* since the last snapshot */
    size_t n_kept;                        /* sum over the jobs, as of the last snapshot */
    int64_t allocating_us;                /* spent on targets since the last snapshot */
};

/* The job may have to be rendered. Where it is served in place of another (handover.h) that one is
 * listed, which knows who is served. */
void state_list_job(struct state *s, struct job *changed);
/* It is about to be freed. 'next', if any, is shown in the metrics in its place. */
void state_forget_job(struct state *s, const struct job *j, struct job *next);
/* The job itself is served from now on, or not at all: frees the one before it. */
void state_end_handover(struct state *s, struct job *j) ON(engine);
void state_free_told(struct told *t) ON(engine);
/* Upstream's metric of how long it takes to assign targets. */
void state_show_time(const struct tenancy *t, const char *method, int64_t us);
/* Another directory takes its place, or none. */
void state_retire_directory(struct state *s) ON(engine);

#endif
