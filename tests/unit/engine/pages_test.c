/* The pages of a job show what a full recompute would, whatever comes and goes, and a change makes
 * new what is near it only. */
#include "allocator/engine/pages.h"

#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "allocator/base/thread.h"
#include "allocator/serve/publisher.h"
#include "tests/check.h"

#include <stdio.h>
#include <stdlib.h>

enum { MANY = 6000, OWN_BYTES = 24 };

struct world {
    struct publisher *publisher;
    struct fleet *fleet;
    struct pages pages;
    struct tail *tail;
    struct target *targets[MANY];
    size_t n_in;
    uint64_t random;
};

static const struct strategy_collector both[] = { { .name = SPAN_LIT("c-0") },
                                                  { .name = SPAN_LIT("c-1") } };

static uint64_t next_random(struct world *w)
{
    w->random = w->random * 6364136223846793005ULL + 1442695040888963407ULL;
    return w->random >> 20;
}

static void setup(struct world *w, size_t n_collectors)
{
    const struct fleet_options options = { .strategy = SPAN_LIT("rendezvous") };
    static const char end[] = "}}";

    *w = (struct world){ .random = 11 };
    role_enter(engine);
    w->publisher = publisher_new();
    is_int(fleet_new(&options, &w->fleet, NULL), 0, "a fleet");
    fleet_set_collectors(w->fleet, both, n_collectors, NULL, NULL);
    pages_init(&w->pages, w->publisher);
    w->tail = mem_zalloc(sizeof(*w->tail) + sizeof(end));
    w->tail->len = sizeof(end) - 1;
    memcpy(w->tail->text, end, sizeof(end));
    for (size_t i = 0; i < MANY; i++) {
        struct target *t = mem_zalloc(sizeof(*t) + OWN_BYTES);
        t->node.hash = next_random(w);
        t->tail = w->tail;
        t->slot = FLEET_NONE;
        t->own_len = (uint32_t)snprintf(t->own, OWN_BYTES, ",{%zu", i);
        w->targets[i] = t;
    }
}

static void teardown(struct world *w)
{
    pages_fini(&w->pages);
    fleet_free(&w->fleet);
    publisher_free(&w->publisher);
    for (size_t i = 0; i < MANY; i++) {
        mem_free(w->targets[i]);
    }
    mem_free(w->tail);
}

static void come(struct world *w, struct target *t)
{
    const struct fleet_target ft = { .identity = target_identity(t), .target = t };
    uint32_t owner;

    if (t->slot == FLEET_NONE) {
        t->slot = fleet_add(w->fleet, &ft, &owner);
        pages_add(&w->pages, owner, t);
        w->n_in++;
    }
}

static void go(struct world *w, struct target *t)
{
    if (t->slot != FLEET_NONE) {
        pages_touch(&w->pages, fleet_owner(w->fleet, t->slot), target_identity(t));
        fleet_remove(w->fleet, t->slot);
        t->slot = FLEET_NONE;
        w->n_in--;
    }
}

static void note_move(void *arg, void *target, uint32_t from, uint32_t to)
{
    struct world *w = arg;

    pages_touch(&w->pages, from, target_identity(target));
    pages_add(&w->pages, to, target);
}

static int compare_targets(const void *a, const void *b)
{
    uint64_t x = target_identity(*(const struct target *const *)a),
             y = target_identity(*(const struct target *const *)b);
    return (x > y) - (x < y);
}

static void recompute(struct world *w, uint32_t seat, struct buf *out)
{
    const struct target *v[MANY];
    size_t n = 0;

    for (size_t i = 0; i < MANY; i++) {
        if (w->targets[i]->slot != FLEET_NONE &&
            fleet_owner(w->fleet, w->targets[i]->slot) == seat) {
            v[n++] = w->targets[i];
        }
    }
    qsort((void *)v, n, sizeof(*v), compare_targets);
    for (size_t i = 0; i < n; i++) {
        buf_add_str(out, i == 0 ? "[" : ",");
        buf_add(out, v[i]->own + 1, v[i]->own_len - 1);
        buf_add(out, v[i]->tail->text, v[i]->tail->len);
    }
    buf_add_str(out, n == 0 ? "" : "]\n");
}

static void read_page(const struct page *page, struct buf *out)
{
    for (size_t i = 0; page != NULL && i < page->n_runs; i++) {
        for (size_t k = 0; k < page->runs[i]->n; k++) {
            buf_add(out, page->runs[i]->v[k].iov_base, page->runs[i]->v[k].iov_len);
        }
    }
}

