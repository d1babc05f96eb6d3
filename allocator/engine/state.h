/* Everything the engine knows, as a machine without thread, clock or socket: configurations and
 * arrivals go in, snapshots come out. The engine thread drives it; tests, the offline commands and
 * benchmarks do so too. Synced: every section of every job was tried, or waited for long enough.
 * Until then snapshots say so, and no pages are made. Once synced it stays so. A later
 * configuration is published at once; only a job that still waits for first answers then has no row
 * if it is new, and if it was there before, the row that it had, which goes on being updated
 * (handover.h).
 * What was tried in vain, a file, a folder or a URL, is waited for too, and for ever where nothing
 * else has given the job a target: no row is better than an empty one that takes targets away.
 * Threads: the engine's. */
#ifndef OTEL_TA_ENGINE_STATE_H
#define OTEL_TA_ENGINE_STATE_H

#include "allocator/base/thread.h"
#include "allocator/discovery/objectarrival.h"
#include "allocator/discovery/want.h"
#include "allocator/serve/snapshot.h"
#include "allocator/tenant/tenants.h"

struct state;

/* 'watcher' is where wants go; NULL: nowhere. */
struct state *state_new(struct mailbox *watcher);
/* Tenants come one by one (engine/tenantmail.h): what is told is in force with the next
 * state_complete(). Jobs that did not change keep their targets; one that is refused now goes on as
 * it was configured before, or, if it was not there, is known and has no row. */
/* Moves '*tenant', whose collectors are not looked at; ERR_NOT_FOUND for an unknown strategy: then
 * nothing was told. */
int state_put_tenant(struct state *s, struct tenant **tenant, struct err *err) ON(engine) MUST_USE;
void state_drop_tenant(struct state *s, struct span ns, struct span name);
/* Moves '*list'. */
void state_put_collectors(struct state *s, struct span ns, struct span name,
                          struct collectorlist *list);
/* What is missing because of a fault, in place of what was told before. Moves '*gaps'. */
void state_put_gaps(struct state *s, struct gaps *gaps);
void state_complete(struct state *s, int64_t now_ms) ON(engine);
/* All of that at once: these tenants, with their collectors, and no others. On success 'config' is
 * emptied; on failure nothing was told. */
int state_configure(struct state *s, struct tenants *config, int64_t now_ms, struct err *err)
    ON(engine) MUST_USE;
void state_arrive(struct state *s, const struct arrival *a) ON(engine);
void state_take_objects(struct state *s, const struct object_arrival *a) ON(engine);
/* When state_tick() is due; INT64_MAX: never. */
int64_t state_deadline_ms(const struct state *s);
void state_tick(struct state *s, int64_t now_ms);
/* Something may have to be published. */
bool state_has_news(const struct state *s);
bool state_is_synced(const struct state *s);
/* The next snapshot with one reference for the caller, or NULL when not a byte would differ from
 * the last one. */
const struct snapshot *state_publish(struct state *s) ON(engine);
/* After state_publish(): every kept target has exactly one owner or is counted as having none, and
 * what is published is what a full recomputation gives. ERR_INVALID: it is not so, which is our
 * bug. Slow. */
int state_verify(const struct state *s, struct err *err) MUST_USE;
/* Frees what requests no longer pin; true while something is still pinned. */
bool state_reap(struct state *s) ON(engine);
/* As publisher_crowding(). */
uint64_t state_crowding(const struct state *s) ON(engine);

struct state_counts {
    size_t n_jobs, n_discovered, n_kept, n_dropped, n_invalid, n_served, n_unassigned, n_wants_open;
};
void state_count(const struct state *s, struct state_counts *out);

/* One served target, for the offline commands. */
struct state_target {
    struct span ns, name; /* of the Collector CR */
    const char *strategy;
    struct span receiver, job;
    struct span collector; /* empty: nobody has it */
    struct span own, tail; /* its JSON after a comma, in two pieces (allocator/engine/render.h) */
};
/* Every served target, in no particular order. */
void state_each_target(const struct state *s, void (*fn)(void *arg, const struct state_target *t),
                       void *arg);
/* The collectors of every tenant, with what they have. */
void state_each_collector(const struct state *s,
                          void (*fn)(void *arg, struct span ns, struct span name,
                                     struct span collector, size_t n),
                          void *arg);

/* Posts WATCHER_RELEASED, then no more wants. */
void state_release_watcher(struct state *s);
void state_free(struct state **s) ON(engine);

#endif
