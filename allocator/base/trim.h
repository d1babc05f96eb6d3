/* When is memory that nobody uses given back to the system? glibc keeps what was freed, wherever
 * the last block in use lies behind it: after a peak that is most of it, for ever. Giving it back
 * takes milliseconds and the next peak has to ask for it again, so it is done when the process has
 * little else to do and when it is worth it.
 * Threads: a struct trim belongs to one thread. */
#ifndef OTEL_TA_BASE_TRIM_H
#define OTEL_TA_BASE_TRIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TRIM_PERIOD_MS 2000 /* how often it is worth asking */

struct trim {
    int64_t asked_ms, asked_cpu_ms; /* the last time; 0: never */
    int64_t due_since_ms;           /* 0: it is not due */
    size_t left_bytes;              /* what could not be given back the last time */
};

/* What the process looks like. */
struct trim_view {
    int64_t now_ms, cpu_ms; /* a clock, and the processor that was used since the start */
    size_t resident_bytes;  /* that are the process's own */
    size_t used_bytes;      /* of them, by blocks in use */
};

/* Pure: is it worth it now? Ask every TRIM_PERIOD_MS. */
bool trim_is_due(struct trim *t, const struct trim_view *v);
/* What was left over after it was done. */
void trim_note(struct trim *t, const struct trim_view *v);

/* Looks, and does it when it is due. Cheap when it was asked a moment ago. */
void trim_tick(struct trim *t, int64_t now_ms);

#endif
