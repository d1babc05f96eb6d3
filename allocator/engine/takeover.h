/* What a job takes over from the one before it (handover.h) for want of an answer of its own: the
 * targets that were kept there, as discovered, go through the new rules. Threads: the engine's. */
#ifndef OTEL_TA_ENGINE_TAKEOVER_H
#define OTEL_TA_ENGINE_TAKEOVER_H

#include "allocator/engine/job.h"

/* 'source' of this section could not be read: what was known of it, unless 'j' knows it by itself.
 * 'scratch' is overwritten; true when the job changed. */
bool takeover_source(struct job *j, uint32_t section, struct span source, struct sd_batch *scratch)
    ON(engine);
/* Nothing was heard of this section: all sources that were known of it. */
bool takeover_section(struct job *j, uint32_t section, struct sd_batch *scratch) ON(engine);
/* The one before has targets from an address that the job does not ask any more. */
bool takeover_has_moved(const struct job *j);

#endif
