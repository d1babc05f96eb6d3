#include "allocator/codec/node.h"

#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "allocator/base/vec.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>

/* ---- look-ups */

struct node *node_get_span(const struct node *map, struct span key)
{
    struct node *merged = NULL;

    if (map == NULL || map->type != NODE_MAP) {
        return NULL;
    }
    for (size_t i = 0; i < map->n; i++) {
        if (span_eq(map->pairs[i].key->text, key)) {
            if (!map->pairs[i].is_merged) {
                return map->pairs[i].value;
            }
            merged = merged == NULL ? map->pairs[i].value : merged;
        }
    }
    return merged;
}

struct node *node_get(const struct node *map, const char *key)
{
    return node_get_span(map, span_of(key));
}

struct node *node_path(const struct node *root, ...)
{
    va_list ap;
    const struct node *n = root;

    va_start(ap, root);
    for (const char *key = va_arg(ap, const char *); key != NULL && n != NULL;
         key = va_arg(ap, const char *)) {
        n = node_get(n, key);
    }
    va_end(ap);
    return (struct node *)(uintptr_t)n;
}

/* ---- types */

bool node_is_null(const struct node *n)
{
    return n == NULL || n->type == NODE_NULL;
}

static bool is_plain(const struct node *n)
{
    return n != NULL && n->type == NODE_SCALAR && n->style == NODE_PLAIN;
}

static bool is_one_of(struct span s, const char *const *words)
{
    for (; *words != NULL; words++) {
        if (span_is(s, *words)) {
            return true;
        }
    }
    return false;
}

bool node_as_bool(const struct node *n, bool *out)
{
    static const char *const yes[] = { "true", "True", "TRUE", "yes", "Yes", "YES",
                                       "on",   "On",   "ON",   "y",   "Y",   NULL };
    static const char *const no[] = { "false", "False", "FALSE", "no", "No", "NO",
                                      "off",   "Off",   "OFF",   "n",  "N",  NULL };

    if (!is_plain(n)) {
        return false;
    }
    if (n->is_json ? span_is(n->text, "true") : is_one_of(n->text, yes)) {
        *out = true;
        return true;
    }
    if (n->is_json ? span_is(n->text, "false") : is_one_of(n->text, no)) {
        *out = false;
        return true;
    }
    return false;
}

bool node_as_int(const struct node *n, int64_t *out)
{
    char text[64], *end = NULL;
    size_t len = 0;

    if (!is_plain(n) || n->text.len == 0 || n->text.len >= sizeof(text)) {
        return false;
    }
    for (size_t i = 0; i < n->text.len; i++) {
        if (n->text.p[i] != '_') { /* YAML 1.1 lets digits be grouped: 1_000 */
            text[len++] = n->text.p[i];
        }
    }
    text[len] = '\0';
    const char *digits = text[0] == '-' || text[0] == '+' ? text + 1 : text;
    if (digits[0] < '0' || digits[0] > '9') {
        return false;
    }
    bool is_octal =
        digits[0] == '0' && (digits[1] == 'o' || (digits[1] >= '0' && digits[1] <= '9'));
    errno = 0;
    if (is_octal && digits[1] == 'o') {
        *out = strtoll(digits + 2, &end, 8) * (text[0] == '-' ? -1 : 1);
    } else {
        *out = strtoll(text, &end, n->is_json ? 10 : 0);
    }
    return errno == 0 && *end == '\0';
}

bool node_as_double(const struct node *n, double *out)
{
    char text[128], *end = NULL;

    if (!is_plain(n) || n->text.len == 0 || n->text.len >= sizeof(text)) {
        return false;
    }
    memcpy(text, n->text.p, n->text.len);
    text[n->text.len] = '\0';
    if (strspn(text, "+-.0123456789eE") != n->text.len) {
        return false;
    }
    errno = 0;
    *out = strtod(text, &end);
    return *end == '\0' && end != text && isfinite(*out);
}

bool node_as_text(const struct node *n, struct span *out)
{
    if (n == NULL || n->type != NODE_SCALAR) {
        return false;
    }
    *out = n->text;
    return true;
}

const char *node_type_name(const struct node *n)
{
    if (node_is_null(n)) {
        return "null";
    }
    return n->type == NODE_MAP ? "a mapping" : n->type == NODE_LIST ? "a list" : "text";
}

/* ---- canonical JSON */

