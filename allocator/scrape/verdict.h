/* What relabeling decides about one discovered target: seeds, rules, checks, identity. The same
 * function serves the engine, 'check service-discovery', 'allocate' and 'explain'. Source:
 * Prometheus scrape/target.go (PopulateLabels), and for job->disable_sharding
 * internal/target/discovery.go of the OpenTelemetry operator. Threads: as the strpool. */
#ifndef OTEL_TA_SCRAPE_VERDICT_H
#define OTEL_TA_SCRAPE_VERDICT_H

#include "allocator/scrape/scrapejob.h"

enum verdict_kind { VERDICT_KEPT, VERDICT_DROPPED, VERDICT_INVALID };

struct verdict {
    enum verdict_kind kind;
    size_t rule;        /* DROPPED: index of the rule */
    const char *reason; /* INVALID: Prometheus' sentence, e.g. "no address"; in the builder's arena
                           or static */
    uint64_t identity;  /* KEPT: labels_identity() of the final labels and the job */
};

/* 'lb' holds the discovered labels (group and target merged, empty values left out) and is left
 * with the final labels (before __meta_* are removed; 'instance' set when it was empty). With
 * SCRAPE_FILTER_NONE nothing is changed and nothing checked: every target is kept. */
void verdict_reach(const struct scrapejob *job, struct label_builder *lb, struct verdict *out);

/* The same without the identity: whether the target is kept, and why not. */
void verdict_judge(const struct scrapejob *job, struct label_builder *lb, struct verdict *out);

/* Somebody who wants to see how it is reached. */
struct verdict_watch {
    /* What the scrape config adds was added. Not called with SCRAPE_FILTER_NONE. */
    void (*seeded)(void *arg, const struct label_builder *lb);
    /* Around each rule that runs; the last of them drops the target if one does. The labels stay
     * as they are. */
    void (*will_run)(void *arg, size_t rule, const struct label_builder *lb);
    void (*has_run)(void *arg, size_t rule, enum relabel_outcome outcome, struct label_builder *lb);
    void *arg;
};
/* The same verdict, in more time. 'w' may be NULL. */
void verdict_watch(const struct scrapejob *job, struct label_builder *lb,
                   const struct verdict_watch *w, struct verdict *out);

#endif
