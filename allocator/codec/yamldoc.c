#include "allocator/codec/yamldoc.h"

#include "allocator/base/container.h"
#include "allocator/base/hash.h"
#include "allocator/base/mem.h"
#include "allocator/base/table.h"
#include "allocator/codec/jsonscan.h"
#include "allocator/codec/treebuild.h"
#include "allocator/codec/yamlhint.h"
#include "allocator/codec/yamlmerge.h"
#include "allocator/codec/yamlplace.h"
#include "allocator/codec/yamltag.h"

#include <yaml.h>

struct anchor {
    struct table_node entry;
    struct span name;
    const struct node *node;
    struct treebuild_size size;
    bool is_open; /* the value is not complete: an alias to it would contain itself */
};

struct yamldoc_fault {
    unsigned line;
    const char *text;
    const struct node_step *path;
    size_t n_path;
};

enum purpose {
    FOR_CHANGE,  /* the text may be changed in place */
    FOR_SIFTING, /* what is not supported is a fault of its document */
    FOR_READING, /* only what the first document means, to yaml.v2 */
};

struct reader {
    yaml_parser_t parser;
    enum purpose purpose;
    struct node *hole;      /* a collection that is passed over, or NULL */
    unsigned n_hole_levels; /* open ones in it, itself included */
    struct arena *arena;
    struct span text; /* without BOM */
    size_t base;      /* bytes of the BOM */
    struct yamlplace place;
    struct treebuild build;
    size_t
        gap[LIMIT_DEPTH]; /* for each open map: where the white space before its next key begins */
    struct table anchors; /* of this document */
    VEC(struct yamldoc) docs;
};

/* ---- places */

static size_t byte_of(struct reader *r, yaml_mark_t mark)
{
    return yamlplace_byte(&r->place, mark.index);
}

static int fail_at(yaml_mark_t mark, int code, struct err *err, const char *what)
{
    return err_set_at(err, code, (unsigned)mark.line + 1, (unsigned)mark.column + 1, "%s", what);
}

static struct node *new_node(struct reader *r, enum node_type type, const yaml_event_t *e)
{
    struct node *n = arena_zalloc(r->arena, sizeof(*n));

    n->type = type;
    n->line = (unsigned)e->start_mark.line + 1;
    n->column = (unsigned)e->start_mark.column;
    n->begin = r->base + byte_of(r, e->start_mark);
    n->end = r->base + byte_of(r, e->end_mark);
    return n;
}

/* Says more about an error that has just been set. */
static void add_hint(const struct reader *r, struct err *err)
{
    AUTO_BUF hint = { 0 };
    size_t len = err == NULL ? 0 : strlen(err->text);

    if (err == NULL || err->line == 0) {
        return;
    }
    buf_init(&hint, KIB);
    yamlhint_add(r->text, err->line, &hint);
    if (hint.len > 0) {
        snprintf(err->text + len, sizeof(err->text) - len, "%s", hint.p);
    }
}

/* ---- faults of a document */

/* 0 when 'rc' is an error (in 'err') that the document may have: noted, unless there is one. */
static int tolerate(struct reader *r, int rc, struct err *err)
{
    struct yamldoc *doc = r->docs.n == 0 ? NULL : &r->docs.v[r->docs.n - 1];

    if (rc == 0 || r->purpose != FOR_SIFTING || doc == NULL) {
        return rc;
    }
    if (doc->fault == NULL) {
        struct yamldoc_fault *fault = arena_zalloc(r->arena, sizeof(*fault));
        add_hint(r, err);
        const char *what = err->text + err->what;
        fault->line = err->line;
        fault->text = arena_strndup(r->arena, what, strlen(what));
        fault->path = treebuild_path(&r->build, &fault->n_path);
        doc->fault = fault;
    }
    return 0;
}

void yamldoc_report(const struct yamldoc_fault *fault, struct faults *f)
{
    size_t mark = f->path_len;

    for (size_t i = 0; i < fault->n_path; i++) {
        if (fault->path[i].key.p == NULL) {
            faults_push_index(f, fault->path[i].index);
        } else {
            faults_push(f, "%.*s", SPAN_ARG(fault->path[i].key));
        }
    }
    faults_add(f, FAULT_ERROR, fault->line, "%s", fault->text);
    faults_pop(f, mark);
}

