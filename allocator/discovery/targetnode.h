/* On which node a target runs, as far as its discovered labels say: what the strategy per-node goes
 * by. The rule is upstream's (cmd/otel-allocator/internal/target/target.go): the first of three
 * labels that is not empty, else the endpoint's own target when that is a node. Threads: any. */
#ifndef OTEL_TA_DISCOVERY_TARGETNODE_H
#define OTEL_TA_DISCOVERY_TARGETNODE_H

#include "allocator/base/span.h"

#define TARGETNODE_LABELS 5
/* The labels that are looked at. */
extern const char *const targetnode_labels[TARGETNODE_LABELS];
/* 'values' in that order, empty where absent. Empty: unknown. */
struct span targetnode_pick(const struct span values[TARGETNODE_LABELS]);

#endif
