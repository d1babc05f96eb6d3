#include "allocator/codec/walk.h"

#include "allocator/base/mem.h"

/* ---- typed reads */

static void wrong_type(const struct node *n, const char *key, const char *wanted, struct faults *f)
{
    size_t mark = faults_push(f, "%s", key);

    if (n->type == NODE_SCALAR) {
        faults_add(f, FAULT_ERROR, n->line, "must be %s, not '%.*s'", wanted,
                   (int)(n->text.len > 80 ? 80 : n->text.len), n->text.p);
    } else {
        faults_add(f, FAULT_ERROR, n->line, "must be %s, not %s", wanted, node_type_name(n));
    }
    faults_pop(f, mark);
}

bool walk_text(const struct node *map, const char *key, struct faults *f, struct span *out)
{
    const struct node *n = node_get(map, key);

    if (node_is_null(n)) {
        return false;
    }
    if (!node_as_text(n, out)) {
        wrong_type(n, key, "text", f);
        return false;
    }
    return true;
}

bool walk_bool(const struct node *map, const char *key, struct faults *f, bool *out)
{
    const struct node *n = node_get(map, key);

    if (node_is_null(n)) {
        return false;
    }
    if (!node_as_bool(n, out)) {
        wrong_type(n, key, "true or false", f);
        return false;
    }
    return true;
}

bool walk_int(const struct node *map, const char *key, struct faults *f, int64_t *out)
{
    const struct node *n = node_get(map, key);

    if (node_is_null(n)) {
        return false;
    }
    if (!node_as_int(n, out)) {
        wrong_type(n, key, "an integer", f);
        return false;
    }
    return true;
}

bool walk_uint(const struct node *map, const char *key, struct faults *f, uint64_t *out)
{
    const struct node *n = node_get(map, key);
    int64_t value = 0;

    if (node_is_null(n)) {
        return false;
    }
    if (!node_as_int(n, &value) || value < 0) {
        wrong_type(n, key, "an integer that is not negative", f);
        return false;
    }
    *out = (uint64_t)value;
    return true;
}

bool walk_double(const struct node *map, const char *key, struct faults *f, double *out)
{
    const struct node *n = node_get(map, key);

    if (node_is_null(n)) {
        return false;
    }
    if (!node_as_double(n, out)) {
        wrong_type(n, key, "a number", f);
        return false;
    }
    return true;
}

static bool walk_collection(const struct node *map, const char *key, enum node_type type,
                            struct faults *f, const struct node **out)
{
    const struct node *n = node_get(map, key);

    if (node_is_null(n)) {
        return false;
    }
    if (n->type != type) {
        wrong_type(n, key, type == NODE_MAP ? "a mapping" : "a list", f);
        return false;
    }
    *out = n;
    return true;
}

bool walk_map(const struct node *map, const char *key, struct faults *f, const struct node **out)
{
    return walk_collection(map, key, NODE_MAP, f, out);
}

bool walk_list(const struct node *map, const char *key, struct faults *f, const struct node **out)
{
    return walk_collection(map, key, NODE_LIST, f, out);
}

bool walk_texts(const struct node *map, const char *key, struct faults *f, struct arena *arena,
                struct span **out, size_t *out_n)
{
    const struct node *list = NULL;

    if (!walk_list(map, key, f, &list)) {
        return false;
    }
    struct span *v = arena_alloc(arena, (list->n + 1) * sizeof(*v));
    size_t mark = faults_push(f, "%s", key);
    bool is_ok = true;
    for (size_t i = 0; i < list->n; i++) {
        if (!node_as_text(list->items[i], &v[i])) {
            size_t inner = faults_push_index(f, i);
            faults_add(f, FAULT_ERROR, list->items[i]->line, "must be text, not %s",
                       node_type_name(list->items[i]));
            faults_pop(f, inner);
            is_ok = false;
        }
    }
    faults_pop(f, mark);
    if (is_ok) {
        *out = v;
        *out_n = list->n;
    }
    return is_ok;
}

/* ---- unknown names */

void walk_unknown(const struct node *map, const char *const *known, enum fault_severity severity,
                  struct faults *f)
{
    for (size_t i = 0; map != NULL && map->type == NODE_MAP && i < map->n; i++) {
        struct span key = map->pairs[i].key->text;
        bool is_known = false;
        for (const char *const *k = known; *k != NULL && !is_known; k++) {
            is_known = span_is(key, *k);
        }
        if (is_known) {
            continue;
        }
        const char *nearest = walk_nearest(key, known);
        if (nearest != NULL) {
            faults_add(f, severity, map->pairs[i].key->line,
                       "field %.*s not known; did you mean '%s'?", SPAN_ARG(key), nearest);
        } else {
            faults_add(f, severity, map->pairs[i].key->line, "field %.*s not known", SPAN_ARG(key));
        }
    }
}

#define WORD_MAX 64

/* Levenshtein distance with transpositions; words over WORD_MAX are not compared. */
static size_t distance(struct span a, struct span b)
{
    size_t rows[3][WORD_MAX + 1];
    size_t *before = rows[0], *last = rows[1], *row = rows[2];

    for (size_t j = 0; j <= b.len; j++) {
        last[j] = j;
    }
    for (size_t i = 1; i <= a.len; i++) {
        row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            size_t best = last[j - 1] + (a.p[i - 1] == b.p[j - 1] ? 0 : 1);
            best = last[j] + 1 < best ? last[j] + 1 : best;
            best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
            if (i > 1 && j > 1 && a.p[i - 1] == b.p[j - 2] && a.p[i - 2] == b.p[j - 1] &&
                before[j - 2] + 1 < best) {
                best = before[j - 2] + 1;
            }
            row[j] = best;
        }
        size_t *free_row = before;
        before = last;
        last = row;
        row = free_row;
    }
    return last[b.len];
}

const char *walk_nearest(struct span word, const char *const *known)
{
    const char *best = NULL;
    size_t best_distance = SIZE_MAX;

    for (; *known != NULL; known++) {
        struct span k = span_of(*known);
        if (word.len > WORD_MAX || k.len > WORD_MAX) {
            continue;
        }
        size_t d = distance(word, k);
        size_t longest = word.len > k.len ? word.len : k.len;
        if (d < best_distance && d <= (longest + 2) / 3) {
            best = *known;
            best_distance = d;
        }
    }
    return best;
}