/* What stands for a value that cannot be taken. */
static void make_null(struct node *n)
{
    n->type = NODE_NULL;
    n->style = NODE_PLAIN;
    n->n = 0;
    n->text = SPAN_LIT("");
}

static struct node *new_null(struct reader *r, const yaml_event_t *e)
{
    struct node *n = new_node(r, NODE_NULL, e);

    make_null(n);
    return n;
}

static int add(struct reader *r, struct node *n, struct treebuild_size size, struct err *err)
{
    int rc = treebuild_add(&r->build, n, size, err);

    if (rc == 0 || tolerate(r, rc, err) < 0) {
        return rc;
    }
    make_null(n);
    return treebuild_add(&r->build, n, (struct treebuild_size){ 1, 0, 0 }, err);
}

/* ---- anchors */

static bool is_name(const struct table_node *entry, const void *key)
{
    return span_eq(CONTAINER_OF(entry, struct anchor, entry)->name, *(const struct span *)key);
}

static struct anchor *find_anchor(struct reader *r, struct span name)
{
    struct table_node *entry = table_find(&r->anchors, hash_fast(name), is_name, &name);

    return entry == NULL ? NULL : CONTAINER_OF(entry, struct anchor, entry);
}

/* A name may be given again: later aliases mean the later value. */
static void set_anchor(struct reader *r, const yaml_char_t *name, struct node *n, bool is_open)
{
    if (name == NULL) {
        return;
    }
    n->anchor = arena_strndup(r->arena, (const char *)name, strlen((const char *)name));
    struct span key = span_of(n->anchor);
    struct anchor *a = find_anchor(r, key);
    if (a == NULL) {
        a = arena_zalloc(r->arena, sizeof(*a));
        a->name = key;
        table_put(&r->anchors, &a->entry, hash_fast(key));
    }
    a->node = n;
    a->size = (struct treebuild_size){ 1, n->text.len, 0 };
    a->is_open = is_open;
}

static int on_alias(struct reader *r, const yaml_event_t *e, struct err *err)
{
    const char *name = (const char *)e->data.alias.anchor;
    const struct anchor *a = find_anchor(r, span_of(name));
    char what[200];

    if (a == NULL || a->is_open) {
        snprintf(what, sizeof(what), "alias *%.100s %s", name,
                 a == NULL ? "has no anchor before it" : "is inside the value that it names");
        int rc = tolerate(r, fail_at(e->start_mark, ERR_INVALID, err, what), err);
        return rc < 0 ? rc : add(r, new_null(r, e), (struct treebuild_size){ 1, 0, 0 }, err);
    }
    struct node *n = new_node(r, a->node->type, e);
    const struct node place = *n;
    *n = *a->node;
    n->is_alias = true;
    n->anchor = NULL;
    n->line = place.line;
    n->column = place.column;
    n->begin = place.begin;
    n->end = place.end;
    return add(r, n, a->size, err);
}

/* ---- scalars */

static bool is_null_word(struct span s)
{
    return s.len == 0 || span_is(s, "~") || span_is(s, "null") || span_is(s, "Null") ||
           span_is(s, "NULL");
}

static enum node_style style_of(yaml_scalar_style_t style)
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

/* The decoded text, borrowed from the document when it stands there as it is. */
static struct span text_of(struct reader *r, const struct node *n, const yaml_event_t *e)
{
    const struct span value = { (const char *)e->data.scalar.value, e->data.scalar.length };
    size_t quote = n->style == NODE_SINGLE || n->style == NODE_DOUBLE ? 1 : 0;
    size_t end = n->end - r->base;

    if (end - (n->begin - r->base) >= value.len + 2 * quote) {
        const char *there = r->text.p + end - quote - value.len;
        if (value.len == 0 || memcmp(there, value.p, value.len) == 0) {
            return span_make(there, value.len);
        }
    }
    return arena_span(r->arena, value);
}

/* An empty value has no place of its own for libyaml when a flow collection goes on after it. It
 * stands after the colon, on the line of its key (keys have one line). */
static void place_empty(struct reader *r, struct node *n)
{
    const struct treebuild_frame *f = treebuild_top(&r->build);

    if (f == NULL || f->node->type != NODE_MAP || f->key == NULL) {
        return;
    }
    const struct node *key = f->key;
    n->begin = r->base + yamlplace_empty_value(r->text, key->end - r->base, r->text.len);
    n->end = n->begin;
    n->line = key->line;
    n->column =
        key->column + (unsigned)yamlplace_chars(r->text, key->begin - r->base, n->begin - r->base);
}

