#include "allocator/http/exchange.h"

#include <assert.h>
#include <stdarg.h>

/* Debian ships h2o for its own event loop; the headers must agree with the library about that. */
#define H2O_USE_LIBUV 0
#include <h2o.h>

#include "allocator/base/clock.h"
#include "allocator/base/container.h"
#include "allocator/base/limits.h"
#include "allocator/http/connection.h"
#include "allocator/http/exchange_state.h"
#include "allocator/http/peer.h"
#include "allocator/http/status.h"

enum {
    PIECES_PER_WRITE = 512,   /* bounds what h2o copies when the socket is full */
    MANY_PIECES = 64,         /* from here on pieces are joined, if they are … */
    SMALL_PIECE_BYTES = 1024, /* … smaller than this on average */
};

/* ---- what a handler sees */

static struct span from_iovec(h2o_iovec_t v)
{
    return (struct span){ v.base, v.len };
}

struct span exchange_method(const struct exchange *x)
{
    return from_iovec(x->req->method);
}

struct span exchange_path(const struct exchange *x)
{
    return x->target.path;
}

struct span exchange_query(const struct exchange *x)
{
    return x->target.query;
}

struct span exchange_host(const struct exchange *x)
{
    return x->target.host;
}

struct span exchange_header(const struct exchange *x, const char *name)
{
    char lower[64];
    size_t len = strlen(name);

    assert(len < sizeof(lower));
    for (size_t i = 0; i < len; i++) {
        lower[i] = (char)(name[i] >= 'A' && name[i] <= 'Z' ? name[i] + ('a' - 'A') : name[i]);
    }
    const h2o_headers_t *headers = &x->req->headers;
    const h2o_token_t *token = h2o_lookup_token(lower, len);
    ssize_t at = token != NULL ? h2o_find_header(headers, token, -1)
                               : h2o_find_header_by_str(headers, lower, len, -1);

    if (at < 0) {
        return (struct span){ 0 };
    }
    return span_trim(from_iovec(headers->entries[at].value));
}

struct span exchange_body(const struct exchange *x)
{
    return from_iovec(x->req->entity);
}

struct span exchange_peer(const struct exchange *x)
{
    struct sockaddr_storage peer;
    char *text = h2o_mem_alloc_pool(&x->req->pool, INET6_ADDRSTRLEN);

    if (x->req->conn->callbacks->get_peername(x->req->conn, (void *)&peer) == 0) {
        return (struct span){ 0 };
    }
    return span_of(peer_text((const void *)&peer, text));
}

bool exchange_is_verified(const struct exchange *x)
{
    return x->is_verified;
}

unsigned exchange_thread(const struct exchange *x)
{
    return x->thread;
}

static void on_arena_dispose(void *arena)
{
    arena_fini(arena);
}

struct arena *exchange_arena(struct exchange *x)
{
    if (x->arena == NULL) {
        x->arena = h2o_mem_alloc_shared(&x->req->pool, sizeof(*x->arena), on_arena_dispose);
        arena_init(x->arena);
    }
    return x->arena;
}

struct arena *exchange_scratch(struct exchange *x)
{
    return x->scratch;
}

/* ---- the answer */

void exchange_add_header(struct exchange *x, const char *name, struct span value)
{
    h2o_mem_pool_t *pool = &x->req->pool;
    size_t len = strlen(name);
    h2o_iovec_t lower = h2o_strdup(pool, name, len);
    h2o_iovec_t copy = h2o_strdup(pool, value.p, value.len);

    assert(!x->is_answered);
    h2o_strtolower(lower.base, len);
    /* A line break in a value would let a peer write headers of its own. */
    for (size_t i = 0; i < copy.len; i++) {
        if ((unsigned char)copy.base[i] < ' ') {
            copy.base[i] = ' ';
        }
    }
    h2o_add_header_by_str(pool, &x->req->res.headers, lower.base, len, 1, name, copy.base,
                          copy.len);
}

/* Returns whether a body follows. */
static bool begin_reply(struct exchange *x, int status, const char *content_type, size_t bytes)
{
    h2o_req_t *req = x->req;

    int64_t now_ms = clock_mono_ms();

    assert(!x->is_answered);
    x->is_answered = true;
    /* A peer that takes a little now and then is not stalled, and would hold the answer for hours.
     */
    *x->answer = (struct answer){
        .begun_ms = now_ms,
        .ends_ms = now_ms + x->patience_ms + (int64_t)(bytes * 1000 / LIMIT_ANSWER_BYTES_A_S),
        .own_bytes = x->arena == NULL ? 0 : x->arena->used_bytes,
    };
    req->res.status = status;
    req->res.reason = status_reason(status);
    if (content_type != NULL) {
        h2o_add_header(&req->pool, &req->res.headers, H2O_TOKEN_CONTENT_TYPE, "Content-Type",
                       content_type, strlen(content_type));
    }
    if (status == 204 || status == 304) {
        return false;
    }
    req->res.content_length = bytes;
    return bytes > 0 && !x->is_head;
}

