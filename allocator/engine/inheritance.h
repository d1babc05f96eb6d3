/* What a changed job takes over from its predecessor: the targets of sources that do not answer to
 * the new one. They are what the predecessor kept, as discovered, and go through the new rules.
 * Only what the job does not know by itself is taken. Threads: the engine's. */
#ifndef OTEL_TA_ENGINE_INHERITANCE_H
#define OTEL_TA_ENGINE_INHERITANCE_H

#include "allocator/engine/job.h"

/* 'source' of this section could not be read. 'scratch' is overwritten; true when the job changed.
 */
bool inheritance_of_source(struct job *j, uint32_t section, struct span source,
                           struct sd_batch *scratch) ON(engine);
/* Nothing was heard of this section: all sources that the predecessor knows of it. */
bool inheritance_of_section(struct job *j, uint32_t section, struct sd_batch *scratch) ON(engine);
/* The predecessor has targets from an address that the job does not ask any more. */
bool inheritance_gives_up(const struct job *j);

#endif
