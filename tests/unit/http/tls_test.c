/* The server behind TLS: who counts as verified, what is negotiated, large answers, and clients
 * that stop half-way. */
#include "allocator/http/server.h"

#include <signal.h>
#include <stdatomic.h>

#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "tests/check.h"
#include "tests/fake/rawclient.h"
#include "tests/fake/testcert.h"

enum { PIECES = 30000, PIECE_BYTES = 97 };

static char piece[PIECE_BYTES];
static atomic_uint n_pinned, n_released;

static void on_release(void *arg)
{
    (void)arg;
    atomic_fetch_add(&n_released, 1);
}

static void handle(struct exchange *x, void *arg)
{
    (void)arg;
    if (span_is(exchange_path(x), "/large")) {
        struct iovec *v = arena_alloc(exchange_arena(x), PIECES * sizeof(*v));

        for (size_t i = 0; i < PIECES; i++) {
            v[i] = (struct iovec){ piece, PIECE_BYTES };
        }
        const struct exchange_pieces pieces = {
            .v = v, .n = PIECES, .bytes = (size_t)PIECES * PIECE_BYTES, .release = on_release
        };
        atomic_fetch_add(&n_pinned, 1);
        exchange_reply_pinned(x, 200, "application/json", &pieces);
        return;
    }
    exchange_reply(x, 200, "text/plain",
                   exchange_is_verified(x) ? SPAN_LIT("verified") : SPAN_LIT("anonymous"));
}

static struct testcert authority, stranger, leaf, known, unknown;

enum { HOUR_MS = 3600 * 1000 };

struct site {
    SSL_CTX *ctx;
    struct http_server *server;
    unsigned port;
};

static void site_open(struct site *s, int verify)
{
    s->ctx = testcert_server(&leaf, &authority, verify);
    const struct http_listener listener = { .name = "https",
                                            .address = "127.0.0.1:0",
                                            .tls = s->ctx,
                                            .max_body_bytes = 65536,
                                            .request_timeout_ms = HOUR_MS,
                                            .handler = handle };
    const struct http_server_options options = {
        .n_threads = 2, .listeners = &listener, .n_listeners = 1, .stalled_reader_ms = HOUR_MS
    };
    struct err err = { 0 };

    ok(http_server_start(&options, &s->server, &err) == 0, "server %s", err.text);
    s->port = http_server_port(s->server, 0);
}

static void site_close(struct site *s)
{
    http_server_stop(&s->server, 5000);
    SSL_CTX_free(s->ctx);
}

/* A client context that shows 'cert' (NULL: none). */
static SSL_CTX *client_ctx(const struct testcert *cert, int version)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

    SSL_CTX_set_min_proto_version(ctx, version);
    SSL_CTX_set_max_proto_version(ctx, version);
    if (cert != NULL) {
        SSL_CTX_use_certificate(ctx, cert->cert);
        SSL_CTX_use_PrivateKey(ctx, cert->key);
    }
    return ctx;
}

/* One GET on one connection; the body, or "" when it did not come. '*session' is used and renewed
 * when not NULL. */
static char *get(SSL_CTX *ctx, unsigned port, const char *path, SSL_SESSION **session)
{
    struct rawclient c;
    SSL *ssl = SSL_new(ctx);
    char *text = mem_zalloc(4 * MIB);
    char request[256];
    size_t len = 0;

    raw_connect(&c, port);
    SSL_set_fd(ssl, c.fd);
    if (session != NULL && *session != NULL) {
        SSL_set_session(ssl, *session);
    }
    snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
             path);
    if (SSL_connect(ssl) == 1 && SSL_write(ssl, request, (int)strlen(request)) > 0) {
        for (int n = 1; n > 0; len += n > 0 ? (size_t)n : 0) {
            n = SSL_read(ssl, text + len, (int)(4 * MIB - 1 - len));
        }
    }
    if (session != NULL) {
        SSL_SESSION_free(*session);
        *session = SSL_get1_session(ssl);
    }
    SSL_free(ssl);
    raw_close(&c);
    char *body = strstr(text, "\r\n\r\n");
    if (body == NULL) {
        text[0] = '\0';
    } else {
        memmove(text, body + 4, len - (size_t)(body + 4 - text) + 1);
    }
    return text;
}

static void is_get(SSL_CTX *ctx, unsigned port, const char *want, const char *what)
{
    AUTO_STR body = get(ctx, port, "/", NULL);

    is_str(body, want, "%s", what);
}

static void test_clients(int version, const char *name)
{
    SSL_CTX *anonymous = client_ctx(NULL, version), *good = client_ctx(&known, version),
            *bad = client_ctx(&unknown, version);
    struct site s;

    check_note("%s", name);
    site_open(&s, SSL_VERIFY_PEER);
    is_get(anonymous, s.port, "anonymous", "no certificate where it is optional");
    is_get(good, s.port, "verified", "a certificate of our authority");
    is_get(bad, s.port, "", "a certificate of another authority");
    site_close(&s);

    site_open(&s, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT);
    is_get(anonymous, s.port, "", "no certificate where it is required");
    is_get(good, s.port, "verified", "a certificate of our authority");
    SSL_SESSION *session = NULL;
    AUTO_STR first = get(good, s.port, "/", &session);
    AUTO_STR second = get(good, s.port, "/", &session);
    is_str(first, "verified", "a new session");
    is_str(second, "verified", "a resumed one: still verified");
    SSL_SESSION_free(session);
    site_close(&s);
    SSL_CTX_free(anonymous);
    SSL_CTX_free(good);
    SSL_CTX_free(bad);
}

