/* JSON text → node tree. */
#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "allocator/base/vec.h"
#include "allocator/codec/jsonscan.h"
#include "allocator/codec/node.h"

#include <stdlib.h>

struct frame { /* a map or list under construction */
    struct node *node;
    struct node *key; /* map: waits for its value */
    VEC(struct node_pair) pairs;
    VEC(struct node *) items;
};

struct builder {
    struct jsonscan scan;
    struct arena *arena;
    const char *text;
    size_t base;
    size_t line_offset; /* where counting of lines has got to */
    unsigned line;
    struct frame frames[LIMIT_DEPTH + 1];
    size_t depth;
    struct node *root;
};

static unsigned line_at(struct builder *b, size_t offset)
{
    while (b->line_offset < offset) {
        const char *nl = memchr(b->text + b->line_offset, '\n', offset - b->line_offset);
        if (nl == NULL) {
            b->line_offset = offset;
        } else {
            b->line++;
            b->line_offset = (size_t)(nl - b->text) + 1;
        }
    }
    return b->line;
}

static struct node *new_node(struct builder *b, enum node_type type, enum node_style style, const struct json_token *t)
{
    struct node *n = arena_zalloc(b->arena, sizeof(*n));

    n->type = type;
    n->style = style;
    n->is_json = true;
    n->line = line_at(b, t->begin);
    n->begin = b->base + t->begin;
    n->end = b->base + t->end;
    return n;
}

static struct node *new_scalar(struct builder *b, const struct json_token *t)
{
    bool is_text = t->event == JSON_TEXT || t->event == JSON_KEY;
    struct node *n = new_node(b, t->event == JSON_NULL_VALUE ? NODE_NULL : NODE_SCALAR, is_text ? NODE_DOUBLE : NODE_PLAIN, t);

    n->text = t->has_escapes ? jsonscan_unescape(t->raw, b->arena) : t->raw;
    return n;
}

static void add_value(struct builder *b, struct node *n)
{
    if (b->depth == 0) {
        b->root = n;
        return;
    }
    struct frame *f = &b->frames[b->depth - 1];
    if (f->node->type == NODE_LIST) {
        *vec_push(&f->items) = n;
    } else {
        *vec_push(&f->pairs) = (struct node_pair){ .key = f->key, .value = n };
    }
}

static int compare_keys(const void *a, const void *b)
{
    const struct node_pair *x = a, *y = b;
    return span_cmp(x->key->text, y->key->text);
}

/* The second of two equal keys, or NULL. */
static const struct node *duplicate_key(const struct node_pair *pairs, size_t n)
{
    const struct node *found = NULL;
    struct node_pair *sorted = mem_array(n, sizeof(*sorted));

    memcpy(sorted, pairs, n * sizeof(*sorted));
    qsort(sorted, n, sizeof(*sorted), compare_keys);
    for (size_t i = 1; i < n && found == NULL; i++) {
        if (span_eq(sorted[i - 1].key->text, sorted[i].key->text)) {
            found = sorted[i].key->begin > sorted[i - 1].key->begin ? sorted[i].key : sorted[i - 1].key;
        }
    }
    mem_free(sorted);
    return found;
}

static int end_collection(struct builder *b, const struct json_token *t, struct err *err)
{
    struct frame *f = &b->frames[b->depth - 1];
    struct node *n = f->node;
    int rc = 0;

    n->end = b->base + t->end;
    if (n->type == NODE_MAP) {
        const struct node *twin = f->pairs.n < 2 ? NULL : duplicate_key(f->pairs.v, f->pairs.n);
        if (twin != NULL) {
            rc = err_set(err, ERR_INVALID, "line %u: key '%.*s' is given twice", twin->line, SPAN_ARG(twin->text));
        }
        n->n = f->pairs.n;
        n->pairs = arena_alloc(b->arena, f->pairs.n * sizeof(*n->pairs));
        if (f->pairs.n > 0) {
            memcpy(n->pairs, f->pairs.v, f->pairs.n * sizeof(*n->pairs));
        }
    } else {
        n->n = f->items.n;
        n->items = (struct node **)arena_alloc(b->arena, f->items.n * sizeof(*n->items));
        if (f->items.n > 0) {
            memcpy((void *)n->items, (const void *)f->items.v, f->items.n * sizeof(*n->items));
        }
    }
    b->depth--;
    add_value(b, n);
    return rc;
}

static int on_token(struct builder *b, const struct json_token *t, struct err *err)
{
    if (t->event == JSON_BEGIN_OBJECT || t->event == JSON_BEGIN_ARRAY) {
        struct frame *f = &b->frames[b->depth++];
        f->node = new_node(b, t->event == JSON_BEGIN_OBJECT ? NODE_MAP : NODE_LIST, NODE_FLOW, t);
        vec_clear(&f->pairs);
        vec_clear(&f->items);
        return 0;
    }
    if (t->event == JSON_END_OBJECT || t->event == JSON_END_ARRAY) {
        return end_collection(b, t, err);
    }
    if (t->event == JSON_KEY) {
        b->frames[b->depth - 1].key = new_scalar(b, t);
    } else {
        add_value(b, new_scalar(b, t));
    }
    return 0;
}

int node_from_json(struct span text, size_t base, struct arena *arena, struct node **out, struct err *err)
{
    struct builder *b = mem_zalloc(sizeof(*b));
    struct json_token t;
    int rc = 0;

    b->arena = arena;
    b->text = text.p;
    b->base = base;
    b->line = 1;
    jsonscan_whole(&b->scan, text, LIMIT_DEPTH);
    while (rc == 0) {
        enum json_event e = jsonscan_next(&b->scan, &t);
        if (e == JSON_DONE) {
            break;
        }
        if (e == JSON_FAULT || e == JSON_MORE) {
            unsigned line = line_at(b, (size_t)(b->scan.p - text.p));
            rc = err_set(err, ERR_INVALID, "line %u, %s", line, jsonscan_error(&b->scan));
        } else {
            rc = on_token(b, &t, err);
        }
    }
    if (rc == 0) {
        *out = b->root;
    }
    for (size_t i = 0; i <= LIMIT_DEPTH; i++) {
        vec_fini(&b->frames[i].pairs);
        vec_fini(&b->frames[i].items);
    }
    jsonscan_fini(&b->scan);
    mem_free(b);
    return rc;
}
