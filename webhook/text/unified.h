/* A unified diff made from known edits: nothing has to be searched for.
 * Threads: any. */
#ifndef OTEL_TA_WEBHOOK_TEXT_UNIFIED_H
#define OTEL_TA_WEBHOOK_TEXT_UNIFIED_H

#include "webhook/text/splice.h"

struct unified {
    struct span before, after;
    const struct splice *edits; /* sorted; lead from 'before' to 'after' */
    struct span label_before, label_after;
    bool has_colour;
};

/* Nothing when there are no edits. */
void unified_write(const struct unified *d, struct buf *out);

#endif
