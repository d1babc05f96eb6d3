#include "allocator/engine/pages.h"

#include "allocator/base/mem.h"

#include <stdlib.h>

void pages_init(struct pages *p, struct publisher *publisher)
{
    *p = (struct pages){ .publisher = publisher };
}

static void note(struct pages *p, uint32_t seat, struct target *t)
{
    if (seat != FLEET_NONE) {
        *vec_push(&p->changes) = (struct page_change){ t, seat };
    }
}

void pages_touch(struct pages *p, uint32_t seat)
{
    note(p, seat, NULL);
}

void pages_add(struct pages *p, uint32_t seat, struct target *t)
{
    note(p, seat, t);
}

/* ---- merging */

static uint64_t identity_or_zero(const struct target *t)
{
    return t == NULL ? 0 : target_identity(t);
}

/* Equals stand side by side; one is valid. */
static int compare_changes(const void *a, const void *b)
{
    const struct page_change *x = a, *y = b;
    uint64_t i = identity_or_zero(x->target), k = identity_or_zero(y->target);

    if (x->seat != y->seat) {
        return x->seat < y->seat ? -1 : 1;
    }
    if (i != k) {
        return i < k ? -1 : 1;
    }
    return ((uintptr_t)x->target > (uintptr_t)y->target) -
           ((uintptr_t)x->target < (uintptr_t)y->target);
}

static struct target **members(struct page_list *l)
{
    return l->n <= 1 ? &l->one : l->v;
}

static void free_members(struct page_list *l)
{
    if (l->n > 1) {
        mem_free(l->v);
    }
    l->one = NULL;
    l->n = 0;
}

struct merged { /* with room for all that may come */
    struct target **v;
    uint32_t n;
};

/* Of the targets with one identity at most one has a slot, so what is valid comes once, but perhaps
 * written twice. */
static void keep_valid(struct merged *m, const struct fleet *fleet, uint32_t seat, struct target *t)
{
    if (t != NULL && t->slot != FLEET_NONE && fleet_owner(fleet, t->slot) == seat &&
        (m->n == 0 || m->v[m->n - 1] != t)) {
        m->v[m->n++] = t;
    }
}

static void take_members(struct page_list *l, struct merged *m)
{
    free_members(l);
    l->n = m->n;
    if (m->n > 1) {
        l->v = mem_realloc(m->v, m->n * sizeof(struct target *));
        return;
    }
    l->one = m->n == 1 ? m->v[0] : NULL;
    mem_free(m->v);
}

/* 'changes' are those of this list, in order. */
static void merge_list(struct page_list *l, const struct fleet *fleet,
                       const struct page_change *changes, size_t n_changes)
{
    struct target **old = members(l);
    struct merged m = { mem_alloc((l->n + n_changes) * sizeof(struct target *)), 0 };
    size_t i = 0, k = 0;

    while (i < l->n || k < n_changes) {
        bool is_old = k == n_changes ||
                      (i < l->n && target_identity(old[i]) <= identity_or_zero(changes[k].target));
        keep_valid(&m, fleet, l->seat, is_old ? old[i++] : changes[k++].target);
    }
    take_members(l, &m);
    l->is_dirty = true;
}

/* How many of the changes are of the same list as the first. */
static size_t count_group(const struct page_change *changes, size_t n)
{
    size_t end = 1;

    while (end < n && changes[end].seat == changes[0].seat) {
        end++;
    }
    return end;
}

static size_t count_seats(const struct page_change *changes, size_t n)
{
    size_t n_seats = 0;

    for (size_t i = 0; i < n; i += count_group(changes + i, n - i)) {
        n_seats++;
    }
    return n_seats;
}

struct lists { /* the old ones on their way to the new array */
    struct page_list *from, *to;
    size_t n_from, at, n_to;
};

static void pass_lists(struct lists *l, uint32_t seat_end)
{
    while (l->at < l->n_from && l->from[l->at].seat < seat_end) {
        l->to[l->n_to++] = l->from[l->at++];
    }
}

