/* What Prometheus accepts in a scrape config and is hardly meant, as warnings. Pure; threads: any.
 */
#ifndef OTEL_TA_SCRAPE_ADVICE_H
#define OTEL_TA_SCRAPE_ADVICE_H

#include "allocator/base/fault.h"
#include "allocator/codec/node.h"

/* 'job' is a scrape config, a map; members of a wrong type are passed over. 'f' stands there. */
void advice_give(const struct node *job, struct faults *f);

#endif
