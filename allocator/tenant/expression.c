#include "allocator/tenant/expression.h"

#include "allocator/base/limits.h"
#include "allocator/codec/nodeedit.h"
#include "allocator/codec/yamldoc.h"

#include <assert.h>
#include <ctype.h>
#include <stdlib.h>

#define READING_BYTES 256
#define MAX_ROUNDS 100 /* as the collector */
#define ENV_SCHEME "env"
#define YAML_SCHEME "yaml"
#define DEFAULT_MARK ":-"

/* ---- finding */

static bool is_escaped(struct span text, size_t at)
{
    size_t n = 0;

    while (n < at && text.p[at - n - 1] == '$') {
        n++;
    }
    return n % 2 == 1;
}

/* The last "${" before 'end'. */
static size_t find_open(struct span text, size_t from, size_t end)
{
    for (size_t i = end; i-- > from;) {
        if (text.p[i] == '$' && i + 1 < end && text.p[i + 1] == '{') {
            return i;
        }
    }
    return SIZE_MAX;
}

bool expression_find(struct span text, struct span *out)
{
    if (span_find(text, "${") == SIZE_MAX) {
        return false;
    }
    for (size_t from = 0; from < text.len;) {
        size_t close = span_find(span_from(text, from), "}");
        if (close == SIZE_MAX) {
            return false;
        }
        close += from;
        size_t open = find_open(text, from, close);
        if (open != SIZE_MAX && !is_escaped(text, open)) {
            *out = span_make(text.p + open, close + 1 - open);
            return true;
        }
        from = close + 1;
    }
    return false;
}

/* NOLINTNEXTLINE(misc-no-recursion): documents are at most LIMIT_DEPTH deep. */
const struct node *expression_holder(const struct node *n)
{
    const struct node *found = NULL;
    struct span expression;

    if (n == NULL || (n->canonical != NULL &&
                      span_find(span_make(n->canonical, n->end - n->begin), "${") == SIZE_MAX)) {
        return NULL;
    }
    if (n->type == NODE_SCALAR) {
        return expression_find(n->text, &expression) ? n : NULL;
    }
    for (size_t i = 0; n->type == NODE_LIST && i < n->n && found == NULL; i++) {
        found = expression_holder(n->items[i]);
    }
    for (size_t i = 0; n->type == NODE_MAP && i < n->n && found == NULL; i++) {
        found = expression_holder(n->pairs[i].value);
    }
    return found;
}

/* ---- parts */

struct parts {
    struct span scheme, rest;
};

static struct parts split(struct span expression)
{
    assert(expression.p != NULL);
    struct span inner = span_make(expression.p + 2, expression.len - 3);
    size_t colon = span_find(inner, ":");

    return colon == SIZE_MAX
               ? (struct parts){ SPAN_LIT(ENV_SCHEME), inner }
               : (struct parts){ span_make(inner.p, colon), span_from(inner, colon + 1) };
}

static bool is_scheme(struct span s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (!isalpha((unsigned char)s.p[i]) &&
            (i == 0 || (!isdigit((unsigned char)s.p[i]) && strchr("+.-", s.p[i]) == NULL))) {
            return false;
        }
    }
    return s.len > 1;
}

static bool is_variable(struct span s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (!isalpha((unsigned char)s.p[i]) && s.p[i] != '_' &&
            (i == 0 || !isdigit((unsigned char)s.p[i]))) {
            return false;
        }
    }
    return s.len > 0;
}

/* "X:-d" → "X" and "d"; no default: p == NULL. */
static struct span split_default(struct span rest, struct span *out_default)
{
    size_t at = span_find(rest, DEFAULT_MARK);

    *out_default =
        at == SIZE_MAX ? (struct span){ NULL, 0 } : span_from(rest, at + strlen(DEFAULT_MARK));
    return at == SIZE_MAX ? rest : span_make(rest.p, at);
}

const char *expression_flaw(struct span expression)
{
    struct parts p = split(expression);
    struct span preset;

    if (!is_scheme(p.scheme)) {
        return "is not an expression that a collector knows";
    }
    if (span_find(p.rest, "$") != SIZE_MAX) {
        return "holds a '$', which no collector takes";
    }
    if (span_is(p.scheme, ENV_SCHEME) && !is_variable(split_default(p.rest, &preset))) {
        return "names no variable";
    }
    return NULL;
}

/* ---- the environment */

