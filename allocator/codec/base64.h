/* Base64 (standard alphabet, padded) and zlib streams: the two encodings of annotations and
 * patches. Threads: any. */
#ifndef OTEL_TA_CODEC_BASE64_H
#define OTEL_TA_CODEC_BASE64_H

#include "allocator/base/buf.h"
#include "allocator/base/err.h"

void base64_encode(struct span s, struct buf *out);
/* ERR_INVALID on anything but canonical base64 (padded, no white space, no stray bits), ERR_TOO_BIG
 * when the result passes the cap of 'out'; 'out' is then as it was, or has that error. */
int base64_decode(struct span s, struct buf *out, struct err *err) MUST_USE;
/* zlib level 6; appends. */
void zlib_deflate(struct span s, struct buf *out);
/* ERR_TOO_BIG when the result passes the cap of 'out', ERR_INVALID when 's' is
 * anything but one whole zlib stream; 'out' is then unspecified. */
int zlib_inflate(struct span s, struct buf *out, struct err *err) MUST_USE;

#endif
