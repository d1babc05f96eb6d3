/* Who does not get through a TLS handshake: counted by reason, told in words where that is
 * possible, and never many of them at a time. */
#include "allocator/http/server.h"

#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>

#include "allocator/base/clock.h"
#include "allocator/base/metric.h"
#include "tests/check.h"
#include "tests/fake/rawclient.h"
#include "tests/fake/testcert.h"

enum { HOUR_MS = 3600 * 1000, HALF_HANDSHAKES = 8 };

static struct testcert authority, stranger, leaf, known, unknown;

static void handle(struct exchange *x, void *arg)
{
    (void)arg;
    exchange_reply(x, 200, "text/plain", SPAN_LIT("served"));
}

struct site {
    SSL_CTX *ctx;
    struct http_server *server;
    unsigned port;
};

static void site_open(struct site *s, int verify, const struct http_server_options *limits)
{
    struct http_server_options options = *limits;
    struct err err = { 0 };

    s->ctx = testcert_server(&leaf, &authority, verify);
    SSL_CTX_set_min_proto_version(s->ctx, TLS1_2_VERSION);
    const struct http_listener listener = { .name = "https",
                                            .address = "127.0.0.1:0",
                                            .tls = s->ctx,
                                            .max_body_bytes = 65536,
                                            .request_timeout_ms = HOUR_MS,
                                            .handler = handle };
    options.n_threads = 1;
    options.listeners = &listener;
    options.n_listeners = 1;
    ok(http_server_start(&options, &s->server, &err) == 0, "server %s", err.text);
    s->port = http_server_port(s->server, 0);
}

static void site_close(struct site *s)
{
    http_server_stop(&s->server, 0);
    SSL_CTX_free(s->ctx);
}

/* How often handshakes failed for 'reason'; for "" in all. */
static unsigned long n_failed(const char *reason)
{
    AUTO_BUF text;
    unsigned long n = 0;
    static const char family[] =
        "otel_ta_tls_handshake_failures_total{listener=\"https\",reason=\"";

    buf_init(&text, 1 << 20);
    metric_render(&text);
    buf_add_char(&text, '\0');
    for (const char *p = strstr(text.p, family); p != NULL; p = strstr(p + 1, family)) {
        const char *label = p + strlen(family), *end = strchr(label, '"');
        if (*reason == '\0' || (strncmp(label, reason, strlen(reason)) == 0 &&
                                (size_t)(end - label) == strlen(reason))) {
            n += strtoul(strchr(end, '}') + 1, NULL, 10);
        }
    }
    return n;
}

static bool will_fail(const char *reason, unsigned long n)
{
    for (int64_t end = clock_mono_ms() + 10000; clock_mono_ms() < end;) {
        if (n_failed(reason) >= n) {
            return n_failed(reason) == n;
        }
        poll(NULL, 0, 2);
    }
    return false;
}

/* ---- clients */

/* Says 'bytes' and reads to the end; the answer, which the caller frees. */
static char *say_raw(unsigned port, const char *bytes, size_t size)
{
    struct rawclient c;

    raw_connect(&c, port);
    raw_send(&c, bytes, size);
    while (raw_more(&c)) {
    }
    char *answer = mem_strndup(c.in, c.len);
    raw_close(&c);
    return answer;
}

struct client {
    const char *name;
    const struct testcert *shows, *trusts; /* trusts NULL: anybody */
    int version;
    const char *ciphers;
};

static SSL_CTX *client_ctx(const struct client *t)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

    SSL_CTX_set_security_level(ctx, 0);
    SSL_CTX_set_min_proto_version(ctx, t->version);
    SSL_CTX_set_max_proto_version(ctx, t->version);
    if (t->ciphers != NULL) {
        SSL_CTX_set_cipher_list(ctx, t->ciphers);
    }
    if (t->shows != NULL) {
        SSL_CTX_use_certificate(ctx, t->shows->cert);
        SSL_CTX_use_PrivateKey(ctx, t->shows->key);
    }
    if (t->trusts != NULL) {
        SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
        X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), t->trusts->cert);
    }
    return ctx;
}

