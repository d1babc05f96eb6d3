/* The words for allocation strategies in a Collector's spec and in upstream's file. What they mean
 * is known to allocator/shard, which is not below this floor. Threads: any. */
#ifndef OTEL_TA_TENANT_STRATEGYNAME_H
#define OTEL_TA_TENANT_STRATEGYNAME_H

#include "allocator/base/fault.h"
#include "allocator/codec/node.h"

extern const char *const strategy_names[]; /* NULL-terminated, in the order of allocator/shard */

/* An error at 'key' of 'map' when it is a text and none of the names. Absent and empty are fine. */
void strategyname_check(const struct node *map, const char *key, struct faults *f);

#endif
