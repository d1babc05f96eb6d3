/* Keys of what is configured, by which the engine and who tells it about tenants know what has not
 * changed. Pure. Threads: as the tenant. */
#ifndef OTEL_TA_ENGINE_TENANTKEY_H
#define OTEL_TA_ENGINE_TENANTKEY_H

#include "allocator/tenant/tenant.h"

/* Settles the jobs (scrapejob_settle()) and sets the key of each, and the tenant's. Once is enough.
 * Equal keys: jobs that find and keep the same; tenants with the same jobs in the same order,
 * the same refused ones, shared out in the same way. Collectors are in no key. */
void tenantkey_make(struct tenant *t);

#endif