static int by_name(const void *a, const void *b)
{
    const struct variable *x = a, *y = b;

    return span_cmp(x->name, y->name);
}

void environment_read(const struct node *spec, struct arena *arena, struct environment *out)
{
    const struct node *list = node_get(spec, "env"), *from = node_get(spec, "envFrom");
    size_t n = list != NULL && list->type == NODE_LIST ? list->n : 0;
    struct variable *v = arena_alloc(arena, (n + 1) * sizeof(*v));

    *out = (struct environment){ .variables = v, .left = arena_alloc(arena, sizeof(size_t)) };
    *out->left = LIMIT_FILLED_BYTES;
    out->is_open = !node_is_null(from) && !(from->type == NODE_LIST && from->n == 0);
    out->is_broken = !node_is_null(list) && list->type != NODE_LIST;
    for (size_t i = 0; i < n; i++) {
        v[out->n].entry = list->items[i];
        if (node_as_text(node_get(list->items[i], "name"), &v[out->n].name)) {
            out->n++;
        } else {
            out->is_broken = true;
        }
    }
    qsort(v, out->n, sizeof(*v), by_name);
}

enum setting { SETTING_KNOWN, SETTING_NONE, SETTING_ELSEWHERE, SETTING_UNKNOWN };

/* Kubernetes sets some for each Service of the namespace ("A_SERVICE_HOST", "A_PORT",
 * "A_PORT_80_TCP"), the operator and the image others. */
static bool may_be_set_elsewhere(struct span name)
{
    static const char *const others[] = { "HOSTNAME", "HOME", "PATH", "PWD", "POD_NAME", "SHARD",
                                          "SHLVL",    "TERM", "LANG", "TZ",  "USER",     NULL };
    struct span tail = name.len < 6 ? name : span_from(name, name.len - 6);

    return span_is_one_of(name, others) || span_has_suffix(name, "_SERVICE_HOST") ||
           span_has_suffix(name, "_PORT") || span_find(name, "_SERVICE_PORT") != SIZE_MAX ||
           span_find(name, "_PORT_") != SIZE_MAX || span_is_nocase(tail, "_PROXY") ||
           span_has_prefix(name, "KUBERNETES_") || span_has_prefix(name, "OTEL") ||
           span_has_prefix(name, "GO") || span_has_prefix(name, "SSL_CERT_");
}

static enum setting look_up(const struct environment *e, struct span name, struct span *out)
{
    const struct variable key = { .name = name };
    const struct variable *found =
        e->n == 0 ? NULL : bsearch(&key, e->variables, e->n, sizeof(key), by_name);

    if (e->is_broken) {
        return SETTING_UNKNOWN;
    }
    if (found == NULL) {
        return e->is_open                   ? SETTING_UNKNOWN
               : may_be_set_elsewhere(name) ? SETTING_ELSEWHERE
                                            : SETTING_NONE;
    }
    bool is_twice = (found > e->variables && span_eq(found[-1].name, name)) ||
                    (found + 1 < e->variables + e->n && span_eq(found[1].name, name));
    bool is_plain = !is_twice && node_is_null(node_get(found->entry, "valueFrom")) &&
                    node_as_text(node_get(found->entry, "value"), out);
    return is_plain ? SETTING_KNOWN : SETTING_UNKNOWN;
}

const char *expression_gap(const struct environment *e, struct span expression)
{
    struct parts p = split(expression);
    struct span preset, value;

    if (expression_flaw(expression) != NULL) {
        return expression_flaw(expression);
    }
    if (!span_is(p.scheme, ENV_SCHEME)) {
        return "is read where each collector runs";
    }
    if (*e->left == 0) {
        return "is one of too many, or of too long ones";
    }
    switch (look_up(e, split_default(p.rest, &preset), &value)) {
    case SETTING_KNOWN:
        return "has a value that YAML reads as something else";
    case SETTING_NONE:
        return preset.p == NULL ? "is set nowhere"
                                : "has a default that YAML reads as something else";
    case SETTING_ELSEWHERE:
        return "may be set by Kubernetes, the operator or the image";
    case SETTING_UNKNOWN:
        break;
    }
    return e->is_open ? "may be set by spec.envFrom" : "is no plain value of spec.env";
}

/* ---- values */

