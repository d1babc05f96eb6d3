/* A plan carried out on text: the edits that turn the configuration's text into the intended one,
 * and the records that lead back. The text is a manifest (configuration as an object in it) or the
 * decoded text of spec.config; every byte that is not a discovery section of a changed job stays.
 * Threads: any. */
#ifndef OTEL_TA_WEBHOOK_REWRITE_TEXTPLAN_H
#define OTEL_TA_WEBHOOK_REWRITE_TEXTPLAN_H

#include "webhook/rewrite/plan.h"
#include "webhook/text/splice.h"

struct textplan {
    const struct plan *plan;
    const struct node *config; /* the configuration; its places refer to 'text' */
    struct span text;
};

/* Adds the edits, sorted, to 'out'. ERR_REFUSED, with a fault, for what cannot be done on text:
 * places that come from an alias or a merge key. 'use_records' restores from the records where they
 * fit. 'f' stands in front of "receivers". */
int textplan_edits(const struct textplan *in, bool use_records, struct arena *arena,
                   struct splice *out, struct faults *f) MUST_USE;

/* 'result' parsed and compared with the intended tree: ERR_REFUSED when it is another. */
int textplan_check(struct span result, const struct node *intended, struct arena *arena,
                   struct err *err) MUST_USE;

/* The records for the result of 'splice' (JSON in 'out'; nothing when there are none): new ones for
 * what was rewritten, old ones of jobs that stay rewritten and still fit. */
void textplan_write_records(const struct textplan *in, const struct splice *splice,
                            struct span result, struct arena *arena, struct buf *out);

#endif
