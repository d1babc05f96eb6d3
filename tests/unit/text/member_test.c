/* Members of maps in somebody's text: every other byte stays as it is, and what comes looks like
 * what is there. */
#include "webhook/text/member.h"

#include "allocator/base/limits.h"
#include "allocator/codec/nodeedit.h"
#include "allocator/codec/yamldoc.h"
#include "tests/check.h"

/* The map is the value of "m", or the document. */
struct sample {
    const char *text, *key, *want; /* want NULL: refused, with 'why' */
    const char *why;
};

/* "k" becomes "v". */
static const struct sample set_samples[] = {
    /* replaced where it is */
    { "m:\n  a: 1\n  k: 2\n", "k", "m:\n  a: 1\n  k: v\n", NULL },
    { "m:\n  k: # why\n  a: 1\n", "k", "m:\n  k: v # why\n  a: 1\n", NULL },
    { "m:\n  k:   2   # why\n", "k", "m:\n  k: v   # why\n", NULL },
    { "m: {a: 1, k: 2}\n", "k", "m: {a: 1, k: v}\n", NULL },
    { "m: {k, a: 1}\n", "k", "m: {k: v, a: 1}\n", NULL },
    { "{\"m\":{\"a\":1,\"k\":2}}", "k", "{\"m\":{\"a\":1,\"k\":\"v\"}}", NULL },
    { "k: 1", "k", "k: v", NULL },
    /* put in front of the first */
    { "m:\n  a: 1\n", "k", "m:\n  k: v\n  a: 1\n", NULL },
    { "m:\n    # of a\n    a: 1\n", "k", "m:\n    # of a\n    k: v\n    a: 1\n", NULL },
    { "m:\r\n  a: 1\r\n", "k", "m:\r\n  k: v\r\n  a: 1\r\n", NULL },
    { "a: 1", "k", "k: v\na: 1", NULL },
    { "\n\na: 1\r\n", "k", "\n\nk: v\na: 1\r\n", NULL },
    { "m: {a: 1}\n", "k", "m: {k: v, a: 1}\n", NULL },
    { "m: { a: 1 }\n", "k", "m: { k: v, a: 1 }\n", NULL },
    { "m: {}\n", "k", "m: {k: v}\n", NULL },
    { "m: &x {}\n", "k", "m: &x {k: v}\n", NULL },
    { "m: !!map {a: 1}\n", "k", "m: !!map {k: v, a: 1}\n", NULL },
    { "m: {\n  a: 1\n}\n", "k", "m: {\n  k: v,\n  a: 1\n}\n", NULL },
    { "x: &x {p: 1}\nm: {<<: *x}\n", "k", "x: &x {p: 1}\nm: {k: v, <<: *x}\n", NULL },
    { "x: &x {k: 1}\nm: {a: 1, <<: *x}\n", "k", "x: &x {k: 1}\nm: {k: v, a: 1, <<: *x}\n", NULL },
    { "{\"m\":{\"a\":1}}", "k", "{\"m\":{\"k\":\"v\",\"a\":1}}", NULL },
    { "{\"m\":{}}", "k", "{\"m\":{\"k\":\"v\"}}", NULL },
    { "{\"m\": {\"a\": 1}}", "k", "{\"m\": {\"k\": \"v\", \"a\": 1}}", NULL },
    { "{\"m\":{\n \"a\": 1}}", "k", "{\"m\":{\n \"k\": \"v\",\n \"a\": 1}}", NULL },
    { "m: {\"a\":1}\n", "k", "m: {\"k\":\"v\",\"a\":1}\n", NULL },
    { "m: {\"a\": 1}\n", "k", "m: {\"k\": \"v\", \"a\": 1}\n", NULL },
    { "m: {'a': 1}\n", "k", "m: {k: v, 'a': 1}\n", NULL },
    /* no line of its own */
    { "- m:\n  - a: 1\n", "k", NULL, "line 2: there is no place for a new member" },
};

