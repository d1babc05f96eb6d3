#include "allocator/codec/treebuild.h"

#include "allocator/base/mem.h"
#include "allocator/base/memorylimit.h"
#include "allocator/codec/spanmap.h"

#include <assert.h>

/* Up to here each key is compared with each other. */
#define FEW_KEYS 12

void treebuild_init(struct treebuild *b, struct arena *arena)
{
    memset(b, 0, offsetof(struct treebuild, frames));
    b->arena = arena;
    b->depth = 0;
    b->n_nodes = b->n_bytes = 0;
    b->merges_repeat = false;
}

void treebuild_reset(struct treebuild *b)
{
    b->root = NULL;
    b->depth = 0;
    b->n_nodes = b->n_bytes = 0;
    vec_clear(&b->pairs);
    vec_clear(&b->items);
}

void treebuild_fini(struct treebuild *b)
{
    vec_fini(&b->pairs);
    vec_fini(&b->items);
}

struct treebuild_frame *treebuild_top(struct treebuild *b)
{
    return b->depth == 0 ? NULL : &b->frames[b->depth - 1];
}

bool treebuild_wants_key(struct treebuild *b)
{
    const struct treebuild_frame *f = treebuild_top(b);

    return f != NULL && f->node->type == NODE_MAP && f->key == NULL;
}

int treebuild_fail(const struct node *at, int code, struct err *err, const char *what)
{
    return err_set_at(err, code, at->line, at->column + 1, "%s", what);
}

static int count(struct treebuild *b, const struct node *n, struct treebuild_size size,
                 struct err *err)
{
    size_t n_nodes = b->n_nodes + size.nodes, n_bytes = b->n_bytes + size.bytes;

    if (n_nodes > memorylimit_text_nodes()) {
        return err_set_at(
            err, ERR_TOO_BIG, n->line, n->column + 1,
            "the document is too big, aliases counted in full: here are more than the "
            "%zu values that there is memory for",
            memorylimit_text_nodes());
    }
    if (n_bytes > LIMIT_DOCUMENT_BYTES) {
        return treebuild_fail(n, ERR_TOO_BIG, err,
                              "the document is too big, aliases counted in full");
    }
    if (b->depth + size.height > LIMIT_DEPTH) {
        return treebuild_fail(n, ERR_TOO_BIG, err, "nested too deeply");
    }
    b->n_nodes = n_nodes;
    b->n_bytes = n_bytes;
    return 0;
}

static void append(struct treebuild *b, struct node *n, unsigned height)
{
    struct treebuild_frame *f = treebuild_top(b);

    if (f == NULL) {
        b->root = n;
        return;
    }
    f->height = height + 1 > f->height ? height + 1 : f->height;
    if (f->node->type == NODE_LIST) {
        *vec_push(&b->items) = n;
    } else if (f->key == NULL) {
        f->key = n;
    } else {
        *vec_push(&b->pairs) = (struct node_pair){ .key = f->key, .value = n };
        f->key = NULL;
    }
}

int treebuild_add(struct treebuild *b, struct node *n, struct treebuild_size size, struct err *err)
{
    if (treebuild_wants_key(b) && n->type != NODE_SCALAR && n->type != NODE_NULL) {
        return treebuild_fail(n, ERR_REFUSED, err, "a key must be a scalar");
    }
    int rc = count(b, n, size, err);
    if (rc == 0) {
        append(b, n, size.height);
    }
    return rc;
}

int treebuild_open(struct treebuild *b, struct node *n, struct err *err)
{
    size_t nodes_before = b->n_nodes, bytes_before = b->n_bytes;

    if (treebuild_wants_key(b)) {
        return treebuild_fail(n, ERR_REFUSED, err, "a key must be a scalar");
    }
    int rc = count(b, n, (struct treebuild_size){ 1, 0, 1 }, err);
    if (rc < 0) {
        return rc;
    }
    b->frames[b->depth++] = (struct treebuild_frame){
        .node = n,
        .first = n->type == NODE_MAP ? b->pairs.n : b->items.n,
        .nodes_before = nodes_before,
        .bytes_before = bytes_before,
        .height = 1,
    };
    return 0;
}

