#include "allocator/codec/nodecopy.h"

struct span nodecopy_unescape(struct span s, struct arena *arena)
{
    char *text = arena_bytes(arena, s.len + 1);
    size_t n = 0;

    for (size_t i = 0; i < s.len; i++) {
        text[n++] = s.p[i];
        if (s.p[i] == '$' && i + 1 < s.len && s.p[i + 1] == '$') {
            i++;
        }
    }
    text[n] = '\0';
    return span_make(text, n);
}

/* NOLINTNEXTLINE(misc-no-recursion): documents are at most LIMIT_DEPTH deep. */
struct node *nodecopy(const struct node *n, bool unescape_dollars, struct arena *arena)
{
    if (n == NULL) {
        return NULL;
    }
    struct node *copy = arena_alloc(arena, sizeof(*copy));
    *copy = *n;
    copy->anchor = copy->canonical = NULL;
    switch (n->type) {
    case NODE_NULL:
        break;
    case NODE_SCALAR:
        copy->text =
            unescape_dollars ? nodecopy_unescape(n->text, arena) : arena_span(arena, n->text);
        break;
    case NODE_LIST:
        copy->items = arena_alloc(arena, n->n * sizeof(*copy->items));
        for (size_t i = 0; i < n->n; i++) {
            copy->items[i] = nodecopy(n->items[i], unescape_dollars, arena);
        }
        break;
    case NODE_MAP:
        copy->pairs = arena_alloc(arena, n->n * sizeof(*copy->pairs));
        for (size_t i = 0; i < n->n; i++) {
            copy->pairs[i] = n->pairs[i];
            copy->pairs[i].key = nodecopy(n->pairs[i].key, false, arena);
            copy->pairs[i].value = nodecopy(n->pairs[i].value, unescape_dollars, arena);
        }
        break;
    }
    return copy;
}
