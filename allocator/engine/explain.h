/* Why a target is here, or not: what discovery gave, what each rule made of it, whether it is kept,
 * and whose it is. Verdict and rules are run by the code that the engine runs (scrape/verdict.h);
 * who is served and by whom is looked up in the state, never computed a second time. A state keeps
 * nothing of targets that were dropped, so what arrives is kept here beside it, and digested again
 * when somebody asks. Threads: the engine's. */
#ifndef OTEL_TA_ENGINE_EXPLAIN_H
#define OTEL_TA_ENGINE_EXPLAIN_H

#include "allocator/engine/state.h"
#include "allocator/scrape/verdict.h"

struct explain;

/* Beside 's', which outlives it and gets its arrivals through explain_arrive() only: what came in
 * another way cannot be explained. Objects of a cluster the state has itself (engine/joins.h). */
struct explain *explain_new(struct state *s);
/* Moves '*a': shows it to the state, and keeps what it brought until the same source brings
 * something else that can be read. */
void explain_arrive(struct explain *x, struct arrival **a) ON(engine);

struct explain_change { /* of one label by one rule */
    const struct str *name;
    struct span before, after; /* empty: the label is absent */
};

struct explain_step { /* one rule that was run */
    size_t rule;
    const char *description; /* relabel_describe() */
    enum relabel_outcome outcome;
    const struct explain_change *changes; /* by name: first those that remove a label */
    size_t n_changes;
    const char *idle; /* relabel_idle(); NULL when it changed something, or dropped the target */
};

struct explain_seed { /* a label that the scrape config adds */
    struct label label;
    bool is_plain; /* a default of Prometheus that no rule mentions */
};

struct explain_target {
    struct span ns, name;        /* of the Collector CR */
    const struct scrapejob *job; /* in force */
    const struct sdconfig *section;
    struct span source;         /* path or URL; empty: static */
    struct span address;        /* before relabeling */
    struct span final_address;  /* after the rules, or where they ended */
    const struct label *labels; /* as discovered, by name; empty values are values */
    size_t n_labels;
    const struct explain_seed *seeds; /* by name */
    size_t n_seeds;
    const struct label
        *final_labels; /* KEPT: what the target is scraped with, and __meta_; by name */
    size_t n_final_labels;
    const struct explain_step *steps; /* up to the rule that drops it */
    size_t n_steps;
    struct verdict verdict; /* a target that is too big to be served is INVALID */
    struct span served;     /* KEPT: the address that is served for its identity, its own or that
                               of an earlier target with the same labels */
    bool is_served;         /* it is that target */
    struct span owner;      /* is_served: the collector; empty: none */
    const char *strategy;
    size_t n_collectors;
};
/* All of it is borrowed until the call returns. */
typedef void explain_target_fn(void *arg, const struct explain_target *t);

struct explain_question {
    struct span ns, name; /* of the Collector CR */
    struct span job;      /* p == NULL: all of them */
    struct span target;   /* an address, before or after relabeling; p == NULL: all of them */
};
/* In the order in which of equal targets the first is served: job, section, source, place. What is
 * owned is what it was when the state was last published (state_publish()). */
void explain_targets(struct explain *x, const struct explain_question *q, explain_target_fn *fn,
                     void *arg) ON(engine);

/* What is missing of a job. */
struct explain_job {
    const struct scrapejob *job;
    size_t n_failed;           /* sources that could not be read when last tried */
    size_t n_missing;          /* sections that have not been answered */
    const char *const *faults; /* "SOURCE: REASON" of what came and could not be read */
    size_t n_faults;
};
typedef void explain_job_fn(void *arg, const struct explain_job *j);
/* Every job of one Collector CR. */
void explain_jobs(struct explain *x, struct span ns, struct span name, explain_job_fn *fn,
                  void *arg) ON(engine);
void explain_free(struct explain **explain);

#endif
