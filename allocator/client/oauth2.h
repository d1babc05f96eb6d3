/* OAuth2 tokens by client credentials (RFC 6749 §4.4), as Go's oauth2 library gets and keeps them:
 * one token per distinct configuration, fetched when somebody needs it, kept until 10 s before it
 * expires. Inside of the HTTP client. Threads: the watcher's. */
#ifndef OTEL_TA_CLIENT_OAUTH2_H
#define OTEL_TA_CLIENT_OAUTH2_H

#include "allocator/base/arena.h"
#include "allocator/client/client.h"

struct oauth2;

/* 'authorization' is the value of the Authorization header, or empty: then 'error' says why. */
typedef void oauth2_ready_fn(void *arg, struct span authorization, const char *error);

struct oauth2 *oauth2_new(struct http_client *client);
/* Calls 'ready' once, at once when there is a token, else when there is one. */
void oauth2_want(struct oauth2 *o, const struct http_client_oauth2 *config, int64_t timeout_ms,
                 oauth2_ready_fn *ready, void *arg) ON(watcher);
/* 'ready' will not be called for 'arg' any more. */
void oauth2_cancel(struct oauth2 *o, const void *arg) ON(watcher);
void oauth2_free(struct oauth2 **o); /* after the client's requests have ended */

/* What a token endpoint answered: the header value in 'arena', and how long it is good for (0: for
 * ever). */
int oauth2_parse_token(struct span content_type, struct span body, struct arena *arena,
                       struct span *out_authorization, int64_t *out_expires_in_s,
                       struct err *err) MUST_USE;

#endif
