#include "allocator/scrape/schema.h"

#include "allocator/base/buf.h"
#include "allocator/base/limits.h"
#include "allocator/codec/walk.h"
#include "allocator/prom/duration.h"
#include "allocator/prom/labels.h"
#include "allocator/scrape/pathtext.h"
#include "allocator/scrape/urltext.h"

#include <assert.h>
#include <stdio.h>

#define MAX_NAMES 192 /* of one table; scrape configs have the most */

struct span schema_text(const struct node *map, const char *key)
{
    struct span text = { "", 0 };

    (void)node_as_text(node_get(map, key), &text);
    return text;
}

int64_t schema_duration_ms(const struct node *map, const char *key)
{
    struct span text = schema_text(map, key);
    int64_t ms = 0;

    return text.len > 0 && duration_parse(text, &ms, NULL) == 0 ? ms : 0;
}

const struct node *schema_list(const struct node *map, const char *key)
{
    const struct node *list = node_get(map, key);

    return list != NULL && list->type == NODE_LIST ? list : NULL;
}

/* ---- single values */

static void list_choices(const char *const *choices, char *out, size_t size)
{
    size_t n = 0;

    out[0] = '\0';
    for (; *choices != NULL && n < size; choices++) {
        int added = snprintf(out + n, size - n, "%s%s", n == 0 ? "" : ", ", *choices);
        n += added < 0 ? 0 : (size_t)added;
    }
}

static void check_choice(const struct schema_field *s, struct span text, unsigned line,
                         struct faults *f)
{
    char all[512];

    if (span_is_one_of(text, s->choices)) {
        return;
    }
    if (text.len == 0 && (s->flags & (SCHEMA_BLANK | SCHEMA_REQUIRED)) != 0) {
        return; /* for the latter, check_required() speaks */
    }
    list_choices(s->choices, all, sizeof(all));
    const char *nearest = walk_nearest(text, s->choices);
    faults_add_at(f, FAULT_ERROR, line, s->name,
                  "unknown value \"%.*s\", expecting one of: %s%s%s%s", SPAN_ARG(text), all,
                  nearest == NULL ? "" : "; did you mean '", nearest == NULL ? "" : nearest,
                  nearest == NULL ? "" : "'?");
}

static void check_duration(const struct schema_field *s, struct span text, unsigned line,
                           struct faults *f)
{
    struct err err;
    int64_t ms = 0;

    if (duration_parse(text, &ms, &err) < 0) {
        faults_add_at(f, FAULT_ERROR, line, s->name, "%s", err.text);
    } else if ((s->flags & SCHEMA_POSITIVE) != 0 && ms <= 0) {
        faults_add_at(f, FAULT_ERROR, line, s->name, "must be greater than zero");
    }
}

static void check_size(const struct schema_field *s, struct span text, unsigned line,
                       struct faults *f)
{
    struct err err;
    uint64_t bytes = 0;

    if (size_parse(text, &bytes, &err) < 0) {
        faults_add_at(f, FAULT_ERROR, line, s->name, "%s", err.text);
    }
}

static void check_url(const struct schema_field *s, struct span text, unsigned line,
                      struct faults *f)
{
    struct urltext url;
    struct err err;

    if (urltext_parse(text, &url, &err) < 0) {
        faults_add_at(f, FAULT_ERROR, line, s->name, "%s", err.text);
    }
}

static void check_textual(const struct schema_field *s, const struct node *map, struct faults *f)
{
    const struct node *value = node_get(map, s->name);
    struct span text;

    if (!walk_text(map, s->name, f, &text)) {
        return;
    }
    if (s->kind == SCHEMA_CHOICE) {
        check_choice(s, text, value->line, f);
    } else if (s->kind == SCHEMA_DURATION) {
        check_duration(s, text, value->line, f);
    } else if (s->kind == SCHEMA_SIZE) {
        check_size(s, text, value->line, f);
    } else if (s->kind == SCHEMA_URL) {
        check_url(s, text, value->line, f);
    }
}

