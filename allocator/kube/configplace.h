/* Where the way to an API server is described, in this order: a kubeconfig that was named; the
 * cluster this process runs in (both KUBERNETES_SERVICE_… variables and the token are there);
 * $KUBECONFIG; ~/.kube/config. (client-go asks the last two before the cluster.) Threads: any. */
#ifndef OTEL_TA_KUBE_CONFIGPLACE_H
#define OTEL_TA_KUBE_CONFIGPLACE_H

#include "allocator/kube/config.h"

#define KUBECONFIG_POD_FOLDER "/var/run/secrets/kubernetes.io/serviceaccount"

/* Texts are borrowed; NULL: not given. */
struct kubeconfig_places {
    const char *named;    /* a path; nothing else is looked for then */
    bool is_command_line; /* by the operator, on the command line: it may run an exec plugin */
    const char *list;     /* of $KUBECONFIG: paths with colons between them */
    const char *home;
    const char *service_host, *service_port, *pod_namespace;
    const char *pod_folder; /* NULL: KUBECONFIG_POD_FOLDER */
};

/* What the environment says of all but 'named'. Nobody may change the environment meanwhile. */
void kubeconfig_look_around(struct kubeconfig_places *out);
/* This process runs in a pod that has an account of the cluster. */
bool kubeconfig_is_in_pod(const struct kubeconfig_places *places);
/* As kubeconfig_read(). ERR_NOT_FOUND: there is no cluster to be found; ERR_INVALID also when a
 * file that was named cannot be read. In a pod, files are named and not read, but for the
 * namespace. */
int kubeconfig_find(const struct kubeconfig_places *places, struct arena *arena,
                    struct kubeconfig *out, struct faults *f) MUST_USE;

#endif
