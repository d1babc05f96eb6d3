#include "allocator/prom/labels.h"

#include "allocator/base/container.h"
#include "allocator/base/hash.h"
#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "allocator/base/utf8.h"

#include <stdlib.h>

/* ---- finding a name
 * A few labels are compared one after the other; from INDEXED_FROM on their places are hashed. A
 * slot is a hint, which holds if the name stands at the place it says: what moves or goes leaves
 * its slot behind. */

#define INDEXED_FROM 64
#define SEARCHES_BEFORE 8 /* of one label set, before it is worth to be hashed */
#define INDEX_SLOTS_MIN 256

struct label_index {
    size_t n_slots;  /* a power of two, twice n_used at least */
    size_t n_used;   /* slots that are not 0 */
    size_t n_known;  /* of the builder's labels, the first so many have a slot */
    uint16_t slot[]; /* place + 1; 0: free */
};
_Static_assert(LIMIT_LABELS_PER_TARGET < UINT16_MAX, "places fit into slots");

static void index_clear(struct label_index *index)
{
    if (index != NULL && index->n_used > 0) {
        memset(index->slot, 0, index->n_slots * sizeof(index->slot[0]));
        index->n_used = index->n_known = 0;
    }
}

static void index_note(struct label_index *index, const struct str *name, size_t place)
{
    size_t mask = index->n_slots - 1, at = name->node.hash & mask;

    while (index->slot[at] != 0) {
        at = (at + 1) & mask;
    }
    index->slot[at] = (uint16_t)(place + 1);
    index->n_used++;
}

/* An index that knows every label, with room for one more. */
static struct label_index *index_of(struct label_builder *lb)
{
    struct label_index *index = lb->index;
    size_t n_unknown = index == NULL ? 0 : lb->n - index->n_known;

    if (index == NULL || 2 * (index->n_used + n_unknown + 1) > index->n_slots) {
        size_t n_slots = INDEX_SLOTS_MIN;
        while (n_slots < 4 * lb->n) {
            n_slots *= 2;
        }
        mem_free(index);
        lb->index = index = mem_zalloc(sizeof(*index) + n_slots * sizeof(index->slot[0]));
        index->n_slots = n_slots;
    }
    for (; index->n_known < lb->n; index->n_known++) {
        index_note(index, lb->v[index->n_known].name, index->n_known);
    }
    return index;
}

static size_t index_find(struct label_builder *lb, const struct str *name)
{
    const struct label_index *index = index_of(lb);
    size_t mask = index->n_slots - 1;

    for (size_t at = name->node.hash & mask; index->slot[at] != 0; at = (at + 1) & mask) {
        size_t place = index->slot[at] - 1U;
        if (place < lb->n && lb->v[place].name == name) {
            return place;
        }
    }
    return LABEL_NONE;
}

/* The last label has moved to 'place'. */
static void index_move(struct label_builder *lb, size_t place)
{
    struct label_index *index = lb->index;

    if (index == NULL || index->n_known <= place) {
        return;
    }
    bool was_known = index->n_known > lb->n;
    index->n_known = was_known ? lb->n : index->n_known;
    if (place < lb->n && 2 * (index->n_used + 1) > index->n_slots) {
        index_clear(index);
    } else if (place < lb->n) {
        index_note(index, lb->v[place].name, place);
    }
}

static size_t find(struct label_builder *lb, const struct str *name)
{
    if (lb->n >= INDEXED_FROM && ++lb->n_searches > SEARCHES_BEFORE) {
        return index_find(lb, name);
    }
    for (size_t i = 0; i < lb->n; i++) {
        if (lb->v[i].name == name) {
            return i;
        }
    }
    return LABEL_NONE;
}

/* ---- builder */

/* Odd constants, so that multiplication loses nothing; values that a change of the sequence mixes
 * into the shape. */
#define SHAPE_FACTOR 0x9e3779b97f4a7c15ULL
#define SHAPE_DELETED 0x2545f4914f6cdd1dULL
#define SHAPE_SORTED 0xd6e8feb86659fd93ULL

static inline uint64_t shape_next(uint64_t shape, uint64_t change)
{
    uint64_t x = (shape ^ change) * SHAPE_FACTOR;
    return x ^ x >> 32;
}

