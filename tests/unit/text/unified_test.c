/* The diff leads from the old text to the new one, line for line, as patch(1) would apply it; it
 * has no line that did not change but for three around each change. */
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

enum { CONTEXT = 3 };

/* What is left of both texts while a diff is followed, and the hunk that it is in. */
struct judge {
    struct span old, new;
    size_t old_line, new_line; /* lines that are done */
    size_t n_old, n_new;       /* of the hunk, as it is followed */
    size_t n_changed, n_head, n_context;
    char last; /* the mark of its last line */
    /* Of the change that is followed. */
    struct span first_removed, last_removed, first_added, last_added;
};

/* "12,3" or "12": where lines start, and how many there are. */
static bool read_range(const char **at, size_t *from, size_t *n)
{
    char *end;

    *from = strtoul(*at, &end, 10);
    *n = 1;
    if (*end == ',') {
        *n = strtoul(end + 1, &end, 10);
        if (*n == 1) {
            return false; /* a single line has no count */
        }
    }
    /* An empty range is named by the line in front of it. */
    *from -= *n > 0 ? 1 : 0;
    *at = end;
    return true;
}

/* A change neither begins nor ends with a line that stays. */
static bool is_change_tight(const struct judge *j)
{
    return j->first_removed.p == NULL || j->first_added.p == NULL ||
           (!span_eq(j->first_removed, j->first_added) && !span_eq(j->last_removed, j->last_added));
}

static void note_line(struct judge *j, char mark, struct span content)
{
    if (mark == ' ' || (mark == '-' && j->last != '-')) {
        j->first_removed = j->first_added = (struct span){ 0 };
    }
    if (mark == ' ') {
        j->n_context = j->last == ' ' ? j->n_context + 1 : 1;
        j->n_head += j->n_changed == 0;
    } else if (mark == '-') {
        j->first_removed = j->first_removed.p == NULL ? content : j->first_removed;
        j->last_removed = content;
    } else {
        j->first_added = j->first_added.p == NULL ? content : j->first_added;
        j->last_added = content;
    }
    j->n_old += mark != '+';
    j->n_new += mark != '-';
    j->n_changed += mark != ' ';
    j->last = mark;
}

/* One line of a hunk; false when it does not fit, or need not be there. */
static bool follow_line(struct judge *j, struct span line, bool has_break)
{
    struct span content = span_from(line, 1);
    char mark = line.p[0];

    content.len -= has_break ? 0 : 1;
    if ((mark != '+' && !span_eq(next_line(&j->old), content)) ||
        (mark != '-' && !span_eq(next_line(&j->new), content)) ||
        (mark != '+' && j->last == '+' && !is_change_tight(j))) {
        return false;
    }
    note_line(j, mark, content);
    return j->n_context <= (size_t)2 * CONTEXT;
}

/* The hunk after its head; 'rest' ends up after it. */
static bool follow_hunk(struct judge *j, struct span *rest)
{
    while (rest->len > 0 && rest->p[0] != '@') {
        struct span line = next_line(rest);
        bool has_break = rest->len == 0 || rest->p[0] != '\\';
        if (!follow_line(j, line, has_break)) {
            return false;
        }
        if (!has_break) {
            next_line(rest);
        }
    }
    return true;
}

/* Three lines are in front of the hunk's first change and after its last one, if there are. */
static bool has_context(const struct judge *j, size_t old_from)
{
    size_t n_tail = j->last == ' ' ? j->n_context : 0;

    return (j->n_head == CONTEXT || (j->n_head < CONTEXT && old_from == 0)) &&
           (n_tail == CONTEXT || (n_tail < CONTEXT && j->old.len == 0));
}

static bool judge_hunk(struct judge *j, struct span *rest)
{
    const char *at = next_line(rest).p + strlen("@@ -");
    size_t old_from, new_from, n_old, n_new;

    bool is_head = read_range(&at, &old_from, &n_old) && strncmp(at, " +", 2) == 0;
    at += strlen(" +");
    if (!is_head || !read_range(&at, &new_from, &n_new) || strncmp(at, " @@\n", 4) != 0 ||
        old_from - j->old_line != new_from - j->new_line ||
        (j->last != '\0' && old_from <= j->old_line)) {
        return false;
    }
    for (; j->old_line < old_from; j->old_line++) {
        if (!span_eq(next_line(&j->old), next_line(&j->new))) {
            return false; /* between hunks nothing changes */
        }
    }
    *j = (struct judge){ .old = j->old, .new = j->new, .last = '@' };
    bool is_good = follow_hunk(j, rest) && is_change_tight(j) && has_context(j, old_from) &&
                   j->n_changed > 0 && j->n_old == n_old && j->n_new == n_new;
    j->old_line = old_from + n_old;
    j->new_line = new_from + n_new;
    return is_good;
}

static bool is_diff(struct span before, struct span after, struct span diff)
{
    struct judge j = { .old = before, .new = after };
    struct span rest = diff;
    bool is_good = true;

    next_line(&rest);
    next_line(&rest);
    while (is_good && rest.len > 0) {
        is_good = judge_hunk(&j, &rest);
    }
    return is_good && span_eq(j.old, j.new);
}

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525U + 1013904223U;
    return *state >> 8;
}