static void check_number(const struct schema_field *s, const struct node *map, struct faults *f)
{
    int64_t i = 0;
    uint64_t u = 0;
    double d = 0;
    bool is = false;

    if (s->kind == SCHEMA_BOOL) {
        (void)walk_bool(map, s->name, f, &is);
    } else if (s->kind == SCHEMA_DOUBLE) {
        (void)walk_double(map, s->name, f, &d);
    } else if (s->kind == SCHEMA_UINT) {
        if (walk_uint(map, s->name, f, &u) && u > INT64_MAX) {
            walk_fault(map, s->name, f, "%llu is too large", (unsigned long long)u);
        }
    } else if (walk_int(map, s->name, f, &i) && (s->flags & SCHEMA_POSITIVE) != 0 && i <= 0) {
        walk_fault(map, s->name, f, "must be greater than zero, is %lld", (long long)i);
    }
}

/* ---- collections of texts */

static void check_item_text(const struct node *item, struct faults *f)
{
    struct span text;

    if (!node_is_null(item) && !node_as_text(item, &text)) {
        faults_add(f, FAULT_ERROR, item->line, "must be text, not %s", node_type_name(item));
    }
}

static void check_texts(const struct node *list, struct faults *f)
{
    if (node_is_null(list)) {
        return;
    }
    if (list->type != NODE_LIST) {
        faults_add(f, FAULT_ERROR, list->line, "must be a list, not %s", node_type_name(list));
        return;
    }
    for (size_t i = 0; i < list->n; i++) {
        size_t mark = faults_push_index(f, i);
        check_item_text(list->items[i], f);
        faults_pop(f, mark);
    }
}

static void check_list_of_texts(const struct schema_field *s, const struct node *map,
                                struct faults *f)
{
    const struct node *list = NULL;

    if (walk_list(map, s->name, f, &list)) {
        size_t mark = faults_push(f, "%s", s->name);
        check_texts(list, f);
        faults_pop(f, mark);
    }
}

static void check_label_name(struct span name, unsigned line, struct faults *f)
{
    if (!label_name_is_valid(name, NAME_UTF8)) {
        faults_add(f, FAULT_ERROR, line, "\"%.*s\" is not a valid label name", SPAN_ARG(name));
    }
}

/* Maps whose keys are the user's own. */
static void check_names(const struct schema_field *s, const struct node *map, struct faults *f)
{
    const struct node *names = NULL;

    if (!walk_map(map, s->name, f, &names)) {
        return;
    }
    size_t mark = faults_push(f, "%s", s->name);
    for (size_t i = 0; i < names->n; i++) {
        struct span name = names->pairs[i].key->text;
        size_t inner = faults_push(f, "%.*s", SPAN_ARG(name));
        if (s->kind == SCHEMA_TEXT_MAP || s->kind == SCHEMA_LABELS) {
            check_item_text(names->pairs[i].value, f);
        } else {
            check_texts(names->pairs[i].value, f);
        }
        faults_pop(f, inner);
        if (s->kind == SCHEMA_LABELS) {
            check_label_name(name, names->pairs[i].key->line, f);
        }
    }
    faults_pop(f, mark);
}

/* ---- maps with known members: as deep as the tables are, five levels at most */

/* NOLINTNEXTLINE(misc-no-recursion) */
static void check_inner(const struct schema_field *s, const struct node *value,
                        enum fault_severity unknown, struct faults *f)
{
    if (value->type != NODE_MAP) {
        faults_add(f, FAULT_ERROR, value->line, "must be a mapping, not %s", node_type_name(value));
        return;
    }
    schema_check(s->fields, value, unknown, f);
}

/* NOLINTNEXTLINE(misc-no-recursion) */
static void check_list(const struct schema_field *s, const struct node *map,
                       enum fault_severity unknown, struct faults *f)
{
    const struct node *list = NULL;

    if (!walk_list(map, s->name, f, &list)) {
        return;
    }
    size_t mark = faults_push(f, "%s", s->name);
    for (size_t i = 0; i < list->n; i++) {
        size_t inner = faults_push_index(f, i);
        if (node_is_null(list->items[i])) {
            faults_add(f, FAULT_ERROR, list->items[i]->line, "empty or null section in %s",
                       s->name);
        } else {
            check_inner(s, list->items[i], unknown, f);
        }
        faults_pop(f, inner);
    }
    faults_pop(f, mark);
}

