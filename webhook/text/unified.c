#include "webhook/text/unified.h"

#include <stdbool.h>

#define CONTEXT 3

enum { FOLD_MIN = 100, FOLD_HEAD = 40 }; /* bytes */

/* A run of lines of both texts that differ. Line numbers count from 0; [first, last). */
struct change {
    size_t old_begin, old_end, new_begin, new_end; /* bytes */
    size_t old_line, old_lines, new_line, new_lines;
};

struct changes {
    VEC(struct change) v;
};

static size_t line_start(struct span s, size_t at)
{
    while (at > 0 && s.p[at - 1] != '\n') {
        at--;
    }
    return at;
}

static size_t behind_line(struct span s, size_t at)
{
    const char *nl = at >= s.len ? NULL : memchr(s.p + at, '\n', s.len - at);
    return nl == NULL ? s.len : (size_t)(nl - s.p) + 1;
}

static size_t count_lines(struct span s, size_t begin, size_t end)
{
    size_t n = 0;

    for (size_t at = begin; at < end; at = behind_line(s, at)) {
        n++;
    }
    return n;
}

/* Lines that are the same at both ends of a change are context. */
static void trim(const struct unified *d, struct change *c)
{
    while (c->old_begin < c->old_end && c->new_begin < c->new_end) {
        size_t a = behind_line(d->before, c->old_begin), b = behind_line(d->after, c->new_begin);
        if (a > c->old_end || b > c->new_end ||
            !span_eq(span_make(d->before.p + c->old_begin, a - c->old_begin),
                     span_make(d->after.p + c->new_begin, b - c->new_begin))) {
            break;
        }
        c->old_begin = a;
        c->new_begin = b;
    }
    while (c->old_begin < c->old_end && c->new_begin < c->new_end) {
        size_t a = line_start(d->before, c->old_end - 1), b = line_start(d->after, c->new_end - 1);
        if (a < c->old_begin || b < c->new_begin ||
            !span_eq(span_make(d->before.p + a, c->old_end - a),
                     span_make(d->after.p + b, c->new_end - b))) {
            break;
        }
        c->old_end = a;
        c->new_end = b;
    }
}

static void find_changes(const struct unified *d, struct changes *out)
{
    for (size_t i = 0; i < d->edits->edits.n;) {
        const struct edit *e = &d->edits->edits.v[i];
        struct change c = { .old_begin = line_start(d->before, e->begin),
                            .new_begin = line_start(d->after, e->result_begin) };
        size_t old_end = e->end, new_end = e->result_begin + e->text.len;
        for (i++;
             i < d->edits->edits.n && d->edits->edits.v[i].begin <= behind_line(d->before, old_end);
             i++) {
            old_end = d->edits->edits.v[i].end;
            new_end = d->edits->edits.v[i].result_begin + d->edits->edits.v[i].text.len;
        }
        /* Both ends reach the same line break after the edit; what is the same up to there goes. */
        c.old_end = behind_line(d->before, old_end);
        c.new_end = behind_line(d->after, new_end);
        trim(d, &c);
        if (c.old_begin < c.old_end || c.new_begin < c.new_end) {
            *vec_push(&out->v) = c;
        }
    }
}

static void number_lines(const struct unified *d, struct changes *changes)
{
    size_t old_at = 0, new_at = 0, old_line = 0, new_line = 0;

    for (size_t i = 0; i < changes->v.n; i++) {
        struct change *c = &changes->v.v[i];
        old_line += count_lines(d->before, old_at, c->old_begin);
        new_line += count_lines(d->after, new_at, c->new_begin);
        c->old_line = old_line;
        c->new_line = new_line;
        c->old_lines = count_lines(d->before, c->old_begin, c->old_end);
        c->new_lines = count_lines(d->after, c->new_begin, c->new_end);
        old_line += c->old_lines;
        new_line += c->new_lines;
        old_at = c->old_end;
        new_at = c->new_end;
    }
}

/* Part of a line. A tab does no harm. */
static void write_part(const struct unified *d, struct span part, struct buf *out)
{
    while (d->is_shown && part.len > 0) {
        const char *tab = memchr(part.p, '\t', part.len);
        size_t len = tab == NULL ? part.len : (size_t)(tab - part.p);
        buf_add_visible(out, span_make(part.p, len));
        buf_add_str(out, tab == NULL ? "" : "\t");
        part = span_from(part, tab == NULL ? len : len + 1);
    }
    buf_add_span(out, part);
}

/* The first fold that ends after 'begin'; NULL: none that is worth it. */
static const struct unified_fold *find_fold(const struct unified_folds *folds, size_t begin)
{
    for (size_t i = 0; folds != NULL && i < folds->v.n; i++) {
        const struct unified_fold *f = &folds->v.v[i];
        if (f->end > begin && f->end - f->begin > FOLD_MIN) {
            return f;
        }
    }
    return NULL;
}

