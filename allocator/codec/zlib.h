/* zlib streams (RFC 1950), as annotations have them inside base64. Threads: any. */
#ifndef OTEL_TA_CODEC_ZLIB_H
#define OTEL_TA_CODEC_ZLIB_H

#include "allocator/base/buf.h"
#include "allocator/base/err.h"

/* Appends; 'level' is 1 (fast) to 9 (small). */
void zlib_deflate(struct span s, int level, struct buf *out);
/* ERR_TOO_BIG when the result passes the cap of 'out', ERR_INVALID when 's' is
 * anything but one whole zlib stream; 'out' is then unspecified. */
int zlib_inflate(struct span s, struct buf *out, struct err *err) MUST_USE;

#endif
