/* An atomic reference count with the right memory orders: the only way an object is shared between
 * threads beside a mailbox. The object must be immutable while more than one reference exists.
 * Threads: any. */
#ifndef OTEL_TA_BASE_REF_H
#define OTEL_TA_BASE_REF_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct ref {
    atomic_uint_fast32_t n;
};

static inline void ref_init(struct ref *r)
{
    atomic_init(&r->n, 1);
}
static inline void ref_get(struct ref *r)
{
    atomic_fetch_add_explicit(&r->n, 1, memory_order_relaxed);
}
/* True when this was the last reference: the caller then frees the object. */
static inline bool ref_put(struct ref *r)
{
    /* Release publishes what this thread did; acquire, needed by the last one only, sees what the
     * others did. Both at once, because ThreadSanitizer does not understand a fence. */
    return atomic_fetch_sub_explicit(&r->n, 1, memory_order_acq_rel) == 1;
}
/* True when the caller holds the only reference (acquire: everything the others did is visible). */
static inline bool ref_is_sole(const struct ref *r)
{
    return atomic_load_explicit(&r->n, memory_order_acquire) == 1;
}

#endif
