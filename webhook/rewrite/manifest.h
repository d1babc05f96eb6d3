/* One document of a manifest file, rewritten or restored as text: the Collector it is, or all
 * Collectors of a list. What was rewritten before, in another way or under another name, is
 * restored first: rewrite_b(rewrite_a(x)) = rewrite_b(x). Threads: any. */
#ifndef OTEL_TA_WEBHOOK_REWRITE_MANIFEST_H
#define OTEL_TA_WEBHOOK_REWRITE_MANIFEST_H

#include "webhook/rewrite/plan.h"
#include "webhook/text/splice.h"

struct manifest_input {
    struct span text;        /* of the whole document, from its first to its last byte */
    const struct node *root; /* places refer to 'text' */
    const struct rewrite_options *options;
    bool is_restore;
};

struct manifest {
    size_t n_collectors, n_changed;
    struct span result;          /* the new text; the old one when nothing changes */
    struct splice edits;         /* that lead from the old text to the new one */
    const struct node *intended; /* the tree of 'result' */
};

/* Errors in 'f' mean that nothing can be done (ERR_INVALID, 'out' unusable but for manifest_fini).
 * Everything but the edits lives in 'arena'. */
int manifest_make(const struct manifest_input *in, struct arena *arena, struct faults *f,
                  struct manifest *out) MUST_USE;
void manifest_fini(struct manifest *m);

#endif