static int apply_tag(struct reader *r, const yaml_event_t *e, struct node *n, struct err *err)
{
    const char *tag = (const char *)e->data.scalar.tag, *why = NULL;

    if (tag == NULL) {
        return 0;
    }
    int rc = yamltag_apply(n, tag, r->arena, &why);
    return rc < 0 ? tolerate(r, fail_at(e->start_mark, rc, err, why), err) : 0;
}

static int on_scalar(struct reader *r, const yaml_event_t *e, struct err *err)
{
    struct node *n = new_node(r, NODE_SCALAR, e);

    n->style = style_of(e->data.scalar.style);
    if (n->style == NODE_LITERAL || n->style == NODE_FOLDED) {
        n->end = r->base + yamlplace_trim(r->text, n->begin - r->base, n->end - r->base);
    }
    n->text = text_of(r, n, e);
    int rc = apply_tag(r, e, n, err);
    if (rc < 0) {
        return rc;
    }
    if (n->style == NODE_PLAIN && is_null_word(n->text)) {
        n->type = NODE_NULL;
    }
    if (n->begin == n->end) {
        if (treebuild_wants_key(&r->build)) {
            rc = fail_at(e->start_mark, ERR_REFUSED, err, "a key is missing");
            if (tolerate(r, rc, err) < 0) {
                return rc;
            }
        } else {
            place_empty(r, n);
        }
    }
    set_anchor(r, e->data.scalar.anchor, n, false);
    return add(r, n, (struct treebuild_size){ 1, n->text.len, 0 }, err);
}

/* ---- collections */

struct opening { /* what the two kinds of start events have in common */
    bool is_map, is_flow;
    const yaml_char_t *anchor, *tag;
};

static struct opening opening_of(const yaml_event_t *e)
{
    if (e->type == YAML_MAPPING_START_EVENT) {
        return (struct opening){ true, e->data.mapping_start.style == YAML_FLOW_MAPPING_STYLE,
                                 e->data.mapping_start.anchor, e->data.mapping_start.tag };
    }
    return (struct opening){ false, e->data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE,
                             e->data.sequence_start.anchor, e->data.sequence_start.tag };
}

/* The indentation of a block collection, which may stand after an anchor, is where its first key
 * or dash is. Of a list that is not indented libyaml gives the place after the dash. */
static unsigned block_column(const struct reader *r, const struct opening *o, const yaml_event_t *e,
                             size_t content)
{
    bool is_behind_dash = !o->is_map && (content >= r->text.len || r->text.p[content] != '-');

    return (unsigned)e->end_mark.column - (is_behind_dash ? 1 : 0);
}

static int open_collection(struct reader *r, const yaml_event_t *e, struct err *err)
{
    const struct opening o = opening_of(e);

    if (o.tag != NULL && strcmp((const char *)o.tag, YAML_NULL_TAG) == 0) {
        int rc = fail_at(e->start_mark, ERR_REFUSED, err, "a collection is not !!null");
        if (tolerate(r, rc, err) < 0) {
            return rc;
        }
    }
    struct node *n = new_node(r, o.is_map ? NODE_MAP : NODE_LIST, e);
    size_t content = n->end - r->base;
    n->style = o.is_flow ? NODE_FLOW : NODE_BLOCK;
    if (!o.is_flow) {
        n->column = block_column(r, &o, e, content);
    }
    int rc = treebuild_open(&r->build, n, err);
    if (rc < 0) {
        r->hole = n;
        r->n_hole_levels = 1;
        return tolerate(r, rc, err);
    }
    /* [? a: b]: the mark belongs to the map. */
    bool has_question =
        content > 0 && e->end_mark.index > e->start_mark.index && r->text.p[content - 1] == '?';
    r->gap[r->build.depth - 1] = o.is_map && has_question ? content - 1 : content;
    set_anchor(r, o.anchor, n, true);
    return 0;
}

static size_t last_end(const struct reader *r, const struct treebuild_frame *f)
{
    const struct treebuild *b = &r->build;

    if (f->node->type == NODE_MAP) {
        return b->pairs.n > f->first ? b->pairs.v[b->pairs.n - 1].value->end : f->node->begin;
    }
    return b->items.n > f->first ? b->items.v[b->items.n - 1]->end : f->node->begin;
}

