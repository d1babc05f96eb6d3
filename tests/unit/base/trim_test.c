/* Memory goes back when there is much to give and little to do. */
#include "allocator/base/trim.h"

#include "allocator/base/limits.h"
#include "tests/check.h"

static void test_decision(void)
{
    static const struct {
        const char *what;
        int64_t at_s, cpu_ms;
        size_t resident, used; /* MiB */
        bool is_due;
        size_t left; /* after it was done */
    } t[] = {
        { "the first look knows no time before", 10, 100, 500, 20, false, 0 },
        { "much is kept, and it is quiet", 12, 110, 500, 20, true, 30 },
        { "what could not be given back is not tried again", 14, 110, 50, 20, false, 0 },
        { "a little more is not worth it", 16, 110, 53, 20, false, 0 },
        { "in use: nothing to give", 18, 110, 500, 490, false, 0 },
        { "freed again, but busy", 20, 1500, 500, 20, false, 0 },
        { "still busy", 40, 20000, 500, 20, false, 0 },
        { "busy for too long", 50, 30000, 500, 20, true, 2 },
        { "less is left by itself", 52, 30000, 21, 20, false, 0 },
        { "so that less is worth it", 54, 30000, 26, 20, true, 1 },
        { "an eighth of much that is used is not worth it", 56, 30000, 900, 810, false, 0 },
        { "more than that is", 58, 30000, 920, 810, true, 1 },
        { "less resident than used: another allocator's figures", 60, 30000, 10, 800, false, 0 },
    };
    struct trim trim = { 0 };

    for (size_t i = 0; i < COUNT(t); i++) {
        struct trim_view v = { t[i].at_s * 1000, t[i].cpu_ms, t[i].resident * MIB,
                               t[i].used * MIB };
        bool is_due = trim_is_due(&trim, &v);
        is_int(is_due, t[i].is_due, "%s", t[i].what);
        if (is_due) {
            v.resident_bytes = v.used_bytes + t[i].left * MIB;
            trim_note(&trim, &v);
        }
    }
}

/* That the figures of this process are what is compared. */
static void test_process(void)
{
    struct trim trim = { 0 };
    int64_t now_ms = 1000;

    trim_tick(&trim, now_ms);
    is_int(trim.asked_ms, now_ms, "looked");
    trim_tick(&trim, now_ms + TRIM_PERIOD_MS - 1);
    is_int(trim.asked_ms, now_ms, "not again at once");
    trim_tick(&trim, now_ms + TRIM_PERIOD_MS);
    is_int(trim.asked_ms, now_ms + TRIM_PERIOD_MS, "looked again");
}

int main(void)
{
    test_decision();
    test_process();
    return check_done();
}