static void check_random(uint32_t seed, unsigned *n_bad)
{
    static const char *const texts[] = { "", "X", "new\n", "two\nlines\n", "\n", "tail\nhead" };
    AUTO_BUF before = { 0 }, after = { 0 }, diff = { 0 };
    struct splice s = { .edits = { .n = 0 } };

    buf_init(&before, MIB);
    buf_init(&after, MIB);
    buf_init(&diff, MIB);
    for (uint32_t i = 0, n = next_random(&seed) % 40; i < n; i++) {
        buf_addf(&before, "line %u%s", next_random(&seed) % 9,
                 i + 1 < n || next_random(&seed) % 2 == 0 ? "\n" : "");
    }
    size_t at = 0;
    for (uint32_t i = 0, n = next_random(&seed) % 4; i < n && at < before.len; i++) {
        size_t begin = at + next_random(&seed) % (before.len - at + 1),
               end = begin + next_random(&seed) % 12;
        end = end > before.len ? before.len : end;
        bool stays = next_random(&seed) % 8 == 0; /* an edit that changes nothing */
        splice_add(&s, begin, end,
                   stays ? span_make(before.p + begin, end - begin)
                         : span_of(texts[next_random(&seed) % COUNT(texts)]));
        at = end + 1;
    }
    if (splice_sort(&s, before.len, NULL) == 0) {
        splice_apply(&s, buf_span(&before), &after);
        const struct unified d = { .before = buf_span(&before),
                                   .after = buf_span(&after),
                                   .edits = &s,
                                   .label_before = SPAN_LIT("a"),
                                   .label_after = SPAN_LIT("b") };
        unified_write(&d, &diff);
        bool is_same = span_eq(buf_span(&before), buf_span(&after));
        bool is_good = diff.len == 0 ? is_same
                                     : !is_same && is_diff(buf_span(&before), buf_span(&after),
                                                           buf_span(&diff));
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
    const struct unified d = { .before = SPAN_LIT("a\nx\nb\nc\n"),
                               .after = SPAN_LIT("a\nx\nB\nc\n"),
                               .edits = &s,
                               .label_before = SPAN_LIT("old"),
                               .label_after = SPAN_LIT("new") };
    unified_write(&d, &diff);
    is_span(buf_span(&diff), SPAN_LIT("--- old\n+++ new\n@@ -1,4 +1,4 @@\n a\n x\n-b\n+B\n c\n"),
            "unified");
    splice_fini(&s);
}

/* A long value, on one line and on several, at the end of the text and in front of more; a tab and
 * an escape sequence for a person. */
static void check_folds(void)
{
    static const struct {
        const char *head, *tail, *want;
        bool has_breaks;
    } t[] = {
        { "k: '", "'\nz", "+k: '0123456789012345678901234567890123456789… (200 bytes; all)'\n+z\n",
          false },
        { "{\"k\": '", "', 1}",
          "+{\"k\": '0123456789012345678901234567890123456789… (200 bytes; all)', 1}\n", false },
        { "k: '", "'\nz", "+k: '01234… (200 bytes; all)'\n+z\n", true },
        { "k: ", "", "+k: 0123456789012345678901234567890123456789… (200 bytes; all)\n", false },
        { "\t\033k: ", "",
          "+\t\\u001bk: 0123456789012345678901234567890123456789… (200 bytes; all)\n", false },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        struct splice s = { .edits = { .n = 0 } };
        struct unified_folds folds = { .v = { .n = 0 } };
        AUTO_BUF text = { 0 }, diff = { 0 };
        buf_init(&text, MIB);
        buf_init(&diff, MIB);
        buf_add_str(&text, t[i].head);
        size_t begin = text.len;
        for (unsigned k = 0; k < 200; k++) {
            buf_add_char(&text, t[i].has_breaks && k % 10 == 5 ? '\n' : (char)('0' + k % 10));
        }
        *vec_push(&folds.v) = (struct unified_fold){ begin, text.len };
        buf_add_str(&text, t[i].tail);
        splice_add(&s, 0, 0, buf_span(&text));
        is_int(splice_sort(&s, 0, NULL), 0, "sorted");
        const struct unified d = { .before = SPAN_LIT(""),
                                   .after = buf_span(&text),
                                   .edits = &s,
                                   .folds_after = &folds,
                                   .fold_hint = "all",
                                   .is_shown = true };
        unified_write(&d, &diff);
        ok(diff.p != NULL && strstr(diff.p, t[i].want) != NULL, "fold %zu: %s", i, diff.p);
        splice_fini(&s);
        vec_fini(&folds.v);
    }
}

int main(void)
{
    unsigned n_bad = 0;

    check_folds();

    check_form();
    for (uint32_t seed = 1; seed <= 5000; seed++) {
        check_random(seed * 2654435761U, &n_bad);
    }
    is_int(n_bad, 0, "5000 diffs lead from the old text to the new one, and say no more than that");
    return check_done();
}
