/* What discovery needs from the outside, and what comes back: the only words between the engine and
 * the watcher. The engine posts wants and changes of them; the watcher answers each want with
 * arrivals until it is cancelled. A want is one ask; jobs whose sections come to equal asks share
 * one. Threads: messages are moved with a mailbox; everything else is pure. */
#ifndef OTEL_TA_DISCOVERY_WANT_H
#define OTEL_TA_DISCOVERY_WANT_H

#include "allocator/base/mailbox.h"
#include "allocator/discovery/ask.h"

enum watcher_mail {
    WATCHER_WANT_ADD,
    WATCHER_WANT_REFRESH,   /* read everything of it once more */
    WATCHER_WANT_REDELIVER, /* a body of it was none that can be read, so the next is news even when
                               it is the same */
    WATCHER_WANT_CANCEL,    /* no more arrivals */
    WATCHER_FILES,
    WATCHER_RELEASED, /* the answer to ENGINE_RELEASE: this was the engine's last mail */
};
enum engine_mail {
    ENGINE_ARRIVAL,
    ENGINE_OBJECTS, /* discovery/objectarrival.h */
    ENGINE_TENANT,  /* these four: engine/tenantmail.h */
    ENGINE_COLLECTORS,
    ENGINE_GAPS,
    ENGINE_TENANTS_COMPLETE,
    ENGINE_RELEASE, /* the watcher wants to go: post WATCHER_RELEASED, then nothing more */
};

struct want { /* WATCHER_WANT_ADD */
    struct mail mail;
    struct arena arena; /* owns 'ask' */
    uint64_t id;
    struct ask ask;
};

/* A want with a deep copy of 'ask', which has a carrier. */
struct want *want_new(uint64_t id, const struct ask *ask);
void want_free(struct want **want);

struct want_change { /* the other three */
    struct mail mail;
    uint64_t id;
};
struct want_change *want_change_new(enum watcher_mail kind, uint64_t id);
/* A mail without content, of either enum. */
struct mail *want_signal_new(int kind);

enum arrival_status {
    ARRIVAL_OK,       /* 'body' is the source's content now */
    ARRIVAL_FAILED,   /* it could not be read: what was known stays. Without 'source': a folder or
                         pattern that would name some */
    ARRIVAL_VANISHED, /* the source is gone, its targets with it */
    ARRIVAL_BLIND,    /* from now on: some part of what is asked for was never seen at all (a file
                         that is named and is not there, a folder that cannot be listed), so that
                         nobody can say that it holds nothing */
    ARRIVAL_SIGHTED,  /* that is over */
    ARRIVAL_SETTLED,  /* every source of the want was tried once since it was added or asked for
                         again */
};

struct arrival { /* ENGINE_ARRIVAL */
    struct mail mail;
    uint64_t want;
    enum arrival_status status;
    int64_t seen_us; /* clock_mono_us() when the change was noticed */
    char *source;    /* path or URL, or NULL */
    char *body;      /* ARRIVAL_OK: mem_alloc'ed */
    size_t body_len;
};
struct arrival *arrival_new(uint64_t want, enum arrival_status status, const char *source);
/* Moves it to the engine; without one ('engine' is NULL) it is freed. Rings no bell: arrivals come
 * in rows, and the watcher rings after each. */
void arrival_post(struct arrival *arrival, struct mailbox *engine);
void arrival_free(struct arrival **arrival);

#endif