static const struct sample removal_samples[] = {
    { "m:\n  k: 1\n  a: 2\n", "k", "m:\n  a: 2\n", NULL },
    { "m:\n  a: 2\n  k: 1\n", "k", "m:\n  a: 2\n", NULL },
    { "m:\n  a: 2\n  k: 1", "k", "m:\n  a: 2", NULL },
    { "m:\n  a: 2\n  k: 1 \t\nb: 3\n", "k", "m:\n  a: 2\nb: 3\n", NULL },
    { "m:\n  a: 2\n  k: 1  # why\nb: 3\n", "k", "m:\n  a: 2\n  # why\nb: 3\n", NULL },
    { "m:\r\n  a: 2\r\n  k: 1\r\nb: 3\r\n", "k", "m:\r\n  a: 2\r\nb: 3\r\n", NULL },
    { "m:\r\n  a: 2\r\n  k: 1 \r\n", "k", "m:\r\n  a: 2\r\n", NULL },
    { "m:\n  a: 2\n  k:\n  - 1\n  - 2\nb: 3\n", "k", "m:\n  a: 2\nb: 3\n", NULL },
    { "m:\n  a: 2\n  k:\nb: 3\n", "k", "m:\n  a: 2\nb: 3\n", NULL },
    { "k: 1\na: 2\n", "k", "a: 2\n", NULL },
    { "k: 1\r\na: 2\r\n", "k", "a: 2\r\n", NULL },
    { "\nk: 1\na: 2\n", "k", "\na: 2\n", NULL },
    { "\r\nk: 1\r\na: 2\r\n", "k", "\r\na: 2\r\n", NULL },
    { "m: {k: 1, a: 2}\n", "k", "m: {a: 2}\n", NULL },
    { "m: {a: 2, k: 1}\n", "k", "m: {a: 2}\n", NULL },
    { "m: {a: 2 , k: 1 }\n", "k", "m: {a: 2 }\n", NULL },
    { "m: {a: 2, k: 1, b: 3}\n", "k", "m: {a: 2, b: 3}\n", NULL },
    { "m: {a: 2, k, b: 3}\n", "k", "m: {a: 2, b: 3}\n", NULL },
    { "m: { k: 1 }\n", "k", "m: {  }\n", NULL },
    { "{\"m\":{\"k\":1,\"a\":2}}", "k", "{\"m\":{\"a\":2}}", NULL },
    { "{\"m\":{\"a\":2,\"k\":1}}", "k", "{\"m\":{\"a\":2}}", NULL },
    { "x: &x {k: 1}\nm: {a: 2, <<: *x}\n", "k", "x: &x {k: 1}\nm: {a: 2, <<: *x}\n", NULL },
    { "m: {a: 1}\n", "k", "m: {a: 1}\n", NULL },
    { "- m:\n  - k: 1\n    a: 2\n", "k", NULL, "line 2: 'k' does not begin its line" },
};

static const struct sample append_samples[] = {
    { "m:\n  a: 1\nb: 2\n", "k", "m:\n  a: 1\n  k: v\nb: 2\n", NULL },
    { "m:\n  a: 1", "k", "m:\n  a: 1\n  k: v", NULL },
    { "m:\r\n  a: 1\r\n", "k", "m:\r\n  a: 1\r\n  k: v\r\n", NULL },
    { "m:\n  a: 1 # why\nb: 2\n", "k", "m:\n  a: 1 # why\n  k: v\nb: 2\n", NULL },
    { "m:\n    a:\n    - 1\n    -\n      x: y\nb: 2\n", "k",
      "m:\n    a:\n    - 1\n    -\n      x: y\n    k: v\nb: 2\n", NULL },
    { "m: {a: 1}\n", "k", "m: {k: v, a: 1}\n", NULL },
    { "m: {}\n", "k", "m: {k: v}\n", NULL },
};

static struct node *map_of(struct node *root)
{
    struct node *m = root->type == NODE_LIST ? node_get(root->items[0], "m") : node_get(root, "m");

    m = m == NULL ? root : m;
    return m->type == NODE_LIST ? m->items[0] : m;
}

enum operation { SET, REMOVE, APPEND };

static int carry_out(enum operation what, struct text_editor *t, const struct node *map,
                     struct span key, struct err *err)
{
    if (what == APPEND) {
        AUTO_BUF made = { 0 };
        buf_init(&made, KIB);
        yamltext_member(key, nodeedit_text(t->arena, SPAN_LIT("v")), member_form(t, map), 0, 0,
                        &made);
        member_append(t, map, member_text(t, &made));
        return 0;
    }
    return member_set(t, map, key, what == REMOVE ? NULL : nodeedit_text(t->arena, SPAN_LIT("v")),
                      err);
}

static void check_samples(enum operation what, const struct sample *samples, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct sample *s = &samples[i];
        struct span text = check_at_edge(span_of(s->text));
        struct splice edits = { .edits = { .n = 0 } };
        struct node *root = NULL, *again = NULL;
        struct text_editor t;
        struct arena arena;
        struct err err = { 0 };
        AUTO_BUF out = { 0 };

        arena_init(&arena);
        buf_init(&out, KIB);
        is_int(yamldoc_parse(text, &arena, &root, NULL), 0, "%s", s->text);
        text_editor_init(&t, text, &arena, &edits);
        is_int(carry_out(what, &t, map_of(root), span_of(s->key), &err),
               s->want == NULL ? ERR_REFUSED : 0, "  is edited");
        is_str(err.text, s->why == NULL ? "" : s->why, "  why not");
        if (s->want != NULL && splice_sort(&edits, text.len, NULL) == 0) {
            splice_apply(&edits, text, &out);
            is_span(buf_span(&out), span_of(s->want), "  to the byte");
            is_int(yamldoc_parse(buf_span(&out), &arena, &again, NULL), 0, "  and can be read");
        } else {
            is_int(err.line, 2, "  and where");
        }
        splice_fini(&edits);
        arena_fini(&arena);
    }
}

int main(void)
{
    check_samples(SET, set_samples, COUNT(set_samples));
    check_samples(REMOVE, removal_samples, COUNT(removal_samples));
    check_samples(APPEND, append_samples, COUNT(append_samples));
    return check_done();
}