/* The line at 'begin', or those that a fold makes one. Returns where the next one begins. */
static size_t write_line(const struct unified *d, const struct unified_folds *folds,
                         struct span text, size_t begin, struct buf *out)
{
    size_t next = behind_line(text, begin);
    const struct unified_fold *f = find_fold(folds, begin);

    if (f != NULL && f->begin < next) {
        size_t head = f->begin + FOLD_HEAD;
        while (head > f->begin && ((unsigned char)text.p[head] & 0xc0) == 0x80) {
            head--;
        }
        head = head > behind_line(text, f->begin) - 1 ? behind_line(text, f->begin) - 1 : head;
        if (head > begin) {
            write_part(d, span_make(text.p + begin, head - begin), out);
        }
        buf_addf(out, "… (%zu bytes; %s)", f->end - f->begin, d->fold_hint);
        begin = f->end > head && f->end > begin ? f->end : begin;
        next = begin > 0 && text.p[begin - 1] == '\n' ? begin : behind_line(text, begin);
    }
    bool has_break = next > begin && text.p[next - 1] == '\n';
    write_part(d, span_make(text.p + begin, next - begin - (has_break ? 1 : 0)), out);
    return next;
}

static void write_lines(const struct unified *d, struct span text, size_t begin, size_t end,
                        char mark, struct buf *out)
{
    const struct unified_folds *folds = mark == '+' ? d->folds_after : d->folds_before;
    const char *colour = !d->has_colour || mark == ' ' ? NULL
                         : mark == '-'                 ? "\033[31m"
                                                       : "\033[32m";

    while (begin < end) {
        buf_add_str(out, colour == NULL ? "" : colour);
        buf_add_char(out, mark);
        size_t next = write_line(d, folds, text, begin, out);
        bool has_break = text.p[next - 1] == '\n';
        buf_add_str(out, colour == NULL ? "\n" : "\033[m\n");
        if (!has_break) {
            buf_add_str(out, "\\ No newline at end of file\n");
        }
        begin = next;
    }
}

static size_t lines_back(struct span text, size_t at, size_t n, size_t *out_n)
{
    *out_n = 0;
    while (*out_n < n && at > 0) {
        at = line_start(text, at - 1);
        (*out_n)++;
    }
    return at;
}

static size_t lines_on(struct span text, size_t at, size_t n, size_t *out_n)
{
    *out_n = 0;
    while (*out_n < n && at < text.len) {
        at = behind_line(text, at);
        (*out_n)++;
    }
    return at;
}

static void write_range(size_t line, size_t n, struct buf *out)
{
    /* An empty range is named by the line in front of it; a single line has no count. */
    buf_addf(out, "%zu", n == 0 ? line : line + 1);
    if (n != 1) {
        buf_addf(out, ",%zu", n);
    }
}

/* Changes [first, last) with their context. */
static void write_hunk(const struct unified *d, const struct change *first,
                       const struct change *last, struct buf *out)
{
    const struct change *end = last - 1;
    size_t n_head, n_tail;
    size_t head = lines_back(d->before, first->old_begin, CONTEXT, &n_head);
    size_t tail = lines_on(d->before, end->old_end, CONTEXT, &n_tail);

    buf_add_str(out, d->has_colour ? "\033[36m@@ -" : "@@ -");
    write_range(first->old_line - n_head,
                end->old_line + end->old_lines + n_tail - (first->old_line - n_head), out);
    buf_add_str(out, " +");
    write_range(first->new_line - n_head,
                end->new_line + end->new_lines + n_tail - (first->new_line - n_head), out);
    buf_add_str(out, d->has_colour ? " @@\033[m\n" : " @@\n");
    for (const struct change *c = first; c < last; c++) {
        write_lines(d, d->before, head, c->old_begin, ' ', out);
        write_lines(d, d->before, c->old_begin, c->old_end, '-', out);
        write_lines(d, d->after, c->new_begin, c->new_end, '+', out);
        head = c->old_end;
    }
    write_lines(d, d->before, head, tail, ' ', out);
}

void unified_write(const struct unified *d, struct buf *out)
{
    struct changes changes = { .v = { .n = 0 } };

    find_changes(d, &changes);
    number_lines(d, &changes);
    if (changes.v.n > 0) {
        const char *bold = d->has_colour ? "\033[1m" : "", *plain = d->has_colour ? "\033[m" : "";
        buf_addf(out, "%s--- %.*s%s\n", bold, SPAN_ARG(d->label_before), plain);
        buf_addf(out, "%s+++ %.*s%s\n", bold, SPAN_ARG(d->label_after), plain);
    }
    for (size_t i = 0; i < changes.v.n;) {
        size_t next = i + 1;
        while (next < changes.v.n &&
               changes.v.v[next].old_line -
                       (changes.v.v[next - 1].old_line + changes.v.v[next - 1].old_lines) <=
                   (size_t)2 * CONTEXT) {
            next++;
        }
        write_hunk(d, &changes.v.v[i], &changes.v.v[next], out);
        i = next;
    }
    vec_fini(&changes.v);
}
