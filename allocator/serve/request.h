/* One request to the allocator's API, as its routes see it. Private to this folder.
 * Threads: the serving thread's. */
#ifndef OTEL_TA_SERVE_REQUEST_H
#define OTEL_TA_SERVE_REQUEST_H

#include "allocator/base/rate.h"
#include "allocator/http/exchange.h"
#include "allocator/serve/snapshot.h"

#define REQUEST_JSON "application/json"

struct serve;

/* A snapshot is counted across threads once per thread; what a thread's requests hold is counted by
 * the thread alone. */
struct pin {
    const struct snapshot *snapshot;
    size_t n; /* requests, and one while it is current */
};

/* Gives up one of them; the last one gives up the snapshot. */
void pin_drop(void *arg);

struct request {
    struct exchange *x;
    const struct serve *serve;       /* routes.c knows what is in it */
    struct arena *scratch;           /* decoded words; until the request is answered */
    struct rate *unknown;            /* how often the log hears of unknown names */
    struct pin *pin;                 /* NULL before the first snapshot */
    const struct snapshot *snapshot; /* of 'pin' */
    bool has_prefix;                 /* /n/<ns>/<cr> */
    struct span ns, cr;              /* raw segments of the prefix */
    struct span job;                 /* raw segment */
    size_t tenant;                   /* that the prefix names; DIRECTORY_ANY without one */
};

/* Decodes a raw word once, into the scratch; true unless an escape is broken. */
bool request_decode(struct request *r, struct span raw, struct span *out);
/* 200 with JSON in pieces that belong to the snapshot, or to the exchange's arena. */
void request_reply_pieces(struct request *r, const struct iovec *v, size_t n, size_t bytes);
/* 200 with a page of the snapshot. */
void request_reply_page(struct request *r, const struct page *page);
/* 503: a collector then keeps the targets it has. */
void request_not_ready(struct request *r);
/* 421: several Collectors could be meant. */
void request_ambiguous(struct request *r);

#endif
