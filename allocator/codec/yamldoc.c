#include "allocator/codec/yamldoc.h"

#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "allocator/base/vec.h"

#include <assert.h>
#include <stdlib.h>
#include <yaml.h>

struct anchor {
    const char *name;
    struct node *node;
    size_t size;   /* nodes, aliases inside counted in full */
    size_t height; /* levels */
};

struct frame { /* a collection under construction */
    struct node *node;
    struct node *key; /* map: waits for its value */
    VEC(struct node_pair) pairs;
    VEC(struct node *) items;
    size_t size, height;
};

struct reader {
    yaml_parser_t parser;
    struct arena *arena;
    struct span text;  /* without BOM */
    size_t base;       /* bytes of the BOM */
    size_t chars, bytes; /* a pair of places that correspond: marks count characters, we count bytes */
    bool is_ascii;
    struct frame frames[LIMIT_DEPTH + 1];
    size_t depth;
    VEC(struct anchor) anchors;
    struct node *root;
    VEC(struct yamldoc) docs;
};

/* ---- places */

static bool is_continuation(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

/* Marks come nearly in order, so walking from the last place is cheap. */
static size_t to_byte(struct reader *r, size_t index)
{
    if (r->is_ascii) {
        return index;
    }
    while (r->chars < index && r->bytes < r->text.len) {
        r->bytes++;
        while (r->bytes < r->text.len && is_continuation(r->text.p[r->bytes])) {
            r->bytes++;
        }
        r->chars++;
    }
    while (r->chars > index) {
        do {
            r->bytes--;
        } while (is_continuation(r->text.p[r->bytes]));
        r->chars--;
    }
    return r->bytes;
}

static bool is_ascii(struct span s)
{
    for (size_t i = 0; i < s.len; i++) {
        if ((unsigned char)s.p[i] >= 0x80) {
            return false;
        }
    }
    return true;
}

/* A block scalar's mark lies behind its trailing line breaks and blank lines; its text ends before them. */
static size_t trim_breaks(const struct reader *r, size_t begin, size_t end)
{
    for (;;) {
        size_t line = end;
        while (line > begin && (r->text.p[line - 1] == ' ' || r->text.p[line - 1] == '\t')) {
            line--;
        }
        if (line == begin || (r->text.p[line - 1] != '\n' && r->text.p[line - 1] != '\r')) {
            return end;
        }
        end = line - 1;
        if (end > begin && r->text.p[end] == '\n' && r->text.p[end - 1] == '\r') {
            end--;
        }
    }
}

static int fail_at(const struct reader *r, yaml_mark_t mark, int code, struct err *err, const char *what)
{
    (void)r;
    return err_set(err, code, "line %zu, column %zu: %s", mark.line + 1, mark.column + 1, what);
}

/* ---- nodes */

static struct node *new_node(struct reader *r, enum node_type type, enum node_style style, const yaml_event_t *e)
{
    struct node *n = arena_zalloc(r->arena, sizeof(*n));

    n->type = type;
    n->style = style;
    n->line = (unsigned)e->start_mark.line + 1;
    n->column = (unsigned)e->start_mark.column;
    n->begin = r->base + to_byte(r, e->start_mark.index);
    n->end = r->base + to_byte(r, e->end_mark.index);
    return n;
}

static bool is_null_word(struct span s)
{
    return s.len == 0 || span_is(s, "~") || span_is(s, "null") || span_is(s, "Null") || span_is(s, "NULL");
}

static enum node_style scalar_style(yaml_scalar_style_t style)
{
    switch (style) {
    case YAML_SINGLE_QUOTED_SCALAR_STYLE:
        return NODE_SINGLE;
    case YAML_DOUBLE_QUOTED_SCALAR_STYLE:
        return NODE_DOUBLE;
    case YAML_LITERAL_SCALAR_STYLE:
        return NODE_LITERAL;
    case YAML_FOLDED_SCALAR_STYLE:
        return NODE_FOLDED;
    case YAML_ANY_SCALAR_STYLE:
    case YAML_PLAIN_SCALAR_STYLE:
        break;
    }
    return NODE_PLAIN;
}

/* Core tags say what plain readers find out themselves; !!str and '!' make text of anything. Others mean nothing to us. */
static int check_tag(struct reader *r, const yaml_event_t *e, const char *tag, bool *out_is_text, struct err *err)
{
    static const char prefix[] = "tag:yaml.org,2002:";
    static const char *const core[] = { "int", "float", "bool", "null", "map", "seq", "str" };

    *out_is_text = false;
    if (tag == NULL) {
        return 0;
    }
    if (strcmp(tag, "!") == 0) {
        *out_is_text = true;
        return 0;
    }
    if (strncmp(tag, prefix, sizeof(prefix) - 1) == 0) {
        for (size_t i = 0; i < COUNT(core); i++) {
            if (strcmp(tag + sizeof(prefix) - 1, core[i]) == 0) {
                *out_is_text = strcmp(core[i], "str") == 0;
                return 0;
            }
        }
    }
    AUTO_STR what = mem_printf("tag %s is not supported", tag);
    return fail_at(r, e->start_mark, ERR_REFUSED, err, what);
}

static int new_scalar(struct reader *r, const yaml_event_t *e, struct node **out, struct err *err)
{
    bool is_text = false;
    int rc = check_tag(r, e, (const char *)e->data.scalar.tag, &is_text, err);

    if (rc < 0) {
        return rc;
    }
    struct node *n = new_node(r, NODE_SCALAR, scalar_style(e->data.scalar.style), e);
    n->text = arena_span(r->arena, span_make((const char *)e->data.scalar.value, e->data.scalar.length));
    if (n->style == NODE_PLAIN && is_text) {
        n->style = NODE_DOUBLE; /* typed as text; a reader of the bytes sees that they are not quoted */
    }
    if (n->style == NODE_PLAIN && is_null_word(n->text)) {
        n->type = NODE_NULL;
    }
    if (n->style == NODE_LITERAL || n->style == NODE_FOLDED) {
        n->end = r->base + trim_breaks(r, n->begin - r->base, n->end - r->base);
    }
    *out = n;
    return 0;
}

/* ---- putting together */

static int add_value(struct reader *r, const yaml_event_t *e, struct node *n, size_t size, size_t height, struct err *err)
{
    if (r->depth == 0) {
        r->root = n;
        return 0;
    }
    struct frame *f = &r->frames[r->depth - 1];
    f->size += size;
    f->height = height + 1 > f->height ? height + 1 : f->height;
    if (f->size > LIMIT_YAML_NODES) {
        return fail_at(r, e->start_mark, ERR_TOO_BIG, err, "document is too big once its aliases are expanded");
    }
    if (r->depth + height > LIMIT_DEPTH) {
        return fail_at(r, e->start_mark, ERR_TOO_BIG, err, "nested too deeply");
    }
    if (f->node->type == NODE_LIST) {
        *vec_push(&f->items) = n;
        return 0;
    }
    if (f->key != NULL) {
        *vec_push(&f->pairs) = (struct node_pair){ .key = f->key, .value = n };
        f->key = NULL;
        return 0;
    }
    if (n->type == NODE_MAP || n->type == NODE_LIST) {
        return fail_at(r, e->start_mark, ERR_REFUSED, err, "a key that is no scalar is not supported");
    }
    f->key = n;
    return 0;
}

static void remember(struct reader *r, const yaml_char_t *anchor, struct node *n, size_t size, size_t height)
{
    if (anchor != NULL) {
        n->anchor = arena_strndup(r->arena, (const char *)anchor, strlen((const char *)anchor));
        *vec_push(&r->anchors) = (struct anchor){ n->anchor, n, size, height };
    }
}

static int on_alias(struct reader *r, const yaml_event_t *e, struct err *err)
{
    for (size_t i = r->anchors.n; i > 0; i--) {
        const struct anchor *a = &r->anchors.v[i - 1];
        if (strcmp(a->name, (const char *)e->data.alias.anchor) == 0) {
            struct node *n = new_node(r, a->node->type, a->node->style, e);
            struct node at = *n;
            *n = *a->node;
            n->is_alias = true;
            n->anchor = NULL;
            n->begin = at.begin;
            n->end = at.end;
            n->line = at.line;
            n->column = at.column;
            return add_value(r, e, n, a->size, a->height, err);
        }
    }
    AUTO_STR what = mem_printf("alias *%s has no anchor before it", (const char *)e->data.alias.anchor);
    return fail_at(r, e->start_mark, ERR_INVALID, err, what);
}

static int begin_collection(struct reader *r, const yaml_event_t *e, struct err *err)
{
    bool is_map = e->type == YAML_MAPPING_START_EVENT, is_text = false;
    bool is_flow = is_map ? e->data.mapping_start.style == YAML_FLOW_MAPPING_STYLE
                          : e->data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE;
    const yaml_char_t *tag = is_map ? e->data.mapping_start.tag : e->data.sequence_start.tag;
    const yaml_char_t *anchor = is_map ? e->data.mapping_start.anchor : e->data.sequence_start.anchor;

    if (r->depth == LIMIT_DEPTH) {
        return fail_at(r, e->start_mark, ERR_TOO_BIG, err, "nested too deeply");
    }
    int rc = check_tag(r, e, (const char *)tag, &is_text, err);
    if (rc < 0) {
        return rc;
    }
    struct frame *f = &r->frames[r->depth++];
    f->node = new_node(r, is_map ? NODE_MAP : NODE_LIST, is_flow ? NODE_FLOW : NODE_BLOCK, e);
    f->node->anchor = anchor == NULL ? NULL : arena_strndup(r->arena, (const char *)anchor, strlen((const char *)anchor));
    f->key = NULL;
    f->size = 1;
    f->height = 1;
    vec_clear(&f->pairs);
    vec_clear(&f->items);
    return 0;
}

static int compare_keys(const void *a, const void *b)
{
    const struct node_pair *x = a, *y = b;
    int c = span_cmp(x->key->text, y->key->text);
    return c != 0 ? c : (x->key->begin > y->key->begin) - (x->key->begin < y->key->begin);
}

/* The second of two equal keys, or NULL. */
static const struct node *duplicate_key(const struct node_pair *pairs, size_t n)
{
    const struct node *found = NULL;
    struct node_pair *sorted = mem_array(n, sizeof(*sorted));

    memcpy(sorted, pairs, n * sizeof(*sorted));
    qsort(sorted, n, sizeof(*sorted), compare_keys);
    for (size_t i = 1; i < n && found == NULL; i++) {
        found = span_eq(sorted[i - 1].key->text, sorted[i].key->text) ? sorted[i].key : NULL;
    }
    mem_free(sorted);
    return found;
}

static int merge_map(struct frame *f, const struct node *from, struct err *err)
{
    if (from->type != NODE_MAP) {
        return err_set(err, ERR_INVALID, "line %u: a merge key (<<) takes a mapping or a list of mappings", from->line);
    }
    for (size_t i = 0; i < from->n; i++) {
        *vec_push(&f->pairs) = (struct node_pair){ from->pairs[i].key, from->pairs[i].value, true };
    }
    return 0;
}

/* Takes the pair '<<' out and puts what it merges behind the map's own pairs. */
static int resolve_merges(struct frame *f, struct err *err)
{
    size_t n = f->pairs.n;

    for (size_t i = 0; i < n; i++) {
        struct node_pair pair = f->pairs.v[i];
        if (pair.key->style != NODE_PLAIN || !span_is(pair.key->text, "<<")) {
            continue;
        }
        memmove(&f->pairs.v[i], &f->pairs.v[i + 1], (f->pairs.n - i - 1) * sizeof(pair));
        f->pairs.n--;
        int rc = pair.value->type == NODE_LIST ? 0 : merge_map(f, pair.value, err);
        for (size_t k = 0; rc == 0 && pair.value->type == NODE_LIST && k < pair.value->n; k++) {
            rc = merge_map(f, pair.value->items[k], err);
        }
        return rc; /* a second one would be a duplicate key */
    }
    return 0;
}

/* The end mark of a block collection is the start of whatever comes next; its real end is that of its last descendant. */
static void set_block_end(const struct frame *f, struct node *n)
{
    if (n->style != NODE_BLOCK) {
        return;
    }
    if (n->type == NODE_MAP && f->pairs.n > 0) {
        n->end = f->pairs.v[f->pairs.n - 1].value->end;
    } else if (n->type == NODE_LIST && f->items.n > 0) {
        n->end = f->items.v[f->items.n - 1]->end;
    } else {
        n->end = n->begin;
    }
}

static int end_collection(struct reader *r, const yaml_event_t *e, struct err *err)
{
    struct frame *f = &r->frames[r->depth - 1];
    struct node *n = f->node;

    if (n->style == NODE_FLOW) {
        n->end = r->base + to_byte(r, e->end_mark.index);
    }
    set_block_end(f, n);
    if (n->type == NODE_MAP) {
        const struct node *twin = f->pairs.n < 2 ? NULL : duplicate_key(f->pairs.v, f->pairs.n);
        if (twin != NULL) {
            return err_set(err, ERR_INVALID, "line %u: key '%.*s' is given twice", twin->line, SPAN_ARG(twin->text));
        }
        int rc = resolve_merges(f, err);
        if (rc < 0) {
            return rc;
        }
        n->n = f->pairs.n;
        n->pairs = arena_alloc(r->arena, n->n * sizeof(*n->pairs));
        if (n->n > 0) {
            memcpy(n->pairs, f->pairs.v, n->n * sizeof(*n->pairs));
        }
    } else {
        n->n = f->items.n;
        n->items = (struct node **)arena_alloc(r->arena, n->n * sizeof(*n->items));
        if (n->n > 0) {
            memcpy((void *)n->items, (const void *)f->items.v, n->n * sizeof(*n->items));
        }
    }
    r->depth--;
    if (n->anchor != NULL) {
        *vec_push(&r->anchors) = (struct anchor){ n->anchor, n, f->size, f->height };
    }
    return add_value(r, e, n, f->size, f->height, err);
}

static int on_scalar(struct reader *r, const yaml_event_t *e, struct err *err)
{
    struct node *n = NULL;
    int rc = new_scalar(r, e, &n, err);

    if (rc < 0) {
        return rc;
    }
    remember(r, e->data.scalar.anchor, n, 1, 1);
    return add_value(r, e, n, 1, 1, err);
}

/* ---- documents */

static void begin_document(struct reader *r, const yaml_event_t *e)
{
    bool is_first = r->docs.n == 0;
    size_t begin = is_first ? 0 : r->base + to_byte(r, e->start_mark.index);

    if (!is_first) {
        r->docs.v[r->docs.n - 1].end = begin;
    }
    *vec_push(&r->docs) = (struct yamldoc){ .begin = begin, .end = r->base + r->text.len,
                                            .line = is_first ? 1 : (unsigned)e->start_mark.line + 1 };
    r->root = NULL;
    vec_clear(&r->anchors);
}

static int on_event(struct reader *r, const yaml_event_t *e, struct err *err)
{
    switch (e->type) {
    case YAML_DOCUMENT_START_EVENT:
        begin_document(r, e);
        return 0;
    case YAML_DOCUMENT_END_EVENT:
        r->docs.v[r->docs.n - 1].root = r->root;
        return 0;
    case YAML_ALIAS_EVENT:
        return on_alias(r, e, err);
    case YAML_SCALAR_EVENT:
        return on_scalar(r, e, err);
    case YAML_SEQUENCE_START_EVENT:
    case YAML_MAPPING_START_EVENT:
        return begin_collection(r, e, err);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        return end_collection(r, e, err);
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
        break;
    }
    return 0;
}

static int fail_parser(const struct reader *r, struct err *err)
{
    const yaml_parser_t *p = &r->parser;
    const char *problem = p->problem == NULL ? "not YAML" : p->problem;

    if (p->error == YAML_READER_ERROR) {
        return err_set(err, ERR_INVALID, "byte %zu: %s", r->base + p->problem_offset, problem);
    }
    return err_set(err, ERR_INVALID, "line %zu, column %zu: %s", p->problem_mark.line + 1, p->problem_mark.column + 1, problem);
}

static int run(struct reader *r, struct err *err)
{
    for (;;) {
        yaml_event_t e;
        if (yaml_parser_parse(&r->parser, &e) != 1) {
            return fail_parser(r, err);
        }
        bool is_end = e.type == YAML_STREAM_END_EVENT;
        int rc = on_event(r, &e, err);
        yaml_event_delete(&e);
        if (rc < 0 || is_end) {
            return rc;
        }
    }
}

/* JSON is read as JSON: libyaml does not know escaped surrogates, and is slower. */
static bool read_as_json(struct span text, struct arena *arena, struct yamldoc **out_docs, size_t *out_n)
{
    size_t i = 0;

    while (i < text.len && strchr(" \t\r\n", text.p[i]) != NULL) {
        i++;
    }
    if (i == text.len || (text.p[i] != '{' && text.p[i] != '[')) {
        return false;
    }
    struct yamldoc *doc = arena_zalloc(arena, sizeof(*doc));
    *doc = (struct yamldoc){ .end = text.len, .line = 1 };
    if (node_from_json(text, 0, arena, &doc->root, NULL) < 0) {
        return false;
    }
    *out_docs = doc;
    *out_n = 1;
    return true;
}

int yamldoc_parse_all(struct span text, struct arena *arena, struct yamldoc **out_docs, size_t *out_n, struct err *err)
{
    if (text.len > LIMIT_DOCUMENT_BYTES) {
        return err_set(err, ERR_TOO_BIG, "document of more than %zu bytes", LIMIT_DOCUMENT_BYTES);
    }
    if (read_as_json(text, arena, out_docs, out_n)) {
        return 0;
    }
    struct reader *r = mem_zalloc(sizeof(*r));
    r->arena = arena;
    r->base = span_has_prefix(text, "\xef\xbb\xbf") ? 3 : 0;
    r->text = span_from(text, r->base);
    r->is_ascii = is_ascii(r->text);
    int rc = yaml_parser_initialize(&r->parser) == 1 ? 0 : err_set(err, ERR_IO, "libyaml cannot start");
    if (rc == 0) {
        yaml_parser_set_encoding(&r->parser, YAML_UTF8_ENCODING);
        yaml_parser_set_input_string(&r->parser, (const unsigned char *)(r->text.p == NULL ? "" : r->text.p), r->text.len);
        rc = run(r, err);
        yaml_parser_delete(&r->parser);
    }
    if (rc == 0) {
        *out_n = r->docs.n;
        *out_docs = arena_alloc(arena, (r->docs.n + 1) * sizeof(**out_docs));
        if (r->docs.n > 0) {
            memcpy(*out_docs, r->docs.v, r->docs.n * sizeof(**out_docs));
        }
    }
    for (size_t i = 0; i <= LIMIT_DEPTH; i++) {
        vec_fini(&r->frames[i].pairs);
        vec_fini(&r->frames[i].items);
    }
    vec_fini(&r->anchors);
    vec_fini(&r->docs);
    mem_free(r);
    return rc;
}

int yamldoc_parse(struct span text, struct arena *arena, struct node **out, struct err *err)
{
    struct yamldoc *docs = NULL;
    size_t n = 0;
    int rc = yamldoc_parse_all(text, arena, &docs, &n, err);

    if (rc < 0) {
        return rc;
    }
    if (n > 1) {
        return err_set(err, ERR_INVALID, "line %u: more than one document", docs[1].line);
    }
    *out = n == 0 ? NULL : docs[0].root;
    return 0;
}
