/* What the allocator's own reader says of a Collector and its scrape jobs: unknown fields, regexes
 * that do not compile, durations that are none. A rewrite looks at discovery alone, and passes them
 * on to collectors that will not start. One verdict for 'validate', for which it is final, and for
 * 'rewrite' and the webhook, which warn. Threads: any. */
#ifndef OTEL_TA_WEBHOOK_REWRITE_INSPECTION_H
#define OTEL_TA_WEBHOOK_REWRITE_INSPECTION_H

#include "webhook/rewrite/plan.h"

struct inspection {
    size_t n_jobs, n_left; /* that are taken; that stay with the collectors */
};

/* Adds to 'f', where it stands, what was not said there before (faults_drop_repeats). 'worst': the
 * severity of what makes a job unusable. 'root' is a whole Collector, as it is written. */
void inspection_make(const struct node *root, const struct rewrite_options *options,
                     enum fault_severity worst, struct faults *f, struct inspection *out);
/* The same of each Collector of a document. */
void inspection_of_all(const struct node *root, const struct rewrite_options *options,
                       enum fault_severity worst, struct faults *f, struct inspection *out);

#endif
