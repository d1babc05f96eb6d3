#include "allocator/base/limits.h"
#include "allocator/base/utf8.h"
#include "allocator/codec/jsonscan.h"
#include "allocator/discovery/targetgroup.h"
#include "allocator/prom/labels.h"

/* A string inside a group object whose content may differ in the next one. */
struct piece {
    uint32_t begin, end; /* between the quotes, from the first byte of the object */
    uint32_t index;      /* position among the labels as written, or among the targets */
    bool is_target;
    bool is_plain; /* ASCII without escapes: only such a string is read without the scanner */
};

struct pieces {
    struct piece *v;
    size_t n, cap;
};

/* The last group of a shape: the next one may differ from it inside a few strings only. */
struct model {
    struct span object; /* its text; p == NULL: what is of this shape must be scanned */
    struct pieces pieces;
    size_t group; /* of the batch */
    size_t next;  /* the model of the group that came after it, the last time; NO_MODEL */
};
#define MODELS_MAX 64 /* shapes that have one */
#define NO_MODEL SIZE_MAX

struct known_key { /* what the key at this position was in the last group */
    struct span raw;
    const struct str *name;
};

struct reader {
    struct jsonscan scan;
    struct sd_batch *batch;
    const struct str *origin_name;
    struct span origin_value;
    VEC(struct known_key) keys;

    VEC(struct model) models; /* by shape */
    size_t last;              /* of the group before this one, or NO_MODEL */
    struct pieces pieces;     /* of the object that is being scanned */
    struct pieces shifted;    /* of the object that is being compared */
    VEC(uint32_t) changed;
    size_t n_groups;
};

/* ---- text */

static struct span text_of(struct reader *r, const struct json_token *t, bool *out_is_plain)
{
    bool is_plain = !t->has_escapes && span_is_ascii(t->raw);

    *out_is_plain = is_plain;
    if (is_plain || (!t->has_escapes && utf8_is_valid(t->raw))) {
        return t->raw;
    }
    return jsonscan_unescape(t->raw, &r->batch->arena);
}

/* Go matches the names of struct members with Unicode case folding: the long s counts as s. */
static bool is_member(struct span key, const char *name)
{
    size_t i = 0;

    for (; *name != '\0'; name++) {
        if (i >= key.len) {
            return false;
        }
        if (*name == 's' && i + 1 < key.len && (unsigned char)key.p[i] == 0xc5 &&
            (unsigned char)key.p[i + 1] == 0xbf) {
            i += 2;
            continue;
        }
        char c = key.p[i++];
        if ((c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c) != *name) {
            return false;
        }
    }
    return i == key.len;
}

static enum json_event next_token(struct reader *r, struct json_token *t)
{
    t->event = jsonscan_next(&r->scan, t);
    return t->event;
}

/* ---- faults */

static int scan_fault(struct reader *r, struct err *err)
{
    return err_set(err, ERR_INVALID, "%s", jsonscan_error(&r->scan));
}

static int type_fault(struct reader *r, const struct json_token *t, struct err *err,
                      const char *what)
{
    if (t->event == JSON_FAULT) {
        return scan_fault(r, err);
    }
    return err_set(err, ERR_INVALID, "group %zu: offset %llu: %s", r->n_groups,
                   (unsigned long long)t->begin, what);
}

/* ---- one group through the scanner */

static void add_piece(struct reader *r, const struct json_token *t, uint64_t object_begin,
                      bool is_target, size_t index, bool is_plain)
{
    struct piece *piece = vec_push(&r->pieces);
    *piece = (struct piece){ .begin = (uint32_t)(t->begin - object_begin + 1),
                             .end = (uint32_t)(t->end - object_begin - 1),
                             .index = (uint32_t)index,
                             .is_target = is_target,
                             .is_plain = is_plain };
}

