/* An AdmissionReview in, the answer out: bytes to bytes, no side effects, dry runs like any other
 * call. Contract: AdmissionReview of admission.k8s.io/v1. Classes of answers: internal trouble is
 * an HTTP error (failurePolicy decides), a fault of the user's is a denial with causes, what is not
 * understood passes with a warning. Threads: any. */
#ifndef OTEL_TA_WEBHOOK_ADMISSION_ADMISSION_H
#define OTEL_TA_WEBHOOK_ADMISSION_ADMISSION_H

#include "allocator/base/arena.h"
#include "webhook/rewrite/plan.h"

enum admission_verdict {
    ADMISSION_PATCHED,
    ADMISSION_UNCHANGED,
    ADMISSION_IGNORED, /* not ours, or not understood */
    ADMISSION_DENIED,
    ADMISSION_BAD,    /* no AdmissionReview: HTTP 400 */
    ADMISSION_FAILED, /* our own patch did not do what was intended: HTTP 500 */
};

struct admission_reply {
    int http_status;
    struct span body; /* JSON, in the arena */
    enum admission_verdict verdict;
    struct span uid, ns, name; /* for the log; borrowed from the request */
    struct span reason;        /* of what was not patched, one line; may be empty */
    size_t n_left[LEFT_KINDS]; /* jobs that stay with the collectors */
};

/* 'body' has to live as long as the reply. */
void admission_answer(struct span body, const struct rewrite_options *options, struct arena *arena,
                      struct admission_reply *out);
/* "patched", "unchanged", …: label values of metrics. */
const char *admission_verdict_name(enum admission_verdict verdict);
/* A metav1 Status with a message that kubectl shows: the body of every HTTP error of the webhook.
 */
struct span admission_status(int http_status, const char *message, struct arena *arena);

#endif
