#include "allocator/base/clock.h"

#include <time.h>

static int64_t read_us(clockid_t id)
{
    struct timespec t = { 0, 0 };
    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t clock_mono_ms(void)
{
    return read_us(CLOCK_MONOTONIC) / 1000;
}

int64_t clock_mono_us(void)
{
    return read_us(CLOCK_MONOTONIC);
}

int64_t clock_wall_ms(void)
{
    return read_us(CLOCK_REALTIME) / 1000;
}

int64_t clock_thread_cpu_us(void)
{
    return read_us(CLOCK_THREAD_CPUTIME_ID);
}

int clock_wait_ms(int64_t due_ms, int most_ms, int64_t now_ms)
{
    int64_t left_ms = due_ms == INT64_MAX ? most_ms : due_ms - now_ms;

    return left_ms < 0 ? 0 : left_ms < most_ms ? (int)left_ms : most_ms;
}
