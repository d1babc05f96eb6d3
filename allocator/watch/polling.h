/* When to ask what has to be polled, and whether what it answers is news: for every carrier that
 * polls. A machine without clock or socket: what happened and the time go in, what to do comes out.
 * As Prometheus does (discovery/refresh/refresh.go): asked at its interval, no jitter, no back-off,
 * every failure keeps what is known. Deviation: what has never answered is asked again after 1, 2,
 * 4 … s, as long as that is sooner, for whole jobs wait for it. An answer that is the same as the
 * last one is not passed on. Threads: any. */
#ifndef OTEL_TA_WATCH_POLLING_H
#define OTEL_TA_WATCH_POLLING_H

#include "allocator/base/span.h"

#include <stdint.h>

struct polling {
    int64_t interval_ms;
    int64_t next_ms; /* of the next try */
    bool is_trying;
    unsigned n_unsettled; /* somebody waits for so many to be told that it was tried */
    bool must_deliver;    /* even when the answer is the same */
    bool is_failing;      /* and that was said */
    bool has_answered;    /* some time */
    int64_t retry_ms;     /* until the next try, while it has not */
    uint64_t answer_hash;
    size_t answer_len;
};

/* Nobody has asked for it yet. */
void polling_init(struct polling *p, int64_t interval_ms);
/* Somebody waits for an answer: the next one is news, and settles. True: try now; false: one is
 * under way. */
bool polling_refresh(struct polling *p, int64_t now_ms);
/* The next answer is news. */
void polling_redeliver(struct polling *p);
/* When to try again; INT64_MAX while it is being tried. */
int64_t polling_deadline_ms(const struct polling *p);
/* True: try now. */
bool polling_tick(struct polling *p, int64_t now_ms);

struct polling_outcome {
    bool is_news;       /* an answer: pass it on */
    bool is_change;     /* it failed and did not before, or the other way round: say so */
    unsigned n_settled; /* to be told that it was tried, so many times */
};
/* A try that was begun has ended. */
struct polling_outcome polling_answer(struct polling *p, struct span answer);
struct polling_outcome polling_fail(struct polling *p, int64_t now_ms);

#endif
