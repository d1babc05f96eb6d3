#include "webhook/skim.h"

#include "allocator/base/hash.h"
#include "allocator/base/limits.h"
#include "allocator/base/vec.h"
#include "allocator/codec/jsonscan.h"
#include "allocator/codec/keyset.h"
#include "allocator/prom/wire.h"

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
    { PLACE_SPEC, "targetAllocator", PLACE_ALLOCATOR },
    { PLACE_SPEC, "config", PLACE_CONFIG },
    { PLACE_ALLOCATOR, "prometheusCR", PLACE_FULL },
    { PLACE_CONFIG, "receivers", PLACE_RECEIVERS },
    { PLACE_RECEIVER, "config", PLACE_PROMETHEUS },
    { PLACE_RECEIVER, "target_allocator", PLACE_FULL },
    { PLACE_PROMETHEUS, "scrape_configs", PLACE_JOBS },
};

struct skimmer {
    struct jsonscan scan;
    struct span text;
    struct arena *arena;
    bool is_whole;                /* jobs are read with all their members */
    struct node *keys[KEY_SLOTS]; /* nodes of keys, by hash: the same few in every job */
    VEC(struct node_pair) pairs;  /* stacks of the collections under construction */
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
        return span_has_prefix(key, WIRE_DEFAULT_RECEIVER) ? PLACE_RECEIVER : PLACE_OPAQUE;
    }
    for (size_t i = 0; i < COUNT(steps); i++) {
        if (steps[i].in == in && span_is(key, steps[i].key)) {
            return steps[i].to;
        }
    }
    return PLACE_OPAQUE;
}

static struct node *new_node(struct skimmer *s, enum node_type type, enum node_style style,
                             const struct json_token *t)
{
    struct node *n = arena_zalloc(s->arena, sizeof(*n));

    n->type = type;
    n->style = style;
    n->is_json = true;
    n->begin = t->begin;
    n->end = t->end;
    return n;
}

static struct node *new_scalar(struct skimmer *s, const struct json_token *t)
{
    bool is_text = t->event == JSON_TEXT || t->event == JSON_KEY;
    enum node_type type = t->event == JSON_NULL_VALUE ? NODE_NULL : NODE_SCALAR;
    struct node *n = new_node(s, type, is_text ? NODE_DOUBLE : NODE_PLAIN, t);

    n->text = t->has_escapes ? jsonscan_unescape(t->raw, s->arena)
              : is_text || t->event == JSON_NUMBER
                  ? t->raw
                  : span_make(s->text.p + t->begin, (size_t)(t->end - t->begin));
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

static struct node *key_node(struct skimmer *s, const struct json_token *t)
{
    struct node **slot = &s->keys[hash_fast(t->raw) & (KEY_SLOTS - 1)];

    if (t->has_escapes) {
        return new_scalar(s, t);
    }
    if (*slot == NULL || !span_eq((*slot)->text, t->raw)) {
        *slot = new_scalar(s, t);
    }
    return *slot;
}

/* Is this member of a job nothing that a rewrite looks at? It may be anything, and stays. */
static bool is_passed_over(enum place place, struct span key)
{
    return place == PLACE_JOB && place_of(place, key) == PLACE_OPAQUE;
}

static int fail(struct skimmer *s, struct err *err)
{
    return err_set(err, ERR_INVALID, "%s", jsonscan_error(&s->scan));
}

/* Of equal keys the last one counts, as for the API server, which never sends two. In a map with
 * many the earlier ones go at its end. */
static void put_pair(struct skimmer *s, size_t from, struct node_pair pair)
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
    struct keyset seen;
    size_t to = n;

    keyset_init(&seen, n);
    for (size_t i = n; i-- > 0;) {
        if (keyset_add(&seen, pairs[i].key->text)) {
            pairs[--to] = pairs[i];
        }
    }
    keyset_fini(&seen);
    return to;
}

static void close_map(struct skimmer *s, struct node *map, size_t from)
{
    size_t n = s->pairs.n - from;
    size_t first = from + (n > KEY_SLOTS ? last_of_equals(s->pairs.v + from, n) : 0);

    map->n = s->pairs.n - first;
    map->pairs = arena_alloc(s->arena, (map->n + 1) * sizeof(struct node_pair));
    if (map->n > 0) {
        memcpy(map->pairs, s->pairs.v + first, map->n * sizeof(struct node_pair));
    }
    s->pairs.n = from;
}

static int read_value(struct skimmer *s, const struct json_token *t, enum place place,
                      unsigned depth, struct node **out, struct err *err);

/* NOLINTNEXTLINE(misc-no-recursion): LIMIT_DEPTH */
static int read_map(struct skimmer *s, const struct json_token *begin, enum place place,
                    unsigned depth, struct node **out, struct err *err)
{
    struct node *map = new_node(s, NODE_MAP, NODE_FLOW, begin);
    size_t from = s->pairs.n;
    struct json_token t;

    while (next_token(&s->scan, &t) == JSON_KEY) {
        struct node_pair pair = { .key = key_node(s, &t) };
        if (is_passed_over(place, pair.key->text)) {
            enum json_event e = jsonscan_skip(&s->scan, NULL);
            if (e == JSON_FAULT) {
                return fail(s, err);
            }
            continue;
        }
        next_token(&s->scan, &t);
        int rc = read_value(s, &t, place_of(place, pair.key->text), depth + 1, &pair.value, err);
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
    *out = map;
    return 0;
}

/* NOLINTNEXTLINE(misc-no-recursion): LIMIT_DEPTH */
static int read_list(struct skimmer *s, const struct json_token *begin, enum place place,
                     unsigned depth, struct node **out, struct err *err)
{
    struct node *list = new_node(s, NODE_LIST, NODE_FLOW, begin);
    enum place job = s->is_whole ? PLACE_FULL : PLACE_JOB;
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
    list->items = arena_alloc(s->arena, (list->n + 1) * sizeof(struct node *));
    if (list->n > 0) {
        memcpy((void *)list->items, (const void *)(s->items.v + from),
               list->n * sizeof(struct node *));
    }
    s->items.n = from;
    *out = list;
    return 0;
}

/* NOLINTNEXTLINE(misc-no-recursion): LIMIT_DEPTH */
static int read_value(struct skimmer *s, const struct json_token *t, enum place place,
                      unsigned depth, struct node **out, struct err *err)
{
    if (t->event == JSON_FAULT || t->event == JSON_DONE) {
        return fail(s, err);
    }
    if (!is_collection(t->event)) {
        *out = new_scalar(s, t);
        return 0;
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

int skim_collector(struct span object, bool is_whole, struct arena *arena, struct node **out,
                   struct err *err)
{
    struct skimmer *s = mem_zalloc(sizeof(*s));
    struct json_token t;

    s->arena = arena;
    s->is_whole = is_whole;
    s->text = object;
    jsonscan_init(&s->scan, object, LIMIT_SKIP_DEPTH);
    next_token(&s->scan, &t);
    int rc = read_value(s, &t, PLACE_ROOT, 0, out, err);
    if (rc == 0 && next_token(&s->scan, &t) != JSON_DONE) {
        rc = fail(s, err);
    }
    vec_fini(&s->pairs);
    vec_fini(&s->items);
    mem_free(s);
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

int skim_review(struct span body, struct arena *arena, struct review *out, struct err *err)
{
    struct jsonscan *s = mem_alloc(sizeof(*s));
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
    mem_free(s);
    return rc;
}
