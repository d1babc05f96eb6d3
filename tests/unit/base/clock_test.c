#include "allocator/base/clock.h"

#include "tests/check.h"

#include <time.h>

int main(void)
{
    int64_t before_s = (int64_t)time(NULL), wall_s = clock_wall_ms() / 1000;
    int64_t after_s = (int64_t)time(NULL); /* which may lag behind by a tick */
    int64_t mono_us = clock_mono_us(), cpu_us = clock_thread_cpu_us();
    int64_t last_us = mono_us;
    bool is_monotonic = true;

    /* Work until the clock has moved, so that this ends on any machine. */
    while (last_us - mono_us < 2000) {
        int64_t now_us = clock_mono_us();
        is_monotonic = is_monotonic && now_us >= last_us;
        last_us = now_us;
    }
    ok(is_monotonic, "the monotonic clock never goes back");
    ok(clock_mono_ms() >= last_us / 1000, "milliseconds and microseconds agree");
    ok(clock_thread_cpu_us() > cpu_us, "processor time passes while working");
    ok(before_s <= wall_s && wall_s <= after_s + 1, "wall time is Unix time");
    is_int(clock_wait_ms(INT64_MAX, 70, 5), 70, "nothing is due: as long as one may wait");
    is_int(clock_wait_ms(50, 70, 5), 45, "until it is due");
    is_int(clock_wait_ms(500, 70, 5), 70, "or that long");
    is_int(clock_wait_ms(4, 70, 5), 0, "not at all for what is late");
    return check_done();
}
