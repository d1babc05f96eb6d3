#include "allocator/discovery/batch.h"

#include "allocator/base/container.h"
#include "allocator/base/hash.h"
#include "allocator/base/limits.h"

#include <assert.h>
#include <stdlib.h>

void sd_batch_init(struct sd_batch *b, struct strpool *pool)
{
    memset(b, 0, sizeof(*b));
    arena_init(&b->arena);
    b->pool = pool;
    struct str *address = strpool_intern(pool, SPAN_LIT("__address__"));
    strpool_pin(address);
    b->address = address;
}

void sd_batch_reset(struct sd_batch *b)
{
    arena_recycle(&b->arena, MIB);
    vec_recycle(&b->columns, MIB);
    vec_recycle(&b->groups, MIB);
    vec_recycle(&b->labels, MIB);
    vec_recycle(&b->targets, MIB);
    b->n_targets = 0;
    b->last_shape = NULL;
    vec_recycle(&b->shapes, MIB);
    table_fini(&b->shapes_by_names);
    if (b->n_column_slots > 0) {
        memset(b->column_slots, 0, b->n_column_slots * sizeof(*b->column_slots));
    }
}

void sd_batch_fini(struct sd_batch *b)
{
    arena_fini(&b->arena);
    vec_fini(&b->columns);
    vec_fini(&b->groups);
    vec_fini(&b->labels);
    vec_fini(&b->targets);
    mem_free(b->column_slots);
    b->column_slots = NULL;
    b->n_column_slots = 0;
    vec_fini(&b->shapes);
    table_fini(&b->shapes_by_names);
}

/* ---- columns */

static size_t first_slot(const struct sd_batch *b, const struct str *name)
{
    return hash_mix((uint64_t)(uintptr_t)name) & (b->n_column_slots - 1);
}

static void grow_slots(struct sd_batch *b)
{
    b->n_column_slots = b->n_column_slots == 0 ? 256 : b->n_column_slots * 2;
    mem_free(b->column_slots);
    b->column_slots = mem_array(b->n_column_slots, sizeof(*b->column_slots));
    for (size_t i = 0; i < b->columns.n; i++) {
        size_t s = first_slot(b, b->columns.v[i].name);
        while (b->column_slots[s] != 0) {
            s = (s + 1) & (b->n_column_slots - 1);
        }
        b->column_slots[s] = (uint32_t)i + 1;
    }
}

static uint32_t column_of(struct sd_batch *b, const struct str *name)
{
    if ((b->columns.n + 1) * 2 > b->n_column_slots) {
        grow_slots(b);
    }
    size_t s = first_slot(b, name);
    while (b->column_slots[s] != 0) {
        if (b->columns.v[b->column_slots[s] - 1].name == name) {
            return b->column_slots[s] - 1;
        }
        s = (s + 1) & (b->n_column_slots - 1);
    }
    *vec_push(&b->columns) = (struct sd_column){ .name = name };
    b->column_slots[s] = (uint32_t)b->columns.n;
    return (uint32_t)b->columns.n - 1;
}

/* ---- shapes */

static bool is_shape_of(const struct sd_shape *shape, const struct sd_batch *b)
{
    if (shape->n_source != b->labels.n) {
        return false;
    }
    for (size_t i = 0; i < b->labels.n; i++) {
        if (shape->source_names[i] != b->labels.v[i].name) {
            return false;
        }
    }
    return true;
}

struct placed {
    const struct str *name;
    uint32_t index;
};

static int compare_placed(const void *a, const void *b)
{
    const struct placed *x = a, *y = b;
    if (x->name == y->name) {
        return (x->index > y->index) - (x->index < y->index);
    }
    return span_cmp(str_span(x->name), str_span(y->name));
}

static struct sd_shape *make_shape(struct sd_batch *b)
{
    size_t n = b->labels.n;
    struct sd_shape *shape = arena_alloc(&b->arena, sizeof(*shape) + n * sizeof(shape->fields[0]));
    struct placed *order = arena_alloc(&b->arena, n * sizeof(*order));
    uint32_t *place = arena_alloc(&b->arena, n * sizeof(*place));
    const struct str **names = arena_alloc(&b->arena, n * sizeof(const struct str *));

    for (size_t i = 0; i < n; i++) {
        order[i] = (struct placed){ b->labels.v[i].name, (uint32_t)i };
        names[i] = b->labels.v[i].name;
    }
    qsort(order, n, sizeof(*order), compare_placed);
    shape->n = 0;
    shape->has_duplicates = false;
    for (size_t i = 0; i < n; i++) {
        if (order[i].name == b->address) {
            place[order[i].index] =
                SD_NO_FIELD; /* every target has an address of its own, which wins */
            continue;
        }
        if (shape->n == 0 || shape->fields[shape->n - 1].name != order[i].name) {
            shape->fields[shape->n++] =
                (struct sd_field){ order[i].name, column_of(b, order[i].name) };
        } else {
            shape->has_duplicates = true;
        }
        place[order[i].index] = shape->n - 1;
    }
    shape->n_source = (uint32_t)n;
    shape->place = place;
    shape->source_names = names;
    return shape;
}

static uint64_t hash_names(const struct sd_batch *b)
{
    uint64_t hash = b->labels.n;

    for (size_t i = 0; i < b->labels.n; i++) {
        hash = (hash + b->labels.v[i].name->node.hash) * 0x9e3779b97f4a7c15ULL;
    }
    return hash_mix(hash);
}

static bool has_names(const struct table_node *node, const void *batch)
{
    return is_shape_of(CONTAINER_OF(node, struct sd_shape, node), batch);
}

