/* One Collector CR at work: its fleet of collectors and its jobs.
 * Threads: the engine's. */
#ifndef OTEL_TA_ENGINE_TENANCY_H
#define OTEL_TA_ENGINE_TENANCY_H

#include "allocator/engine/job.h"
#include "allocator/tenant/tenants.h"

struct tenancy {
    struct span ns, name; /* owned, and so are the next two */
    struct span strategy, fallback;
    char *prefix; /* of names in metrics: empty, or "<ns>/<name>/" beside other tenants */
    bool is_v0, are_jobs_inline;
    struct fleet *fleet;
    VEC(struct job *) jobs;
    VEC(struct scrapejob_refused)
    refused;                    /* jobs that have a fault: run as before, or not at all */
    VEC(uint32_t) free_numbers; /* of jobs that left the fleet */
    uint32_t n_numbers;
    struct collectorlist collectors; /* by name */
    bool has_new_collectors;         /* since the metrics were shown */
    VEC(struct shown_collector {
        char *name;
        size_t n_targets;
    })
    shown; /* what the metrics say */
};

/* Same strategy: the fleet can go on. */
bool tenancy_is_like(const struct tenancy *t, const struct tenant *config);
/* Without collectors, alone. ERR_NOT_FOUND for an unknown strategy. */
int tenancy_new(const struct tenant *config, struct tenancy **out, struct err *err)
    ON(engine) MUST_USE;
/* Whether names in metrics need to say which tenant is meant. True when they change. */
bool tenancy_set_alone(struct tenancy *t, bool is_alone);
/* Where this collector's requests come from; empty when that is not known. */
struct span tenancy_address_of(const struct tenancy *t, struct span collector);
/* The collectors are these from now on: targets move, the pages of all jobs note it. True when the
 * list is another one. */
bool tenancy_set_collectors(struct tenancy *t, const struct collectorlist *list) ON(engine);
/* Before pages are rendered: owners are evened out where the strategy wants that. 'touched' is told
 * every job of which targets move. */
void tenancy_settle(struct tenancy *t, void (*touched)(void *arg, struct job *j), void *arg)
    ON(engine);
uint32_t tenancy_take_number(struct tenancy *t);
void tenancy_give_number(struct tenancy *t, uint32_t number);
/* Assigns every target anew, in job and identity order, from nothing: what a strategy that looks at
 * loads gives then does not depend on the order in which targets were found. False, and nothing
 * done, for the others. */
bool tenancy_assign_in_order(struct tenancy *t) ON(engine);
/* Brings the gauges per collector up to date. */
void tenancy_show(struct tenancy *t);
/* These jobs are refused from now on. Moves those of 'from'. */
void tenancy_set_refused(struct tenancy *t, struct scrapejobs *from);
/* Frees its jobs too, and removes their series. */
void tenancy_free(struct tenancy **t) ON(engine);

#endif
