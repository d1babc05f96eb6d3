/* Prometheus durations: 1h30m ↔ milliseconds. Go durations for upstream's
 * own keys. Threads: any. */
#ifndef OTEL_TA_PROM_DURATION_H
#define OTEL_TA_PROM_DURATION_H

#include "allocator/base/err.h"
#include "allocator/base/span.h"

#include <stdint.h>

/* y w d h m s ms, strictly descending, each at most once; "0" alone is zero. ERR_INVALID else. */
int duration_parse(struct span text, int64_t *out_ms, struct err *err) MUST_USE;
/* As Prometheus prints: 60000 → "1m", 0 → "0s", years and weeks only when exact. */
#define DURATION_TEXT_MAX 64
void duration_format(int64_t ms, char out[DURATION_TEXT_MAX]);
/* Go's time.ParseDuration: "1h2m3.5s", "300ms", "-1s"; fractions allowed. */
int duration_parse_go(struct span text, int64_t *out_ms, struct err *err) MUST_USE;
/* Sizes: 5MB, 1KiB… always 1024-based; a bare number is invalid; "0" is zero. With a sign; what is
 * below zero is invalid, though Prometheus takes it, for no limit. */
int size_parse(struct span text, uint64_t *out_bytes, struct err *err) MUST_USE;
/* As Prometheus prints a size: "5MiB". */
void size_format(uint64_t bytes, char out[DURATION_TEXT_MAX]);

#endif
