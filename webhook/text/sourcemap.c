#include "webhook/text/sourcemap.h"

#include "allocator/base/limits.h"
#include "webhook/text/yamltext.h"

struct decoder {
    struct sourcemap *map;
    size_t at, end; /* in the document */
    size_t n;       /* decoded so far */
    bool is_exact;
};

static void emit(struct decoder *d, char c, size_t start, size_t stop)
{
    struct sourcemap *m = d->map;

    if (d->n >= m->text.len || m->text.p[d->n] != c) {
        d->is_exact = false;
        return;
    }
    m->start[d->n] = start;
    m->stop[d->n] = stop;
    d->n++;
}

static char peek(const struct decoder *d, size_t ahead)
{
    return d->at + ahead < d->end ? d->map->raw.p[d->at + ahead] : '\0';
}

static size_t break_size(const struct decoder *d)
{
    return peek(d, 0) == '\r' && peek(d, 1) == '\n'   ? 2
           : peek(d, 0) == '\n' || peek(d, 0) == '\r' ? 1
                                                      : 0;
}

/* ---- literal */

static void skip_line(struct decoder *d)
{
    while (d->at < d->end && break_size(d) == 0) {
        d->at++;
    }
    d->at += break_size(d);
}

static size_t count_spaces(const struct decoder *d)
{
    size_t n = 0;

    while (peek(d, n) == ' ') {
        n++;
    }
    return n;
}

/* The indentation follows from the first line that is not blank: what stands there beyond the
 * text's own spaces. */
static size_t find_indent(struct decoder d)
{
    struct span text = d.map->text;
    size_t line = 0;

    while (d.at < d.end) {
        size_t spaces = count_spaces(&d);
        d.at += spaces;
        if (break_size(&d) == 0 && d.at < d.end) {
            size_t own = 0;
            while (line + own < text.len && text.p[line + own] == ' ') {
                own++;
            }
            return spaces >= own ? spaces - own : 0;
        }
        d.at += break_size(&d);
        while (line < text.len && text.p[line] != '\n') {
            line++;
        }
        line++;
    }
    return 0;
}

static void decode_literal(struct decoder *d)
{
    skip_line(d);
    d->map->indent = find_indent(*d);
    while (d->is_exact && d->n < d->map->text.len && d->at < d->end) {
        size_t spaces = count_spaces(d);
        d->at += spaces < d->map->indent ? spaces : d->map->indent;
        while (d->at < d->end && break_size(d) == 0 && d->is_exact) {
            emit(d, peek(d, 0), d->at, d->at + 1);
            d->at++;
        }
        size_t size = break_size(d);
        if (size > 0 && d->n < d->map->text.len && d->is_exact) {
            emit(d, '\n', d->at, d->at + size);
        }
        d->at += size;
    }
}

/* ---- quoted and plain: lines are folded */

/* A run of blanks and line breaks: one break is a space, n breaks are n-1 line feeds, blanks around
 * them vanish. */
static void fold(struct decoder *d, bool is_escaped)
{
    size_t from = d->at, n_breaks = 0;

    while (d->at < d->end) {
        if (break_size(d) > 0) {
            n_breaks++;
            d->at += break_size(d);
        } else if (peek(d, 0) == ' ' || peek(d, 0) == '\t') {
            d->at++;
        } else {
            break;
        }
    }
    if (n_breaks == 1 && !is_escaped) {
        emit(d, ' ', from, d->at);
    }
    for (size_t i = 1; i < n_breaks; i++) {
        emit(d, '\n', from, d->at);
    }
}

/* Blanks in front of a line break belong to the fold. */
static bool is_fold(const struct decoder *d)
{
    size_t ahead = 0;

    while (peek(d, ahead) == ' ' || peek(d, ahead) == '\t') {
        ahead++;
    }
    return peek(d, ahead) == '\n' || peek(d, ahead) == '\r';
}

static unsigned hex_value(struct span digits)
{
    unsigned value = 0;

    for (size_t i = 0; i < digits.len; i++) {
        char c = digits.p[i];
        unsigned digit = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
                         : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10
                         : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A') + 10
                                                : 0;
        value = value << 4 | digit;
    }
    return value;
}

