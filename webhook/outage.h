/* What is not served as its configuration says, since that has a fault: told in the log when it
 * begins and ends, and in a metric as long as it lasts. Threads: main thread. */
#ifndef OTEL_TA_WEBHOOK_OUTAGE_H
#define OTEL_TA_WEBHOOK_OUTAGE_H

#include "allocator/tenant/tenants.h"

struct outage {
    char *texts[4]; /* owned: file, Collector, job, why; those of the metric */
};

struct outages {
    struct outage *v; /* sorted */
    size_t n, cap;
};

/* It is what 'tenants' lacks, in place of what it was before. */
void outages_tell(struct outages *o, const struct tenants *tenants);
void outages_fini(struct outages *o);

#endif
