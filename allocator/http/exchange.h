/* What a handler sees of one HTTP request, and how it answers. No h2o type appears here.
 * A handler runs on a serving thread, must not block, and answers exactly once before it returns.
 * Spans given out live until the exchange ends. Path and query are raw: as they came over the wire.
 */
#ifndef OTEL_TA_HTTP_EXCHANGE_H
#define OTEL_TA_HTTP_EXCHANGE_H

#include "allocator/base/arena.h"
#include "allocator/base/span.h"
#include "allocator/base/thread.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

struct exchange;

struct span exchange_method(const struct exchange *x);
struct span exchange_path(const struct exchange *x);  /* before '?', undecoded */
struct span exchange_query(const struct exchange *x); /* after '?', undecoded; empty when none */
struct span exchange_host(const struct exchange *x);  /* Host header, may be empty */
/* Case-insensitive name; empty span when absent. */
struct span exchange_header(const struct exchange *x, const char *name);
struct span exchange_body(const struct exchange *x);
struct span exchange_peer(const struct exchange *x); /* "10.0.0.1" or "::1", without port */
/* The peer presented a client certificate that this listener's CA verifies. */
bool exchange_is_verified(const struct exchange *x);
/* Which serving thread this is: 0 … n_threads-1. */
unsigned exchange_thread(const struct exchange *x);
/* Freed with the exchange. */
struct arena *exchange_arena(struct exchange *x);
/* Gone when the handler returns; its memory is kept for the thread's next request. */
struct arena *exchange_scratch(struct exchange *x);

/* Must come before the reply. Both strings are copied. */
void exchange_add_header(struct exchange *x, const char *name, struct span value);

/* Content-Length is always set; for HEAD the body is left out by the server. 'content_type' (NULL:
 * none) is a literal: it is not copied. 'body' is copied. 304 and 204 have no body and no
 * Content-Length. */
void exchange_reply(struct exchange *x, int status, const char *content_type, struct span body);
/* Pieces that lie side by side. */
struct exchange_run {
    size_t n, bytes;
    struct iovec v[]; /* none is empty */
};
/* A body in pieces that somebody else owns: first 'v', then those of the runs. */
struct exchange_pieces {
    const struct iovec *v;      /* none is empty */
    size_t n, bytes;            /* of 'v'; of all */
    void (*release)(void *arg); /* may be NULL */
    void *arg;
    uint64_t generation; /* what is pinned is of this age (http_server_hurry()); 0: of none */
    const struct exchange_run *const *runs; /* n_runs; each has pieces */
    size_t n_runs;
};
/* Sends straight from the pieces, or through a small buffer where that is cheaper (TLS; many small
 * pieces). 'release(arg)' is called on the same serving thread, exactly once, when the last byte is
 * written or the connection is gone (for HEAD and for an empty body: before this returns). The
 * arrays and what they point to must live until then; the exchange's arena does. 'pieces' is
 * copied.
 */
void exchange_reply_pinned(struct exchange *x, int status, const char *content_type,
                           const struct exchange_pieces *pieces);
/* text/plain: one sentence and a newline. */
void exchange_fail(struct exchange *x, int status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Runs on a serving thread (role_enter(serve) where it matters: clang takes no attribute on a
 * function type). */
typedef void exchange_handler(struct exchange *x, void *arg);

#endif