static void emit_code(struct decoder *d, unsigned code, size_t start, size_t stop)
{
    if (code < 0x80) {
        emit(d, (char)code, start, stop);
    } else if (code < 0x800) {
        emit(d, (char)(0xc0 | code >> 6), start, stop);
        emit(d, (char)(0x80 | (code & 0x3f)), start, stop);
    } else if (code < 0x10000) {
        emit(d, (char)(0xe0 | code >> 12), start, stop);
        emit(d, (char)(0x80 | (code >> 6 & 0x3f)), start, stop);
        emit(d, (char)(0x80 | (code & 0x3f)), start, stop);
    } else {
        emit(d, (char)(0xf0 | code >> 18), start, stop);
        emit(d, (char)(0x80 | (code >> 12 & 0x3f)), start, stop);
        emit(d, (char)(0x80 | (code >> 6 & 0x3f)), start, stop);
        emit(d, (char)(0x80 | (code & 0x3f)), start, stop);
    }
}

static void decode_escape(struct decoder *d)
{
    static const struct {
        char letter;
        unsigned code;
    } simple[] = {
        { '0', 0 },  { 'a', 7 },   { 'b', 8 },    { 't', 9 },    { '\t', 9 },     { 'n', 10 },
        { 'v', 11 }, { 'f', 12 },  { 'r', 13 },   { 'e', 27 },   { ' ', 32 },     { '"', 34 },
        { '/', 47 }, { '\\', 92 }, { 'N', 0x85 }, { '_', 0xa0 }, { 'L', 0x2028 }, { 'P', 0x2029 },
    };
    char letter = peek(d, 1);
    size_t start = d->at, n_digits = letter == 'x' ? 2 : letter == 'u' ? 4 : letter == 'U' ? 8 : 0;

    if (letter == '\n' || letter == '\r') {
        d->at++;
        fold(d, true);
        return;
    }
    if (n_digits > 0 && d->at + 2 + n_digits <= d->end) {
        unsigned code = hex_value(span_make(d->map->raw.p + d->at + 2, n_digits));
        d->at += 2 + n_digits;
        if (code >= 0xd800 && code < 0xdc00 && peek(d, 0) == '\\' &&
            peek(d, 1) == 'u') { /* JSON: a pair of surrogates */
            unsigned low = hex_value(span_make(d->map->raw.p + d->at + 2, 4));
            d->at += 6;
            code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
        }
        emit_code(d, code, start, d->at);
        return;
    }
    d->at += 2;
    for (size_t i = 0; i < COUNT(simple); i++) {
        if (simple[i].letter == letter) {
            emit_code(d, simple[i].code, start, d->at);
            return;
        }
    }
    d->is_exact = false;
}

static void decode_folded_lines(struct decoder *d, enum node_style style)
{
    while (d->is_exact && d->at < d->end) {
        char c = peek(d, 0);
        if (is_fold(d)) {
            fold(d, false);
        } else if (style == NODE_DOUBLE && c == '\\') {
            decode_escape(d);
        } else if (style == NODE_SINGLE && c == '\'') {
            emit(d, c, d->at, d->at + 2);
            d->at += 2;
        } else {
            emit(d, c, d->at, d->at + 1);
            d->at++;
        }
    }
}

/* ---- the map */

/* After an anchor and a tag, which the parser counts to the scalar. */
static size_t content_begin(struct span raw, const struct node *scalar, char indicator)
{
    size_t at = scalar->begin;

    while (at < scalar->end && indicator != '\0' && raw.p[at] != indicator) {
        at++;
    }
    return at;
}

/* A literal's trailing breaks are not part of the node; its text may end in them. Blanks that stand
 * alone on the last line indent what follows; after something else they are text. */
