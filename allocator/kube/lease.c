#include "allocator/kube/lease.h"

#include "allocator/base/hash.h"

#include <assert.h>
#include <string.h>

enum event {
    FOUND_FREE,
    FOUND_OURS,
    FOUND_OTHERS,
    WRITTEN,
    MISSING,
    CONFLICT,
    REFUSED,
    FAILED,
    EXPIRED, /* another's record did not change for so long */
    ENDED,   /* our time is over */
    EVENTS,
};

enum pace {
    AT_ONCE,
    RENEW, /* the pace of a leader */
    RETRY, /* of the others: not in step with each other */
    SLOW,  /* what has no right may get it */
    GONE,  /* when a leader that does not know yet that it is gone has stopped */
};

struct step {
    enum lease_stage next;
    enum pace pace;
};

/* What cannot happen in that stage. */
#define ANEW                                                                                       \
    {                                                                                              \
        LEASE_LOOK, RETRY                                                                          \
    }
#define LEFT                                                                                       \
    {                                                                                              \
        LEASE_LEFT, RETRY                                                                          \
    }

/* A write is believed only while we wait for it; that we are written there (FOUND_OURS) is no
 * leadership: it does not say since when. */
static const struct step steps[LEASE_STAGES][EVENTS] = {
    [LEASE_LOOK] = {
        [FOUND_FREE] = { LEASE_TAKE, AT_ONCE },
        [FOUND_OURS] = { LEASE_TAKE, AT_ONCE },
        [FOUND_OTHERS] = { LEASE_FOLLOW, RETRY },
        [WRITTEN] = ANEW,
        [MISSING] = { LEASE_ABSENT, GONE },
        [CONFLICT] = ANEW,
        [REFUSED] = { LEASE_LOOK, SLOW },
        [FAILED] = { LEASE_LOOK, RETRY },
        [EXPIRED] = ANEW,
        [ENDED] = ANEW,
    },
    [LEASE_ABSENT] = {
        [FOUND_FREE] = ANEW,
        [FOUND_OURS] = ANEW,
        [FOUND_OTHERS] = ANEW,
        [WRITTEN] = { LEASE_LEAD, RENEW },
        [MISSING] = { LEASE_LOOK, SLOW }, /* no such namespace */
        [CONFLICT] = { LEASE_LOOK, AT_ONCE },
        [REFUSED] = { LEASE_LOOK, SLOW },
        [FAILED] = { LEASE_LOOK, RETRY },
        [EXPIRED] = ANEW,
        [ENDED] = ANEW,
    },
    [LEASE_FOLLOW] = {
        [FOUND_FREE] = { LEASE_TAKE, AT_ONCE },
        [FOUND_OURS] = { LEASE_TAKE, AT_ONCE },
        [FOUND_OTHERS] = { LEASE_FOLLOW, RETRY },
        [WRITTEN] = ANEW,
        [MISSING] = { LEASE_ABSENT, GONE },
        [CONFLICT] = ANEW,
        [REFUSED] = { LEASE_LOOK, SLOW },
        [FAILED] = { LEASE_FOLLOW, RETRY },
        [EXPIRED] = { LEASE_TAKE, AT_ONCE },
        [ENDED] = ANEW,
    },
    [LEASE_TAKE] = {
        [FOUND_FREE] = ANEW,
        [FOUND_OURS] = ANEW,
        [FOUND_OTHERS] = ANEW,
        [WRITTEN] = { LEASE_LEAD, RENEW },
        [MISSING] = { LEASE_ABSENT, GONE },
        [CONFLICT] = { LEASE_LOOK, RETRY }, /* another was first */
        [REFUSED] = { LEASE_LOOK, SLOW },
        [FAILED] = { LEASE_LOOK, RETRY },
        [EXPIRED] = ANEW,
        [ENDED] = ANEW,
    },
    [LEASE_LEAD] = {
        [FOUND_FREE] = ANEW,
        [FOUND_OURS] = ANEW,
        [FOUND_OTHERS] = ANEW,
        [WRITTEN] = { LEASE_LEAD, RENEW },
        [MISSING] = { LEASE_ABSENT, GONE },
        [CONFLICT] = { LEASE_LOOK, AT_ONCE },
        [REFUSED] = { LEASE_DOUBT, RENEW },
        [FAILED] = { LEASE_DOUBT, RENEW },
        [EXPIRED] = ANEW,
        [ENDED] = { LEASE_LOOK, AT_ONCE },
    },
    [LEASE_DOUBT] = {
        [FOUND_FREE] = { LEASE_TAKE, AT_ONCE },
        [FOUND_OURS] = { LEASE_LEAD, AT_ONCE },
        [FOUND_OTHERS] = { LEASE_FOLLOW, RETRY },
        [WRITTEN] = ANEW,
        [MISSING] = { LEASE_ABSENT, GONE },
        [CONFLICT] = ANEW,
        [REFUSED] = { LEASE_DOUBT, RENEW },
        [FAILED] = { LEASE_DOUBT, RENEW },
        [EXPIRED] = ANEW,
        [ENDED] = { LEASE_LOOK, AT_ONCE },
    },
    [LEASE_LEAVE] = { /* whatever comes of it: who waits for the record to age, gets it */
        [FOUND_FREE] = LEFT,
        [FOUND_OURS] = LEFT,
        [FOUND_OTHERS] = LEFT,
        [WRITTEN] = LEFT,
        [MISSING] = LEFT,
        [CONFLICT] = LEFT,
        [REFUSED] = LEFT,
        [FAILED] = LEFT,
        [EXPIRED] = LEFT,
        [ENDED] = LEFT,
    },
    [LEASE_LEFT] = {
        [FOUND_FREE] = LEFT,
        [FOUND_OURS] = LEFT,
        [FOUND_OTHERS] = LEFT,
        [WRITTEN] = LEFT,
        [MISSING] = LEFT,
        [CONFLICT] = LEFT,
        [REFUSED] = LEFT,
        [FAILED] = LEFT,
        [EXPIRED] = LEFT,
        [ENDED] = LEFT,
    },
};

