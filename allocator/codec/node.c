#include "allocator/codec/node.h"

#include <ctype.h>
#include <errno.h>
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

static bool has_key(const struct node *map, size_t i, struct span key)
{
    return i < map->n && span_eq(map->pairs[i].key->text, key);
}

struct node *node_get_near(const struct node *map, size_t i, struct span key)
{
    if (map->type != NODE_MAP) {
        return NULL;
    }
    return has_key(map, i, key)                ? map->pairs[i].value
           : i > 0 && has_key(map, i - 1, key) ? map->pairs[i - 1].value
           : has_key(map, i + 1, key)          ? map->pairs[i + 1].value
                                               : node_get_span(map, key);
}

struct node *node_get(const struct node *map, const char *key)
{
    return node_get_span(map, span_of(key));
}

bool node_has_merge(const struct node *map)
{
    for (size_t i = 0; map->type == NODE_MAP && i < map->n; i++) {
        if (map->pairs[i].is_merged) {
            return true;
        }
    }
    return false;
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

static bool is_plain(const struct node *n)
{
    return n != NULL && n->type == NODE_SCALAR && n->style == NODE_PLAIN;
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
    if (n->is_json ? span_is(n->text, "true") : span_is_one_of(n->text, yes)) {
        *out = true;
        return true;
    }
    if (n->is_json ? span_is(n->text, "false") : span_is_one_of(n->text, no)) {
        *out = false;
        return true;
    }
    return false;
}

bool node_is_true(const struct node *map, const char *key)
{
    bool is = false;

    return node_as_bool(node_get(map, key), &is) && is;
}

#define NUMBER_MAX 128 /* characters of a number that is understood */

/* The number without the underscores that group digits in YAML 1.1 (1_000), but for one that begins
 * with a point. */
static bool number_text(const struct node *n, char text[NUMBER_MAX])
{
    size_t len = 0;

    if (!is_plain(n) || n->text.len == 0 || n->text.len >= NUMBER_MAX) {
        return false;
    }
    char first = n->text.p[0];
    if (first == '_' || (first == '.' && memchr(n->text.p, '_', n->text.len) != NULL)) {
        return false;
    }
    for (size_t i = 0; i < n->text.len; i++) {
        if (n->text.p[i] != '_' || n->is_json) {
            text[len++] = n->text.p[i];
        }
    }
    text[len] = '\0';
    return len > 0 && memchr(text, '\0', len) == NULL;
}

/* [-+]digits, with the prefixes of Go's base 0: 0x, 0b, 0o, or 0 alone for octal. */
static bool parse_whole(const char *text, bool is_json, bool *out_is_negative, uint64_t *out)
{
    char *end = NULL;
    int base = 10;

    *out_is_negative = *text == '-';
    text += *text == '-' || *text == '+' ? 1 : 0;
    if (text[0] == '0' && text[1] != '\0' && !is_json) {
        int mark = text[1] | 0x20;
        base = mark == 'x' ? 16 : mark == 'b' ? 2 : 8;
        text += mark == 'x' || mark == 'b' || mark == 'o' ? 2 : 1;
    }
    /* strtoull() takes signs, space and another 0x where none may be. */
    bool is_digit = *text >= '0' && *text <= '9';
    bool is_hex_digit = base == 16 && isxdigit((unsigned char)*text);
    if ((!is_digit && !is_hex_digit) || strpbrk(text, "xX") != NULL) {
        return false;
    }
    errno = 0;
    *out = strtoull(text, &end, base);
    return errno == 0 && *end == '\0';
}

static bool parse_real(const char *text, double *out)
{
    char *end = NULL;

    if (text[strspn(text, "+-.0123456789eE")] != '\0') {
        return false;
    }
    double value = strtod(text, &end);
    if (end == text || *end != '\0' || !isfinite(value)) {
        return false;
    }
    *out = value;
    return true;
}

/* The whole part of a number however it is written. */
static bool whole_of(const struct node *n, bool *out_is_negative, uint64_t *out)
{
    const double too_big = 18446744073709551616.0; /* 2^64 */
    char text[NUMBER_MAX];
    double d;

    if (!number_text(n, text)) {
        return false;
    }
    if (parse_whole(text, n->is_json, out_is_negative, out)) {
        return true;
    }
    if (!parse_real(text, &d) || !(fabs(d) < too_big)) {
        return false;
    }
    *out_is_negative = d < 0;
    *out = (uint64_t)fabs(d);
    return true;
}

bool node_is_whole(const struct node *n)
{
    char text[NUMBER_MAX];
    bool is_negative;
    uint64_t value;

    return number_text(n, text) && parse_whole(text, n->is_json, &is_negative, &value) &&
           (!is_negative || value <= (uint64_t)INT64_MAX + 1);
}

bool node_as_int(const struct node *n, int64_t *out)
{
    bool is_negative;
    uint64_t value;

    if (!whole_of(n, &is_negative, &value) || value > (uint64_t)INT64_MAX + (is_negative ? 1 : 0)) {
        return false;
    }
    *out = is_negative ? (int64_t)(0 - value) : (int64_t)value;
    return true;
}

bool node_as_uint(const struct node *n, uint64_t *out)
{
    bool is_negative;
    uint64_t value;

    if (!whole_of(n, &is_negative, &value) || (is_negative && value != 0)) {
        return false;
    }
    *out = value;
    return true;
}

bool node_as_size(const struct node *n, size_t most, size_t *out)
{
    int64_t value;

    if (!node_as_int(n, &value) || value < 0 || (uint64_t)value > most) {
        return false;
    }
    *out = (size_t)value;
    return true;
}

bool node_as_double(const struct node *n, double *out)
{
    char text[NUMBER_MAX];
    bool is_negative;
    uint64_t value;

    if (!number_text(n, text)) {
        return false;
    }
    if (parse_whole(text, n->is_json, &is_negative, &value)) {
        *out = is_negative ? -(double)value : (double)value;
        return true;
    }
    return parse_real(text, out);
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
