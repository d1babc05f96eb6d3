#include "allocator/kube/object.h"

#include "allocator/codec/jsonscan.h"
#include "allocator/kube/objectmember.h"

#include <assert.h>

static const struct object_member *find(const struct object_member *table, struct span name)
{
    for (; table->name != NULL; table++) {
        if (span_is(name, table->name)) {
            return table;
        }
    }
    return NULL;
}

/* ---- reading: one walk over the members that a table knows, for both */

struct walk {
    struct jsonscan scan;
    struct json_token token; /* the last one */
    struct buf *cut;         /* the cut goes there; NULL: a view is made */
    struct arena *arena;
    const char *mismatch; /* the member that has the wrong type */
};

static int fail(struct walk *w, const struct object_member *m)
{
    if (w->token.event != JSON_FAULT) {
        w->mismatch = m->name;
    }
    return ERR_INVALID;
}

static enum json_event next(struct walk *w)
{
    w->token.event = jsonscan_next(&w->scan, &w->token);
    return w->token.event;
}

static struct span plain(struct walk *w, struct span raw)
{
    return jsonscan_is_literal(raw) ? raw : jsonscan_unescape(raw, w->arena);
}

/* Another element at the end of 'v', which has 'n' of them: zeroed. Doubles at each power of two.
 */
static void *grow(struct walk *w, void *v, size_t n, size_t size)
{
    if ((n & (n - 1)) == 0) {
        char *bigger = arena_alloc(w->arena, (n == 0 ? 1 : 2 * n) * size);
        if (n > 0) {
            memcpy(bigger, v, n * size);
        }
        v = bigger;
    }
    memset((char *)v + n * size, 0, size);
    return v;
}

static int read_members(struct walk *w, const struct object_member *table, char *base);

/* Behind '['. */
/* NOLINTNEXTLINE(misc-no-recursion): as deep as the tables */
static int read_items(struct walk *w, const struct object_member *m, void *out)
{
    struct object_items list = { NULL, 0 };
    char lead = '[';

    while (next(w) == JSON_BEGIN_OBJECT) {
        char *item = NULL;
        if (w->cut != NULL) {
            buf_add_char(w->cut, lead);
            lead = ',';
        } else {
            list.v = grow(w, list.v, list.n, m->item_size);
            item = (char *)list.v + list.n++ * m->item_size;
        }
        int rc = read_members(w, m->inner, item);
        if (rc < 0) {
            return rc;
        }
    }
    if (w->cut != NULL) {
        buf_add_str(w->cut, lead == '[' ? "[]" : "]");
    } else {
        assert(out != NULL);
        memcpy(out, &list, sizeof(list));
    }
    return w->token.event == JSON_END_ARRAY ? 0 : fail(w, m);
}

/* Behind '['. */
static int read_texts(struct walk *w, const struct object_member *m, struct object_texts *out)
{
    assert(out != NULL);
    while (next(w) == JSON_TEXT) {
        out->v = grow(w, out->v, out->n, sizeof(*out->v));
        out->v[out->n++] = plain(w, w->token.raw);
    }
    return w->token.event == JSON_END_ARRAY ? 0 : fail(w, m);
}

/* Behind '{'. */
static int read_map(struct walk *w, const struct object_member *m, struct object_pairs *out)
{
    assert(out != NULL);
    while (next(w) == JSON_KEY) {
        struct object_pair pair = { plain(w, w->token.raw), { "", 0 } };
        if (next(w) == JSON_TEXT) {
            pair.value = plain(w, w->token.raw);
        } else if (w->token.event != JSON_NULL_VALUE) {
            return fail(w, m);
        }
        out->v = grow(w, out->v, out->n, sizeof(*out->v));
        out->v[out->n++] = pair;
    }
    return w->token.event == JSON_END_OBJECT ? 0 : fail(w, m);
}

/* The value 'w->token' for a place that a view shows. */
static int read_leaf(struct walk *w, const struct object_member *m, void *place)
{
    assert(place != NULL);
    enum json_event e = w->token.event;

    if (m->shape == OBJECT_TEXTS && e == JSON_BEGIN_ARRAY) {
        return read_texts(w, m, place);
    }
    if (m->shape == OBJECT_MAP && e == JSON_BEGIN_OBJECT) {
        return read_map(w, m, place);
    }
    if (m->shape == OBJECT_TEXT && e == JSON_TEXT) {
        *(struct span *)place = plain(w, w->token.raw);
        return 0;
    }
    if ((m->shape == OBJECT_NUMBER && e == JSON_NUMBER) ||
        (m->shape == OBJECT_TRUTH && (e == JSON_TRUE_VALUE || e == JSON_FALSE_VALUE))) {
        *(struct span *)place = w->token.raw;
        return 0;
    }
    return fail(w, m);
}

