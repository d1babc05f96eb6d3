/* The client against a real server of ours, and against servers that misbehave. */
#include "allocator/client/client.h"

#include <dlfcn.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>

#include "allocator/base/arena.h"
#include "allocator/base/mem.h"
#include "allocator/client/oauth2.h"
#include "allocator/codec/urlform.h"
#include "allocator/http/server.h"
#include "tests/check.h"
#include "tests/fake/rawserver.h"
#include "tests/fake/testcert.h"

enum { HOUR_MS = 3600 * 1000 };

/* ---- the server: shows what it saw, redirects, hands out tokens */

static atomic_uint n_tokens; /* handed out */
static atomic_uint n_basic_refused;

static void answer_token(struct exchange *x, bool wants_body)
{
    struct span body = exchange_body(x), id = { 0 }, scope = { 0 };
    struct span auth = exchange_header(x, "Authorization");
    bool in_body = urlform_query(body, "client_id", &id);

    (void)urlform_query(body, "scope", &scope);
    if (wants_body != in_body) {
        atomic_fetch_add(&n_basic_refused, 1);
        exchange_reply(x, 401, "application/json", SPAN_LIT("{\"error\":\"invalid_client\"}"));
        return;
    }
    unsigned n = atomic_fetch_add(&n_tokens, 1);
    char *text = arena_printf(
        exchange_arena(x),
        "{\"access_token\":\"t%u-%.*s-%.*s\",\"token_type\":\"bearer\",\"expires_in\":%s}", n,
        SPAN_ARG(scope), SPAN_ARG(auth), span_is(exchange_query(x), "short") ? "5" : "3600");
    exchange_reply(x, 200, "application/json", span_of(text));
}

static void answer_redirect(struct exchange *x, int status)
{
    struct span to = { 0 };
    struct err err;

    if (urlform_query(exchange_query(x), "to", &to) &&
        urlform_unescape(to, exchange_arena(x), &to, &err) == 0) {
        exchange_add_header(x, "Location", to);
    }
    exchange_reply(x, status, NULL, SPAN_LIT("moved"));
}

static void handle(struct exchange *x, void *arg)
{
    struct span path = exchange_path(x);

    (void)arg;
    if (span_is(path, "/loop")) {
        exchange_add_header(x, "Location", SPAN_LIT("/loop"));
        exchange_reply(x, 302, NULL, (struct span){ 0 });
    } else if (span_has_prefix(path, "/redirect/")) {
        answer_redirect(x, (int)strtol(path.p + 10, NULL, 10));
    } else if (span_is(path, "/token")) {
        answer_token(x, false);
    } else if (span_is(path, "/token-body")) {
        answer_token(x, true);
    } else if (span_is(path, "/big")) {
        struct span big = { arena_zalloc(exchange_arena(x), 1000000), 1000000 };
        exchange_reply(x, 200, "application/octet-stream", big);
    } else {
        char *text = arena_printf(
            exchange_arena(x),
            "%.*s "
            "%.*s|auth=%.*s|accept=%.*s|agent=%.*s|key=%.*s|encoding=%.*s|interval=%.*s|body=%.*s|"
            "verified=%d",
            SPAN_ARG(exchange_method(x)), SPAN_ARG(path),
            SPAN_ARG(exchange_header(x, "Authorization")), SPAN_ARG(exchange_header(x, "Accept")),
            SPAN_ARG(exchange_header(x, "User-Agent")), SPAN_ARG(exchange_header(x, "X-Api-Key")),
            SPAN_ARG(exchange_header(x, "Accept-Encoding")),
            SPAN_ARG(exchange_header(x, "X-Prometheus-Refresh-Interval-Seconds")),
            SPAN_ARG(exchange_body(x)), exchange_is_verified(x));
        exchange_reply(x, span_is(path, "/503") ? 503 : 200, " application/json ", span_of(text));
    }
}

static struct testcert authority, leaf, other_authority, client_leaf;
static SSL_CTX *tls;
static struct http_server *server;
static unsigned port_a, port_b, port_tls;

