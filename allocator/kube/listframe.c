#include "allocator/kube/listframe.h"

enum state {
    AROUND,     /* outside of the items */
    FIRST_ITEM, /* after their '[' */
    NEXT_ITEM,  /* after a ',' */
    ITEM,
    AFTER_ITEM,
    BEHIND, /* the list has ended */
    BROKEN,
};

void listframe_init(struct listframe *f, size_t max_item, size_t max_around)
{
    *f = (struct listframe){ .state = AROUND, .max_item = max_item };
    buf_init(&f->around, max_around);
}

void listframe_fini(struct listframe *f)
{
    buf_fini(&f->around);
}

static enum listframe_event fail(struct listframe *f, const char *error)
{
    f->state = BROKEN;
    f->error = error;
    return LISTFRAME_FAULT;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* ---- the text around */

static void look_in_string(struct listframe *f, char c)
{
    if (f->in_escape) {
        f->in_escape = false;
    } else if (c == '\\') {
        f->in_escape = true;
    } else if (c == '"') {
        f->in_string = false;
        f->string_end = f->around.len - 1;
    }
}

static bool is_items(const struct listframe *f)
{
    return f->depth == 1 &&
           span_is(span_make(f->around.p + f->string_at, f->string_end - f->string_at), "items");
}

/* One byte outside of strings. */
static enum listframe_event look_at(struct listframe *f, char c)
{
    const bool is_after_name = f->is_after_name;

    if (f->depth == 0 && c != '{') {
        return is_space(c) ? LISTFRAME_MORE : fail(f, "this is not a JSON object");
    }
    f->is_after_name = is_after_name && is_space(c);
    switch (c) {
    case '"':
        f->in_string = true;
        f->string_at = f->string_end = f->around.len;
        break;
    case ':':
        f->is_after_name = is_items(f);
        break;
    case '[':
        if (is_after_name) {
            f->state = FIRST_ITEM;
            return LISTFRAME_MORE;
        }
        f->depth++;
        break;
    case '{':
        f->depth++;
        break;
    case ']':
    case '}':
        f->state = --f->depth == 0 ? BEHIND : AROUND;
        break;
    default:
        break;
    }
    return LISTFRAME_MORE;
}

/* ---- between items */

static enum listframe_event begin_item(struct listframe *f, char c)
{
    if (c != '{') {
        return fail(f, "an item of the list is not an object");
    }
    f->state = ITEM;
    f->item_len = 0;
    jsonend_init(&f->item);
    return LISTFRAME_MORE;
}

static enum listframe_event between(struct listframe *f, char c)
{
    if (is_space(c)) {
        return LISTFRAME_MORE;
    }
    if (c == ']' && f->state != NEXT_ITEM) {
        f->state = AROUND;
        buf_add_char(&f->around, c);
        return LISTFRAME_MORE;
    }
    if (f->state != AFTER_ITEM) {
        return begin_item(f, c);
    }
    f->state = NEXT_ITEM;
    return c == ',' ? LISTFRAME_MORE : fail(f, "there is no comma between items of the list");
}

static enum listframe_event take_byte(struct listframe *f, char c)
{
    if (f->state == BEHIND) {
        return is_space(c) ? LISTFRAME_MORE : fail(f, "something follows the list");
    }
    if (f->state != AROUND) {
        return between(f, c);
    }
    buf_add_char(&f->around, c);
    if (buf_error(&f->around) != 0) {
        return fail(f, "what stands around the items is too long");
    }
    if (f->in_string) {
        look_in_string(f, c);
        return LISTFRAME_MORE;
    }
    return look_at(f, c);
}

/* ---- items */

static enum listframe_event take_item(struct listframe *f, struct span *piece, struct buf *out)
{
    size_t n = jsonend_feed(&f->item, *piece);

    if (n > f->max_item - f->item_len) {
        return fail(f, "an object is larger than the limit");
    }
    if (f->item.is_too_deep) {
        return fail(f, "an object is nested too deeply");
    }
    buf_add(out, piece->p, n);
    if (buf_error(out) != 0) {
        return fail(f, "an object is larger than the limit");
    }
    f->item_len += n;
    *piece = span_from(*piece, n);
    if (!f->item.is_found) {
        return LISTFRAME_MORE;
    }
    f->state = AFTER_ITEM;
    return LISTFRAME_ITEM;
}

enum listframe_event listframe_feed(struct listframe *f, struct span *piece, struct buf *out)
{
    enum listframe_event e = f->state == BROKEN ? LISTFRAME_FAULT : LISTFRAME_MORE;

    while (e == LISTFRAME_MORE && piece->len > 0) {
        if (f->state == ITEM) {
            e = take_item(f, piece, out);
            continue;
        }
        e = take_byte(f, piece->p[0]);
        if (f->state != ITEM) { /* its first byte is its own */
            *piece = span_from(*piece, 1);
        }
    }
    return e;
}

bool listframe_is_complete(const struct listframe *f)
{
    return f->state == BEHIND;
}
