/* A unified diff made from known edits: nothing has to be searched for.
 * Threads: any. */
#ifndef OTEL_TA_WEBHOOK_TEXT_TEXTDIFF_H
#define OTEL_TA_WEBHOOK_TEXT_TEXTDIFF_H

#include "webhook/text/splice.h"

struct textdiff {
    struct span before, after;
    const struct splice *edits; /* sorted; lead from 'before' to 'after' */
    struct span label_before, label_after;
    bool has_colour;
};

/* Nothing when there are no edits. */
void textdiff_write(const struct textdiff *d, struct buf *out);

#endif
