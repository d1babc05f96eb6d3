/* How often may the same thing be said? A fixed number of times in a window; what was left out is
 * counted. Pure: 'now' comes from the caller. Threads: a slot belongs to one thread at a time. */
#ifndef OTEL_TA_BASE_RATE_H
#define OTEL_TA_BASE_RATE_H

#include <stdbool.h>
#include <stdint.h>

#define RATE_BURST 20        /* times … */
#define RATE_WINDOW_MS 10000 /* … in this time */

struct rate {
    bool is_started;
    int64_t window_start_ms;
    unsigned n;
    uint64_t n_suppressed; /* since the last that was let through */
};

/* True when it may be said now; '*out_suppressed' is then how many were left out since the last
 * time. */
bool rate_allow(struct rate *r, int64_t now_ms, uint64_t *out_suppressed);

#endif