/* Pages of which something is not as it should be. */
static size_t count_wrong(struct world *w)
{
    size_t n_wrong = 0, n_targets = 0, n_rendered = 0;

    (void)pages_render(&w->pages, w->fleet, w->n_in, &n_rendered);
    for (size_t i = 0; i < fleet_collectors(w->fleet); i++) {
        const struct page *page = page_row_find(w->pages.row, fleet_seat(w->fleet, i));
        AUTO_BUF want, got;
        buf_init(&want, MIB);
        buf_init(&got, MIB);
        recompute(w, fleet_seat(w->fleet, i), &want);
        read_page(page, &got);
        n_wrong += !span_eq(buf_span(&want), buf_span(&got));
        n_wrong += page != NULL && page->bytes != got.len;
        n_targets += page == NULL ? 0 : page->n_targets;
    }
    return n_wrong + (n_targets == w->n_in ? 0 : 1);
}

static size_t count_crowded(const struct world *w)
{
    size_t n = 0;

    for (size_t i = 0; i < w->pages.n_lists; i++) {
        struct page_list *l = &w->pages.lists[i];
        for (size_t k = 0; k < l->n_blocks; k++) {
            n += pagelist_blocks(l)[k].n == 0 || pagelist_blocks(l)[k].n > PAGE_BLOCK_MOST;
        }
    }
    return n;
}

static void test_random(void)
{
    struct world w;
    size_t n_wrong = 0, n_crowded = 0, n_collectors = 2;

    setup(&w, 2);
    for (int round = 0; round < 250; round++) {
        size_t n = next_random(&w) % 8 == 0 ? next_random(&w) % MANY : next_random(&w) % 40;
        bool is_ebb = round % 50 >= 35; /* until nothing is left */
        for (size_t i = 0; i < n; i++) {
            struct target *t = w.targets[next_random(&w) % MANY];
            (is_ebb || next_random(&w) % 2 == 0 ? go : come)(&w, t);
        }
        for (size_t i = 0; round % 50 == 49 && i < MANY; i++) {
            go(&w, w.targets[i]);
        }
        if (round % 7 == 3) {
            n_collectors = 3 - n_collectors;
            fleet_set_collectors(w.fleet, both, n_collectors, note_move, &w);
        }
        if (round % 5 == 4) {
            pages_merge(&w.pages, w.fleet); /* not shown this time */
        } else {
            n_wrong += count_wrong(&w);
        }
        n_crowded += count_crowded(&w);
    }
    is_int(n_wrong, 0, "pages are what their targets come to");
    is_int(n_crowded, 0, "blocks have members, and not too many");
    teardown(&w);
}

static const struct page *only_page(const struct world *w)
{
    return page_row_find(w->pages.row, fleet_seat(w->fleet, 0));
}

/* How many runs of the page are not those of before. */
static size_t count_new_runs(const struct world *w, const struct exchange_run *const *before,
                             size_t n_before)
{
    const struct page *page = only_page(w);
    size_t n = 0;

    for (size_t i = 0; i < page->n_runs; i++) {
        bool is_old = false;
        for (size_t k = 0; k < n_before; k++) {
            is_old = is_old || page->runs[i] == before[k];
        }
        n += is_old ? 0 : 1;
    }
    return n;
}

static void test_near(void)
{
    struct world w;
    size_t most = 0, n_wrong = 0, n_many = 0;

    setup(&w, 1);
    for (size_t i = 0; i < MANY - 500; i++) {
        come(&w, w.targets[i]);
    }
    n_wrong += count_wrong(&w);
    for (size_t i = 0; i < 1000; i++) {
        const struct page *page = only_page(&w);
        size_t n_before = page->n_runs;
        const struct exchange_run **before =
            (const struct exchange_run **)mem_array(n_before, sizeof(*before));
        memcpy((void *)before, (const void *)page->runs, n_before * sizeof(*before));
        n_many += n_before >= MANY / (2 * PAGE_BLOCK_MOST) ? 1 : 0;
        (i % 2 == 0 ? come : go)(&w, w.targets[i % 2 == 0 ? MANY - 500 + i / 2 : i]);
        n_wrong += count_wrong(&w);
        size_t n_new = count_new_runs(&w, before, n_before);
        most = n_new > most ? n_new : most;
        mem_free((void *)before);
    }
    is_int(n_wrong, 0, "after each of 1,000 single changes a page is whole");
    is_int(n_many, 1000, "it has many runs");
    ok(most > 0 && most <= 3, "and %zu at most are new", most);
    teardown(&w);
}

int main(void)
{
    test_random();
    test_near();
    return check_done();
}
