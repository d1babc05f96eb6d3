#include "allocator/engine/render.h"

#include "allocator/base/limits.h"

#include <stdlib.h>

#define USUAL_BYTES ((size_t)4000) /* of a piece: few grow their buffer */

struct render_plan {   /* of one shape: which fields go into which piece */
    uint32_t n_before; /* own fields whose name sorts before __address__ */
    uint32_t n_own, n_tail;
    uint32_t *own, *tail;
    const struct sd_group *tail_group; /* whose tail is in 'last'; NULL: none yet */
    struct buf tail_text;
    struct render_tail last;
};

/* ---- which columns are shared */

struct ranked {
    const struct sd_column *column;
    size_t index;
};

static int compare_ranked(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    if (x->column->n_changes != y->column->n_changes) {
        return x->column->n_changes < y->column->n_changes ? -1 : 1;
    }
    return span_cmp(str_span(x->column->name), str_span(y->column->name));
}

static void choose_tail(struct render *r, struct arena *arena)
{
    struct ranked *order = arena_alloc(arena, r->batch->columns.n * sizeof(*order));
    uint64_t sum = 0;
    size_t n = 0;

    for (size_t i = 0; i < r->batch->columns.n; i++) {
        const struct sd_column *column = &r->batch->columns.v[i];
        if (column->n_changes == 0) {
            r->is_tail[i] = true;
        } else {
            order[n++] = (struct ranked){ column, i };
        }
    }
    qsort(order, n, sizeof(*order), compare_ranked);
    for (size_t i = 0; i < n; i++) {
        sum += order[i].column->n_changes;
        r->is_tail[order[i].index] = sum * 4 <= r->batch->n_targets;
    }
}

/* ---- plans */

static struct render_plan *make_plan(struct render *r, const struct sd_shape *shape)
{
    struct arena *arena = &r->batch->arena;
    struct render_plan *plan = arena_zalloc(arena, sizeof(*plan));

    buf_init_in(&plan->tail_text, arena, LIMIT_SD_BODY);
    plan->own = arena_alloc(arena, shape->n * sizeof(*plan->own));
    plan->tail = arena_alloc(arena, shape->n * sizeof(*plan->tail));
    for (uint32_t i = 0; i < shape->n; i++) {
        if (r->is_tail[shape->fields[i].column]) {
            plan->tail[plan->n_tail++] = i;
            continue;
        }
        plan->own[plan->n_own++] = i;
        if (span_cmp(str_span(shape->fields[i].name), SPAN_LIT("__address__")) < 0) {
            plan->n_before++;
        }
    }
    return plan;
}

static struct render_plan *plan_of(struct render *r, const struct sd_shape *shape)
{
    struct render_plan **plan = &r->plans[shape->index];

    if (*plan == NULL) {
        *plan = make_plan(r, shape);
    }
    return *plan;
}

/* ---- life */

void render_init(struct render *r, struct sd_batch *batch)
{
    memset(r, 0, sizeof(*r));
    r->batch = batch;
    r->is_tail = arena_zalloc(&batch->arena, batch->columns.n);
    r->column_json = arena_zalloc(&batch->arena, batch->columns.n * sizeof(*r->column_json));
    r->plans = arena_zalloc(&batch->arena, batch->shapes.n * sizeof(struct render_plan *));
    buf_init(&r->own, LIMIT_SD_BODY);
    (void)buf_reserve(&r->own, USUAL_BYTES);
    choose_tail(r, &batch->arena);
}

void render_fini(struct render *r)
{
    buf_fini(&r->own);
}

/* ---- bytes */

#define EACH_BYTE(x) (0x0101010101010101ULL * (x))

/* Some byte is a quote, a backslash, a control character or not ASCII. */
static bool word_needs_care(uint64_t w)
{
    uint64_t quote = w ^ EACH_BYTE('"'), backslash = w ^ EACH_BYTE('\\');
    uint64_t hits = (quote - EACH_BYTE(1)) | (backslash - EACH_BYTE(1)) | (w - EACH_BYTE(0x20)) | w;
    return (hits & EACH_BYTE(0x80)) !=
           0; /* a borrow may also raise it for a harmless byte: that costs only time */
}

