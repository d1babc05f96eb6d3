/* The pace of a reflector, and what must hold in every field of its table. */
#include "allocator/kube/reflectorstep.h"

#include "allocator/base/err.h"
#include "tests/check.h"

static int64_t wait(struct reflectorpace *p, enum reflector_pace pace, int64_t now)
{
    return reflectorpace_due_ms(p, pace, false, 0, now) - now;
}

static void test_backoff(void)
{
    for (uint64_t seed = 0; seed < 50; seed++) {
        struct reflectorpace p;
        int64_t base = 800, now = 10000;
        reflectorpace_init(&p, seed);
        for (unsigned i = 0; i < 10; i++) {
            int64_t ms = wait(&p, i % 2 == 0 ? PACE_BACKOFF : PACE_IF_LIVED, now);
            ok(ms >= base && ms < 2 * base, "%lld of %lld", (long long)ms, (long long)base);
            now += ms;
            base = base * 2 > 30000 ? 30000 : base * 2;
        }
        int64_t ms = wait(&p, PACE_BACKOFF, now + 120000);
        ok(ms >= 800 && ms < 1600, "forgotten after two minutes: %lld", (long long)ms);
        ms = wait(&p, PACE_BACKOFF, now + 120000 + 119999);
        ok(ms >= 1600, "not before: %lld", (long long)ms);
    }
}

static void test_jitter(void)
{
    struct reflectorpace a, b;
    unsigned n_same = 0;

    reflectorpace_init(&a, 1);
    reflectorpace_init(&b, 2);
    for (int64_t i = 0; i < 20; i++) {
        n_same += wait(&a, PACE_BACKOFF, i * 1000000) == wait(&b, PACE_BACKOFF, i * 1000000);
    }
    ok(n_same < 5, "two do not go in step");
}

static void test_other_paces(void)
{
    struct reflectorpace p;

    reflectorpace_init(&p, 3);
    is_int(wait(&p, PACE_AT_ONCE, 5), 0, "at once");
    is_int(reflectorpace_due_ms(&p, PACE_IF_LIVED, true, 0, 5), 5, "it lived");
    is_int(wait(&p, PACE_ONCE, 5), 0, "once at once");
    ok(wait(&p, PACE_ONCE, 6) >= 800, "not again");
    is_int(wait(&p, PACE_ONCE, 10005), 0, "until some time has gone by");
    is_int(reflectorpace_due_ms(&p, PACE_ONCE, false, 3000, 90000), 90000, "whatever was asked");
    is_int(reflectorpace_due_ms(&p, PACE_IF_LIVED, true, 3000, 5), 3005, "but for this");
    for (unsigned i = 0; i < 50; i++) {
        int64_t slow = wait(&p, PACE_SLOW, 0);
        ok(slow >= 480000 && slow <= 720000, "ten: %lld", (long long)slow);
    }
    is_int(reflectorpace_due_ms(&p, PACE_BACKOFF, false, 200000, 0), 200000, "Retry-After counts");
    is_int(reflectorpace_due_ms(&p, PACE_BACKOFF, false, INT64_MAX, 0), 300000,
           "up to five minutes");
}

/* Whatever a server answers for ever, it is not asked in a circle. */
static void test_no_circles(void)
{
    for (int outcome = 0; outcome < REFLECTOR_OUTCOMES; outcome++) {
        for (int stage = 0; stage < REFLECTOR_STAGES; stage++) {
            struct reflectorpace p;
            int64_t now = 0;
            unsigned n = 0;
            enum reflector_stage at = (enum reflector_stage)stage;
            if (outcome == OUTCOME_DONE || outcome == OUTCOME_RELIST) {
                continue; /* that is work, and asked for */
            }
            reflectorpace_init(&p, 9);
            for (; now < 60000; n++) {
                struct reflector_step step = reflectorstep_of(at, (enum reflector_outcome)outcome);
                now = reflectorpace_due_ms(&p, step.pace, false, 0, now) + 1;
                at = step.next;
            }
            ok(n <= 20, "outcome %d from stage %d: %u requests in a minute", outcome, stage, n);
        }
    }
}

int main(void)
{
    test_backoff();
    test_jitter();
    test_other_paces();
    test_no_circles();
    return check_done();
}
