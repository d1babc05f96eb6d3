/* JSON text → node tree. */
#include "allocator/base/mem.h"
#include "allocator/codec/jsonscan.h"
#include "allocator/codec/node.h"
#include "allocator/codec/treebuild.h"

struct reader {
    struct jsonscan scan;
    struct treebuild build;
    struct span text;
    size_t base;
    size_t place; /* how far lines and columns are counted */
    unsigned line, column;
};

/* Counts lines and characters up to 'offset'; offsets only grow. */
static void count_to(struct reader *r, size_t offset)
{
    for (; r->place < offset; r->place++) {
        char c = r->text.p[r->place];
        if (c == '\n') {
            r->line++;
            r->column = 0;
        } else if (((unsigned char)c & 0xc0) != 0x80) {
            r->column++;
        }
    }
}

static struct node *new_node(struct reader *r, const struct json_token *t, enum node_type type,
                             enum node_style style)
{
    struct node *n = arena_zalloc(r->build.arena, sizeof(*n));

    count_to(r, (size_t)t->begin);
    n->type = type;
    n->style = style;
    n->is_json = true;
    n->line = r->line;
    n->column = r->column;
    n->begin = r->base + (size_t)t->begin;
    n->end = r->base + (size_t)t->end;
    return n;
}

static int add_scalar(struct reader *r, const struct json_token *t, struct err *err)
{
    bool is_text = t->event == JSON_TEXT || t->event == JSON_KEY;
    struct node *n = new_node(r, t, t->event == JSON_NULL_VALUE ? NODE_NULL : NODE_SCALAR,
                              is_text ? NODE_DOUBLE : NODE_PLAIN);

    bool is_literal = !is_text || (!t->has_escapes && jsonscan_is_literal(t->raw));
    n->text = is_literal ? t->raw : jsonscan_unescape(t->raw, r->build.arena);
    return treebuild_add(&r->build, n, (struct treebuild_size){ 1, n->text.len, 0 }, err);
}

static int close_collection(struct reader *r, const struct json_token *t, struct err *err)
{
    struct treebuild_size size;

    treebuild_top(&r->build)->node->end = r->base + (size_t)t->end;
    int rc = treebuild_settle(&r->build, err);
    treebuild_close(&r->build, &size);
    return rc;
}

static int on_token(struct reader *r, const struct json_token *t, struct err *err)
{
    switch (t->event) {
    case JSON_BEGIN_OBJECT:
        return treebuild_open(&r->build, new_node(r, t, NODE_MAP, NODE_FLOW), err);
    case JSON_BEGIN_ARRAY:
        return treebuild_open(&r->build, new_node(r, t, NODE_LIST, NODE_FLOW), err);
    case JSON_END_OBJECT:
    case JSON_END_ARRAY:
        return close_collection(r, t, err);
    case JSON_KEY:
    case JSON_TEXT:
    case JSON_NUMBER:
    case JSON_TRUE_VALUE:
    case JSON_FALSE_VALUE:
    case JSON_NULL_VALUE:
        return add_scalar(r, t, err);
    case JSON_DONE:
    case JSON_FAULT:
        break;
    }
    count_to(r, (size_t)jsonscan_fault_offset(&r->scan));
    return err_set(err, ERR_INVALID, "line %u, %s", r->line, jsonscan_error(&r->scan));
}

int node_from_json(struct span text, size_t base, struct arena *arena, struct node **out,
                   struct err *err)
{
    struct reader *r = mem_alloc(sizeof(*r));
    struct json_token t;
    int rc = 0;

    treebuild_init(&r->build, arena);
    r->text = text;
    r->base = base;
    r->place = 0;
    r->line = 1;
    r->column = 0;
    jsonscan_init(&r->scan, text, LIMIT_DEPTH + 1); /* the builder refuses first */
    while (rc == 0) {
        t.event = jsonscan_next(&r->scan, &t);
        if (t.event == JSON_DONE) {
            break;
        }
        rc = on_token(r, &t, err);
    }
    if (rc == 0) {
        *out = r->build.root;
    }
    treebuild_fini(&r->build);
    mem_free(r);
    return rc;
}
