/* Go's url.QueryEscape and url.QueryUnescape, and nothing else about URLs.
 * Threads: any. */
#ifndef OTEL_TA_CODEC_URLFORM_H
#define OTEL_TA_CODEC_URLFORM_H

#include "allocator/base/arena.h"
#include "allocator/base/buf.h"
#include "allocator/base/err.h"

/* Space → '+', A-Z a-z 0-9 - _ . ~ stay, every other byte → %XX (upper case). */
void urlform_escape(struct span s, struct buf *out);
/* '+' → space, %XX decoded exactly once. ERR_INVALID on a bad escape. May return 's' itself when it
 * holds nothing to decode, else memory of 'arena'. */
int urlform_unescape(struct span s, struct arena *arena, struct span *out,
                     struct err *err) MUST_USE;
/* The raw value of the first parameter 'name' in a raw query ("a=1&b=2"), not yet unescaped; false
 * when absent. */
bool urlform_query(struct span query, const char *name, struct span *out_raw);

#endif
