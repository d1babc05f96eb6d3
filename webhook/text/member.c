#include "webhook/text/member.h"

#include "allocator/base/limits.h"

#include <assert.h>

void text_editor_init(struct text_editor *t, struct span text, struct arena *arena,
                      struct splice *splice)
{
    const char *nl = text.len == 0 ? NULL : memchr(text.p, '\n', text.len);

    *t = (struct text_editor){ .text = text, .arena = arena, .splice = splice };
    t->has_crlf = nl != NULL && nl > text.p && nl[-1] == '\r';
}

const struct node_pair *member_find(const struct node *map, struct span key)
{
    for (size_t i = 0; map != NULL && map->type == NODE_MAP && i < map->n; i++) {
        if (!map->pairs[i].is_merged && span_eq(map->pairs[i].key->text, key)) {
            return &map->pairs[i];
        }
    }
    return NULL;
}

static const struct node_pair *first_pair(const struct node *map)
{
    assert(map != NULL);
    return map->n > 0 && !map->pairs[0].is_merged ? &map->pairs[0] : NULL;
}

enum yamltext_form member_form(const struct text_editor *t, const struct node *map)
{
    const struct node_pair *first = first_pair(map);

    if (map->style == NODE_BLOCK) {
        return YAMLTEXT_BLOCK;
    }
    /* YAML in the manner of JSON ("key":value) is treated as JSON too: quoted keys suit it. */
    if (!map->is_json && (first == NULL || first->key->style != NODE_DOUBLE)) {
        return YAMLTEXT_FLOW;
    }
    bool has_space =
        first != NULL && first->value->begin > 0 && t->text.p[first->value->begin - 1] != ':';
    return has_space ? YAMLTEXT_JSON : YAMLTEXT_JSON_COMPACT;
}

unsigned member_column(const struct node *map)
{
    const struct node_pair *first = first_pair(map);

    return first == NULL ? map->column : first->key->column;
}

struct span member_text(struct text_editor *t, const struct buf *made)
{
    AUTO_BUF text = { 0 };

    if (!t->has_crlf) {
        return arena_span(t->arena, buf_span(made));
    }
    buf_init(&text, LIMIT_DOCUMENT_BYTES);
    for (size_t i = 0; i < made->len; i++) {
        if (made->p[i] == '\n') {
            buf_add_char(&text, '\r');
        }
        buf_add_char(&text, made->p[i]);
    }
    return arena_span(t->arena, buf_span(&text));
}