bool expression_is_canonical(struct span s)
{
    size_t at = s.len > 0 && s.p[0] == '-' ? 1 : 0, n = s.len - at;

    if (span_is(s, "true") || span_is(s, "false")) {
        return true;
    }
    for (size_t i = at; i < s.len; i++) {
        if (!isdigit((unsigned char)s.p[i])) {
            return false;
        }
    }
    return n > 0 && (s.p[at] != '0' || (n == 1 && at == 0));
}

static bool is_dated(struct span s)
{
    return s.len > 7 && isdigit((unsigned char)s.p[0]) && isdigit((unsigned char)s.p[1]) &&
           isdigit((unsigned char)s.p[2]) && isdigit((unsigned char)s.p[3]) && s.p[4] == '-';
}

/* Does every reader of YAML take this plain scalar for what it is written as? */
static bool is_clear(const struct node *n)
{
    double real;
    bool truth;
    int64_t number;

    if (n->style != NODE_PLAIN || expression_is_canonical(n->text)) {
        return true;
    }
    bool is_typed = node_as_int(n, &number) || node_as_double(n, &real) || node_as_bool(n, &truth);
    struct span end = n->text.len < 4 ? n->text : span_from(n->text, n->text.len - 4);
    return !is_typed && !is_dated(n->text) && !span_is_nocase(end, ".inf") &&
           !span_is_nocase(end, ".nan");
}

/* NOLINTNEXTLINE(misc-no-recursion): documents are at most LIMIT_DEPTH deep. */
static bool is_all_clear(const struct node *n)
{
    bool is = n->type != NODE_NULL && n->anchor == NULL && !n->is_alias &&
              (n->type != NODE_SCALAR || is_clear(n));

    for (size_t i = 0; n->type == NODE_LIST && i < n->n && is; i++) {
        is = is_all_clear(n->items[i]);
    }
    for (size_t i = 0; n->type == NODE_MAP && i < n->n && is; i++) {
        is = !n->pairs[i].is_merged && is_all_clear(n->pairs[i].value);
    }
    return is;
}

/* NOLINTNEXTLINE(misc-no-recursion): documents are at most LIMIT_DEPTH deep. */
static void place(struct node *n, const struct node *at)
{
    n->line = at->line;
    n->begin = n->end = 0;
    for (size_t i = 0; n->type == NODE_LIST && i < n->n; i++) {
        place(n->items[i], at);
    }
    for (size_t i = 0; n->type == NODE_MAP && i < n->n; i++) {
        n->pairs[i].key->line = at->line;
        place(n->pairs[i].value, at);
    }
}

static struct node *new_text(struct span text, enum node_style style, const struct node *at,
                             struct arena *arena)
{
    struct node *n = arena_zalloc(arena, sizeof(*n));

    *n = (struct node){ .type = NODE_SCALAR, .style = style, .is_json = at->is_json };
    n->line = at->line;
    n->text = text;
    return n;
}

/* What a collector makes of the bytes that a provider gives it; NULL: that depends. */
static struct node *read_value(struct span bytes, const struct node *at, struct arena *arena)
{
    struct node *tree = NULL;

    if (span_find(bytes, "$") != SIZE_MAX || bytes.len > LIMIT_CONFIG_TEXT_BYTES) {
        return NULL;
    }
    if (yamldoc_parse(bytes, arena, &tree, NULL) < 0 || tree == NULL || !is_all_clear(tree)) {
        return NULL;
    }
    if (tree->type != NODE_SCALAR) {
        place(tree, at);
        return tree;
    }
    bool is_verbatim = tree->style == NODE_PLAIN && span_eq(tree->text, bytes);
    return !is_verbatim
               ? NULL
               : new_text(arena_span(arena, bytes),
                          expression_is_canonical(bytes) ? NODE_PLAIN : NODE_DOUBLE, at, arena);
}

/* A value costs what it takes to read it, too. */
static bool spend(const struct environment *e, size_t n_bytes)
{
    if (*e->left < n_bytes + READING_BYTES) {
        *e->left = 0;
        return false;
    }
    *e->left -= n_bytes + READING_BYTES;
    return true;
}

