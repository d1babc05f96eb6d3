#include "allocator/base/limits.h"
#include "tests/check.h"
#include "webhook/splice.h"

static void check_edits(void)
{
    static const struct {
        const char *text;
        struct edit edits[3];
        size_t n;
        const char *want; /* NULL: refused */
    } t[] = {
        { "abcdef", { { .begin = 1, .end = 3, .text = { "X", 1 } } }, 1, "aXdef" },
        { "abcdef",
          { { .begin = 6, .end = 6, .text = { "!", 1 } },
            { .begin = 0, .end = 0, .text = { "?", 1 } } },
          2,
          "?abcdef!" },
        { "abcdef",
          { { .begin = 2, .end = 4, .text = { "", 0 } },
            { .begin = 4, .end = 5, .text = { "__", 2 } } },
          2,
          "ab__f" },
        { "abcdef",
          { { .begin = 3, .end = 3, .text = { "1", 1 } },
            { .begin = 3, .end = 3, .text = { "2", 1 } } },
          2,
          "abc12def" },
        { "abcdef",
          { { .begin = 3, .end = 4, .text = { "x", 1 } },
            { .begin = 3, .end = 3, .text = { "1", 1 } } },
          2,
          "abc1xef" },
        { "abcdef",
          { { .begin = 1, .end = 4, .text = { "", 0 } },
            { .begin = 3, .end = 5, .text = { "", 0 } } },
          2,
          NULL },
        { "abcdef", { { .begin = 5, .end = 7, .text = { "", 0 } } }, 1, NULL },
        { "", { { .begin = 0, .end = 0, .text = { "new", 3 } } }, 1, "new" },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        struct splice s = { .edits = { .n = 0 } }, undo = { .edits = { .n = 0 } };
        AUTO_BUF out = { 0 }, back = { 0 };
        struct err err;
        struct span text = span_of(t[i].text);
        for (size_t e = 0; e < t[i].n; e++) {
            splice_add(&s, t[i].edits[e].begin, t[i].edits[e].end, t[i].edits[e].text);
        }
        int rc = splice_sort(&s, text.len, &err);
        is_int(rc, t[i].want == NULL ? ERR_REFUSED : 0, "%zu: sorted", i);
        if (rc == 0) {
            buf_init(&out, KIB);
            buf_init(&back, KIB);
            splice_apply(&s, text, &out);
            is_span(buf_span(&out), span_of(t[i].want), "%zu: applied", i);
            splice_invert(&s, text, &undo);
            is_int(splice_sort(&undo, out.len, &err), 0, "%zu: the way back is sorted", i);
            splice_apply(&undo, buf_span(&out), &back);
            is_span(buf_span(&back), text, "%zu: and leads back", i);
        }
        splice_fini(&s);
        splice_fini(&undo);
    }
}

static void check_map(void)
{
    /* "ab[cd]ef" → "abXYZef", and "!" in front of f. */
    static const struct {
        size_t from, to;
    } t[] = { { 0, 0 }, { 2, 2 }, { 3, 5 }, { 4, 5 }, { 5, 6 }, { 6, 8 } };
    struct splice s = { .edits = { .n = 0 } };

    splice_add(&s, 5, 5, SPAN_LIT("!"));
    splice_add(&s, 2, 4, SPAN_LIT("XYZ"));
    is_int(splice_sort(&s, 6, NULL), 0, "sorted");
    for (size_t i = 0; i < COUNT(t); i++) {
        is_int(splice_map(&s, t[i].from), t[i].to, "byte %zu", t[i].from);
    }
    splice_fini(&s);
}

int main(void)
{
    check_edits();
    check_map();
    return check_done();
}