static void start_server(void)
{
    authority = testcert_new(NULL, "test authority", NULL);
    other_authority = testcert_new(NULL, "other authority", NULL);
    leaf = testcert_new(&authority, "leaf", "DNS:sd.example,IP:127.0.0.1");
    client_leaf = testcert_new(&authority, "client", NULL);
    tls = testcert_server(&leaf, &authority, SSL_VERIFY_PEER);

    struct http_listener listeners[] = {
        { .name = "a", .address = "127.0.0.1:0" },
        { .name = "b", .address = "127.0.0.1:0" },
        { .name = "tls", .address = "127.0.0.1:0", .tls = tls },
    };
    for (size_t i = 0; i < COUNT(listeners); i++) {
        listeners[i].max_body_bytes = 65536;
        listeners[i].request_timeout_ms = HOUR_MS;
        listeners[i].handler = handle;
    }
    const struct http_server_options options = { .n_threads = 1,
                                                 .listeners = listeners,
                                                 .n_listeners = COUNT(listeners) };
    struct err err = { 0 };
    ok(http_server_start(&options, &server, &err) == 0, "server %s", err.text);
    port_a = http_server_port(server, 0);
    port_b = http_server_port(server, 1);
    port_tls = http_server_port(server, 2);
}

static void stop_server(void)
{
    http_server_stop(&server, 1000);
    SSL_CTX_free(tls);
    testcert_free(&authority);
    testcert_free(&other_authority);
    testcert_free(&leaf);
    testcert_free(&client_leaf);
}

/* ---- asking */

struct result {
    unsigned n_done;
    int status;
    char content_type[64];
    char *body;
    size_t body_len;
    char error[256];
};

static void on_done(void *arg, struct http_response *response)
{
    struct result *r = arg;

    r->n_done++;
    r->status = response->status;
    snprintf(r->content_type, sizeof(r->content_type), "%.*s", SPAN_ARG(response->content_type));
    snprintf(r->error, sizeof(r->error), "%s", response->error == NULL ? "" : response->error);
    mem_free(r->body);
    r->body = buf_take(response->body, &r->body_len);
}

static void wait_for(struct http_client *c, const struct result *r)
{
    role_enter(watcher);
    alarm(300); /* it is always told: of an answer, of a failure */
    while (r->n_done == 0) {
        http_client_poll(c, NULL, 0, 1000);
    }
    alarm(0);
}

static struct result ask(struct http_client *c, const struct http_request_options *o)
{
    struct result r = { 0 };

    role_enter(watcher);
    http_client_send(c, o, on_done, &r);
    is_int(r.n_done, 0, "never told from within send");
    wait_for(c, &r);
    is_int(r.n_done, 1, "told once: %.*s", SPAN_ARG(o->url));
    return r;
}

static const struct http_request_header headers[] = {
    { SPAN_LIT("Accept"), SPAN_LIT("application/json") },
    { SPAN_LIT("User-Agent"), SPAN_LIT("Prometheus/otel-ta") },
    { SPAN_LIT("X-Prometheus-Refresh-Interval-Seconds"), SPAN_LIT("60") },
    { SPAN_LIT("X-Api-Key"), SPAN_LIT("secret") },
};

static struct http_request_options options_for(struct span url)
{
    return (struct http_request_options){ .url = url,
                                          .headers = headers,
                                          .n_headers = COUNT(headers),
                                          .timeout_ms = HOUR_MS,
                                          .max_body_bytes = 100000,
                                          .follow_redirects = true };
}

#define SEEN(auth, key)                                                                            \
    "GET /echo|auth=" auth "|accept=application/json|agent=Prometheus/otel-ta|key=" key            \
    "|encoding=|interval=60|body=|verified=0"

static struct span url_for(char *at, size_t size, const char *fmt, ...) PRINTF_LIKE(3, 4);
static struct span url_for(char *at, size_t size, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(at, size, fmt, ap);
    va_end(ap);
    return span_of(at);
}
#define URL(...) url_for((char[512]){ 0 }, 512, __VA_ARGS__)

static void is_body(struct result *r, const char *want, const char *what)
{
    is_str(r->error, "", "%s: no error", what);
    is_span(((struct span){ r->body, r->body_len }), span_of(want), "%s", what);
    mem_free(r->body);
    r->body = NULL;
}

