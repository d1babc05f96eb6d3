/* All carriers of a watcher, and which of them has which want. Threads: the watcher's. */
#ifndef OTEL_TA_WATCH_CARRIERS_H
#define OTEL_TA_WATCH_CARRIERS_H

#include "allocator/watch/source.h"

#define CARRIERS_MAX 4

struct carriers {
    struct carrier_source *sources[CARRIERS_MAX]; /* owned */
    size_t n;
    struct table wants; /* by id */
};

void carriers_init(struct carriers *c);
/* Moves 'source'; one for each carrier, before the thread runs. */
void carriers_put(struct carriers *c, struct carrier_source *source);
/* From now on arrivals go there; NULL: nowhere. */
void carriers_connect(struct carriers *c, struct mailbox *engine) ON(watcher);
/* True: the mail was about a want and is taken, also when that want was cancelled meanwhile. False:
 * it is still the caller's. */
bool carriers_take(struct carriers *c, struct mail *mail, int64_t now_ms) ON(watcher);
/* When carriers_tick() is due; INT64_MAX: never. */
int64_t carriers_deadline_ms(const struct carriers *c);
void carriers_tick(struct carriers *c, int64_t now_ms) ON(watcher);
void carriers_fini(struct carriers *c) ON(watcher);

#endif