/* Behind the key of 'm'. */
/* NOLINTNEXTLINE(misc-no-recursion): as deep as the tables */
static int read_value(struct walk *w, const struct object_member *m, char *base)
{
    if ((w->cut != NULL && m->inner == NULL) || m->shape == OBJECT_JSON) { /* whatever it is */
        struct span value = { "", 0 };
        w->token.event = jsonscan_skip(&w->scan, &value);
        if (w->cut != NULL) {
            buf_add_span(w->cut, value);
        } else {
            assert(base != NULL);
            memcpy(base + m->offset, &value, sizeof(value));
        }
        return w->token.event == JSON_FAULT ? ERR_INVALID : 0;
    }
    enum json_event e = next(w);
    if (e == JSON_NULL_VALUE) {
        if (w->cut != NULL) {
            buf_add_str(w->cut, "null");
        }
        return 0;
    }
    char *place = base == NULL ? NULL : base + m->offset;
    if (m->shape == OBJECT_PART && e == JSON_BEGIN_OBJECT) {
        if (base != NULL && m->presence > 0) {
            *(bool *)(base + m->presence - 1) = true;
        }
        return read_members(w, m->inner, place);
    }
    if (m->shape == OBJECT_ITEMS && e == JSON_BEGIN_ARRAY) {
        return read_items(w, m, place);
    }
    return m->inner == NULL ? read_leaf(w, m, place) : fail(w, m);
}

/* Behind '{'. 'base' is the struct; NULL: a cut is made. */
/* NOLINTNEXTLINE(misc-no-recursion): as deep as the tables */
static int read_members(struct walk *w, const struct object_member *table, char *base)
{
    char lead = '{';

    while (next(w) == JSON_KEY) {
        const struct object_member *m = find(table, w->token.raw);
        if (m == NULL) {
            w->token.event = jsonscan_skip(&w->scan, NULL);
            if (w->token.event == JSON_FAULT) {
                return ERR_INVALID;
            }
            continue;
        }
        if (w->cut != NULL) {
            buf_add_char(w->cut, lead);
            buf_add_char(w->cut, '"');
            buf_add_str(w->cut, m->name);
            buf_add_str(w->cut, "\":");
            lead = ',';
        }
        int rc = read_value(w, m, base);
        if (rc < 0) {
            return rc;
        }
    }
    if (w->cut != NULL) {
        buf_add_str(w->cut, lead == '{' ? "{}" : "}");
    }
    return w->token.event == JSON_END_OBJECT ? 0 : ERR_INVALID;
}

static int read_object(struct walk *w, enum object_kind kind, struct span text, char *base,
                       struct err *err)
{
    jsonscan_init(&w->scan, text, LIMIT_SKIP_DEPTH);
    if (next(w) == JSON_BEGIN_OBJECT) {
        if (read_members(w, object_types[kind].members, base) == 0 && next(w) == JSON_DONE) {
            return 0;
        }
        if (w->mismatch != NULL) {
            return err_set(err, ERR_INVALID, "%s has the wrong type", w->mismatch);
        }
    } else if (w->token.event != JSON_FAULT) {
        return err_set(err, ERR_INVALID, "this is not a JSON object");
    }
    return err_set(err, ERR_INVALID, "%s", jsonscan_error(&w->scan));
}

int object_cut(enum object_kind kind, struct span text, struct buf *out, struct err *err)
{
    struct walk w = { .cut = out };

    int rc = read_object(&w, kind, text, NULL, err);
    if (rc == 0 && buf_error(out) != 0) {
        return err_set(err, ERR_TOO_BIG, "the object is too big");
    }
    return rc;
}

int object_view(enum object_kind kind, struct span text, struct arena *arena, void *out,
                struct err *err)
{
    struct walk w = { .arena = arena };

    memset(out, 0, object_types[kind].size);
    return read_object(&w, kind, text, out, err);
}

struct span object_key_namespace(struct span key)
{
    const char *slash = memchr(key.p, '/', key.len);

    return slash == NULL ? SPAN_LIT("") : span_make(key.p, (size_t)(slash - key.p));
}

struct span object_key_name(struct span key)
{
    const char *slash = memchr(key.p, '/', key.len);

    return slash == NULL ? key : span_from(key, (size_t)(slash - key.p) + 1);
}

const struct object_owner *object_controller(const struct object_meta *meta)
{
    for (size_t i = 0; i < meta->owners.n; i++) {
        if (span_is(meta->owners.v[i].controller, "true")) {
            return &meta->owners.v[i];
        }
    }
    return NULL;
}
