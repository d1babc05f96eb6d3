/* Node trees → canonical JSON and jansson trees. */
#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "allocator/codec/jsonscan.h"
#include "allocator/codec/node.h"

#include <stdlib.h>

#define FEW_PAIRS 16

static bool is_json_literal(const struct node *n)
{
    return n->style == NODE_PLAIN &&
           (span_is(n->text, "true") || span_is(n->text, "false") || jsonscan_is_number(n->text));
}

/* By key; own members before merged ones, else as they stand. */
static int compare_pairs(const void *a, const void *b)
{
    const struct node_pair *x = *(const struct node_pair *const *)a;
    const struct node_pair *y = *(const struct node_pair *const *)b;
    int c = span_cmp(x->key->text, y->key->text);

    if (c == 0 && x->is_merged != y->is_merged) {
        c = x->is_merged ? 1 : -1;
    }
    return c != 0 ? c : (x > y) - (x < y);
}

/* Most maps are small, and many are sorted already. */
static void sort_pairs(const struct node_pair **v, size_t n)
{
    if (n > FEW_PAIRS) {
        qsort((void *)v, n, sizeof(*v), compare_pairs);
        return;
    }
    for (size_t i = 1; i < n; i++) {
        const struct node_pair *pair = v[i];
        size_t at = i;
        while (at > 0 && compare_pairs((const void *)&v[at - 1], (const void *)&pair) > 0) {
            v[at] = v[at - 1];
            at--;
        }
        v[at] = pair;
    }
}

/* The pairs that count, sorted by key, in 'v', which has room for all. Of equal keys, which trees
 * made by hand may have, one is left. */
static size_t sorted_pairs(const struct node *map, const struct node_pair **v)
{
    size_t n = 0;

    for (size_t i = 0; i < map->n; i++) {
        v[i] = &map->pairs[i];
    }
    sort_pairs(v, map->n);
    for (size_t i = 0; i < map->n; i++) {
        if (n == 0 || !span_eq(v[n - 1]->key->text, v[i]->key->text)) {
            v[n++] = v[i];
        }
    }
    return n;
}

static void write_scalar(const struct node *n, struct buf *out)
{
    if (is_json_literal(n)) {
        buf_add_span(out, n->text);
    } else {
        buf_add_json(out, n->text);
    }
}

static void write_key(const struct node *key, struct buf *out)
{
    if (key->canonical != NULL) {
        buf_add(out, key->canonical, key->end - key->begin);
    } else {
        buf_add_json(out, key->text);
    }
    buf_add_char(out, ':');
}

static void write_map(const struct node *n, struct buf *out);

/* NOLINTNEXTLINE(misc-no-recursion): the parsers cap the depth (LIMIT_DEPTH). */
void node_write_json(const struct node *n, struct buf *out)
{
    if (node_is_null(n)) {
        buf_add_str(out, "null");
    } else if (n->canonical != NULL) {
        buf_add(out, n->canonical, n->end - n->begin);
    } else if (n->type == NODE_SCALAR) {
        write_scalar(n, out);
    } else if (n->type == NODE_MAP) {
        write_map(n, out);
    } else {
        buf_add_char(out, '[');
        for (size_t i = 0; i < n->n; i++) {
            if (i > 0) {
                buf_add_char(out, ',');
            }
            node_write_json(n->items[i], out);
        }
        buf_add_char(out, ']');
    }
}

/* NOLINTNEXTLINE(misc-no-recursion): as node_write_json. */
static void write_map(const struct node *n, struct buf *out)
{
    const struct node_pair *few[FEW_PAIRS];
    const struct node_pair **many =
        n->n <= FEW_PAIRS ? NULL : (const struct node_pair **)mem_array(n->n, sizeof(*many));
    const struct node_pair **v = many == NULL ? few : many;
    size_t n_pairs = sorted_pairs(n, v);

    buf_add_char(out, '{');
    for (size_t i = 0; i < n_pairs; i++) {
        if (i > 0) {
            buf_add_char(out, ',');
        }
        write_key(v[i]->key, out);
        node_write_json(v[i]->value, out);
    }
    buf_add_char(out, '}');
    mem_free((void *)many);
}

static json_t *text_to_jansson(struct span s)
{
    json_t *text = json_stringn(s.p == NULL ? "" : s.p, s.len);

    /* NULL: not UTF-8, which the parsers do not let through. */
    return text != NULL ? text : json_string("\xef\xbf\xbd");
}

static bool has_one_of(struct span s, const char *chars)
{
    for (size_t i = 0; i < s.len; i++) {
        if (strchr(chars, s.p[i]) != NULL) {
            return true;
        }
    }
    return false;
}

static json_t *scalar_to_jansson(const struct node *n)
{
    int64_t i = 0;
    double d = 0;

    if (!is_json_literal(n)) {
        return text_to_jansson(n->text);
    }
    if (n->text.p[0] == 't' || n->text.p[0] == 'f') {
        return json_boolean(n->text.p[0] == 't');
    }
    if (!has_one_of(n->text, ".eE") && node_as_int(n, &i)) {
        return json_integer(i);
    }
    /* A number beyond all doubles, or longer than reason, keeps its characters. */
    return node_as_double(n, &d) ? json_real(d) : text_to_jansson(n->text);
}

/* NOLINTNEXTLINE(misc-no-recursion): the parsers cap the depth (LIMIT_DEPTH). */
json_t *node_to_jansson(const struct node *n)
{
    if (node_is_null(n)) {
        return json_null();
    }
    if (n->type == NODE_SCALAR) {
        return scalar_to_jansson(n);
    }
    json_t *tree = n->type == NODE_LIST ? json_array() : json_object();
    for (size_t i = 0; i < n->n; i++) {
        if (n->type == NODE_LIST) {
            json_array_append_new(tree, node_to_jansson(n->items[i]));
            continue;
        }
        struct span key = n->pairs[i].key->text;
        if (!n->pairs[i].is_merged || json_object_getn(tree, key.p, key.len) == NULL) {
            json_object_setn_new(tree, key.p, key.len, node_to_jansson(n->pairs[i].value));
        }
    }
    return tree;
}

bool node_equal(const struct node *a, const struct node *b)
{
    AUTO_BUF x, y;

    buf_init(&x, LIMIT_DOCUMENT_BYTES);
    buf_init(&y, LIMIT_DOCUMENT_BYTES);
    node_write_json(a, &x);
    node_write_json(b, &y);
    return buf_error(&x) == 0 && buf_error(&y) == 0 && span_eq(buf_span(&x), buf_span(&y));
}