static void is_error(struct result r, const char *part, const char *what)
{
    is_int(r.status, 0, "%s: no status", what);
    is_int(r.body_len, 0, "%s: no body", what);
    ok(strstr(r.error, part) != NULL, "%s: '%s' tells '%s'", what, r.error, part);
    mem_free(r.body);
}

static void test_request(struct http_client *c)
{
    struct http_request_options o = options_for(URL("http://127.0.0.1:%u/echo", port_a));
    struct result r = ask(c, &o);

    is_int(r.status, 200, "status");
    is_str(r.content_type, "application/json", "content type, trimmed");
    is_body(&r, SEEN("", "secret"), "the caller's headers and no others");

    o.username = SPAN_LIT("me");
    o.password = SPAN_LIT("pass:word");
    r = ask(c, &o);
    is_body(&r, SEEN("Basic bWU6cGFzczp3b3Jk", "secret"), "Basic");
    o.url = URL("http://x:y@127.0.0.1:%u/echo", port_a);
    r = ask(c, &o);
    is_body(&r, SEEN("Basic bWU6cGFzczp3b3Jk", "secret"), "Basic goes before the URL's");
    o.username = o.password = (struct span){ 0 };
    r = ask(c, &o);
    is_body(&r, SEEN("Basic eDp5", "secret"), "Basic out of the URL");

    o = options_for(URL("http://127.0.0.1:%u/echo", port_a));
    o.n_headers = 0;
    o.post_body = SPAN_LIT("a=b");
    r = ask(c, &o);
    is_body(&r, "POST /echo|auth=|accept=|agent=|key=|encoding=|interval=|body=a=b|verified=0",
            "POST, without any header of curl's");
    o = options_for(URL("http://127.0.0.1:%u/503", port_a));
    r = ask(c, &o);
    is_int(r.status, 503, "every status is an answer");
    is_str(r.error, "", "and no error");
    mem_free(r.body);
}

static void test_redirects(struct http_client *c)
{
    static const int statuses[] = { 301, 302, 303, 307, 308 };
    char to[256], raw[128];
    struct buf escaped;
    struct result r;

    for (size_t i = 0; i < COUNT(statuses); i++) {
        struct http_request_options o =
            options_for(URL("http://127.0.0.1:%u/redirect/%d?to=%%2Fecho", port_a, statuses[i]));
        o.username = SPAN_LIT("me");
        o.password = SPAN_LIT("pw");
        r = ask(c, &o);
        is_body(&r, SEEN("Basic bWU6cHc=", "secret"), "redirect on one host: credentials go along");
        o.follow_redirects = false;
        r = ask(c, &o);
        is_int(r.status, statuses[i], "not followed when not wanted");
        mem_free(r.body);
        o.follow_redirects = true;
        o.post_body = SPAN_LIT("b");
        r = ask(c, &o);
        ok(r.body != NULL &&
               strncmp(r.body, statuses[i] < 307 ? "GET /echo" : "POST /echo", 9) == 0 &&
               strstr(r.body, statuses[i] < 307 ? "|body=|" : "|body=b|") != NULL,
           "%d: method and body after the redirect", statuses[i]);
        mem_free(r.body);
    }
    /* to another port, and back: what was left behind stays behind */
    snprintf(raw, sizeof(raw), "http://127.0.0.1:%u/echo", port_a);
    buf_init(&escaped, 1024);
    urlform_escape(span_of(raw), &escaped);
    snprintf(raw, sizeof(raw), "http://127.0.0.1:%u/redirect/302?to=%s", port_b, escaped.p);
    buf_clear(&escaped);
    urlform_escape(span_of(raw), &escaped);
    snprintf(to, sizeof(to), "%s", escaped.p);
    struct http_request_options o =
        options_for(URL("http://127.0.0.1:%u/redirect/302?to=%s", port_a, to));
    o.username = SPAN_LIT("me");
    o.password = SPAN_LIT("pw");
    r = ask(c, &o);
    is_body(&r, SEEN("", ""), "redirect to another port: no credentials, no headers of the caller");
    buf_fini(&escaped);

    o = options_for(URL("http://127.0.0.1:%u/redirect/302?to=/redirect/302%%3Fto=/redirect/"
                        "302%%253Fto=..%%252Fecho",
                        port_a));
    r = ask(c, &o);
    is_body(&r, SEEN("", "secret"), "a chain, relative at its end");
    o = options_for(URL("http://127.0.0.1:%u/loop", port_a));
    is_error(ask(c, &o), "10 redirects", "a loop");
    o.url = URL("http://127.0.0.1:%u/redirect/302?to=file:///etc/passwd", port_a);
    is_error(ask(c, &o), "neither http nor https", "redirect to a file");
    o.url = URL("http://127.0.0.1:%u/redirect/302", port_a);
    r = ask(c, &o);
    is_int(r.status, 302, "a redirect to nowhere is an answer");
    mem_free(r.body);
}