/* One request over TLS from 'address'; true when it was answered. */
static bool is_served_from(const struct client *t, unsigned port, const char *address)
{
    static const char request[] = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    struct sockaddr_in from = { .sin_family = AF_INET }, to = { .sin_family = AF_INET };
    char text[1024] = "";
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    SSL_CTX *ctx = client_ctx(t);
    SSL *ssl = SSL_new(ctx);

    inet_pton(AF_INET, address, &from.sin_addr);
    to.sin_port = htons((uint16_t)port);
    inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
    SSL_set_fd(ssl, fd);
    bool is_good = bind(fd, (const void *)&from, sizeof(from)) == 0 &&
                   connect(fd, (const void *)&to, sizeof(to)) == 0 && SSL_connect(ssl) == 1 &&
                   SSL_write(ssl, request, sizeof(request) - 1) > 0 &&
                   SSL_read(ssl, text, sizeof(text) - 1) > 0;
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    close(fd);
    return is_good && strncmp(text, "HTTP/1.1 200", 12) == 0;
}

static bool is_served(const struct client *t, unsigned port)
{
    return is_served_from(t, port, "127.0.0.1");
}

/* ---- what they find */

static void test_plain(const struct site *s)
{
    static const struct {
        const char *what, *bytes, *answer, *reason;
    } t[] = {
        { "HTTP", "GET /mutate HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 400 ", "plain_http" },
        { "HTTP with a body", "POST /mutate HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
          "HTTP/1.1 400 ", "plain_http" },
        { "the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "HTTP/1.1 400 ",
          "plain_http" },
        { "SSL 2", "\x80\x2e\x01\x03\x01", "", "not_tls" },
        { "anything", "\x01\x02\x03", "", "not_tls" },
        { "a record with nothing in it", "\x16garbage", "", "not_tls" },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        unsigned long n = n_failed(t[i].reason);
        AUTO_STR answer = say_raw(s->port, t[i].bytes, strlen(t[i].bytes));

        ok(strncmp(answer, t[i].answer, strlen(t[i].answer)) == 0 &&
               (t[i].answer[0] != '\0' || answer[0] == '\0'),
           "%s is answered '%s'", t[i].what, t[i].answer);
        ok(t[i].answer[0] == '\0' || strstr(answer, "This port speaks HTTPS") != NULL,
           "  in words");
        ok(will_fail(t[i].reason, n + 1), "  and counted as %s", t[i].reason);
    }
}

static void test_refused(const struct site *s)
{
    const struct {
        struct client client;
        const char *reason;
    } t[] = {
        { { "no certificate, TLS 1.3", NULL, NULL, TLS1_3_VERSION, NULL },
          "no_client_certificate" },
        { { "no certificate, TLS 1.2", NULL, NULL, TLS1_2_VERSION, NULL },
          "no_client_certificate" },
        { { "of another authority, TLS 1.3", &unknown, NULL, TLS1_3_VERSION, NULL },
          "bad_client_certificate" },
        { { "of another authority, TLS 1.2", &unknown, NULL, TLS1_2_VERSION, NULL },
          "bad_client_certificate" },
        { { "trusts another authority, TLS 1.3", &known, &stranger, TLS1_3_VERSION, NULL },
          "certificate_refused" },
        { { "trusts another authority, TLS 1.2", &known, &stranger, TLS1_2_VERSION, NULL },
          "certificate_refused" },
        { { "speaks TLS 1.1", &known, NULL, TLS1_1_VERSION, NULL }, "protocol_version" },
        { { "another cipher", &known, NULL, TLS1_2_VERSION, "ECDHE-RSA-AES128-GCM-SHA256" },
          "no_common_cipher" },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        unsigned long n = n_failed(t[i].reason), all = n_failed("");

        ok(!is_served(&t[i].client, s->port), "%s: not served", t[i].client.name);
        ok(will_fail(t[i].reason, n + 1), "  counted as %s", t[i].reason);
        is_int(n_failed(""), all + 1, "  and as nothing else");
    }
}

static void test_gone(const struct site *s, const struct client *good)
{
    struct rawclient c;
    unsigned long all = n_failed(""), n = n_failed("closed");

    raw_connect(&c, s->port);
    raw_close(&c);
    ok(is_served(good, s->port), "a good client");
    is_int(n_failed(""), all, "a probe that connects and goes is no failure");
    raw_connect(&c, s->port);
    raw_send(&c, "\x16\x03\x01\x02\x00\x01", 6);
    raw_close(&c);
    ok(will_fail("closed", n + 1), "one that goes in the middle is");
}