static void send_nothing(h2o_req_t *req)
{
    static h2o_generator_t done; /* h2o reads it only: a generator with nothing to go on with */

    h2o_start_response(req, &done);
    h2o_send(req, NULL, 0, H2O_SEND_STATE_FINAL);
}

void exchange_reply(struct exchange *x, int status, const char *content_type, struct span body)
{
    if (begin_reply(x, status, content_type, body.len)) {
        x->answer->own_bytes += body.len;
        h2o_send_inline(x->req, body.p, body.len);
    } else {
        send_nothing(x->req);
    }
}

void exchange_fail(struct exchange *x, int status, const char *fmt, ...)
{
    char text[512];
    va_list ap;

    va_start(ap, fmt);
    int n = vsnprintf(text, sizeof(text) - 1, fmt, ap);
    va_end(ap);
    size_t len = n < 0 ? 0 : (size_t)n;
    if (len > sizeof(text) - 2) {
        len = sizeof(text) - 2;
    }
    text[len] = '\n';
    exchange_reply(x, status, "text/plain; charset=utf-8", (struct span){ text, len + 1 });
}

/* ---- pinned answers
 * Every piece is handed over as "more to come"; only when h2o reports the last one written does an
 * empty final send follow. So there is one moment of release on success (pinned_proceed) and one on
 * failure (pinned_stop). */

struct pinned {
    h2o_generator_t super;
    struct gather_pool *buffers;
    struct exchange_pieces rest; /* advances as it is sent */
    size_t offset;               /* into v[0], while joining */
    char *joined;                /* where pieces are joined before they are sent, or NULL */
};

static void pinned_release(struct pinned *p)
{
    if (p->joined != NULL) {
        gather_give(p->buffers, p->joined);
    }
    if (p->rest.release != NULL) {
        p->rest.release(p->rest.arg);
    }
}

static void pinned_stop(h2o_generator_t *self, h2o_req_t *req)
{
    connection_lost(req);
    pinned_release(CONTAINER_OF(self, struct pinned, super));
}

static void pinned_send(struct pinned *p, h2o_req_t *req)
{
    if (p->joined != NULL) {
        h2o_iovec_t all = { p->joined, gather_fill(&p->rest, &p->offset, p->joined) };

        h2o_send(req, &all, 1, H2O_SEND_STATE_IN_PROGRESS);
        return;
    }
    h2o_iovec_t v[PIECES_PER_WRITE]; /* h2o copies it once more before it advances */
    size_t n = 0;

    while (n < PIECES_PER_WRITE && gather_is_left(&p->rest)) {
        size_t room = PIECES_PER_WRITE - n;
        size_t take = p->rest.n < room ? p->rest.n : room;
        /* struct iovec by layout: h2o itself casts between them. */
        memcpy(v + n, p->rest.v, take * sizeof(*v));
        p->rest.v += take;
        p->rest.n -= take;
        n += take;
    }
    h2o_send(req, v, n, H2O_SEND_STATE_IN_PROGRESS);
}

static void pinned_proceed(h2o_generator_t *self, h2o_req_t *req)
{
    struct pinned *p = CONTAINER_OF(self, struct pinned, super);

    if (gather_is_left(&p->rest)) {
        pinned_send(p, req);
        return;
    }
    pinned_release(p);
    h2o_send(req, NULL, 0, H2O_SEND_STATE_FINAL);
}

/* TLS needs large records. Without TLS, the kernel takes longer to pick up many small pieces than
 * we take to copy them: 1000 targets cost 11 % less when joined, 10 targets 8 % more. */
static bool wants_joining(const struct exchange *x, const struct exchange_pieces *pieces)
{
    size_t n = pieces->n;

    for (size_t i = 0; i < pieces->n_runs; i++) {
        n += pieces->runs[i]->n;
    }
    return x->is_tls || (n >= MANY_PIECES && pieces->bytes / n < SMALL_PIECE_BYTES);
}

void exchange_reply_pinned(struct exchange *x, int status, const char *content_type,
                           const struct exchange_pieces *pieces)
{
    h2o_req_t *req = x->req;
    struct pinned *p = h2o_mem_alloc_pool(&req->pool, sizeof(*p));

    *p = (struct pinned){
        .super = { pinned_proceed, pinned_stop },
        .buffers = x->buffers,
        .rest = *pieces,
    };
    if (!begin_reply(x, status, content_type, pieces->bytes)) {
        pinned_release(p);
        send_nothing(req);
        return;
    }
    x->answer->generation = pieces->generation;
    if (wants_joining(x, pieces)) {
        p->joined = gather_take(p->buffers);
        x->answer->own_bytes += GATHER_BYTES;
    }
    h2o_start_response(req, &p->super);
    pinned_send(p, req);
}
