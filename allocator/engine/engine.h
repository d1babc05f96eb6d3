/* The owner thread: what arrives from discovery goes in, snapshots go out. Owns jobs, string pool,
 * targets, fleets, pages. Incremental by construction: a changed source re-reads that source, a
 * changed target renders the pages it is on; a debounce window of 0 ms when idle, growing to 10 ms
 * under load, bounds how often snapshots are made. Threads: start and stop from the keeper. */
#ifndef OTEL_TA_ENGINE_ENGINE_H
#define OTEL_TA_ENGINE_ENGINE_H

#include "allocator/base/mailbox.h"
#include "allocator/serve/snapshot.h"
#include "allocator/tenant/tenants.h"

struct engine;

struct engine_options {
    struct mailbox *watcher; /* where wants go; NULL in tests */
    /* Called on the engine thread with one reference that the callee puts. */
    void (*publish)(void *arg, const struct snapshot *s);
    void *publish_arg;
};

/* The configuration, as texts; moved to the engine, which parses them (the keeper has checked them
 * before). */
struct engine_config {
    struct tenants_source *sources;
    size_t n_sources;
    struct tenants_options options; /* spans point into 'arena' */
    struct arena arena;
};

void engine_config_fini(struct engine_config *config);

int engine_start(const struct engine_options *options, struct engine **out,
                 struct err *err) MUST_USE;
/* Where arrivals (discovery/want.h) are posted by the watcher. */
struct mailbox *engine_mailbox(struct engine *e);
/* Replaces the configuration: atomic, jobs that did not change keep their targets. Moves *config.
 */
void engine_configure(struct engine *e, struct engine_config *config);
/* Ends its thread: nothing is published any more. What was published stays until engine_free(),
 * which comes after the last reader has put its snapshot. */
void engine_stop(struct engine *e);
void engine_free(struct engine **e);

#endif
