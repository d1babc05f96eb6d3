#include "allocator/watch/pace.h"

#include "tests/check.h"

/* Asked for all the time, and as dear as that: how much of 'span_ms' it takes. */
static int64_t share(int64_t work_us, int64_t span_ms)
{
    struct pace p = { 0 };
    int64_t now_us = 1000000, end_us = now_us + span_ms * 1000, used_us = 0;

    while (now_us < end_us) {
        pace_note(&p, now_us, now_us + work_us);
        used_us += work_us;
        now_us += work_us;
        int64_t due_ms = pace_due_ms(&p, now_us / 1000);
        now_us = due_ms * 1000 > now_us ? due_ms * 1000 : now_us + 1000;
    }
    return used_us;
}

int main(void)
{
    struct pace p = { 0 };

    is_int(pace_due_ms(&p, 0), 0, "at once");
    is_int(pace_due_ms(&p, 77), 77, "when it is wanted");
    pace_note(&p, 1000000, 1100000);
    is_int(pace_due_ms(&p, 1100), 1500, "100 ms of work: 400 ms of rest");
    is_int(pace_due_ms(&p, 1600), 1600, "which are over by then");
    pace_note(&p, 2000000, 2000100);
    is_int(pace_due_ms(&p, 2000), 2000, "what is cheap is not held up");
    pace_note(&p, 3000000, 63000000);
    is_int(pace_due_ms(&p, 63000), 68000, "a slow moment rests for five seconds");
    pace_note(&p, 70000000, 69000000);
    is_int(pace_due_ms(&p, 0), 69000, "a clock that goes back costs nothing");
    static const int64_t work_us[] = { 1000, 7000, 50000, 400000 };
    for (size_t i = 0; i < sizeof(work_us) / sizeof(work_us[0]); i++) {
        int64_t used_us = share(work_us[i], 60000);
        ok(used_us <= 60000000 / 5 + work_us[i], "%lld us each time: %lld us of a minute",
           (long long)work_us[i], (long long)used_us);
    }
    return check_done();
}