static int read_targets(struct reader *r, uint64_t object_begin, struct err *err)
{
    struct json_token t;
    bool is_plain;

    next_token(r, &t);
    if (t.event == JSON_NULL_VALUE) {
        return 0;
    }
    if (t.event != JSON_BEGIN_ARRAY) {
        return type_fault(r, &t, err, "targets must be a list of strings");
    }
    while (next_token(r, &t) != JSON_END_ARRAY) {
        if (t.event == JSON_NULL_VALUE) {
            sd_batch_target(r->batch, SPAN_LIT(""));
        } else if (t.event == JSON_TEXT) {
            if (t.raw.len > LIMIT_LABEL_VALUE) {
                return type_fault(r, &t, err, "a target is too long");
            }
            sd_batch_target(r->batch, text_of(r, &t, &is_plain));
            add_piece(r, &t, object_begin, true, r->batch->targets.n - 1, is_plain);
        } else {
            return type_fault(r, &t, err, "targets must be a list of strings");
        }
    }
    return 0;
}

static int name_of(struct reader *r, const struct json_token *key, size_t position,
                   const struct str **out, struct err *err)
{
    bool is_plain;

    if (position < r->keys.n && span_eq(r->keys.v[position].raw, key->raw)) {
        *out = r->keys.v[position].name;
        return 0;
    }
    struct span name = text_of(r, key, &is_plain);
    if (name.len == 0) {
        return type_fault(r, key, err, "\"\" is not a valid label name");
    }
    const struct known_key known = { key->raw, strpool_intern(r->batch->pool, name) };
    if (position < r->keys.n) {
        r->keys.v[position] = known;
    } else if (position == r->keys.n) {
        *vec_push(&r->keys) = known;
    }
    *out = known.name;
    return 0;
}

static int read_labels(struct reader *r, uint64_t object_begin, struct err *err)
{
    struct json_token key, t;
    const struct str *name = NULL;
    bool is_plain;

    next_token(r, &t);
    if (t.event == JSON_NULL_VALUE) {
        return 0;
    }
    if (t.event != JSON_BEGIN_OBJECT) {
        return type_fault(r, &t, err, "labels must be an object of strings");
    }
    for (size_t i = 0; next_token(r, &key) != JSON_END_OBJECT; i++) {
        if (key.event != JSON_KEY) {
            return scan_fault(r, err);
        }
        int rc = name_of(r, &key, i, &name, err);
        if (rc < 0) {
            return rc;
        }
        if (i == LIMIT_LABELS_PER_TARGET) {
            return type_fault(r, &key, err, "too many labels");
        }
        next_token(r, &t);
        if (t.event == JSON_TEXT) {
            sd_batch_label(r->batch, name, text_of(r, &t, &is_plain));
            add_piece(r, &t, object_begin, false, i, is_plain);
        } else if (t.event == JSON_NULL_VALUE) {
            sd_batch_label(r->batch, name, SPAN_LIT(""));
        } else {
            return type_fault(r, &t, err, "a label value must be a string");
        }
        if (t.raw.len > LIMIT_LABEL_VALUE) {
            return type_fault(r, &t, err, "a label value is too long");
        }
    }
    return 0;
}

static int read_members(struct reader *r, uint64_t object_begin, bool *out_is_repeated,
                        struct err *err)
{
    struct json_token key;
    bool is_plain, has_targets = false, has_labels = false;
    int rc = 0;

    *out_is_repeated = false;
    while (rc == 0 && next_token(r, &key) != JSON_END_OBJECT) {
        if (key.event != JSON_KEY) {
            return scan_fault(r, err);
        }
        struct span name = text_of(r, &key, &is_plain);
        if (is_member(name, "targets")) {
            *out_is_repeated |= has_targets;
            has_targets = true;
            sd_batch_forget_targets(r->batch);
            rc = read_targets(r, object_begin, err);
        } else if (is_member(name, "labels")) {
            *out_is_repeated |= has_labels;
            has_labels = true;
            sd_batch_forget_labels(r->batch);
            rc = read_labels(r, object_begin, err);
        } else {
            return err_set(err, ERR_INVALID, "group %zu: unknown field \"%.*s\"", r->n_groups,
                           SPAN_ARG(name));
        }
    }
    return rc;
}

static void swap_pieces(struct pieces *a, struct pieces *b)
{
    const struct pieces spare = *a;
    *a = *b;
    *b = spare;
}