static void test_slow(const struct client *good)
{
    struct site s;
    struct rawclient silent, half;
    unsigned long n = n_failed("timeout");

    site_open(&s, SSL_VERIFY_PEER, &(struct http_server_options){ .handshake_ms = 300 });
    raw_connect(&silent, s.port);
    raw_connect(&half, s.port);
    raw_send(&half, "\x16\x03\x01\x02\x00\x01", 6);
    ok(raw_is_closed(&silent, &(size_t){ 0 }), "a silent client is closed");
    ok(raw_is_closed(&half, &(size_t){ 0 }), "half a handshake is closed");
    ok(will_fail("timeout", n + 2), "both are counted");
    ok(is_served(good, s.port), "others are served");
    raw_close(&silent);
    raw_close(&half);
    site_close(&s);
}

/* Many times more halves than there are places, from one address. */
static void test_crowd(const struct client *good)
{
    enum { N = 200 };
    struct site s;
    struct rawclient c[N];
    unsigned long n = n_failed("crowded");
    struct http_server_options limits = { .max_handshakes = HALF_HANDSHAKES };

    site_open(&s, SSL_VERIFY_PEER, &limits);
    for (size_t i = 0; i < N; i++) {
        raw_connect(&c[i], s.port);
        raw_send(&c[i], "\x16\x03\x01\x02\x00\x01", 6);
    }
    ok(is_served_from(good, s.port, "127.0.0.2"), "another address is served meanwhile");
    ok(is_served(good, s.port), "an honest client of the same address, too");
    unsigned long cut = n_failed("crowded") - n;
    ok(cut >= N - HALF_HANDSHAKES && cut <= N + 1, "the oldest made room: %lu", cut);
    for (size_t i = 0; i < N; i++) {
        raw_close(&c[i]);
    }
    site_close(&s);
}

/* As few as one address may have while places are short: the others' are not touched. */
static void test_share(const struct client *good)
{
    struct site s;
    struct rawclient c[HALF_HANDSHAKES];
    struct sockaddr_in from = { .sin_family = AF_INET }, to = { .sin_family = AF_INET };
    int others[2];

    site_open(&s, SSL_VERIFY_PEER,
              &(struct http_server_options){ .max_handshakes = HALF_HANDSHAKES });
    inet_pton(AF_INET, "127.0.0.3", &from.sin_addr);
    inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
    to.sin_port = htons((uint16_t)s.port);
    for (size_t i = 0; i < COUNT(others); i++) {
        others[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        ok(bind(others[i], (const void *)&from, sizeof(from)) == 0 &&
               connect(others[i], (const void *)&to, sizeof(to)) == 0 &&
               send(others[i], "\x16\x03\x01\x02\x00\x01", 6, MSG_NOSIGNAL) == 6,
           "half a handshake of one address");
    }
    ok(is_served(good, s.port), "which are seen before what follows");
    for (size_t i = 0; i < COUNT(c); i++) {
        raw_connect(&c[i], s.port);
        raw_send(&c[i], "\x16\x03\x01\x02\x00\x01", 6);
    }
    ok(is_served(good, s.port), "many of another, all seen");
    for (size_t i = 0; i < COUNT(others); i++) {
        char byte;
        ok(recv(others[i], &byte, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN,
           "the first one's are still there");
        close(others[i]);
    }
    for (size_t i = 0; i < COUNT(c); i++) {
        raw_close(&c[i]);
    }
    site_close(&s);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    authority = testcert_new(NULL, "authority", NULL);
    stranger = testcert_new(NULL, "stranger", NULL);
    leaf = testcert_new(&authority, "server", "DNS:localhost");
    known = testcert_new(&authority, "known", NULL);
    unknown = testcert_new(&stranger, "unknown", NULL);
    const struct client good = { "good", &known, &authority, TLS1_3_VERSION, NULL };
    struct site s;

    site_open(&s, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
              &(struct http_server_options){ 0 });
    ok(is_served(&good, s.port), "a good client");
    is_int(n_failed(""), 0, "nothing failed");
    test_plain(&s);
    test_refused(&s);
    test_gone(&s, &good);
    site_close(&s);
    test_slow(&good);
    test_crowd(&good);
    test_share(&good);
    testcert_free(&authority);
    testcert_free(&stranger);
    testcert_free(&leaf);
    testcert_free(&known);
    testcert_free(&unknown);
    return check_done();
}
