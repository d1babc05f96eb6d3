#include "allocator/watch/polling.h"

#include "tests/check.h"

#define INTERVAL_MS 60000

static void is_outcome(struct polling_outcome o, bool is_news, bool is_change, unsigned n_settled)
{
    is_int(o.is_news, is_news, "news");
    is_int(o.is_change, is_change, "change");
    is_int(o.n_settled, n_settled, "settled");
}

/* One that answers is asked at its interval, from the begin of a try to the begin of the next. */
static void test_interval(void)
{
    struct polling p;

    polling_init(&p, INTERVAL_MS);
    is_int(polling_deadline_ms(&p), INT64_MAX, "nobody has asked");
    ok(!polling_tick(&p, 0), "so nothing is due");
    ok(polling_refresh(&p, 100), "asked at once");
    is_int(polling_deadline_ms(&p), INT64_MAX, "nothing else meanwhile");
    ok(!polling_tick(&p, 200000), "however long it takes");
    is_outcome(polling_answer(&p, SPAN_LIT("a")), true, false, 1);
    is_int(polling_deadline_ms(&p), 100 + INTERVAL_MS, "the next one");
    ok(!polling_tick(&p, 99 + INTERVAL_MS), "not before");
    ok(polling_tick(&p, 100 + INTERVAL_MS), "due");
    ok(!polling_tick(&p, 100 + INTERVAL_MS), "once");
    is_outcome(polling_answer(&p, SPAN_LIT("b")), true, false, 0);
    is_int(polling_deadline_ms(&p), 100 + 2 * INTERVAL_MS, "and so on");
}

static void test_same_answer(void)
{
    struct polling p;

    polling_init(&p, INTERVAL_MS);
    (void)polling_refresh(&p, 0);
    is_outcome(polling_answer(&p, SPAN_LIT("")), true, false, 1);
    (void)polling_tick(&p, INTERVAL_MS);
    is_outcome(polling_answer(&p, SPAN_LIT("")), false, false, 0);
    (void)polling_tick(&p, 2 * INTERVAL_MS);
    is_outcome(polling_answer(&p, SPAN_LIT("x")), true, false, 0);
    (void)polling_tick(&p, 3 * INTERVAL_MS);
    is_outcome(polling_fail(&p, 3 * INTERVAL_MS), false, true, 0);
    (void)polling_tick(&p, 4 * INTERVAL_MS);
    is_outcome(polling_answer(&p, SPAN_LIT("x")), false, true, 0); /* a failure forgets nothing */
    polling_redeliver(&p);
    (void)polling_tick(&p, 5 * INTERVAL_MS);
    is_outcome(polling_fail(&p, 5 * INTERVAL_MS), false, true, 0);
    (void)polling_tick(&p, 6 * INTERVAL_MS);
    is_outcome(polling_answer(&p, SPAN_LIT("x")), true, true, 0);
    (void)polling_tick(&p, 7 * INTERVAL_MS);
    is_outcome(polling_answer(&p, SPAN_LIT("x")), false, false, 0);
}

/* Whoever asks while a try is under way is answered by it. */
static void test_refresh(void)
{
    struct polling p;

    polling_init(&p, INTERVAL_MS);
    ok(polling_refresh(&p, 0), "the first");
    ok(!polling_refresh(&p, 10), "the second waits with it");
    is_outcome(polling_answer(&p, SPAN_LIT("a")), true, false, 2);
    ok(polling_refresh(&p, 20), "the third does not wait for the interval");
    is_outcome(polling_answer(&p, SPAN_LIT("a")), true, false, 1);
    is_int(polling_deadline_ms(&p), 20 + INTERVAL_MS, "which begins anew");
    ok(polling_refresh(&p, 30), "the fourth");
    is_outcome(polling_fail(&p, 40), false, true, 1);
}

/* Tries that fail before the first answer: after 1, 2, 4 … s, until the interval is sooner. */
static void test_first_answer(void)
{
    static const int64_t waits_ms[] = { 1000, 2000, 4000, 8000, 16000, 32000, 59000, 59000 };
    struct polling p;
    int64_t now_ms = 0;

    polling_init(&p, INTERVAL_MS);
    (void)polling_refresh(&p, now_ms);
    for (size_t i = 0; i < COUNT(waits_ms); i++) {
        now_ms += 1000; /* that is how long a try takes */
        is_outcome(polling_fail(&p, now_ms), false, i == 0, i == 0);
        is_int(polling_deadline_ms(&p) - now_ms, waits_ms[i], "after %zu failures", i + 1);
        now_ms = polling_deadline_ms(&p);
        ok(polling_tick(&p, now_ms), "due");
    }
    is_outcome(polling_answer(&p, SPAN_LIT("a")), true, true, 0);
    now_ms = polling_deadline_ms(&p);
    (void)polling_tick(&p, now_ms);
    is_outcome(polling_fail(&p, now_ms), false, true, 0);
    is_int(polling_deadline_ms(&p), now_ms + INTERVAL_MS, "later failures wait for the interval");
}

static void test_short_interval(void)
{
    struct polling p;

    polling_init(&p, 500);
    (void)polling_refresh(&p, 0);
    (void)polling_fail(&p, 10);
    is_int(polling_deadline_ms(&p), 500, "an interval that is sooner than a retry");
}

int main(void)
{
    test_interval();
    test_same_answer();
    test_refresh();
    test_first_answer();
    test_short_interval();
    return check_done();
}
