#include "webhook/text/anchored.h"

#include "allocator/base/hash.h"
#include "webhook/text/member.h"

#include <inttypes.h>

enum side { FROM_BEGIN, FROM_END, IN_PLACE };

#define DIGITS 8

/* The hash of the bytes from 'begin' to 'end'. */
static void write_hash(struct span text, size_t begin, size_t end, char *out)
{
    uint64_t hash = hash64(span_make(text.p + begin, end - begin));

    (void)snprintf(out, DIGITS + 1, "%08" PRIx32, (uint32_t)hash);
}

/* An edit at the end of a line is none in the middle of one: the byte behind it counts. */
static size_t behind(struct span text, size_t end)
{
    return end < text.len ? end + 1 : end;
}

/* ---- writing */

static void write_path(const struct anchored_member *m, struct buf *out)
{
    if (m != NULL && m->depth == 1) {
        buf_add_json(out, m->path[0]);
        return;
    }
    buf_add_char(out, '[');
    for (size_t i = 0; m != NULL && i < m->depth; i++) {
        buf_add_str(out, i > 0 ? "," : "");
        buf_add_json(out, m->path[i]);
    }
    buf_add_char(out, ']');
}

/* The member that the edit replaces, else the last one that ends in front of it, else the last one
 * that begins there; NULL: none does. */
static const struct anchored_member *find_anchor(const struct anchored_place *place,
                                                 const struct edit *e, enum side *out_side)
{
    const struct anchored_member *before = NULL, *around = NULL;

    for (size_t i = 0; i < place->n_members; i++) {
        const struct anchored_member *m = &place->members[i];
        if (m->begin == e->begin && e->end > e->begin) {
            *out_side = m->end == e->end ? IN_PLACE : FROM_BEGIN;
            return m;
        }
        around = m->begin <= e->begin ? m : around;
        before = m->end <= e->begin && (before == NULL || m->end >= before->end) ? m : before;
    }
    *out_side = before != NULL ? FROM_END : FROM_BEGIN;
    return before != NULL ? before : around;
}

static const struct anchored_member *find_next(const struct anchored_place *place,
                                               const struct edit *e)
{
    for (size_t i = 0; i < place->n_members; i++) {
        if (place->members[i].begin >= e->end && place->members[i].begin > e->begin) {
            return &place->members[i];
        }
    }
    return NULL;
}

static void write_edit(const struct anchored_place *place, const struct edit *e, struct buf *out)
{
    enum side side = FROM_BEGIN;
    const struct anchored_member *m = find_anchor(place, e, &side), *next = find_next(place, e);
    size_t from = m == NULL ? place->begin : side == FROM_END ? m->end : m->begin;
    char hash[DIGITS + 1];

    buf_add_char(out, '[');
    write_path(m, out);
    write_hash(place->text, from, side == IN_PLACE ? e->end : behind(place->text, e->end), hash);
    buf_addf(out, ",%d,%zu,%zu,\"%s\",", (int)side, e->begin - from, e->end - e->begin, hash);
    buf_add_json(out, e->text);
    /* What replaces a member needs no other. */
    if (next != NULL && !(m != NULL && m->begin == e->begin)) {
        buf_add_char(out, ',');
        write_path(next, out);
        write_hash(place->text, e->begin, next->begin, hash);
        buf_addf(out, ",%zu,\"%s\"", next->begin - e->end, hash);
    }
    buf_add_char(out, ']');
}

void anchored_write(const struct anchored_place *place, const struct edit *undo, size_t n,
                    struct buf *out)
{
    buf_add_char(out, '[');
    for (size_t i = 0; i < n; i++) {
        buf_add_str(out, i > 0 ? "," : "");
        write_edit(place, &undo[i], out);
    }
    buf_add_char(out, ']');
}

/* ---- reading */

