/* The owner thread: what arrives from discovery and what is told of tenants goes in, snapshots go
 * out. Owns jobs, string pool, targets, fleets, pages. Incremental by construction: a changed
 * source re-reads that source, a changed target renders the pages it is on; a debounce window of 0
 * ms when idle, growing to 10 ms under load, bounds how often snapshots are made. Threads: start
 * and stop from the keeper. */
#ifndef OTEL_TA_ENGINE_ENGINE_H
#define OTEL_TA_ENGINE_ENGINE_H

#include "allocator/base/mailbox.h"
#include "allocator/engine/tenantmail.h"
#include "allocator/serve/snapshot.h"

struct engine;

struct engine_options {
    struct mailbox *watcher;  /* where wants go; NULL in tests */
    struct mailbox *refusals; /* where tenants that cannot be used are named; NULL: nowhere. Not
                                 bounded: who tells tenants may be waiting for the engine */
    /* Called on the engine thread with one reference that the callee puts. */
    void (*publish)(void *arg, const struct snapshot *s);
    void *publish_arg;
    /* Called on the engine thread when old snapshots hold too much: who reads one of this sequence
     * or older should end. NULL: nobody is told. */
    void (*hurry)(void *arg, uint64_t sequence);
};

int engine_start(const struct engine_options *options, struct engine **out,
                 struct err *err) MUST_USE;
/* Bounded: posting waits while the engine is behind. Where the watcher posts arrivals
 * (discovery/want.h), and whoever knows tenants what is known of them (engine/tenantmail.h). */
struct mailbox *engine_mailbox(struct engine *e);
/* Ends its thread, after the watcher's has ended: nothing is published any more, and nobody may
 * post. What was published stays until engine_free(), which comes after the last reader has put its
 * snapshot. */
void engine_stop(struct engine *e);
void engine_free(struct engine **e);

#endif
