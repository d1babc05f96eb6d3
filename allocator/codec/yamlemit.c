/* JSON tree → block YAML that readers of YAML 1.1 and of 1.2 take for the same tree. */
#include "allocator/base/mem.h"
#include "allocator/codec/yamldoc.h"

#include <stdio.h>
#include <stdlib.h>

/* A simple key has at most 1024 characters, its quotes and escapes included. */
#define LONG_KEY 160

/* ---- what a text needs */

enum look { LOOK_PLAIN, LOOK_SINGLE, LOOK_DOUBLE, LOOK_LITERAL };

/* Length of the printable character at 'i', 0 when it must be escaped: controls, and the line
 * breaks and marks of Unicode that YAML does not take for text. Not UTF-8 counts as such. */
static size_t printable_length(struct span s, size_t i)
{
    const unsigned char *p = (const unsigned char *)s.p + i;
    size_t left = s.len - i;

    if (p[0] < 0x80) {
        return p[0] >= 0x20 && p[0] < 0x7f ? 1 : 0;
    }
    if (p[0] < 0xe0) {
        return left < 2 || (p[0] == 0xc2 && p[1] < 0xa0) ? 0 : 2;
    }
    if (p[0] < 0xf0) {
        bool is_break = left >= 3 && p[0] == 0xe2 && p[1] == 0x80 && (p[2] & 0xfe) == 0xa8;
        bool is_mark = left >= 3 && p[0] == 0xef &&
                       ((p[1] == 0xbb && p[2] == 0xbf) || (p[1] == 0xbf && p[2] >= 0xbe));
        return left < 3 || is_break || is_mark ? 0 : 3;
    }
    return left < 4 ? 0 : 4;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Could any reader take it for a number, a date, or sixty-based digits (12:30)? An address with its
 * port (10.0.0.1:80) cannot be one. */
static bool is_number_like(struct span s)
{
    if (!is_digit(s.p[0]) && strchr("+-.", s.p[0]) == NULL) {
        return false;
    }
    if (s.len > 5 && is_digit(s.p[1]) && is_digit(s.p[2]) && is_digit(s.p[3]) && s.p[4] == '-') {
        return true;
    }
    for (size_t i = 0; i < s.len; i++) {
        if (s.p[i] == '\0' || strchr("0123456789abcdefABCDEFxXoO_.:,+-", s.p[i]) == NULL) {
            return false;
        }
    }
    const char *dot = memchr(s.p, '.', s.len), *colon = memchr(s.p, ':', s.len);
    return dot == NULL || colon == NULL || colon < dot || dot == s.p;
}

static bool is_reserved(struct span s)
{
    static const char *const words[] = { "null",  "true", "false", "yes", "no",   "on",
                                         "off",   "y",    "n",     "~",   ".inf", "+.inf",
                                         "-.inf", ".nan", "=",     "<<" };

    for (size_t i = 0; i < COUNT(words); i++) {
        if (span_is_nocase(s, words[i])) {
            return true;
        }
    }
    return is_number_like(s);
}

/* 's' is printable and on one line. */
static bool is_plain(struct span s)
{
    if (s.len == 0 || s.p[0] == ' ' || s.p[s.len - 1] == ' ' || s.p[s.len - 1] == ':' ||
        strchr("-?:,[]{}#&*!|>'\"%@`", s.p[0]) != NULL) {
        return false;
    }
    for (size_t i = 1; i < s.len; i++) {
        if ((s.p[i - 1] == ':' && s.p[i] == ' ') || (s.p[i - 1] == ' ' && s.p[i] == '#')) {
            return false;
        }
    }
    return !is_reserved(s);
}

/* 's' is printable but for line feeds and tabs. A first line that begins with white space would
 * need its indentation said. */
static bool is_literal(struct span s)
{
    return memchr(s.p, '\n', s.len) != NULL && strchr(" \t\n", s.p[0]) == NULL;
}

static enum look look_of(struct span s, bool is_key)
{
    bool is_one_line = true;

    for (size_t i = 0; i < s.len;) {
        size_t n = printable_length(s, i);
        if (n == 0 && s.p[i] != '\n' && s.p[i] != '\t') {
            return LOOK_DOUBLE;
        }
        is_one_line = is_one_line && n != 0;
        i += n == 0 ? 1 : n;
    }
    if (!is_one_line) {
        return !is_key && is_literal(s) ? LOOK_LITERAL : LOOK_DOUBLE;
    }
    return is_plain(s) ? LOOK_PLAIN : LOOK_SINGLE;
}

/* ---- texts */

static void put_indent(struct buf *out, unsigned indent)
{
    buf_addf(out, "%*s", (int)indent, "");
}

static void put_single(struct span s, struct buf *out)
{
    buf_add_char(out, '\'');
    for (size_t i = 0; i < s.len; i++) {
        buf_add_str(out, s.p[i] == '\'' ? "'" : "");
        buf_add_char(out, s.p[i]);
    }
    buf_add_char(out, '\'');
}

/* The code point at 'i' of valid UTF-8, for those that are not printable: all below U+10000. */
static unsigned code_point(struct span s, size_t i, size_t *out_len)
{
    const unsigned char *p = (const unsigned char *)s.p + i;

    *out_len = p[0] < 0x80 ? 1 : p[0] < 0xe0 ? 2 : 3;
    if (s.len - i < *out_len) {
        *out_len = 1;
        return 0xfffd;
    }
    return *out_len == 1   ? p[0]
           : *out_len == 2 ? (p[0] & 0x1fU) << 6 | (p[1] & 0x3fU)
                           : (p[0] & 0xfU) << 12 | (p[1] & 0x3fU) << 6 | (p[2] & 0x3fU);
}

static void put_double(struct span s, struct buf *out)
{
    buf_add_char(out, '"');
    for (size_t i = 0; i < s.len;) {
        size_t n = printable_length(s, i);
        if (n == 0) {
            unsigned c = code_point(s, i, &n);
            const char *known = c == '\n' ? "\\n" : c == '\t' ? "\\t" : c == '\r' ? "\\r" : NULL;
            if (known != NULL) {
                buf_add_str(out, known);
            } else {
                buf_addf(out, "\\u%04x", c);
            }
        } else {
            buf_add_str(out, s.p[i] == '"' || s.p[i] == '\\' ? "\\" : "");
            buf_add(out, s.p + i, n);
        }
        i += n;
    }
    buf_add_char(out, '"');
}

static void put_literal(struct span s, unsigned indent, struct buf *out)
{
    bool ends_line = s.p[s.len - 1] == '\n';
    bool ends_blank = ends_line && s.p[s.len - 2] == '\n';

    buf_add_str(out, ends_blank ? "|+" : ends_line ? "|" : "|-");
    while (s.len > 0) {
        const char *nl = memchr(s.p, '\n', s.len);
        size_t n = nl == NULL ? s.len : (size_t)(nl - s.p);
        buf_add_char(out, '\n');
        if (n > 0) {
            put_indent(out, indent);
            buf_add(out, s.p, n);
        }
        s = span_from(s, nl == NULL ? n : n + 1);
    }
}

static void put_text(struct span s, bool is_key, unsigned indent, struct buf *out)
{
    switch (look_of(s, is_key)) {
    case LOOK_PLAIN:
        buf_add_span(out, s);
        break;
    case LOOK_SINGLE:
        put_single(s, out);
        break;
    case LOOK_DOUBLE:
        put_double(s, out);
        break;
    case LOOK_LITERAL:
        put_literal(s, indent, out);
        break;
    }
}

/* With a point and a signed exponent: "1e20" is text for readers of YAML 1.1. */
static void put_real(double d, struct buf *out)
{
    char text[64];

    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof(text), "%.*g", digits, d);
        if (strtod(text, NULL) == d) {
            break;
        }
    }
    size_t mantissa = strcspn(text, "e");
    bool has_point = memchr(text, '.', mantissa) != NULL;
    buf_addf(out, "%.*s%s%s", (int)mantissa, text, has_point ? "" : ".0", text + mantissa);
}

