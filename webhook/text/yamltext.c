#include "webhook/text/yamltext.h"

#include "allocator/base/err.h"

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Words that a reader of YAML 1.1 or 1.2 takes for something else than text. */
static bool is_reserved(struct span s)
{
    static const char *const words[] = {
        "null", "true", "false", "yes", "no", "on", "off", "y", "n"
    };

    for (size_t i = 0; i < COUNT(words); i++) {
        if (span_is_nocase(s, words[i])) {
            return true;
        }
    }
    return false;
}

/* May the text stand without quotes? Conservative: a letter, '_' or '/' first, then what is
 * harmless in the middle of a word. */
static bool is_plain(struct span s, enum yamltext_form form)
{
    static const char inner[] = "_/.-+()*=%~@$?&:;";

    if (s.len == 0 || (!is_letter(s.p[0]) && s.p[0] != '_' && s.p[0] != '/') ||
        s.p[s.len - 1] == ':') {
        return false;
    }
    for (size_t i = 1; i < s.len; i++) {
        bool is_word = is_letter(s.p[i]) || (s.p[i] >= '0' && s.p[i] <= '9');
        bool is_brace = form == YAMLTEXT_BLOCK && (s.p[i] == '{' || s.p[i] == '}');
        if (!is_word && !is_brace && (s.p[i] == '\0' || strchr(inner, s.p[i]) == NULL)) {
            return false;
        }
    }
    return !is_reserved(s);
}

/* Single quotes show every byte as it is, as long as all are printable and on one line. */
static bool is_printable(struct span s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c < 0x20 || c == 0x7f) {
            return false;
        }
        /* U+0080-U+009F, U+2028, U+2029, U+FEFF, U+FFFE: not printable or line breaks in YAML. */
        bool is_c1 = c == 0xc2 && i + 1 < s.len && (unsigned char)s.p[i + 1] < 0xa0;
        bool is_special = (c == 0xe2 && i + 2 < s.len && (unsigned char)s.p[i + 1] == 0x80 &&
                           ((unsigned char)s.p[i + 2] & 0xfe) == 0xa8) ||
                          (c == 0xef && i + 1 < s.len && (unsigned char)s.p[i + 1] >= 0xbb);
        if (is_c1 || is_special) {
            return false;
        }
    }
    return true;
}

static void add_single_quoted(struct span s, struct buf *out)
{
    size_t from = 0;

    buf_add_char(out, '\'');
    for (size_t i = 0; i < s.len; i++) {
        if (s.p[i] == '\'') {
            buf_add(out, s.p + from, i + 1 - from);
            from = i;
        }
    }
    buf_add(out, s.p + from, s.len - from);
    buf_add_char(out, '\'');
}

/* Of a character of one to three bytes. */
static unsigned code_point(struct span one)
{
    const unsigned char *p = (const unsigned char *)one.p;

    switch (one.len) {
    case 1:
        return p[0];
    case 2:
        return (p[0] & 0x1fU) << 6 | (p[1] & 0x3fU);
    default:
        return (p[0] & 0x0fU) << 12 | (p[1] & 0x3fU) << 6 | (p[2] & 0x3fU);
    }
}

/* A JSON string is a double-quoted YAML scalar once what YAML does not print is escaped too. */
static void add_double_quoted(struct span s, struct buf *out)
{
    buf_add_char(out, '"');
    for (size_t i = 0; i < s.len;) {
        unsigned char c = (unsigned char)s.p[i];
        size_t n = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
        n = i + n > s.len ? 1 : n;
        struct span one = span_make(s.p + i, n);
        if (c == 0x7f || (c >= 0x80 && n < 4 && !is_printable(one))) {
            buf_addf(out, "\\u%04x", code_point(one));
        } else if (c < 0x20 || c == '"' || c == '\\') {
            size_t at = out->len;
            buf_add_json(out, one);
            /* Only what stands between the quotes. */
            if (buf_error(out) == 0) {
                memmove(out->p + at, out->p + at + 1, out->len - at - 2);
                out->len -= 2;
                out->p[out->len] = '\0';
            }
        } else {
            buf_add_span(out, one);
        }
        i += n;
    }
    buf_add_char(out, '"');
}

void yamltext_scalar(struct span text, enum yamltext_form form, struct buf *out)
{
    if (form == YAMLTEXT_JSON || form == YAMLTEXT_JSON_COMPACT) {
        buf_add_json(out, text);
    } else if (is_plain(text, form)) {
        buf_add_span(out, text);
    } else if (is_printable(text)) {
        add_single_quoted(text, out);
    } else {
        add_double_quoted(text, out);
    }
}