static void test_negotiation(void)
{
    SSL_CTX *ctx = client_ctx(NULL, TLS1_3_VERSION);
    struct site s;

    site_open(&s, SSL_VERIFY_PEER);
    static const struct {
        const char *offer;
        unsigned len;
        const char *want;
    } t[] = { { "\x02h2\x08http/1.1", 12, "http/1.1" },
              { "\x02h2", 3, "" },
              { "\x08http/1.1", 9, "http/1.1" } };
    for (size_t i = 0; i < COUNT(t); i++) {
        struct rawclient c;
        const unsigned char *got = NULL;
        unsigned len = 0;

        raw_connect(&c, s.port);
        SSL *ssl = SSL_new(ctx);
        SSL_set_alpn_protos(ssl, (const unsigned char *)t[i].offer, t[i].len);
        SSL_set_fd(ssl, c.fd);
        is_int(SSL_connect(ssl), 1, "handshake with offer %zu", i);
        SSL_get0_alpn_selected(ssl, &got, &len);
        is_span(((struct span){ (const char *)got, len }), span_of(t[i].want), "  never h2");
        SSL_free(ssl);
        raw_close(&c);
    }
    site_close(&s);
    SSL_CTX_free(ctx);
}

static void test_large(void)
{
    SSL_CTX *ctx = client_ctx(NULL, TLS1_3_VERSION);
    struct site s;
    size_t n_good = 0;

    site_open(&s, SSL_VERIFY_PEER);
    AUTO_STR body = get(ctx, s.port, "/large", NULL);
    size_t len = strlen(body);
    for (size_t i = 0; i + PIECE_BYTES <= len; i += PIECE_BYTES) {
        n_good += memcmp(body + i, piece, PIECE_BYTES) == 0;
    }
    is_int(len, PIECES * PIECE_BYTES, "all bytes");
    is_int(n_good, PIECES, "of all pieces, in order");
    site_close(&s);
    is_int(atomic_load(&n_released), atomic_load(&n_pinned), "released");
    SSL_CTX_free(ctx);
}

/* Silent, half a handshake, no TLS at all, a request without its end, an answer nobody reads: the
 * stop is not held. */
static void test_stop(void)
{
    SSL_CTX *ctx = client_ctx(NULL, TLS1_3_VERSION);
    struct site s;
    struct rawclient silent, half, plain, mute, deaf;

    site_open(&s, SSL_VERIFY_PEER);
    raw_connect(&silent, s.port);
    raw_connect(&half, s.port);
    raw_send(&half, "\x16\x03\x01\x02\x00\x01", 6);
    raw_connect(&plain, s.port);
    raw_say(&plain, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    raw_connect(&mute, s.port);
    SSL *unfinished = SSL_new(ctx);
    SSL_set_fd(unfinished, mute.fd);
    is_int(SSL_connect(unfinished), 1, "handshake");
    is_int(SSL_write(unfinished, "GET / HTT", 9), 9, "half a request");
    raw_connect(&deaf, s.port);
    SSL *unread = SSL_new(ctx);
    SSL_set_fd(unread, deaf.fd);
    is_int(SSL_connect(unread), 1, "handshake");
    static const char request[] =
        "GET /large HTTP/1.1\r\nHost: a\r\n\r\nGET /large HTTP/1.1\r\nHost: a\r\n\r\n"
        "GET /large HTTP/1.1\r\nHost: a\r\n\r\nGET /large HTTP/1.1\r\nHost: a\r\n\r\n";
    is_int(SSL_write(unread, request, sizeof(request) - 1), (int)sizeof(request) - 1,
           "large answers");
    char byte;
    is_int(SSL_read(unread, &byte, 1), 1, "of which one byte is read");

    alarm(300); /* that none of them holds the stop for an hour is the check */
    http_server_stop(&s.server, 200);
    alarm(0);
    is_int(atomic_load(&n_released), atomic_load(&n_pinned), "everything was released");
    SSL_free(unfinished);
    SSL_free(unread);
    raw_close(&silent);
    raw_close(&half);
    raw_close(&plain);
    raw_close(&mute);
    raw_close(&deaf);
    SSL_CTX_free(s.ctx);
    SSL_CTX_free(ctx);
}

int main(void)
{
    for (size_t i = 0; i < PIECE_BYTES; i++) {
        piece[i] = (char)('!' + i % 90);
    }
    signal(SIGPIPE, SIG_IGN);
    authority = testcert_new(NULL, "authority", NULL);
    stranger = testcert_new(NULL, "stranger", NULL);
    leaf = testcert_new(&authority, "server", "DNS:localhost");
    known = testcert_new(&authority, "known", NULL);
    unknown = testcert_new(&stranger, "unknown", NULL);
    test_clients(TLS1_3_VERSION, "TLS 1.3");
    test_clients(TLS1_2_VERSION, "TLS 1.2");
    test_negotiation();
    test_large();
    test_stop();
    testcert_free(&authority);
    testcert_free(&stranger);
    testcert_free(&leaf);
    testcert_free(&known);
    testcert_free(&unknown);
    return check_done();
}