static struct node *evaluate(const struct environment *e, struct span expression,
                             const struct node *at, struct arena *arena)
{
    struct parts p = split(expression);
    struct span preset, value = { NULL, 0 };

    if (expression_flaw(expression) != NULL) {
        return NULL;
    }
    if (span_is(p.scheme, YAML_SCHEME)) {
        bool is_nested = span_find(p.rest, "::") != SIZE_MAX;
        return is_nested || !spend(e, p.rest.len) ? NULL : read_value(p.rest, at, arena);
    }
    if (!span_is(p.scheme, ENV_SCHEME)) {
        return NULL;
    }
    switch (look_up(e, split_default(p.rest, &preset), &value)) {
    case SETTING_KNOWN:
        return spend(e, value.len) ? read_value(value, at, arena) : NULL;
    case SETTING_NONE:
        return preset.p == NULL       ? NULL
               : preset.len == 0      ? new_text(SPAN_LIT(""), NODE_DOUBLE, at, arena)
               : spend(e, preset.len) ? read_value(preset, at, arena)
                                      : NULL;
    case SETTING_ELSEWHERE:
    case SETTING_UNKNOWN:
        break;
    }
    return NULL;
}

/* p == NULL: longer than 'max'. */
static struct span replace_all(struct span text, struct span old, struct span value, size_t max,
                               struct arena *arena)
{
    struct buf out;

    buf_init_in(&out, arena, max + 1);
    for (size_t i = 0; i < text.len;) {
        if (text.len - i >= old.len && memcmp(text.p + i, old.p, old.len) == 0) {
            buf_add_span(&out, value);
            i += old.len;
        } else {
            buf_add_char(&out, text.p[i++]);
        }
    }
    return buf_error(&out) != 0 ? (struct span){ NULL, 0 } : buf_span(&out);
}

static const struct node *fill_text(const struct environment *e, const struct node *n,
                                    struct arena *arena)
{
    struct span text = n->text, expression;

    if (!expression_find(text, &expression)) {
        return n;
    }
    for (size_t i = 0; i < MAX_ROUNDS && expression_find(text, &expression); i++) {
        if (span_find(text, "$${") != SIZE_MAX) {
            return n;
        }
        const struct node *value = evaluate(e, expression, n, arena);
        if (value == NULL) {
            return n;
        }
        if (expression.len == text.len) {
            return value;
        }
        if (value->type != NODE_SCALAR) {
            return n;
        }
        text = replace_all(text, expression, value->text, *e->left, arena);
        if (text.p == NULL || !spend(e, text.len)) {
            return n;
        }
    }
    return expression_find(text, &expression) ? n : new_text(text, NODE_DOUBLE, n, arena);
}

static const struct node *fill(const struct environment *e, const struct node *n,
                               struct arena *arena);

static struct node *as_child(const struct node *n)
{
    return (struct node *)(uintptr_t)n;
}

/* NOLINTNEXTLINE(misc-no-recursion): documents are at most LIMIT_DEPTH deep. */
static const struct node *fill_list(const struct environment *e, const struct node *n,
                                    struct arena *arena)
{
    struct node *copy = NULL;

    for (size_t i = 0; i < n->n; i++) {
        struct node *item = as_child(fill(e, n->items[i], arena));
        if (item != n->items[i] && copy == NULL) {
            copy = nodeedit_copy(arena, n);
        }
        if (copy != NULL) {
            copy->items[i] = item;
        }
    }
    return copy == NULL ? n : copy;
}

/* NOLINTNEXTLINE(misc-no-recursion): documents are at most LIMIT_DEPTH deep. */
static const struct node *fill_map(const struct environment *e, const struct node *n,
                                   struct arena *arena)
{
    struct node *copy = NULL;

    for (size_t i = 0; i < n->n; i++) {
        struct node *value = as_child(fill(e, n->pairs[i].value, arena));
        if (value != n->pairs[i].value && copy == NULL) {
            copy = nodeedit_copy(arena, n);
        }
        if (copy != NULL) {
            copy->pairs[i].value = value;
        }
    }
    return copy == NULL ? n : copy;
}

/* NOLINTNEXTLINE(misc-no-recursion): documents are at most LIMIT_DEPTH deep. */
static const struct node *fill(const struct environment *e, const struct node *n,
                               struct arena *arena)
{
    switch (n->type) {
    case NODE_SCALAR:
        return fill_text(e, n, arena);
    case NODE_LIST:
        return fill_list(e, n, arena);
    case NODE_MAP:
        return fill_map(e, n, arena);
    case NODE_NULL:
        break;
    }
    return n;
}

const struct node *expression_fill(const struct environment *e, const struct node *n,
                                   struct arena *arena)
{
    return expression_holder(n) == NULL ? n : fill(e, n, arena);
}