static const struct sd_shape *find_shape(struct sd_batch *b)
{
    uint64_t hash = hash_names(b);
    struct table_node *node = table_find(&b->shapes_by_names, hash, has_names, b);

    if (node != NULL) {
        return CONTAINER_OF(node, struct sd_shape, node);
    }
    struct sd_shape *shape = make_shape(b);
    shape->index = (uint32_t)b->shapes.n;
    *vec_push(&b->shapes) = (struct sd_shape_use){ shape, 0 };
    table_put(&b->shapes_by_names, &shape->node, hash);
    return shape;
}

static const struct sd_shape *shape_of(struct sd_batch *b)
{
    if (b->last_shape == NULL || !is_shape_of(b->last_shape, b)) {
        b->last_shape = find_shape(b);
    }
    return b->last_shape;
}

/* ---- changes from group to group */

static void count_shape_changes(struct sd_batch *b, const struct sd_group *from,
                                const struct sd_group *to)
{
    uint32_t i = 0, k = 0;

    while (i < from->shape->n || k < to->shape->n) {
        const struct sd_field *x = i < from->shape->n ? &from->shape->fields[i] : NULL;
        const struct sd_field *y = k < to->shape->n ? &to->shape->fields[k] : NULL;
        int c = x == NULL            ? 1
                : y == NULL          ? -1
                : x->name == y->name ? 0
                                     : span_cmp(str_span(x->name), str_span(y->name));
        if (c < 0) {
            assert(x != NULL);
            b->columns.v[x->column].n_changes++;
            i++;
        } else if (c > 0) {
            assert(y != NULL);
            b->columns.v[y->column].n_changes++;
            k++;
        } else {
            b->columns.v[x->column].n_changes += !span_eq(from->values[i++], to->values[k++]);
        }
    }
}

/* From one group to the next of its shape; the first of a shape is compared with the one before it.
 * Groups without targets hold nothing that is served: they do not count. */
static void count_changes(struct sd_batch *b)
{
    const struct sd_group *to = &b->groups.v[b->groups.n - 1];

    b->n_targets += to->n_targets;
    if (to->n_targets == 0) {
        b->groups.n--;
        return;
    }
    size_t *place = &b->shapes.v[to->shape->index].last_group, last = *place;
    *place = b->groups.n;
    if (b->groups.n == 1) {
        return;
    }
    if (last == 0) {
        count_shape_changes(b, to - 1, to);
        return;
    }
    const struct sd_group *from = &b->groups.v[last - 1];
    for (uint32_t i = 0; i < to->shape->n; i++) {
        if (!span_eq(from->values[i], to->values[i])) {
            b->columns.v[to->shape->fields[i].column].n_changes++;
        }
    }
}

/* ---- groups */

void sd_batch_begin(struct sd_batch *b)
{
    vec_clear(&b->labels);
    vec_clear(&b->targets);
}

void sd_batch_label(struct sd_batch *b, const struct str *name, struct span value)
{
    struct label_text *l = vec_push(&b->labels);
    *l = (struct label_text){ name, value };
}

void sd_batch_target(struct sd_batch *b, struct span address)
{
    *vec_push(&b->targets) = address;
}

void sd_batch_forget_labels(struct sd_batch *b)
{
    vec_clear(&b->labels);
}

void sd_batch_forget_targets(struct sd_batch *b)
{
    vec_clear(&b->targets);
}

static struct span *new_spans(struct sd_batch *b, size_t n)
{
    return arena_alloc(&b->arena, n * sizeof(struct span));
}

struct sd_group *sd_batch_end(struct sd_batch *b)
{
    struct sd_group g = { .shape = shape_of(b), .n_targets = (uint32_t)b->targets.n };

    g.values = new_spans(b, g.shape->n);
    for (size_t i = 0; i < b->labels.n; i++) {
        if (g.shape->place[i] != SD_NO_FIELD) {
            g.values[g.shape->place[i]] = b->labels.v[i].value;
        }
    }
    g.targets = new_spans(b, g.n_targets);
    if (g.n_targets > 0) {
        memcpy(g.targets, b->targets.v, g.n_targets * sizeof(*g.targets));
    }
    *vec_push(&b->groups) = g;
    count_changes(b);
    return g.n_targets == 0 ? NULL : &b->groups.v[b->groups.n - 1];
}

struct sd_group *sd_batch_repeat(struct sd_batch *b, size_t like)
{
    assert(like < b->groups.n);
    struct sd_group g = b->groups.v[like];
    struct span *values = new_spans(b, g.shape->n), *targets = new_spans(b, g.n_targets);

    memcpy(values, g.values, g.shape->n * sizeof(*values));
    memcpy(targets, g.targets, g.n_targets * sizeof(*targets));
    g.values = values;
    g.targets = targets;
    struct sd_group *out = vec_push(&b->groups);
    *out = g;
    return out;
}

void sd_batch_commit(struct sd_batch *b)
{
    count_changes(b);
}

void sd_batch_labels(const struct sd_batch *b, const struct sd_group *g, struct span address,
                     bool with_meta, struct label_builder *lb)
{
    label_builder_clear(lb);
    for (uint32_t i = 0; i < g->shape->n; i++) {
        if (g->values[i].len > 0 && (with_meta || !g->shape->fields[i].name->is_meta)) {
            label_builder_append(lb, g->shape->fields[i].name, g->values[i]);
        }
    }
    if (address.len > 0) {
        label_builder_append(lb, b->address, address);
    }
}
