/* Reads an AdmissionReview and its Collector with as little as possible: the scanner passes over
 * everything, and trees are made only of what a rewrite looks at. What is passed over stands in the
 * tree as one opaque scalar of its raw bytes. Ownership: trees in the arena given; texts borrow
 * from the body. Threads: any. */
#ifndef OTEL_TA_WEBHOOK_ADMISSION_REVIEW_H
#define OTEL_TA_WEBHOOK_ADMISSION_REVIEW_H

#include "allocator/codec/node.h"

struct review {
    struct span api_version; /* "admission.k8s.io/v1" or "…/v1beta1" */
    struct span kind;
    struct span uid;
    struct span operation, subresource, name, ns;
    struct span group, version, object_kind; /* of request.kind */
    struct span request_version;    /* of request.requestKind; request.kind's when absent */
    struct span object, old_object; /* JSON; p == NULL when null or absent */
};

/* ERR_INVALID: not JSON. Values of another type than expected count as absent. */
int review_read(struct span body, struct arena *arena, struct review *out,
                struct err *err) MUST_USE;

/* How much of a Collector is not opaque. */
enum review_depth {
    REVIEW_METADATA,
    REVIEW_SECTIONS, /* and of the configuration what a rewrite looks at */
    REVIEW_JOBS,     /* and all members of the scrape jobs, for a rewrite that moves whole jobs */
};

/* The pruned tree of a Collector. ERR_TOO_BIG when a part that is looked at is nested more than
 * LIMIT_DEPTH deep. */
int review_collector(struct span object, enum review_depth depth, struct arena *arena,
                     struct node **out, struct err *err) MUST_USE;

#endif
