#include "webhook/admission/review.h"

#include "allocator/base/limits.h"
#include "allocator/base/vec.h"
#include "allocator/codec/jsonscan.h"
#include "allocator/codec/spanmap.h"
#include "allocator/tenant/receivers.h"
#include "allocator/tenant/wire.h"

#define KEY_SLOTS 64 /* a power of two */

/* ---- the Collector */

/* Where the scanner stands: what of this value is looked at. */
enum place {
    PLACE_OPAQUE, /* nothing */
    PLACE_FULL,   /* everything */
    PLACE_ROOT,
    PLACE_METADATA,
    PLACE_SPEC,
    PLACE_ALLOCATOR,
    PLACE_CONFIG,
    PLACE_RECEIVERS,
    PLACE_RECEIVER,
    PLACE_PROMETHEUS,
    PLACE_JOBS,
    PLACE_JOB,
};

static const struct {
    enum place in;
    const char *key;
    enum place to;
} steps[] = {
    { PLACE_ROOT, "metadata", PLACE_METADATA },
    { PLACE_ROOT, "spec", PLACE_SPEC },
    { PLACE_METADATA, "annotations", PLACE_FULL },
    { PLACE_METADATA, "labels", PLACE_FULL },
    { PLACE_SPEC, "env", PLACE_FULL },
    { PLACE_SPEC, "envFrom", PLACE_FULL },
    { PLACE_SPEC, "targetAllocator", PLACE_ALLOCATOR },
    { PLACE_SPEC, "config", PLACE_CONFIG },
    { PLACE_ALLOCATOR, "prometheusCR", PLACE_FULL },
    { PLACE_CONFIG, "receivers", PLACE_RECEIVERS },
    { PLACE_RECEIVER, "config", PLACE_PROMETHEUS },
    { PLACE_RECEIVER, "target_allocator", PLACE_FULL },
    { PLACE_PROMETHEUS, "global", PLACE_FULL },
    { PLACE_PROMETHEUS, "scrape_config_files", PLACE_FULL },
    { PLACE_PROMETHEUS, "scrape_configs", PLACE_JOBS },
};

struct known_key {
    struct node *node;
    enum place in, to;
};

struct reader {
    struct jsonscan scan;
    struct span text;
    struct arena *arena;
    enum review_depth depth;
    struct known_key keys[KEY_SLOTS]; /* the same few in every job */
    VEC(struct node_pair) pairs;      /* stacks of the collections under construction */
    VEC(struct node *) items;
};

static enum place place_of(enum place in, struct span key)
{
    if (in == PLACE_FULL) {
        return PLACE_FULL;
    }
    if (in == PLACE_JOB) {
        return wire_is_sd_key(key) || span_is(key, "job_name") ? PLACE_FULL : PLACE_OPAQUE;
    }
    if (in == PLACE_RECEIVERS) {
        return receivers_is(key) ? PLACE_RECEIVER : PLACE_OPAQUE;
    }
    for (size_t i = 0; i < COUNT(steps); i++) {
        if (steps[i].in == in && span_is(key, steps[i].key)) {
            return steps[i].to;
        }
    }
    return PLACE_OPAQUE;
}

static struct node *new_node(struct reader *s, enum node_type type, enum node_style style,
                             const struct json_token *t)
{
    struct node *n = arena_alloc(s->arena, sizeof(*n));

    *n = (struct node){
        .type = type, .style = style, .is_json = true, .begin = t->begin, .end = t->end
    };
    return n;
}

static struct node *new_scalar(struct reader *s, const struct json_token *t)
{
    bool is_text = t->event == JSON_TEXT || t->event == JSON_KEY;
    enum node_type type = t->event == JSON_NULL_VALUE ? NODE_NULL : NODE_SCALAR;
    struct node *n = new_node(s, type, is_text ? NODE_DOUBLE : NODE_PLAIN, t);
    struct span bytes = span_make(s->text.p + t->begin, (size_t)(t->end - t->begin));
    bool is_plain = !t->has_escapes && span_is_ascii(bytes);

    n->text = !is_text                                  ? bytes
              : is_plain || jsonscan_is_literal(t->raw) ? t->raw
                                                        : jsonscan_unescape(t->raw, s->arena);
    n->canonical = is_plain ? bytes.p : NULL;
    return n;
}

/* The scanner leaves the token alone when it has none to give. */
static enum json_event next_token(struct jsonscan *scan, struct json_token *t)
{
    t->event = jsonscan_next(scan, t);
    return t->event;
}

static bool is_collection(enum json_event e)
{
    return e == JSON_BEGIN_OBJECT || e == JSON_BEGIN_ARRAY;
}

