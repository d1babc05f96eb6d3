/* The pods of one selector as collectors: what is told of the collection (kube/objectbatch.h) in,
 * the list of collectors out, and when it changes next (tenant/collectorpods.h). Until the first
 * list of pods is whole there is none: it is not known, not empty. Pods of one namespace.
 * Times are of one monotonic clock; 'wall_ms' is Unix time, for what pods say of themselves.
 * Threads: belongs to one. */
#ifndef OTEL_TA_TENANT_COLLECTORFOLLOW_H
#define OTEL_TA_TENANT_COLLECTORFOLLOW_H

#include "allocator/kube/replica.h"
#include "allocator/tenant/collectorpods.h"

struct collectorfollow {
    struct replica pods;
    struct collectorpods states;
    struct arena arena;
};

/* A pod by its cut, and what it says of itself; both borrow from the cut and 'arena'. False: it
 * cannot be read, which is logged. */
bool collectorfollow_read(struct span key, struct span cut, int64_t wall_ms, struct arena *arena,
                          struct object_collector *out, struct podstate *out_state) MUST_USE;
/* Logs it: for struct replica_hooks. */
void collectorfollow_unreadable(void *arg, struct span key, const struct err *err);
/* 'grace_ms': how long a collector that is not well is one; 0: health is not looked at. */
void collectorfollow_init(struct collectorfollow *f, int64_t grace_ms);
/* 'batch' is borrowed. */
void collectorfollow_take(struct collectorfollow *f, const struct objectbatch *batch,
                          int64_t now_ms, int64_t wall_ms);
/* As collectorpods_settle(). */
int64_t collectorfollow_settle(struct collectorfollow *f, int64_t now_ms) MUST_USE;
/* Those that count since the last settle; '*out' is empty. False: it is not known yet. */
bool collectorfollow_list(const struct collectorfollow *f, struct collectorlist *out);
void collectorfollow_fini(struct collectorfollow *f);

#endif
