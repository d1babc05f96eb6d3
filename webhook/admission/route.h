/* POST /mutate: AdmissionReviews over HTTP. 405 for other methods, 404 for other paths, 415 for
 * encoded bodies, 413 above LIMIT_REVIEW_BYTES, 503 while more bytes than allowed are being
 * answered, 504 when nine tenths of "?timeout=" have passed; the metric of reviews counts the last
 * two as "busy" and "timeout". Every error is a Status body that kubectl shows, never with
 * Retry-After. Threads: admission_route_new and admission_route_free from the keeper; the handler
 * on serving threads.
 */
#ifndef OTEL_TA_WEBHOOK_ADMISSION_ROUTE_H
#define OTEL_TA_WEBHOOK_ADMISSION_ROUTE_H

#include "allocator/http/exchange.h"
#include "webhook/rewrite/plan.h"

struct admission_route;

/* Copies the options. 'now_us' tells how long a review took: clock_mono_us, or a test's own. */
struct admission_route *admission_route_new(const struct rewrite_options *options,
                                            size_t max_in_flight_bytes, int64_t (*now_us)(void));
exchange_handler admission_route_handle;                   /* arg: struct admission_route */
void admission_route_free(struct admission_route **route); /* after the server has stopped */

#endif