/* NOLINTNEXTLINE(misc-no-recursion) */
static void check_named(const struct schema_field *s, const struct node *map,
                        enum fault_severity unknown, struct faults *f)
{
    const struct node *names = NULL;

    if (!walk_map(map, s->name, f, &names)) {
        return;
    }
    size_t mark = faults_push(f, "%s", s->name);
    for (size_t i = 0; i < names->n; i++) {
        size_t inner = faults_push(f, "%.*s", SPAN_ARG(names->pairs[i].key->text));
        if (!node_is_null(names->pairs[i].value)) {
            check_inner(s, names->pairs[i].value, unknown, f);
        }
        faults_pop(f, inner);
    }
    faults_pop(f, mark);
}

/* NOLINTNEXTLINE(misc-no-recursion) */
static void check_map(const struct schema_field *s, const struct node *map,
                      enum fault_severity unknown, struct faults *f)
{
    const struct node *inner = NULL;

    if (!walk_map(map, s->name, f, &inner)) {
        return;
    }
    size_t mark = faults_push(f, "%s", s->name);
    schema_check(s->fields, inner, unknown, f);
    faults_pop(f, mark);
}

static void check_required(const struct schema_field *s, const struct node *map, struct faults *f)
{
    const struct node *value = node_get(map, s->name);
    bool is_zero = value == NULL ? s->preset == NULL : node_is_null(value);
    char all[512] = "";

    if (value != NULL && value->type == NODE_SCALAR) {
        is_zero = is_zero || value->text.len == 0;
    } else if (value != NULL && (value->type == NODE_LIST || value->type == NODE_MAP)) {
        is_zero = value->n == 0;
    }
    if (!is_zero) {
        return;
    }
    if (s->choices != NULL) {
        list_choices(s->choices, all, sizeof(all));
    }
    walk_fault(map, s->name, f, "is required%s%s%s", s->choices == NULL ? "" : " (one of: ", all,
               s->choices == NULL ? "" : ")");
}

enum schema_shape schema_shape(enum schema_kind kind)
{
    switch (kind) {
    case SCHEMA_TEXT:
    case SCHEMA_LOWER:
    case SCHEMA_TRIM:
    case SCHEMA_SECRET:
    case SCHEMA_PATH:
    case SCHEMA_URL:
    case SCHEMA_URLISH:
    case SCHEMA_REGEX:
    case SCHEMA_CHOICE:
    case SCHEMA_DURATION:
    case SCHEMA_SIZE:
        return SCHEMA_SHAPE_TEXT;
    case SCHEMA_BOOL:
    case SCHEMA_INT:
    case SCHEMA_UINT:
    case SCHEMA_DOUBLE:
        return SCHEMA_SHAPE_NUMBER;
    case SCHEMA_TEXTS:
    case SCHEMA_SECRETS:
    case SCHEMA_PATHS:
        return SCHEMA_SHAPE_TEXTS;
    case SCHEMA_TEXT_MAP:
    case SCHEMA_LABELS:
    case SCHEMA_TEXTS_MAP:
    case SCHEMA_SECRETS_MAP:
        return SCHEMA_SHAPE_NAMES;
    case SCHEMA_ANY:
        return SCHEMA_SHAPE_ANY;
    case SCHEMA_MAP:
        return SCHEMA_SHAPE_MAP;
    case SCHEMA_LIST:
        return SCHEMA_SHAPE_LIST;
    case SCHEMA_NAMED:
        return SCHEMA_SHAPE_NAMED;
    case SCHEMA_INLINE:
        break;
    }
    return SCHEMA_SHAPE_INLINE;
}