static size_t literal_end(struct span raw, size_t end)
{
    while (end < raw.len &&
           (raw.p[end] == ' ' || raw.p[end] == '\t' || raw.p[end] == '\n' || raw.p[end] == '\r')) {
        end++;
    }
    size_t last = end;
    while (last > 0 && (raw.p[last - 1] == ' ' || raw.p[last - 1] == '\t')) {
        last--;
    }
    return last == 0 || raw.p[last - 1] == '\n' || raw.p[last - 1] == '\r' ? last : end;
}

int sourcemap_make(struct span raw, const struct node *scalar, struct arena *arena,
                   struct sourcemap *out, struct err *err)
{
    struct decoder d = { .map = out, .end = scalar->end, .is_exact = true };

    *out = (struct sourcemap){ .raw = raw, .text = scalar->text, .scalar = scalar };
    out->start = arena_alloc(arena, (scalar->text.len + 1) * sizeof(size_t));
    out->stop = arena_alloc(arena, (scalar->text.len + 1) * sizeof(size_t));
    if (scalar->is_alias) {
        return err_set(err, ERR_REFUSED,
                       "comes from an alias and would change elsewhere too; write it out here");
    }
    switch (scalar->style) {
    case NODE_LITERAL:
        d.at = content_begin(raw, scalar, '|');
        d.end = literal_end(raw, scalar->end);
        decode_literal(&d);
        break;
    case NODE_DOUBLE:
    case NODE_SINGLE:
        d.at = content_begin(raw, scalar, scalar->style == NODE_DOUBLE ? '"' : '\'') + 1;
        d.end = scalar->end - 1;
        decode_folded_lines(&d, scalar->style);
        break;
    case NODE_PLAIN:
        d.at = scalar->begin;
        decode_folded_lines(&d, scalar->style);
        break;
    case NODE_FOLDED:
    case NODE_BLOCK:
    case NODE_FLOW:
        return err_set(
            err, ERR_REFUSED,
            "text in this style (>) cannot be changed in place; use a literal block (|)");
    }
    if (!d.is_exact || d.n != scalar->text.len) {
        return err_set(
            err, ERR_REFUSED,
            "the text cannot be changed in place in this style; use a literal block (|)");
    }
    out->start[d.n] = d.n == 0 ? d.at : out->stop[d.n - 1];
    out->stop[d.n] = out->start[d.n];
    const char *nl = memchr(raw.p, '\n', raw.len);
    out->has_crlf = nl != NULL && nl > raw.p && nl[-1] == '\r';
    return 0;
}

/* ---- edits */

static bool is_line_start(const struct sourcemap *m, size_t at)
{
    return at == 0 || m->text.p[at - 1] == '\n';
}

static bool is_line_end(const struct sourcemap *m, size_t at)
{
    return at < m->text.len && m->text.p[at] == '\n';
}

static size_t raw_line_start(const struct sourcemap *m, size_t at)
{
    size_t raw = m->start[at];

    if (at == m->text.len && at > 0) {
        return raw;
    }
    while (raw > 0 && m->raw.p[raw - 1] == ' ') {
        raw--;
    }
    return raw;
}

/* How the lines of a replacement are indented. */
struct indentation {
    size_t first;  /* spaces in front of its first line */
    bool has_last; /* what follows it stands on a line of its last line's making, and needs
                      indentation too, unless the line ends there */
};

/* Lines of a literal: each gets the indentation, blank ones do not. */
static struct span indented(const struct sourcemap *m, struct span text, struct indentation in,
                            struct arena *arena)
{
    AUTO_BUF out = { 0 };
    size_t spaces = in.first;

    buf_init(&out, LIMIT_DOCUMENT_BYTES);
    for (size_t i = 0; i < text.len; i++) {
        if (text.p[i] == '\n') {
            buf_add_str(&out, m->has_crlf ? "\r\n" : "\n");
            spaces = m->indent;
            continue;
        }
        buf_addf(&out, "%*s", (int)spaces, "");
        spaces = 0;
        buf_add_char(&out, text.p[i]);
    }
    if (in.has_last && (text.len == 0 || text.p[text.len - 1] == '\n')) {
        buf_addf(&out, "%*s", (int)spaces, "");
    }
    return arena_span(arena, buf_span(&out));
}

