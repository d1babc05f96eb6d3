/* Texts are made together with what must be found in them: for each value its bytes, its column and
 * its decoded text. A rewriter splices by these places, so none may be wrong. */
#include "allocator/base/mem.h"
#include "allocator/base/vec.h"
#include "allocator/codec/yamldoc.h"
#include "tests/check.h"

#include <stdio.h>
#include <stdlib.h>

struct expect {
    enum node_type type;
    enum node_style style;
    size_t begin, end;
    unsigned column;
    unsigned line;
    bool is_alias;
    size_t text, text_len; /* in 'texts' */
    size_t n;
};

struct maker {
    uint64_t rnd;
    struct buf out, texts;
    const char *nl;
    VEC(struct expect) v; /* in document order; keys before their values */
    unsigned n_keys, n_anchors;
    unsigned line;
    size_t line_start;
    size_t last_end; /* of the value that was completed last */
};

static unsigned pick(struct maker *m, unsigned n)
{
    m->rnd ^= m->rnd << 13;
    m->rnd ^= m->rnd >> 7;
    m->rnd ^= m->rnd << 17;
    return (unsigned)(m->rnd >> 20) % n;
}

static void put(struct maker *m, const char *s)
{
    buf_add_str(&m->out, s);
}

static unsigned column(const struct maker *m)
{
    unsigned n = 0;

    for (size_t i = m->line_start; i < m->out.len; i++) {
        n += ((unsigned char)m->out.p[i] & 0xc0) != 0x80;
    }
    return n;
}

static void put_break(struct maker *m)
{
    put(m, m->nl);
    m->line++;
    m->line_start = m->out.len;
}

static void put_indent(struct maker *m, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        buf_add_char(&m->out, ' ');
    }
}

/* The end of a line, perhaps with a comment, blank lines, lines of comments. */
static void end_line(struct maker *m)
{
    static const char *const tails[] = { "", "", "", " ", "  # c", " # é: ? [x", " # {", " #" };
    put(m, tails[pick(m, 8)]);
    put_break(m);
    if (pick(m, 6) == 0) {
        put(m, pick(m, 2) == 0 ? "" : "   ");
        put_break(m);
    }
    if (pick(m, 8) == 0) {
        put_indent(m, pick(m, 7));
        put(m, "# ? 中 - key: value");
        put_break(m);
    }
}

static size_t begin_value(struct maker *m, enum node_type type, enum node_style style)
{
    struct expect *e = vec_push(&m->v);

    *e = (struct expect){ .type = type,
                          .style = style,
                          .begin = m->out.len,
                          .column = column(m),
                          .line = m->line,
                          .text = m->texts.len };
    return m->v.n - 1;
}

static void end_value(struct maker *m, size_t i)
{
    m->v.v[i].end = m->last_end = m->out.len;
    m->v.v[i].text_len = m->texts.len - m->v.v[i].text;
}

/* A value that is written as 'raw' and means 'text'. */
static void put_scalar(struct maker *m, enum node_type type, enum node_style style, const char *raw,
                       const char *text)
{
    size_t i = begin_value(m, type, style);

    if (pick(m, 12) == 0 && raw[0] != '\0') {
        buf_addf(&m->out, "&a%u ", m->n_anchors++);
    } else if (pick(m, 30) == 0 && raw[0] != '\0' && style != NODE_PLAIN) {
        put(m, "!!str ");
    }
    put(m, raw);
    buf_add_str(&m->texts, text);
    end_value(m, i);
}

static const struct {
    enum node_type type;
    enum node_style style;
    const char *raw, *text;
} scalars[] = {
    { NODE_SCALAR, NODE_PLAIN, "plain", "plain" },
    { NODE_SCALAR, NODE_PLAIN, "12", "12" },
    { NODE_SCALAR, NODE_PLAIN, "true", "true" },
    { NODE_SCALAR, NODE_PLAIN, "two words", "two words" },
    { NODE_SCALAR, NODE_PLAIN, "http://x/é?a=b", "http://x/é?a=b" },
    { NODE_SCALAR, NODE_PLAIN, "a#b", "a#b" },
    { NODE_SCALAR, NODE_PLAIN, "-x", "-x" },
    { NODE_SCALAR, NODE_PLAIN, "中文", "中文" },
    { NODE_SCALAR, NODE_PLAIN, "😀", "😀" },
    { NODE_NULL, NODE_PLAIN, "~", "~" },
    { NODE_NULL, NODE_PLAIN, "null", "null" },
    { NODE_SCALAR, NODE_SINGLE, "''", "" },
    { NODE_SCALAR, NODE_SINGLE, "'it''s # é'", "it's # é" },
    { NODE_SCALAR, NODE_SINGLE, "'null'", "null" },
    { NODE_SCALAR, NODE_SINGLE, "'x: {y'", "x: {y" },
    { NODE_SCALAR, NODE_DOUBLE, "\"\"", "" },
    { NODE_SCALAR, NODE_DOUBLE, "\"a\\n\\u00e9\\\"\"", "a\né\"" },
    { NODE_SCALAR, NODE_DOUBLE, "\"é: ]\"", "é: ]" },
};

