/* What a handler is told of a request, and the very bytes of what it answers. */
#include "allocator/http/server.h"

#include "allocator/base/limits.h"
#include "allocator/base/log.h"
#include "allocator/base/metric.h"
#include "tests/check.h"
#include "tests/fake/rawclient.h"

#include <stdatomic.h>

enum { LONGEST_FAILURE = 510 }; /* and its newline */

static char bytes[70000];

/* The number after the name of a parameter of one letter. */
static size_t number(struct exchange *x, char name)
{
    struct span query = exchange_query(x);
    const char *at = memchr(query.p, name, query.len);

    return at == NULL ? 0 : strtoul(at + 1, NULL, 10);
}

static void reply_pieces(struct exchange *x, size_t n, size_t size)
{
    struct iovec *v = arena_alloc(exchange_arena(x), n * sizeof(*v));

    for (size_t i = 0; i < n; i++) {
        v[i] = (struct iovec){ bytes + i, size };
    }
    const struct exchange_pieces pieces = { .v = v, .n = n, .bytes = n * size };
    exchange_reply_pinned(x, 200, NULL, &pieces);
}

static void handle(struct exchange *x, void *arg)
{
    struct span path = exchange_path(x);

    (void)arg;
    if (span_is(path, "/fail")) {
        exchange_fail(x, 400, "%.*s", (int)number(x, 'n'), bytes);
    } else if (span_is(path, "/pieces")) {
        reply_pieces(x, number(x, 'n'), number(x, 's'));
    } else if (span_is(path, "/header")) {
        char value[] = { 'a', (char)number(x, 'c'), 'z' };
        exchange_add_header(x, "X-Kind", span_make(value, sizeof(value)));
        exchange_add_header(x, "X-Empty", SPAN_LIT(""));
        exchange_reply(x, (int)number(x, 's'), NULL, SPAN_LIT("body"));
    } else if (span_is(path, "/names")) {
        /* the same arena, each time it is asked for */
        struct arena *first = exchange_arena(x), *second = exchange_arena(x);
        bool is_same = first == second;
        char *text = arena_printf(
            exchange_arena(x), "%.*s|%.*s|%.*s|%.*s|%d", SPAN_ARG(exchange_header(x, "X-ABYZ")),
            SPAN_ARG(exchange_header(x, "x-abyz")), SPAN_ARG(exchange_header(x, "USER-AGENT")),
            SPAN_ARG(exchange_header(x, "X-None")), is_same);
        exchange_reply(x, 200, "text/plain", span_of(text));
    } else {
        exchange_reply(x, 200, NULL, exchange_peer(x));
    }
}

static unsigned port;

/* What comes back over one connection of its own. */
static void ask(struct rawclient *c, struct rawanswer *a, const char *fmt, ...) PRINTF_LIKE(3, 4);
static void ask(struct rawclient *c, struct rawanswer *a, const char *fmt, ...)
{
    char path[128];
    va_list ap;
    size_t used = 0;

    va_start(ap, fmt);
    vsnprintf(path, sizeof(path), fmt, ap);
    va_end(ap);
    AUTO_STR request = mem_printf("GET %s HTTP/1.1\r\nHost: a\r\n\r\n", path);
    raw_connect(c, port);
    raw_say(c, request);
    *a = raw_read(c, &used, true);
}

static void test_names(void)
{
    struct rawclient c;
    size_t used = 0;

    raw_connect(&c, port);
    raw_say(
        &c,
        "GET /names HTTP/1.1\r\nHost: a\r\nx-AbYz: 1\r\nX-aby: no\r\nuser-AGENT:  me\t\r\n\r\n");
    is_span(raw_read(&c, &used, true).body, SPAN_LIT("1|1|me||1"),
            "a name is found in any case, its value without blanks; what is not there is empty");
    raw_close(&c);
}

/* One sentence and a newline, however long. */
static void test_fail(void)
{
    static const size_t sizes[] = {
        0, 1, LONGEST_FAILURE - 1, LONGEST_FAILURE, LONGEST_FAILURE + 1, LONGEST_FAILURE + 2, 5000
    };

    for (size_t i = 0; i < COUNT(sizes); i++) {
        size_t len = sizes[i] < LONGEST_FAILURE ? sizes[i] : LONGEST_FAILURE;
        struct rawclient c;
        struct rawanswer a;
        ask(&c, &a, "/fail?n%zu", sizes[i]);
        is_int(a.status, 400, "a failure told in %zu bytes", sizes[i]);
        ok(a.body.len == len + 1 && memcmp(a.body.p, bytes, len) == 0 && a.body.p[len] == '\n',
           "  is shown with its first %zu", len);
        is_span(raw_header(a.head, "Content-Type"), SPAN_LIT("text/plain; charset=utf-8"),
                "  as text");
        raw_close(&c);
    }
}

