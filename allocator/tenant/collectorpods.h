/* Which pods are collectors now, and when that changes next although nothing happens: pods and time
 * in, a list and a deadline out. It neither asks nor watches. Whoever follows the collection tells
 * each change of a pod once (kube/objectbatch.h), so that a list that is read again moves nothing.
 *
 * Pods without a node and pods that terminate are no collectors, whatever else is said of them. The
 * others are while they are well, and for the grace period after that; without grace period (0)
 * health is not looked at. Sources: upstream's collector watcher; its cases #5594, #3781, #2916.
 * Deviations: upstream looks at times only when some pod changes, so that a pod may stay long
 * after its grace; and it takes a pod back at once, so that the targets of one that crashes again
 * and again wander. Here a pod that was out for its health is held: it has to be well for a grace
 * period before it counts, for two the next time, and so on to sixteen; ten minutes as a collector
 * are forgiven. It is not held when there would be no collector otherwise.
 *
 * Times are of one monotonic clock in ms; ages come from the pod. Pure. Ownership: copies texts.
 * Threads: belongs to one. */
#ifndef OTEL_TA_TENANT_COLLECTORPODS_H
#define OTEL_TA_TENANT_COLLECTORPODS_H

#include "allocator/base/table.h"
#include "allocator/tenant/collectorlist.h"

struct collectorpods {
    struct table pods; /* by name */
    int64_t grace_ms;
};

/* A pod as it is. An age below 0 (clocks differ) counts as 0. */
struct podstate {
    struct span name, node, address; /* empty: none yet */
    bool is_terminating;             /* it has a deletionTimestamp */
    bool is_running;                 /* phase */
    bool is_ready;                   /* condition Ready */
    int64_t started_ms_ago;          /* startTime; without one 0 */
    int64_t turned_ms_ago;           /* lastTransitionTime of Ready; without one 0 */
};

void collectorpods_init(struct collectorpods *p, int64_t grace_ms);
void collectorpods_see(struct collectorpods *p, const struct podstate *pod, int64_t now_ms);
void collectorpods_gone(struct collectorpods *p, struct span name);
/* What has become due until now happens. Returns when something is due next; INT64_MAX: nothing
 * before somebody tells something. To be called after what was told, and then. */
int64_t collectorpods_settle(struct collectorpods *p, int64_t now_ms) MUST_USE;
/* Those that count since the last settle, by name, at most LIMIT_COLLECTORS. '*out' is empty. */
void collectorpods_list(const struct collectorpods *p, struct collectorlist *out);
void collectorpods_fini(struct collectorpods *p);

#endif
