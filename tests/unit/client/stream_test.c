/* Bodies that are read while they come: when they begin, in what pieces, and how they end; against
 * a server that sends what it was told to. */
#include "allocator/client/client.h"

#include "allocator/base/arena.h"
#include "allocator/base/clock.h"
#include "allocator/base/mem.h"
#include "allocator/codec/zlib.h"
#include "tests/check.h"
#include "tests/fake/rawserver.h"

#include <stdlib.h>

struct heard {
    int n_heads, status, retry_after_s;
    struct buf body;
    size_t most; /* bytes that are taken; then it says stop */
    bool is_done, was_sent;
    int response_status;
    char error[256];
};

static void on_head(void *arg, int status, int retry_after_s)
{
    struct heard *h = arg;

    h->n_heads++;
    h->status = status;
    h->retry_after_s = retry_after_s;
    ok(h->body.len == 0, "the head comes before the body");
}

static bool on_piece(void *arg, struct span piece)
{
    struct heard *h = arg;

    buf_add_span(&h->body, piece);
    return h->body.len <= h->most;
}

static void on_done(void *arg, struct http_response *r)
{
    struct heard *h = arg;

    h->is_done = true;
    h->response_status = r->status;
    h->was_sent = r->was_sent;
    ok(r->body->len == 0, "the body is not told twice");
    snprintf(h->error, sizeof(h->error), "%s", r->error == NULL ? "" : r->error);
}

static void ask(struct heard *h, unsigned port, bool wants_gzip, size_t most)
{
    static const struct http_stream stream = { on_head, on_piece };
    AUTO_STR url = mem_printf("http://127.0.0.1:%u/x", port);
    const struct http_request_options o = { .url = span_of(url),
                                            .timeout_ms = 20000,
                                            .connect_timeout_ms = 5000,
                                            .max_body_bytes = SIZE_MAX,
                                            .stream = &stream,
                                            .wants_gzip = wants_gzip,
                                            .is_long = true };
    struct http_client *client = http_client_new();

    *h = (struct heard){ .most = most };
    buf_init(&h->body, 1 << 20);
    (void)http_client_send(client, &o, on_done, h);
    for (int64_t until = clock_mono_ms() + 20000; !h->is_done && clock_mono_ms() < until;) {
        http_client_poll(client, NULL, 0, 1000);
    }
    ok(h->is_done, "it ends");
    http_client_free(&client);
}

#define HEAD "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
#define CHUNKED HEAD "Transfer-Encoding: chunked\r\n\r\n"

static void test_answers(void)
{
    static const struct {
        const char *bytes;
        int n_heads, status, retry_after_s;
        const char *body;
        bool is_well;
    } t[] = {
        { CHUNKED "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", 1, 200, 0, "abcde", true },
        { CHUNKED "3\r\nabc\r\n", 1, 200, 0, "abc", false },
        { CHUNKED, 1, 200, 0, "", false },
        { HEAD "Content-Length: 0\r\n\r\n", 1, 200, 0, "", true },
        { HEAD "Content-Length: 9\r\n\r\nabc", 1, 200, 0, "abc", false },
        { "HTTP/1.1 200 OK\r\nContent-Ty", 0, 0, 0, "", true }, /* libcurl finds nothing wrong */
        { "", 0, 0, 0, "", false },
        { "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" CHUNKED "1\r\na\r\n0\r\n\r\n", 1, 200, 0,
          "a", true },
        { CHUNKED "1\r\na\r\n0\r\nRetry-After: 9\r\n\r\n", 1, 200, 0, "a", true },
        { "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 17 \r\nContent-Length: 4\r\n\r\nbusy", 1,
          429, 17, "busy", true },
        { "HTTP/1.1 503 No\r\nretry-after: Fri, 31 Dec 1999 23:59:59 GMT\r\nContent-Length: "
          "0\r\n\r\n",
          1, 503, 0, "", true },
        { "HTTP/1.1 503 No\r\nRetry-After: 99999999999999\r\nContent-Length: 0\r\n\r\n", 1, 503,
          86400, "", true },
        { "HTTP/1.1 307 Elsewhere\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 1\r\n\r\nx",
          1, 307, 0, "x", true },
        { HEAD "Transfer-Encoding: gzip, chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", 0, 0, 0, "", false },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        struct rawserver server;
        struct heard h;
        rawserver_start(&server, span_of(t[i].bytes));
        ask(&h, server.port, false, SIZE_MAX);
        rawserver_stop(&server);
        is_int(h.n_heads, t[i].n_heads, "%s: told that it begins", t[i].bytes);
        is_int(h.status, t[i].status, "status");
        is_int(h.retry_after_s, t[i].retry_after_s, "when to come back");
        is_span(buf_span(&h.body), span_of(t[i].body), "body");
        is_int(h.error[0] == '\0', t[i].is_well, "error '%s'", h.error);
        ok(h.was_sent, "it was sent");
        ok(strstr(server.request, "Accept-Encoding") == NULL, "nothing compressed is asked for");
        buf_fini(&h.body);
    }
}

static void test_stop(void)
{
    struct rawserver server;
    struct heard h;

    rawserver_start(&server, SPAN_LIT(CHUNKED "3\r\nabc\r\n0\r\n\r\n"));
    ask(&h, server.port, false, 2);
    rawserver_stop(&server);
    ok(h.error[0] != '\0', "who says stop ends it: %s", h.error);
    buf_fini(&h.body);
}

static void test_no_connection(void)
{
    struct rawserver server;
    struct heard h;

    rawserver_start(&server, SPAN_LIT(""));
    rawserver_stop(&server);
    ask(&h, server.port, false, SIZE_MAX);
    ok(!h.was_sent && h.n_heads == 0 && h.error[0] != '\0', "nobody is there: %s", h.error);
    buf_fini(&h.body);
}

static void test_gzip(void)
{
    struct rawserver server;
    struct buf packed, answer;
    struct heard h;

    buf_init(&packed, 10000);
    buf_init(&answer, 10000);
    zlib_deflate_gzip(SPAN_LIT("{\"items\":[]}"), 1, &packed);
    buf_addf(&answer, HEAD "Content-Encoding: gzip\r\nContent-Length: %zu\r\n\r\n", packed.len);
    buf_add_span(&answer, buf_span(&packed));
    rawserver_start(&server, buf_span(&answer));
    ask(&h, server.port, true, SIZE_MAX);
    rawserver_stop(&server);
    is_span(buf_span(&h.body), SPAN_LIT("{\"items\":[]}"), "it is decoded");
    ok(strstr(server.request, "Accept-Encoding: gzip\r\n") != NULL, "and was asked for");
    buf_fini(&h.body);

    buf_clear(&answer);
    buf_addf(&answer, HEAD "Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n%zx\r\n",
             packed.len / 2);
    buf_add(&answer, packed.p, packed.len / 2);
    buf_add_str(&answer, "\r\n0\r\n\r\n");
    rawserver_start(&server, buf_span(&answer));
    ask(&h, server.port, true, SIZE_MAX);
    rawserver_stop(&server);
    ok(h.body.len < 12, "half of it is not all, whatever libcurl says: '%s'", h.error);
    buf_fini(&h.body);
    buf_fini(&packed);
    buf_fini(&answer);
}

int main(void)
{
    test_answers();
    test_stop();
    test_no_connection();
    test_gzip();
    return check_done();
}
