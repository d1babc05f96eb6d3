/* Listeners and N serving threads, each with its own event loop, context and SO_REUSEPORT sockets;
 * HTTP/1.1 only. Guardrails: body caps (413), connection cap, of which the last sixteenth is for
 * addresses that have few of them, a smaller one and a time-out for TLS handshakes (handshake.h),
 * TCP_USER_TIMEOUT, request time-outs, a pace at which answers are to be taken, no h2c upgrade,
 * EINTR, no descriptors, monotonic clock for our own deadlines. A request whose end other servers
 * would see elsewhere (head.h) is answered 400 or 431 and ends its connection.
 *
 * Known limits of h2o 2.2.5: its time-outs follow the wall clock (a step back delays them by the
 * step); one connection that pipelines is served until its buffer is empty; there is one time-out
 * for a whole request, so half of one may stay that long; a head is judged when it is complete, or
 * has reached 408 KiB (400).
 *
 * Threads: start, drain, stop from the keeper; broadcast from any thread until stop; handlers run
 * on serving threads. */
#ifndef OTEL_TA_HTTP_SERVER_H
#define OTEL_TA_HTTP_SERVER_H

#include "allocator/base/err.h"
#include "allocator/http/exchange.h"

#include <openssl/ssl.h>

struct http_listener {
    const char *name;      /* "http", "https", "webhook": for logs, metrics and errors */
    const char *address;   /* "host:port", ":8080", "[::1]:0"; port 0 picks one */
    SSL_CTX *tls;          /* NULL: plain. Borrowed for the life of the server (certs/identity) */
    size_t max_body_bytes; /* 413 above */
    /* Bytes of requests that are being received and of answers that are not taken (what these pin
     * of others does not count), all connections together (each thread has its share, but room for
     * the largest one); what passes it loses its largest connection. 0: no cap. Measured every few
     * milliseconds, 5 ms later for each thousand connections. */
    size_t max_waiting_bytes;
    int64_t request_timeout_ms; /* whole request, and idle keep-alive */
    unsigned max_connections;   /* 0: as the server's */
    exchange_handler *handler;
    void *arg;
};

struct http_server_options {
    unsigned n_threads; /* at least one */
    const struct http_listener *listeners;
    size_t n_listeners;
    unsigned max_connections;  /* per listener; 0 = LIMIT_CONNECTIONS; what comes above is closed at
                                  once */
    unsigned max_handshakes;   /* per TLS listener that are not done; 0 = LIMIT_HANDSHAKES */
    int64_t handshake_ms;      /* that one may take; 0 = 10 s */
    int64_t stalled_reader_ms; /* a peer that takes no byte for this long is cut; 0 = 10 s. An
                                  answer has so long, and a second for each
                                  LIMIT_ANSWER_BYTES_A_S */
};

struct http_server;

/* Binds everything, then starts the threads; on failure nothing is left running and 'err' names the
 * listener and address ("listener http: cannot listen on :8080: Address already in use"). */
int http_server_start(const struct http_server_options *options, struct http_server **out,
                      struct err *err) MUST_USE;
unsigned http_server_threads(const struct http_server *s);
/* The port a listener really got. */
unsigned http_server_port(const struct http_server *s, size_t listener);
/* What it is bound to: "127.0.0.1:8080", "[::]:8080" for every address. */
const char *http_server_address(const struct http_server *s, size_t listener);
/* Runs fn(thread, arg) once on every serving thread, soon, in order of the calls. */
void http_server_broadcast(struct http_server *s, void (*fn)(unsigned thread, void *arg),
                           void *arg);
/* Cuts the answers that pin something of this generation or an older one and have been under way
 * for a fifth of the patience with a stalled reader. From any thread until stop. */
void http_server_hurry(struct http_server *s, uint64_t generation);
/* From now on every answer carries Connection: close. */
void http_server_drain(struct http_server *s);
/* Closes the listeners, lets requests under way finish for at most 'grace_ms', joins the threads,
 * frees. */
void http_server_stop(struct http_server **s, int64_t grace_ms);

#endif
