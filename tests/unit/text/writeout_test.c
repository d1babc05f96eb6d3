#include "webhook/text/writeout.h"

#include "allocator/codec/yamldoc.h"
#include "tests/check.h"

#include <string.h>

static int run(const char *text, size_t max, struct buf *out, size_t *n)
{
    struct splice edits = { .edits = { .n = 0 } };
    struct node *root = NULL;
    struct arena arena;
    struct span result;
    struct err err = { .text = "" };

    arena_init(&arena);
    is_int(yamldoc_parse(span_of(text), &arena, &root, &err), 0, "it can be read");
    int rc = writeout(span_of(text), root, &(struct writeout_room){ max, &arena }, &edits, &result,
                      &err);
    if (rc == 0) {
        buf_add_span(out, result);
    }
    *n = edits.edits.n;
    splice_fini(&edits);
    arena_fini(&arena);
    return rc;
}

int main(void)
{
    static const struct {
        const char *text, *result;
        size_t n;
    } t[] = {
        { "a: 1 # as it is\n", "a: 1 # as it is\n", 0 },
        { "a: &x 1\nb: *x # one\n", "a: &x 1\nb: 1 # one\n", 1 },
        { "a: &x {b: c}\nd: *x\ne: [*x, f]\n", "a: &x {b: c}\nd: {b: c}\ne: [{b: c}, f]\n", 2 },
        { "a: &x [1, '2']\nb: *x\n", "a: &x [1, '2']\nb: [1, '2']\n", 1 },
        { "a: &x\n  b: 1\nc:\n  <<: *x\n  d: 2 # lost\ne: f\n",
          "a: &x\n  b: 1\nc:\n  {d: 2, b: 1} # lost\ne: f\n", 1 },
        { "- &x {a: 1}\n- <<: *x\n  b: yes\n- *x\n", "- &x {a: 1}\n- {b: yes, a: 1}\n- {a: 1}\n",
          2 },
        { "a: &x\nb: *x\n", "a: &x\nb: null\n", 1 },
        { "a: &x 'yes'\nb: *x\n", "a: &x 'yes'\nb: 'yes'\n", 1 },
        { "a: &x |\n  two\n  lines\nb: *x\n", "a: &x |\n  two\n  lines\nb: \"two\\nlines\\n\"\n",
          1 },
        { "a: {<<: {b: 1}}\n", "a: {b: 1}\n", 1 },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        AUTO_BUF out;
        size_t n;
        buf_init(&out, 65536);
        is_int(run(t[i].text, 4096, &out, &n), 0, "can be written out: %s", t[i].text);
        is_span(buf_span(&out), span_of(t[i].result), "written out: %s", t[i].text);
        is_int(n, t[i].n, "places");
    }
    AUTO_BUF out;
    size_t n;
    buf_init(&out, 65536);
    is_int(run("a: &x 0123456789\nb: [*x, *x, *x]\n", 30, &out, &n), 0, "as much as may be");
    is_int(run("a: &x 0123456789\nb: [*x, *x, *x]\n", 29, &out, &n), ERR_TOO_BIG, "no more");
    buf_clear(&out);
    is_int(run("a: &x {p: 0x1F, q: True, r: ~, s: 1_000, t: 2001-01-01, u: 'no', v: a, b: off}\n"
               "c: *x\n",
               4096, &out, &n),
           0, "what YAML reads in a way of its own");
    ok(strstr(out.p, "c: {p: 0x1F, q: True, r: null, s: 1_000, t: 2001-01-01, u: 'no', v: a, b: "
                     "off}\n") != NULL,
       "keeps its spelling: %s", out.p);
    return check_done();
}
