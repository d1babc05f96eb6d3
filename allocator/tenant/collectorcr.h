/* An OpenTelemetryCollector CR as the allocator reads it: who it is, what it wants, and the scrape
 * jobs of its Prometheus receivers with their original discovery sections (inline, or from the
 * annotation when the CR was rewritten). v1alpha1 and v1beta1, spec.config as text or object in
 * either. Threads: any. */
#ifndef OTEL_TA_TENANT_COLLECTORCR_H
#define OTEL_TA_TENANT_COLLECTORCR_H

#include "allocator/scrape/scrapejob.h"

struct collectorcr {
    struct span ns, name;    /* ns may be empty */
    struct span api_version; /* "opentelemetry.io/v1alpha1" */
    bool is_enabled; /* spec.targetAllocator.enabled, or label otel-ta/inject "true"; and not opted
                        out */
    bool is_opted_out;           /* label otel-ta/inject "false" */
    struct span mode;            /* spec.mode, "deployment" by default */
    struct span strategy;        /* spec.targetAllocator.allocationStrategy or empty */
    struct span filter_strategy; /* empty = not given */
    bool has_filter_strategy;
    int64_t replicas;          /* spec.replicas, 1 by default */
    bool has_prometheus_cr;    /* spec.targetAllocator.prometheusCR.enabled */
    const struct node *config; /* spec.config as a tree (text is parsed), or NULL */
    struct span config_text;   /* spec.config when it is text, else p == NULL */
    const struct node *stash;  /* decoded annotation or NULL */
};

/* Is this document an OpenTelemetryCollector of opentelemetry.io? */
bool collectorcr_is(const struct node *doc);
/* Reads it; faults under the path where 'f' stands. False when it cannot be used at all. */
bool collectorcr_parse(const struct node *doc, struct arena *arena, struct faults *f,
                       struct collectorcr *out);
/* The jobs of every prometheus receiver, discovery sections put back, $$ unescaped;
 * scrapejob.receiver is set. Paths: "spec.config.receivers.prometheus.config.scrape_configs[0].…".
 */
void collectorcr_jobs(const struct collectorcr *cr, const struct scrape_options *options,
                      struct strpool *pool, struct faults *f, struct scrapejobs *out);

#endif
