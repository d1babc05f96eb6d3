#include "allocator/serve/page.h"

#include "allocator/base/limits.h"
#include "allocator/base/mem.h"

static void add_piece(struct exchange_run *run, struct span s)
{
    struct iovec *last = run->n == 0 ? NULL : &run->v[run->n - 1];

    if (s.len == 0) {
        return;
    }
    run->bytes += s.len;
    if (last != NULL && (const char *)last->iov_base + last->iov_len == s.p) {
        last->iov_len += s.len; /* neighbours in memory go out as one */
        return;
    }
    run->v[run->n++] = page_piece(s);
}

struct exchange_run *page_run_new(const struct page_part *parts, size_t n, bool is_first,
                                  bool is_last)
{
    size_t room = 2 * n + is_first + is_last;
    struct exchange_run *run = mem_alloc(sizeof(*run) + room * sizeof(run->v[0]));

    run->n = run->bytes = 0;
    add_piece(run, is_first ? SPAN_LIT("[") : SPAN_LIT(""));
    for (size_t i = 0; i < n; i++) {
        /* Each part brings the comma in front of it; the first of all has none. */
        add_piece(run, is_first && i == 0 ? span_from(parts[i].own, 1) : parts[i].own);
        add_piece(run, parts[i].tail);
    }
    add_piece(run, is_last ? SPAN_LIT("]\n") : SPAN_LIT(""));
    return run;
}

struct page *page_new(size_t n_runs, size_t n_targets)
{
    struct page *page = mem_alloc(sizeof(*page) + n_runs * sizeof(struct exchange_run *));

    *page = (struct page){ .n_targets = n_targets, .n_runs = n_runs };
    return page;
}

void page_count(struct page *page)
{
    page->bytes = 0;
    for (size_t i = 0; i < page->n_runs; i++) {
        page->bytes += page->runs[i]->bytes;
    }
}

size_t page_n_pieces(const struct page *page)
{
    size_t n = 0;

    for (size_t i = 0; i < page->n_runs; i++) {
        n += page->runs[i]->n;
    }
    return n;
}

size_t page_copy(const struct page *page, struct iovec *v)
{
    size_t n = 0;

    for (size_t i = 0; i < page->n_runs; i++) {
        memcpy(v + n, page->runs[i]->v, page->runs[i]->n * sizeof(*v));
        n += page->runs[i]->n;
    }
    return n;
}

struct page_row *page_row_new(size_t n, size_t n_targets)
{
    struct page_row *row =
        mem_alloc(sizeof(*row) + n * (sizeof(row->pages[0]) + sizeof(row->seats[0])));

    row->n_targets = n_targets;
    row->n = n;
    row->seats = (uint32_t *)(void *)(row->pages + n);
    return row;
}

const struct page *page_row_find(const struct page_row *row, size_t seat)
{
    size_t low = 0, high = row->n;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (row->seats[mid] < seat) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low < row->n && row->seats[low] == seat ? row->pages[low] : NULL;
}
