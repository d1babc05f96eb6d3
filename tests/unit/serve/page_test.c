/* Pages are exact. */
#include "allocator/serve/page.h"

#include "allocator/base/buf.h"
#include "allocator/base/mem.h"
#include "tests/check.h"
#include "tests/unit/serve/wholepage.h"

static void is_page(const struct page_part *parts, size_t n, const char *want, size_t want_pieces)
{
    struct page *page = wholepage_new(parts, n);
    struct iovec v[16];
    size_t n_pieces = page_copy(page, v);
    AUTO_BUF text;

    buf_init(&text, 4096);
    for (size_t i = 0; i < n_pieces; i++) {
        ok(v[i].iov_len > 0, "piece %zu is not empty", i);
        buf_add(&text, v[i].iov_base, v[i].iov_len);
    }
    is_span(buf_span(&text), span_of(want), "page of %zu", n);
    is_int(page->bytes, text.len, "its size");
    is_int(page->n_targets, n, "its targets");
    is_int(page_n_pieces(page), want_pieces, "its pieces");
    is_int(n_pieces, want_pieces, "all of them");
    wholepage_free(page);
}

static void test_pages(void)
{
    static const char row[] = ",{\"a\",\"x\"}}"; /* own and tail as neighbours */
    const struct page_part parts[] = {
        { SPAN_LIT(",{1"), SPAN_LIT(",T}}") },
        { SPAN_LIT(",{2}}"), { NULL, 0 } },
        { { row, 4 }, { row + 4, sizeof(row) - 1 - 4 } },
        { SPAN_LIT(",{4"), SPAN_LIT(",T}}") },
    };

    is_page(NULL, 0, "[]\n", 2);
    is_page(parts, 1, "[{1,T}}]\n", 4);
    is_page(parts, 2, "[{1,T}},{2}}]\n", 5);
    is_page(parts, 3, "[{1,T}},{2}},{\"a\",\"x\"}}]\n", 6);
    is_page(parts, 4, "[{1,T}},{2}},{\"a\",\"x\"}},{4,T}}]\n", 8);
}

static void test_row(void)
{
    struct page *page = wholepage_new(NULL, 0);
    struct page_row *row = page_row_new(3, 10);

    for (size_t i = 0; i < 3; i++) {
        row->seats[i] = (uint32_t)(3 * i + 1);
        row->pages[i] = i == 1 ? page : NULL;
    }
    is_int(row->n_targets, 10, "a row knows its targets");
    ok(page_row_find(row, 4) == page, "a page is found by its seat");
    size_t n_found = 0;
    for (size_t seat = 0; seat < 9; seat++) {
        n_found += page_row_find(row, seat) != NULL ? 1 : 0;
    }
    is_int(n_found, 1, "and no other");
    mem_free(row);
    wholepage_free(page);
    row = page_row_new(0, 0);
    ok(page_row_find(row, 0) == NULL, "nothing in an empty row");
    mem_free(row);
}

int main(void)
{
    test_row();
    test_pages();
    return check_done();
}
