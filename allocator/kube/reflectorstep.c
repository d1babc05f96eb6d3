#include "allocator/kube/reflectorstep.h"

#include "allocator/base/hash.h"

enum {
    FIRST_BACKOFF_MS = 800,
    LAST_BACKOFF_MS = 30000,
    FORGIVEN_AFTER_MS = 120000,
    ONCE_IN_MS = 10000,
    SLOW_MS = 600000,
    LONGEST_WAIT_MS = 300000, /* that a server may ask for */
};

/* Differences from client-go: a version the server has not heard of is forgotten at once, also when
 * a watch says so; a list that is refused with 404 costs a look before what is known is believed to
 * be gone; probes and looks are ours. What has no right or does not exist is asked for at the pace
 * of failures: a server that has just started says so of what there is. */
static const struct reflector_step steps[REFLECTOR_STAGES][REFLECTOR_OUTCOMES] = {
    [REFLECTOR_LIST] = {
        [OUTCOME_DONE] = { REFLECTOR_WATCH, PACE_AT_ONCE, false },
        [OUTCOME_CUT] = { REFLECTOR_LIST, PACE_BACKOFF, false },
        [OUTCOME_REFUSED] = { REFLECTOR_LIST, PACE_BACKOFF, false },
        [OUTCOME_GONE] = { REFLECTOR_LIST, PACE_ONCE, true },
        [OUTCOME_TOO_NEW] = { REFLECTOR_LIST, PACE_ONCE, true },
        [OUTCOME_BUSY] = { REFLECTOR_LIST, PACE_BACKOFF, false },
        [OUTCOME_DOWN] = { REFLECTOR_LIST, PACE_BACKOFF, false },
        [OUTCOME_UNAUTHORIZED] = { REFLECTOR_LIST, PACE_ONCE, false },
        [OUTCOME_FORBIDDEN] = { REFLECTOR_LIST, PACE_BACKOFF, false },
        [OUTCOME_MISSING] = { REFLECTOR_LOOK, PACE_AT_ONCE, false },
        [OUTCOME_ABSENT] = { REFLECTOR_LIST, PACE_BACKOFF, true },
        [OUTCOME_REJECTED] = { REFLECTOR_LIST, PACE_SLOW, false },
        [OUTCOME_UNREADABLE] = { REFLECTOR_LIST, PACE_BACKOFF, false },
        [OUTCOME_RELIST] = { REFLECTOR_LIST, PACE_AT_ONCE, false },
    },
    [REFLECTOR_WATCH] = {
        [OUTCOME_DONE] = { REFLECTOR_WATCH, PACE_IF_LIVED, false },
        [OUTCOME_CUT] = { REFLECTOR_WATCH, PACE_IF_LIVED, false },
        [OUTCOME_REFUSED] = { REFLECTOR_WATCH, PACE_BACKOFF, false },
        [OUTCOME_GONE] = { REFLECTOR_LIST, PACE_BACKOFF, false },
        [OUTCOME_TOO_NEW] = { REFLECTOR_LIST, PACE_ONCE, true },
        [OUTCOME_BUSY] = { REFLECTOR_WATCH, PACE_BACKOFF, false },
        [OUTCOME_DOWN] = { REFLECTOR_LIST, PACE_BACKOFF, false },
        [OUTCOME_UNAUTHORIZED] = { REFLECTOR_WATCH, PACE_ONCE, false },
        [OUTCOME_FORBIDDEN] = { REFLECTOR_LIST, PACE_BACKOFF, false },
        [OUTCOME_MISSING] = { REFLECTOR_LIST, PACE_BACKOFF, false },
        [OUTCOME_ABSENT] = { REFLECTOR_LIST, PACE_BACKOFF, false },
        [OUTCOME_REJECTED] = { REFLECTOR_LIST, PACE_SLOW, false },
        [OUTCOME_UNREADABLE] = { REFLECTOR_LIST, PACE_BACKOFF, false },
        [OUTCOME_RELIST] = { REFLECTOR_LIST, PACE_AT_ONCE, false },
    },
    [REFLECTOR_PROBE] = {
        [OUTCOME_DONE] = { REFLECTOR_WATCH, PACE_AT_ONCE, false },
        [OUTCOME_CUT] = { REFLECTOR_PROBE, PACE_BACKOFF, false },
        [OUTCOME_REFUSED] = { REFLECTOR_PROBE, PACE_BACKOFF, false },
        [OUTCOME_GONE] = { REFLECTOR_LIST, PACE_ONCE, true },
        [OUTCOME_TOO_NEW] = { REFLECTOR_LIST, PACE_ONCE, true },
        [OUTCOME_BUSY] = { REFLECTOR_PROBE, PACE_BACKOFF, false },
        [OUTCOME_DOWN] = { REFLECTOR_PROBE, PACE_BACKOFF, false },
        [OUTCOME_UNAUTHORIZED] = { REFLECTOR_PROBE, PACE_ONCE, false },
        [OUTCOME_FORBIDDEN] = { REFLECTOR_LIST, PACE_BACKOFF, false },
        [OUTCOME_MISSING] = { REFLECTOR_LIST, PACE_BACKOFF, false },
        [OUTCOME_ABSENT] = { REFLECTOR_LIST, PACE_BACKOFF, false },
        [OUTCOME_REJECTED] = { REFLECTOR_LIST, PACE_BACKOFF, false },
        [OUTCOME_UNREADABLE] = { REFLECTOR_PROBE, PACE_BACKOFF, false },
        [OUTCOME_RELIST] = { REFLECTOR_LIST, PACE_AT_ONCE, false },
    },
    [REFLECTOR_LOOK] = { /* OUTCOME_DONE: it is there */
        [OUTCOME_DONE] = { REFLECTOR_LIST, PACE_BACKOFF, false },
        [OUTCOME_CUT] = { REFLECTOR_LIST, PACE_BACKOFF, false },
        [OUTCOME_REFUSED] = { REFLECTOR_LIST, PACE_BACKOFF, false },
        [OUTCOME_GONE] = { REFLECTOR_LIST, PACE_BACKOFF, false },
        [OUTCOME_TOO_NEW] = { REFLECTOR_LIST, PACE_BACKOFF, false },
        [OUTCOME_BUSY] = { REFLECTOR_LIST, PACE_BACKOFF, false },
        [OUTCOME_DOWN] = { REFLECTOR_LIST, PACE_BACKOFF, false },
        [OUTCOME_UNAUTHORIZED] = { REFLECTOR_LIST, PACE_ONCE, false },
        [OUTCOME_FORBIDDEN] = { REFLECTOR_LIST, PACE_BACKOFF, false },
        [OUTCOME_MISSING] = { REFLECTOR_LIST, PACE_BACKOFF, false },
        [OUTCOME_ABSENT] = { REFLECTOR_LIST, PACE_BACKOFF, true },
        [OUTCOME_REJECTED] = { REFLECTOR_LIST, PACE_BACKOFF, false },
        [OUTCOME_UNREADABLE] = { REFLECTOR_LIST, PACE_BACKOFF, false },
        [OUTCOME_RELIST] = { REFLECTOR_LIST, PACE_AT_ONCE, false },
    },
};

