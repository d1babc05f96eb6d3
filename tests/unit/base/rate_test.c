#include "allocator/base/rate.h"

#include "tests/check.h"

int main(void)
{
    struct rate r = { 0 };
    uint64_t n_suppressed = 99;
    unsigned n_allowed = 0;

    for (int i = 0; i < 100; i++) {
        n_allowed += rate_allow(&r, -5 + i, &n_suppressed) ? 1 : 0;
    }
    is_int(n_allowed, RATE_BURST, "a burst, and no more");
    is_int(n_suppressed, 0, "nothing was left out before it");
    ok(!rate_allow(&r, -5 + RATE_WINDOW_MS - 1, &n_suppressed), "not before the window ends");
    ok(rate_allow(&r, -5 + RATE_WINDOW_MS, &n_suppressed), "then again");
    is_int(n_suppressed, 100 - RATE_BURST + 1, "and the left out are counted");
    ok(rate_allow(&r, -5 + RATE_WINDOW_MS, &n_suppressed), "twice");
    is_int(n_suppressed, 0, "counted once");
    return check_done();
}