void label_builder_init(struct label_builder *lb, struct strpool *pool, struct arena *arena)
{
    *lb = (struct label_builder){ .pool = pool,
                                  .arena = arena,
                                  .scratch = mem_alloc(LABEL_SCRATCH_BYTES) };
}

void label_builder_clear(struct label_builder *lb)
{
    lb->n = lb->n_searches = 0;
    index_clear(lb->index);
    lb->shape = 0;
    lb->is_overfull = false;
    lb->produced_bytes = 0;
}

struct span label_builder_get(struct label_builder *lb, const struct str *name)
{
    size_t i = find(lb, name);
    return i == LABEL_NONE ? SPAN_LIT("") : lb->v[i].value;
}

/* The last label moves into the gap. */
static void del_at(struct label_builder *lb, size_t index)
{
    lb->n--;
    lb->v[index] = lb->v[lb->n];
    lb->shape = shape_next(lb->shape, SHAPE_DELETED + index);
    index_move(lb, index);
}

void label_builder_del(struct label_builder *lb, const struct str *name)
{
    size_t i = find(lb, name);
    if (i != LABEL_NONE) {
        del_at(lb, i);
    }
}

void label_builder_remove(struct label_builder *lb, const bool *is_removed)
{
    size_t kept = 0;
    for (size_t i = 0; i < lb->n; i++) {
        if (is_removed[i]) {
            lb->shape = shape_next(lb->shape, ~(SHAPE_DELETED + i));
        } else {
            lb->v[kept++] = lb->v[i];
        }
    }
    lb->n = kept;
    index_clear(lb->index);
}

static bool make_room(struct label_builder *lb)
{
    if (lb->n == LIMIT_LABELS_PER_TARGET) {
        lb->is_overfull = true;
        return false;
    }
    lb->cap = lb->cap == 0 ? 64 : lb->cap * 2;
    lb->v = mem_realloc(lb->v, lb->cap * sizeof(*lb->v));
    return true;
}

void label_builder_append(struct label_builder *lb, const struct str *name, struct span value)
{
    if (lb->n == lb->cap && !make_room(lb)) {
        return;
    }
    lb->v[lb->n] = (struct label){ name, value };
    lb->n++;
    lb->shape = shape_next(lb->shape, name->node.hash);
}

static void put_at(struct label_builder *lb, size_t index, const struct str *name,
                   struct span value)
{
    if (index == LABEL_NONE) {
        if (value.len > 0) {
            label_builder_append(lb, name, value);
        }
    } else if (value.len > 0) {
        lb->v[index].value = value;
    } else {
        del_at(lb, index);
    }
}

void label_builder_set(struct label_builder *lb, const struct str *name, struct span value)
{
    put_at(lb, find(lb, name), name, value);
}

bool label_builder_charge(struct label_builder *lb, size_t size)
{
    if (lb->is_overfull || size > LIMIT_RELABEL_BYTES - lb->produced_bytes) {
        lb->is_overfull = true;
        return false;
    }
    lb->produced_bytes += size;
    return true;
}

void label_builder_fini(struct label_builder *lb)
{
    mem_free(lb->v);
    mem_free(lb->unsorted);
    shapememory_fini(&lb->memory);
    mem_free(lb->index);
    mem_free(lb->scratch);
    *lb = (struct label_builder){ 0 };
}

/* ---- places */

void label_place_init(struct label_place *place, struct str *name)
{
    *place = (struct label_place){ name, 0,
                                   LABEL_NONE }; /* shape 0 is the empty builder: there it is not */
}

static size_t place_find(struct label_place *place, struct label_builder *lb)
{
    bool is_remembered = place->shape == lb->shape &&
                         (place->index == LABEL_NONE ||
                          (place->index < lb->n && lb->v[place->index].name == place->name));
    if (!is_remembered) {
        place->index = find(lb, place->name);
        place->shape = lb->shape;
    }
    return place->index;
}

struct span label_place_get(struct label_place *place, struct label_builder *lb)
{
    size_t i = place_find(place, lb);
    return i == LABEL_NONE ? SPAN_LIT("") : lb->v[i].value;
}

void label_place_set(struct label_place *place, struct label_builder *lb, struct span value)
{
    put_at(lb, place_find(place, lb), place->name, value);
}

/* ---- sorting */

#define ORDER_MAX 256 /* label sets up to this size remember their order */

