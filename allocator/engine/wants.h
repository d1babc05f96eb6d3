/* Which wants exist, which sections of which jobs they serve, and whether each had its first
 * answer. Threads: the engine's. */
#ifndef OTEL_TA_ENGINE_WANTS_H
#define OTEL_TA_ENGINE_WANTS_H

#include "allocator/discovery/provider.h"
#include "allocator/discovery/want.h"
#include "allocator/engine/job.h"
#include "allocator/engine/joins.h"

#define WANTS_TIMEOUT_MS 30000 /* how long a job waits for its sections */

enum want_stage {
    WANT_OPEN,   /* not every source was tried yet */
    WANT_FAILED, /* each was tried, and of some nothing is known */
    WANT_LOST,   /* nobody waits for that any more */
    WANT_SETTLED,
};
struct want_user {
    struct job *job;
    uint32_t section;
    enum want_stage stage;
    bool is_new; /* joined others, and was not told yet what they know */
};

/* What is known of the sources of a want is kept by the jobs that use it (engine/job.h): a user
 * knows all when every source that fails is one that he has, from before. */
struct want_entry {
    struct table_node by_key, by_id;
    uint64_t id;
    struct span key;    /* owned */
    struct span source; /* owned: the only one it can have; empty: it may have many */
    const struct provider_ops *ops;
    VEC(struct want_user) users;
    unsigned n_asked;     /* times, and has not settled */
    unsigned n_late;      /* times before those, that nobody waited for any more */
    bool has_new;         /* users */
    bool has_settled;     /* some time */
    bool is_blind;        /* a part of it was never seen (ARRIVAL_BLIND) */
    struct table failing; /* sources that could not be read the last time, by name */
    int64_t expires_ms;
};

struct wants_hooks {
    /* New users: they are to have what others know; false: some of it cannot be told. */
    bool (*on_join)(void *arg, const struct want_entry *e);
    void (*on_settled)(void *arg, struct job *job); /* none of its sections is open */
    /* It is no longer waited for. */
    void (*on_timeout)(void *arg, const struct want_entry *e, const struct want_user *user);
    void *arg;
};

struct wants {
    struct table by_key, by_id;
    uint64_t last_id;
    VEC(uint64_t) joined;    /* ids of entries with new users */
    size_t n_starved;        /* sources for which there was no room */
    size_t n_untried;        /* entries that were asked and have not settled */
    int64_t deadline_ms;     /* nothing expires before that */
    struct mailbox *watcher; /* may be NULL */
    struct joins *joins;     /* borrowed: in the watcher's place for asks of CARRIER_JOIN */
    struct wants_hooks hooks;
};

void wants_init(struct wants *w, struct mailbox *watcher, struct joins *joins,
                const struct wants_hooks *hooks);
/* Moves 'mail' to the watcher, if there is one. */
void wants_post(struct wants *w, struct mail *mail);
/* The job's section needs an answer: a new want, or a part in one that exists: wants_serve(). */
void wants_use(struct wants *w, struct job *job, uint32_t section, int64_t now_ms);
/* Whoever joined a want is told what its other users know, before any of these is released. Only
 * where something is not known, and nobody asks for it already, it is read again, once for all. */
void wants_serve(struct wants *w, int64_t now_ms);
/* The job needs nothing any more. */
void wants_release(struct wants *w, const struct job *job);
struct want_entry *wants_find(const struct wants *w,
                              uint64_t id); /* NULL when it was dropped meanwhile */
/* Every source was tried. One of which nothing is known keeps the users of its want waiting until
 * it is read or the want expires, but for those that take over from another and so have what that
 * knew: unless it knew it from another address. */
void wants_settle(struct wants *w, struct want_entry *e);
/* The source could be read, is gone, or could not be read: after the users were told. */
void wants_learn(struct wants *w, struct want_entry *e, struct span source);
void wants_fail(struct want_entry *e, struct span source);
/* As failed, for want of room. */
void wants_starve(struct wants *w, struct want_entry *e, struct span source);
/* Asks again whatever has such a source. */
void wants_feed_starved(struct wants *w);
/* ARRIVAL_BLIND, ARRIVAL_SIGHTED. */
void wants_set_blind(struct wants *w, struct want_entry *e, bool is_blind);
/* What came could not be read: if it comes again, that is another failure, as in Prometheus. */
void wants_reject(struct wants *w, const struct want_entry *e);
/* Ends the waiting for those whose time is over; their number. */
size_t wants_expire(struct wants *w, int64_t now_ms);
/* When to call that again; INT64_MAX when nothing is open. */
int64_t wants_deadline_ms(const struct wants *w);
void wants_fini(struct wants *w);

#endif