static void put_any_scalar(struct maker *m)
{
    unsigned i = pick(m, COUNT(scalars));

    put_scalar(m, scalars[i].type, scalars[i].style, scalars[i].raw, scalars[i].text);
}

static void put_key(struct maker *m)
{
    static const struct {
        enum node_style style;
        const char *before, *after, *text;
    } forms[] = {
        { NODE_PLAIN, "k", "", "k" },      { NODE_SINGLE, "'k", "'", "k" },
        { NODE_DOUBLE, "\"k", "\"", "k" }, { NODE_PLAIN, "é", "", "é" },
        { NODE_PLAIN, "k ", "", "k " },
    };
    unsigned i = pick(m, COUNT(forms)), number = m->n_keys++;
    AUTO_STR raw = mem_printf("%s%u%s", forms[i].before, number, forms[i].after);
    AUTO_STR text = mem_printf("%s%u", forms[i].text, number);

    put_scalar(m, NODE_SCALAR, forms[i].style, raw, text);
}

static void put_alias(struct maker *m, const struct expect *target)
{
    size_t i = begin_value(m, target->type, target->style);

    put(m, "*base");
    end_value(m, i);
    m->v.v[i].is_alias = true;
    m->v.v[i].text = target->text;
    m->v.v[i].text_len = target->text_len;
}

/* ---- flow */

static void flow_gap(struct maker *m, unsigned indent)
{
    switch (pick(m, 7)) {
    case 0:
        put(m, " ");
        break;
    case 1:
        put(m, "  ");
        break;
    case 2:
        put(m, " # , } ? : ]");
        put_break(m);
        put_indent(m, indent + 1);
        break;
    case 3:
        put_break(m);
        put_indent(m, indent + 1 + pick(m, 3));
        break;
    default:
        break;
    }
}

static void put_flow(struct maker *m, unsigned depth, unsigned indent);

static void put_flow_pair(struct maker *m, unsigned depth, unsigned indent)
{
    put_key(m);
    if (pick(m, 8) == 0) {
        /* A key alone, or with nothing after its colon. */
        if (pick(m, 2) == 0) {
            put(m, ":");
        }
        size_t i = begin_value(m, NODE_NULL, NODE_PLAIN);
        end_value(m, i);
        put(m, " ");
        return;
    }
    put(m, ": ");
    put_flow(m, depth, indent);
}

/* Scalars that stand alone in a flow collection. */
static void put_flow_scalar(struct maker *m)
{
    unsigned i;

    do {
        i = pick(m, COUNT(scalars));
    } while (strpbrk(scalars[i].raw, "?") != NULL && scalars[i].style == NODE_PLAIN);
    put_scalar(m, scalars[i].type, scalars[i].style, scalars[i].raw, scalars[i].text);
}

static void put_flow(struct maker *m, unsigned depth, unsigned indent)
{
    unsigned kind = depth == 0 ? 0 : pick(m, 4);

    if (kind < 2) {
        put_flow_scalar(m);
        return;
    }
    bool is_map = kind == 2;
    size_t at = begin_value(m, is_map ? NODE_MAP : NODE_LIST, NODE_FLOW);
    put(m, is_map ? "{" : "[");
    unsigned n = pick(m, 4);
    for (unsigned i = 0; i < n; i++) {
        flow_gap(m, indent);
        if (is_map) {
            put_flow_pair(m, depth - 1, indent);
        } else if (pick(m, 5) == 0) {
            size_t pair = begin_value(m, NODE_MAP, NODE_FLOW);
            put_key(m);
            put(m, ": ");
            put_flow(m, depth - 1, indent);
            end_value(m, pair);
            m->v.v[pair].n = 1;
        } else {
            put_flow(m, depth - 1, indent);
        }
        flow_gap(m, indent);
        if (i + 1 < n || pick(m, 6) == 0) {
            put(m, ",");
        }
    }
    flow_gap(m, indent);
    put(m, is_map ? "}" : "]");
    end_value(m, at);
    m->v.v[at].n = n;
}

/* ---- block */

