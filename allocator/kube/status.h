/* What an API server says when it says no: a Status object, as the body of an answer or as the
 * object of an ERROR event. Read leniently: not every refusal is one. Threads: any. */
#ifndef OTEL_TA_KUBE_STATUS_H
#define OTEL_TA_KUBE_STATUS_H

#include "allocator/base/arena.h"

#include <stdbool.h>

struct kubestatus {
    int code;            /* 0: not said */
    struct span reason;  /* "Expired"; empty: not said */
    struct span message; /* empty: not said */
    bool is_version_new; /* it has not heard of the version that was asked for */
    bool is_field_taken; /* a field that is to be applied has another manager and value */
    int retry_after_s;   /* 0: not said */
};

/* What there is of it in 'text'; nothing when it is no such object. Text is in 'arena'. */
void kubestatus_read(struct span text, struct arena *arena, struct kubestatus *out);

#endif
