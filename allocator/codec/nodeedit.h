/* New node trees that share everything unchanged with old ones: the result a rewrite intends,
 * against which texts and patches are compared before anything leaves the program. Ownership: new
 * nodes in the arena given; shared ones where they were. The result has no places (begin, end) of
 * its own. Threads: any. */
#ifndef OTEL_TA_CODEC_NODEEDIT_H
#define OTEL_TA_CODEC_NODEEDIT_H

#include "allocator/codec/node.h"

struct node *nodeedit_text(struct arena *arena, struct span text);
/* 'items' and 'pairs' are taken over. */
struct node *nodeedit_list(struct arena *arena, struct node **items, size_t n);
struct node *nodeedit_map(struct arena *arena, struct node_pair *pairs, size_t n);
/* A list or map whose own items or values may be changed by the caller; what is below is shared. */
struct node *nodeedit_copy(struct arena *arena, const struct node *n);
/* A map of one member. */
struct node *nodeedit_single(struct arena *arena, struct span key, const struct node *value);
/* 'map' (NULL: an empty one) with member 'key' set, or without it when 'value' is NULL. */
struct node *nodeedit_member(struct arena *arena, const struct node *map, struct span key,
                             const struct node *value);
/* 'root' with another node in place of 'old' (the same pointer); 'root' itself when it is not in
 * there. */
const struct node *nodeedit_replace(struct arena *arena, const struct node *root,
                                    const struct node *old, const struct node *value);

#endif
