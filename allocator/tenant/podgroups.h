/* The pods of all Collectors of a cluster as their collectors: what is told of the collection of
 * pods (kube/objectbatch.h) in, and of which Collector the list of collectors has changed out. A
 * pod belongs to the Collector of its namespace whose instance label it has, which the
 * OpenTelemetry Operator writes (M/manifestutils/labels.go). Until the first list of pods is whole
 * nobody's collectors are known. Cost: a pod that changes is looked at, and the pods of its
 * Collector. Times are of one monotonic clock; 'wall_ms' is Unix time. Pure. Threads: belongs to
 * one. */
#ifndef OTEL_TA_TENANT_PODGROUPS_H
#define OTEL_TA_TENANT_PODGROUPS_H

#include "allocator/kube/replica.h"
#include "allocator/tenant/collectorlist.h"

struct podgroup;

struct podgroups {
    struct replica pods;
    struct table members; /* pods by key: whose they are */
    struct table groups;  /* by namespace and instance */
    VEC(struct podgroup *) touched;
    struct arena arena;
    int64_t grace_ms; /* how long a collector that is not well is one */
    int64_t due_ms;   /* the first of all groups; INT64_MAX: none */
};

/* What the label of the pods of a Collector says: at most 63 characters. */
void podgroups_instance(struct span ns, struct span name, struct buf *out);
/* The key of its group: "namespace/instance". */
void podgroups_key(struct span ns, struct span name, struct buf *out);

void podgroups_init(struct podgroups *g, int64_t grace_ms);
/* 'batch' is borrowed. */
void podgroups_take(struct podgroups *g, const struct objectbatch *batch, int64_t now_ms,
                    int64_t wall_ms);
/* What has become due until now happens, and 'changed' is called with the key of each group whose
 * list may be another. */
void podgroups_settle(struct podgroups *g, int64_t now_ms,
                      void (*changed)(void *arg, struct span key), void *arg);
/* As of the last settle. '*out' is empty. False: nobody's are known yet. */
bool podgroups_list(const struct podgroups *g, struct span key, struct collectorlist *out);
void podgroups_fini(struct podgroups *g);

#endif
