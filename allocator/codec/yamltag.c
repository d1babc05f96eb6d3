#include "allocator/codec/yamltag.h"

#include "allocator/base/utf8.h"
#include "allocator/codec/base64.h"

#include <string.h>

#define CORE "tag:yaml.org,2002:"

/* ---- what it looks like */

enum yamltag_kind yamltag_kind_of(struct span text)
{
    static const char *const nulls[] = { "", "~", "null", "Null", "NULL", NULL };
    static const char *const not_finite[] = { ".inf",  ".Inf",  ".INF",  "+.inf", "+.Inf",
                                              "+.INF", "-.inf", "-.Inf", "-.INF", ".nan",
                                              ".NaN",  ".NAN",  NULL };
    const struct node plain = { .type = NODE_SCALAR, .style = NODE_PLAIN, .text = text };
    bool truth;
    double real;

    if (span_is_one_of(text, nulls)) {
        return YAMLTAG_NULL;
    }
    if (node_as_bool(&plain, &truth)) {
        return YAMLTAG_BOOL;
    }
    if (node_is_whole(&plain)) {
        return YAMLTAG_INT;
    }
    return node_as_double(&plain, &real) || span_is_one_of(text, not_finite) ? YAMLTAG_FLOAT
                                                                             : YAMLTAG_TEXT;
}

/* ---- binary */

/* Go's decoder passes over line ends, which folded and literal scalars have. */
static struct span without_line_ends(struct span text, struct arena *arena)
{
    char *out = arena_bytes(arena, text.len + 1);
    size_t n = 0;

    for (size_t i = 0; i < text.len; i++) {
        if (text.p[i] != '\n' && text.p[i] != '\r') {
            out[n++] = text.p[i];
        }
    }
    return span_make(out, n);
}

static int decode(struct node *n, struct arena *arena, const char **out_why)
{
    AUTO_BUF bytes;

    buf_init(&bytes, n->text.len + 1);
    if (base64_decode(without_line_ends(n->text, arena), &bytes, NULL) < 0) {
        *out_why = "!!binary value contains invalid base64 data";
        return ERR_INVALID;
    }
    if (!utf8_is_valid(buf_span(&bytes))) {
        *out_why = "the bytes of a !!binary value are not UTF-8, which is not supported";
        return ERR_INVALID;
    }
    n->text = arena_span(arena, buf_span(&bytes));
    n->style = NODE_DOUBLE;
    return 0;
}

/* ---- tags */

/* Years, months and days, at least: what yaml.v2 takes for a time begins like that. */
static bool is_time(struct span text)
{
    static const char form[] = "dddd-";
    size_t i = 0;

    for (; i < sizeof(form) - 1; i++) {
        char c = i < text.len ? text.p[i] : '\0';
        if (form[i] == 'd' ? c < '0' || c > '9' : c != form[i]) {
            return false;
        }
    }
    return true;
}

static const char *kind_name(enum yamltag_kind kind)
{
    static const char *const names[] = { "!!str", "!!null", "!!bool", "!!int", "!!float" };
    return names[kind];
}

static int refuse(const struct node *n, const char *tag, struct arena *arena, const char **out_why)
{
    int len = n->text.len < 100 ? (int)n->text.len : 100;

    *out_why =
        arena_printf(arena, "cannot decode %s `%.*s` as a !!%s",
                     kind_name(yamltag_kind_of(n->text)), len, len == 0 ? "" : n->text.p, tag);
    return ERR_INVALID;
}

static void make_text(struct node *n)
{
    if (n->style == NODE_PLAIN) {
        n->style = NODE_DOUBLE; /* typed as text; its bytes show that it has no quotes */
    }
}

int yamltag_apply(struct node *n, const char *tag, struct arena *arena, const char **out_why)
{
    static const struct {
        const char *tag;
        enum yamltag_kind kind;
    } typed[] = {
        { "int", YAMLTAG_INT },
        { "float", YAMLTAG_FLOAT },
        { "bool", YAMLTAG_BOOL },
        { "null", YAMLTAG_NULL },
    };
    bool is_core = strncmp(tag, CORE, sizeof(CORE) - 1) == 0;
    const char *name = is_core ? tag + sizeof(CORE) - 1 : "";

    if (strcmp(name, "merge") == 0 && span_is(n->text, "<<")) {
        n->style = NODE_PLAIN;
        return 0;
    }
    if (strcmp(name, "binary") == 0) {
        return decode(n, arena, out_why);
    }
    for (size_t i = 0; i < COUNT(typed); i++) {
        if (strcmp(name, typed[i].tag) == 0) {
            enum yamltag_kind kind = yamltag_kind_of(n->text);
            bool is_right =
                kind == typed[i].kind || (kind == YAMLTAG_INT && typed[i].kind == YAMLTAG_FLOAT);
            n->style = NODE_PLAIN;
            return is_right ? 0 : refuse(n, name, arena, out_why);
        }
    }
    if (strcmp(name, "timestamp") == 0 && !is_time(n->text)) {
        return refuse(n, name, arena, out_why);
    }
    make_text(n);
    return 0;
}
