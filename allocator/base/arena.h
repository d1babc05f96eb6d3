/* One lifetime, one free: a bump allocator. Memory from it is never freed singly.
 * Threads: an arena belongs to one thread at a time. */
#ifndef OTEL_TA_BASE_ARENA_H
#define OTEL_TA_BASE_ARENA_H

#include "allocator/base/span.h"

#include <stddef.h>
#include <stdint.h>

#define ARENA_ALIGN ((size_t)16)

struct arena {
    struct arena_chunk *chunks; /* newest first */
    char *next;
    char *end;
    size_t used_bytes; /* of all chunks */
    size_t least;      /* bytes of the first chunk; 0: as is usual */
};

void arena_init(struct arena *a);
/* For little that lives long, in many places: begins with a small chunk. */
void arena_init_small(struct arena *a);
/* What arena_alloc() does when its chunk is full: takes from a new one. */
void *arena_alloc_new(struct arena *a, size_t size);
/* Aligned to 16 bytes, not zeroed. Never NULL, also for 0 bytes. */
static inline void *arena_alloc(struct arena *a, size_t size)
{
    size_t pad = (0 - (uintptr_t)a->next) % ARENA_ALIGN, left = (size_t)(a->end - a->next);

    if (left <= pad || left - pad < size) { /* nothing is left before there is a chunk */
        return arena_alloc_new(a, size);
    }
    char *p = a->next + pad;
    a->next = p + size;
    return p;
}
void *arena_zalloc(struct arena *a, size_t size);
/* Byte-aligned room for text: no padding between strings. */
char *arena_bytes(struct arena *a, size_t size);
char *arena_strndup(struct arena *a, const char *s, size_t size);
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
struct span arena_span(struct arena *a, struct span s);
/* Forgets everything, keeps one chunk for reuse. */
void arena_reset(struct arena *a);
/* Forgets everything, keeps memory for as much again, unless that is more than 'most' bytes: for an
 * arena that does the same work over and over, whose pages then stay mapped. */
void arena_recycle(struct arena *a, size_t most);
/* 'p' of 'size' bytes, the first 'used' of which matter, with 'new_size' bytes: where it was if it
 * is the newest of the arena and there is room, else a copy. 'p' may be NULL. */
char *arena_regrow(struct arena *a, char *p, size_t size, size_t used, size_t new_size);
void arena_fini(struct arena *a);

#endif
