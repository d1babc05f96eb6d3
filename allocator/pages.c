#include "allocator/pages.h"

#include "allocator/base/mem.h"

#include <stdlib.h>

void pages_init(struct pages *p, struct publisher *publisher, size_t n_collectors)
{
    memset(p, 0, sizeof(*p));
    p->publisher = publisher;
    p->n_lists = n_collectors;
    p->lists = mem_array(n_collectors + 1, sizeof(*p->lists));
    p->is_dirty = true;
}

void pages_touch(struct pages *p, uint32_t collector)
{
    if (collector != FLEET_NONE) {
        p->lists[collector].is_stale = p->lists[collector].is_dirty = true;
        p->is_dirty = true;
    }
}

void pages_add(struct pages *p, uint32_t collector, struct target *t)
{
    if (collector == FLEET_NONE) {
        return;
    }
    struct page_list *l = &p->lists[collector];
    if (l->n_added == l->cap_added) {
        l->cap_added = l->cap_added == 0 ? 4 : l->cap_added * 2;
        l->added = mem_realloc(l->added, l->cap_added * sizeof(struct target *));
    }
    l->added[l->n_added++] = t;
    pages_touch(p, collector);
}

static void free_page(void *page)
{
    page_free(page);
}

static void drop_list(struct pages *p, struct page_list *l) ON(engine)
{
    if (l->page != NULL) {
        publisher_retire(p->publisher, l->page, free_page);
    }
    mem_free(l->v);
    mem_free(l->added);
    *l = (struct page_list){ 0 };
}

void pages_renumber(struct pages *p, const uint32_t *map, size_t n_collectors)
{
    struct page_list *lists = mem_array(n_collectors + 1, sizeof(*lists));

    for (size_t i = 0; i < p->n_lists; i++) {
        if (map[i] == FLEET_NONE) {
            drop_list(p, &p->lists[i]);
        } else {
            lists[map[i]] = p->lists[i];
        }
    }
    mem_free(p->lists);
    p->lists = lists;
    p->n_lists = n_collectors;
    p->is_dirty = true;
}

/* ---- render */

static int compare_targets(const void *a, const void *b)
{
    const struct target *x = *(struct target *const *)a, *y = *(struct target *const *)b;
    if (target_identity(x) != target_identity(y)) {
        return target_identity(x) < target_identity(y) ? -1 : 1;
    }
    return ((uintptr_t)x > (uintptr_t)y) -
           ((uintptr_t)x < (uintptr_t)y); /* equals stand side by side; one is valid */
}

/* Of the targets with one identity at most one has a slot, so what is valid comes once, but perhaps
 * written twice. */
static void keep_valid(struct page_list *l, const struct fleet *fleet, uint32_t collector,
                       struct target *t)
{
    if (t->slot != FLEET_NONE && fleet_owner(fleet, t->slot) == collector &&
        (l->n == 0 || l->v[l->n - 1] != t)) {
        l->v[l->n++] = t;
    }
}

static void merge_list(struct page_list *l, const struct fleet *fleet, uint32_t collector)
{
    struct target **old = l->v;
    uint32_t n_old = l->n, i = 0, k = 0;

    if (l->n_added > 1) {
        qsort(l->added, l->n_added, sizeof(struct target *), compare_targets);
    }
    l->v = mem_alloc(((size_t)n_old + l->n_added + 1) * sizeof(struct target *));
    l->n = 0;
    while (i < n_old || k < l->n_added) {
        bool is_old = k == l->n_added ||
                      (i < n_old && target_identity(old[i]) <= target_identity(l->added[k]));
        keep_valid(l, fleet, collector, is_old ? old[i++] : l->added[k++]);
    }
    mem_free(old);
    mem_free(l->added);
    l->added = NULL;
    l->n_added = l->cap_added = 0;
    l->is_stale = false;
    l->v = mem_realloc(l->v, ((size_t)l->n + 1) * sizeof(struct target *));
}

void pages_merge(struct pages *p, const struct fleet *fleet)
{
    for (uint32_t i = 0; i < p->n_lists; i++) {
        if (p->lists[i].is_stale) {
            merge_list(&p->lists[i], fleet, i);
        }
    }
}

static struct page *make_page(const struct page_list *l)
{
    if (l->n == 0) {
        return NULL;
    }
    struct page_part *parts = mem_alloc(l->n * sizeof(*parts));
    for (uint32_t i = 0; i < l->n; i++) {
        const struct target *t = l->v[i];
        parts[i] = (struct page_part){ span_make(t->own, t->own_len),
                                       span_make(t->tail->text, t->tail->len) };
    }
    struct page *page = page_new(parts, l->n);
    mem_free(parts);
    return page;
}

static bool is_same_page(const struct page *a, const struct page *b)
{
    if (a == NULL || b == NULL) {
        return a == b;
    }
    if (a->n_targets != b->n_targets || a->bytes != b->bytes || a->n_pieces != b->n_pieces) {
        return false;
    }
    for (size_t i = 0; i < a->n_pieces; i++) {
        if (a->pieces[i].iov_base != b->pieces[i].iov_base ||
            a->pieces[i].iov_len != b->pieces[i].iov_len) {
            return false;
        }
    }
    return true;
}

static bool render_list(struct pages *p, const struct fleet *fleet, uint32_t collector) ON(engine)
{
    struct page_list *l = &p->lists[collector];

    if (l->is_stale) {
        merge_list(l, fleet, collector);
    }
    l->is_dirty = false;
    struct page *page = make_page(l);
    if (is_same_page(page, l->page)) {
        if (page != NULL) {
            page_free(page);
        }
        return false;
    }
    if (l->page != NULL) {
        publisher_retire(p->publisher, l->page, free_page);
    }
    l->page = page;
    return true;
}

bool pages_render(struct pages *p, const struct fleet *fleet, size_t n_kept, size_t *out_n_rendered)
{
    bool has_changed =
        p->row == NULL || p->row->n_collectors != p->n_lists || p->row->n_targets != n_kept;

    *out_n_rendered = 0;
    if (!p->is_dirty && !has_changed) {
        return false;
    }
    for (uint32_t i = 0; i < p->n_lists; i++) {
        if (p->lists[i].is_dirty) {
            has_changed |= render_list(p, fleet, i);
            ++*out_n_rendered;
        }
        has_changed |=
            p->row != NULL && i < p->row->n_collectors && p->row->pages[i] != p->lists[i].page;
    }
    p->is_dirty = false;
    if (!has_changed) {
        return false;
    }
    struct page_row *row = mem_alloc(sizeof(*row) + p->n_lists * sizeof(row->pages[0]));
    row->n_collectors = p->n_lists;
    row->n_targets = n_kept;
    for (size_t i = 0; i < p->n_lists; i++) {
        row->pages[i] = p->lists[i].page;
    }
    if (p->row != NULL) {
        publisher_retire(p->publisher, p->row, mem_free);
    }
    p->row = row;
    return true;
}

void pages_fini(struct pages *p)
{
    for (size_t i = 0; i < p->n_lists; i++) {
        drop_list(p, &p->lists[i]);
    }
    if (p->row != NULL) {
        publisher_retire(p->publisher, p->row, mem_free);
    }
    mem_free(p->lists);
    *p = (struct pages){ 0 };
}
