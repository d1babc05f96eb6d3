/* Times of RFC 3339, as Kubernetes writes them: "2026-11-30T20:00:00.5Z". Pure. Threads: any. */
#ifndef OTEL_TA_CODEC_TIMESTAMP_H
#define OTEL_TA_CODEC_TIMESTAMP_H

#include "allocator/base/buf.h"
#include "allocator/base/span.h"

#include <stdbool.h>
#include <stdint.h>

/* Unix time; fractions of a second are cut off. False: 'text' is no such time, or one before 1970.
 */
bool timestamp_parse(struct span text, int64_t *out_ms);
/* As the API server wants a MicroTime: six digits after the point, no more and no fewer; UTC.
 * 'ms': Unix time, of a year with four digits. */
void timestamp_write_micro(int64_t ms, struct buf *out);

#endif