static struct page_list *need_list(struct lists *l, uint32_t seat)
{
    pass_lists(l, seat);
    bool is_there = l->at < l->n_from && l->from[l->at].seat == seat;
    l->to[l->n_to] = is_there ? l->from[l->at++] : (struct page_list){ .seat = seat & INT32_MAX };
    return &l->to[l->n_to++];
}

void pages_merge(struct pages *p, const struct fleet *fleet)
{
    const size_t n = p->changes.n;
    const struct page_change *c = p->changes.v;

    if (n == 0) {
        return;
    }
    if (n > 1) {
        qsort(p->changes.v, n, sizeof(*c), compare_changes);
    }
    struct lists l = { .from = p->lists, .n_from = p->n_lists };
    l.to = mem_alloc((l.n_from + count_seats(c, n)) * sizeof(*l.to));
    for (size_t i = 0, end = 0; i < n; i = end) {
        end = i + count_group(c + i, n - i);
        merge_list(need_list(&l, c[i].seat), fleet, c + i, end - i);
    }
    pass_lists(&l, UINT32_MAX);
    mem_free(p->lists);
    p->lists = l.to;
    p->n_lists = l.n_to;
    vec_fini(&p->changes);
    p->is_dirty = true;
}

/* ---- rendering */

static void free_page(void *page)
{
    page_free(page);
}

static struct page *make_page(struct page_list *l)
{
    if (l->n == 0) {
        return NULL;
    }
    struct page_part *parts = mem_alloc(l->n * sizeof(*parts));
    for (uint32_t i = 0; i < l->n; i++) {
        const struct target *t = members(l)[i];
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

static bool render_list(struct pages *p, struct page_list *l) ON(engine)
{
    struct page *page = make_page(l);

    l->is_dirty = false;
    if (is_same_page(page, l->page)) {
        if (page != NULL) {
            page_free(page);
        }
        return false;
    }
    if (l->page != NULL) {
        publisher_retire(p->publisher, l->page, mem_size(l->page), free_page);
    }
    l->page = page;
    return true;
}

/* Makes what pages must be made, and drops the lists that are empty. True when a page is another
 * one. */
static bool render_lists(struct pages *p, size_t *out_n_rendered) ON(engine)
{
    bool has_changed = false;
    size_t n = 0;

    for (size_t i = 0; i < p->n_lists; i++) {
        struct page_list *l = &p->lists[i];
        if (l->is_dirty) {
            has_changed |= render_list(p, l);
            ++*out_n_rendered;
        }
        if (l->page != NULL) {
            p->lists[n++] = *l;
        }
    }
    p->n_lists = n;
    p->is_dirty = false;
    return has_changed;
}

bool pages_render(struct pages *p, const struct fleet *fleet, size_t n_kept, size_t *out_n_rendered)
{
    bool has_changed = p->row == NULL || p->row->n_targets != n_kept;

    *out_n_rendered = 0;
    pages_merge(p, fleet);
    if (p->is_dirty) {
        has_changed |= render_lists(p, out_n_rendered);
    }
    if (!has_changed) {
        return false;
    }
    struct page_row *row = page_row_new(p->n_lists, n_kept);
    for (size_t i = 0; i < p->n_lists; i++) {
        row->seats[i] = p->lists[i].seat;
        row->pages[i] = p->lists[i].page;
    }
    if (p->row != NULL) {
        publisher_retire(p->publisher, p->row, mem_size(p->row), mem_free);
    }
    p->row = row;
    return true;
}

void pages_fini(struct pages *p)
{
    for (size_t i = 0; i < p->n_lists; i++) {
        if (p->lists[i].page != NULL) {
            publisher_retire(p->publisher, p->lists[i].page, mem_size(p->lists[i].page), free_page);
        }
        free_members(&p->lists[i]);
    }
    if (p->row != NULL) {
        publisher_retire(p->publisher, p->row, mem_size(p->row), mem_free);
    }
    mem_free(p->lists);
    vec_fini(&p->changes);
    *p = (struct pages){ 0 };
}
