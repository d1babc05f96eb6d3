/* What discovery needs from the outside, and what comes back: the only words between the engine and
 * the watcher. The engine posts wants and marks of them; the watcher answers each want with
 * arrivals until it is dropped. A want is one file_sd or http_sd section; jobs with equal sections
 * share one. Threads: messages are moved with a mailbox; everything else is pure. */
#ifndef OTEL_TA_DISCOVERY_WANT_H
#define OTEL_TA_DISCOVERY_WANT_H

#include "allocator/base/buf.h"
#include "allocator/base/mailbox.h"
#include "allocator/scrape/sdconfig.h"

enum watcher_mail {
    WATCHER_WANT_ADD,
    WATCHER_WANT_AGAIN,
    WATCHER_WANT_UNREADABLE,
    WATCHER_WANT_DROP,
    WATCHER_FILES,
    WATCHER_RELEASED, /* the answer to ENGINE_RELEASE: this was the engine's last mail */
};
enum engine_mail {
    ENGINE_ARRIVAL,
    ENGINE_CONFIG,
    ENGINE_RELEASE, /* the watcher wants to go: post WATCHER_RELEASED, then nothing more */
};

struct want { /* WATCHER_WANT_ADD */
    struct mail mail;
    struct arena arena; /* owns 'section' */
    uint64_t id;
    struct sdconfig section;
};

/* Everything about a section that decides what is found and how, as bytes: equal keys, equal wants.
 */
void want_key(const struct sdconfig *section, struct buf *out);
/* A want with a deep copy of 'section'. */
struct want *want_new(uint64_t id, const struct sdconfig *section);
void want_free(struct want **want);

/* WATCHER_WANT_AGAIN: read everything of it once more; WATCHER_WANT_UNREADABLE: a body of it was
 * none that can be read, so the next is news even when it is the same; WATCHER_WANT_DROP: no more
 * arrivals. */
struct want_mark {
    struct mail mail;
    uint64_t id;
};
struct want_mark *want_mark_new(enum watcher_mail kind, uint64_t id);
/* A mail without content, of either enum. */
struct mail *want_note_new(int kind);

enum arrival_status {
    ARRIVAL_OK,       /* 'body' is the source's content now */
    ARRIVAL_FAILED,   /* it could not be read: what was known stays */
    ARRIVAL_VANISHED, /* the source is gone, its targets with it */
    ARRIVAL_SETTLED,  /* every source of the want was tried once since it was added or asked for
                         again */
};

struct arrival { /* ENGINE_ARRIVAL */
    struct mail mail;
    uint64_t want;
    enum arrival_status status;
    int64_t seen_us; /* clock_mono_us() when the change was noticed */
    char *source;    /* path or URL; NULL for ARRIVAL_SETTLED */
    char *body;      /* ARRIVAL_OK: mem_alloc'ed */
    size_t body_len;
};
struct arrival *arrival_new(uint64_t want, enum arrival_status status, const char *source);
/* Moves it to the engine; without one ('engine' is NULL) it is freed. Rings no bell: arrivals come
 * in rows, and the watcher rings behind each. */
void arrival_post(struct arrival *arrival, struct mailbox *engine);
void arrival_free(struct arrival **arrival);

#endif
