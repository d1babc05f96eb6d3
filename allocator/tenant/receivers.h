/* The Prometheus receivers of a Collector and their scrape jobs, as the allocator runs them: with
 * their original discovery sections, inline, or from the annotation when the Collector was
 * rewritten. Threads: any. */
#ifndef OTEL_TA_TENANT_RECEIVERS_H
#define OTEL_TA_TENANT_RECEIVERS_H

#include "allocator/scrape/scrapejob.h"
#include "allocator/tenant/collector.h"

/* Does a receiver of that name scrape: "prometheus" or "prometheus/…"? */
bool receivers_is(struct span name);
/* The jobs of every prometheus receiver, discovery sections put back, $$ unescaped;
 * scrapejob.receiver is set. Paths: "spec.config.receivers.prometheus.config.scrape_configs[0].…".
 * False when the Collector cannot be used at all: it has no name, or its annotation is of a newer
 * version. */
bool receivers_jobs(const struct collector *c, const struct scrape_options *options,
                    struct strpool *pool, struct faults *f, struct scrapejobs *out);

#endif