static struct node *read_key(struct reader *s, const struct json_token *t, enum place in,
                             enum place *out_to)
{
    struct span raw = t->raw;
    size_t ends =
        raw.len == 0 ? 0 : (unsigned char)raw.p[0] + 5U * (unsigned char)raw.p[raw.len - 1];
    struct known_key *known = &s->keys[(ends + raw.len) & (KEY_SLOTS - 1)], odd;

    if (!t->has_escapes && known->node != NULL && known->in == in &&
        span_eq(known->node->text, raw)) {
        *out_to = known->to;
        return known->node;
    }
    odd = (struct known_key){ .node = new_scalar(s, t), .in = in };
    odd.to = place_of(in, odd.node->text);
    if (odd.to == PLACE_SPEC && s->depth == REVIEW_METADATA) {
        odd.to = PLACE_OPAQUE;
    }
    if (!t->has_escapes) {
        *known = odd;
    }
    *out_to = odd.to;
    return odd.node;
}

static int fail(struct reader *s, struct err *err)
{
    return err_set(err, ERR_INVALID, "%s", jsonscan_error(&s->scan));
}

/* Of equal keys the last one counts, as for the API server, which never sends two. In a map with
 * many the earlier ones go at its end. */
static void put_pair(struct reader *s, size_t from, struct node_pair pair)
{
    size_t n = s->pairs.n - from;

    for (size_t i = 0; i < n && n <= KEY_SLOTS; i++) {
        struct node_pair *other = &s->pairs.v[from + i];
        if (other->key == pair.key || span_eq(other->key->text, pair.key->text)) {
            other->value = pair.value;
            return;
        }
    }
    *vec_push(&s->pairs) = pair;
}

/* Moves the pairs that count to the end of 'pairs'; returns the index of the first. */
static size_t last_of_equals(struct node_pair *pairs, size_t n)
{
    struct spanmap seen;
    size_t to = n;

    spanmap_init(&seen, NULL);
    for (size_t i = n; i-- > 0;) {
        if (spanmap_put(&seen, pairs[i].key->text, NULL)) {
            pairs[--to] = pairs[i];
        }
    }
    spanmap_fini(&seen);
    return to;
}

/* What the API server sends is: keys in order, and no space between. */
static void find_canonical(const struct reader *s, struct node *n)
{
    size_t size = 2 + (n->n > 0 ? n->n - 1 : 0); /* brackets and commas */

    for (size_t i = 0; i < n->n; i++) {
        const struct node *value = n->type == NODE_MAP ? n->pairs[i].value : n->items[i];
        if (value->canonical == NULL) {
            return;
        }
        size += value->end - value->begin;
        if (n->type == NODE_MAP) {
            const struct node *key = n->pairs[i].key;
            if (key->canonical == NULL ||
                (i > 0 && span_cmp(n->pairs[i - 1].key->text, key->text) >= 0)) {
                return;
            }
            size += key->end - key->begin + 1;
        }
    }
    if (size == n->end - n->begin) {
        n->canonical = s->text.p + n->begin;
    }
}

static void close_map(struct reader *s, struct node *map, size_t from)
{
    size_t n = s->pairs.n - from;
    size_t first = from + (n > KEY_SLOTS ? last_of_equals(s->pairs.v + from, n) : 0);

    map->n = s->pairs.n - first;
    map->pairs = arena_alloc(s->arena, map->n * sizeof(struct node_pair));
    if (map->n > 0) {
        memcpy(map->pairs, s->pairs.v + first, map->n * sizeof(struct node_pair));
    }
    s->pairs.n = from;
}

static int read_part(struct reader *s, const struct json_token *t, enum place place, unsigned depth,
                     struct node **out, struct err *err);

/* NOLINTNEXTLINE(misc-no-recursion): LIMIT_DEPTH */
static inline int read_value(struct reader *s, const struct json_token *t, enum place place,
                             unsigned depth, struct node **out, struct err *err)
{
    if (is_collection(t->event) || t->event == JSON_FAULT || t->event == JSON_DONE) {
        return read_part(s, t, place, depth, out, err);
    }
    *out = new_scalar(s, t);
    return 0;
}

/* Could a member of a job that is passed over decide whether it is taken (tenant/takable.h)? By an
 * expression, or by a rule about labels that the configuration's own expressions reach. */
static bool may_decide(struct span raw)
{
    static const char *const signs[] = { "${", "__scrape_", "\\u00" };

    for (size_t i = 0; i < COUNT(signs); i++) {
        if (span_find(raw, signs[i]) != SIZE_MAX) {
            return true;
        }
    }
    return false;
}