static void test_errors(struct http_client *c)
{
    struct http_request_options o = options_for(URL("http://127.0.0.1:%u/big", port_a));
    struct rawserver s;

    is_error(ask(c, &o), "larger than 100000 bytes", "a body over the cap");
    o.max_body_bytes = 1000000;
    struct result r = ask(c, &o);
    is_int(r.body_len, 1000000, "a body as large as the cap");
    mem_free(r.body);
    http_client_set_room(c, 999999);
    is_error(ask(c, &o), "no room for the body", "one for which all of them leave no room");
    http_client_set_room(c, 1000000);
    for (int i = 0; i < 3; i++) {
        r = ask(c, &o);
        is_int(r.body_len, 1000000, "room is there again when an answer was told");
        mem_free(r.body);
    }
    o.url = SPAN_LIT("file:///etc/passwd");
    is_error(ask(c, &o), "", "file URL");
    o.url = SPAN_LIT("http://[");
    is_error(ask(c, &o), "cannot be parsed", "no URL");
    o.url = (struct span){ 0 };
    is_error(ask(c, &o), "cannot be parsed", "an empty URL");
    o.url = SPAN_LIT("http://127.0.0.1:1/");
    is_error(ask(c, &o), "onnect", "nobody listens");
    const struct http_request_header bad = { SPAN_LIT("X"), SPAN_LIT("a\r\nInjected: 1") };
    o = options_for(URL("http://127.0.0.1:%u/echo", port_a));
    o.headers = &bad;
    o.n_headers = 1;
    is_error(ask(c, &o), "line break", "a header with a line break");

    static const struct {
        const char *answer, *want, *what;
    } wrong[] = {
        { "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", "", "a body cut short" },
        { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", "",
          "chunks cut short" },
        { "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
          "unsupported transfer encoding", "an encoding nobody asked for" },
        { "HTTP/1.1 200 OK\r\nTransfer-Encoding: deflate\r\n\r\nabc",
          "unsupported transfer encoding", "another one" },
        { "HTTP/1.1 200 OK\r\nContent-Length: abc\r\n\r\n", "", "a length that is none" },
        { "hello\n", "", "no HTTP" },
        { "", "", "nothing" },
        { "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", "larger than",
          "a length over the cap" },
    };
    for (size_t i = 0; i < COUNT(wrong); i++) {
        rawserver_start(&s, span_of(wrong[i].answer));
        o = options_for(URL("http://127.0.0.1:%u/", s.port));
        is_error(ask(c, &o), wrong[i].want, wrong[i].what);
        rawserver_stop(&s);
    }
    rawserver_start(&s, (struct span){ 0 });
    o = options_for(URL("http://127.0.0.1:%u/", s.port));
    o.timeout_ms = 50;
    is_error(ask(c, &o), "imed out", "no answer in time");
    rawserver_stop(&s);
}

