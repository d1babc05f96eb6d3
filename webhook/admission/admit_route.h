/* POST /mutate: AdmissionReviews over HTTP. 405 for other methods, 404 for other paths, 415 for
 * encoded bodies, 413 above LIMIT_REVIEW_BYTES, 503 while more bytes than allowed are being
 * answered, 504 when nine tenths of "?timeout=" have passed; the metric of reviews counts the last
 * two as "busy" and "timeout". Every error is a Status body that kubectl shows, never with
 * Retry-After. Threads: admit_new and admit_free from the keeper; the handler on serving threads.
 */
#ifndef OTEL_TA_WEBHOOK_ADMISSION_ADMIT_ROUTE_H
#define OTEL_TA_WEBHOOK_ADMISSION_ADMIT_ROUTE_H

#include "allocator/http/exchange.h"
#include "webhook/rewrite/plan.h"

struct admit;

/* Copies the options. */
struct admit *admit_new(const struct rewrite_options *options, size_t max_in_flight_bytes);
exchange_handler admit_handle;         /* arg: struct admit */
void admit_free(struct admit **admit); /* after the server has stopped */

#endif