/* Columns that a blank line lacks before text can stand on it. */
static size_t missing_columns(const struct sourcemap *m, size_t at)
{
    size_t raw = m->start[at], column = 0;

    while (column < m->indent && raw > column && m->raw.p[raw - column - 1] == ' ') {
        column++;
    }
    return is_line_start(m, at) ? m->indent - column : 0;
}

static void edit_literal(const struct sourcemap *m, const struct edit *e, struct arena *arena,
                         struct splice *out)
{
    bool ends_line = e->text.len == 0 || e->text.p[e->text.len - 1] == '\n';
    bool takes_break = e->end > e->begin && is_line_start(m, e->end);
    struct indentation in = { .first = m->indent };

    if (is_line_start(m, e->begin) && is_line_start(m, e->end) && ends_line) {
        splice_add(out, raw_line_start(m, e->begin), raw_line_start(m, e->end),
                   indented(m, e->text, in, arena));
        return;
    }
    /* A line that is joined to what is in front of it loses its indentation. */
    bool joins = takes_break && !(e->text.len > 0 && ends_line);
    size_t end = e->end == e->begin ? m->start[e->begin]
                 : joins            ? m->start[e->end]
                                    : m->stop[e->end - 1];
    in.first = missing_columns(m, e->begin);
    in.has_last = !takes_break && !is_line_end(m, e->end);
    splice_add(out, m->start[e->begin], end, indented(m, e->text, in, arena));
}

/* Is there nothing but indentation between a line break and 'at', which is inside of quotes? Blanks
 * there are not part of the text. The opening quote ends the search at the latest. */
static bool is_behind_break(struct span raw, size_t at)
{
    while (raw.p[at - 1] == ' ' || raw.p[at - 1] == '\t') {
        at--;
    }
    return raw.p[at - 1] == '\n';
}

static bool is_blank(struct span s, size_t at)
{
    return at < s.len && (s.p[at] == ' ' || s.p[at] == '\t');
}

/* 'begin' and 'end': what 'text' replaces in the document. */
static struct span quoted(const struct sourcemap *m, struct span text, size_t begin, size_t end,
                          struct arena *arena)
{
    AUTO_BUF out = { 0 };

    buf_init(&out, LIMIT_DOCUMENT_BYTES);
    if (m->scalar->style == NODE_DOUBLE) {
        /* The first blank of a line has to be escaped, whether it is ours or comes next. */
        bool is_bare = is_blank(text, 0) || (text.len == 0 && is_blank(m->raw, end));
        buf_add_str(&out, is_bare && is_behind_break(m->raw, begin) ? "\\" : "");
        /* Escapes as JSON writes them are YAML's too; without the quotes. */
        size_t at = out.len;
        yamltext_scalar(text, YAMLTEXT_JSON, &out);
        memmove(out.p + at, out.p + at + 1, out.len - at - 2);
        return arena_span(arena, span_make(out.p, out.len - 2));
    }
    for (size_t i = 0; i < text.len; i++) {
        char c = text.p[i];
        if (c == '\n') {
            buf_add_str(&out, m->has_crlf ? "\r\n\r\n" : "\n\n");
        } else if (c == '\'' && m->scalar->style == NODE_SINGLE) {
            buf_add_str(&out, "''");
        } else {
            buf_add_char(&out, c);
        }
    }
    return arena_span(arena, buf_span(&out));
}

int sourcemap_edits(const struct sourcemap *m, const struct splice *decoded, struct arena *arena,
                    struct splice *out, struct err *err)
{
    for (size_t i = 0; i < decoded->edits.n; i++) {
        const struct edit *e = &decoded->edits.v[i];
        if (e->end > m->text.len) {
            return err_set(err, ERR_REFUSED, "a change reaches beyond the end of the text");
        }
        if (m->scalar->style == NODE_LITERAL) {
            edit_literal(m, e, arena, out);
            continue;
        }
        size_t end = e->end > e->begin ? m->stop[e->end - 1] : m->start[e->begin];
        splice_add(out, m->start[e->begin], end,
                   quoted(m, e->text, m->start[e->begin], end, arena));
    }
    return 0;
}
