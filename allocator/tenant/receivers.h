/* The Prometheus receivers of a Collector and their scrape jobs, as the allocator runs them: with
 * their original discovery sections, inline, or from the annotation when the Collector was
 * rewritten. Threads: any. */
#ifndef OTEL_TA_TENANT_RECEIVERS_H
#define OTEL_TA_TENANT_RECEIVERS_H

#include "allocator/scrape/scrapejob.h"
#include "allocator/tenant/takable.h"

/* Does a receiver of that name scrape: "prometheus" or "prometheus/…"? */
bool receivers_is(struct span name);
struct receivers_options {
    struct scrape_options scrape; /* receiver and unescape_dollars are set here */
    struct takable_options takable;
};

/* A job that is left with the collectors. */
struct left_job {
    char *receiver, *job, *why; /* owned; the sentence that a warning says, too */
    enum left_kind kind;
};

struct left_jobs {
    struct left_job *v;
    size_t n, cap;
};
void left_jobs_fini(struct left_jobs *left);

/* The jobs of every prometheus receiver that are taken: discovery sections put back, expressions
 * filled in, $$ unescaped; scrapejob.receiver is set. The others go to 'out_left' (NULL: nobody
 * asks) and are warned of. Of a Collector that gets no allocator all are taken, whatever they hold.
 * Paths: "spec.config.receivers.prometheus.config.scrape_configs[0].…". False when the Collector
 * cannot be used at all: it has no name, or its annotation is of a newer version. */
bool receivers_jobs(const struct collector *c, const struct receivers_options *options,
                    struct strpool *pool, struct faults *f, struct scrapejobs *out,
                    struct left_jobs *out_left);

#endif
