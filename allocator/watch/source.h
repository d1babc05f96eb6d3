/* What a carrier looks like: a source of arrivals, which is given wants and the time, and knows
 * no mechanism. An implementation (filewatch, httppoll) has a struct carrier_source in its own
 * struct, and in what it keeps of one want a struct source_want; carriers.h has them all and
 * finds the one that a mail is for. Threads: the watcher's. */
#ifndef OTEL_TA_WATCH_SOURCE_H
#define OTEL_TA_WATCH_SOURCE_H

#include "allocator/base/table.h"
#include "allocator/base/thread.h"
#include "allocator/discovery/want.h"

struct source_want {
    struct table_node node; /* of carriers.c, by id */
    struct carrier_source *source;
    struct want *want;               /* owned */
    struct source_want *next, *prev; /* of the same source */
};

struct source_ops {
    enum carrier carrier; /* of the asks it takes */
    /* Moves 'want', asks at once, and tells ARRIVAL_SETTLED when everything was tried. */
    struct source_want *(*add)(struct carrier_source *s, struct want *want, int64_t now_ms);
    /* All of it once more, the same bytes too, and then ARRIVAL_SETTLED. */
    void (*refresh)(struct source_want *w, int64_t now_ms);
    /* What comes next is news even when it is the same. */
    void (*redeliver)(struct source_want *w);
    void (*cancel)(struct source_want *w); /* frees it */
    /* When tick() is due; INT64_MAX: never. */
    int64_t (*deadline_ms)(const struct carrier_source *s);
    void (*tick)(struct carrier_source *s, int64_t now_ms);
    void (*free)(struct carrier_source *s); /* it has no want any more */
};

struct carrier_source {
    const struct source_ops *ops;
    struct mailbox *engine; /* where arrivals go; NULL: nobody reads them */
    struct source_want *wants;
};

/* For implementations. Moves 'want' into 'w', which is one of the source's from now on. */
void source_keep(struct carrier_source *s, struct source_want *w, struct want *want);
/* Frees the want; 'w' is the caller's again. */
void source_forget(struct source_want *w);
/* Posts an arrival. 'name' is NULL where no source is meant; 'body' is moved, NULL without
 * ARRIVAL_OK. */
void source_tell(const struct source_want *w, enum arrival_status status, const char *name,
                 char *body, size_t len);

#endif
