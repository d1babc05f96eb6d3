/* The server against plain bytes on loopback: what comes in reaches the handler as sent, what goes
 * out is exact, and every odd client costs one connection at most. */
#include "allocator/http/server.h"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdatomic.h>
#include <sys/resource.h>

#include "allocator/base/clock.h"
#include "allocator/base/limits.h"
#include "allocator/base/metric.h"
#include "tests/check.h"
#include "tests/fake/rawclient.h"

enum {
    PIECE_BYTES = 300, /* small: joined before they are sent */
    WIDE_BYTES = 2000, /* sent as they are */
    MANY_PIECES = 5000,
    FLOOD_PIECES = 60000,
    HOUR_MS = 3600 * 1000,
};

static atomic_uint n_pinned, n_released;
static atomic_uint n_handled;
static char piece[WIDE_BYTES];

static void on_release(void *arg)
{
    (void)arg;
    atomic_fetch_add(&n_released, 1);
}

static void reply_pinned(struct exchange *x, size_t n, size_t piece_bytes)
{
    struct iovec *v = arena_alloc(exchange_arena(x), n * sizeof(*v));

    for (size_t i = 0; i < n; i++) {
        v[i] = (struct iovec){ piece, piece_bytes };
    }
    atomic_fetch_add(&n_pinned, 1);
    const struct exchange_pieces pieces = {
        .v = v, .n = n, .bytes = n * piece_bytes, .release = on_release, .generation = 7
    };
    exchange_reply_pinned(x, 200, "application/json", &pieces);
}

/* /echo shows what the handler saw; /pinned and /flood answer from pieces. */
static void handle(struct exchange *x, void *arg)
{
    struct span path = exchange_path(x), query = exchange_query(x), method = exchange_method(x);
    struct span body = exchange_body(x), host = exchange_host(x),
                seen = exchange_header(x, "X-Seen");

    (void)arg;
    atomic_fetch_add(&n_handled, 1);
    if (span_is(path, "/pinned")) {
        reply_pinned(x, MANY_PIECES, PIECE_BYTES);
    } else if (span_is(path, "/wide")) {
        reply_pinned(x, MANY_PIECES, WIDE_BYTES);
    } else if (span_is(path, "/flood")) {
        reply_pinned(x, FLOOD_PIECES, PIECE_BYTES);
    } else if (span_is(path, "/copied")) {
        char *big = arena_zalloc(exchange_scratch(x), 7500000);
        exchange_reply(x, 200, "text/plain", (struct span){ big, 7500000 });
    } else if (span_is(path, "/none")) {
        atomic_fetch_add(&n_pinned, 1);
        const struct exchange_pieces none = { .release = on_release };
        exchange_reply_pinned(x, 200, NULL, &none);
    } else if (span_is(path, "/fail")) {
        exchange_fail(x, 400, "no such thing as '%s'", "x");
    } else if (span_is(path, "/unchanged")) {
        exchange_add_header(x, "ETag", SPAN_LIT("\"1\""));
        exchange_reply(x, 304, NULL, (struct span){ 0 });
    } else {
        char *text = arena_printf(exchange_scratch(x), "%.*s|%.*s|%.*s|%.*s|%.*s|%zu|%.*s",
                                  SPAN_ARG(method), SPAN_ARG(path), SPAN_ARG(query), SPAN_ARG(host),
                                  SPAN_ARG(seen), body.len, SPAN_ARG(exchange_peer(x)));
        exchange_add_header(x, "X-Kind", SPAN_LIT("echo\r\nInjected: 1"));
        exchange_reply(x, 200, "text/plain", span_of(text));
    }
}

static struct http_server *start(unsigned max_connections, int64_t request_timeout_ms,
                                 int64_t stalled_reader_ms)
{
    const struct http_listener listener = { .name = "http",
                                            .address = "127.0.0.1:0",
                                            .max_body_bytes = 65536,
                                            .request_timeout_ms = request_timeout_ms,
                                            .handler = handle };
    const struct http_server_options options = { .n_threads = 2,
                                                 .listeners = &listener,
                                                 .n_listeners = 1,
                                                 .max_connections = max_connections,
                                                 .stalled_reader_ms = stalled_reader_ms };
    struct http_server *s = NULL;
    struct err err = { 0 };

    ok(http_server_start(&options, &s, &err) == 0, "server starts %s", err.text);
    return s;
}

static void one(unsigned port, const char *request, int status, const char *body)
{
    struct rawclient c;
    size_t used = 0;

    raw_connect(&c, port);
    raw_say(&c, request);
    struct rawanswer a = raw_read(&c, &used, true);
    is_int(a.status, status, "status of %.60s", request);
    if (body != NULL) {
        is_span(a.body, span_of(body), "body of %.60s", request);
    }
    raw_close(&c);
}

