/* A set of borrowed keys of known maximal number: finds the second of two equal ones, and what a
 * merge would hide, without quadratic work.
 * Threads: a set belongs to one thread. */
#ifndef OTEL_TA_CODEC_KEYSET_H
#define OTEL_TA_CODEC_KEYSET_H

#include "allocator/base/span.h"

#include <stddef.h>

struct keyset {
    struct span *slots; /* open addressing; p == NULL is free */
    size_t mask;
};

/* At most 'max' keys will be added. */
void keyset_init(struct keyset *set, size_t max);
/* False when an equal key is in already. */
bool keyset_add(struct keyset *set, struct span key);
void keyset_fini(struct keyset *set);

#endif
