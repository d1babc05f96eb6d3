/* JSON Patch (RFC 6902), and of it what a webhook needs: add, remove and replace. Made as the
 * difference of two trees that share what is unchanged, so only paths of this very object occur;
 * applied again before it is sent, because a patch that does not fit fails the user's
 * request even under failurePolicy Ignore. Ownership: everything in the arena given. Threads: any.
 */
#ifndef OTEL_TA_CODEC_JSONPATCH_H
#define OTEL_TA_CODEC_JSONPATCH_H

#include "allocator/base/vec.h"
#include "allocator/codec/node.h"

enum patch_verb { PATCH_ADD, PATCH_REMOVE, PATCH_REPLACE };

struct patch_op {
    enum patch_verb verb;
    struct span path;         /* JSON pointer, escaped */
    const struct node *value; /* NULL for PATCH_REMOVE */
};

struct jsonpatch {
    VEC(struct patch_op) ops;
};

/* What leads from 'from' to 'to', below 'path' ("" at the root). Work and size follow what differs,
 * as long as equal parts are the same nodes. */
void jsonpatch_diff(const struct node *from, const struct node *to, struct span path,
                    struct arena *arena, struct jsonpatch *out);
/* The array of operations. */
void jsonpatch_write(const struct jsonpatch *patch, struct buf *out);
/* A patch from its JSON. ERR_INVALID for what is none, ERR_UNSUPPORTED for other operations. */
int jsonpatch_read(const struct node *json, struct arena *arena, struct jsonpatch *out,
                   struct err *err) MUST_USE;
/* The operations in their order: '*out' is a new tree that shares with 'root' and with the values
 * of the patch what is the same in both. ERR_INVALID when one does not fit. */
int jsonpatch_apply(const struct jsonpatch *patch, const struct node *root, struct arena *arena,
                    struct node **out, struct err *err) MUST_USE;
/* Equal values; the same node is equal without a look. */
bool jsonpatch_same(const struct node *a, const struct node *b);
void jsonpatch_fini(struct jsonpatch *patch);

#endif
