/* Any bytes as a Collector, as one of its values that are read whole, and as its scrape jobs: what
 * is read is what jansson and the whole tree say, and canonical is only what would be written.
 */
#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "allocator/codec/jsonscan.h"
#include "allocator/tenant/wire.h"
#include "webhook/admission/review.h"

#include <jansson.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The way to the jobs; the receiver has many names. */
static const char *const way[] = {
    "spec", "config", "receivers", NULL, "config", "scrape_configs"
};
#define AT_JOBS ((int)COUNT(way))
#define ELSEWHERE (-1)

struct trial {
    struct arena arena;
    enum review_depth depth;
};

static void require(bool is_true)
{
    if (!is_true) {
        abort();
    }
}

/* NULL also for what jansson alone refuses: numbers that are too big, lone surrogates. A NUL
 * between tokens it takes for the end of the text. */
static json_t *load(struct span s)
{
    bool has_nul = s.len == 0 || memchr(s.p, '\0', s.len) != NULL;

    return has_nul ? NULL : json_loadb(s.p, s.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
}

static struct span written(const struct node *n, struct arena *arena)
{
    struct buf out;

    buf_init_in(&out, arena, LIMIT_DOCUMENT_BYTES);
    node_write_json(n, &out);
    require(buf_error(&out) == 0);
    return buf_span(&out);
}

/* ---- values */

static void check_opaque(const struct node *n, const json_t *want)
{
    json_t *tree = load(n->text);

    require(tree != NULL && json_equal(tree, want));
    json_decref(tree);
}

static void check_scalar(struct trial *t, const struct node *n, const json_t *want)
{
    if (n->style == NODE_DOUBLE) {
        require(json_is_string(want) &&
                span_eq(n->text, span_make(json_string_value(want), json_string_length(want))));
        return;
    }
    const char *text = arena_strndup(&t->arena, n->text.p, n->text.len);
    if (*text == '{' || *text == '[') {
        check_opaque(n, want);
    } else if (json_is_boolean(want)) {
        require(span_is(n->text, json_is_true(want) ? "true" : "false"));
    } else if (json_is_integer(want)) {
        require(strtoll(text, NULL, 10) == json_integer_value(want));
    } else {
        double difference = json_is_real(want) ? strtod(text, NULL) - json_real_value(want) : 1;
        require(!(difference < 0) && !(difference > 0));
    }
}

static bool is_looked_at(struct span key)
{
    return wire_is_sd_key(key) || span_is(key, "job_name");
}

static int step(int at, struct span key)
{
    if (at == ELSEWHERE || at >= AT_JOBS) {
        return ELSEWHERE;
    }
    bool is_next =
        way[at] == NULL ? span_has_prefix(key, WIRE_DEFAULT_RECEIVER) : span_is(key, way[at]);
    return is_next ? at + 1 : ELSEWHERE;
}

static void check_value(struct trial *t, const struct node *n, json_t *want, int at);

static void check_map(struct trial *t, const struct node *map, json_t *want, int at)
{
    bool is_job = at > AT_JOBS && t->depth == REVIEW_SECTIONS;
    size_t n = 0;
    const char *key;
    json_t *value;

    json_object_foreach(want, key, value) {
        n += !is_job || is_looked_at(span_of(key)) ? 1 : 0;
    }
    require(json_is_object(want) && map->n == n);
    for (size_t i = 0; i < map->n; i++) {
        struct span name = map->pairs[i].key->text;
        value = json_object_getn(want, name.p, name.len);
        require(value != NULL && node_get_span(map, name) == map->pairs[i].value);
        check_value(t, map->pairs[i].value, value, step(at, name));
    }
}

/* What 'n' says is what jansson says, 'want'. */
static void check_value(struct trial *t, const struct node *n, json_t *want, int at)
{
    switch (n->type) {
    case NODE_NULL:
        require(json_is_null(want));
        break;
    case NODE_SCALAR:
        check_scalar(t, n, want);
        break;
    case NODE_MAP:
        check_map(t, n, want, at);
        break;
    case NODE_LIST:
        require(json_is_array(want) && json_array_size(want) == n->n);
        for (size_t i = 0; i < n->n; i++) {
            int inside = at == AT_JOBS ? AT_JOBS + 1 : ELSEWHERE;
            check_value(t, n->items[i], json_array_get(want, i), inside);
        }
        break;
    }
}

/* ---- bytes */

/* Bytes that the writer would write from what they say; gives what they say. */
static const struct node *check_fixed(struct trial *t, struct span bytes)
{
    struct node *tree = NULL;

    require(node_from_json(bytes, 0, &t->arena, &tree, NULL) == 0);
    require(span_eq(written(tree, &t->arena), bytes));
    return tree;
}

static void check_canonical(struct trial *t, const struct node *n, struct span text)
{
    if (n->canonical != NULL) {
        struct span bytes = span_make(n->canonical, n->end - n->begin);
        require(n->end <= text.len && span_eq(bytes, span_make(text.p + n->begin, bytes.len)));
        require(memchr(bytes.p, '\\', bytes.len) == NULL);
        struct node bare = *n;
        bare.canonical = NULL;
        const struct node *tree = check_fixed(t, bytes);
        require(n->type == tree->type && span_eq(written(&bare, &t->arena), bytes));
    }
    for (size_t i = 0; n->type == NODE_LIST && i < n->n; i++) {
        check_canonical(t, n->items[i], text);
    }
    for (size_t i = 0; n->type == NODE_MAP && i < n->n; i++) {
        check_canonical(t, n->pairs[i].key, text);
        check_canonical(t, n->pairs[i].value, text);
    }
}

/* 'n' was read whole, and so it is written. */
static void check_whole(struct trial *t, const struct node *n, const struct node *other,
                        json_t *want, struct span text)
{
    struct span bytes = written(n, &t->arena),
                raw = span_make(text.p + n->begin, n->end - n->begin);
    const struct node *again = check_fixed(t, bytes);

    require(other == NULL || span_eq(written(other, &t->arena), bytes));
    if (want != NULL) {
        check_value(t, again, want, ELSEWHERE);
    }
    bool is_plain = span_is_ascii(bytes) && memchr(bytes.p, '\\', bytes.len) == NULL;
    require(!is_plain || !span_eq(raw, bytes) || n->canonical != NULL);
}

/* ---- documents */

static int check_document(struct span text, enum review_depth depth)
{
    struct trial t = { .depth = depth };
    struct node *root = NULL, *other = NULL;

    arena_init(&t.arena);
    int rc = review_collector(text, depth, &t.arena, &root, NULL);
    bool is_read = node_from_json(text, 0, &t.arena, &other, NULL) == 0;
    json_t *want = load(text);
    require(rc == 0 || (!is_read && (want == NULL || rc == ERR_TOO_BIG)));
    if (rc == 0) {
        if (want != NULL) {
            check_value(&t, root, want, depth == REVIEW_METADATA ? ELSEWHERE : 0);
        }
        check_canonical(&t, root, text);
        const struct node *all = node_path(root, "metadata", "annotations", NULL);
        if (all != NULL) {
            const char *const names[] = { "metadata", "annotations" };
            json_t *value = json_object_get(json_object_get(want, names[0]), names[1]);
            check_whole(&t, all, node_path(other, names[0], names[1], NULL), value, text);
        }
    }
    json_decref(want);
    arena_fini(&t.arena);
    return rc;
}

/* Is it a value? 'out_goes_on': one with something after it, which may close what is around it. */
static bool is_value(struct span s, bool *out_goes_on)
{
    struct jsonscan scan;
    struct json_token t;
    enum json_event e;

    jsonscan_init(&scan, s, LIMIT_SKIP_DEPTH);
    do {
        e = jsonscan_next(&scan, &t);
    } while (e != JSON_DONE && e != JSON_FAULT);
    *out_goes_on = e == JSON_FAULT && strstr(jsonscan_error(&scan), "bytes after") != NULL;
    return e == JSON_DONE;
}

static void put(struct span part, char **io_to)
{
    if (part.len > 0) {
        *io_to = mempcpy(*io_to, part.p, part.len);
    }
}

static void check_inside(struct span head, struct span value, struct span tail,
                         enum review_depth depth)
{
    size_t n = head.len + value.len + tail.len;
    char *text = mem_alloc(n), *to = text; /* no byte more: whoever reads on is seen */
    bool goes_on;

    put(head, &to);
    put(value, &to);
    put(tail, &to);
    int rc = check_document(span_make(text, n), depth);
    if (is_value(value, &goes_on)) {
        require(rc == 0 || rc == ERR_TOO_BIG);
    } else {
        /* Within what is passed over much is not looked at. */
        require(rc < 0 || goes_on || depth != REVIEW_METADATA);
    }
    mem_free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct span to_value = SPAN_LIT("{\"metadata\":{\"annotations\":");
    static const struct span to_jobs = SPAN_LIT(
        "{\"spec\":{\"config\":{\"receivers\":{\"prometheus/x\":{\"config\":{\"scrape_configs\":");
    struct span text = span_make((const char *)data, size);

    for (int depth = REVIEW_METADATA; depth <= REVIEW_JOBS; depth++) {
        (void)check_document(text, (enum review_depth)depth);
    }
    check_inside(to_value, text, SPAN_LIT("}}"), REVIEW_METADATA);
    check_inside(to_jobs, text, SPAN_LIT("}}}}}}"), REVIEW_SECTIONS);
    check_inside(to_jobs, text, SPAN_LIT("}}}}}}"), REVIEW_JOBS);
    return 0;
}
