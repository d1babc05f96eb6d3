/* One pass over a document: each of its Collectors rewritten or restored as if for the first time,
 * with the records that lead back to its very bytes. Private to manifest.c, which knows what to do
 * with a document that an earlier pass has been over. Threads: any. */
#ifndef OTEL_TA_WEBHOOK_REWRITE_MANIFEST_PASS_H
#define OTEL_TA_WEBHOOK_REWRITE_MANIFEST_PASS_H

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

/* Like manifest_make(), for text that is valid UTF-8. */
int manifest_pass(const struct manifest_input *in, struct arena *arena, struct faults *f,
                  struct manifest *out) MUST_USE;
void manifest_fini(struct manifest *m);

#endif
