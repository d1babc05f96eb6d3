/* A page with runs of its own, of three targets each. */
#ifndef OTEL_TA_TESTS_UNIT_SERVE_WHOLEPAGE_H
#define OTEL_TA_TESTS_UNIT_SERVE_WHOLEPAGE_H

#include "allocator/base/mem.h"
#include "allocator/serve/page.h"

enum { WHOLEPAGE_PARTS_A_RUN = 3 };

static inline struct page *wholepage_new(const struct page_part *parts, size_t n)
{
    size_t each = WHOLEPAGE_PARTS_A_RUN, n_runs = n == 0 ? 1 : (n + each - 1) / each;
    struct page *page = page_new(n_runs, n);

    for (size_t i = 0; i < n_runs; i++) {
        size_t left = n - i * each;
        page->runs[i] = page_run_new(n == 0 ? NULL : parts + i * each, left < each ? left : each,
                                     i == 0, i + 1 == n_runs);
    }
    page_count(page);
    return page;
}

static inline void wholepage_free(void *arg)
{
    struct page *page = arg;

    for (size_t i = 0; page != NULL && i < page->n_runs; i++) {
        mem_free((void *)(uintptr_t)page->runs[i]);
    }
    mem_free(page);
}

#endif
