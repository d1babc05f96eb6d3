#include "allocator/engine/pagelist.h"

#include "allocator/base/mem.h"
#include "allocator/base/order.h"

/* ---- changes */

static uint64_t page_change_identity(const struct page_change *c)
{
    return c->is_new ? target_identity(c->target) : c->identity;
}

/* Equals stand side by side; one is valid. */
int page_change_cmp(const void *a, const void *b)
{
    const struct page_change *x = a, *y = b;
    uint64_t i = page_change_identity(x), k = page_change_identity(y);

    if (x->seat != y->seat) {
        return order_u64(x->seat, y->seat);
    }
    if (i != k) {
        return order_u64(i, k);
    }
    if (x->is_new != y->is_new) {
        return order_u64(x->is_new, y->is_new);
    }
    return x->is_new ? order_u64((uintptr_t)x->target, (uintptr_t)y->target) : 0;
}

/* ---- merging a block */

enum {
    BLOCK_CUT = 64,   /* what is too large is cut into blocks of this many */
    BLOCK_LEAST = 16, /* a changed block with fewer joins the one before it, if that has room */
};

struct target **pagelist_members(struct page_block *b)
{
    return b->n <= 1 ? &b->one : b->v;
}

static void free_members(struct page_block *b)
{
    if (b->n > 1) {
        mem_free(b->v);
    }
    b->one = NULL;
    b->n = 0;
}

static void set_members(struct page_block *b, struct target *const *v, uint32_t n)
{
    free_members(b);
    b->n = n;
    if (n == 1) {
        b->one = v[0];
    } else if (n > 1) {
        b->v = mem_array(n, sizeof(*v));
        memcpy((void *)b->v, v, n * sizeof(*v));
    }
    b->is_dirty = true;
}

struct merged { /* with room for all that may come */
    struct target **v;
    uint32_t n;
};

/* Of the targets with one identity at most one has a slot, so what is valid comes once, but perhaps
 * written twice. */
static void keep_valid(struct merged *m, const struct fleet *fleet, uint32_t seat, struct target *t)
{
    if (t->slot != FLEET_NONE && fleet_owner(fleet, t->slot) == seat &&
        (m->n == 0 || m->v[m->n - 1] != t)) {
        m->v[m->n++] = t;
    }
}

/* 'changes' are those of this block, in order. */
static struct merged merge_members(struct page_block *b, const struct fleet *fleet, uint32_t seat,
                                   const struct page_change *changes, size_t n_changes)
{
    struct target **old = pagelist_members(b);
    struct merged m = { mem_array(b->n + n_changes, sizeof(struct target *)), 0 };
    size_t i = 0, k = 0;

    while (i < b->n || k < n_changes) {
        if (k == n_changes ||
            (i < b->n && target_identity(old[i]) <= page_change_identity(&changes[k]))) {
            keep_valid(&m, fleet, seat, old[i++]);
        } else if (!changes[k].is_new) {
            k++;
        } else {
            keep_valid(&m, fleet, seat, changes[k++].target);
        }
    }
    return m;
}

/* ---- merging a list */

struct blocks { /* the new ones of a list */
    VEC(struct page_block) list;
    struct page_runs *gone;
};

static void drop_block(struct blocks *out, struct page_block *b)
{
    free_members(b);
    if (b->run != NULL) {
        *vec_push(&out->gone->list) = b->run;
        b->run = NULL;
    }
}

/* A few members join the block before them. */
static bool joins_last(struct blocks *out, const struct merged *m)
{
    if (out->list.n == 0) {
        return false;
    }
    struct page_block *last = &out->list.v[out->list.n - 1];

    if (m->n >= BLOCK_LEAST || last->n + m->n > PAGE_BLOCK_MOST) {
        return false;
    }
    struct target *all[PAGE_BLOCK_MOST];
    memcpy((void *)all, pagelist_members(last), last->n * sizeof(*all));
    memcpy((void *)(all + last->n), m->v, m->n * sizeof(*all));
    set_members(last, all, last->n + m->n);
    return true;
}

static void put_members(struct blocks *out, struct page_block b, const struct merged *m)
{
    if (m->n == 0 || joins_last(out, m)) {
        drop_block(out, &b);
        return;
    }
    for (uint32_t at = 0, n = 0; at < m->n; at += n) {
        n = m->n - at <= PAGE_BLOCK_MOST ? m->n - at : BLOCK_CUT;
        set_members(&b, m->v + at, n);
        *vec_push(&out->list) = b;
        b = (struct page_block){ 0 }; /* the first keeps the run, to be compared with */
    }
}

struct page_block *pagelist_blocks(struct page_list *l)
{
    return l->n_blocks <= 1 ? &l->block : l->blocks;
}

/* The block in which a target of this identity has its place. */
static size_t find_block(struct page_block *v, size_t n, uint64_t identity)
{
    size_t low = 0, high = n;

    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (target_identity(pagelist_members(&v[middle])[0]) <= identity) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

static void pass_blocks(struct blocks *out, const struct page_block *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        *vec_push(&out->list) = v[i];
    }
}

static void take_blocks(struct page_list *l, struct blocks *out)
{
    if (l->n_blocks > 1) {
        mem_free(l->blocks);
    }
    l->n_blocks = (uint32_t)out->list.n;
    if (l->n_blocks > 1) {
        l->blocks = mem_realloc(out->list.v, out->list.n * sizeof(*out->list.v));
        return;
    }
    l->block = l->n_blocks == 1 ? out->list.v[0] : (struct page_block){ 0 };
    vec_fini(&out->list);
}

void pagelist_merge(struct page_list *l, const struct fleet *fleet,
                    const struct page_change *changes, size_t n_changes, struct page_runs *gone)
{
    struct blocks out = { .gone = gone };
    struct page_block *old = pagelist_blocks(l);
    size_t n_old = l->n_blocks, at = 0;

    for (size_t k = 0, end = 0; k < n_changes; k = end) {
        size_t i = at + find_block(old + at, n_old - at, page_change_identity(&changes[k]));
        struct page_block b = { 0 };
        if (n_old > 0) {
            b = old[i];
        }
        for (end = k + 1; end < n_changes; end++) {
            if (i + 1 < n_old && target_identity(pagelist_members(&old[i + 1])[0]) <=
                                     page_change_identity(&changes[end])) {
                break;
            }
        }
        pass_blocks(&out, old + at, i - at);
        struct merged m = merge_members(&b, fleet, l->seat, changes + k, end - k);
        put_members(&out, b, &m);
        mem_free((void *)m.v);
        at = n_old == 0 ? 0 : i + 1;
    }
    pass_blocks(&out, old + at, n_old - at);
    take_blocks(l, &out);
    l->is_dirty = true;
}

void pagelist_fini(struct page_list *l, struct page_runs *gone)
{
    struct blocks out = { .gone = gone };

    for (size_t i = 0; i < l->n_blocks; i++) {
        drop_block(&out, &pagelist_blocks(l)[i]);
    }
    if (l->n_blocks > 1) {
        mem_free(l->blocks);
    }
    *l = (struct page_list){ 0 };
}
