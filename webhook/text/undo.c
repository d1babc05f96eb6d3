#include "webhook/text/undo.h"

#include "allocator/base/hash.h"
#include "webhook/text/anchored.h"

#include <inttypes.h>

/* ---- one record */

void undo_write(const struct undo_place *place, struct buf *out)
{
    size_t end = place->n_undo == 0 ? place->begin : place->undo[place->n_undo - 1].end;

    buf_addf(out, "[%zu,\"%016" PRIx64 "\",[", end - place->begin,
             hash64(span_make(place->text.p + place->begin, end - place->begin)));
    for (size_t i = 0; i < place->n_undo; i++) {
        const struct edit *e = &place->undo[i];
        buf_addf(out, "%s[%zu,%zu,", i == 0 ? "" : ",", e->begin - place->begin, e->end - e->begin);
        buf_add_json(out, e->text);
        buf_add_char(out, ']');
    }
    buf_add_str(out, "]]");
}

const struct node *undo_find(const struct node *records, struct span receiver, struct span job)
{
    return node_get_span(node_get_span(records, receiver), job);
}

static bool is_edit(const struct node *n, size_t size, size_t *from)
{
    size_t offset, len;
    struct span text;

    if (n->type != NODE_LIST || n->n != 3 || !node_as_size(n->items[0], size, &offset) ||
        !node_as_size(n->items[1], size - offset, &len) || !node_as_text(n->items[2], &text) ||
        offset < *from) {
        return false;
    }
    *from = offset + len;
    return true;
}

bool undo_fits(const struct node *record, struct span text, size_t begin)
{
    size_t size, from = 0;
    struct span hash;
    char digits[17];

    if (record == NULL || record->type != NODE_LIST || record->n != 3 ||
        !node_as_size(record->items[0], text.len - begin, &size) ||
        !node_as_text(record->items[1], &hash) || record->items[2]->type != NODE_LIST) {
        return false;
    }
    (void)snprintf(digits, sizeof(digits), "%016" PRIx64, hash64(span_make(text.p + begin, size)));
    if (!span_is(hash, digits)) {
        return false;
    }
    for (size_t i = 0; i < record->items[2]->n; i++) {
        if (!is_edit(record->items[2]->items[i], size, &from)) {
            return false;
        }
    }
    return true;
}

void undo_add(const struct node *record, size_t begin, struct splice *out)
{
    const struct node *edits = record->items[2];

    for (size_t i = 0; i < edits->n; i++) {
        size_t offset = 0, len = 0;
        struct span text = { "", 0 };
        (void)node_as_size(edits->items[i]->items[0], SIZE_MAX >> 1, &offset);
        (void)node_as_size(edits->items[i]->items[1], SIZE_MAX >> 1, &len);
        (void)node_as_text(edits->items[i]->items[2], &text);
        splice_add(out, begin + offset, begin + offset + len, text);
    }
}

bool undo_take(const struct node *record, struct span text, const struct node *map,
               struct span ours, struct splice *out)
{
    if (!undo_fits(record, text, map->begin)) {
        return anchored_take(record, text, map, ours, out);
    }
    if (out != NULL) {
        undo_add(record, map->begin, out);
    }
    return true;
}

/* ---- a whole Collector */

void undo_whole_make(struct span document, struct span region, const struct node *collector,
                     struct arena *arena, struct undo_whole *out)
{
    const struct node *metadata = node_get(collector, "metadata");
    const struct node *names[] = { node_get(metadata, "name"), node_get(metadata, "namespace") };
    size_t begin = (size_t)(region.p - document.p), end = begin + region.len, from = begin;
    char *text = arena_bytes(arena, region.len + 1);

    *out = (struct undo_whole){ .begin = begin, .text = { text, 0 } };
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

/* The i-th part of the text: in front of the i-th name, or after the last one. */
static struct span part(const struct undo_whole *o, size_t i)
{
    size_t begin = i == 0 ? 0 : o->names[i - 1].at;
    size_t end = i == o->n_names ? o->text.len : o->names[i].at;

    return span_make(o->text.p + begin, end - begin);
}

void undo_whole_write(const struct undo_whole *from, const struct undo_whole *to, struct buf *out)
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
    const struct undo_place place = { from->text, 0, undo, n };
    undo_write(&place, out);
}

bool undo_whole_fits(const struct undo_whole *o, const struct node *record)
{
    return undo_fits(record, o->text, 0);
}

/* The place in the document. An edit beside a name does not take it with it. */
static size_t in_document(const struct undo_whole *o, size_t at, bool is_end)
{
    size_t place = o->begin + at;

    for (size_t i = 0; i < o->n_names; i++) {
        bool is_behind = is_end ? o->names[i].at < at : o->names[i].at <= at;
        place += is_behind ? o->names[i].len : 0;
    }
    return place;
}

void undo_whole_add(const struct undo_whole *o, const struct node *record, struct splice *out)
{
    struct splice s = { .edits = { .n = 0 } };

    undo_add(record, 0, &s);
    vec_each(&s.edits, e) {
        size_t begin = in_document(o, e->begin, false);
        size_t end = e->begin == e->end ? begin : in_document(o, e->end, true);
        splice_add(out, begin, end, e->text);
    }
    splice_fini(&s);
}
