#include "webhook/text/exact.h"

#include "allocator/base/hash.h"

#include <inttypes.h>

void exact_write(const struct exact_place *place, struct buf *out)
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

const struct node *exact_find(const struct node *records, struct span receiver, struct span job)
{
    return node_get_span(node_get_span(records, receiver), job);
}

static bool read_size(const struct node *n, size_t max, size_t *out)
{
    int64_t value;

    if (!node_as_int(n, &value) || value < 0 || (uint64_t)value > max) {
        return false;
    }
    *out = (size_t)value;
    return true;
}

static bool is_edit(const struct node *n, size_t size, size_t *from)
{
    size_t offset, len;
    struct span text;

    if (n->type != NODE_LIST || n->n != 3 || !read_size(n->items[0], size, &offset) ||
        !read_size(n->items[1], size - offset, &len) || !node_as_text(n->items[2], &text) ||
        offset < *from) {
        return false;
    }
    *from = offset + len;
    return true;
}

bool exact_fits(const struct node *record, struct span text, size_t begin)
{
    size_t size, from = 0;
    struct span hash;
    char digits[17];

    if (record == NULL || record->type != NODE_LIST || record->n != 3 ||
        !read_size(record->items[0], text.len - begin, &size) ||
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

void exact_add(const struct node *record, size_t begin, struct splice *out)
{
    const struct node *edits = record->items[2];

    for (size_t i = 0; i < edits->n; i++) {
        size_t offset = 0, len = 0;
        struct span text = { "", 0 };
        (void)read_size(edits->items[i]->items[0], SIZE_MAX >> 1, &offset);
        (void)read_size(edits->items[i]->items[1], SIZE_MAX >> 1, &len);
        (void)node_as_text(edits->items[i]->items[2], &text);
        splice_add(out, begin + offset, begin + offset + len, text);
    }
}