struct label_order {
    struct shape_fact fact;
    uint16_t source[]; /* sorted[i] = unsorted[source[i]] */
};

static int name_cmp(const struct label *a, const struct label *b)
{
    return a->name == b->name ? 0 : span_cmp(str_span(a->name), str_span(b->name));
}

static int label_cmp(const void *a, const void *b)
{
    return name_cmp(a, b);
}

static int index_cmp(const void *a, const void *b, void *labels)
{
    const struct label *v = labels;
    return name_cmp(&v[*(const uint16_t *)a], &v[*(const uint16_t *)b]);
}

void labels_sort(struct label *v, size_t n)
{
    if (n > 1) {
        qsort(v, n, sizeof(*v), label_cmp);
    }
}

static struct label_order *order_learn(struct label_builder *lb)
{
    struct label_order *order = mem_alloc(sizeof(*order) + lb->n * sizeof(order->source[0]));

    order->fact =
        (struct shape_fact){ .owner = SHAPE_ORDER, .shape = lb->shape, .n = lb->n, .forget = NULL };
    for (size_t i = 0; i < lb->n; i++) {
        order->source[i] = (uint16_t)i;
    }
    qsort_r(order->source, lb->n, sizeof(order->source[0]), index_cmp, lb->v);
    shapememory_put(&lb->memory, &order->fact);
    return order;
}

static void order_apply(struct label_builder *lb)
{
    struct shape_fact *fact = shapememory_find(&lb->memory, SHAPE_ORDER, lb->shape, lb->n);
    const struct label_order *order =
        fact == NULL ? order_learn(lb) : CONTAINER_OF(fact, struct label_order, fact);

    if (lb->unsorted == NULL) {
        lb->unsorted = mem_array(ORDER_MAX, sizeof(*lb->unsorted));
    }
    memcpy(lb->unsorted, lb->v, lb->n * sizeof(*lb->v));
    for (size_t i = 0; i < lb->n; i++) {
        lb->v[i] = lb->unsorted[order->source[i]];
    }
}

void label_builder_sort(struct label_builder *lb)
{
    if (lb->n < 2 || lb->shape == lb->sorted_shape) {
        return;
    }
    index_clear(lb->index);
    if (lb->n > ORDER_MAX) {
        labels_sort(lb->v, lb->n);
    } else {
        order_apply(lb);
    }
    lb->shape = lb->sorted_shape = shape_next(lb->shape, SHAPE_SORTED);
}

/* ---- names */

bool label_name_is_valid(struct span name, enum name_scheme scheme)
{
    if (name.len == 0) {
        return false;
    }
    if (scheme == NAME_UTF8) {
        return utf8_is_valid(name);
    }
    for (size_t i = 0; i < name.len; i++) {
        char c = name.p[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!is_letter && (i == 0 || c < '0' || c > '9')) {
            return false;
        }
    }
    return true;
}

/* ---- identity */

struct gather { /* small pieces are hashed in one go: a hash call for each would cost more than the
                   hashing */
    struct hash64_state st;
    char *bytes; /* the builder's scratch */
    size_t n;
};

static void gather_flush(struct gather *g)
{
    hash64_add(&g->st, span_make(g->bytes, g->n));
    g->n = 0;
}

/* 's' and one byte 0xFF after it. */
static inline void gather_add(struct gather *g, struct span s)
{
    if (s.len >= LABEL_SCRATCH_BYTES - g->n) {
        gather_flush(g);
        if (s.len >= LABEL_SCRATCH_BYTES) {
            hash64_add(&g->st, s);
            s.len = 0;
        }
    }
    memcpy(g->bytes + g->n, s.p, s.len);
    g->bytes[g->n + s.len] = '\xff';
    g->n += s.len + 1;
}

uint64_t labels_identity(struct label_builder *lb, struct span job)
{
    struct gather g = { .bytes = lb->scratch };
    hash64_begin(&g.st);
    label_builder_sort(lb);
    for (size_t i = 0; i < lb->n; i++) {
        if (!lb->v[i].name->is_meta) {
            gather_add(&g, str_span(lb->v[i].name));
            gather_add(&g, lb->v[i].value);
        }
    }
    gather_flush(&g);
    hash64_add(&g.st, job);
    return hash64_end(&g.st);
}
