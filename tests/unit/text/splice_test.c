#include "allocator/base/limits.h"
#include "tests/check.h"
#include "webhook/text/splice.h"

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

/* Two layers of random edits, and the edits that do both at once. */
static unsigned random_below(uint64_t *state, unsigned n)
{
    *state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
    return (unsigned)(*state >> 33) % n;
}

static void random_edits(uint64_t *state, size_t size, struct splice *out)
{
    static const char texts[] = "abcabcab";

    for (size_t at = random_below(state, 4); at <= size; at += random_below(state, 200)) {
        size_t end = at + random_below(state, 4);
        end = end < size ? end : size;
        splice_add(out, at, end, span_make(texts + random_below(state, 4), random_below(state, 4)));
        at = end;
    }
}

static void check_compose(void)
{
    unsigned n_wrong = 0, n_touching = 0, n_edits = 0;

    for (unsigned seed = 1; seed <= 3000; seed++) {
        struct splice first = { .edits = { .n = 0 } }, second = { .edits = { .n = 0 } },
                      both = { .edits = { .n = 0 } };
        uint64_t state = seed;
        AUTO_BUF long_text = { 0 }, middle = { 0 }, result = { 0 }, at_once = { 0 };
        buf_init(&long_text, 8 * KIB);
        buf_init(&middle, 8 * KIB);
        buf_init(&result, 8 * KIB);
        buf_init(&at_once, 8 * KIB);
        for (size_t i = 0; i < 700; i++) {
            buf_add_char(&long_text, "abc"[i % 3]);
        }
        struct span text = buf_span(&long_text);
        random_edits(&state, text.len, &first);
        bool is_good = splice_sort(&first, text.len, NULL) == 0;
        splice_apply(&first, text, &middle);
        random_edits(&state, middle.len, &second);
        is_good = splice_sort(&second, middle.len, NULL) == 0 && is_good;
        splice_apply(&second, buf_span(&middle), &result);
        splice_compose(&first, &second, text, buf_span(&result), &both);
        splice_apply(&both, text, &at_once);
        n_wrong += is_good && span_eq(buf_span(&at_once), buf_span(&result)) ? 0 : 1;
        n_edits += (unsigned)both.edits.n;
        for (size_t i = 1; i < both.edits.n; i++) {
            n_touching += both.edits.v[i - 1].end >= both.edits.v[i].begin ? 1 : 0;
        }
        splice_fini(&first);
        splice_fini(&second);
        splice_fini(&both);
    }
    is_int(n_wrong, 0, "two layers of edits in one");
    is_int(n_touching, 0, "which stay apart");
    ok(n_edits > 3000 * 2, "and are several (%u in 3000 texts)", n_edits);
}

int main(void)
{
    check_edits();
    check_compose();
    check_map();
    return check_done();
}
