#include "allocator/engine/pages.h"

#include "allocator/base/mem.h"

#include <stdlib.h>

void pages_init(struct pages *p, struct publisher *publisher)
{
    *p = (struct pages){ .publisher = publisher };
}

static void note(struct pages *p, struct page_change change)
{
    if (change.seat != FLEET_NONE) {
        *vec_push(&p->changes) = change;
    }
}

void pages_touch(struct pages *p, uint32_t seat, uint64_t identity)
{
    note(p, (struct page_change){ .identity = identity, .seat = seat });
}

void pages_add(struct pages *p, uint32_t seat, struct target *t)
{
    note(p, (struct page_change){ .target = t, .seat = seat, .is_new = true });
}

/* ---- merging */

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
        qsort(p->changes.v, n, sizeof(*c), page_change_cmp);
    }
    struct lists l = { .from = p->lists, .n_from = p->n_lists };
    l.to = mem_alloc((l.n_from + count_seats(c, n)) * sizeof(*l.to));
    for (size_t i = 0, end = 0; i < n; i = end) {
        end = i + count_group(c + i, n - i);
        pagelist_merge(need_list(&l, c[i].seat), fleet, c + i, end - i, &p->gone);
    }
    pass_lists(&l, UINT32_MAX);
    mem_free(p->lists);
    p->lists = l.to;
    p->n_lists = l.n_to;
    vec_fini(&p->changes);
    p->is_dirty = true;
}

/* ---- rendering */

static struct exchange_run *make_run(struct page_block *b, bool is_first, bool is_last)
{
    struct page_part few[PAGE_BLOCK_MOST];

    for (uint32_t i = 0; i < b->n; i++) {
        const struct target *t = pagelist_members(b)[i];
        few[i] = (struct page_part){ span_make(t->own, t->own_len),
                                     span_make(t->tail->text, t->tail->len) };
    }
    return page_run_new(few, b->n, is_first, is_last);
}

static bool is_same_run(const struct exchange_run *a, const struct exchange_run *b)
{
    if (b == NULL || a->bytes != b->bytes || a->n != b->n) {
        return false;
    }
    for (size_t i = 0; i < a->n; i++) {
        if (a->v[i].iov_base != b->v[i].iov_base || a->v[i].iov_len != b->v[i].iov_len) {
            return false;
        }
    }
    return true;
}

static void render_block(struct pages *p, struct page_block *b, bool is_first, bool is_last)
{
    if (b->run != NULL && !b->is_dirty && b->is_first == is_first && b->is_last == is_last) {
        return;
    }
    struct exchange_run *run = make_run(b, is_first, is_last);

    b->is_dirty = false;
    b->is_first = is_first;
    b->is_last = is_last;
    if (is_same_run(run, b->run)) {
        mem_free(run);
        return;
    }
    if (b->run != NULL) {
        *vec_push(&p->gone.list) = b->run;
    }
    b->run = run;
}

/* Its runs are made already. */
static struct page *make_page(struct page_list *l)
{
    struct page_block *blocks = pagelist_blocks(l);
    size_t n_targets = 0;

    if (l->n_blocks == 0) {
        return NULL;
    }
    for (size_t i = 0; i < l->n_blocks; i++) {
        n_targets += blocks[i].n;
    }
    struct page *page = page_new(l->n_blocks, n_targets);
    for (size_t i = 0; i < l->n_blocks; i++) {
        page->runs[i] = blocks[i].run;
    }
    page_count(page);
    return page;
}

static bool is_same_page(const struct page *a, const struct page *b)
{
    if (a == NULL || b == NULL) {
        return a == b;
    }
    return a->n_runs == b->n_runs && memcmp((const void *)a->runs, (const void *)b->runs,
                                            a->n_runs * sizeof(a->runs[0])) == 0;
}

static bool render_list(struct pages *p, struct page_list *l) ON(engine)
{
    for (size_t i = 0; i < l->n_blocks; i++) {
        render_block(p, &pagelist_blocks(l)[i], i == 0, i + 1 == l->n_blocks);
    }
    struct page *page = make_page(l);

    l->is_dirty = false;
    if (is_same_page(page, l->page)) {
        mem_free(page);
        return false;
    }
    if (l->page != NULL) {
        publisher_retire(p->publisher, l->page, mem_size(l->page), mem_free);
    }
    l->page = page;
    return true;
}

static void retire_runs(struct pages *p) ON(engine)
{
    vec_each(&p->gone.list, run) {
        publisher_retire(p->publisher, *run, mem_size(*run), mem_free);
    }
    vec_fini(&p->gone.list);
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
    retire_runs(p);
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
            publisher_retire(p->publisher, p->lists[i].page, mem_size(p->lists[i].page), mem_free);
        }
        pagelist_fini(&p->lists[i], &p->gone);
    }
    retire_runs(p);
    if (p->row != NULL) {
        publisher_retire(p->publisher, p->row, mem_size(p->row), mem_free);
    }
    mem_free(p->lists);
    vec_fini(&p->changes);
    *p = (struct pages){ 0 };
}
