/* How often something may be done over that anybody can ask for as often as he likes (a file that
 * is written all the time): after it has taken a while it rests for four times as long, so that it
 * has a fifth of its thread's time at most, and what others wait for comes up in between. What is
 * cheap is not held up noticeably. Pure: the times come in, on one clock. Threads: any. */
#ifndef OTEL_TA_WATCH_PACE_H
#define OTEL_TA_WATCH_PACE_H

#include <stdint.h>

struct pace {        /* zeroed: it may be done at once */
    int64_t rest_us; /* until then it rests */
};

/* It was done, from then to then. */
void pace_note(struct pace *p, int64_t from_us, int64_t to_us);
/* It is asked for at 'wanted_ms': when it may be done. */
int64_t pace_due_ms(const struct pace *p, int64_t wanted_ms);

#endif
