/* The diff leads from the old text to the new one, line for line, as patch(1) would apply it. */
#include "allocator/base/limits.h"
#include "tests/check.h"
#include "webhook/text/unified.h"

#include <stdlib.h>

static struct span next_line(struct span *rest)
{
    const char *nl = rest->len == 0 ? NULL : memchr(rest->p, '\n', rest->len);
    struct span line = span_make(rest->p, nl == NULL ? rest->len : (size_t)(nl - rest->p) + 1);

    *rest = span_from(*rest, line.len);
    return line;
}

/* One line of a hunk; false when it does not fit. */
static bool apply_line(struct span line, bool has_break, struct span *old, struct buf *out)
{
    struct span content = span_from(line, 1);

    content.len -= has_break ? 0 : 1;
    if (line.p[0] != '+' && !span_eq(next_line(old), content)) {
        return false;
    }
    if (line.p[0] != '-') {
        buf_add_span(out, content);
    }
    return true;
}

static bool apply(struct span before, struct span diff, struct buf *out)
{
    struct span old = before, rest = diff;
    size_t line_number = 1;

    next_line(&rest);
    next_line(&rest);
    while (rest.len > 0) {
        struct span line = next_line(&rest);
        if (line.p[0] == '@') {
            size_t from = strtoul(line.p + 4, NULL, 10), count = line.p[4] == '0' ? 0 : 1;
            const char *comma =
                memchr(line.p + 4, ',',
                       (size_t)((const char *)memchr(line.p + 4, ' ', line.len) - line.p - 4));
            count = comma == NULL ? count : strtoul(comma + 1, NULL, 10);
            from += count == 0 ? 1 : 0;
            for (; line_number < from; line_number++) {
                buf_add_span(out, next_line(&old));
            }
            continue;
        }
        bool has_break = rest.len == 0 || rest.p[0] != '\\';
        line_number += line.p[0] == '+' ? 0 : 1;
        if (!apply_line(line, has_break, &old, out)) {
            return false;
        }
        if (!has_break) {
            next_line(&rest);
        }
    }
    buf_add_span(out, old);
    return true;
}

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525U + 1013904223U;
    return *state >> 8;
}

static void check_random(uint32_t seed, unsigned *n_bad)
{
    static const char *const texts[] = { "", "X", "new\n", "two\nlines\n", "\n", "tail\nhead" };
    AUTO_BUF before = { 0 }, after = { 0 }, diff = { 0 }, got = { 0 };
    struct splice s = { .edits = { .n = 0 } };

    buf_init(&before, MIB);
    buf_init(&after, MIB);
    buf_init(&diff, MIB);
    buf_init(&got, MIB);
    for (uint32_t i = 0, n = next_random(&seed) % 40; i < n; i++) {
        buf_addf(&before, "line %u%s", next_random(&seed) % 9,
                 i + 1 < n || next_random(&seed) % 2 == 0 ? "\n" : "");
    }
    size_t at = 0;
    for (uint32_t i = 0, n = next_random(&seed) % 4; i < n && at < before.len; i++) {
        size_t begin = at + next_random(&seed) % (before.len - at + 1),
               end = begin + next_random(&seed) % 12;
        end = end > before.len ? before.len : end;
        splice_add(&s, begin, end, span_of(texts[next_random(&seed) % COUNT(texts)]));
        at = end + 1;
    }
    if (splice_sort(&s, before.len, NULL) == 0) {
        splice_apply(&s, buf_span(&before), &after);
        const struct unified d = { buf_span(&before), buf_span(&after), &s,
                                   SPAN_LIT("a"),     SPAN_LIT("b"),    false };
        unified_write(&d, &diff);
        bool is_same = span_eq(buf_span(&before), buf_span(&after));
        bool is_good = diff.len == 0 ? is_same
                                     : apply(buf_span(&before), buf_span(&diff), &got) &&
                                           span_eq(buf_span(&got), buf_span(&after));
        if (!is_good && (*n_bad)++ < 2) {
            check_note("before:\n%.*s\nafter:\n%.*s\ndiff:\n%.*s\n", SPAN_ARG(buf_span(&before)),
                       SPAN_ARG(buf_span(&after)), SPAN_ARG(buf_span(&diff)));
        }
    }
    splice_fini(&s);
}

static void check_form(void)
{
    struct splice s = { .edits = { .n = 0 } };
    AUTO_BUF diff = { 0 };

    splice_add(&s, 4, 5, SPAN_LIT("B"));
    is_int(splice_sort(&s, 8, NULL), 0, "sorted");
    buf_init(&diff, MIB);
    const struct unified d = { SPAN_LIT("a\nx\nb\nc\n"), SPAN_LIT("a\nx\nB\nc\n"), &s,
                               SPAN_LIT("old"),          SPAN_LIT("new"),          false };
    unified_write(&d, &diff);
    is_span(buf_span(&diff), SPAN_LIT("--- old\n+++ new\n@@ -1,4 +1,4 @@\n a\n x\n-b\n+B\n c\n"),
            "unified");
    splice_fini(&s);
}

int main(void)
{
    unsigned n_bad = 0;

    check_form();
    for (uint32_t seed = 1; seed <= 5000; seed++) {
        check_random(seed * 2654435761U, &n_bad);
    }
    is_int(n_bad, 0, "5000 diffs lead from the old text to the new one");
    return check_done();
}
