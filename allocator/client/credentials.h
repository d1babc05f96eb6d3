/* Turns a checked HTTP client block into what one request carries: headers, Basic credentials, TLS
 * options. Files that hold secrets are read for every request, so that a rotated one is used at
 * once. Threads: the watcher's. */
#ifndef OTEL_TA_CLIENT_CREDENTIALS_H
#define OTEL_TA_CLIENT_CREDENTIALS_H

#include "allocator/base/arena.h"
#include "allocator/base/vec.h"
#include "allocator/client/oauth2.h"
#include "allocator/scrape/httpconfig.h"

struct credentials {
    struct http_request_options options; /* the caller's URL, time and size; the rest is set here */
    struct oauth2_config oauth2;
    VEC(struct http_request_header) headers;
};

void credentials_header(struct credentials *r, struct span name, struct span value);
/* Everything of 'config'. Text goes to 'arena'. ERR_* when a file cannot be read. */
int credentials_apply(const struct httpconfig *config, struct arena *arena, struct credentials *r,
                      struct err *err) MUST_USE;
/* Sends what was applied; by 'tokens' when it wants one. To be cancelled by oauth2_cancel(). */
struct http_request *credentials_send(struct credentials *r, struct http_client *client,
                                      struct oauth2 *tokens, http_done_fn *done, void *arg)
    ON(watcher);
void credentials_fini(struct credentials *r);

#endif