static void test_what_the_handler_sees(unsigned port)
{
    one(port, "GET /echo HTTP/1.1\r\nHost: a\r\n\r\n", 200, "GET|/echo||a||0|127.0.0.1");
    one(port, "GET /e%2Fcho/../x?y=%20&z=? HTTP/1.1\r\nHost: a:80\r\nx-seen: yes \r\n\r\n", 200,
        "GET|/e%2Fcho/../x|y=%20&z=?|a:80|yes|0|127.0.0.1");
    one(port, "GET http://b.ns.svc/echo?q HTTP/1.1\r\nHost: a\r\n\r\n", 200,
        "GET|/echo|q|b.ns.svc||0|127.0.0.1");
    one(port, "GET http://b?q HTTP/1.1\r\nHost: a\r\n\r\n", 200, "GET|/|q|b||0|127.0.0.1");
    one(port, "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 200, "OPTIONS|*||a||0|127.0.0.1");
    one(port, "POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello", 200,
        "POST|/p||a||5|127.0.0.1");
    one(port,
        "POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        200, "POST|/p||a||3|127.0.0.1");
    one(port, "GET /fail HTTP/1.1\r\nHost: a\r\n\r\n", 400, "no such thing as 'x'\n");
    one(port, "GET /none HTTP/1.1\r\nHost: a\r\n\r\n", 200, "");
}

static void test_refusals(unsigned port)
{
    one(port, "nonsense\r\n\r\n", 400, NULL);
    one(port, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, NULL);
    one(port, "POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 65537\r\n\r\n", 413, NULL);
    one(port, "POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: abc\r\n\r\n", 400, NULL);
    one(port, "POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", 400, NULL);
    one(port, "POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400, NULL);
    /* No h2c upgrade: answered as HTTP/1.1. */
    one(port,
        "GET /echo HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
        "HTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n",
        200, "GET|/echo||a||0|127.0.0.1");
}

/* Nothing after such a request is taken for another one: the connection ends. */
static void test_ambiguous(unsigned port)
{
    static const char *const ambiguous[] = {
        "POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\nTransfer-Encoding: chunked\r\n\r\n"
        "1\r\nx\r\n0\r\n\r\n",
        "POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n"
        "0\r\n\r\n",
        "POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 0\r\n\r\nabc",
        "GET /echo HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "GET /echo HTTP/1.1\r\nHost: a\r\nX-Seen: a\r\n b\r\n\r\n",
    };

    for (size_t i = 0; i < COUNT(ambiguous); i++) {
        unsigned before = atomic_load(&n_handled);
        struct rawclient c;
        size_t used = 0;

        raw_connect(&c, port);
        raw_say(&c, "GET /echo HTTP/1.1\r\nHost: a\r\n\r\n");
        is_int(raw_read(&c, &used, true).status, 200, "a good request, and then");
        raw_say(&c, ambiguous[i]);
        raw_say(&c, "GET /echo HTTP/1.1\r\nHost: a\r\n\r\n");
        is_int(raw_read(&c, &used, true).status, 400, "400 for %s", ambiguous[i]);
        ok(raw_is_closed(&c, &used), "  and the end of the connection");
        is_int(atomic_load(&n_handled) - before, 1, "  handlers have seen one request");
        raw_close(&c);
    }
}

static void test_chunked_flood(unsigned port)
{
    struct rawclient c;
    size_t used = 0;
    struct {
        char size[8], data[4096], end[2];
    } chunk = { .size = { '0', '0', '1', '0', '0', '0', '\r', '\n' }, .end = { '\r', '\n' } };

    memset(chunk.data, 'x', sizeof(chunk.data));
    raw_connect(&c, port);
    raw_say(&c, "POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 32 && raw_send(&c, (const char *)&chunk, sizeof(chunk)); i++) {
    }
    is_int(raw_read(&c, &used, true).status, 413, "chunked body over the cap");
    raw_close(&c);
}

static void test_continue(unsigned port)
{
    struct rawclient c;
    size_t used = 0;

    raw_connect(&c, port);
    raw_say(&c, "POST /p HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    is_int(raw_read(&c, &used, true).status, 100, "Expect: 100-continue");
    raw_say(&c, "hello");
    is_span(raw_read(&c, &used, true).body, SPAN_LIT("POST|/p||a||5|127.0.0.1"), "  then the body");
    raw_say(&c, "POST /p HTTP/1.1\r\nHost: a\r\nExpect: more\r\nContent-Length: 5\r\n\r\n");
    is_int(raw_read(&c, &used, true).status, 417, "another expectation");
    raw_close(&c);
}

/* One header of 'size' bytes. */
static void check_big_header(unsigned port, size_t size, int status)
{
    struct rawclient c;
    size_t used = 0;
    AUTO_STR big = mem_zalloc(size + 1);

    memset(big, 'h', size);
    raw_connect(&c, port);
    raw_say(&c, "GET /echo HTTP/1.1\r\nHost: a\r\nX-Big: ");
    raw_say(&c, big);
    raw_say(&c, "\r\nX-Seen: still\r\n\r\n");
    struct rawanswer a = raw_read(&c, &used, true);
    is_int(a.status, status, "a header of %zu bytes", size);
    if (status == 200) {
        is_span(a.body, SPAN_LIT("GET|/echo||a|still|0|127.0.0.1"), "  is passed over");
    } else {
        ok(raw_is_closed(&c, &used), "  ends the connection");
    }
    raw_close(&c);
}

static void test_big_heads(unsigned port)
{
    struct rawclient c;
    size_t used = 0;

    check_big_header(port, 60 * KIB, 200);
    check_big_header(port, 64 * KIB, 431);
    check_big_header(port, 200 * KIB, 431);
    /* More than h2o's 100 headers. */
    raw_connect(&c, port);
    raw_say(&c, "GET /echo HTTP/1.1\r\n");
    for (int i = 0; i < 101; i++) {
        raw_say(&c, "A: b\r\n");
    }
    raw_say(&c, "\r\n");
    used = 0;
    is_int(raw_read(&c, &used, true).status, 400, "101 headers");
    raw_close(&c);
}

static void test_answer_headers(unsigned port)
{
    struct rawclient c;
    size_t used = 0;

    raw_connect(&c, port);
    raw_say(&c, "GET /echo HTTP/1.1\r\nHost: a\r\n\r\n");
    struct rawanswer a = raw_read(&c, &used, true);
    is_span(raw_header(a.head, "Content-Type"), SPAN_LIT("text/plain"), "content type as given");
    is_span(raw_header(a.head, "Connection"), SPAN_LIT("keep-alive"), "keep-alive");
    is_span(raw_header(a.head, "X-Kind"), SPAN_LIT("echo  Injected: 1"),
            "no line break in a header");
    is_span(raw_header(a.head, "Server"), (struct span){ 0 }, "no Server header");
    is_int(raw_header(a.head, "Date").len, 29, "Date");

    raw_say(&c, "HEAD /echo HTTP/1.1\r\nHost: a\r\n\r\nGET /unchanged HTTP/1.1\r\nHost: a\r\n\r\n");
    a = raw_read(&c, &used, false);
    is_int(a.status, 200, "HEAD");
    is_span(raw_header(a.head, "Content-Length"), SPAN_LIT("26"),
            "HEAD: length of the body that is left out");
    a = raw_read(&c, &used, true);
    is_int(a.status, 304, "next answer follows the head at once");
    is_span(raw_header(a.head, "Content-Length"), (struct span){ 0 }, "304: no Content-Length");
    is_span(raw_header(a.head, "ETag"), SPAN_LIT("\"1\""), "304: ETag");
    raw_close(&c);

    raw_connect(&c, port);
    raw_say(&c, "GET /echo HTTP/1.0\r\n\r\n");
    used = 0;
    a = raw_read(&c, &used, true);
    is_int(a.status, 200, "HTTP/1.0 without Host");
    ok(raw_is_closed(&c, &used), "HTTP/1.0: closed after the answer");
    raw_close(&c);
}

/* Ends when every pinned answer so far was released, or after ten seconds. */
static bool all_released(void)
{
    for (int64_t end = clock_mono_ms() + 10000; clock_mono_ms() < end;) {
        if (atomic_load(&n_released) == atomic_load(&n_pinned)) {
            return true;
        }
        poll(NULL, 0, 2);
    }
    return false;
}

/* Counts from zero; what earlier tests began has ended. */
static void count_anew(void)
{
    ok(all_released(), "everything before was released");
    atomic_store(&n_pinned, 0);
    atomic_store(&n_released, 0);
}

static void test_pipelining(unsigned port)
{
    struct rawclient c;
    size_t used = 0;
    unsigned n_good = 0;

    raw_connect(&c, port);
    for (int i = 0; i < 50; i++) {
        raw_say(&c, i % 2 == 0
                        ? "GET /echo?a HTTP/1.1\r\nHost: a\r\n\r\n"
                        : "POST /pinned HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc");
    }
    for (int i = 0; i < 50; i++) {
        struct rawanswer a = raw_read(&c, &used, true);
        n_good += a.status == 200 && (i % 2 == 0 ? span_is(a.body, "GET|/echo|a|a||0|127.0.0.1")
                                                 : a.body.len == (size_t)MANY_PIECES * PIECE_BYTES);
    }
    is_int(n_good, 50, "50 pipelined requests, answered in order");
    raw_close(&c);
}

static bool body_is_pieces(struct span body, size_t piece_bytes)
{
    for (size_t i = 0; i < body.len; i += piece_bytes) {
        if (memcmp(body.p + i, piece, piece_bytes) != 0) {
            return false;
        }
    }
    return true;
}

static void test_pinned(unsigned port)
{
    struct rawclient c;
    size_t used = 0;

    count_anew();
    raw_connect(&c, port);
    raw_say(&c, "GET /pinned HTTP/1.1\r\nHost: a\r\n\r\n");
    struct rawanswer a = raw_read(&c, &used, true);
    is_int(a.body.len, MANY_PIECES * PIECE_BYTES, "pinned: all bytes");
    ok(body_is_pieces(a.body, PIECE_BYTES), "pinned: the bytes of the pieces, in order");
    raw_say(&c, "GET /wide HTTP/1.1\r\nHost: a\r\n\r\n");
    a = raw_read(&c, &used, true);
    is_int(a.body.len, MANY_PIECES * WIDE_BYTES, "pinned: all bytes of wide pieces");
    ok(body_is_pieces(a.body, WIDE_BYTES), "pinned: wide pieces in order");
    raw_say(&c, "HEAD /pinned HTTP/1.1\r\nHost: a\r\n\r\n");
    a = raw_read(&c, &used, false);
    is_span(raw_header(a.head, "Content-Length"), SPAN_LIT("1500000"), "pinned: HEAD");
    ok(all_released(), "pinned: released after the last byte and after HEAD");
    raw_close(&c);
}

/* The client goes away, stops reading, or closes its writing half in the middle of an answer. */
static void test_pinned_cut(unsigned port)
{
    struct rawclient c;
    size_t used = 0;

    count_anew();
    for (int i = 0; i < 20; i++) {
        raw_connect(&c, port);
        raw_say(&c, "GET /flood HTTP/1.1\r\nHost: a\r\n\r\nGET /flood HTTP/1.1\r\nHost: a\r\n\r\n");
        raw_more(&c);
        raw_close(&c);
    }
    ok(all_released(), "cut: released when the client is gone");

    raw_connect(&c, port);
    raw_say(&c, "GET /flood HTTP/1.1\r\nHost: a\r\n\r\n");
    shutdown(c.fd, SHUT_WR);
    is_int(raw_read(&c, &used, true).body.len, FLOOD_PIECES * PIECE_BYTES,
           "half close: the answer still comes");
    ok(raw_is_closed(&c, &used), "half close: then the connection ends");
    ok(all_released(), "half close: released");
    ok(atomic_load(&n_pinned) > 20, "the flood was really asked for");
    raw_close(&c);
}

static void test_stalled_reader(void)
{
    struct http_server *s = start(0, 60000, 300);
    struct rawclient c;
    const int small = 4096;
    uint64_t before = metric_value(METRIC_SLOW_READERS);

    count_anew();
    raw_connect(&c, http_server_port(s, 0));
    setsockopt(c.fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
    raw_say(&c, "GET /flood HTTP/1.1\r\nHost: a\r\n\r\n");
    raw_more(&c);
    ok(all_released(), "a client that reads no further is cut");
    is_int(metric_value(METRIC_SLOW_READERS) - before, 1, "and counted, by the kernel or by us");
    raw_close(&c);
    http_server_stop(&s, 0);
}

/* Takes a little now and then, for ever: the kernel does not find that stalled. */
static void test_dripping_reader(bool is_hurried)
{
    struct http_server *s = start(0, 60000, is_hurried ? 2000 : 300);
    struct rawclient c;
    const int small = 4096;
    uint64_t before = metric_value(METRIC_SLOW_READERS);
    char bytes[512];
    int64_t end_ms = clock_mono_ms() + 45000;

    count_anew();
    raw_connect(&c, http_server_port(s, 0));
    setsockopt(c.fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
    raw_say(&c, "GET /flood HTTP/1.1\r\nHost: a\r\n\r\n");
    int64_t begun_ms = clock_mono_ms();
    while (recv(c.fd, bytes, sizeof(bytes), 0) > 0 &&
           atomic_load(&n_released) < atomic_load(&n_pinned) && clock_mono_ms() < end_ms) {
        poll(NULL, 0, 10);
        if (is_hurried) {
            http_server_hurry(s, 6);
            http_server_hurry(s, clock_mono_ms() - begun_ms < 1000 ? 6 : 7);
        }
    }
    ok(all_released(), "a client that reads too slowly is cut");
    is_int(metric_value(METRIC_SLOW_READERS) - before, 1, "and counted");
    int64_t took_ms = clock_mono_ms() - begun_ms;
    if (is_hurried) {
        ok(took_ms >= 1000, "what it pins is too old: in a hurry, after %lld ms",
           (long long)took_ms);
    }
    raw_close(&c);
    http_server_stop(&s, 0);
}

/* Many ask for much and read nothing: together they may hold so much. */
static void test_held_answers(void)
{
    const struct http_listener listener = { .name = "http",
                                            .address = "127.0.0.1:0",
                                            .max_body_bytes = 65536,
                                            .max_waiting_bytes = 16 << 20,
                                            .request_timeout_ms = 60000,
                                            .handler = handle };
    const struct http_server_options options = { .n_threads = 1,
                                                 .listeners = &listener,
                                                 .n_listeners = 1 };
    enum { N = 8 };
    struct http_server *s = NULL;
    struct err err = { 0 };
    struct rawclient c[N];
    const int small = 4096;
    uint64_t before = metric_value(METRIC_CONNECTIONS_REFUSED);

    ok(http_server_start(&options, &s, &err) == 0, "a server with a cap");
    for (size_t i = 0; i < N; i++) {
        raw_connect(&c[i], http_server_port(s, 0));
        setsockopt(c[i].fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
        raw_say(&c[i], "GET /copied HTTP/1.1\r\nHost: a\r\n\r\n");
    }
    for (int64_t end = clock_mono_ms() + 10000;
         metric_value(METRIC_CONNECTIONS_REFUSED) - before < N - 2 && clock_mono_ms() < end;) {
        poll(NULL, 0, 1);
    }
    is_int(metric_value(METRIC_CONNECTIONS_REFUSED) - before, N - 2,
           "two of 7.5 MB fit, the others go");
    one(http_server_port(s, 0), "GET /echo HTTP/1.1\r\nHost: a\r\n\r\n", 200, NULL);
    for (size_t i = 0; i < N; i++) {
        raw_close(&c[i]);
    }
    http_server_stop(&s, 0);
}

static void test_connection_cap(unsigned port)
{
    struct rawclient c[5];
    size_t used = 0;
    uint64_t before = metric_value(METRIC_CONNECTIONS_REFUSED);

    for (size_t i = 0; i < 4; i++) {
        raw_connect(&c[i], port);
        raw_say(&c[i], "GET /echo HTTP/1.1\r\nHost: a\r\n\r\n");
        used = 0;
        is_int(raw_read(&c[i], &used, true).status, 200, "connection %zu of 4", i + 1);
    }
    raw_connect(&c[4], port);
    used = 0;
    ok(raw_is_closed(&c[4], &used), "the fifth is closed at once");
    is_int(metric_value(METRIC_CONNECTIONS_REFUSED) - before, 1, "and counted");
    raw_close(&c[4]);
    raw_close(&c[0]);
    int status = 0;
    for (int64_t end = clock_mono_ms() + 10000; status != 200 && clock_mono_ms() < end;) {
        raw_connect(&c[4], port);
        raw_say(&c[4], "GET /echo HTTP/1.1\r\nHost: a\r\n\r\n");
        used = 0;
        status = raw_read(&c[4], &used, true).status;
        raw_close(&c[4]);
    }
    is_int(status, 200, "a place that became free is used");
    for (size_t i = 1; i < 4; i++) {
        raw_close(&c[i]);
    }
}

/* Many half requests: together they may have so much and no more, and who sends little is kept. */
static void test_waiting_bytes(void)
{
    const struct http_listener listener = { .name = "http",
                                            .address = "127.0.0.1:0",
                                            .max_body_bytes = 65536,
                                            .max_waiting_bytes = 300000,
                                            .request_timeout_ms = 60000,
                                            .handler = handle };
    const struct http_server_options options = { .n_threads = 1,
                                                 .listeners = &listener,
                                                 .n_listeners = 1 };
    enum { N = 12, PART = 50000, FITS = 5 };
    AUTO_STR part = mem_zalloc(PART + 1);
    struct http_server *s = NULL;
    struct err err = { 0 };
    struct rawclient small, c[N];
    size_t used = 0, n_cut = 0, n_served = 0;
    uint64_t refused = metric_value(METRIC_CONNECTIONS_REFUSED);
    static const char head[] = "POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 50001\r\n\r\n";

    memset(part, 'x', PART);
    ok(http_server_start(&options, &s, &err) == 0, "a server with a cap on waiting bytes");
    raw_connect(&small, http_server_port(s, 0));
    raw_say(&small, "POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhell");
    for (size_t i = 0; i < N; i++) {
        raw_connect(&c[i], http_server_port(s, 0));
        raw_say(&c[i], head);
        raw_say(&c[i], part);
    }
    /* 600,000 bytes are on their way, and no event but the last of them tells the server to look.
     */
    for (int64_t end = clock_mono_ms() + 10000;
         metric_value(METRIC_CONNECTIONS_REFUSED) - refused < N - FITS && clock_mono_ms() < end;) {
        poll(NULL, 0, 1);
    }
    for (size_t i = 0; i < N; i++) {
        used = 0;
        raw_say(&c[i], "x");
        int status = raw_read(&c[i], &used, true).status;
        n_served += status == 200;
        n_cut += status == 0;
        raw_close(&c[i]);
    }
    is_int(n_served, FITS, "as many halves as fit are completed");
    is_int(n_cut, N - n_served, "the others are cut");
    is_int(metric_value(METRIC_CONNECTIONS_REFUSED) - refused, (long long)n_cut, "and counted");
    raw_say(&small, "o");
    used = 0;
    is_span(raw_read(&small, &used, true).body, SPAN_LIT("POST|/p||a||5|127.0.0.1"),
            "who has sent little is not touched");
    raw_close(&small);
    http_server_stop(&s, 0);
}

/* Every descriptor is taken: who connects is turned away instead of waking the loop for ever. */
static void test_no_descriptor(unsigned port)
{
    enum { LIMIT = 256 };
    const struct sockaddr_in to = { .sin_family = AF_INET,
                                    .sin_port = htons((uint16_t)port),
                                    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct rawclient c = { .fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) };
    const struct timeval patience = { .tv_sec = 10 };
    struct rlimit before, tight;
    int taken[LIMIT], n = 0;
    uint64_t refused = metric_value(METRIC_CONNECTIONS_REFUSED);

    setsockopt(c.fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    getrlimit(RLIMIT_NOFILE, &before);
    tight = (struct rlimit){ .rlim_cur = LIMIT, .rlim_max = before.rlim_max };
    setrlimit(RLIMIT_NOFILE, &tight);
    while (n < LIMIT && (taken[n] = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0) {
        n++;
    }
    is_int(connect(c.fd, (const struct sockaddr *)(const void *)&to, sizeof(to)), 0, "connected");
    ok(raw_is_closed(&c, &(size_t){ 0 }), "no descriptor left: closed at once");
    is_int(metric_value(METRIC_CONNECTIONS_REFUSED) - refused, 1, "and counted");
    while (n > 0) {
        close(taken[--n]);
    }
    setrlimit(RLIMIT_NOFILE, &before);
    raw_close(&c);
    one(port, "GET /echo HTTP/1.1\r\nHost: a\r\n\r\n", 200, "GET|/echo||a||0|127.0.0.1");
}

static int64_t cpu_us(void)
{
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000LL + u.ru_utime.tv_usec +
           u.ru_stime.tv_usec;
}

/* Not even the spare descriptor can be had, as after prlimit: who connects waits, and the loop does
 * not turn without end. */
static void test_no_spare(unsigned port)
{
    struct rawclient c = { .fd = -1 };
    struct rlimit before, none;
    size_t used = 0;
    const struct sockaddr_in to = { .sin_family = AF_INET,
                                    .sin_port = htons((uint16_t)port),
                                    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

    c.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    getrlimit(RLIMIT_NOFILE, &before);
    none = (struct rlimit){ .rlim_cur = 3, .rlim_max = before.rlim_max };
    setrlimit(RLIMIT_NOFILE, &none);
    is_int(connect(c.fd, (const struct sockaddr *)(const void *)&to, sizeof(to)), 0, "connected");
    raw_say(&c, "GET /echo HTTP/1.1\r\nHost: a\r\n\r\n");
    int64_t begin_us = cpu_us();
    poll(NULL, 0, 500);
    int64_t spent_us = cpu_us() - begin_us;
    ok(spent_us < 100000, "half a second of waiting costs %lld us", (long long)spent_us);
    setrlimit(RLIMIT_NOFILE, &before);
    int status = raw_read(&c, &used, true).status;
    raw_close(&c);
    if (status == 0) {
        /* Refused: the descriptors came back between the failed accept and the spare one's use. */
        raw_connect(&c, port);
        raw_say(&c, "GET /echo HTTP/1.1\r\nHost: a\r\n\r\n");
        used = 0;
        status = raw_read(&c, &used, true).status;
        raw_close(&c);
    }
    is_int(status, 200, "served when there are descriptors again");
}

/* One address takes all it can get: the last places are for others. */
static void test_last_places(void)
{
    enum { PLACES = 64, KEPT = PLACES / 16 };
    struct http_server *s = start(PLACES, 60000, 0);
    struct rawclient c[PLACES];
    const struct sockaddr_in to = { .sin_family = AF_INET,
                                    .sin_port = htons((uint16_t)http_server_port(s, 0)),
                                    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    enum { OTHERS = 3 };
    struct rawclient other[OTHERS] = { 0 };
    size_t n = 0, n_others = 0, used = 0;

    for (size_t i = 0; i < PLACES; i++) {
        raw_connect(&c[i], http_server_port(s, 0));
        raw_say(&c[i], "GET /echo HTTP/1.1\r\nHost: a\r\n\r\n");
        used = 0;
        n += raw_read(&c[i], &used, true).status == 200;
    }
    is_int(n, PLACES - KEPT, "one address gets all but the last places");
    for (size_t i = 0; i < OTHERS; i++) {
        const struct sockaddr_in from = { .sin_family = AF_INET,
                                          .sin_addr.s_addr =
                                              htonl(INADDR_LOOPBACK + 1 + (uint32_t)i) };

        other[i].fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        ok(bind(other[i].fd, (const void *)&from, sizeof(from)) == 0 &&
               connect(other[i].fd, (const void *)&to, sizeof(to)) == 0,
           "another address connects");
        raw_say(&other[i], "GET /echo HTTP/1.1\r\nHost: a\r\n\r\n");
        used = 0;
        n_others += raw_read(&other[i], &used, true).status == 200;
    }
    /* One in a thousand addresses shares the first one's bucket, other ones in each process. */
    ok(n_others + 1 >= OTHERS, "%zu of %d others are served", n_others, OTHERS);
    for (size_t i = 0; i < OTHERS; i++) {
        raw_close(&other[i]);
    }
    for (size_t i = 0; i < PLACES; i++) {
        raw_close(&c[i]);
    }
    http_server_stop(&s, 0);
}

static void test_slow_clients(void)
{
    struct http_server *s = start(0, 200, 0);
    static const char *const starts[] = {
        "", "GET /ec", "GET /echo HTTP/1.1\r\nHost: a\r\n",
        "POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab"
    };

    for (size_t i = 0; i < COUNT(starts); i++) {
        struct rawclient c;
        size_t used = 0;

        raw_connect(&c, http_server_port(s, 0));
        raw_say(&c, starts[i]);
        ok(raw_is_closed(&c, &used), "cut when it never completes: '%.20s'", starts[i]);
        raw_close(&c);
    }
    http_server_stop(&s, 0);
}

static atomic_uint order[2];
static atomic_uint n_disordered;

static void note_order(unsigned thread, void *arg)
{
    if (atomic_exchange(&order[thread], (unsigned)(uintptr_t)arg) + 1 != (unsigned)(uintptr_t)arg) {
        atomic_fetch_add(&n_disordered, 1);
    }
}

static void test_broadcast(struct http_server *s)
{
    for (uintptr_t i = 1; i <= 1000; i++) {
        http_server_broadcast(s, note_order, (void *)i);
    }
    for (int64_t end = clock_mono_ms() + 10000;
         (atomic_load(&order[0]) < 1000 || atomic_load(&order[1]) < 1000) &&
         clock_mono_ms() < end;) {
        poll(NULL, 0, 1);
    }
    is_int(atomic_load(&order[0]), 1000, "all messages reached thread 0");
    is_int(atomic_load(&order[1]), 1000, "all messages reached thread 1");
    is_int(atomic_load(&n_disordered), 0, "in order, once each");
}

static void *stop_main(void *server)
{
    http_server_stop(server, HOUR_MS);
    return NULL;
}

static void test_drain_and_stop(void)
{
    struct http_server *s = start(0, HOUR_MS, HOUR_MS);
    unsigned port = http_server_port(s, 0);
    struct rawclient idle, busy;
    size_t used = 0;

    raw_connect(&idle, port);
    raw_say(&idle, "GET /echo HTTP/1.1\r\nHost: a\r\n\r\n");
    raw_read(&idle, &used, true);
    http_server_drain(s);
    atomic_store(&order[0], 0);
    atomic_store(&order[1], 0);
    atomic_store(&n_disordered, 0);
    test_broadcast(s); /* after the drain in the queue of each thread */
    raw_say(&idle, "GET /echo HTTP/1.1\r\nHost: a\r\n\r\n");
    struct rawanswer a = raw_read(&idle, &used, true);
    is_span(raw_header(a.head, "Connection"), SPAN_LIT("close"),
            "drain: the next answer says close");
    ok(raw_is_closed(&idle, &used), "drain: and the connection ends");
    raw_close(&idle);

    /* An idle connection must not hold the stop; a request under way is answered. */
    raw_connect(&idle, port);
    raw_connect(&busy, port);
    used = 0;
    count_anew();
    raw_say(&busy, "GET /flood HTTP/1.1\r\nHost: a\r\n\r\n");
    raw_more(&busy);
    pthread_t stopper;
    struct err err;
    ok(thread_start(&stopper, "stopper", stop_main, &s, &err) == 0, "stopping");
    ok(raw_is_closed(&idle, &(size_t){ 0 }), "stop: idle connections are closed");
    a = raw_read(&busy, &used, true);
    is_int(a.body.len, FLOOD_PIECES * PIECE_BYTES, "stop: the answer under way is complete");
    alarm(300); /* that it ends long before its hour is over is the check */
    thread_join(stopper);
    alarm(0);
    is_int(atomic_load(&n_released), 1, "stop: everything was released");
    raw_close(&idle);
    raw_close(&busy);
    raw_connect(&busy, port);
    is_int(busy.fd, -1, "stop: nobody listens any more");
}

/* Nobody reads, and the grace period is over: the stop cuts the connection. */
static void test_stop_cuts(void)
{
    struct http_server *s = start(0, 60000, 0);
    struct rawclient stuck;

    count_anew();
    raw_connect(&stuck, http_server_port(s, 0));
    raw_say(&stuck, "GET /flood HTTP/1.1\r\nHost: a\r\n\r\n");
    raw_more(&stuck);
    http_server_stop(&s, 1);
    is_int(atomic_load(&n_released), atomic_load(&n_pinned), "cut by the stop: released");
    raw_close(&stuck);
}

static void test_start_errors(void)
{
    struct http_server *s = start(0, 1000, 0), *other = NULL;
    char address[64];
    struct http_listener bad = {
        .name = "second", .address = address, .handler = handle, .request_timeout_ms = 1000
    };
    const struct http_server_options options = { .n_threads = 1,
                                                 .listeners = &bad,
                                                 .n_listeners = 1 };
    struct err err = { 0 };

    snprintf(address, sizeof(address), "127.0.0.1:%u", http_server_port(s, 0));
    is_int(http_server_start(&options, &other, &err), ERR_IO, "the port is taken");
    char want[160];
    snprintf(want, sizeof(want), "listener second: cannot listen on %s: Address already in use",
             address);
    is_str(err.text, want, "and the text names listener and address");
    static const char *const wrong[] = { "localhost", "1.2.3.4:", "x:99999999", "[::1]",
                                         "1.2.3.4:x" };
    for (size_t i = 0; i < COUNT(wrong); i++) {
        bad.address = wrong[i];
        is_int(http_server_start(&options, &other, &err), ERR_INVALID, "'%s' is no address: %s",
               wrong[i], err.text);
    }
    bad.address = ":0";
    ok(http_server_start(&options, &other, &err) == 0, "':0' listens on every address");
    one(http_server_port(other, 0), "GET /echo HTTP/1.1\r\nHost: a\r\n\r\n", 200,
        "GET|/echo||a||0|127.0.0.1");
    http_server_stop(&other, 0);
    http_server_stop(&s, 0);
}

int main(void)
{
    for (size_t i = 0; i < sizeof(piece); i++) {
        piece[i] = (char)(i * 31 + i / 256);
    }
    struct http_server *s = start(0, 60000, 0);
    unsigned port = http_server_port(s, 0);

    is_int(http_server_threads(s), 2, "two threads");
    test_what_the_handler_sees(port);
    test_refusals(port);
    test_ambiguous(port);
    test_chunked_flood(port);
    test_continue(port);
    test_big_heads(port);
    test_answer_headers(port);
    test_pipelining(port);
    test_pinned(port);
    test_pinned_cut(port);
    test_broadcast(s);
    http_server_stop(&s, 1000);
    ok(s == NULL, "stopped");
    s = start(0, 60000, 0); /* nothing of it is being closed while descriptors are counted */
    test_no_descriptor(http_server_port(s, 0));
    test_no_spare(http_server_port(s, 0));
    http_server_stop(&s, 1000);

    s = start(4, 60000, 0);
    test_connection_cap(http_server_port(s, 0));
    http_server_stop(&s, 1000);
    test_last_places();
    test_waiting_bytes();
    test_slow_clients();
    test_stalled_reader();
    test_dripping_reader(false);
    test_dripping_reader(true);
    test_held_answers();
    test_drain_and_stop();
    test_stop_cuts();
    test_start_errors();
    return check_done();
}