size_t member_end(const struct node_pair *pair)
{
    return pair->value->end > pair->key->end ? pair->value->end : pair->key->end;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static size_t line_start(const struct text_editor *t, size_t at)
{
    while (at > 0 && t->text.p[at - 1] != '\n') {
        at--;
    }
    return at;
}

/* Is there nothing but indentation in front of 'at'? */
static bool is_first_on_line(const struct text_editor *t, size_t at)
{
    while (at > 0 && t->text.p[at - 1] == ' ') {
        at--;
    }
    return at == 0 || t->text.p[at - 1] == '\n';
}

/* The line break at or after 'at', or the end of the text. */
static size_t line_end(const struct text_editor *t, size_t at)
{
    while (at < t->text.len && t->text.p[at] != '\n') {
        at++;
    }
    return at > 0 && at < t->text.len && t->text.p[at - 1] == '\r' ? at - 1 : at;
}

static size_t skip_blanks(const struct text_editor *t, size_t at)
{
    while (at < t->text.len && is_blank(t->text.p[at])) {
        at++;
    }
    return at;
}

static size_t behind_break(const struct text_editor *t, size_t at)
{
    at += at < t->text.len && t->text.p[at] == '\r' ? 1 : 0;
    return at + (at < t->text.len && t->text.p[at] == '\n' ? 1 : 0);
}

static struct span join(struct text_editor *t, struct span a, struct span b, struct span c)
{
    AUTO_BUF text = { 0 };

    buf_init(&text, LIMIT_DOCUMENT_BYTES);
    buf_add_span(&text, a);
    buf_add_span(&text, b);
    buf_add_span(&text, c);
    return arena_span(t->arena, buf_span(&text));
}

static struct span line_break(const struct text_editor *t)
{
    return t->has_crlf ? SPAN_LIT("\r\n") : SPAN_LIT("\n");
}

void member_replace(struct text_editor *t, const struct node_pair *pair, struct span text)
{
    splice_add(t->splice, pair->key->begin, member_end(pair), text);
}

static void insert_flow(struct text_editor *t, const struct node *map, struct span text)
{
    const struct node_pair *first = first_pair(map);
    size_t open = map->begin;

    /* The map may begin with an anchor or a tag. */
    while (open < map->end && t->text.p[open] != '{') {
        open++;
    }
    size_t at = first == NULL ? open + 1 : first->key->begin;
    struct span gap = span_make(t->text.p + open + 1, at - open - 1);
    bool is_json_compact = member_form(t, map) == YAMLTEXT_JSON_COMPACT;
    bool has_break = gap.len > 0 && memchr(gap.p, '\n', gap.len) != NULL;
    struct span none = { "", 0 };
    if (first == NULL) {
        /* With a merge key alone something comes after it. */
        splice_add(t->splice, at, at, map->n == 0 ? text : join(t, text, SPAN_LIT(", "), none));
    } else if (has_break) {
        splice_add(t->splice, at, at, join(t, text, SPAN_LIT(","), gap));
    } else {
        splice_add(t->splice, at, at,
                   join(t, text, is_json_compact ? SPAN_LIT(",") : SPAN_LIT(", "), none));
    }
}

/* Puts 'text' in front of the first member. ERR_REFUSED where that cannot be written. */
static int member_insert(struct text_editor *t, const struct node *map, struct span text,
                         struct err *err)
{
    const struct node_pair *first = first_pair(map);

    if (map->style != NODE_BLOCK) {
        insert_flow(t, map, text);
        return 0;
    }
    size_t at = first == NULL ? map->begin : first->key->begin;
    if (!is_first_on_line(t, at)) {
        return err_set_at(err, ERR_REFUSED, map->line, 0, "there is no place for a new member");
    }
    size_t start = line_start(t, at);
    /* In front of the key, not of its line: then the place is one of the map's own. */
    splice_add(t->splice, at, at,
               join(t, text, line_break(t), span_make(t->text.p + start, at - start)));
    return 0;
}

void member_append(struct text_editor *t, const struct node *map, struct span text)
{
    if (map->style != NODE_BLOCK) {
        insert_flow(t, map, text);
        return;
    }
    size_t at = line_end(t, map->end);
    struct span indent = span_of(arena_printf(t->arena, "%*s", (int)member_column(map), ""));
    splice_add(t->splice, at, at, join(t, line_break(t), indent, text));
}

static void remove_flow(struct text_editor *t, const struct node *map, const struct node_pair *pair)
{
    size_t i = (size_t)(pair - map->pairs);
    bool has_next = i + 1 < map->n && !map->pairs[i + 1].is_merged;

    if (i > 0) {
        splice_add(t->splice, member_end(&map->pairs[i - 1]), member_end(pair), SPAN_LIT(""));
    } else {
        splice_add(t->splice, pair->key->begin,
                   has_next ? map->pairs[i + 1].key->begin : member_end(pair), SPAN_LIT(""));
    }
}

int member_remove(struct text_editor *t, const struct node *map, const struct node_pair *pair,
                  struct err *err)
{
    if (map->style != NODE_BLOCK) {
        remove_flow(t, map, pair);
        return 0;
    }
    if (!is_first_on_line(t, pair->key->begin)) {
        return err_set_at(err, ERR_REFUSED, pair->key->line, 0, "'%.*s' does not begin its line",
                          SPAN_ARG(pair->key->text));
    }
    size_t begin = line_start(t, pair->key->begin);
    size_t rest = skip_blanks(t, member_end(pair));
    if (rest != line_end(t, rest)) {
        /* A comment follows: it stays, where the key was. */
        splice_add(t->splice, pair->key->begin, rest, SPAN_LIT(""));
    } else if (begin > 0) {
        /* With the line break in front: the one after it may be missing, or belong to the next
         * removal. Where they differ, the one in front stays. */
        bool is_crlf = begin > 1 && t->text.p[begin - 2] == '\r', is_end = rest == t->text.len;
        bool is_next = !is_end && t->text.p[rest] == '\r';
        begin -= is_crlf && (is_next || is_end) ? 2 : 1;
        splice_add(t->splice, begin, rest + (is_next && !is_crlf ? 1 : 0), SPAN_LIT(""));
    } else {
        splice_add(t->splice, begin, behind_break(t, rest), SPAN_LIT(""));
    }
    return 0;
}

int member_set(struct text_editor *t, const struct node *map, struct span key,
               const struct node *value, struct err *err)
{
    const struct node_pair *pair = member_find(map, key);
    unsigned column = member_column(map);
    AUTO_BUF made = { 0 };

    if (value == NULL) {
        return pair == NULL ? 0 : member_remove(t, map, pair, err);
    }
    buf_init(&made, LIMIT_DOCUMENT_BYTES);
    yamltext_member(key, value, member_form(t, map), column, column, &made);
    struct span text = member_text(t, &made);
    if (pair != NULL) {
        member_replace(t, pair, text);
        return 0;
    }
    return member_insert(t, map, text, err);
}