static int close_collection(struct reader *r, const yaml_event_t *e, struct err *err)
{
    const struct treebuild_frame *f = treebuild_top(&r->build);
    struct node *n = f->node;
    struct treebuild_size size;

    /* The end mark of a block collection, and of a single pair in a flow list ([a: b]), is the
     * start of whatever comes next; their real end is that of their last descendant. */
    n->end = r->base + byte_of(r, e->end_mark);
    if (n->style == NODE_BLOCK || e->end_mark.index == e->start_mark.index) {
        n->end = last_end(r, f);
    }
    int rc = tolerate(r, treebuild_settle(&r->build, err), err);
    if (rc == 0 && n->type == NODE_MAP) {
        rc = r->purpose == FOR_READING ? yamlmerge_resolve_in_order(n, r->arena, err)
                                       : tolerate(r, yamlmerge_resolve(n, r->arena, err), err);
    }
    treebuild_close(&r->build, &size);
    if (rc == 0 && n->anchor != NULL) {
        struct anchor *a = find_anchor(r, span_of(n->anchor));
        if (a->node == n) { /* else the name was given again inside */
            a->size = size;
            a->is_open = false;
        }
    }
    return rc;
}

/* ---- the gaps between members */

/* "? key" cannot be told from "key" by its events, and a rewriter would cut it in two. */
static int check_key(struct reader *r, const yaml_event_t *e, struct err *err)
{
    const struct treebuild *b = &r->build;
    const struct treebuild_frame *f = &b->frames[b->depth - 1];

    if (r->purpose != FOR_READING &&
        yamlplace_has_question(r->text, r->gap[b->depth - 1], f->key->begin - r->base)) {
        int rc = fail_at(e->start_mark, ERR_REFUSED, err, "a key after '?' is not supported");
        return tolerate(r, rc, err);
    }
    return 0;
}

/* After a scalar, an alias, or the end of a collection was added. */
static int after_value(struct reader *r, const yaml_event_t *e, struct err *err)
{
    const struct treebuild_frame *f = treebuild_top(&r->build);

    if (f == NULL || f->node->type != NODE_MAP) {
        return 0;
    }
    if (f->key != NULL) {
        return check_key(r, e, err);
    }
    size_t end = r->build.pairs.v[r->build.pairs.n - 1].value->end;
    r->gap[r->build.depth - 1] = end - r->base;
    return 0;
}

/* An event inside of a collection that is passed over. */
static int pass_over(struct reader *r, const yaml_event_t *e, struct err *err)
{
    struct node *n = r->hole;

    if (e->type == YAML_SEQUENCE_START_EVENT || e->type == YAML_MAPPING_START_EVENT) {
        r->n_hole_levels++;
    } else if (e->type == YAML_SEQUENCE_END_EVENT || e->type == YAML_MAPPING_END_EVENT) {
        r->n_hole_levels--;
    }
    if (r->n_hole_levels > 0) {
        return 0;
    }
    r->hole = NULL;
    n->end = r->base + byte_of(r, e->end_mark);
    make_null(n);
    int rc = add(r, n, (struct treebuild_size){ 1, 0, 0 }, err);
    return rc < 0 ? rc : after_value(r, e, err);
}

/* ---- documents */

static void begin_document(struct reader *r, const yaml_event_t *e)
{
    struct yamldoc doc = { .end = r->base + r->text.len, .line = 1 };

    if (r->docs.n > 0) {
        doc.begin = r->base + byte_of(r, e->start_mark);
        doc.line = (unsigned)e->start_mark.line + 1;
        r->docs.v[r->docs.n - 1].end = doc.begin;
    }
    *vec_push(&r->docs) = doc;
    treebuild_reset(&r->build);
    table_fini(&r->anchors);
    table_init(&r->anchors);
}

static void end_document(struct reader *r)
{
    struct node *root = r->build.root;
    bool is_empty = root == NULL || (root->type == NODE_NULL && root->begin == root->end);

    r->docs.v[r->docs.n - 1].root = is_empty ? NULL : root;
}

