/* What the serving threads read: an immutable index of response bodies. The engine's publisher
 * makes and frees it; a serving thread only ever holds a counted reference.
 * Threads: any. */
#ifndef OTEL_TA_SERVE_SNAPSHOT_H
#define OTEL_TA_SERVE_SNAPSHOT_H

#include "allocator/base/ref.h"
#include "allocator/serve/directory.h"
#include "allocator/serve/page.h"

struct snapshot {
    struct ref ref;
    uint64_t sequence;
    bool is_synced; /* all was tried, or waited for long enough; before that /jobs/… answers 503 */
    const struct directory *directory;
    size_t n_jobs;
    const struct page_row *rows[]; /* by job; NULL: its targets are not known yet, answer 503 */
};
void snapshot_get(const struct snapshot *s);
void snapshot_put(const struct snapshot *s); /* never frees: the publisher reaps */

#endif
