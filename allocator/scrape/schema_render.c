#include "allocator/scrape/schema.h"

#include "allocator/base/buf.h"
#include "allocator/base/limits.h"
#include "allocator/prom/duration.h"
#include "allocator/scrape/urltext.h"

#include <ctype.h>
#include <math.h>

/* A value on its way into the JSON: where it comes from, and how it is shown. */
struct value {
    const struct schema_field *s;
    const struct node
        *node; /* NULL: absent, 's->preset' counts; null is zero, whatever the preset */
    bool is_masked;
};

/* jansson refuses invalid UTF-8; such bytes become U+FFFD, as when Go writes JSON. */
static json_t *new_text(struct span s)
{
    json_t *text = json_stringn(s.p, s.len);

    if (text == NULL) {
        AUTO_BUF clean;
        buf_init(&clean, LIMIT_DOCUMENT_BYTES * 6);
        buf_add_json(&clean, s);
        text = buf_error(&clean) != 0
                   ? NULL
                   : json_loadb(clean.p, clean.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    }
    return text != NULL ? text : json_string("");
}

static struct span text_of(const struct value *v)
{
    struct span text = { "", 0 };

    if (v->node == NULL && v->s->preset != NULL) {
        return span_of(v->s->preset);
    }
    (void)node_as_text(v->node, &text);
    return text;
}

static json_t *secret(struct span text, bool is_masked)
{
    return is_masked && text.len > 0 ? json_string(SECRET_MASK) : new_text(text);
}

static json_t *lowered(struct span s)
{
    AUTO_BUF text;

    buf_init(&text, s.len + 1);
    for (size_t i = 0; i < s.len; i++) {
        buf_add_char(&text, (char)tolower((unsigned char)s.p[i]));
    }
    return new_text(span_make(s.len == 0 ? "" : text.p, s.len));
}

static json_t *redacted(struct span text, bool is_masked)
{
    if (!is_masked) {
        return new_text(text);
    }
    struct arena arena;
    arena_init(&arena);
    json_t *json = new_text(urltext_redact(text, &arena));
    arena_fini(&arena);
    return json;
}

static json_t *render_text(const struct value *v, bool *out_is_zero)
{
    struct span text = text_of(v);

    *out_is_zero = text.len == 0;
    switch (v->s->kind) { /* NOLINT(clang-diagnostic-switch-enum) */
    case SCHEMA_SECRET:
        return text.len == 0 && v->is_masked ? json_null() : secret(text, v->is_masked);
    case SCHEMA_LOWER:
        return lowered(text);
    case SCHEMA_TRIM:
        text = span_trim(text);
        return new_text(text.len == 0 && v->s->preset != NULL ? span_of(v->s->preset) : text);
    case SCHEMA_URL:
    case SCHEMA_URLISH:
        return redacted(text, v->is_masked);
    case SCHEMA_REGEX:
        *out_is_zero = v->node == NULL;
        return new_text(text);
    default:
        return new_text(text);
    }
}

static json_t *render_duration(const struct value *v, bool *out_is_zero)
{
    struct span text = text_of(v);
    char printed[DURATION_TEXT_MAX];
    int64_t ms = 0;
    uint64_t bytes = 0;

    if (v->s->kind == SCHEMA_SIZE) {
        *out_is_zero = text.len == 0 || size_parse(text, &bytes, NULL) < 0 || bytes == 0;
        size_format(bytes, printed);
    } else {
        *out_is_zero = text.len == 0 || duration_parse(text, &ms, NULL) < 0 || ms == 0;
        duration_format(ms, printed);
    }
    return json_string(printed);
}

static json_t *render_number(const struct value *v, bool *out_is_zero)
{
    struct node preset = { .type = NODE_SCALAR, .style = NODE_PLAIN, .text = text_of(v) };
    const struct node *node = v->node != NULL ? v->node : &preset;
    int64_t i = 0;
    double d = 0;

    if (v->s->kind == SCHEMA_BOOL) {
        bool is = false;
        (void)node_as_bool(node, &is);
        *out_is_zero = !is;
        return json_boolean(is);
    }
    if (v->s->kind == SCHEMA_DOUBLE && node_as_double(node, &d) &&
        (d != floor(d) || fabs(d) > 1e15)) {
        *out_is_zero = false;
        return json_real(d);
    }
    if (v->s->kind == SCHEMA_DOUBLE) {
        i = (int64_t)d;
    } else {
        (void)node_as_int(node, &i);
    }
    *out_is_zero = i == 0;
    return json_integer(i);
}

static json_t *render_texts(const struct node *list, bool is_secret)
{
    json_t *array = json_array();

    for (size_t i = 0; list != NULL && list->type == NODE_LIST && i < list->n; i++) {
        struct span text = { "", 0 };
        (void)node_as_text(list->items[i], &text);
        json_array_append_new(array, is_secret ? secret(text, true) : new_text(text));
    }
    return array;
}

/* Own members win over those that a merge key brings, and of these the first: later ones overwrite.
 */
static bool comes_in_pass(const struct node *map, size_t i, int pass, const struct node_pair **out)
{
    *out = &map->pairs[pass == 0 ? map->n - 1 - i : i];
    return (*out)->is_merged == (pass == 0);
}

typedef json_t *render_item_fn(const struct value *v, const struct node *item);

/* A map of any names: each item as 'render' says. */
/* NOLINTNEXTLINE(misc-no-recursion) */
static json_t *render_pairs(const struct value *v, render_item_fn *render)
{
    json_t *object = json_object();
    const struct node_pair *pair = NULL;

    if (v->node == NULL || v->node->type != NODE_MAP) {
        return object;
    }
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < v->node->n; i++) {
            if (comes_in_pass(v->node, i, pass, &pair)) {
                json_object_setn_new(object, pair->key->text.p, pair->key->text.len,
                                     render(v, pair->value));
            }
        }
    }
    return object;
}

