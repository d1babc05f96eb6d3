/* A user of a kubeconfig: everything by which it is let in. Threads: any. */
#ifndef OTEL_TA_KUBE_CONFIGUSER_H
#define OTEL_TA_KUBE_CONFIGUSER_H

#include "allocator/kube/configentry.h"

void configuser_read(struct configreader *r, const struct configentry *e, struct kubeconfig *c);

#endif
