/* All metrics are declared in metrics.def, one line each: identifier, exposed name, type, help,
 * label names. Unlabelled counters and histograms have one slot per thread and are summed when
 * scraped, so that counting never takes a lock; labelled series and gauges are kept under one mutex
 * and are not for request paths. Threads: any. */
#ifndef OTEL_TA_BASE_METRIC_H
#define OTEL_TA_BASE_METRIC_H

#include "allocator/base/buf.h"

#include <stdint.h>

enum metric_id {
    METRIC_NONE, /* what a member that is not set says; nothing is counted under it */
#define METRIC(id, name, type, help, labels) METRIC_##id,
#include "allocator/base/metrics.def"
#undef METRIC
    METRIC_COUNT
};

void metric_add(enum metric_id id, uint64_t n);       /* counter without labels */
void metric_observe(enum metric_id id, double value); /* histogram without labels; seconds */
void metric_set(enum metric_id id, double value);     /* gauge without labels */
/* 'labels' are values in the order of the declaration, e.g. (const char *[]){"job-a"}. */
void metric_add_for(enum metric_id id, const char *const *labels, uint64_t n);
void metric_set_for(enum metric_id id, const char *const *labels, double value);
void metric_observe_for(enum metric_id id, const char *const *labels, double value);
/* One thread's own part of a labelled histogram, for request paths: taken once, then observed
 * without lock and allocation. It lives until the process ends, and so does its series: do not
 * forget it. */
struct metric_part;
struct metric_part *metric_part_new(enum metric_id id, const char *const *labels);
void metric_part_observe(struct metric_part *part, double value);
/* Removes the series with exactly these label values. */
void metric_forget(enum metric_id id, const char *const *labels);
/* Text exposition format 0.0.4, families sorted by name, series by labels. */
void metric_render(struct buf *out);
/* Sum of a counter over its slots, for tests. */
uint64_t metric_value(enum metric_id id);

#endif