static json_t *render_named_text(const struct value *v, const struct node *item)
{
    struct span text = { "", 0 };

    if (v->s->kind != SCHEMA_TEXT_MAP && v->s->kind != SCHEMA_LABELS) {
        return render_texts(item, v->s->kind == SCHEMA_SECRETS_MAP && v->is_masked);
    }
    (void)node_as_text(item, &text);
    return new_text(text);
}

/* ---- maps with known members: as deep as the tables are */

static json_t *render_value(const struct value *v, bool *out_is_zero);

/* The members of 'map' into 'object'; tells whether all of them are zero.
 * NOLINTNEXTLINE(misc-no-recursion) */
static bool render_fields(const struct schema_field *fields, const struct node *map, bool is_masked,
                          json_t *object)
{
    bool is_zero = true;

    for (const struct schema_field *s = fields; s->name != NULL; s++) {
        if (s->kind == SCHEMA_INLINE) {
            is_zero = render_fields(s->fields, map, is_masked, object) && is_zero;
            continue;
        }
        struct value v = { s, node_get(map, s->name), is_masked };
        if (v.node == NULL && s->preset == NULL && (s->flags & SCHEMA_KEEP) == 0) {
            continue; /* most members of most maps: zero, and not shown */
        }
        bool is_member_zero = false;
        json_t *json = render_value(&v, &is_member_zero);
        if (is_member_zero && (s->flags & SCHEMA_KEEP) == 0) {
            json_decref(json);
        } else {
            json_object_set_new(object, s->name, json);
        }
        is_zero = is_zero && is_member_zero;
    }
    return is_zero;
}

/* NOLINTNEXTLINE(misc-no-recursion) */
static json_t *render_list(const struct value *v)
{
    json_t *list = json_array();

    for (size_t i = 0; v->node != NULL && v->node->type == NODE_LIST && i < v->node->n; i++) {
        json_array_append_new(list, schema_render(v->s->fields, v->node->items[i], v->is_masked));
    }
    return list;
}

/* NOLINTNEXTLINE(misc-no-recursion) */
static json_t *render_named_map(const struct value *v, const struct node *item)
{
    return schema_render(v->s->fields, item, v->is_masked);
}

/* A collection is zero when it is empty, one that Prometheus points to when it is not given.
 * NOLINTNEXTLINE(misc-no-recursion) */
static json_t *render_collection(const struct value *v, bool *out_is_zero)
{
    bool is_pointer = (v->s->flags & SCHEMA_POINTER) != 0;
    json_t *json = NULL;
    bool is_zero = false;

    switch (schema_shape(v->s->kind)) { /* NOLINT(clang-diagnostic-switch-enum) */
    case SCHEMA_SHAPE_TEXTS:
        json = render_texts(v->node, v->s->kind == SCHEMA_SECRETS && v->is_masked);
        break;
    case SCHEMA_SHAPE_NAMES:
        json = render_pairs(v, render_named_text);
        break;
    case SCHEMA_SHAPE_LIST:
        json = render_list(v);
        break;
    case SCHEMA_SHAPE_NAMED:
        json = render_pairs(v, render_named_map);
        break;
    default:
        json = json_object();
        is_zero =
            render_fields(v->s->fields, node_is_null(v->node) ? NULL : v->node, v->is_masked, json);
    }
    *out_is_zero = is_pointer ? node_is_null(v->node)
                              : is_zero || json_array_size(json) + json_object_size(json) == 0;
    return json;
}

/* NOLINTNEXTLINE(misc-no-recursion) */
static json_t *render_value(const struct value *v, bool *out_is_zero)
{
    switch (schema_shape(v->s->kind)) {
    case SCHEMA_SHAPE_TEXT:
        return v->s->kind == SCHEMA_DURATION || v->s->kind == SCHEMA_SIZE
                   ? render_duration(v, out_is_zero)
                   : render_text(v, out_is_zero);
    case SCHEMA_SHAPE_NUMBER:
        return render_number(v, out_is_zero);
    case SCHEMA_SHAPE_ANY:
        *out_is_zero = node_is_null(v->node);
        return *out_is_zero ? json_null() : node_to_jansson(v->node);
    case SCHEMA_SHAPE_TEXTS:
    case SCHEMA_SHAPE_NAMES:
    case SCHEMA_SHAPE_MAP:
    case SCHEMA_SHAPE_LIST:
    case SCHEMA_SHAPE_NAMED:
    case SCHEMA_SHAPE_INLINE:
        break;
    }
    return render_collection(v, out_is_zero);
}

/* NOLINTNEXTLINE(misc-no-recursion) */
json_t *schema_render(const struct schema_field *fields, const struct node *map, bool is_masked)
{
    json_t *object = json_object();

    (void)render_fields(fields, map, is_masked, object);
    return object;
}

bool schema_is_set(const struct schema_field *fields, const struct node *map)
{
    json_t *given = schema_render(fields, map, false);
    json_t *preset = schema_render(fields, NULL, false);
    bool is_set = !json_equal(given, preset);

    json_decref(given);
    json_decref(preset);
    return is_set;
}