/* NOLINTNEXTLINE(misc-no-recursion): LIMIT_DEPTH */
static int read_map(struct reader *s, const struct json_token *begin, enum place place,
                    unsigned depth, struct node **out, struct err *err)
{
    struct node *map = new_node(s, NODE_MAP, NODE_FLOW, begin);
    size_t from = s->pairs.n;
    struct json_token t;
    bool is_whole = false; /* a job that has to be read with all its members */

    while (next_token(&s->scan, &t) == JSON_KEY) {
        enum place to;
        struct node_pair pair = { .key = read_key(s, &t, place, &to) };
        if (place == PLACE_JOB && to == PLACE_OPAQUE) { /* it may be anything, and stays */
            struct span raw = { NULL, 0 };
            enum json_event e = jsonscan_skip(&s->scan, &raw);
            if (e == JSON_FAULT) {
                return fail(s, err);
            }
            is_whole = is_whole || may_decide(raw);
            continue;
        }
        next_token(&s->scan, &t);
        int rc = read_value(s, &t, to, depth + 1, &pair.value, err);
        if (rc < 0) {
            return rc;
        }
        put_pair(s, from, pair);
    }
    if (t.event != JSON_END_OBJECT) {
        return fail(s, err);
    }
    map->end = t.end;
    close_map(s, map, from);
    if (is_whole) {
        struct span text = span_make(s->text.p + begin->begin, (size_t)(t.end - begin->begin));
        return node_from_json(text, begin->begin, s->arena, out, err);
    }
    if (place == PLACE_FULL) {
        find_canonical(s, map);
    }
    *out = map;
    return 0;
}

/* NOLINTNEXTLINE(misc-no-recursion): LIMIT_DEPTH */
static int read_list(struct reader *s, const struct json_token *begin, enum place place,
                     unsigned depth, struct node **out, struct err *err)
{
    struct node *list = new_node(s, NODE_LIST, NODE_FLOW, begin);
    enum place job = s->depth == REVIEW_JOBS ? PLACE_FULL : PLACE_JOB;
    enum place inner = place == PLACE_JOBS ? job : place == PLACE_FULL ? PLACE_FULL : PLACE_OPAQUE;
    size_t from = s->items.n;
    struct json_token t;

    while (next_token(&s->scan, &t) != JSON_END_ARRAY) {
        struct node *item;
        int rc = read_value(s, &t, inner, depth + 1, &item, err);
        if (rc < 0) {
            return rc;
        }
        *vec_push(&s->items) = item;
    }
    list->end = t.end;
    list->n = s->items.n - from;
    list->items = arena_alloc(s->arena, list->n * sizeof(struct node *));
    if (list->n > 0) {
        memcpy((void *)list->items, (const void *)(s->items.v + from),
               list->n * sizeof(struct node *));
    }
    s->items.n = from;
    if (place == PLACE_FULL) {
        find_canonical(s, list);
    }
    *out = list;
    return 0;
}

/* What is not a scalar.
 * NOLINTNEXTLINE(misc-no-recursion): LIMIT_DEPTH */
static int read_part(struct reader *s, const struct json_token *t, enum place place, unsigned depth,
                     struct node **out, struct err *err)
{
    if (!is_collection(t->event)) {
        return fail(s, err);
    }
    if (depth >= LIMIT_DEPTH && place != PLACE_OPAQUE) {
        return err_set(err, ERR_TOO_BIG, "nested more than %d levels deep", LIMIT_DEPTH);
    }
    if (place != PLACE_OPAQUE) {
        return t->event == JSON_BEGIN_OBJECT ? read_map(s, t, place, depth, out, err)
                                             : read_list(s, t, place, depth, out, err);
    }
    struct node *n = new_node(s, NODE_SCALAR, NODE_PLAIN, t);
    enum json_event e = jsonscan_skip(&s->scan, &n->text);
    if (e == JSON_FAULT) {
        return fail(s, err);
    }
    *out = n;
    return 0;
}

int review_collector(struct span object, enum review_depth depth, struct arena *arena,
                     struct node **out, struct err *err)
{
    struct reader *s = arena_zalloc(arena, sizeof(*s));
    struct json_token t;

    s->arena = arena;
    s->depth = depth;
    s->text = object;
    jsonscan_init(&s->scan, object, LIMIT_SKIP_DEPTH);
    next_token(&s->scan, &t);
    int rc = read_value(s, &t, PLACE_ROOT, 0, out, err);
    if (rc == 0 && next_token(&s->scan, &t) != JSON_DONE) {
        rc = fail(s, err);
    }
    vec_fini(&s->pairs);
    vec_fini(&s->items);
    return rc;
}

/* ---- the review */

