/* Which replica may write: the election over a Lease (coordination.k8s.io/v1), as a machine that
 * says what to ask the API server and is told the answers. Pure: no I/O, no clock; 'now_ms' is the
 * caller's monotonic clock. The times that are written in a Lease are never read: clocks of others
 * are not believed, only that a record did not change while our own clock went on.
 *
 * Why there are never two. Who leads does so for LEASE_DEADLINE_MS from when it *sent* the last
 * write that succeeded. Another takes the record only if it has not changed for LEASE_DURATION_MS
 * since the *answer* in which it first saw it, and writes with its resourceVersion: what came in
 * between makes that write fail. So it holds as long as no clock runs half as fast again as
 * another. A Lease that somebody deletes is made anew only after the same wait, except by a
 * replica that has never seen one: the first of an installation does not wait. (Deleted again
 * within a minute, while requests hang, it may still be given to two; every write of a leader is a
 * compare-and-swap too.)
 *
 * Source: client-go tools/leaderelection (15 s, 10 s, 2 s). Differences: the record counts as
 * changed when its resourceVersion has, whatever is in it; a longer duration in it is waited for,
 * up to LEASE_LONGEST_MS; a deleted Lease, as above. Threads: each machine belongs to one. */
#ifndef OTEL_TA_KUBE_LEASE_H
#define OTEL_TA_KUBE_LEASE_H

#include "allocator/base/span.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    LEASE_DURATION_MS = 15000,
    LEASE_DEADLINE_MS = 10000,
    LEASE_RETRY_MS = 2000,
    LEASE_LONGEST_MS = 300000,
    LEASE_VERSION_SIZE = 64, /* of a resourceVersion, with its NUL */
};

enum lease_stage {
    LEASE_LOOK,   /* nothing to rely on: read it */
    LEASE_ABSENT, /* there is none: create it */
    LEASE_FOLLOW, /* another holds it */
    LEASE_TAKE,   /* it is to be had: write ourselves into it */
    LEASE_LEAD,   /* it is ours: renew it */
    LEASE_DOUBT,  /* it is ours, but what became of the last renewal? Read it */
    LEASE_LEAVE,  /* we go: give it back */
    LEASE_LEFT,   /* the end */
    LEASE_STAGES,
};

enum lease_verb { LEASE_NOTHING, LEASE_GET, LEASE_POST, LEASE_PUT };

/* What to ask now. It replaces one that is still under way, which may be given up. */
struct lease_request {
    enum lease_verb verb;
    uint64_t number;
    const char
        *version;       /* for a PUT: what it must still be; lives until the machine is told more */
    bool is_release;    /* holder "", for one second; else the holder is us */
    bool is_new_holder; /* acquireTime is now; else it stays as it was */
    uint32_t transitions; /* to be written */
};

enum lease_answer {
    LEASE_FOUND,    /* 200 of a GET */
    LEASE_WRITTEN,  /* 200 or 201 of a write */
    LEASE_MISSING,  /* 404 */
    LEASE_CONFLICT, /* 409 */
    LEASE_REFUSED,  /* 401, 403, 400, 422: will not go away by asking again soon */
    LEASE_FAILED,   /* no answer, 429, 5xx, or one that cannot be read */
};

/* The Lease in an answer. */
struct lease_record {
    struct span version; /* resourceVersion; empty or too long counts as LEASE_FAILED */
    struct span holder;
    int64_t duration_ms; /* 0: it says none */
    uint32_t transitions;
};

/* Members belong to lease.c. */
struct lease {
    enum lease_stage stage;
    struct span identity;
    uint64_t seed;
    uint64_t number, pending; /* the last request · the one that has no answer, or 0 */
    int64_t due_ms;           /* of the next request */
    int64_t sent_ms;          /* of 'pending' */
    int64_t held_ms;          /* when the last write that succeeded was sent */
    int64_t seen_ms;          /* the first answer with this version, or that there is none */
    int64_t duration_ms;      /* to wait from then on */
    uint32_t transitions;
    bool is_ours, is_known; /* the record's holder · whether there ever was one */
    char version[LEASE_VERSION_SIZE];
};

/* 'identity' (borrowed until the end) must be of this process alone: a pod's name is not enough. */
void lease_init(struct lease *l, struct span identity, uint64_t seed, int64_t now_ms);
/* To be called when lease_wake_ms() has come, and after each lease_heard(). */
struct lease_request lease_ask(struct lease *l, int64_t now_ms);
int64_t lease_wake_ms(const struct lease *l); /* INT64_MAX: only an answer brings more */
/* 'record' only with FOUND and WRITTEN. Answers to any but the last request are dropped. */
void lease_heard(struct lease *l, uint64_t number, enum lease_answer answer,
                 const struct lease_record *record, int64_t now_ms);
/* Stops leading now, and gives the Lease back if we hold it. */
void lease_leave(struct lease *l, int64_t now_ms);
/* To be asked before each write that only a leader may do. */
bool lease_is_held(const struct lease *l, int64_t now_ms);

#endif
