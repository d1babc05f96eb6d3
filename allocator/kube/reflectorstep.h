/* What a reflector does next: a table of what it was doing and how that ended, and the pace at
 * which it goes on. Pure; 'now' comes from the caller. Source: client-go's reflector and its
 * back-off (0.8 s × [1,2), doubling to 30 s × [1,2), from the start again after 2 min without a
 * failure), with the differences that the table's comments name. Threads: any. */
#ifndef OTEL_TA_KUBE_REFLECTORSTEP_H
#define OTEL_TA_KUBE_REFLECTORSTEP_H

#include <stdbool.h>
#include <stdint.h>

enum reflector_stage {
    REFLECTOR_LIST,  /* the collection is read as a whole */
    REFLECTOR_WATCH, /* changes of it */
    REFLECTOR_PROBE, /* has the server heard of the version we know? A watch from a later version is
                        silent for ever, which is what a server looks like whose store was restored
                        from a backup */
    REFLECTOR_LOOK,  /* is there such a collection? */
    REFLECTOR_STAGES,
};

enum reflector_outcome {
    OUTCOME_DONE,         /* complete and well */
    OUTCOME_CUT,          /* it ended before its end */
    OUTCOME_REFUSED,      /* there was no connection */
    OUTCOME_GONE,         /* the version or the page is too old */
    OUTCOME_TOO_NEW,      /* the server has not heard of the version */
    OUTCOME_BUSY,         /* 429 */
    OUTCOME_DOWN,         /* 5xx, and whatever has no better name */
    OUTCOME_UNAUTHORIZED, /* 401 */
    OUTCOME_FORBIDDEN,    /* 403 */
    OUTCOME_MISSING,      /* 404, and objects of it are known */
    OUTCOME_ABSENT,       /* 404, and none are */
    OUTCOME_REJECTED,     /* 400 and its like: what we ask is wrong */
    OUTCOME_UNREADABLE,   /* not what was asked for, or past a cap */
    OUTCOME_RELIST,       /* we were told to begin anew */
    REFLECTOR_OUTCOMES,
};

enum reflector_pace {
    PACE_AT_ONCE,
    PACE_ONCE,     /* at once, but not again and again: then as PACE_BACKOFF */
    PACE_IF_LIVED, /* at once if it lived or brought something, else as PACE_BACKOFF */
    PACE_BACKOFF,  /* a second, then longer and longer, up to a minute */
    PACE_SLOW,     /* every ten minutes: nothing will change by itself, but who knows */
};

struct reflector_step {
    enum reflector_stage next;
    enum reflector_pace pace;
    bool is_unset; /* the version we know is worth nothing: ask for the newest state */
};

struct reflector_step reflectorstep_of(enum reflector_stage stage, enum reflector_outcome outcome);

struct reflectorpace {
    uint64_t seed;
    int64_t backoff_ms; /* of the next failure, before chance */
    int64_t failed_ms;  /* the last one */
    int64_t once_ms;    /* the last PACE_ONCE that was at once */
};

void reflectorpace_init(struct reflectorpace *p, uint64_t seed);
/* When to go on. 'has_lived': for PACE_IF_LIVED. 'least_ms': not sooner than that from now,
 * whatever the pace but the first two (Retry-After). */
int64_t reflectorpace_due_ms(struct reflectorpace *p, enum reflector_pace pace, bool has_lived,
                             int64_t least_ms, int64_t now_ms);
/* A number in [0, 1). */
double reflectorpace_chance(struct reflectorpace *p);

#endif
