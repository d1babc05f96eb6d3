/* What a job takes over without an answer of its own, from the one before it (handover.h) or from
 * another that asks for the same: everything that was discovered there, kept or not, goes
 * through its own rules. Threads: the engine's. */
#ifndef OTEL_TA_ENGINE_TAKEOVER_H
#define OTEL_TA_ENGINE_TAKEOVER_H

#include "allocator/engine/job.h"

/* All that 'from' holds, as it was discovered; false: it cannot be told. The batch looks into
 * 'text', which is empty and has room. */
bool takeover_read(const struct source *from, struct buf *text, struct sd_batch *out);
/* All that 'from' holds becomes the source of that name in this section, unless 'j' knows it by
 * itself. 'scratch' is overwritten; true when the job changed. */
bool takeover_copy(struct job *j, uint32_t section, const struct source *from,
                   struct sd_batch *scratch) ON(engine);
/* The same for every source of a section of another job, which asks for the same. */
bool takeover_twin(struct job *j, uint32_t section, const struct job *twin, uint32_t its_section,
                   struct sd_batch *scratch) ON(engine);
/* 'source' of this section could not be read: what was known of it, unless 'j' knows it by itself.
 * 'scratch' is overwritten; true when the job changed. */
bool takeover_source(struct job *j, uint32_t section, struct span source, struct sd_batch *scratch)
    ON(engine);
/* Nothing was heard of this section: its one source, where it can have one only and was asked in
 * another way before. */
bool takeover_section(struct job *j, uint32_t section, struct sd_batch *scratch) ON(engine);
/* The one before has targets from an address that the job does not ask any more. */
bool takeover_has_moved(const struct job *j);

#endif