/* RFC 8259 number. */
static bool is_json_number(struct span s)
{
    size_t i = 0;

    i += s.len > 0 && s.p[0] == '-' ? 1 : 0;
    size_t digits = i;
    while (i < s.len && s.p[i] >= '0' && s.p[i] <= '9') {
        i++;
    }
    if (i == digits || (s.p[digits] == '0' && i > digits + 1)) {
        return false;
    }
    if (i < s.len && s.p[i] == '.') {
        size_t from = ++i;
        while (i < s.len && s.p[i] >= '0' && s.p[i] <= '9') {
            i++;
        }
        if (i == from) {
            return false;
        }
    }
    if (i < s.len && (s.p[i] == 'e' || s.p[i] == 'E')) {
        i++;
        i += i < s.len && (s.p[i] == '+' || s.p[i] == '-') ? 1 : 0;
        size_t from = i;
        while (i < s.len && s.p[i] >= '0' && s.p[i] <= '9') {
            i++;
        }
        if (i == from) {
            return false;
        }
    }
    return i == s.len;
}

static bool is_json_literal(const struct node *n)
{
    return is_plain(n) &&
           (span_is(n->text, "true") || span_is(n->text, "false") || is_json_number(n->text));
}

static int compare_pairs(const void *a, const void *b)
{
    const struct node_pair *const *x = a, *const *y = b;
    return span_cmp((*x)->key->text, (*y)->key->text);
}

/* The pairs that count, sorted by key: own ones, and merged ones that no own or earlier merged one
 * hides. */
static const struct node_pair **sorted_pairs(const struct node *map, size_t *out_n)
{
    const struct node_pair **v =
        (const struct node_pair **)mem_array(map->n, sizeof(const struct node_pair *));
    size_t n = 0;

    for (size_t i = 0; i < map->n; i++) {
        if (!map->pairs[i].is_merged ||
            node_get_span(map, map->pairs[i].key->text) == map->pairs[i].value) {
            v[n++] = &map->pairs[i];
        }
    }
    qsort((void *)v, n, sizeof(v[0]), compare_pairs);
    *out_n = n;
    return v;
}

/* Depth is capped by the parsers (LIMIT_DEPTH). */
static void write_json(const struct node *n, struct buf *out) // NOLINT(misc-no-recursion)
{
    if (node_is_null(n)) {
        buf_add_str(out, "null");
    } else if (n->type == NODE_SCALAR) {
        if (is_json_literal(n)) {
            buf_add_span(out, n->text);
        } else {
            buf_add_json(out, n->text);
        }
    } else if (n->type == NODE_LIST) {
        buf_add_char(out, '[');
        for (size_t i = 0; i < n->n; i++) {
            buf_add_str(out, i == 0 ? "" : ",");
            write_json(n->items[i], out);
        }
        buf_add_char(out, ']');
    } else {
        size_t n_pairs = 0;
        const struct node_pair **v = sorted_pairs(n, &n_pairs);
        buf_add_char(out, '{');
        for (size_t i = 0; i < n_pairs; i++) {
            buf_add_str(out, i == 0 ? "" : ",");
            buf_add_json(out, v[i]->key->text);
            buf_add_char(out, ':');
            write_json(v[i]->value, out);
        }
        buf_add_char(out, '}');
        mem_free((void *)v);
    }
}

void node_write_json(const struct node *n, struct buf *out)
{
    write_json(n, out);
}

json_t *
node_to_jansson(const struct node *n) // NOLINT(misc-no-recursion): depth is capped by the parsers
{
    if (node_is_null(n)) {
        return json_null();
    }
    if (n->type == NODE_SCALAR) {
        int64_t i = 0;
        double d = 0;
        if (is_json_literal(n) && (n->text.p[0] == 't' || n->text.p[0] == 'f')) {
            return json_boolean(n->text.p[0] == 't');
        }
        if (is_json_literal(n) && node_as_int(n, &i)) {
            return json_integer(i);
        }
        if (is_json_literal(n) && node_as_double(n, &d)) {
            return json_real(d);
        }
        json_t *text = json_stringn(n->text.p == NULL ? "" : n->text.p, n->text.len);
        return text != NULL ? text : json_string("\xef\xbf\xbd"); /* NULL: not UTF-8, which the
                                                                     parsers do not let through */
    }
    json_t *tree = n->type == NODE_LIST ? json_array() : json_object();
    for (size_t i = 0; i < n->n; i++) {
        if (n->type == NODE_LIST) {
            json_array_append_new(tree, node_to_jansson(n->items[i]));
        } else if (!n->pairs[i].is_merged ||
                   node_get_span(n, n->pairs[i].key->text) == n->pairs[i].value) {
            AUTO_STR key = mem_strndup(n->pairs[i].key->text.p, n->pairs[i].key->text.len);
            json_object_set_new(tree, key, node_to_jansson(n->pairs[i].value));
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