/* NOLINTNEXTLINE(misc-no-recursion) */
static void check_field(const struct schema_field *s, const struct node *map,
                        enum fault_severity unknown, struct faults *f)
{
    switch (schema_shape(s->kind)) {
    case SCHEMA_SHAPE_TEXT:
        check_textual(s, map, f);
        break;
    case SCHEMA_SHAPE_NUMBER:
        check_number(s, map, f);
        break;
    case SCHEMA_SHAPE_TEXTS:
        check_list_of_texts(s, map, f);
        break;
    case SCHEMA_SHAPE_NAMES:
        check_names(s, map, f);
        break;
    case SCHEMA_SHAPE_ANY:
    case SCHEMA_SHAPE_INLINE:
        break;
    case SCHEMA_SHAPE_MAP:
        check_map(s, map, unknown, f);
        break;
    case SCHEMA_SHAPE_LIST:
        check_list(s, map, unknown, f);
        break;
    case SCHEMA_SHAPE_NAMED:
        check_named(s, map, unknown, f);
        break;
    }
}

/* NOLINTNEXTLINE(misc-no-recursion) */
static void check_fields(const struct schema_field *fields, const struct node *map,
                         enum fault_severity unknown, struct faults *f)
{
    for (const struct schema_field *s = fields; s->name != NULL; s++) {
        if (s->kind == SCHEMA_INLINE && (s->flags & SCHEMA_ELSEWHERE) == 0) {
            check_fields(s->fields, map, unknown, f);
        } else if ((s->flags & SCHEMA_ELSEWHERE) == 0) {
            check_field(s, map, unknown, f);
        }
        if ((s->flags & SCHEMA_REQUIRED) != 0) {
            check_required(s, map, f);
        }
    }
}

/* NOLINTNEXTLINE(misc-no-recursion) */
static size_t collect_names(const struct schema_field *fields, const char **names, size_t n)
{
    for (const struct schema_field *s = fields; s->name != NULL; s++) {
        if (s->kind == SCHEMA_INLINE) {
            n = collect_names(s->fields, names, n);
        } else {
            assert(n < MAX_NAMES);
            names[n++] = s->name;
        }
    }
    return n;
}

/* NOLINTNEXTLINE(misc-no-recursion) */
void schema_check(const struct schema_field *fields, const struct node *map,
                  enum fault_severity unknown, struct faults *f)
{
    const char *names[MAX_NAMES + 1];

    names[collect_names(fields, names, 0)] = NULL;
    walk_unknown(map, names, unknown, f);
    check_fields(fields, map, unknown, f);
}

/* ---- paths */

static void join_text(struct node *value, struct span base_dir, struct arena *arena)
{
    if (value != NULL && value->type == NODE_SCALAR && !node_is_null(value)) {
        value->text = pathtext_join(base_dir, value->text, arena);
    }
}

/* NOLINTNEXTLINE(misc-no-recursion) */
static void join_children(const struct schema_field *s, struct node *value, struct span base_dir,
                          struct arena *arena)
{
    if (s->kind == SCHEMA_MAP && value->type == NODE_MAP) {
        schema_join_paths(s->fields, value, base_dir, arena);
    }
    for (size_t i = 0; s->kind == SCHEMA_NAMED && value->type == NODE_MAP && i < value->n; i++) {
        schema_join_paths(s->fields, value->pairs[i].value, base_dir, arena);
    }
    for (size_t i = 0; s->kind == SCHEMA_LIST && value->type == NODE_LIST && i < value->n; i++) {
        schema_join_paths(s->fields, value->items[i], base_dir, arena);
    }
    for (size_t i = 0; s->kind == SCHEMA_PATHS && value->type == NODE_LIST && i < value->n; i++) {
        join_text(value->items[i], base_dir, arena);
    }
}

/* NOLINTNEXTLINE(misc-no-recursion) */
void schema_join_paths(const struct schema_field *fields, struct node *map, struct span base_dir,
                       struct arena *arena)
{
    if (base_dir.len == 0 || map == NULL || map->type != NODE_MAP) {
        return;
    }
    for (const struct schema_field *s = fields; s->name != NULL; s++) {
        struct node *value = s->kind == SCHEMA_INLINE ? map : node_get(map, s->name);
        if (s->kind == SCHEMA_INLINE) {
            schema_join_paths(s->fields, map, base_dir, arena);
        } else if (s->kind == SCHEMA_PATH) {
            join_text(value, base_dir, arena);
        } else if (value != NULL) {
            join_children(s, value, base_dir, arena);
        }
    }
}
