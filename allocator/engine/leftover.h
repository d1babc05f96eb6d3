/* The targets of one source that are not kept, since rules drop them or they could not be scraped:
 * as they were discovered, for whoever needs them and need not read the source for that
 * (takeover.h). Jobs that were given the same reading share one, which then has all its targets.
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

struct leftover {
    unsigned n_refs;
    size_t *account; /* where it is counted; NULL: nowhere */
    bool is_whole;   /* has the targets that are kept, too */
    VEC(struct leftover_chunk) chunks;
    struct buf text;          /* of the next chunk, while it is filled */
    size_t tail_at, tail_len; /* in that: the tail of the target before */
};

struct leftover *leftover_new(bool is_whole);
/* NULL is nothing. */
struct leftover *leftover_ref(struct leftover *l);
/* One more: its JSON in the two pieces of engine/render.h, which are copied; both empty: too big to
 * be kept, has its place only. */
void leftover_add(struct leftover *l, struct span own, struct span tail);
/* That was all; now it can be read. */
void leftover_close(struct leftover *l);
/* Every target, in the order in which they were added. */
typedef void leftover_fn(void *arg, struct span own, struct span tail);
void leftover_each(const struct leftover *l, leftover_fn *fn, void *arg);
/* Counts it, which is closed, at '*account' as long as it is there; once is enough. */
void leftover_charge(struct leftover *l, size_t *account);
/* What the caller's reference keeps: nothing if others have one too. NULL is nothing. */
size_t leftover_weight(const struct leftover *l);
void leftover_unref(struct leftover **l);

#endif
