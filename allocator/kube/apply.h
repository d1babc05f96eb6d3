/* Writes to an API server: the request of one, and what its answer means. Bodies are the caller's.
 * Pure. Threads: any. Source: Kubernetes API concepts, server-side apply; what API servers of 1.33
 * answer. */
#ifndef OTEL_TA_KUBE_APPLY_H
#define OTEL_TA_KUBE_APPLY_H

#include "allocator/base/arena.h"
#include "allocator/base/buf.h"

#include <stdbool.h>

enum apply_verb {
    APPLY_CREATE, /* the whole object; fails when it is there */
    APPLY_UPDATE, /* the whole object, with the resourceVersion that it must still have */
    APPLY_FIELDS, /* server-side apply: what we want of it, the rest stays; creates it if need be */
    APPLY_FIELDS_BY_FORCE, /* also those that another manager has set otherwise */
    APPLY_MERGE,           /* RFC 7386 */
    APPLY_PATCH, /* RFC 6902; a 'replace' of the resourceVersion makes it compare-and-swap. A 'test'
                    that fails is APPLY_INVALID: nothing in the answer tells it apart */
    APPLY_DELETE, /* no body, or DeleteOptions with preconditions */
};

/* Which object; of the core group when 'group' is empty, of no namespace when that is. */
struct apply_place {
    struct span group, version, resource, namespace, name;
};

struct apply_request {
    const char *method;
    const char *content_type;
};

/* The path and query of a write into 'target', which is cleared. 'manager' is the field manager;
 * it must not be empty for APPLY_FIELDS. */
struct apply_request apply_request(const struct apply_place *place, enum apply_verb verb,
                                   struct span manager, struct buf *target);

enum apply_answer {
    APPLY_DONE,
    APPLY_EXISTS,       /* created by another meanwhile: read it */
    APPLY_STALE,        /* changed by another meanwhile: read it and decide anew */
    APPLY_TAKEN,        /* another manager has set one of the fields otherwise */
    APPLY_MISSING,      /* no such object, namespace or kind */
    APPLY_INVALID,      /* what we write is wrong, and stays so */
    APPLY_FORBIDDEN,    /* no right */
    APPLY_UNAUTHORIZED, /* not known, or no longer */
    APPLY_BUSY,         /* later: 429 */
    APPLY_DOWN,         /* later: everything else */
};

struct apply_result {
    enum apply_answer answer;
    struct span message;   /* what the server says, for people; empty when it was done */
    int64_t retry_after_s; /* 0: not said */
};

/* 'http_status' 0: there was no answer. 'retry_after_s': of the header, 0 without. Text of the
 * result is 'body' or in 'arena'. */
struct apply_result apply_result(enum apply_verb verb, int http_status, struct span body,
                                 int64_t retry_after_s, struct arena *arena);

#endif
