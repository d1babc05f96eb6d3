#include "allocator/codec/yamlmerge.h"

#include "allocator/codec/spanmap.h"
#include "allocator/codec/treebuild.h"

static bool is_merge(const struct node_pair *pair)
{
    const struct node *key = pair->key;

    return key->type == NODE_SCALAR && key->style == NODE_PLAIN && !key->is_alias &&
           span_is(key->text, "<<");
}

static const struct node_pair *find_merge(const struct node *map)
{
    for (size_t i = 0; i < map->n; i++) {
        if (is_merge(&map->pairs[i])) {
            return &map->pairs[i];
        }
    }
    return NULL;
}

static int check_source(const struct node *source, struct err *err)
{
    return source->type == NODE_MAP
               ? 0
               : treebuild_fail(source, ERR_INVALID, err,
                                "a merge key (<<) takes a mapping or a list of mappings");
}

/* One source or a list of them. */
static int check_sources(const struct node *value, size_t *out_n_pairs, struct err *err)
{
    *out_n_pairs = 0;
    if (value->type != NODE_LIST) {
        *out_n_pairs = value->n;
        return check_source(value, err);
    }
    for (size_t i = 0; i < value->n; i++) {
        int rc = check_source(value->items[i], err);
        if (rc < 0) {
            return rc;
        }
        *out_n_pairs += value->items[i]->n;
    }
    return 0;
}

static size_t add_source(struct node_pair *to, const struct node *source, struct spanmap *seen)
{
    size_t n = 0;

    for (size_t i = 0; i < source->n; i++) {
        if (spanmap_put(seen, source->pairs[i].key->text, NULL)) {
            to[n++] = (struct node_pair){ source->pairs[i].key, source->pairs[i].value, true };
        }
    }
    return n;
}

static size_t add_sources(struct node_pair *to, const struct node *value, struct spanmap *seen)
{
    size_t n = 0;

    if (value->type == NODE_MAP) {
        return add_source(to, value, seen);
    }
    for (size_t i = 0; i < value->n; i++) {
        n += add_source(to + n, value->items[i], seen);
    }
    return n;
}

/* Pairs that the map can come to. */
static int count_pairs(const struct node *map, size_t *out_n, struct err *err)
{
    size_t n_merged;

    *out_n = map->n;
    for (size_t i = 0; i < map->n; i++) {
        if (is_merge(&map->pairs[i])) {
            int rc = check_sources(map->pairs[i].value, &n_merged, err);
            if (rc < 0) {
                return rc;
            }
            *out_n += n_merged;
        }
    }
    return 0;
}

int yamlmerge_resolve_in_order(struct node *map, struct arena *arena, struct err *err)
{
    struct spanmap seen;
    size_t n_most, n = 0;

    if (find_merge(map) == NULL) {
        return 0;
    }
    int rc = count_pairs(map, &n_most, err);
    if (rc < 0) {
        return rc;
    }
    struct node_pair *pairs = arena_alloc(arena, n_most * sizeof(*pairs));
    spanmap_init(&seen, NULL);
    for (size_t i = map->n; i-- > 0;) { /* from the last one: what is there already wins */
        const struct node_pair *pair = &map->pairs[i];
        if (is_merge(pair)) {
            n += add_sources(pairs + n, pair->value, &seen);
        } else if (spanmap_put(&seen, pair->key->text, NULL)) {
            pairs[n++] = *pair;
        }
    }
    spanmap_fini(&seen);
    map->pairs = pairs;
    map->n = n;
    return 0;
}

int yamlmerge_resolve(struct node *map, struct arena *arena, struct err *err)
{
    const struct node_pair *merge = find_merge(map);
    struct spanmap seen;
    size_t n_merged, n = 0;

    if (merge == NULL) {
        return 0;
    }
    const struct node *value = merge->value;
    int rc = check_sources(value, &n_merged, err);
    if (rc < 0) {
        return rc;
    }
    struct node_pair *pairs = arena_alloc(arena, (map->n + n_merged) * sizeof(*pairs));
    spanmap_init(&seen, NULL);
    for (size_t i = 0; i < map->n; i++) {
        if (&map->pairs[i] != merge) {
            (void)spanmap_put(&seen, map->pairs[i].key->text, NULL);
            pairs[n++] = map->pairs[i];
        }
    }
    n += add_sources(pairs + n, value, &seen);
    spanmap_fini(&seen);
    map->pairs = pairs;
    map->n = n;
    return 0;
}
