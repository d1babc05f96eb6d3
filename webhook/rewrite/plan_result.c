/* What a plan leads to: the intended configuration, and what the annotation keeps. */
#include "webhook/rewrite/plan.h"

#include "allocator/base/limits.h"
#include "allocator/codec/nodeedit.h"

#include <assert.h>

/* ---- the intended configuration */

static const struct node *intended_list(const struct plan_receiver *r, struct arena *arena)
{
    if (r->new_list != NULL || r->list == NULL || r->stored_list != NULL) {
        return r->new_list != NULL ? r->new_list : r->list;
    }
    struct node **items = arena_alloc(arena, (r->list->n + 1) * sizeof(struct node *));
    for (size_t i = 0; i < r->list->n; i++) {
        items[i] = r->list->items[i];
    }
    for (size_t i = 0; i < r->n_jobs; i++) {
        items[r->jobs[i].index] = (struct node *)(uintptr_t)plan_intended_job(&r->jobs[i], arena);
    }
    return nodeedit_list(arena, items, r->list->n);
}

static bool has_job_change(const struct plan_receiver *r)
{
    bool is_changed = r->new_list != NULL;

    for (size_t i = 0; i < r->n_jobs && !is_changed && r->stored_list == NULL; i++) {
        is_changed = r->jobs[i].action != JOB_LEAVE;
    }
    return is_changed;
}

static const struct node *intended_receiver(const struct plan_receiver *r, struct arena *arena)
{
    const struct node *node = r->node;

    if (has_job_change(r)) {
        const struct node *config =
            nodeedit_member(arena, r->config, SPAN_LIT("scrape_configs"), intended_list(r, arena));
        node = nodeedit_member(arena, node, SPAN_LIT("config"), config);
    }
    if (r->block_action != BLOCK_LEAVE) {
        node = nodeedit_member(arena, node, SPAN_LIT("target_allocator"),
                               r->block_action == BLOCK_SET ? r->block : NULL);
    }
    return node;
}

/* The plan has the receivers in the order of the map. One at a time, each would cost a map. */
const struct node *plan_intended(const struct plan *plan, const struct node *config,
                                 struct arena *arena)
{
    const struct node *old = node_get(config, "receivers");
    struct node_pair *pairs;
    bool is_changed = false;
    size_t next = 0;

    if (plan->n_receivers == 0) {
        return config;
    }
    pairs = arena_alloc(arena, (old->n + 1) * sizeof(*pairs));
    for (size_t i = 0; i < old->n; i++) {
        pairs[i] = old->pairs[i];
        if (next == plan->n_receivers || !span_eq(plan->receivers[next].name, pairs[i].key->text)) {
            continue;
        }
        const struct node *node = intended_receiver(&plan->receivers[next++], arena);
        is_changed = is_changed || node != pairs[i].value;
        pairs[i].value = (struct node *)(uintptr_t)node;
    }
    assert(next == plan->n_receivers);
    return is_changed ? nodeedit_member(arena, config, SPAN_LIT("receivers"),
                                        nodeedit_map(arena, pairs, old->n))
                      : config;
}

/* ---- the annotation */

static int by_receiver(const void *a, const void *b)
{
    const struct plan_receiver *const *x = a;
    const struct plan_receiver *const *y = b;

    return span_cmp((*x)->name, (*y)->name);
}

static int by_job(const void *a, const void *b)
{
    const struct plan_job *const *x = a;
    const struct plan_job *const *y = b;

    return span_cmp((*x)->name.text, (*y)->name.text);
}

static void write_jobs(const struct plan_receiver *r, struct arena *arena, struct buf *out)
{
    const struct plan_job **sorted =
        arena_alloc(arena, (r->n_jobs + 1) * sizeof(struct plan_job *));
    size_t n = 0;

    for (size_t i = 0; i < r->n_jobs && r->stored_list == NULL; i++) {
        if (r->jobs[i].url.p != NULL) {
            sorted[n++] = &r->jobs[i];
        }
    }
    qsort(sorted, n, sizeof(sorted[0]), by_job);
    buf_add_str(out, "\"jobs\":{");
    for (size_t i = 0; i < n; i++) {
        buf_add_str(out, i == 0 ? "" : ",");
        buf_add_json(out, sorted[i]->name.text);
        buf_add_char(out, ':');
        sections_write(&sorted[i]->sections, out);
    }
    buf_add_char(out, '}');
}

static void write_receiver(const struct plan_receiver *r, struct arena *arena, struct buf *out)
{
    buf_add_json(out, r->name);
    buf_add_str(out, ":{");
    write_jobs(r, arena, out);
    if (r->stored_list != NULL) {
        buf_add_str(out, ",\"scrape_configs\":");
        node_write_json(r->stored_list, out);
    }
    if (r->stored_block != NULL) {
        buf_add_str(out, ",\"target_allocator\":");
        node_write_json(r->stored_block, out);
    }
    buf_add_char(out, '}');
}

static bool is_stored(const struct plan_receiver *r)
{
    bool is_kept = r->stored_list != NULL || r->stored_block != NULL;

    for (size_t i = 0; i < r->n_jobs && !is_kept; i++) {
        is_kept = r->jobs[i].url.p != NULL;
    }
    return is_kept;
}

void plan_write_annotation(const struct plan *plan, struct span records, struct arena *arena,
                           struct buf *out)
{
    const struct plan_receiver **sorted =
        arena_alloc(arena, (plan->n_receivers + 1) * sizeof(struct plan_receiver *));
    size_t n = 0;

    for (size_t i = 0; i < plan->n_receivers; i++) {
        if (is_stored(&plan->receivers[i])) {
            sorted[n++] = &plan->receivers[i];
        }
    }
    qsort(sorted, n, sizeof(sorted[0]), by_receiver);
    buf_add_str(out, "{\"receivers\":{");
    for (size_t i = 0; i < n; i++) {
        if (i > 0) {
            buf_add_char(out, ',');
        }
        write_receiver(sorted[i], arena, out);
    }
    buf_add_char(out, '}');
    if (records.len > 0) {
        buf_add_str(out, ",\"text\":");
        buf_add_span(out, records);
    }
    buf_add_str(out, ",\"v\":1}");
}