static int on_event(struct reader *r, const yaml_event_t *e, struct err *err)
{
    int rc = 0;

    if (r->hole != NULL) {
        return pass_over(r, e, err);
    }
    switch (e->type) {
    case YAML_DOCUMENT_START_EVENT:
        begin_document(r, e);
        return 0;
    case YAML_DOCUMENT_END_EVENT:
        end_document(r);
        return 0;
    case YAML_SEQUENCE_START_EVENT:
    case YAML_MAPPING_START_EVENT:
        return open_collection(r, e, err);
    case YAML_ALIAS_EVENT:
        rc = on_alias(r, e, err);
        break;
    case YAML_SCALAR_EVENT:
        rc = on_scalar(r, e, err);
        break;
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        rc = close_collection(r, e, err);
        break;
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
        return 0;
    }
    return rc < 0 ? rc : after_value(r, e, err);
}

/* ---- the whole text */

static int fail_byte(struct span text, size_t offset, struct err *err, const char *what)
{
    unsigned line = 1, column = 1;

    for (size_t i = 0; i < offset && i < text.len; i++) {
        line += text.p[i] == '\n';
        column = text.p[i] == '\n' ? 1 : column + (((unsigned char)text.p[i] & 0xc0) != 0x80);
    }
    return err_set_at(err, ERR_INVALID, line, column, "%s", what);
}

static int fail_parser(const struct reader *r, struct err *err)
{
    const yaml_parser_t *p = &r->parser;
    const char *problem = p->problem == NULL ? "not YAML" : p->problem;

    if (p->error == YAML_READER_ERROR) {
        return fail_byte(r->text, p->problem_offset, err, problem);
    }
    if (p->context != NULL && p->context_mark.line != p->problem_mark.line) {
        return err_set_at(err, ERR_INVALID, (unsigned)p->problem_mark.line + 1,
                          (unsigned)p->problem_mark.column + 1, "%s (%s that began in line %zu)",
                          problem, p->context, p->context_mark.line + 1);
    }
    return fail_at(p->problem_mark, ERR_INVALID, err, problem);
}

static int read_events(struct reader *r, struct err *err)
{
    for (;;) {
        yaml_event_t e;
        if (yaml_parser_parse(&r->parser, &e) != 1) {
            return fail_parser(r, err);
        }
        bool is_end = e.type == YAML_STREAM_END_EVENT ||
                      (r->purpose == FOR_READING && e.type == YAML_DOCUMENT_END_EVENT);
        int rc = on_event(r, &e, err);
        yaml_event_delete(&e);
        if (rc < 0 || is_end) {
            return rc;
        }
    }
}

static int parse_yaml(struct reader *r, struct err *err)
{
    if (yaml_parser_initialize(&r->parser) != 1) {
        return err_set(err, ERR_IO, "libyaml cannot start");
    }
    yaml_parser_set_encoding(&r->parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r->parser, (const unsigned char *)r->text.p, r->text.len);
    int rc = read_events(r, err);
    yaml_parser_delete(&r->parser);
    return rc;
}

/* From where on there is something in 'text'. */
static size_t skip_blanks(struct span text, size_t i)
{
    while (i < text.len &&
           (text.p[i] == ' ' || text.p[i] == '\t' || text.p[i] == '\r' || text.p[i] == '\n')) {
        i++;
    }
    return i;
}

static unsigned count_lines(struct span text, size_t from, size_t to)
{
    unsigned n = 0;

    for (size_t i = from; i < to; i++) {
        n += text.p[i] == '\n';
    }
    return n;
}

/* Where the object at 'from' ends; 'from' when it is none. */
static size_t object_end(struct span text, size_t from, struct jsonscan *scan)
{
    struct json_token t;
    struct span object = { NULL, 0 };

    jsonscan_init(scan, span_from(text, from), LIMIT_SKIP_DEPTH);
    bool is_object = jsonscan_next(scan, &t) == JSON_BEGIN_OBJECT &&
                     jsonscan_skip(scan, &object) == JSON_END_OBJECT;
    return is_object ? from + object.len : from;
}

/* JSON is read as JSON: libyaml does not know surrogate pairs, and is slower. Objects may follow
 * each other, as kubectl reads them and jq writes them. What is almost JSON is YAML, or nothing. */
