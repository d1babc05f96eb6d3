#include "webhook/text/outline.h"

void outline_make(struct span document, struct span region, const struct node *collector,
                  struct arena *arena, struct outline *out)
{
    const struct node *metadata = node_get(collector, "metadata");
    const struct node *names[] = { node_get(metadata, "name"), node_get(metadata, "namespace") };
    size_t begin = (size_t)(region.p - document.p), end = begin + region.len, from = begin;
    char *text = arena_bytes(arena, region.len + 1);

    *out = (struct outline){ .begin = begin, .text = { text, 0 } };
    if (names[0] != NULL && names[1] != NULL && names[0]->begin > names[1]->begin) {
        const struct node *first = names[1];
        names[1] = names[0];
        names[0] = first;
    }
    for (size_t i = 0; i < COUNT(names); i++) {
        const struct node *name = names[i];
        if (name == NULL || name->type != NODE_SCALAR || name->begin < from || name->end > end) {
            continue; /* absent, or it comes from elsewhere */
        }
        memcpy(text + out->text.len, document.p + from, name->begin - from);
        out->text.len += name->begin - from;
        from = name->end;
        out->names[out->n_names].at = out->text.len;
        out->names[out->n_names++].len = name->end - name->begin;
    }
    memcpy(text + out->text.len, document.p + from, end - from);
    out->text.len += end - from;
}

/* The i-th part of the text: in front of the i-th name, or behind the last one. */
static struct span part(const struct outline *o, size_t i)
{
    size_t begin = i == 0 ? 0 : o->names[i - 1].at;
    size_t end = i == o->n_names ? o->text.len : o->names[i].at;

    return span_make(o->text.p + begin, end - begin);
}

void outline_write(const struct outline *from, const struct outline *to, struct buf *out)
{
    struct edit undo[COUNT(from->names) + 2];
    size_t n = 0;

    if (from->n_names != to->n_names) {
        return;
    }
    for (size_t i = 0; i <= from->n_names; i++) {
        struct span was = part(from, i), is = part(to, i);
        if (!span_eq(was, is)) {
            undo[n] = splice_difference(was, is);
            undo[n].begin += (size_t)(was.p - from->text.p);
            undo[n++].end += (size_t)(was.p - from->text.p);
        }
    }
    /* The hash covers all of the Collector: an empty edit at its end stretches the record to it. */
    undo[n++] =
        (struct edit){ .begin = from->text.len, .end = from->text.len, .text = SPAN_LIT("") };
    const struct exact_place place = { from->text, 0, undo, n };
    exact_write(&place, out);
}

bool outline_fits(const struct outline *o, const struct node *record)
{
    return exact_fits(record, o->text, 0);
}

/* The place in the document. An edit beside a name does not take it with it. */
static size_t in_document(const struct outline *o, size_t at, bool is_end)
{
    size_t place = o->begin + at;

    for (size_t i = 0; i < o->n_names; i++) {
        bool is_behind = is_end ? o->names[i].at < at : o->names[i].at <= at;
        place += is_behind ? o->names[i].len : 0;
    }
    return place;
}

void outline_add(const struct outline *o, const struct node *record, struct splice *out)
{
    struct splice s = { .edits = { .n = 0 } };

    exact_add(record, 0, &s);
    vec_each(&s.edits, e) {
        size_t begin = in_document(o, e->begin, false);
        size_t end = e->begin == e->end ? begin : in_document(o, e->end, true);
        splice_add(out, begin, end, e->text);
    }
    splice_fini(&s);
}
