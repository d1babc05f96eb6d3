/* A Lease as the JSON of coordination.k8s.io/v1: what the election reads of it and writes into it.
 * What else is in it, others' labels and members of its spec, stays. Pure. Threads: any. */
#ifndef OTEL_TA_KUBE_LEASETEXT_H
#define OTEL_TA_KUBE_LEASETEXT_H

#include "allocator/base/arena.h"
#include "allocator/base/buf.h"
#include "allocator/base/err.h"
#include "allocator/kube/lease.h"

/* Texts of 'out' are in 'arena' or 'text'. ERR_INVALID: it is no Lease with a resourceVersion. */
int leasetext_read(struct span text, struct arena *arena, struct lease_record *out,
                   struct err *err) MUST_USE;

struct leasetext_place {
    struct span namespace, name, identity;
};

/* The body of 'request', a POST or PUT, into 'out'. 'last': the Lease as it was last read or
 * written, for a PUT. 'wall_ms': Unix time, for people who look at it. */
int leasetext_write(const struct lease_request *request, const struct leasetext_place *place,
                    struct span last, int64_t wall_ms, struct buf *out, struct err *err) MUST_USE;

#endif
