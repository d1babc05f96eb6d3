/* URLs against a server that always says the same, or nothing. */
#include "allocator/watch/httppoll.h"

#include "allocator/base/clock.h"
#include "allocator/base/container.h"
#include "allocator/base/log.h"
#include "allocator/base/mem.h"
#include "allocator/watch/carriers.h"
#include "tests/check.h"
#include "tests/fake/rawserver.h"

#include <poll.h>
#include <stdio.h>

#define ANSWER(status, type, body)                                                                 \
    SPAN_LIT("HTTP/1.1 " status " X\r\nContent-Type: " type "\r\nConnection: close\r\n\r\n" body)

struct rig {
    struct rawserver server;
    struct http_client *client;
    struct carriers carriers;
    struct mailbox *engine;
};

static void open_rig(struct rig *r, struct span answer)
{
    rawserver_start(&r->server, answer);
    r->client = http_client_new();
    r->engine = mailbox_new(0);
    carriers_init(&r->carriers);
    carriers_put(&r->carriers, httppoll_new(r->client));
    carriers_connect(&r->carriers, r->engine);
}

static void close_rig(struct rig *r)
{
    carriers_fini(&r->carriers);
    http_client_free(&r->client);
    rawserver_stop(&r->server);
    mailbox_free(&r->engine);
}

static void want_every(struct rig *r, uint64_t id, int64_t refresh_ms, struct httpconfig *client,
                       const char *body_type)
{
    AUTO_STR url = mem_printf("http://user:pw@127.0.0.1:%u/sd", r->server.port);
    struct ask_header header = { SPAN_LIT("X-Interval"), SPAN_LIT("60") };
    const struct ask ask = { .carrier = CARRIER_HTTP,
                             .refresh_ms = refresh_ms,
                             .http = { .url = span_of(url),
                                       .client = client,
                                       .headers = &header,
                                       .n_headers = 1,
                                       .body_type = span_of(body_type) } };

    ok(carriers_take(&r->carriers, &want_new(id, &ask)->mail, clock_mono_ms()), "a want");
}

static void want(struct rig *r, struct httpconfig *client, const char *body_type)
{
    want_every(r, 1, 60000, client, body_type);
}

static void change(struct rig *r, enum watcher_mail kind, int64_t now_ms)
{
    ok(carriers_take(&r->carriers, &want_change_new(kind, 1)->mail, now_ms), "a change of it");
}

/* What the engine was told until it was told that all was tried: '+' body, '!' failure, '.'; at
 * most one answer of the server. */
static const char *told(struct rig *r, size_t n_expected)
{
    static char text[512];
    int64_t end_ms = clock_mono_ms() + 20000;
    size_t len = 0, n = 0;

    text[0] = '\0';
    while (n < n_expected && clock_mono_ms() < end_ms) {
        struct pollfd fd = { .fd = mailbox_fd(r->engine), .events = POLLIN };
        http_client_poll(r->client, &fd, 1, 100);
        for (struct mail *mail = mailbox_drain(r->engine), *next; mail != NULL; mail = next) {
            const struct arrival *a = CONTAINER_OF(mail, struct arrival, mail);
            next = mail->next;
            n++;
            len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%.*s",
                                    a->status == ARRIVAL_OK       ? "+"
                                    : a->status == ARRIVAL_FAILED ? "!"
                                                                  : ".",
                                    (int)a->body_len, a->body == NULL ? "" : a->body);
            mail->dispose(mail);
        }
    }
    return text;
}

static void tick(struct rig *r, int64_t now_ms)
{
    carriers_tick(&r->carriers, now_ms);
}

static int64_t due(const struct rig *r)
{
    return carriers_deadline_ms(&r->carriers);
}

static void test_answers(void)
{
    struct httpconfig client = { .follow_redirects = true };
    struct rig r;

    open_rig(&r, ANSWER("200", "application/json; charset=utf-8", "[]"));
    int64_t start_ms = clock_mono_ms();
    want(&r, &client, "application/json");
    int64_t asked_ms = clock_mono_ms();
    is_int(due(&r), INT64_MAX, "one request at a time");
    is_str(told(&r, 2), "+[].", "the first answer");
    ok(due(&r) >= start_ms + 60000 && due(&r) <= asked_ms + 60000, "the next in a minute");
    tick(&r, start_ms + 1000);
    is_int(r.server.n_connections, 1, "not earlier");
    tick(&r, due(&r));
    change(&r, WATCHER_WANT_REFRESH, clock_mono_ms());
    is_str(told(&r, 2), "+[].", "the same is news to those who ask");
    is_int(r.server.n_connections, 2, "and they ask with the one that was due");
    tick(&r, due(&r));
    change(&r, WATCHER_WANT_REDELIVER, 0);
    is_str(told(&r, 1), "+[]", "what could not be read is told again");
    tick(&r, due(&r));
    change(&r, WATCHER_WANT_CANCEL, 0);
    is_str(told(&r, 0), "", "cancelled under way");
    close_rig(&r);
    ok(strstr(r.server.request, "\r\nAccept: application/json\r\n") != NULL, "asks for the type");
    ok(strstr(r.server.request, "\r\nX-Interval: 60\r\n") != NULL, "with the ask's header");
    ok(strstr(r.server.request, "\r\nUser-Agent: Prometheus/") != NULL, "as Prometheus");
}