static void test_reuse_and_cancel(struct http_client *c)
{
    struct http_request_options o = options_for(URL("http://127.0.0.1:%u/echo", port_a));
    struct rawserver silent;
    struct result never = { 0 }, r = { 0 };
    struct pollfd bell = { .fd = eventfd(0, EFD_CLOEXEC), .events = POLLIN };

    role_enter(watcher);
    rawserver_start(&silent, (struct span){ 0 });
    o.url = URL("http://127.0.0.1:%u/", silent.port);
    struct http_request *first = http_client_send(c, &o, on_done, &never);
    http_client_poll(c, NULL, 0, 0);
    http_client_cancel(first);
    first = http_client_send(c, &o, on_done, &never);
    http_client_cancel(first);
    o.url = SPAN_LIT("http://[");
    first = http_client_send(c, &o, on_done, &never);
    http_client_cancel(first);
    o.url = URL("http://127.0.0.1:%u/echo", port_a);
    http_client_send(c, &o, on_done, &r);
    wait_for(c, &r);
    is_int(r.status, 200, "others are not disturbed by a cancel");
    is_int(never.n_done, 0, "a cancelled request is not told");
    mem_free(r.body);

    is_int(write(bell.fd, &(uint64_t){ 1 }, 8), 8, "bell rings");
    alarm(300); /* that it ends long before its hour is over is the check */
    http_client_poll(c, &bell, 1, HOUR_MS);
    alarm(0);
    is_int(bell.revents, POLLIN, "poll returns when an extra descriptor is ready");
    close(bell.fd);
    http_client_send(c, &o, on_done, &never); /* under way when the client is freed */
    rawserver_stop(&silent);
}

/* NOLINTBEGIN(concurrency-mt-unsafe): no other thread of this program looks at the environment */
static void test_proxy(struct http_client *c)
{
    struct rawserver proxy;
    struct http_request_options o = options_for(SPAN_LIT("http://sd.example/targets"));
    struct result r;

    rawserver_start(&proxy, SPAN_LIT("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]"));
    o.proxy_url = URL("http://127.0.0.1:%u", proxy.port);
    r = ask(c, &o);
    is_body(&r, "[]", "through the proxy");
    char env[64];
    snprintf(env, sizeof(env), "127.0.0.1:%u", proxy.port);
    setenv("HTTP_PROXY", env, 1);
    setenv("NO_PROXY", ".internal", 1);
    o.proxy_url = (struct span){ 0 };
    o.proxy_from_environment = true;
    r = ask(c, &o);
    is_body(&r, "[]", "through the proxy of the environment");
    is_int(atomic_load(&proxy.n_connections), 2, "both reached it");
    o.url = URL("http://127.0.0.1:%u/echo", port_a);
    r = ask(c, &o);
    is_body(&r, SEEN("", "secret"), "never for loopback");
    o.url = URL("http://127.0.0.1:%u/echo", port_a);
    o.proxy_from_environment = false;
    setenv("http_proxy", env, 1);
    r = ask(c, &o);
    is_body(&r, SEEN("", "secret"), "the environment counts only when wanted");
    unsetenv("HTTP_PROXY");
    unsetenv("http_proxy");
    unsetenv("NO_PROXY");
    rawserver_stop(&proxy);
    ok(strstr(proxy.request, "GET http://sd.example/targets HTTP/1.1\r\n") != NULL,
       "a proxy is asked with the whole URL");
}
/* NOLINTEND(concurrency-mt-unsafe) */

static void test_tls(struct http_client *c)
{
    char *ca = testcert_pem(&authority, false), *wrong_ca = testcert_pem(&other_authority, false);
    char *cert = testcert_pem(&client_leaf, false), *key = testcert_pem(&client_leaf, true);
    struct http_request_options o = options_for(URL("https://127.0.0.1:%u/echo", port_tls));

    is_error(ask(c, &o), "ertificate", "an authority that is not the system's");
    o.tls.ca_pem = span_of(wrong_ca);
    is_error(ask(c, &o), "ertificate", "another authority");
    o.tls.ca_pem = span_of(ca);
    struct result r = ask(c, &o);
    is_body(&r, SEEN("", "secret"), "the right authority, an address as name");
    o.url = URL("https://localhost:%u/echo", port_tls);
    is_error(ask(c, &o), "", "a name the certificate does not have");
    o.tls.server_name = SPAN_LIT("sd.example");
    r = ask(c, &o);
    is_body(&r, SEEN("", "secret"), "server_name is what is verified");
    o.tls.server_name = SPAN_LIT("wrong.example");
    is_error(ask(c, &o), "", "a wrong server_name");
    o.tls.insecure_skip_verify = true;
    r = ask(c, &o);
    is_body(&r, SEEN("", "secret"), "insecure_skip_verify");
    o.tls = (struct http_client_tls){ .ca_pem = span_of(ca),
                                      .cert_pem = span_of(cert),
                                      .key_pem = span_of(key),
                                      .server_name = SPAN_LIT("sd.example"),
                                      .min_version = 0x0304 };
    r = ask(c, &o);
    ok(r.body != NULL && strstr(r.body, "verified=1") != NULL,
       "a client certificate reaches the server");
    mem_free(r.body);
    o.tls.max_version = 0x0303;
    o.tls.min_version = 0;
    o.enable_http2 = true; /* the server has none */
    r = ask(c, &o);
    ok(r.body != NULL && strstr(r.body, "verified=1") != NULL,
       "TLS 1.2, and ALPN falls back to HTTP/1.1");
    mem_free(r.body);
    o.tls.cert_pem = o.tls.key_pem = SPAN_LIT("nonsense");
    is_error(ask(c, &o), "", "a certificate that is none");
    OPENSSL_free(ca);
    OPENSSL_free(wrong_ca);
    OPENSSL_free(cert);
    OPENSSL_free(key);
}

