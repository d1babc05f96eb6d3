/* One pass over a document: each of its Collectors rewritten or restored as if for the first time,
 * with the records that lead back to its very bytes. Private to manifest.c, which knows what to do
 * with a document that an earlier pass has been over. Threads: any. */
#ifndef OTEL_TA_WEBHOOK_REWRITE_MANIFEST_PASS_H
#define OTEL_TA_WEBHOOK_REWRITE_MANIFEST_PASS_H

#include "webhook/rewrite/manifest.h"

/* Like manifest_make(), for text that is valid UTF-8. */
int manifest_pass(const struct manifest_input *in, struct arena *arena, struct faults *f,
                  struct manifest *out) MUST_USE;

#endif
