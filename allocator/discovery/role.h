/* The roles of kubernetes_sd_configs, one file each (role_*.c): what an object of the role's kind,
 * and those that belong to it, mean as targets. Pure: objects come as text (cuts of kube/object.h
 * are enough), others are looked up. One object is one source, whose groups are digested anew when
 * it changes, or one that it was joined with.
 *
 * Source: Prometheus discovery/kubernetes, v3.14. Labels that come to one name when their
 * characters are replaced: the last one in the object's text counts; there, chance decides.
 * __meta_kubernetes_service_loadbalancer_ip is as of 3.16: the addresses of the status first.
 * Threads: as the strpool of the batch. */
#ifndef OTEL_TA_DISCOVERY_ROLE_H
#define OTEL_TA_DISCOVERY_ROLE_H

#include "allocator/discovery/batch.h"
#include "allocator/kube/object.h"

/* attach_metadata */
struct role_attach {
    bool node, namespace, deployment, job, cronjob;
};

/* The other objects that the section may see. */
struct role_world {
    /* 'ns' is empty for kinds without namespaces. False: there is none. The text must live as long
     * as the batch. */
    bool (*find)(const void *arg, enum object_kind kind, struct span ns, struct span name,
                 struct span *out_text);
    const void *arg;
};

struct role_input {
    struct span object; /* must outlive the batch */
    struct role_attach attach;
    struct role_world world;
};

struct role_ops {
    const char *name;          /* "pod", as in "role" */
    const char *source_prefix; /* of the object's name in logs and sources: "pod/shop/web-0" */
    enum object_kind kind;
    unsigned joined; /* kinds it looks up, as bits 1 << kind */
    /* Those that it looks up besides when something is attached; NULL: none. */
    unsigned (*attached)(struct role_attach attach);
    /* Fills 'out' (reset). ERR_INVALID: the object, or one that it was joined with, cannot be read;
     * ERR_NOT_FOUND: it is not known yet what its targets are, and those that it had stay. */
    int (*digest)(const struct role_input *in, struct sd_batch *out, struct err *err);
};

/* All six, NULL-terminated. */
extern const struct role_ops *const roles[];
const struct role_ops *role_find(struct span name); /* NULL: there is no such role */

#endif
