/* Builds a node tree from the events of a parser (JSON or YAML), which come in document order.
 * Keeps the rules that both have: LIMIT_DEPTH, memorylimit_text_nodes(), LIMIT_DOCUMENT_BYTES of
 * text, keys are scalars, no key twice. Iterative. Private to this folder. Threads: a builder
 * belongs to one thread. */
#ifndef OTEL_TA_CODEC_TREEBUILD_H
#define OTEL_TA_CODEC_TREEBUILD_H

#include "allocator/base/limits.h"
#include "allocator/base/vec.h"
#include "allocator/codec/node.h"

/* What a value adds to a document: one, or more for an alias, which counts as what it stands for.
 */
struct treebuild_size {
    size_t nodes;
    size_t bytes;    /* of decoded text */
    unsigned height; /* levels of collections; 0 for a scalar */
};

struct treebuild_frame { /* a collection that is open */
    struct node *node;
    struct node *key;    /* map: waits for its value */
    size_t first;        /* its first child in 'pairs' or 'items' */
    size_t nodes_before; /* counts when it was opened */
    size_t bytes_before;
    unsigned height;
};

struct treebuild {
    struct arena *arena;
    struct node *root;           /* when it is complete */
    VEC(struct node_pair) pairs; /* children of all open maps, of the innermost last */
    VEC(struct node *) items;    /* of all open lists */
    struct treebuild_frame frames[LIMIT_DEPTH];
    unsigned depth;
    size_t n_nodes, n_bytes;
    bool merges_repeat; /* the merge key (<<) may be there more than once */
};

void treebuild_init(struct treebuild *b, struct arena *arena);
/* Forgets the tree, for the next document. */
void treebuild_reset(struct treebuild *b);
void treebuild_fini(struct treebuild *b);

/* The innermost open collection; NULL at the top. */
struct treebuild_frame *treebuild_top(struct treebuild *b);
/* Is the next value a key? */
bool treebuild_wants_key(struct treebuild *b);
/* A value that is complete: a scalar or an alias. What fails is not added. */
int treebuild_add(struct treebuild *b, struct node *n, struct treebuild_size size,
                  struct err *err) MUST_USE;
int treebuild_open(struct treebuild *b, struct node *n, struct err *err) MUST_USE;
/* Gives the innermost collection its children, also when a key is there twice (ERR_INVALID). */
int treebuild_settle(struct treebuild *b, struct err *err) MUST_USE;
/* Ends it, after that. */
void treebuild_close(struct treebuild *b, struct treebuild_size *out_size);
/* Where the next value stands, from the root on: LIMIT_DEPTH steps at most, in the builder's arena.
 */
const struct node_step *treebuild_path(const struct treebuild *b, size_t *out_n);
/* "line 3, column 5: what"; returns 'code'. */
int treebuild_fail(const struct node *at, int code, struct err *err, const char *what);

#endif
