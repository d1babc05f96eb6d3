/* A unified diff made from known edits: nothing has to be searched for.
 * Threads: any. */
#ifndef OTEL_TA_WEBHOOK_TEXT_UNIFIED_H
#define OTEL_TA_WEBHOOK_TEXT_UNIFIED_H

#include "webhook/text/splice.h"

/* A value that need not be read in full: its beginning is shown, and how long it is. What is
 * written then is no longer a patch. */
struct unified_fold {
    size_t begin, end; /* bytes */
};
struct unified_folds {
    VEC(struct unified_fold) v; /* ascending */
};

struct unified {
    struct span before, after;
    const struct splice *edits; /* sorted; lead from 'before' to 'after' */
    struct span label_before, label_after;
    const struct unified_folds *folds_before, *folds_after; /* NULL: none */
    const char *fold_hint;                                  /* how to see them in full */
    bool has_colour;
    bool is_shown; /* to a person: what a terminal would obey is escaped */
};

/* Nothing when there are no edits. */
void unified_write(const struct unified *d, struct buf *out);

#endif