static struct result ask_with(struct oauth2 *tokens, struct http_client *c,
                              const struct oauth2_config *config,
                              const struct http_request_options *o)
{
    struct result r = { 0 };

    role_enter(watcher);
    oauth2_send(tokens, config, o, on_done, &r);
    is_int(r.n_done, 0, "never told from within send");
    wait_for(c, &r);
    is_int(r.n_done, 1, "told once: %.*s", SPAN_ARG(config->token_url));
    return r;
}

static void test_oauth2(struct http_client *c)
{
    static const struct span scopes[] = { SPAN_LIT("read"), SPAN_LIT("a b") };
    struct http_request_options o = options_for(URL("http://127.0.0.1:%u/echo", port_a));
    struct oauth2_config config = { .token_url = URL("http://127.0.0.1:%u/token", port_a),
                                    .client_id = SPAN_LIT("i:d"),
                                    .client_secret = SPAN_LIT("s/"),
                                    .scopes = scopes,
                                    .n_scopes = 2,
                                    .endpoint_params = SPAN_LIT("audience=x") };
    struct oauth2 *tokens = oauth2_new(c);
    struct result r, two[2] = { 0 };

    role_enter(watcher);
    oauth2_send(tokens, &config, &o, on_done, &two[0]);
    oauth2_send(tokens, &config, &o, on_done, &two[1]);
    wait_for(c, &two[0]);
    wait_for(c, &two[1]);
    is_body(&two[0], SEEN("Bearer t0-read+a+b-Basic aSUzQWQ6cyUyRg==", "secret"),
            "a token, got with escaped Basic");
    is_body(&two[1], SEEN("Bearer t0-read+a+b-Basic aSUzQWQ6cyUyRg==", "secret"),
            "the other request waited for the same");
    r = ask_with(tokens, c, &config, &o);
    is_body(&r, SEEN("Bearer t0-read+a+b-Basic aSUzQWQ6cyUyRg==", "secret"), "and it is kept");
    is_int(atomic_load(&n_tokens), 1, "one token");

    config.token_url = URL("http://127.0.0.1:%u/token?short", port_a);
    r = ask_with(tokens, c, &config, &o);
    mem_free(r.body);
    r = ask_with(tokens, c, &config, &o);
    mem_free(r.body);
    is_int(atomic_load(&n_tokens), 3, "a token that ends within 10 s is got anew");

    config.token_url = URL("http://127.0.0.1:%u/token-body", port_a);
    r = ask_with(tokens, c, &config, &o);
    is_body(&r, SEEN("Bearer t3-read+a+b-", "secret"),
            "an endpoint that wants the credentials in the body");
    is_int(atomic_load(&n_basic_refused), 1, "after Basic was refused");
    config.token_url = URL("http://127.0.0.1:%u/503", port_a);
    is_error(ask_with(tokens, c, &config, &o), "oauth2: cannot fetch token: status 503",
             "no token");
    config.token_url = URL("http://127.0.0.1:%u/redirect/300", port_a);
    is_error(ask_with(tokens, c, &config, &o), "oauth2: cannot fetch token: status 300",
             "an answer that is none");
    config.token_url = URL("http://127.0.0.1:%u/echo", port_a);
    is_error(ask_with(tokens, c, &config, &o), "oauth2: cannot parse json",
             "no token in the answer");
    struct http_request *q = oauth2_send(tokens, &config, &o, on_done, &two[0]);
    oauth2_cancel(tokens, q);
    r = ask_with(tokens, c, &config, &o);
    mem_free(r.body);
    is_int(two[0].n_done, 1, "cancelled while the token was on its way");
    for (size_t gone = 0; gone < 3; gone++) { /* one of those that wait for the same token goes */
        struct result waiting[3] = { 0 };
        struct http_request *requests[3];
        for (size_t i = 0; i < 3; i++) {
            requests[i] = oauth2_send(tokens, &config, &o, on_done, &waiting[i]);
        }
        oauth2_cancel(tokens, requests[gone]);
        for (size_t i = 0; i < 3; i++) {
            if (i != gone) {
                wait_for(c, &waiting[i]);
                is_error(waiting[i], "oauth2: cannot parse json", "one that waits on");
            }
        }
        is_int(waiting[gone].n_done, 0, "number %zu was cancelled", gone);
    }
    oauth2_send(tokens, &config, &o, on_done, &two[0]); /* waits when the tokens are freed */
    oauth2_free(&tokens);
    http_client_poll(c, NULL, 0, 0);
    is_int(two[0].n_done, 1, "and so it is with the tokens");
}

