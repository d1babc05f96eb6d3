/* Changes to a text as a list of replaced ranges, so that every other byte stays as it is.
 * Ownership: replacement texts are borrowed and must outlive the splice.
 * Threads: a splice belongs to one thread. */
#ifndef OTEL_TA_WEBHOOK_TEXT_SPLICE_H
#define OTEL_TA_WEBHOOK_TEXT_SPLICE_H

#include "allocator/base/arena.h"
#include "allocator/base/buf.h"
#include "allocator/base/err.h"
#include "allocator/base/vec.h"

/* [begin, end) of the original text becomes 'text'. begin == end inserts; an empty text removes. */
struct edit {
    size_t begin, end;
    struct span text;
    const void *owner;   /* whose change it is: for the caller, kept by sorting and inverting */
    size_t result_begin; /* where it stands in the result; set by splice_sort() */
};

struct splice {
    VEC(struct edit) edits; /* ascending and apart after splice_sort() */
};

/* In any order; edits that touch each other are applied in the order in which they were added. */
void splice_add(struct splice *s, size_t begin, size_t end, struct span text);
/* Names the owner of every edit from index 'from' on. */
void splice_own(struct splice *s, size_t from, const void *owner);
/* Sorts. ERR_REFUSED when two edits overlap, or one reaches beyond 'size'. */
int splice_sort(struct splice *s, size_t size, struct err *err) MUST_USE;
/* The text with all edits made (they must be sorted). */
void splice_apply(const struct splice *s, struct span text, struct buf *out);
/* Where the byte at 'offset' of the original stands in the result (edits are sorted): in front of
 * what was inserted or put in its place there. A byte inside of a replaced range moves to the end
 * of the replacement. */
size_t splice_map(const struct splice *s, size_t offset);
/* The edits that lead from the result back to 'text'. 'out' must be empty; its texts point into
 * 'text'. */
void splice_invert(const struct splice *s, struct span text, struct splice *out);
/* The edits that lead from 'text' through 'first' and then 'second' (both sorted) to 'result', into
 * which their texts point. 'out' must be empty. */
void splice_compose(const struct splice *first, const struct splice *second, struct span text,
                    struct span result, struct splice *out);
/* The one edit between two texts: the part in which they differ. */
struct edit splice_difference(struct span from, struct span to);
void splice_fini(struct splice *s);

#endif
