/* Outgoing requests of the watcher thread, by libcurl (multi interface, http and https only), which
 * the first request loads; where it is not installed, each request fails and says so. Behaves as
 * Prometheus' HTTP client (config/http_config.go of prometheus/common).
 *
 * Headers: no Accept-Encoding and no decoding; User-Agent and Accept only as the caller gives them.
 *
 * Redirects: at most ten, http and https only. To another host (or from https to http, or to
 * another port, except http → https of the same host) go only the headers Accept, User-Agent and
 * X-Prometheus-*: no Basic, no OAuth2, no other header of the caller; 301, 302 and 303 turn POST
 * into GET.
 *
 * Proxies as Go finds them: http_proxy and https_proxy in either case, no_proxy (proxyrule.h), of
 * the environment never for loopback; one that speaks TLS is met with the certificates for the
 * server. TLS 1.2 at least, unless min_version says otherwise;
 * server_name is what is asked for (SNI) and verified.
 *
 * user:password@ in the URL is Basic authorization unless 'username' is given or the request was
 * held for an authorization of its own (oauth2.h).
 *
 * Connections are kept and reused, 5 min when idle. A body may be read while it comes (struct
 * http_stream), which a request for an endless one needs.
 *
 * Threads: everything on the watcher thread. */
#ifndef OTEL_TA_CLIENT_CLIENT_H
#define OTEL_TA_CLIENT_CLIENT_H

#include "allocator/base/buf.h"
#include "allocator/base/err.h"
#include "allocator/base/thread.h"

#include <stdbool.h>
#include <stdint.h>

struct http_client;
struct http_request;

struct http_request_header {
    struct span name, value;
};

struct http_client_tls {
    struct span ca_pem, ca_file, cert_pem, cert_file, key_pem, key_file, server_name;
    int min_version, max_version; /* 0, or 0x0301 … 0x0304 */
    bool insecure_skip_verify;
};

/* Who reads the body while it comes. Both run on the watcher and may not send or cancel. */
struct http_stream {
    /* The answer has begun; 'retry_after_s' is 0 when it says none, or a date. Not called for an
     * answer that ends within its head. */
    void (*head)(void *arg, int status, int retry_after_s);
    /* Some bytes of the body, decoded. False: the request ends with an error. */
    bool (*piece)(void *arg, struct span piece);
};

struct http_request_options { /* borrowed during http_client_send only */
    struct span url;
    struct span method;                        /* empty: GET, or POST when post_body.p != NULL */
    struct span post_body;                     /* for POST */
    const struct http_request_header *headers; /* one entry per line; a name may repeat */
    size_t n_headers;
    struct span username, password; /* Basic, when username.p != NULL */
    struct http_client_tls tls;
    struct span proxy_url, no_proxy;
    bool proxy_from_environment;
    /* What a proxy that is asked to connect (https) gets to see, and nobody else; such a request
     * has a connection of its own. */
    const struct http_request_header *connect_headers;
    size_t n_connect_headers;
    bool follow_redirects, enable_http2;
    bool is_held;          /* waits for http_client_release() or http_client_fail() */
    int64_t timeout_ms;    /* the whole exchange, redirects and holding included; > 0 */
    size_t max_body_bytes; /* a longer body is an error, not a cut; not for a stream */

    /* For bodies that come by and by; NULL: the whole body is told with the response. Lives until
     * 'done' is called; is given the same 'arg'. Not with follow_redirects. A peer that is no more
     * is noticed within half a minute, however silent the exchange is. */
    const struct http_stream *stream;
    bool wants_gzip; /* it may come compressed, and is decoded */
    bool is_trusted; /* whoever owns this process named what is asked: no guard */
    /* A connection of its own, made now and not kept: for what takes minutes. */
    bool is_long;
    int64_t connect_timeout_ms; /* 0: as long as all the rest */
};

struct http_response {
    int status;               /* 0 when no complete answer came: 'error' says why */
    struct span content_type; /* trimmed; empty when absent */
    struct buf *body;         /* never NULL; the handler may take it with buf_take() */
    const char *error;        /* NULL when a complete answer came, whatever its status */
    bool was_sent;            /* a connection came about; true also without an error */
};

/* Runs on the watcher, once per request; 'response' lives until it returns. May send and cancel
 * other requests. */
typedef void http_done_fn(void *arg, struct http_response *response);

struct http_client *http_client_new(void);
/* All bodies that are being received hold so many bytes at most; it is memorylimit_sd_bodies() at
 * first. What comes when there is no room fails. */
void http_client_set_room(struct http_client *c, size_t bytes);
/* From now on requests reach this host's own addresses (addressguard.h) no more, by a redirect or
 * through a proxy neither; but for those that are trusted. Before the first one. */
void http_client_guard(struct http_client *c);
/* Starts one request; 'done' is called exactly once from http_client_poll(), unless cancelled; also
 * when the options are wrong (then with an error). The handle is valid until 'done' is called or
 * http_client_cancel(). Never NULL. */
struct http_request *http_client_send(struct http_client *c, const struct http_request_options *o,
                                      http_done_fn *done, void *arg) ON(watcher);
/* A held request goes, with this value of the Authorization header (borrowed); or it fails. */
void http_client_release(struct http_request *r, struct span authorization) ON(watcher);
void http_client_fail(struct http_request *r, const char *why) ON(watcher);
/* 'done' will not be called. Not for the request whose 'done' is running. */
void http_client_cancel(struct http_request *r) ON(watcher);
/* Waits up to 'timeout_ms' (-1 = for ever) for the client's sockets or the fds in 'extra' (poll
 * semantics, results in revents), then runs what is due. May return early without a reason. At most
 * 64 fds. */
struct pollfd;
void http_client_poll(struct http_client *c, struct pollfd *extra, unsigned n_extra,
                      int64_t timeout_ms) ON(watcher);
/* Cancels what is under way. */
void http_client_free(struct http_client **c);

#endif