/* ---- trees */

static void put_value(const json_t *tree, unsigned indent, bool is_item, struct buf *out);

static void put_key(struct span key, struct buf *out)
{
    if (key.len > LONG_KEY) {
        buf_add_str(out, "? ");
    }
    put_text(key, true, 0, out);
}

/* NOLINTNEXTLINE(misc-no-recursion): as put_value. */
static void put_map(const json_t *tree, unsigned indent, bool is_inline, struct buf *out)
{
    json_t *map = (json_t *)(uintptr_t)tree; /* jansson's iterators do not know const */

    for (void *it = json_object_iter(map); it != NULL; it = json_object_iter_next(map, it)) {
        struct span key = span_make(json_object_iter_key(it), json_object_iter_key_len(it));
        if (!is_inline) {
            put_indent(out, indent);
        }
        is_inline = false;
        put_key(key, out);
        if (key.len > LONG_KEY) {
            buf_add_char(out, '\n');
            put_indent(out, indent);
        }
        buf_add_char(out, ':');
        put_value(json_object_iter_value(it), indent, false, out);
    }
}

/* NOLINTNEXTLINE(misc-no-recursion): as put_value. */
static void put_list(const json_t *tree, unsigned indent, bool is_inline, struct buf *out)
{
    for (size_t i = 0; i < json_array_size(tree); i++) {
        if (!is_inline || i > 0) {
            put_indent(out, indent);
        }
        buf_add_char(out, '-');
        put_value(json_array_get(tree, i), indent, true, out);
    }
}