static void put_block_scalar(struct maker *m, unsigned indent)
{
    static const char *const chomps[] = { "", "-", "+" };
    bool is_literal = pick(m, 2) == 0;
    unsigned chomp = pick(m, 3), n = 1 + pick(m, 3), n_blank = pick(m, 3);
    size_t at = begin_value(m, NODE_SCALAR, is_literal ? NODE_LITERAL : NODE_FOLDED);

    buf_addf(&m->out, "%s%s%s", is_literal ? "|" : ">", chomps[chomp],
             pick(m, 4) == 0 ? " # é" : "");
    for (unsigned i = 0; i < n; i++) {
        put_break(m);
        put_indent(m, indent);
        put(m, i == 1 ? "é: # [x" : "line");
        buf_add_str(&m->texts, i == 0 ? "" : is_literal ? "\n" : " ");
        buf_add_str(&m->texts, i == 1 ? "é: # [x" : "line");
    }
    m->v.v[at].end = m->last_end = m->out.len;
    put_break(m);
    for (unsigned i = 0; i < n_blank; i++) {
        put_break(m);
    }
    for (unsigned i = 0; i < (chomp == 0 ? 1 : chomp == 1 ? 0 : 1 + n_blank); i++) {
        buf_add_str(&m->texts, "\n");
    }
    m->v.v[at].text_len = m->texts.len - m->v.v[at].text;
}

static void put_block_map(struct maker *m, unsigned depth, unsigned indent);
static void put_block_list(struct maker *m, unsigned depth, unsigned indent);

/* What stands after "key:" or "-"; the line is ended. 'indent' is that of the key or dash. */
static void put_value(struct maker *m, unsigned depth, unsigned indent, bool is_item)
{
    unsigned kind = pick(m, depth == 0 ? 5 : 10);

    if (kind == 0) {
        size_t i = begin_value(m, NODE_NULL, NODE_PLAIN);
        end_value(m, i);
        end_line(m);
    } else if (kind < 3) {
        put(m, pick(m, 5) == 0 ? "   " : " ");
        put_any_scalar(m);
        end_line(m);
    } else if (kind == 3) {
        put(m, " ");
        put_block_scalar(m, indent + 1 + pick(m, 3));
    } else if (kind == 4) {
        put(m, " ");
        put_flow(m, depth, indent);
        end_line(m);
    } else if (kind == 5 && is_item) {
        put(m, "  ");
        put_block_map(m, depth - 1, indent + 3);
    } else if (kind == 6 && is_item) {
        put(m, " ");
        put_block_list(m, depth - 1, indent + 2);
    } else {
        bool is_map = kind % 2 == 1;
        unsigned more = is_map || is_item ? 1 + pick(m, 3) : pick(m, 3);
        size_t anchor = m->out.len + 1;
        bool has_anchor = pick(m, 5) == 0;
        unsigned line = m->line;
        if (has_anchor) {
            buf_addf(&m->out, " &a%u", m->n_anchors++);
        }
        end_line(m);
        put_indent(m, indent + more);
        size_t at = m->v.n;
        if (is_map) {
            put_block_map(m, depth - 1, indent + more);
        } else {
            put_block_list(m, depth - 1, indent + more);
        }
        if (has_anchor) {
            m->v.v[at].begin = anchor;
            m->v.v[at].line = line;
        }
    }
}

/* The first key or dash stands at the current place, which has column 'indent'. */
static void put_block_map(struct maker *m, unsigned depth, unsigned indent)
{
    size_t at = begin_value(m, NODE_MAP, NODE_BLOCK);
    unsigned n = 1 + pick(m, 3);

    for (unsigned i = 0; i < n; i++) {
        if (i > 0) {
            put_indent(m, indent);
        }
        put_key(m);
        put(m, pick(m, 9) == 0 ? " :" : ":");
        put_value(m, depth, indent, false);
    }
    m->v.v[at].end = m->last_end;
    m->v.v[at].n = n;
}

static void put_block_list(struct maker *m, unsigned depth, unsigned indent)
{
    size_t at = begin_value(m, NODE_LIST, NODE_BLOCK);
    unsigned n = 1 + pick(m, 3);

    for (unsigned i = 0; i < n; i++) {
        if (i > 0) {
            put_indent(m, indent);
        }
        put(m, "-");
        put_value(m, depth, indent, true);
    }
    m->v.v[at].end = m->last_end;
    m->v.v[at].n = n;
}