static bool read_as_json(struct reader *r)
{
    struct span text = r->text;
    size_t at = skip_blanks(text, 0);
    struct yamldoc doc = { .line = 1, .end = r->base + text.len };

    if (at < text.len && strchr("{[\"", text.p[at]) != NULL &&
        node_from_json(text, r->base, r->arena, &doc.root, NULL) == 0) {
        *vec_push(&r->docs) = doc;
        return true;
    }
    struct jsonscan *scan = mem_alloc(sizeof(*scan));
    bool is_good = at < text.len;
    for (size_t from = 0; is_good && from < text.len; from = doc.end - r->base) {
        size_t end = object_end(text, at, scan);
        is_good = end > at && node_from_json(span_make(text.p + at, end - at), r->base + at,
                                             r->arena, &doc.root, NULL) == 0;
        at = skip_blanks(text, end);
        doc.begin = from == 0 ? 0 : r->base + from;
        doc.end = r->base + at;
        *vec_push(&r->docs) = doc;
        doc.line += count_lines(text, from, at);
    }
    mem_free(scan);
    if (!is_good) {
        vec_clear(&r->docs);
    }
    return is_good;
}

static int check_text(struct span text, struct err *err)
{
    if (text.len > LIMIT_DOCUMENT_BYTES) {
        return err_set(err, ERR_TOO_BIG, "more than %zu bytes", (size_t)LIMIT_DOCUMENT_BYTES);
    }
    if (span_has_prefix(text, "\xff\xfe") || span_has_prefix(text, "\xfe\xff")) {
        return err_set_at(err, ERR_REFUSED, 1, 1, "the text is UTF-16, but UTF-8 is expected");
    }
    /* libyaml takes it for the end of the text. */
    const char *nul = text.len == 0 ? NULL : memchr(text.p, '\0', text.len);
    return nul == NULL ? 0 : fail_byte(text, (size_t)(nul - text.p), err, "a NUL byte");
}

static int parse_all(struct span text, enum purpose purpose, struct arena *arena,
                     struct yamldoc **out_docs, size_t *out_n, struct err *err)
{
    int rc = check_text(text, err);
    size_t base = span_has_prefix(text, "\xef\xbb\xbf") ? 3 : 0;
    struct span body = text.len == 0 ? SPAN_LIT("") : span_from(text, base);

    if (rc < 0) {
        return rc;
    }
    struct reader *r = mem_zalloc(sizeof(*r));
    r->purpose = purpose;
    r->arena = arena;
    r->base = base;
    r->text = body;
    yamlplace_init(&r->place, body);
    treebuild_init(&r->build, arena);
    r->build.merges_repeat = purpose == FOR_READING;
    rc = read_as_json(r) ? 0 : parse_yaml(r, err);
    if (rc < 0) {
        add_hint(r, err);
    } else {
        *out_n = r->docs.n;
        *out_docs = arena_alloc(arena, r->docs.n * sizeof(**out_docs));
        if (r->docs.n > 0) {
            memcpy(*out_docs, r->docs.v, r->docs.n * sizeof(**out_docs));
        }
    }
    table_fini(&r->anchors);
    treebuild_fini(&r->build);
    vec_fini(&r->docs);
    mem_free(r);
    return rc;
}

int yamldoc_parse_all(struct span text, struct arena *arena, struct yamldoc **out_docs,
                      size_t *out_n, struct err *err)
{
    return parse_all(text, FOR_CHANGE, arena, out_docs, out_n, err);
}

int yamldoc_parse_stream(struct span text, struct arena *arena, struct yamldoc **out_docs,
                         size_t *out_n, struct err *err)
{
    struct err own; /* faults are made of it */

    return parse_all(text, FOR_SIFTING, arena, out_docs, out_n, err == NULL ? &own : err);
}

int yamldoc_parse(struct span text, struct arena *arena, struct node **out, struct err *err)
{
    struct yamldoc *docs = NULL;
    struct node *root = NULL;
    size_t n = 0;
    int rc = yamldoc_parse_all(text, arena, &docs, &n, err);

    if (rc < 0) {
        return rc;
    }
    for (size_t i = 0; i < n; i++) {
        if (docs[i].root != NULL && root != NULL) {
            return err_set_at(err, ERR_INVALID, docs[i].line, 0, "more than one document");
        }
        root = docs[i].root != NULL ? docs[i].root : root;
    }
    *out = root;
    return 0;
}

int yamldoc_read(struct span text, struct arena *arena, struct node **out, struct err *err)
{
    struct yamldoc *docs = NULL;
    size_t n = 0;
    int rc = parse_all(text, FOR_READING, arena, &docs, &n, err);

    if (rc == 0) {
        *out = n == 0 ? NULL : docs[0].root;
    }
    return rc;
}