static void put_scalar(const json_t *tree, unsigned indent, struct buf *out)
{
    switch (json_typeof(tree)) {
    case JSON_STRING:
        put_text(span_make(json_string_value(tree), json_string_length(tree)), false, indent, out);
        break;
    case JSON_INTEGER:
        buf_addf(out, "%lld", (long long)json_integer_value(tree));
        break;
    case JSON_REAL:
        put_real(json_real_value(tree), out);
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        buf_add_str(out, json_is_true(tree) ? "true" : "false");
        break;
    case JSON_NULL:
        buf_add_str(out, "null");
        break;
    case JSON_OBJECT:
        buf_add_str(out, "{}");
        break;
    case JSON_ARRAY:
        buf_add_str(out, "[]");
        break;
    }
}

static bool has_children(const json_t *tree)
{
    return json_object_size(tree) > 0 || json_array_size(tree) > 0;
}

/* What stands behind "key:" or "-", to the end of its line. 'indent' is that of the key or dash.
 * The depth is that of a parsed document (LIMIT_DEPTH). NOLINTNEXTLINE(misc-no-recursion) */
static void put_value(const json_t *tree, unsigned indent, bool is_item, struct buf *out)
{
    if (!has_children(tree)) {
        buf_add_char(out, ' ');
        put_scalar(tree, indent + 2, out);
        buf_add_char(out, '\n');
        return;
    }
    buf_add_char(out, is_item ? ' ' : '\n');
    if (json_is_object(tree)) {
        put_map(tree, indent + 2, is_item, out);
    } else {
        put_list(tree, is_item ? indent + 2 : indent, is_item, out);
    }
}

void yamldoc_emit(const json_t *tree, struct buf *out)
{
    if (!has_children(tree)) {
        put_scalar(tree, 2, out);
        buf_add_char(out, '\n');
    } else if (json_is_object(tree)) {
        put_map(tree, 0, false, out);
    } else {
        put_list(tree, 0, false, out);
    }
}
