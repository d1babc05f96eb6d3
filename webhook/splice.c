#include "webhook/splice.h"

void splice_add(struct splice *s, size_t begin, size_t end, struct span text)
{
    *vec_push(&s->edits) = (struct edit){ .begin = begin, .end = end, .text = text };
}

void splice_own(struct splice *s, size_t from, const void *owner)
{
    for (size_t i = from; i < s->edits.n; i++) {
        s->edits.v[i].owner = owner;
    }
}

/* Stable: edits of the same place keep their order. The lists are nearly sorted already, as texts
 * are read from front to back; therefore insertion from the end. */
static void sort_by_begin(struct edit *v, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        struct edit e = v[i];
        size_t at = i;
        while (at > 0 && (v[at - 1].begin > e.begin ||
                          (v[at - 1].begin == e.begin && v[at - 1].end > e.end))) {
            v[at] = v[at - 1];
            at--;
        }
        v[at] = e;
    }
}

int splice_sort(struct splice *s, size_t size, struct err *err)
{
    size_t from = 0, added = 0, removed = 0;

    sort_by_begin(s->edits.v, s->edits.n);
    vec_each(&s->edits, e) {
        if (e->begin < from || e->end < e->begin || e->end > size) {
            return err_set(err, ERR_REFUSED, "two changes meet at byte %zu", e->begin);
        }
        from = e->end;
        e->result_begin = e->begin + added - removed;
        added += e->text.len;
        removed += e->end - e->begin;
    }
    return 0;
}

void splice_apply(const struct splice *s, struct span text, struct buf *out)
{
    size_t from = 0;

    for (size_t i = 0; i < s->edits.n; i++) {
        const struct edit *e = &s->edits.v[i];
        buf_add(out, text.p + from, e->begin - from);
        buf_add_span(out, e->text);
        from = e->end;
    }
    buf_add_span(out, span_from(text, from));
}

size_t splice_map(const struct splice *s, size_t offset)
{
    size_t low = 0, high = s->edits.n;

    /* The last edit that begins before 'offset'. */
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (s->edits.v[middle].begin < offset) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == 0) {
        return offset;
    }
    const struct edit *e = &s->edits.v[low - 1];
    size_t behind = e->result_begin + e->text.len;
    return offset < e->end ? behind : behind + (offset - e->end);
}

void splice_invert(const struct splice *s, struct span text, struct splice *out)
{
    for (size_t i = 0; i < s->edits.n; i++) {
        const struct edit *e = &s->edits.v[i];
        splice_add(out, e->result_begin, e->result_begin + e->text.len,
                   span_make(text.p + e->begin, e->end - e->begin));
        splice_own(out, i, e->owner);
    }
}

void splice_fini(struct splice *s)
{
    vec_fini(&s->edits);
}
