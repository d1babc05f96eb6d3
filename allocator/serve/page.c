#include "allocator/serve/page.h"

#include "allocator/base/limits.h"
#include "allocator/base/mem.h"

static void add_piece(struct page *page, struct span s)
{
    struct iovec *last = page->n_pieces == 0 ? NULL : &page->pieces[page->n_pieces - 1];

    if (s.len == 0) {
        return;
    }
    page->bytes += s.len;
    if (last != NULL && (const char *)last->iov_base + last->iov_len == s.p) {
        last->iov_len += s.len; /* neighbours in memory go out as one */
        return;
    }
    page->pieces[page->n_pieces++] = page_piece(s);
}

struct page *page_new(const struct page_part *parts, size_t n)
{
    struct page *page = mem_alloc(sizeof(*page) + (2 * n + 2) * sizeof(page->pieces[0]));

    *page = (struct page){ .n_targets = n };
    if (n == 0) {
        add_piece(page, SPAN_LIT("[]\n"));
        return page;
    }
    add_piece(page, SPAN_LIT("["));
    for (size_t i = 0; i < n; i++) {
        /* Each part brings the comma in front of it; the first has none. */
        add_piece(page, i == 0 ? span_from(parts[i].own, 1) : parts[i].own);
        add_piece(page, parts[i].tail);
    }
    add_piece(page, SPAN_LIT("]\n"));
    return page;
}

void page_free(struct page *page)
{
    mem_free(page);
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
