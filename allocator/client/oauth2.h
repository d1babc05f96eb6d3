/* OAuth2 tokens by client credentials (RFC 6749 §4.4), as Go's oauth2 library gets and keeps them:
 * one token per distinct configuration, fetched when somebody needs it, kept until 10 s before it
 * expires; requests that need it wait for it. A token endpoint that refuses Basic is tried once
 * more with the credentials in the body. Stands above the HTTP client, which fetches its tokens.
 * Threads: the watcher's. */
#ifndef OTEL_TA_CLIENT_OAUTH2_H
#define OTEL_TA_CLIENT_OAUTH2_H

#include "allocator/base/arena.h"
#include "allocator/client/client.h"

struct oauth2;

struct oauth2_config {
    struct span token_url, client_id, client_secret; /* token_url.len == 0: no OAuth2 */
    const struct span *scopes;
    size_t n_scopes;
    struct span endpoint_params; /* form-encoded already ("a=b&c=d"), may be empty */
    struct http_client_tls tls;
    struct span proxy_url, no_proxy;
    bool proxy_from_environment;
    const struct http_request_header *connect_headers; /* client.h */
    size_t n_connect_headers;
};

struct oauth2 *oauth2_new(struct http_client *client);
/* http_client_send() with a token of 'config' (borrowed) as Authorization: at once when there is
 * one, else when there is one; without one the request fails and says why. */
struct http_request *oauth2_send(struct oauth2 *o, const struct oauth2_config *config,
                                 const struct http_request_options *options, http_done_fn *done,
                                 void *arg) ON(watcher);
/* http_client_cancel() for what oauth2_send() gave, or http_client_send(). */
void oauth2_cancel(struct oauth2 *o, struct http_request *r) ON(watcher);
/* Before the client is freed; what still waits for a token is cancelled. */
void oauth2_free(struct oauth2 **o) ON(watcher);

/* What a token endpoint answered: the header value in 'arena', and how long it is good for (0: for
 * ever). */
int oauth2_parse_token(struct span content_type, struct span body, struct arena *arena,
                       struct span *out_authorization, int64_t *out_expires_in_s,
                       struct err *err) MUST_USE;

#endif
