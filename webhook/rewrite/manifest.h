/* One document of a manifest file, rewritten or restored as text: the Collector it is, or all
 * Collectors of a list. What was rewritten before, in another way or under another name, is
 * restored first: rewrite_b(rewrite_a(x)) = rewrite_b(x). Threads: any. */
#ifndef OTEL_TA_WEBHOOK_REWRITE_MANIFEST_H
#define OTEL_TA_WEBHOOK_REWRITE_MANIFEST_H

#include "webhook/rewrite/manifest_pass.h"

/* ERR_INVALID, with errors in 'f': nothing can be done, 'out' is unusable but for manifest_fini. A
 * restore that succeeds may have errors, too, about what could not be brought back and stays.
 * Everything but the edits lives in 'arena'. */
int manifest_make(const struct manifest_input *in, struct arena *arena, struct faults *f,
                  struct manifest *out) MUST_USE;

#endif
