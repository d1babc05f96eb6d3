/* Bodies in gzip form, for clients that ask for it.
 * Threads: any; no state. */
#ifndef OTEL_TA_SERVE_GZIP_H
#define OTEL_TA_SERVE_GZIP_H

#include "allocator/base/buf.h"

#include <stdbool.h>

/* Appends a gzip member that holds 'in'; no time stamp, so equal input gives equal bytes. */
void gzip_compress(struct span in, struct buf *out);
/* Does an Accept-Encoding value let us send gzip? Reads q-values: "gzip;q=0" and "identity" do not.
 */
bool gzip_is_accepted(struct span accept_encoding);

#endif
