#include "allocator/watch/pace.h"

#define REST_PER_WORK 4
#define REST_MAX_US 5000000 /* one slow moment of a disk is not held against it for minutes */

void pace_note(struct pace *p, int64_t from_us, int64_t to_us)
{
    int64_t rest_us = to_us > from_us ? (to_us - from_us) * REST_PER_WORK : 0;

    p->rest_us = to_us + (rest_us < REST_MAX_US ? rest_us : REST_MAX_US);
}

int64_t pace_due_ms(const struct pace *p, int64_t wanted_ms)
{
    int64_t rest_ms = p->rest_us / 1000; /* less than a millisecond is no rest */

    return wanted_ms > rest_ms ? wanted_ms : rest_ms;
}