/* How often the endpoint refuses Basic until it gives a token: once if it is not known yet. */
static unsigned refusals(struct oauth2 *tokens, struct http_client *c, struct span endpoint,
                         const char *id)
{
    struct http_request_options o = options_for(URL("http://127.0.0.1:%u/echo", port_a));
    const struct oauth2_config config = { .token_url = endpoint, .client_id = span_of(id) };
    unsigned n_before = atomic_load(&n_basic_refused);
    struct result r = ask_with(tokens, c, &config, &o);

    is_int(r.status, 200, "a token for %s", id);
    mem_free(r.body);
    return atomic_load(&n_basic_refused) - n_before;
}

/* What was learnt is kept with a token that has expired, but not when there are many. */
static void test_many_sources(struct http_client *c)
{
    enum { MANY = 256 };
    struct span expiring = URL("http://127.0.0.1:%u/token-body?short", port_a);
    struct span lasting = URL("http://127.0.0.1:%u/token-body", port_a);
    struct oauth2 *tokens = oauth2_new(c);
    unsigned n = 0;

    is_int(refusals(tokens, c, expiring, "e"), 1, "not known");
    is_int(refusals(tokens, c, lasting, "l"), 1, "nor this one");
    for (unsigned i = 2; i < MANY; i++) {
        char id[16];
        snprintf(id, sizeof(id), "%u", i);
        n += refusals(tokens, c, expiring, id);
    }
    is_int(n, MANY - 2, "nor any other");
    is_int(refusals(tokens, c, expiring, "e"), 0, "known, though its token has expired");
    is_int(refusals(tokens, c, expiring, "one more"), 1, "one more takes the room of the expired");
    is_int(refusals(tokens, c, lasting, "l"), 0, "what lasts stays");
    is_int(refusals(tokens, c, expiring, "e"), 1, "what had expired does not");
    oauth2_free(&tokens);
}

/* Costs nobody libcurl who sends nothing. */
static void test_silent(struct http_client *c)
{
    int bell = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
    struct pollfd fds[] = { { bell, POLLIN, 0 } };

    http_client_poll(c, fds, 1, 60000);
    is_int(fds[0].revents, POLLIN, "a client that sent nothing waits for others");
    ok(dlopen("libcurl.so.4", RTLD_NOW | RTLD_NOLOAD) == NULL, "and has not loaded libcurl");
    mem_close_fd(&bell);
}

int main(void)
{
    struct http_client *c = http_client_new();

    start_server();
    test_silent(c);
    test_request(c);
    test_redirects(c);
    test_errors(c);
    test_proxy(c);
    test_tls(c);
    test_oauth2(c);
    test_many_sources(c);
    test_reuse_and_cancel(c);
    http_client_free(&c);
    http_client_free(&c);
    stop_server();
    return check_done();
}