/* The member that 'path' leads to: where it begins and ends in the text. */
static bool find_member(const struct node *path, const struct node *map, size_t *out_begin,
                        size_t *out_end)
{
    const struct node *const *steps =
        path->type == NODE_LIST ? (const struct node *const *)path->items : &path;
    size_t n = path->type == NODE_LIST ? path->n : 1;
    const struct node_pair *pair = NULL;

    *out_begin = map->begin;
    *out_end = map->end;
    for (size_t i = 0; i < n; i++) {
        struct span key;
        const struct node *in = pair == NULL ? map : pair->value;
        pair = node_as_text(steps[i], &key) && !(pair != NULL && in->is_alias)
                   ? member_find(in, key)
                   : NULL;
        if (pair == NULL) {
            return false;
        }
    }
    if (pair != NULL) {
        *out_begin = pair->key->begin;
        *out_end = member_end(pair);
    }
    return n <= ANCHORED_DEPTH && *out_begin <= *out_end;
}

static bool has_hash(const struct node *n, struct span text, size_t begin, size_t end)
{
    struct span hash;
    char digits[DIGITS + 1];

    if (begin > end || end > text.len || !node_as_text(n, &hash)) {
        return false;
    }
    write_hash(text, begin, end, digits);
    return span_is(hash, digits);
}

static bool is_ours(const struct node *path, struct span ours)
{
    struct span key;

    return ours.p != NULL && node_as_text(path, &key) && span_eq(key, ours);
}

/* Beside the member that it stands behind or in. */
static bool find_behind(const struct node *e, struct span text, const struct node *map,
                        struct span ours, size_t *len, size_t *out)
{
    size_t begin, end, side, offset;

    if (!find_member(e->items[0], map, &begin, &end) ||
        !node_as_size(e->items[1], IN_PLACE, &side)) {
        return false;
    }
    size_t from = side == FROM_END ? end : begin;
    if (side == IN_PLACE && is_ours(e->items[0], ours) && end <= text.len) {
        *out = begin;
        *len = end - begin;
        return true;
    }
    if (from > text.len || !node_as_size(e->items[2], text.len - from, &offset) ||
        *len > text.len - from - offset) {
        return false;
    }
    *out = from + offset;
    size_t to = *out + *len;
    return side == IN_PLACE ? to == end && has_hash(e->items[4], text, from, to)
                            : has_hash(e->items[4], text, from, behind(text, to));
}

/* Beside the member that it stands in front of. */
static bool find_in_front(const struct node *e, struct span text, const struct node *map,
                          size_t len, size_t *out)
{
    size_t begin, end, distance;

    if (e->n != 9 || !find_member(e->items[6], map, &begin, &end) || begin > text.len ||
        !node_as_size(e->items[7], begin, &distance) || len > begin - distance) {
        return false;
    }
    *out = begin - distance - len;
    return has_hash(e->items[8], text, *out, begin);
}

static bool find_edit(const struct node *e, struct span text, const struct node *map,
                      struct span ours, struct edit *out)
{
    size_t len, begin;

    if (e->type != NODE_LIST || (e->n != 6 && e->n != 9) ||
        !node_as_size(e->items[3], text.len, &len) || !node_as_text(e->items[5], &out->text)) {
        return false;
    }
    if (!find_behind(e, text, map, ours, &len, &begin) &&
        !find_in_front(e, text, map, len, &begin)) {
        return false;
    }
    out->begin = begin;
    out->end = begin + len;
    return true;
}

bool anchored_take(const struct node *record, struct span text, const struct node *map,
                   struct span ours, struct splice *out)
{
    struct splice found = { .edits = { .n = 0 } };
    size_t from = map->begin;

    if (record == NULL || record->type != NODE_LIST) {
        return false;
    }
    for (size_t i = 0; i < record->n; i++) {
        struct edit e = { .begin = 0 };
        if (!find_edit(record->items[i], text, map, ours, &e) || e.begin < from) {
            splice_fini(&found);
            return false;
        }
        from = e.end;
        splice_add(&found, e.begin, e.end, e.text);
    }
    vec_each(&found.edits, e) {
        if (out != NULL) {
            splice_add(out, e->begin, e->end, e->text);
        }
    }
    splice_fini(&found);
    return true;
}
