/* zlib streams (RFC 1950), as annotations have them inside base64, and gzip members (RFC 1952), as
 * HTTP has them. The only door to libdeflate, which works on whole texts: it packs faster and
 * smaller than zlib does, and memory for a whole result is asked for at once (what stays untouched
 * costs none). Threads: any. */
#ifndef OTEL_TA_CODEC_ZLIB_H
#define OTEL_TA_CODEC_ZLIB_H

#include "allocator/base/buf.h"
#include "allocator/base/err.h"

/* Append; 'level' is 1 (fast) to 12 (small). Near the cap of 'out' a result may be refused that
 * would have fitted with a few bytes to spare. A gzip member has no time stamp and no name: equal
 * input gives equal bytes. */
void zlib_deflate(struct span s, int level, struct buf *out);
void zlib_deflate_gzip(struct span s, int level, struct buf *out);
/* Appends. ERR_TOO_BIG when the result passes the cap of 'out', ERR_INVALID when 's' is anything
 * but one whole zlib stream (either, when it is damaged and long). Takes memory up to that cap, so
 * 'out' is not one in an arena. */
int zlib_inflate(struct span s, struct buf *out, struct err *err) MUST_USE;

#endif
