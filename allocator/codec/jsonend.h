/* Where a JSON object or array ends, found while its bytes arrive in pieces of any size. Only
 * strings and the number of open brackets are looked at: whether it is JSON is for the scanner to
 * say once it is whole. As fast as jsonscan_skip(). Threads: a state belongs to one thread. */
#ifndef OTEL_TA_CODEC_JSONEND_H
#define OTEL_TA_CODEC_JSONEND_H

#include "allocator/base/limits.h"
#include "allocator/base/span.h"

#include <stdbool.h>

struct jsonend {
    unsigned depth; /* open brackets */
    bool in_string, in_escape;
    bool is_found;    /* the value has ended */
    bool is_too_deep; /* deeper than LIMIT_SKIP_DEPTH: nothing more is found */
};

/* Before the first byte, which is the value's bracket. */
void jsonend_init(struct jsonend *e);
/* How many bytes of 'piece' belong to the value: all of them until it has ended. */
size_t jsonend_feed(struct jsonend *e, struct span piece);

#endif
