/* One exchange with one host: the options of a request as libcurl wants them. What a redirect does,
 * and who is told, is client.c's. Threads: everything on the watcher thread. */
#ifndef OTEL_TA_CLIENT_TRANSFER_H
#define OTEL_TA_CLIENT_TRANSFER_H

#include "allocator/base/buf.h"
#include "allocator/client/client.h"
#include "allocator/client/libcurl.h"

/* What the bodies of all transfers of a client hold together. */
struct transfer_bodies {
    size_t bytes, most;
};

struct transfer_order { /* what it points to lives until the transfer is dropped */
    const struct http_request_options *options; /* texts are NUL-terminated */
    const char *url;
    struct span authorization; /* a header's value; may be empty */
    bool is_elsewhere;         /* not the host that the options are meant for: no secrets */
    bool is_get;               /* whatever method the options say */
    bool is_guarded;           /* addressguard.h */
    int64_t timeout_ms;
    void *owner;                    /* CURLINFO_PRIVATE */
    struct transfer_bodies *bodies; /* or NULL */
    void *stream_arg;               /* for options->stream */
};

struct transfer {
    const struct libcurl *lib; /* NULL: nothing was started yet */
    CURLM *multi;
    struct transfer_order order;
    CURL *easy; /* NULL: not running */
    struct curl_slist *lines;
    struct curl_slist *connect_to;
    struct curl_slist *proxy_lines;
    struct buf body;
    size_t counted;  /* of it in order.bodies */
    bool is_crowded; /* there was no room for it in order.bodies */
    bool is_coded;   /* the answer has a transfer coding besides chunked */
    bool has_head;   /* a stream was told that it begins */
    bool is_refused; /* an address of the host, and nothing else failed */
    int retry_after_s;
    char error[CURL_ERROR_SIZE];
};

/* Drops what ran before. False when nothing is running: 'error' says why. */
bool transfer_start(struct transfer *t, const struct transfer_order *order) MUST_USE;
/* Whether a complete answer came, 'code' being libcurl's word; if not, 'error' says why. */
bool transfer_succeeded(struct transfer *t, CURLcode code) MUST_USE;
/* A connection came about, and the request was sent. */
bool transfer_was_sent(const struct transfer *t);
void transfer_drop(struct transfer *t);

#endif
