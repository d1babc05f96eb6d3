#include "allocator/codec/nodeedit.h"

#include <string.h>

/* Trees hold plain pointers so that parsers can build them; nothing here writes through a shared
 * one. */
static struct node *shared(const struct node *n)
{
    union {
        const struct node *from;
        struct node *to;
    } pun = { .from = n };

    return pun.to;
}

struct node *nodeedit_text(struct arena *arena, struct span text)
{
    struct node *n = arena_alloc(arena, sizeof(*n));

    *n = (struct node){ .type = NODE_SCALAR, .style = NODE_DOUBLE, .is_json = true, .text = text };
    return n;
}

struct node *nodeedit_list(struct arena *arena, struct node **items, size_t n)
{
    struct node *list = arena_alloc(arena, sizeof(*list));

    *list = (struct node){
        .type = NODE_LIST, .style = NODE_FLOW, .is_json = true, .n = n, .items = items
    };
    return list;
}

struct node *nodeedit_map(struct arena *arena, struct node_pair *pairs, size_t n)
{
    struct node *map = arena_alloc(arena, sizeof(*map));

    *map = (struct node){
        .type = NODE_MAP, .style = NODE_FLOW, .is_json = true, .n = n, .pairs = pairs
    };
    return map;
}

struct node *nodeedit_copy(struct arena *arena, const struct node *n)
{
    struct node *copy = arena_alloc(arena, sizeof(*copy));

    *copy = *n;
    copy->anchor = copy->canonical = NULL;
    if (n->type == NODE_LIST) {
        copy->items = arena_alloc(arena, (n->n + 1) * sizeof(struct node *));
        memcpy((void *)copy->items, (const void *)n->items, n->n * sizeof(struct node *));
    } else if (n->type == NODE_MAP) {
        copy->pairs = arena_alloc(arena, (n->n + 1) * sizeof(*copy->pairs));
        memcpy(copy->pairs, n->pairs, n->n * sizeof(*copy->pairs));
    }
    return copy;
}

struct node *nodeedit_single(struct arena *arena, struct span key, const struct node *value)
{
    struct node_pair *pair = arena_zalloc(arena, sizeof(*pair));

    pair->key = nodeedit_text(arena, key);
    pair->value = shared(value);
    return nodeedit_map(arena, pair, 1);
}

struct node *nodeedit_member(struct arena *arena, const struct node *map, struct span key,
                             const struct node *value)
{
    size_t n_old = map == NULL || map->type != NODE_MAP ? 0 : map->n;
    struct node_pair *pairs = arena_alloc(arena, (n_old + 1) * sizeof(*pairs));
    size_t n = 0;
    bool is_set = value == NULL;

    for (size_t i = 0; i < n_old; i++) {
        if (!span_eq(map->pairs[i].key->text, key)) {
            pairs[n++] = map->pairs[i];
        } else if (!is_set) {
            pairs[n] = map->pairs[i];
            pairs[n++].value = shared(value);
            is_set = true;
        }
    }
    if (!is_set) {
        pairs[n++] = (struct node_pair){ .key = nodeedit_text(arena, key), .value = shared(value) };
    }
    return nodeedit_map(arena, pairs, n);
}

/* 'list' with another item at 'index'. */
static struct node *edit_item(struct arena *arena, const struct node *list, size_t index,
                              const struct node *item)
{
    struct node **items = arena_alloc(arena, (list->n + 1) * sizeof(struct node *));

    for (size_t i = 0; i < list->n; i++) {
        items[i] = i == index ? shared(item) : list->items[i];
    }
    return nodeedit_list(arena, items, list->n);
}

/* NOLINTNEXTLINE(misc-no-recursion): the depth is that of a parsed document, LIMIT_DEPTH. */
const struct node *nodeedit_replace(struct arena *arena, const struct node *root,
                                    const struct node *old, const struct node *value)
{
    if (root == old) {
        return value;
    }
    if (root == NULL || (root->type != NODE_MAP && root->type != NODE_LIST)) {
        return root;
    }
    for (size_t i = 0; i < root->n; i++) {
        const struct node *child = root->type == NODE_MAP ? root->pairs[i].value : root->items[i];
        const struct node *changed = nodeedit_replace(arena, child, old, value);
        if (changed != child) {
            return root->type == NODE_LIST
                       ? edit_item(arena, root, i, changed)
                       : nodeedit_member(arena, root, root->pairs[i].key->text, changed);
        }
    }
    return root;
}