static void test_refused(void)
{
    static const struct {
        struct span answer;
        const char *body_type, *told;
    } t[] = {
        { ANSWER("200", "application/json", "[]"), "application/json", "+[]." },
        { ANSWER("200", "Application/JSON;charset=\"utf-8\"", "[]"), "application/json", "+[]." },
        { ANSWER("200", "application/json; charset=latin1", "[]"), "application/json", "!." },
        { ANSWER("200", "application/jsonp", "[]"), "application/json", "!." },
        { ANSWER("200", "application/json;   charset=utf-8", "[]"), "application/json", "+[]." },
        { ANSWER("200", "application/json;", "[]"), "application/json", "!." },
        { ANSWER("200", "application/json; charset=utf-8 ", "[]"), "application/json", "+[]." },
        { ANSWER("200", "application/json; charset=utf-8; x=y", "[]"), "application/json", "!." },
        { ANSWER("200", "application/json charset=utf-8", "[]"), "application/json", "!." },
        { ANSWER("200", "application/jso", "[]"), "application/json", "!." },
        { ANSWER("200", "", "[]"), "application/json", "!." },
        { ANSWER("200", "", "[]"), "", "+[]." },
        { ANSWER("201", "application/json", "[]"), "application/json", "!." },
        { ANSWER("200", "text/plain", "[]"), "application/json", "!." },
        { ANSWER("200", "text/plain", "[]"), "", "+[]." },
        { ANSWER("204", "application/json", ""), "application/json", "!." },
        { ANSWER("503", "application/json", "[]"), "application/json", "!." },
        { SPAN_LIT("nonsense"), "application/json", "!." },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        struct httpconfig client = { 0 };
        struct rig r;
        open_rig(&r, t[i].answer);
        want(&r, &client, t[i].body_type);
        is_str(told(&r, strlen(t[i].told) > 2 ? 2 : strlen(t[i].told)), t[i].told, "answer %zu", i);
        close_rig(&r);
    }
}

/* What has never answered is asked again soon; what has is not. */
static void test_failures(void)
{
    struct httpconfig client = { 0 };
    struct rig r;

    open_rig(&r, ANSWER("500", "application/json", ""));
    want(&r, &client, "application/json");
    is_str(told(&r, 2), "!.", "refused");
    ok(due(&r) <= clock_mono_ms() + 1000, "tried again in a second");
    int64_t from_ms = clock_mono_ms();
    tick(&r, due(&r));
    is_str(told(&r, 1), "!", "in vain");
    ok(due(&r) >= from_ms + 2000 && due(&r) <= clock_mono_ms() + 2000, "then in two");
    close_rig(&r);
}

/* Nothing is sent without the credentials that were asked for. */
static void test_no_credentials(void)
{
    struct httpconfig client = { .auth_type = SPAN_LIT("Bearer"),
                                 .auth_credentials_file = SPAN_LIT("/nonexistent/token") };
    struct rig r;

    open_rig(&r, ANSWER("200", "application/json", "[]"));
    want(&r, &client, "application/json");
    is_str(told(&r, 2), "!.", "a failure at once");
    is_int(r.server.n_connections, 0, "the server hears nothing");
    tick(&r, due(&r));
    is_str(told(&r, 1), "!", "tried again when due");
    close_rig(&r);
}

/* Each at its own interval; what is due is what is due first. */
static void test_two(void)
{
    struct httpconfig client = { 0 };
    struct rig r;

    open_rig(&r, ANSWER("200", "application/json", "[]"));
    is_int(due(&r), INT64_MAX, "nobody has asked");
    int64_t start_ms = clock_mono_ms();
    want_every(&r, 1, 60000, &client, "");
    want_every(&r, 2, 30000, &client, "");
    int64_t asked_ms = clock_mono_ms();
    is_str(told(&r, 4), "+[].+[].", "both answer");
    int64_t due_ms = due(&r);
    ok(due_ms >= start_ms + 30000 && due_ms <= asked_ms + 30000, "the second is due first");
    tick(&r, due_ms - 1);
    is_int(due(&r), due_ms, "not yet");
    tick(&r, due_ms);
    ok(due(&r) >= start_ms + 60000 && due(&r) <= asked_ms + 60000, "then the first");
    is_str(told(&r, 0), "", "which is not asked with it");
    change(&r, WATCHER_WANT_REFRESH, clock_mono_ms());
    is_str(told(&r, 2), "+[].", "the first is asked at once when somebody wants it");
    is_int(r.server.n_connections, 4, "four were asked");
    tick(&r, start_ms + 200000);
    ok(due(&r) > start_ms + 200000, "nothing is due twice: %lld ms",
       (long long)(due(&r) - start_ms));
    close_rig(&r);
}

/* It is said once that a URL fails, and once that it works again. */
static void test_said_once(void)
{
    struct httpconfig client = { 0 };
    struct rig r;
    uint64_t n_before = log_count(LOG_WARN);

    open_rig(&r, ANSWER("500", "application/json", ""));
    want(&r, &client, "application/json");
    is_str(told(&r, 2), "!.", "refused");
    is_int(log_count(LOG_WARN) - n_before, 1, "a warning");
    tick(&r, due(&r));
    is_str(told(&r, 1), "!", "again");
    is_int(log_count(LOG_WARN) - n_before, 1, "no other");
    close_rig(&r);
}

int main(void)
{
    log_set_level(LOG_ERROR);
    test_answers();
    test_refused();
    test_failures();
    test_two();
    test_said_once();
    test_no_credentials();
    return check_done();
}
