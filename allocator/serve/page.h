/* The response body of one (job, collector), and the bodies of one job. They borrow the bytes of
 * targets, which go no earlier (publisher.h). Threads: made by the engine, then immutable; any. */
#ifndef OTEL_TA_SERVE_PAGE_H
#define OTEL_TA_SERVE_PAGE_H

#include "allocator/base/span.h"

#include <stdint.h>
#include <sys/uio.h>

/* A target as JSON in two pieces: its own bytes, and a tail it shares with targets that look alike.
 */
struct page_part {
    struct span
        own; /* ,{"targets":["a:1"],"labels":{"__address__":"a:1","own":"x"   — starts with ',' */
    struct span
        shared; /* ,"k":"v","l":"w"}}                                           — ends with "}}" */
};
/* '[' parts joined by ',' ']' as pieces ready for writev. */
struct page {
    size_t n_targets;
    size_t bytes;
    size_t n_pieces;
    struct iovec pieces[]; /* borrow the bytes of the parts */
};
struct page *page_new(const struct page_part *parts, size_t n);
void page_free(struct page *page);

/* The pages of one job, by collector index of its tenant. NULL page: nothing assigned, "[]". */
struct page_row {
    size_t n_collectors;
    size_t n_targets; /* kept, assigned or not */
    const struct page *pages[];
};

#endif