static bool may_repeat(const struct treebuild *b, const struct node *key)
{
    return b->merges_repeat && key->style == NODE_PLAIN && !key->is_alias &&
           span_is(key->text, "<<");
}

/* The key that equals an earlier one of 'pairs', or NULL. */
static const struct node *find_twin(const struct treebuild *b, const struct node_pair *pairs,
                                    size_t n)
{
    struct spanmap set;
    const struct node *twin = NULL;

    if (n <= FEW_KEYS) {
        for (size_t i = 1; i < n; i++) {
            for (size_t k = 0; k < i; k++) {
                if (span_eq(pairs[i].key->text, pairs[k].key->text) &&
                    !may_repeat(b, pairs[i].key)) {
                    return pairs[i].key;
                }
            }
        }
        return NULL;
    }
    spanmap_init(&set, NULL);
    for (size_t i = 0; i < n && twin == NULL; i++) {
        const struct node *key = pairs[i].key;
        twin = may_repeat(b, key) || spanmap_put(&set, key->text, NULL) ? NULL : key;
    }
    spanmap_fini(&set);
    return twin;
}

/* Moves the last 'n' things of a stack into memory of the tree. */
static void *take_children(struct arena *arena, const void *from, size_t n, size_t size)
{
    void *to = arena_alloc(arena, n * size);

    if (n > 0) {
        memcpy(to, from, n * size);
    }
    return to;
}

static int settle_map(struct treebuild *b, const struct treebuild_frame *f, struct err *err)
{
    struct node *n = f->node;

    n->n = b->pairs.n - f->first;
    const struct node_pair *pairs = n->n == 0 ? NULL : b->pairs.v + f->first;
    const struct node *twin = find_twin(b, pairs, n->n);
    n->pairs = take_children(b->arena, pairs, n->n, sizeof(*n->pairs));
    b->pairs.n = f->first;
    if (twin == NULL) {
        return 0;
    }
    return err_set_at(err, ERR_INVALID, twin->line, twin->column + 1, "key '%.*s' is given twice",
                      twin->text.len > 100 ? 100 : (int)twin->text.len, twin->text.p);
}

static void settle_list(struct treebuild *b, const struct treebuild_frame *f)
{
    struct node *n = f->node;

    n->n = b->items.n - f->first;
    n->items = (struct node **)take_children(
        b->arena, n->n == 0 ? NULL : (void *)(b->items.v + f->first), n->n, sizeof(struct node *));
    b->items.n = f->first;
}

int treebuild_settle(struct treebuild *b, struct err *err)
{
    assert(b->depth > 0);
    const struct treebuild_frame *f = &b->frames[b->depth - 1];

    if (f->node->type == NODE_MAP) {
        return settle_map(b, f, err);
    }
    settle_list(b, f);
    return 0;
}

void treebuild_close(struct treebuild *b, struct treebuild_size *out_size)
{
    assert(b->depth > 0);
    const struct treebuild_frame f = b->frames[--b->depth];

    *out_size = (struct treebuild_size){ b->n_nodes - f.nodes_before, b->n_bytes - f.bytes_before,
                                         f.height };
    append(b, f.node, f.height);
}

/* How many children an open collection has: its own end where those of the next one of its type
 * begin. */
static size_t children(const struct treebuild *b, unsigned depth)
{
    enum node_type type = b->frames[depth].node->type;
    size_t end = type == NODE_MAP ? b->pairs.n : b->items.n;

    for (unsigned i = b->depth; i > depth + 1; i--) {
        end = b->frames[i - 1].node->type == type ? b->frames[i - 1].first : end;
    }
    return end - b->frames[depth].first;
}

const struct node_step *treebuild_path(const struct treebuild *b, size_t *out_n)
{
    struct node_step *steps = arena_alloc(b->arena, b->depth * sizeof(*steps));
    size_t n = 0;

    for (unsigned i = 0; i < b->depth; i++) {
        const struct node *key = b->frames[i].key;
        if (b->frames[i].node->type == NODE_LIST) {
            steps[n++] = (struct node_step){ .index = children(b, i) };
        } else if (key != NULL) {
            steps[n++] = (struct node_step){ .key = key->text };
        }
    }
    *out_n = n;
    return steps;
}
