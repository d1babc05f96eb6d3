/* What a pod gives to targets, its own or those of endpoints that point to it. Threads: as the
 * batch. */
#ifndef OTEL_TA_DISCOVERY_ROLEPODS_H
#define OTEL_TA_DISCOVERY_ROLEPODS_H

#include "allocator/codec/spanmap.h"
#include "allocator/discovery/rolelabels.h"

struct role_container {
    const struct object_container *is;
    bool is_init;
};

/* The pod's "container" labels that are about a port of it. */
void role_put_container(struct sd_batch *b, const struct role_container *c,
                        const struct object_port *port, struct span protocol);
/* Containers, then those of initialization: NULL behind the last. */
bool role_container_at(const struct object_pod *pod, size_t i, struct role_container *out);
/* Everything about the pod that is not about a container. */
int role_labels_add_pod(struct role_labels *l, const struct role_input *in,
                        const struct object_pod *pod, struct err *err) MUST_USE;

/* ---- the pods that endpoints point to */

struct role_pod {
    struct object_pod pod;
    struct role_labels labels;
    VEC(struct span) ports; /* numbers that endpoints have had of it */
};
struct role_pods {
    const struct role_input *in;
    struct sd_batch *batch;
    struct spanmap by_name;
    VEC(struct role_pod *) v; /* in the order of their first endpoint */
};

void role_pods_init(struct role_pods *p, const struct role_input *in, struct sd_batch *batch);
/* '*out' is NULL when 'target' is no pod, or none that is known. */
int role_pods_find(struct role_pods *p, const struct object_ref *target, struct role_pod **out,
                   struct err *err) MUST_USE;
/* Into the open group: the pod's labels, and those of its last container that has the port, whose
 * number may be absent. 'protocol' is that of the endpoint; absent: the container's counts. */
void role_pods_put(struct role_pods *p, struct role_pod *pod, struct span number,
                   struct span protocol);
/* Targets for the ports of these pods that no endpoint had; 'common' is put on each. */
void role_pods_put_rest(struct role_pods *p, const struct role_labels *common);
void role_pods_fini(struct role_pods *p);

#endif
