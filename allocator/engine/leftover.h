/* The targets of one source that are not kept, since rules drop them or they could not be scraped:
 * as they were discovered, for when the rules change and the source cannot be read (takeover.h).
 * Memory: packed, 64 KiB at a time; what neighbours share is written once. A target of 41 labels
 * takes some 200 bytes, a quarter of one that is kept; a source that keeps everything, or has less
 * than 4 KiB set aside, packs nothing. Threads: the engine's. */
#ifndef OTEL_TA_ENGINE_LEFTOVER_H
#define OTEL_TA_ENGINE_LEFTOVER_H

#include "allocator/base/buf.h"
#include "allocator/base/vec.h"

struct leftover_chunk {
    char *bytes;
    size_t len;
    size_t plain_len; /* as long as 'len': not packed */
};

struct leftover { /* zeroed: nothing */
    VEC(struct leftover_chunk) chunks;
    struct buf text;          /* of the next chunk, while it is filled */
    size_t tail_at, tail_len; /* in that: the tail of the target before */
};

/* One more: its JSON in the two pieces of engine/render.h, which are copied. */
void leftover_add(struct leftover *l, struct span own, struct span tail);
/* That was all; now it can be read. */
void leftover_close(struct leftover *l);
/* Appends every target, each after a comma. */
void leftover_write(const struct leftover *l, struct buf *out);
void leftover_fini(struct leftover *l);

#endif