static bool is_plain(struct span s)
{
    uint64_t w = EACH_BYTE('a');
    size_t i = 0;

    for (; i + 8 <= s.len; i += 8) {
        memcpy(&w, s.p + i, 8);
        if (word_needs_care(w)) {
            return false;
        }
    }
    w = EACH_BYTE('a');
    memcpy(&w, s.p + i, s.len - i);
    return !word_needs_care(w);
}

/* Most values are written as they are. */
static void add_text(struct buf *out, struct span s)
{
    if (s.len == 0 || !is_plain(s)) {
        buf_add_json(out, s);
        return;
    }
    char *to = buf_reserve(out, s.len + 2);
    if (to != NULL) {
        to[0] = '"';
        memcpy(to + 1, s.p, s.len);
        to[s.len + 1] = '"';
        to[s.len + 2] = '\0';
        out->len += s.len + 2;
    }
}

static void add_name(struct render *r, const struct sd_field *field, struct buf *out)
{
    struct span *json = &r->column_json[field->column];

    if (json->p != NULL) {
        buf_add_span(out, *json);
        return;
    }
    size_t from = out->len;
    add_text(out, str_span(field->name));
    buf_add_char(out, ':');
    if (buf_error(out) == 0) {
        *json = arena_span(&r->batch->arena, span_from(buf_span(out), from));
    }
}

static void add_own(struct render *r, const struct sd_group *g, const uint32_t *fields, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        add_name(r, &g->shape->fields[fields[i]], &r->own);
        add_text(&r->own, g->values[fields[i]]);
        buf_add_char(&r->own, ',');
    }
}

struct span render_own(struct render *r, const struct sd_group *g, struct span address)
{
    static const char head[] = ",{\"targets\":[", middle[] = "],\"labels\":{",
                      name[] = "\"__address__\":";
    const struct render_plan *plan = plan_of(r, g->shape);

    buf_clear(&r->own);
    buf_add(&r->own, head, sizeof(head) - 1);
    add_text(&r->own, address);
    size_t len = r->own.len - (sizeof(head) - 1);
    buf_add(&r->own, middle, sizeof(middle) - 1);
    add_own(r, g, plan->own, plan->n_before);
    buf_add(&r->own, name, sizeof(name) - 1);
    if (buf_reserve(&r->own, len) != NULL) {
        buf_add(&r->own, r->own.p + sizeof(head) - 1, len);
    }
    buf_add_char(&r->own, ',');
    add_own(r, g, plan->own + plan->n_before, plan->n_own - plan->n_before);
    if (buf_error(&r->own) != 0) {
        return span_make(NULL, 0);
    }
    return span_make(r->own.p, r->own.len - 1); /* the tail brings the comma */
}

static bool is_same_tail(const struct render_plan *plan, const struct sd_group *g)
{
    if (plan->tail_group == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < plan->n_tail; i++) {
        if (!span_eq(plan->tail_group->values[plan->tail[i]], g->values[plan->tail[i]])) {
            return false;
        }
    }
    return true;
}

struct render_tail *render_tail(struct render *r, const struct sd_group *g)
{
    struct render_plan *plan = plan_of(r, g->shape);
    struct buf *out = &plan->tail_text;
    bool is_same = is_same_tail(plan, g);

    plan->tail_group = g;
    if (is_same) {
        return &plan->last;
    }
    buf_clear(out);
    for (uint32_t i = 0; i < plan->n_tail; i++) {
        buf_add_char(out, ',');
        add_name(r, &g->shape->fields[plan->tail[i]], out);
        add_text(out, g->values[plan->tail[i]]);
    }
    buf_add(out, "}}", 2);
    plan->last = (struct render_tail){ .text = buf_span(out) };
    if (buf_error(out) != 0) {
        plan->last.text = span_make(NULL, 0);
    }
    return &plan->last;
}
