/* The response body of one (job, collector), and the bodies of one job. They borrow the bytes of
 * targets, which go no earlier (publisher.h). Threads: made by the engine, then immutable; any. */
#ifndef OTEL_TA_SERVE_PAGE_H
#define OTEL_TA_SERVE_PAGE_H

#include "allocator/base/span.h"
#include "allocator/http/exchange.h"

#include <stdint.h>
#include <sys/uio.h>

/* A target as JSON in two pieces: its own bytes, and a tail it shares with targets that look alike.
 */
struct page_part {
    struct span
        own; /* ,{"targets":["a:1"],"labels":{"__address__":"a:1","own":"x"   — starts with ',' */
    struct span
        tail; /* ,"k":"v","l":"w"}}                                           — ends with "}}" */
};
/* iovec wants writable memory; nobody writes through it. */
static inline struct iovec page_piece(struct span s)
{
    return (struct iovec){ (char *)(uintptr_t)s.p, s.len };
}

/* Parts as pieces ready for writev: a stretch of '[' parts joined by ',' ']', with the bracket in
 * front when it is the first, the one behind when it is the last. Its pieces borrow the bytes of
 * the parts. Freed with mem_free(). */
struct exchange_run *page_run_new(const struct page_part *parts, size_t n, bool is_first,
                                  bool is_last);

/* A body is one run or several, so that a change makes one of them anew. Freed with mem_free(),
 * without its runs. */
struct page {
    size_t n_targets;
    size_t bytes;
    size_t n_runs;
    const struct exchange_run *runs[];
};
/* Of 'n_runs' runs, at least one, which the caller puts in before page_count(). */
struct page *page_new(size_t n_runs, size_t n_targets);
void page_count(struct page *page);
size_t page_n_pieces(const struct page *page);
/* All its pieces, side by side; returns how many. */
size_t page_copy(const struct page *page, struct iovec *v);

/* The pages of one job, by the seats of its tenant's collectors (shard/fleet.h). Only those that
 * have targets of it are named: of many jobs a collector has nothing. */
struct page_row {
    size_t n_targets; /* kept, assigned or not */
    size_t n;
    uint32_t *seats; /* ascending; after the pages in the same block */
    const struct page *pages[];
};
/* With room for 'n' pages, which the caller fills in; free with mem_free(). */
struct page_row *page_row_new(size_t n, size_t n_targets);
/* NULL: nothing assigned, "[]". */
const struct page *page_row_find(const struct page_row *row, size_t seat);

#endif