void lease_init(struct lease *l, struct span identity, uint64_t seed, int64_t now_ms)
{
    assert(identity.len > 0);
    *l = (struct lease){ .stage = LEASE_LOOK,
                         .identity = identity,
                         .seed = seed,
                         .due_ms = now_ms,
                         .duration_ms = LEASE_DURATION_MS };
}

static bool is_leading(const struct lease *l)
{
    return l->stage == LEASE_LEAD || l->stage == LEASE_DOUBT;
}

bool lease_is_held(const struct lease *l, int64_t now_ms)
{
    return is_leading(l) && now_ms - l->held_ms < LEASE_DEADLINE_MS;
}

/* LEASE_RETRY_MS × [1, 2.2) */
static int64_t retry_ms(struct lease *l)
{
    l->seed += 0x9e3779b97f4a7c15ULL;
    return LEASE_RETRY_MS + (int64_t)(hash_mix(l->seed) % (LEASE_RETRY_MS * 12 / 10));
}

static int64_t due_ms(struct lease *l, enum pace pace, int64_t now_ms)
{
    switch (pace) {
    case AT_ONCE:
        return now_ms;
    case RENEW:
        return now_ms + LEASE_RETRY_MS;
    case RETRY:
        return now_ms + retry_ms(l);
    case SLOW:
        return now_ms + 10 * retry_ms(l);
    case GONE:
        return l->is_known ? now_ms + l->duration_ms : now_ms;
    }
    return now_ms;
}

static void happen(struct lease *l, enum event event, int64_t now_ms)
{
    const struct step step = steps[l->stage][event];

    l->stage = step.next;
    l->pending = 0;
    l->due_ms = due_ms(l, step.pace, now_ms);
}

static void note_time(struct lease *l, int64_t now_ms)
{
    if (is_leading(l) && now_ms - l->held_ms >= LEASE_DEADLINE_MS) {
        happen(l, ENDED, now_ms);
    } else if (l->stage == LEASE_FOLLOW && l->pending == 0 &&
               now_ms - l->seen_ms >= l->duration_ms) {
        happen(l, EXPIRED, now_ms);
    }
}

static enum lease_verb verb_of(enum lease_stage stage)
{
    switch (stage) {
    case LEASE_LOOK:
    case LEASE_FOLLOW:
    case LEASE_DOUBT:
        return LEASE_GET;
    case LEASE_ABSENT:
        return LEASE_POST;
    case LEASE_TAKE:
    case LEASE_LEAD:
    case LEASE_LEAVE:
        return LEASE_PUT;
    case LEASE_LEFT:
    case LEASE_STAGES:
        break;
    }
    return LEASE_NOTHING;
}

