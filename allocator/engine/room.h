/* What the targets of all jobs take, kept ones and those that are remembered, has a cap (struct
 * tails): whether a reading fits. Threads: the engine's. */
#ifndef OTEL_TA_ENGINE_ROOM_H
#define OTEL_TA_ENGINE_ROOM_H

#include "allocator/engine/job.h"

/* A source of the job can hold this. One that takes no more than it did always can. Cheap while
 * there is plenty; else the rules are run to see what would be kept. Near the cap it is an
 * estimate: what is not kept counts a quarter of its text. */
bool room_has(struct job *j, uint32_t section, struct span source, struct sd_batch *batch)
    ON(engine);

#endif
