#include "webhook/text/writeout.h"

#include "allocator/codec/yamldoc.h"
#include "webhook/text/yamltext.h"

#include <ctype.h>

struct writer {
    struct arena *arena;
    struct splice *splice;
    size_t left; /* bytes that may still be written */
};

/* ---- a value in flow form, which may stand in any place */

/* Plain as it was: what a reader takes it for (0x1F, True, ~, a date) hangs on its spelling. What
 * flow form could not hold is text for everybody. */
static bool stays_plain(const struct node *n)
{
    const struct span s = n->text;

    for (size_t i = 0; i < s.len; i++) {
        if (!isalnum((unsigned char)s.p[i]) && strchr("+-._~:<= ", s.p[i]) == NULL) {
            return false;
        }
    }
    return n->style == NODE_PLAIN && s.len > 0 && memmem(s.p, s.len, ": ", 2) == NULL &&
           s.p[s.len - 1] != ':';
}

static void add_scalar(const struct node *n, struct buf *out)
{
    if (stays_plain(n)) {
        buf_add_span(out, n->text);
    } else {
        yamltext_scalar(n->text, YAMLTEXT_FLOW, out);
    }
}

/* NOLINTNEXTLINE(misc-no-recursion): documents are at most LIMIT_DEPTH deep. */
static void add_value(const struct node *n, struct buf *out)
{
    if (n->type == NODE_NULL) {
        buf_add_str(out, "null");
    } else if (n->type == NODE_SCALAR) {
        add_scalar(n, out);
    } else {
        buf_add_char(out, n->type == NODE_LIST ? '[' : '{');
        for (size_t i = 0; i < n->n; i++) {
            buf_add_str(out, i == 0 ? "" : ", ");
            if (n->type == NODE_MAP) {
                add_scalar(n->pairs[i].key, out);
                buf_add_str(out, ": ");
            }
            add_value(n->type == NODE_LIST ? n->items[i] : n->pairs[i].value, out);
        }
        buf_add_char(out, n->type == NODE_LIST ? ']' : '}');
    }
}

static bool replace(struct writer *w, const struct node *n)
{
    struct buf made;

    buf_init_in(&made, w->arena, w->left + 1);
    add_value(n, &made);
    if (buf_error(&made) != 0 || made.len > w->left) {
        return false;
    }
    w->left -= made.len;
    splice_add(w->splice, n->begin, n->end, buf_span(&made));
    return true;
}

/* NOLINTNEXTLINE(misc-no-recursion): documents are at most LIMIT_DEPTH deep. */
static bool write_out(struct writer *w, const struct node *n)
{
    bool is_good = true;

    if (n->is_alias || (n->type == NODE_MAP && node_has_merge(n))) {
        return replace(w, n);
    }
    for (size_t i = 0; n->type == NODE_LIST && i < n->n && is_good; i++) {
        is_good = write_out(w, n->items[i]);
    }
    for (size_t i = 0; n->type == NODE_MAP && i < n->n && is_good; i++) {
        is_good = write_out(w, n->pairs[i].value);
    }
    return is_good;
}

int writeout(struct span text, const struct node *root, const struct writeout_room *room,
             struct splice *out, struct span *out_text, struct err *err)
{
    struct arena *arena = room->arena;
    size_t max = room->max_bytes;
    struct writer w = { arena, out, max };
    struct node *tree = NULL;
    struct buf result;

    if (!write_out(&w, root)) {
        return err_set(err, ERR_TOO_BIG,
                       "with its aliases written out it would have more than %zu "
                       "bytes",
                       max);
    }
    int rc = splice_sort(out, text.len, err);
    if (rc < 0) {
        return rc;
    }
    buf_init_in(&result, arena, max + text.len);
    splice_apply(out, text, &result);
    if (yamldoc_parse(buf_span(&result), arena, &tree, NULL) < 0 || tree == NULL ||
        !node_equal(tree, root)) {
        return err_set(err, ERR_REFUSED, "its aliases cannot be written out");
    }
    *out_text = buf_span(&result);
    return 0;
}
