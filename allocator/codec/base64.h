/* Base64 (standard alphabet, padded), as annotations and patches have it. Threads: any. */
#ifndef OTEL_TA_CODEC_BASE64_H
#define OTEL_TA_CODEC_BASE64_H

#include "allocator/base/buf.h"
#include "allocator/base/err.h"

void base64_encode(struct span s, struct buf *out);
/* ERR_INVALID on anything but canonical base64 (padded, no white space, no stray bits), ERR_TOO_BIG
 * when the result passes the cap of 'out'; 'out' is then as it was, or has that error. */
int base64_decode(struct span s, struct buf *out, struct err *err) MUST_USE;

#endif