static void make_document(struct maker *m, uint64_t seed)
{
    m->rnd = seed * 0x9e3779b97f4a7c15ULL + 1;
    buf_clear(&m->out);
    buf_clear(&m->texts);
    vec_clear(&m->v);
    m->n_keys = m->n_anchors = 0;
    m->line = 1;
    m->line_start = 0;
    m->nl = pick(m, 3) == 0 ? "\r\n" : "\n";
    if (pick(m, 5) == 0) {
        put(m, "\xef\xbb\xbf");
        m->line_start = 3;
    }
    if (pick(m, 3) == 0) {
        put(m, "# é {head}");
        put_break(m);
    }
    unsigned kind = pick(m, 4);
    if (kind == 0) {
        put(m, pick(m, 2) == 0 ? "--- " : "");
        put_flow(m, 3, 0);
        put(m, " # end");
    } else {
        if (pick(m, 3) == 0) {
            put(m, "---");
            end_line(m);
        }
        unsigned indent = pick(m, 3);
        put_indent(m, indent);
        if (kind == 1) {
            put_block_list(m, 4, indent);
        } else {
            size_t at = begin_value(m, NODE_MAP, NODE_BLOCK);
            put_scalar(m, NODE_SCALAR, NODE_PLAIN, "zz", "zz");
            put(m, ": ");
            size_t base = begin_value(m, NODE_SCALAR, NODE_DOUBLE);
            put(m, "&base \"b\\x65\"");
            buf_add_str(&m->texts, "be");
            end_value(m, base);
            end_line(m);
            put_indent(m, indent);
            put_scalar(m, NODE_SCALAR, NODE_SINGLE, "'z'", "z");
            put(m, " : ");
            put_alias(m, &m->v.v[base]);
            end_line(m);
            put_indent(m, indent);
            put_key(m);
            put(m, ":");
            put_value(m, 4, indent, false);
            m->v.v[at].end = m->last_end;
            m->v.v[at].n = 3;
        }
    }
}

typedef VEC(const struct node *) nodes;

static void flatten_nodes(const struct node *n, nodes *out)
{
    *vec_push(out) = n;
    for (size_t i = 0; n->type == NODE_LIST && i < n->n; i++) {
        flatten_nodes(n->items[i], out);
    }
    for (size_t i = 0; n->type == NODE_MAP && i < n->n; i++) {
        *vec_push(out) = n->pairs[i].key;
        flatten_nodes(n->pairs[i].value, out);
    }
}

static bool is_as_expected(const struct maker *m, const struct node *n, const struct expect *e)
{
    bool is_scalar = e->type == NODE_SCALAR || e->type == NODE_NULL;
    struct span text = span_make(m->texts.p + e->text, e->text_len);
    bool is_place = n->begin == e->begin && n->end == e->end && n->line == e->line;
    bool is_column = n->column == e->column || (e->style != NODE_BLOCK && e->begin == e->end);

    return n->type == e->type && n->style == e->style && is_place && is_column &&
           n->is_alias == e->is_alias && (is_scalar ? span_eq(n->text, text) : n->n == e->n);
}

static bool check_document(struct maker *m, uint64_t seed)
{
    struct arena arena;
    struct node *root = NULL;
    struct err err = { 0 };
    nodes found = { 0 };
    bool is_good = true;

    make_document(m, seed);
    arena_init(&arena);
    if (yamldoc_parse(buf_span(&m->out), &arena, &root, &err) < 0 || root == NULL) {
        is_good = ok(false, "seed %llu: %s", (unsigned long long)seed, err.text);
    } else {
        flatten_nodes(root, &found);
        is_good = found.n == m->v.n;
        for (size_t i = 0; i < found.n && i < m->v.n; i++) {
            const struct expect *e = &m->v.v[i];
            const struct node *n = found.v[i];
            if (!is_as_expected(m, n, e)) {
                is_good =
                    ok(false,
                       "seed %llu, value %zu: %d/%d [%zu,%zu) line %u column %u, want %d/%d "
                       "[%zu,%zu) line %u column %u '%.*s'",
                       (unsigned long long)seed, i, (int)n->type, (int)n->style, n->begin, n->end,
                       n->line, n->column, (int)e->type, (int)e->style, e->begin, e->end, e->line,
                       e->column, (int)(e->end - e->begin), m->out.p + e->begin);
                break;
            }
        }
    }
    if (!is_good) {
        check_note("%zu values, %zu expected, in:", found.n, m->v.n);
        fwrite(m->out.p, 1, m->out.len, stderr);
    }
    vec_fini(&found);
    arena_fini(&arena);
    return is_good;
}

int main(int argc, char **argv)
{
    struct maker m = { .rnd = 1 };
    uint64_t from = argc > 1 ? strtoull(argv[1], NULL, 10) : 1,
             to = argc > 2 ? strtoull(argv[2], NULL, 10) : 3000;
    uint64_t seed = from;
    size_t n_values = 0;

    buf_init(&m.out, 1 << 20);
    buf_init(&m.texts, 1 << 20);
    while (seed <= to && check_document(&m, seed)) {
        n_values += m.v.n;
        seed++;
    }
    ok(seed > to, "%llu documents, %zu values in their places", (unsigned long long)(seed - from),
       n_values);
    vec_fini(&m.v);
    buf_fini(&m.out);
    buf_fini(&m.texts);
    return check_done();
}