static void add_line(unsigned column, struct buf *out)
{
    buf_addf(out, "\n%*s", (int)column, "");
}

static bool is_block_collection(const struct node *n)
{
    return (n->type == NODE_MAP || n->type == NODE_LIST) && n->n > 0;
}

/* Is this plain scalar one that readers take for the same number or boolean, spelled as it is? */
static bool is_typed(const struct node *n)
{
    AUTO_BUF json = { 0 };

    if (n->style != NODE_PLAIN) {
        return false;
    }
    buf_init(&json, n->text.len * 6 + 2);
    node_write_json(n, &json);
    return json.len > 0 && json.p[0] != '"';
}

static void add_leaf(const struct node *n, enum yamltext_form form, struct buf *out)
{
    if (node_is_null(n)) {
        buf_add_str(out, "null");
    } else if (n->type == NODE_MAP || n->type == NODE_LIST) {
        buf_add_str(out, n->type == NODE_MAP ? "{}" : "[]");
    } else if (is_typed(n)) {
        buf_add_span(out, n->text);
    } else {
        yamltext_scalar(n->text, form, out);
    }
}

static void add_block(const struct node *n, unsigned column, struct buf *out);

/* Members of a map, the first one where the writer stands. */
/* NOLINTNEXTLINE(misc-no-recursion): parsers cap the depth */
static void add_block_map(const struct node *map, unsigned column, struct buf *out)
{
    bool is_first = true;

    for (size_t i = 0; i < map->n; i++) {
        if (node_get_span(map, map->pairs[i].key->text) != map->pairs[i].value) {
            continue;
        }
        if (!is_first) {
            add_line(column, out);
        }
        is_first = false;
        yamltext_member(map->pairs[i].key->text, map->pairs[i].value, YAMLTEXT_BLOCK, column,
                        column, out);
    }
}

/* NOLINTNEXTLINE(misc-no-recursion): parsers cap the depth */
static void add_block(const struct node *n, unsigned column, struct buf *out)
{
    if (n->type == NODE_MAP) {
        add_block_map(n, column, out);
        return;
    }
    for (size_t i = 0; i < n->n; i++) {
        if (i > 0) {
            add_line(column, out);
        }
        buf_add_str(out, "- ");
        if (is_block_collection(n->items[i])) {
            add_block(n->items[i], column + 2, out);
        } else {
            add_leaf(n->items[i], YAMLTEXT_BLOCK, out);
        }
    }
}

/* NOLINTNEXTLINE(misc-no-recursion): parsers cap the depth */
static void add_flow(const struct node *n, enum yamltext_form form, struct buf *out)
{
    bool is_first = true;

    if (!is_block_collection(n)) {
        add_leaf(n, form, out);
        return;
    }
    buf_add_char(out, n->type == NODE_MAP ? '{' : '[');
    for (size_t i = 0; i < n->n; i++) {
        if (n->type == NODE_MAP && node_get_span(n, n->pairs[i].key->text) != n->pairs[i].value) {
            continue;
        }
        if (!is_first) {
            buf_add_str(out, form == YAMLTEXT_JSON_COMPACT ? "," : ", ");
        }
        is_first = false;
        if (n->type == NODE_MAP) {
            yamltext_member(n->pairs[i].key->text, n->pairs[i].value, form, 0, 0, out);
        } else {
            add_flow(n->items[i], form, out);
        }
    }
    buf_add_char(out, n->type == NODE_MAP ? '}' : ']');
}

/* NOLINTNEXTLINE(misc-no-recursion): parsers cap the depth */
void yamltext_member(struct span key, const struct node *value, enum yamltext_form form,
                     unsigned column, unsigned list_column, struct buf *out)
{
    yamltext_scalar(key, form, out);
    buf_add_char(out, ':');
    if (form == YAMLTEXT_BLOCK && is_block_collection(value)) {
        unsigned inner = value->type == NODE_LIST ? list_column : column + 2;
        add_line(inner, out);
        add_block(value, inner, out);
        return;
    }
    if (form != YAMLTEXT_JSON_COMPACT) {
        buf_add_char(out, ' ');
    }
    if (form == YAMLTEXT_BLOCK) {
        add_leaf(value, form, out);
    } else {
        add_flow(value, form, out);
    }
}

void yamltext_value(const struct node *n, enum yamltext_form form, struct buf *out)
{
    if (form == YAMLTEXT_BLOCK && is_block_collection(n)) {
        add_block(n, 0, out);
    } else {
        add_flow(n, form, out);
    }
}