/* The last group of the batch, with this text, is the model of its shape from now on. */
static void keep_model(struct reader *r, size_t index, struct span object, struct pieces *pieces)
{
    while (r->models.n <= index) {
        *vec_push(&r->models) = (struct model){ .next = NO_MODEL };
    }
    struct model *m = &r->models.v[index];
    m->object = object;
    m->group = r->batch->groups.n - 1;
    swap_pieces(&m->pieces, pieces);
    if (r->last != NO_MODEL) {
        r->models.v[r->last].next = index;
    }
    r->last = index;
}

/* 'begin' is the token of the opening brace. */
static int read_group(struct reader *r, const struct json_token *begin, struct err *err)
{
    bool is_repeated;

    sd_batch_begin(r->batch);
    vec_clear(&r->pieces);
    int rc = read_members(r, begin->begin, &is_repeated, err);
    if (rc < 0) {
        return rc;
    }
    if (r->origin_name != NULL) {
        sd_batch_label(r->batch, r->origin_name, r->origin_value);
    }
    struct sd_group *g = sd_batch_end(r->batch);
    const char *from = r->scan.text + begin->begin;
    size_t len = (size_t)(r->scan.p - from);
    bool is_model = g != NULL && !is_repeated && !g->shape->has_duplicates &&
                    len < UINT32_MAX / 2 && g->shape->index < MODELS_MAX;
    if (is_model) {
        keep_model(r, g->shape->index, span_make(from, len), &r->pieces);
    } else {
        r->last = NO_MODEL;
    }
    return 0;
}

/* ---- one group by comparison with the last one of its shape */

static size_t common_prefix(const char *a, const char *b, size_t max)
{
    size_t i = 0;

    for (; i + 8 <= max; i += 8) {
        uint64_t x, y;
        memcpy(&x, a + i, 8);
        memcpy(&y, b + i, 8);
        if (x != y) {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
            return i + (size_t)__builtin_ctzll(x ^ y) / 8;
#else
            return i + (size_t)__builtin_clzll(x ^ y) / 8;
#endif
        }
    }
    while (i < max && a[i] == b[i]) {
        i++;
    }
    return i;
}

/* The quote that closes a string of plain ASCII, or NULL when it is something else. */
static const char *closing_quote(const char *p, const char *end)
{
    for (; p < end; p++) {
        unsigned char c = (unsigned char)*p;
        if (c == '"') {
            return p;
        }
        if (c < 0x20 || c >= 0x80 || c == '\\') {
            return NULL;
        }
    }
    return NULL;
}

/* Is 'begin' the start of an object that differs from the model only inside plain strings? Gives
 * its length and fills r->shifted and r->changed; 0 when not. Since the model was scanned, and
 * equal bytes in an equal state scan equally, nothing else has to be checked. */
static size_t compare_object(struct reader *r, const struct model *m, const char *begin,
                             const char *end)
{
    const char *last = m->object.p, *last_end = last + m->object.len;
    const char *p = begin, *q = last;
    const struct pieces *pieces = &m->pieces;
    size_t k = 0;

    vec_clear(&r->shifted);
    vec_clear(&r->changed);
    for (;;) {
        size_t left = (size_t)(end - p), last_left = (size_t)(last_end - q);
        size_t same = common_prefix(p, q, left < last_left ? left : last_left);
        ptrdiff_t shift = (p - begin) - (q - last);
        p += same;
        q += same;
        size_t at = (size_t)(q - last);
        for (; k < pieces->n && pieces->v[k].end < at; k++) {
            struct piece *moved = vec_push(&r->shifted);
            *moved = pieces->v[k];
            moved->begin = (uint32_t)(moved->begin + shift);
            moved->end = (uint32_t)(moved->end + shift);
        }
        if (q == last_end) {
            return (size_t)(p - begin);
        }
        if (k == pieces->n || at < pieces->v[k].begin || !pieces->v[k].is_plain) {
            return 0;
        }
        p = closing_quote(p, end);
        if (p == NULL) {
            return 0;
        }
        struct piece *moved = vec_push(&r->shifted);
        *moved = pieces->v[k];
        moved->begin = (uint32_t)(moved->begin + shift);
        moved->end = (uint32_t)(p - begin);
        if (moved->end - moved->begin > LIMIT_LABEL_VALUE || (size_t)(p - begin) > UINT32_MAX / 2) {
            return 0;
        }
        *vec_push(&r->changed) = (uint32_t)k;
        q = last + pieces->v[k++].end;
    }
}