struct lease_request lease_ask(struct lease *l, int64_t now_ms)
{
    note_time(l, now_ms);
    const enum lease_verb verb = verb_of(l->stage);
    if (verb == LEASE_NOTHING || l->pending != 0 || now_ms < l->due_ms) {
        return (struct lease_request){ .verb = LEASE_NOTHING };
    }
    const bool is_release = l->stage == LEASE_LEAVE;
    const bool is_new = verb == LEASE_POST || (verb == LEASE_PUT && !is_release && !l->is_ours);
    l->pending = ++l->number;
    l->sent_ms = now_ms;
    return (struct lease_request){
        .verb = verb,
        .number = l->number,
        .version = verb == LEASE_PUT ? l->version : NULL,
        .is_release = is_release,
        .is_new_holder = is_new,
        .transitions = l->transitions + (verb == LEASE_PUT && is_new ? 1 : 0),
    };
}

int64_t lease_wake_ms(const struct lease *l)
{
    int64_t ms = INT64_MAX;

    if (l->stage == LEASE_LEFT) {
        return ms;
    }
    if (l->pending == 0) {
        ms = l->due_ms;
        if (l->stage == LEASE_FOLLOW && l->seen_ms + l->duration_ms < ms) {
            ms = l->seen_ms + l->duration_ms;
        }
    }
    if (is_leading(l) && l->held_ms + LEASE_DEADLINE_MS < ms) {
        ms = l->held_ms + LEASE_DEADLINE_MS;
    }
    return ms;
}

/* False: it cannot be relied on. */
static bool remember(struct lease *l, const struct lease_record *record, int64_t now_ms)
{
    if (record->version.len == 0 || record->version.len >= sizeof(l->version)) {
        return false;
    }
    if (!span_eq(record->version, span_of(l->version))) {
        memcpy(l->version, record->version.p, record->version.len);
        l->version[record->version.len] = '\0';
        l->seen_ms = now_ms;
    }
    const int64_t longest =
        record->duration_ms < LEASE_LONGEST_MS ? record->duration_ms : LEASE_LONGEST_MS;
    l->duration_ms = longest > LEASE_DURATION_MS ? longest : LEASE_DURATION_MS;
    l->transitions = record->transitions;
    l->is_known = true;
    l->is_ours = span_eq(record->holder, l->identity);
    return true;
}

static enum event event_of(struct lease *l, enum lease_answer answer,
                           const struct lease_record *record, int64_t now_ms)
{
    switch (answer) {
    case LEASE_FOUND:
        if (!remember(l, record, now_ms)) {
            return FAILED;
        }
        return l->is_ours ? FOUND_OURS : record->holder.len > 0 ? FOUND_OTHERS : FOUND_FREE;
    case LEASE_WRITTEN:
        if (!remember(l, record, now_ms)) {
            return FAILED;
        }
        return WRITTEN;
    case LEASE_MISSING:
        l->version[0] = '\0';
        l->is_ours = false;
        return MISSING;
    case LEASE_CONFLICT:
        l->is_known = true;
        return CONFLICT;
    case LEASE_REFUSED:
        return REFUSED;
    case LEASE_FAILED:
        break;
    }
    return FAILED;
}

void lease_heard(struct lease *l, uint64_t number, enum lease_answer answer,
                 const struct lease_record *record, int64_t now_ms)
{
    note_time(l, now_ms);
    if (number == 0 || number != l->pending) {
        return;
    }
    const enum event event = event_of(l, answer, record, now_ms);
    if (event == WRITTEN && l->stage != LEASE_LEAVE) {
        l->held_ms = l->sent_ms;
    }
    happen(l, event, now_ms);
    note_time(l, now_ms);
}

void lease_leave(struct lease *l, int64_t now_ms)
{
    if (l->stage == LEASE_LEAVE || l->stage == LEASE_LEFT) {
        return;
    }
    l->stage = l->is_ours ? LEASE_LEAVE : LEASE_LEFT;
    l->pending = 0;
    l->due_ms = now_ms;
}
