#include "webhook/text/splice.h"

#include <assert.h>

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

struct edit splice_difference(struct span from, struct span to)
{
    size_t least = from.len < to.len ? from.len : to.len;
    size_t head = 0, tail = 0;

    while (head < least && from.p[head] == to.p[head]) {
        head++;
    }
    while (tail < least - head && from.p[from.len - 1 - tail] == to.p[to.len - 1 - tail]) {
        tail++;
    }
    return (struct edit){ .begin = head,
                          .result_begin = head,
                          .end = from.len - tail,
                          .text = span_make(to.p + head, to.len - head - tail) };
}

/* Edits with less than this between them become one: what one layer took away and the other put
 * back beside it is then no change. */
#define NEARBY 64

/* A part of the text in the middle that edits of either side touch. */
struct cluster {
    size_t begin, end;
};

/* How far two edit lists have been followed, and by how much the places of the three texts differ
 * there. */
struct composing {
    const struct splice *first, *second;
    size_t i, k;
    size_t to_text, from_text, to_result, from_result;
};

/* Takes the edit that comes next into the cluster when it is near. 'begin' and 'end' are its
 * place in the text in the middle. */
static bool join_cluster(struct cluster *c, size_t begin, size_t end)
{
    if (begin > c->end + NEARBY) {
        return false;
    }
    c->end = end > c->end ? end : c->end;
    return true;
}

static bool join_first(struct composing *p, struct cluster *c)
{
    const struct edit *e = p->i < p->first->edits.n ? &p->first->edits.v[p->i] : NULL;

    if (e == NULL || !join_cluster(c, e->result_begin, e->result_begin + e->text.len)) {
        return false;
    }
    p->to_text += e->end - e->begin;
    p->from_text += e->text.len;
    p->i++;
    return true;
}

static bool join_second(struct composing *p, struct cluster *c)
{
    const struct edit *e = p->k < p->second->edits.n ? &p->second->edits.v[p->k] : NULL;

    if (e == NULL || !join_cluster(c, e->begin, e->end)) {
        return false;
    }
    p->to_result += e->text.len;
    p->from_result += e->end - e->begin;
    p->k++;
    return true;
}

/* Where the next edit of either list begins. */
static struct cluster next_cluster(const struct composing *p)
{
    size_t a = p->i < p->first->edits.n ? p->first->edits.v[p->i].result_begin : SIZE_MAX;
    size_t b = p->k < p->second->edits.n ? p->second->edits.v[p->k].begin : SIZE_MAX;
    size_t at = a < b ? a : b;

    return (struct cluster){ at, at };
}

void splice_compose(const struct splice *first, const struct splice *second, struct span text,
                    struct span result, struct splice *out)
{
    struct composing p = { .first = first, .second = second };

    while (p.i < first->edits.n || p.k < second->edits.n) {
        struct cluster c = next_cluster(&p);
        size_t begin = c.begin + p.to_text - p.from_text;
        size_t result_begin = c.begin + p.to_result - p.from_result;
        while (join_first(&p, &c) || join_second(&p, &c)) {
        }
        struct span was = span_make(text.p + begin, c.end + p.to_text - p.from_text - begin);
        struct span is =
            span_make(result.p + result_begin, c.end + p.to_result - p.from_result - result_begin);
        if (!span_eq(was, is)) {
            struct edit e = splice_difference(was, is);
            splice_add(out, begin + e.begin, begin + e.end, e.text);
        }
    }
    int rc = splice_sort(out, text.len, NULL);
    assert(rc == 0); /* they are in order and apart */
}

void splice_fini(struct splice *s)
{
    vec_fini(&s->edits);
}