/* No control character reaches a header. */
static void test_headers(void)
{
    static const int characters[] = { 1, '\t', '\n', '\r', 0x1f, ' ', '!', 0x7e, 0x80, 0xff };

    for (size_t i = 0; i < COUNT(characters); i++) {
        const char want[] = { 'a', (char)(characters[i] < ' ' ? ' ' : characters[i]), 'z' };
        struct rawclient c;
        struct rawanswer a;
        ask(&c, &a, "/header?c%ds200", characters[i]);
        is_span(raw_header(a.head, "X-Kind"), span_make(want, sizeof(want)), "character %d",
                characters[i]);
        ok(memmem(a.head.p, a.head.len, "\r\nX-Empty: \r\n", 13) != NULL, "beside an empty value");
        raw_close(&c);
    }
}

/* Those that have no body say nothing of its length. */
static void test_statuses(void)
{
    static const struct {
        int status;
        bool has_body;
        const char *line;
    } t[] = {
        { 200, true, "HTTP/1.1 200 OK\r\n" },
        { 204, false, "HTTP/1.1 204 No Content\r\n" },
        { 205, true, "HTTP/1.1 205 " },
        { 303, true, "HTTP/1.1 303 " },
        { 304, false, "HTTP/1.1 304 Not Modified\r\n" },
        { 305, true, "HTTP/1.1 305 " },
        { 404, true, "HTTP/1.1 404 Not Found\r\n" },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        struct rawclient c;
        struct rawanswer a;
        ask(&c, &a, "/header?c65s%d", t[i].status);
        ok(span_has_prefix(a.head, t[i].line), "%d: '%.*s'", t[i].status, 30, a.head.p);
        is_span(a.body, t[i].has_body ? SPAN_LIT("body") : SPAN_LIT(""), "  its body");
        is_span(raw_header(a.head, "Content-Length"),
                t[i].has_body ? SPAN_LIT("4") : (struct span){ 0 }, "  its length");
        raw_close(&c);
    }
}

/* However many pieces of whatever size: the bytes are theirs, in order. */
static void test_pieces(void)
{
    static const size_t counts[] = { 1, 2, 63, 64, 65, 511, 512, 513, 1024, 1025 };
    static const size_t sizes[] = { 1, 300, 1023, 1024, 1025 };

    for (size_t i = 0; i < COUNT(counts) * COUNT(sizes); i++) {
        size_t n = counts[i / COUNT(sizes)], size = sizes[i % COUNT(sizes)], n_wrong = 0;
        struct rawclient c;
        struct rawanswer a;
        ask(&c, &a, "/pieces?n%zus%zu", n, size);
        is_int(a.body.len, n * size, "%zu pieces of %zu bytes", n, size);
        for (size_t k = 0; k < n && a.body.len == n * size; k++) {
            n_wrong += memcmp(a.body.p + k * size, bytes + k, size) != 0;
        }
        is_int(n_wrong, 0, "  as they are");
        raw_close(&c);
    }
}

/* As the peer's address is written, whichever family it came by. */
static void test_peers(struct http_server *s)
{
    const struct sockaddr_in6 to = { .sin6_family = AF_INET6,
                                     .sin6_port = htons((uint16_t)http_server_port(s, 1)),
                                     .sin6_addr = IN6ADDR_LOOPBACK_INIT };
    struct rawclient c;
    struct rawanswer a;
    size_t used = 0;

    ask(&c, &a, "/");
    is_span(a.body, SPAN_LIT("127.0.0.1"), "IPv4");
    raw_close(&c);
    raw_connect(&c, http_server_port(s, 1));
    raw_say(&c, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    is_span(raw_read(&c, &used, true).body, SPAN_LIT("127.0.0.1"), "IPv4 on a socket of both");
    raw_close(&c);
    c = (struct rawclient){ .fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0) };
    if (connect(c.fd, (const struct sockaddr *)(const void *)&to, sizeof(to)) == 0) {
        used = 0;
        raw_say(&c, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        is_span(raw_read(&c, &used, true).body, SPAN_LIT("::1"), "IPv6");
    } else {
        check_note("this kernel has no IPv6");
    }
    raw_close(&c);
}

int main(void)
{
    const struct http_listener listeners[] = {
        { .name = "v4", .address = "127.0.0.1:0", .request_timeout_ms = 60000, .handler = handle },
        { .name = "all", .address = ":0", .request_timeout_ms = 60000, .handler = handle },
    };
    const struct http_server_options options = { .n_threads = 1,
                                                 .listeners = listeners,
                                                 .n_listeners = COUNT(listeners) };
    struct http_server *s = NULL;
    struct err err = { 0 };

    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = "0123456789abcdefghijklmnopqrstuvwxyz"[i * i % 35];
    }
    ok(http_server_start(&options, &s, &err) == 0, "server starts %s", err.text);
    port = http_server_port(s, 0);
    test_names();
    test_fail();
    test_headers();
    test_statuses();
    test_pieces();
    test_peers(s);
    is_int(log_count(LOG_WARN), 0, "nothing of this is worth a warning");
    is_int(metric_value(METRIC_CONNECTIONS_REFUSED), 0, "and nobody was refused");
    http_server_stop(&s, 1000);
    return check_done();
}
