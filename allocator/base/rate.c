#include "allocator/base/rate.h"

bool rate_allow(struct rate *r, int64_t now_ms, uint64_t *out_suppressed)
{
    if (!r->is_started || now_ms - r->window_start_ms >= RATE_WINDOW_MS) {
        r->is_started = true;
        r->window_start_ms = now_ms;
        r->n = 0;
    }
    if (r->n >= RATE_BURST) {
        r->n_suppressed++;
        return false;
    }
    r->n++;
    *out_suppressed = r->n_suppressed;
    r->n_suppressed = 0;
    return true;
}
