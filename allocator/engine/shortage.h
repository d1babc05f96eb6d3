/* Readings for which there is no room (engine/room.h): the source keeps what it gave, also where a
 * job takes over; where it gave nothing the job has no answer. They are tried again when targets
 * have gone: those of files and URLs at the next refresh, lists and objects of a cluster when a
 * sixteenth of all room is free that was not. Threads: the engine's. */
#ifndef OTEL_TA_ENGINE_SHORTAGE_H
#define OTEL_TA_ENGINE_SHORTAGE_H

#include "allocator/engine/state_fields.h"

/* One was not taken. */
void shortage_note(struct state *s, const char *mechanism, struct span source);
/* Gives the job the targets of a section that asks nobody. */
void shortage_read_static(struct state *s, struct job *j, uint32_t section) ON(engine);
/* After whatever came or went: tries again, and says whether anything is missing. */
void shortage_settle(struct state *s) ON(engine);

#endif
