/* One scrape job at work: what each of its sources holds, which targets are kept, which of them is
 * served, and the pages that come of it. A source is always read as a whole; the difference to what
 * it held before is found here, so that a target which did not change keeps its memory, its owner
 * and its place. Rules: targets of a job with the same identity are one; the one of the lowest
 * (section, source name, index) is served. Threads: the engine's. */
#ifndef OTEL_TA_ENGINE_JOB_H
#define OTEL_TA_ENGINE_JOB_H

#include "allocator/discovery/batch.h"
#include "allocator/engine/handover.h"
#include "allocator/engine/leftover.h"
#include "allocator/engine/pages.h"
#include "allocator/scrape/verdict.h"

struct source {
    struct table_node node;
    struct job *job;
    uint32_t section;        /* index into the job's discovery sections */
    char *name;              /* path or URL; "" for static */
    struct target **targets; /* kept ones, by index */
    uint32_t n;
    size_t n_discovered, n_dropped, n_invalid;
    struct leftover *leftover; /* those that were dropped or are invalid; NULL: there are none */
};

/* What a source holds, for one job or for several one after the other. */
struct reading {
    struct sd_batch *batch;
    bool is_shared;         /* for several: what some do not keep is written once for all */
    struct leftover *whole; /* that, owned; NULL: each has kept all so far */
};

struct job {
    struct scrapejob *config;     /* owned */
    char *label;                  /* for metrics */
    struct fleet *fleet;          /* of its tenant */
    uint32_t fleet_job;           /* its number there */
    uint64_t receiver_hash;       /* scrapejob_receiver_hash() */
    struct tails *tails;          /* of the state, and so is what all targets take */
    struct label_builder *labels; /* of the state: for whichever target is judged */
    struct table sources;
    struct table heads; /* served targets (assigned or not) by identity */
    struct pages pages;
    uint32_t n_starved; /* sections for whose lists there is no room */
    size_t n_discovered, n_kept, n_dropped, n_invalid; /* sums over the sources */
    bool has_news;                                     /* for metrics */
    size_t n_kept_shown;
    size_t row;     /* in snapshots */
    bool is_listed; /* among the jobs that may have to be rendered */
    struct handover
        handover; /* whether it is served, or the same job as it was configured before */
};

/* Moves 'config', which has its key (engine/tenantkey.h) and belongs to the pool of
 * 'labels'. */
struct job *job_new(struct scrapejob *config, const char *label, struct fleet *fleet,
                    uint32_t fleet_job, struct tails *tails, struct label_builder *labels);
/* NULL for an unknown one. */
struct source *job_find_source(const struct job *j, uint32_t section, struct span name);
/* The one that is served of its identity; NULL: there is none. */
struct target *job_find_head(const struct job *j, uint64_t identity);
/* The source holds this now. What changes is noted in the pages. */
void job_apply(struct job *j, uint32_t section, struct span source, struct reading *reading)
    ON(engine);
void reading_fini(struct reading *reading);
/* The source holds nothing any more; unknown ones are fine. */
void job_vanish(struct job *j, uint32_t section, struct span source) ON(engine);
/* Puts every target into 'fleet', in identity order, and forgets the fleet it was in, which is
 * freed as a whole. */
void job_join(struct job *j, struct fleet *fleet, uint32_t fleet_job) ON(engine);
/* Brings its gauges up to date. */
void job_show(struct job *j);
/* Removes every series under its label. */
void job_forget_series(const struct job *j);
/* Its name in metrics; those under another one are removed. */
void job_set_label(struct job *j, const char *label);
/* The one before it too, if it has not handed over. 'is_fleet_gone': the fleet is freed as a whole,
 * its slots need not be cleared. */
void job_free(struct job **job, bool is_fleet_gone) ON(engine);

#endif