struct reflector_step reflectorstep_of(enum reflector_stage stage, enum reflector_outcome outcome)
{
    return steps[stage][outcome];
}

void reflectorpace_init(struct reflectorpace *p, uint64_t seed)
{
    *p = (struct reflectorpace){ .seed = seed,
                                 .backoff_ms = FIRST_BACKOFF_MS,
                                 .failed_ms = INT64_MIN / 2,
                                 .once_ms = INT64_MIN / 2 };
}

double reflectorpace_chance(struct reflectorpace *p)
{
    p->seed += 0x9e3779b97f4a7c15ULL;
    return (double)(hash_mix(p->seed) >> 11) / (double)(1ULL << 53);
}

/* 'ms' × [1, 2) */
static int64_t spread(struct reflectorpace *p, int64_t ms)
{
    return ms + (int64_t)(reflectorpace_chance(p) * (double)ms);
}

/* 'ms', a fifth more or less */
static int64_t around(struct reflectorpace *p, int64_t ms)
{
    return ms - ms / 5 + (int64_t)(reflectorpace_chance(p) * (double)ms * 2 / 5);
}

static int64_t back_off(struct reflectorpace *p, int64_t now_ms)
{
    if (now_ms - p->failed_ms >= FORGIVEN_AFTER_MS) {
        p->backoff_ms = FIRST_BACKOFF_MS;
    }
    int64_t ms = spread(p, p->backoff_ms);
    p->failed_ms = now_ms;
    p->backoff_ms = p->backoff_ms * 2 > LAST_BACKOFF_MS ? LAST_BACKOFF_MS : p->backoff_ms * 2;
    return ms;
}

int64_t reflectorpace_due_ms(struct reflectorpace *p, enum reflector_pace pace, bool has_lived,
                             int64_t least_ms, int64_t now_ms)
{
    int64_t ms = 0;

    if (pace == PACE_ONCE && now_ms - p->once_ms >= ONCE_IN_MS) {
        p->once_ms = now_ms;
        return now_ms;
    }
    switch (pace) {
    case PACE_AT_ONCE:
        return now_ms;
    case PACE_IF_LIVED:
        ms = has_lived ? 0 : back_off(p, now_ms);
        break;
    case PACE_ONCE:
    case PACE_BACKOFF:
        ms = back_off(p, now_ms);
        break;
    case PACE_SLOW:
        ms = around(p, SLOW_MS);
        break;
    }
    least_ms = least_ms > LONGEST_WAIT_MS ? LONGEST_WAIT_MS : least_ms;
    return now_ms + (ms > least_ms ? ms : least_ms);
}
