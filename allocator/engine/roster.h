/* What the directory (serve/directory.h) is told of the tenants at work: who exists, and what is
 * known to exist and is not served since its configuration has a fault. Threads: the engine's. */
#ifndef OTEL_TA_ENGINE_ROSTER_H
#define OTEL_TA_ENGINE_ROSTER_H

#include "allocator/engine/state_fields.h"

/* How many refused jobs are known by name and do not run: they come after the others, without a
 * row. */
size_t roster_count_refused(const struct state *s);
/* A new directory in the place of the old one. */
void roster_make(struct state *s) ON(engine);

#endif