static struct span text_of(const struct json_token *t, struct arena *arena)
{
    if (t->event != JSON_TEXT) {
        return span_make(NULL, 0);
    }
    return t->has_escapes ? jsonscan_unescape(t->raw, arena) : t->raw;
}

/* Passes over the value that begins with 't'; gives its bytes. */
static bool skip_value(struct jsonscan *s, const struct json_token *t, struct span *out)
{
    if (is_collection(t->event)) {
        enum json_event e = jsonscan_skip(s, out);
        return e != JSON_FAULT;
    }
    return t->event != JSON_FAULT && t->event != JSON_DONE;
}

struct kind {
    struct span group, version, kind;
};

static bool read_kind(struct jsonscan *s, struct json_token *t, struct arena *arena,
                      struct kind *out)
{
    if (t->event != JSON_BEGIN_OBJECT) {
        return skip_value(s, t, NULL);
    }
    while (next_token(s, t) == JSON_KEY) {
        struct span key = t->raw;
        next_token(s, t);
        struct span *to = span_is(key, "group")     ? &out->group
                          : span_is(key, "version") ? &out->version
                          : span_is(key, "kind")    ? &out->kind
                                                    : NULL;
        if (to != NULL) {
            *to = text_of(t, arena);
        }
        if (!skip_value(s, t, NULL)) {
            return false;
        }
    }
    return t->event == JSON_END_OBJECT;
}

static bool read_object(struct jsonscan *s, const struct json_token *t, struct span *out)
{
    *out = (struct span){ NULL, 0 };
    return t->event == JSON_BEGIN_OBJECT ? skip_value(s, t, out) : skip_value(s, t, NULL);
}

static bool read_request_member(struct jsonscan *s, struct span key, struct json_token *t,
                                struct arena *arena, struct review *r)
{
    const struct {
        const char *key;
        struct span *to;
    } texts[] = {
        { "uid", &r->uid },   { "operation", &r->operation }, { "subResource", &r->subresource },
        { "name", &r->name }, { "namespace", &r->ns },
    };
    struct kind kind = { .group = { NULL, 0 } };

    if (span_is(key, "object")) {
        return read_object(s, t, &r->object);
    }
    if (span_is(key, "oldObject")) {
        return read_object(s, t, &r->old_object);
    }
    if (span_is(key, "kind") || span_is(key, "requestKind")) {
        bool is_good = read_kind(s, t, arena, &kind);
        if (span_is(key, "requestKind")) {
            r->request_version = kind.version;
        } else {
            r->group = kind.group;
            r->version = kind.version;
            r->object_kind = kind.kind;
        }
        return is_good;
    }
    for (size_t i = 0; i < COUNT(texts); i++) {
        if (span_is(key, texts[i].key)) {
            *texts[i].to = text_of(t, arena);
        }
    }
    return skip_value(s, t, NULL);
}

static bool read_request(struct jsonscan *s, struct json_token *t, struct arena *arena,
                         struct review *r)
{
    if (t->event != JSON_BEGIN_OBJECT) {
        return skip_value(s, t, NULL);
    }
    while (next_token(s, t) == JSON_KEY) {
        struct span key = t->raw;
        next_token(s, t);
        if (!read_request_member(s, key, t, arena, r)) {
            return false;
        }
    }
    return t->event == JSON_END_OBJECT;
}

static bool read_root(struct jsonscan *s, struct arena *arena, struct review *r)
{
    struct json_token t;

    if (next_token(s, &t) != JSON_BEGIN_OBJECT) {
        return false;
    }
    while (next_token(s, &t) == JSON_KEY) {
        struct span key = t.raw;
        next_token(s, &t);
        if (span_is(key, "request")) {
            if (!read_request(s, &t, arena, r)) {
                return false;
            }
            continue;
        }
        if (span_is(key, "apiVersion")) {
            r->api_version = text_of(&t, arena);
        } else if (span_is(key, "kind")) {
            r->kind = text_of(&t, arena);
        }
        if (!skip_value(s, &t, NULL)) {
            return false;
        }
    }
    return t.event == JSON_END_OBJECT && next_token(s, &t) == JSON_DONE;
}

int review_read(struct span body, struct arena *arena, struct review *out, struct err *err)
{
    struct jsonscan *s = arena_alloc(arena, sizeof(*s));
    int rc = 0;

    *out = (struct review){ .uid = { NULL, 0 } };
    jsonscan_init(s, body, LIMIT_SKIP_DEPTH);
    if (!read_root(s, arena, out)) {
        const char *what = jsonscan_error(s);
        rc = err_set(err, ERR_INVALID, "%s",
                     what == NULL || what[0] == '\0' ? "not an object" : what);
    }
    if (out->request_version.p == NULL) {
        out->request_version = out->version;
    }
    return rc;
}
