/* Requests that fail before they go, several at once. */
#include "allocator/client/client.h"

#include "allocator/base/clock.h"
#include "allocator/base/limits.h"
#include "tests/check.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { N = 4 };

struct crowd {
    struct http_client *client;
    struct http_request *requests[N]; /* NULL: told or cancelled */
    unsigned n_told[N];
    size_t cancels; /* what the first handler cancels: this one and those after it; N: none */
    bool sends;     /* the first handler also sends one that fails */
};

struct member {
    struct crowd *crowd;
    size_t place;
};

static const struct http_request_options held = { .url = SPAN_LIT("http://127.0.0.1:1/"),
                                                  .timeout_ms = 1000,
                                                  .max_body_bytes = 10,
                                                  .is_held = true };
static unsigned n_late;

static void on_late(void *arg, struct http_response *response)
{
    (void)arg;
    is_str(response->error, "too late", "the one that was sent meanwhile");
    n_late++;
}

static void on_done(void *arg, struct http_response *response)
{
    const struct member *m = arg;
    struct crowd *crowd = m->crowd;

    role_enter(watcher);
    is_str(response->error, "no token", "request %zu is told why", m->place);
    is_int(response->status, 0, "without a status");
    is_int(response->body->len, 0, "or a body");
    crowd->n_told[m->place]++;
    crowd->requests[m->place] = NULL;
    for (size_t i = crowd->cancels; i < N; i++) {
        http_client_cancel(crowd->requests[i]);
        crowd->requests[i] = NULL;
    }
    crowd->cancels = N;
    if (crowd->sends) {
        crowd->sends = false;
        http_client_fail(http_client_send(crowd->client, &held, on_late, NULL), "too late");
    }
}

/* Each is told once, by a poll that does not wait, except those that a handler cancels. */
static void test_crowd(size_t cancels, bool sends)
{
    struct crowd crowd = { .client = http_client_new(), .cancels = cancels, .sends = sends };
    struct member members[N];

    role_enter(watcher);
    n_late = 0;
    for (size_t i = 0; i < N; i++) {
        members[i] = (struct member){ &crowd, i };
        crowd.requests[i] = http_client_send(crowd.client, &held, on_done, &members[i]);
    }
    for (size_t i = N; i > 0; i--) {
        http_client_fail(crowd.requests[i - 1], "no token");
    }
    alarm(60); /* that the poll ends is the check */
    http_client_poll(crowd.client, NULL, 0, -1);
    for (size_t i = 0; i < N; i++) {
        is_int(crowd.n_told[i], i < cancels, "%zu is told %s", i,
               i < cancels ? "once" : "nothing: it was cancelled");
    }
    alarm(0);
    http_client_poll(crowd.client, NULL, 0, 0);
    http_client_poll(crowd.client, NULL, 0, 0);
    is_int(n_late, sends, "what fails meanwhile is told, too");
    is_int(crowd.n_told[0], 1, "nothing is told twice");
    http_client_free(&crowd.client);
}

/* Those whose error nobody waited for are gone with the client, and are no reason not to wait. */
static void test_cancelled(void)
{
    struct http_client *c = http_client_new();
    struct crowd crowd = { .client = c, .cancels = N };
    struct member member = { &crowd, 0 };
    struct http_request *r = NULL;

    role_enter(watcher);
    r = http_client_send(c, &held, on_done, &member);
    http_client_fail(r, "no token");
    http_client_cancel(r);
    http_client_poll(c, NULL, 0, 0);
    is_int(crowd.n_told[0], 0, "cancelled before it was told");
    r = http_client_send(c, &held, on_done, &member);
    http_client_fail(r, "no token");
    http_client_free(&c);
    is_int(crowd.n_told[0], 0, "so it is with the client");
    ok(c == NULL, "which is gone");
}

/* A client that has nothing to tell waits as long as it is told to. */
static void test_waits(void)
{
    struct http_client *c = http_client_new();
    struct crowd crowd = { .client = c, .cancels = N };
    struct member member = { &crowd, 0 };
    int64_t from_ms = clock_mono_ms();

    role_enter(watcher);
    http_client_poll(c, NULL, 0, 40);
    ok(clock_mono_ms() - from_ms >= 39, "with no request at all");
    http_client_fail(http_client_send(c, &held, on_done, &member), "no token");
    http_client_poll(c, NULL, 0, -1);
    is_int(crowd.n_told[0], 1, "something to tell");
    from_ms = clock_mono_ms();
    http_client_poll(c, NULL, 0, 40);
    ok(clock_mono_ms() - from_ms >= 39, "and nothing any more");
    http_client_free(&c);
}

static char said[256];

static void on_answer(void *arg, struct http_response *response)
{
    int *n_told = arg;

    snprintf(said, sizeof(said), "%s", response->error == NULL ? "" : response->error);
    ++*n_told;
}

/* Nobody listens there: who may ask finds that out. */
static void test_guard(void)
{
    static const struct {
        const char *url, *proxy;
        bool is_trusted, is_refused;
    } t[] = {
        { "http://127.0.0.1:1/", "", false, true },
        { "http://localhost:1/", "", false, true },
        { "http://[::1]:1/", "", false, true },
        { "http://[::ffff:127.0.0.1]:1/", "", false, true },
        { "http://0x7f.1:1/", "", false, true },
        { "http://192.0.2.1/", "http://127.0.0.1:1", false, true },
        { "http://127.0.0.1:1/", "", true, false },
    };
    struct http_client *c = http_client_new();

    http_client_guard(c);
    for (size_t i = 0; i < COUNT(t); i++) {
        int n_told = 0;
        const struct http_request_options o = { .url = span_of(t[i].url),
                                                .proxy_url = span_of(t[i].proxy),
                                                .timeout_ms = 10000,
                                                .max_body_bytes = 10,
                                                .is_trusted = t[i].is_trusted };
        role_enter(watcher);
        http_client_send(c, &o, on_answer, &n_told);
        alarm(60);
        while (n_told == 0) {
            http_client_poll(c, NULL, 0, 1000);
        }
        alarm(0);
        ok((strstr(said, "loopback or link-local") != NULL) == t[i].is_refused, "%s: %s", t[i].url,
           said);
    }
    http_client_free(&c);
}

int main(void)
{
    test_guard();
    for (size_t cancels = 1; cancels <= N; cancels++) {
        test_crowd(cancels, false);
        test_crowd(cancels, true);
    }
    test_cancelled();
    test_waits();
    return check_done();
}