static const char *skip_space(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\n' || *p == '\t' || *p == '\r')) {
        p++;
    }
    return p;
}

/* The bytes of the object at 'p', when it is like the model; 0: it is not. */
static size_t try_model(struct reader *r, size_t index, const char *p, const char *end)
{
    return index == NO_MODEL || r->models.v[index].object.p == NULL
               ? 0
               : compare_object(r, &r->models.v[index], p, end);
}

static void repeat_model(struct reader *r, size_t index, struct span object)
{
    struct sd_group *g = sd_batch_repeat(r->batch, r->models.v[index].group);

    for (size_t i = 0; i < r->changed.n; i++) {
        const struct piece *piece = &r->shifted.v[r->changed.v[i]];
        struct span text = span_make(object.p + piece->begin, piece->end - piece->begin);
        if (piece->is_target) {
            g->targets[piece->index] = text;
        } else if (g->shape->place[piece->index] != SD_NO_FIELD) {
            g->values[g->shape->place[piece->index]] = text;
        }
    }
    sd_batch_commit(r->batch);
    keep_model(r, index, object, &r->shifted);
}

/* Takes ",{…}" off the text when the object is like the one that came after the last one of its
 * shape, or like the last one. The scanner stands after a value inside the outermost list before
 * and after, so moving its position is all it needs to know. */
static bool take_similar(struct reader *r)
{
    const char *end = r->scan.end, *p = skip_space(r->scan.p, end);

    if (r->last == NO_MODEL || p == end || *p != ',') {
        return false;
    }
    p = skip_space(p + 1, end);
    if (p == end || *p != '{') {
        return false;
    }
    size_t index = r->models.v[r->last].next;
    size_t len = try_model(r, index, p, end);
    if (len == 0 && index != r->last) {
        index = r->last;
        len = try_model(r, index, p, end);
    }
    if (len == 0) {
        return false;
    }
    repeat_model(r, index, span_make(p, len));
    r->scan.p = p + len;
    return true;
}

/* ---- the list */

static int read_list(struct reader *r, struct err *err)
{
    struct json_token t;

    next_token(r, &t);
    if (t.event == JSON_BEGIN_ARRAY) {
        for (;; r->n_groups++) {
            if (take_similar(r)) {
                continue;
            }
            if (next_token(r, &t) == JSON_END_ARRAY) {
                break;
            }
            if (t.event != JSON_BEGIN_OBJECT) {
                return type_fault(r, &t, err, "a target group must be an object");
            }
            int rc = read_group(r, &t, err);
            if (rc < 0) {
                return rc;
            }
        }
    } else if (t.event != JSON_NULL_VALUE) {
        return type_fault(r, &t, err, "a list of target groups is expected");
    }
    return next_token(r, &t) == JSON_DONE ? 0 : scan_fault(r, err);
}

int targetgroup_parse_json(struct span text, const struct targetgroup_origin *origin,
                           struct sd_batch *b, struct err *err)
{
    struct reader *r = mem_zalloc(sizeof(*r));

    r->batch = b;
    r->last = NO_MODEL;
    if (origin != NULL) {
        r->origin_name = strpool_intern(b->pool, span_of(origin->label));
        r->origin_value = origin->value;
    }
    jsonscan_init(&r->scan, text, LIMIT_DEPTH);
    int rc = read_list(r, err);
    vec_each(&r->models, m) {
        vec_fini(&m->pieces);
    }
    vec_fini(&r->models);
    vec_fini(&r->keys);
    vec_fini(&r->pieces);
    vec_fini(&r->shifted);
    vec_fini(&r->changed);
    mem_free(r);
    return rc;
}
