/* Turns a checked HTTP client block into what one request carries: headers, Basic credentials, TLS
 * options. Files that hold secrets are read for every request, so that a rotated one is used at
 * once. Threads: the watcher's. */
#ifndef OTEL_TA_CLIENT_CREDENTIALS_H
#define OTEL_TA_CLIENT_CREDENTIALS_H

#include "allocator/base/arena.h"
#include "allocator/base/vec.h"
#include "allocator/client/client.h"
#include "allocator/scrape/httpconfig.h"

struct httpauth_request {
    struct http_request_options options; /* headers point to 'headers' after httpauth_finish() */
    VEC(struct http_request_header) headers;
};

void httpauth_header(struct httpauth_request *r, struct span name, struct span value);
/* Everything of 'config'. Text goes to 'arena'. ERR_* when a file cannot be read. */
int httpauth_apply(const struct httpconfig *config, struct arena *arena, struct httpauth_request *r,
                   struct err *err) MUST_USE;
void httpauth_finish(struct httpauth_request *r);
void httpauth_fini(struct httpauth_request *r);

#endif
