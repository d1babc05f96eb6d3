#include "allocator/client/client.h"

#include <assert.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <strings.h>

#include "allocator/base/arena.h"
#include "allocator/base/clock.h"
#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "allocator/base/memorylimit.h"
#include "allocator/client/libcurl.h"
#include "allocator/client/origin.h"
#include "allocator/client/transfer.h"

enum {
    MAX_REDIRECTS = 10,
    MAX_EXTRA_FDS = 64,
    KEPT_CONNECTIONS = 256,
    LONGEST_WAIT_MS = 3600 * 1000,
};

enum state {
    STATE_HELD,    /* until its owner lets it go */
    STATE_RUNNING, /* curl has it */
    STATE_FAILED,  /* the transfer's error waits to be told by the next poll */
};

struct http_request {
    struct http_client *client;
    struct http_request *prev, *next;
    enum state state;
    http_done_fn *done;
    void *arg;
    struct arena arena; /* the options, NUL-terminated */
    struct http_request_options o;
    const char *url;           /* after redirects */
    struct span authorization; /* of a held request; else empty */
    int64_t deadline_ms;
    unsigned n_redirects;
    bool is_elsewhere; /* a redirect led to another host: credentials and headers stay behind */
    bool is_get;       /* a redirect turned the method into GET */
    bool was_sent;     /* of one that failed */
    struct transfer transfer;
};

struct http_client {
    struct libcurl lib;           /* once 'multi' is there */
    CURLM *multi;                 /* NULL: nothing was sent yet */
    struct http_request requests; /* head of a ring */
    size_t n_failed;
    struct transfer_bodies bodies;
    bool is_guarded;
};

/* ---- options */

/* NULL stays NULL: "not given" and "empty" differ for username. */
static struct span keep(struct arena *a, struct span s)
{
    return s.p == NULL ? s : (struct span){ arena_strndup(a, s.p, s.len), s.len };
}

static void keep_tls(struct arena *a, struct http_client_tls *t)
{
    struct span *texts[] = { &t->ca_pem,  &t->ca_file,  &t->cert_pem,   &t->cert_file,
                             &t->key_pem, &t->key_file, &t->server_name };

    for (size_t i = 0; i < COUNT(texts); i++) {
        *texts[i] = keep(a, *texts[i]);
    }
}

static const struct http_request_header *keep_headers(struct arena *a,
                                                      const struct http_request_header *v, size_t n)
{
    struct http_request_header *headers = arena_alloc(a, n * sizeof(*headers));

    for (size_t i = 0; i < n; i++) {
        headers[i].name = keep(a, v[i].name);
        headers[i].value = keep(a, v[i].value);
    }
    return headers;
}

static void keep_options(struct http_request *r, const struct http_request_options *o)
{
    struct arena *a = &r->arena;
    struct http_request_options *k = &r->o;

    *k = *o;
    struct span *texts[] = { &k->url,      &k->method,    &k->post_body, &k->username,
                             &k->password, &k->proxy_url, &k->no_proxy };
    for (size_t i = 0; i < COUNT(texts); i++) {
        *texts[i] = keep(a, *texts[i]);
    }
    keep_tls(a, &k->tls);
    k->headers = keep_headers(a, o->headers, o->n_headers);
    k->connect_headers = keep_headers(a, o->connect_headers, o->n_connect_headers);
    if (k->method.len == 0) {
        k->method = k->post_body.p == NULL ? SPAN_LIT("GET") : SPAN_LIT("POST");
    }
}

/* ---- to one host */

/* The first request of the client finds libcurl. */
static int open_libcurl(struct http_client *c, struct err *err)
{
    int rc = c->multi == NULL ? libcurl_load(&c->lib, err) : 0;

    if (rc == 0 && c->multi == NULL) {
        c->multi = c->lib.curl_multi_init();
        assert(c->multi != NULL);
        c->lib.curl_multi_setopt(c->multi, CURLMOPT_MAXCONNECTS, (long)KEPT_CONNECTIONS);
    }
    return rc;
}

static void fail(struct http_request *r, const char *why)
{
    char *error = r->transfer.error;

    r->client->n_failed += r->state != STATE_FAILED;
    r->state = STATE_FAILED;
    if (why != error) {
        snprintf(error, sizeof(r->transfer.error), "%s", why);
    }
}

static void start(struct http_request *r)
{
    const struct transfer_order order = { .options = &r->o,
                                          .url = r->url,
                                          .authorization = r->authorization,
                                          .is_elsewhere = r->is_elsewhere,
                                          .is_get = r->is_get,
                                          .timeout_ms = r->deadline_ms - clock_mono_ms(),
                                          .owner = r,
                                          .bodies = &r->client->bodies,
                                          .is_guarded = r->client->is_guarded && !r->o.is_trusted,
                                          .stream_arg = r->arg };
    struct err err;

    if (open_libcurl(r->client, &err) < 0) {
        fail(r, err.text);
        return;
    }
    r->transfer.lib = &r->client->lib;
    r->transfer.multi = r->client->multi;
    if (!transfer_start(&r->transfer, &order)) {
        fail(r, r->transfer.error);
        return;
    }
    r->state = STATE_RUNNING;
}

/* ---- redirects */

/* Where 'location' leads from here; NULL when it is not a URL we may go to. Also notes whether it
 * leaves the origin. */
static const char *resolve(struct http_request *r, const char *location)
{
    const struct libcurl *lib = &r->client->lib;
    CURLU *u = lib->curl_url();
    struct origin from = { 0 }, to = { 0 };
    const char *found = NULL;
    char *url = NULL;

    if (lib->curl_url_set(u, CURLUPART_URL, r->url, 0) == CURLUE_OK && origin_of(lib, u, &from) &&
        lib->curl_url_set(u, CURLUPART_URL, location, 0) == CURLUE_OK && origin_of(lib, u, &to) &&
        (strcmp(to.scheme, "http") == 0 || strcmp(to.scheme, "https") == 0) &&
        lib->curl_url_get(u, CURLUPART_URL, &url, 0) == CURLUE_OK) {
        found = arena_strndup(&r->arena, url, strlen(url));
        r->is_elsewhere |= !origin_keeps_secrets(&from, &to);
    }
    lib->curl_free(url);
    origin_fini(lib, &from);
    origin_fini(lib, &to);
    lib->curl_url_cleanup(u);
    return found;
}

/* True when the answer was a redirect and has been dealt with. */
static bool redirect(struct http_request *r, long status)
{
    const struct libcurl *lib = &r->client->lib;
    struct curl_header *location = NULL;

    if (!r->o.follow_redirects ||
        (status != 301 && status != 302 && status != 303 && status != 307 && status != 308) ||
        lib->curl_easy_header(r->transfer.easy, "Location", 0, CURLH_HEADER, -1, &location) !=
            CURLHE_OK) {
        return false;
    }
    if (r->n_redirects++ == MAX_REDIRECTS) {
        fail(r, "stopped after 10 redirects");
        return true;
    }
    const char *url = resolve(r, location->value);
    if (url == NULL) {
        fail(r, "redirected to a URL that is neither http nor https");
        return true;
    }
    if (status != 307 && status != 308 && !span_is(r->o.method, "HEAD")) {
        r->is_get = true;
    }
    r->url = url;
    start(r);
    return true;
}

/* ---- the life of a request */

static void request_free(struct http_request *r)
{
    transfer_drop(&r->transfer);
    r->client->n_failed -= r->state == STATE_FAILED;
    r->prev->next = r->next;
    r->next->prev = r->prev;
    buf_fini(&r->transfer.body);
    arena_fini(&r->arena);
    mem_free(r);
}

static void tell(struct http_request *r, struct http_response *response)
{
    response->body = &r->transfer.body;
    /* Out of the ring first: the handler may send, cancel and free other requests. */
    r->client->n_failed -= r->state == STATE_FAILED;
    r->state = STATE_RUNNING;
    r->prev->next = r->next;
    r->next->prev = r->prev;
    r->prev = r->next = r;
    r->done(r->arg, response);
    request_free(r);
}

static void tell_failure(struct http_request *r)
{
    struct http_response response = { .error = r->transfer.error, .was_sent = r->was_sent };

    buf_clear(&r->transfer.body);
    tell(r, &response);
}

static void finish(struct http_request *r, CURLcode code)
{
    const struct libcurl *lib = &r->client->lib;
    struct http_response response = { 0 };
    long status = 0;
    const char *content_type = NULL;

    if (!transfer_succeeded(&r->transfer, code)) {
        r->was_sent = transfer_was_sent(&r->transfer);
        fail(r, r->transfer.error);
        return;
    }
    response.was_sent = true;
    lib->curl_easy_getinfo(r->transfer.easy, CURLINFO_RESPONSE_CODE, &status);
    if (redirect(r, status)) {
        return;
    }
    lib->curl_easy_getinfo(r->transfer.easy, CURLINFO_CONTENT_TYPE, &content_type);
    response.status = (int)status;
    response.content_type = span_trim(span_of(content_type));
    tell(r, &response);
}

struct http_request *http_client_send(struct http_client *c, const struct http_request_options *o,
                                      http_done_fn *done, void *arg)
{
    struct http_request *r = mem_zalloc(sizeof(*r));

    assert(o->stream == NULL || !o->follow_redirects);
    r->client = c;
    r->done = done;
    r->arg = arg;
    r->deadline_ms = clock_mono_ms() + o->timeout_ms;
    r->next = &c->requests;
    r->prev = c->requests.prev;
    r->prev->next = r;
    c->requests.prev = r;
    buf_init(&r->transfer.body, o->max_body_bytes);
    arena_init(&r->arena);
    keep_options(r, o);
    r->url = r->o.url.p == NULL ? "" : r->o.url.p;
    if (!o->is_held) {
        start(r);
    }
    return r;
}

void http_client_release(struct http_request *r, struct span authorization)
{
    assert(r->state == STATE_HELD);
    r->authorization = arena_span(&r->arena, authorization);
    start(r);
}

void http_client_fail(struct http_request *r, const char *why)
{
    assert(r->state == STATE_HELD);
    fail(r, why);
}

void http_client_cancel(struct http_request *r)
{
    request_free(r);
}

/* ---- the client */

struct http_client *http_client_new(void)
{
    struct http_client *c = mem_zalloc(sizeof(*c));

    c->requests.next = c->requests.prev = &c->requests;
    c->bodies.most = memorylimit_sd_bodies(memorylimit_bytes());
    return c;
}

void http_client_set_room(struct http_client *c, size_t bytes)
{
    c->bodies.most = bytes;
}

void http_client_guard(struct http_client *c)
{
    c->is_guarded = true;
}

static void tell_failures(struct http_client *c)
{
    /* A handler may send what fails at once; that is told by the next poll. */
    for (size_t n = c->n_failed; n > 0 && c->n_failed > 0; n--) {
        struct http_request *r = c->requests.next;

        while (r->state != STATE_FAILED) {
            r = r->next;
        }
        tell_failure(r);
    }
}

static void finish_transfers(struct http_client *c)
{
    const struct libcurl *lib = &c->lib;
    int n = 0;

    for (CURLMsg *m = lib->curl_multi_info_read(c->multi, &n); m != NULL;
         m = lib->curl_multi_info_read(c->multi, &n)) {
        char *r = NULL;

        if (m->msg == CURLMSG_DONE) {
            CURLcode code = m->data.result;
            lib->curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &r);
            finish((struct http_request *)(void *)r, code);
        }
    }
}

static void poll_transfers(struct http_client *c, struct pollfd *extra, unsigned n_extra,
                           int timeout_ms)
{
    struct curl_waitfd fds[MAX_EXTRA_FDS];
    int running = 0;

    /* curl's event bits have the values of poll's. */
    for (unsigned i = 0; i < n_extra; i++) {
        fds[i] = (struct curl_waitfd){ .fd = extra[i].fd, .events = extra[i].events };
    }
    c->lib.curl_multi_poll(c->multi, fds, n_extra, timeout_ms, NULL);
    for (unsigned i = 0; i < n_extra; i++) {
        extra[i].revents = fds[i].revents;
    }
    c->lib.curl_multi_perform(c->multi, &running);
    finish_transfers(c);
}

void http_client_poll(struct http_client *c, struct pollfd *extra, unsigned n_extra,
                      int64_t timeout_ms)
{
    assert(n_extra <= MAX_EXTRA_FDS);
    if (c->n_failed > 0) {
        timeout_ms = 0;
    } else if (timeout_ms < 0 || timeout_ms > LONGEST_WAIT_MS) {
        timeout_ms = LONGEST_WAIT_MS;
    }
    if (c->multi != NULL) {
        poll_transfers(c, extra, n_extra, (int)timeout_ms);
    } else {
        poll(extra, n_extra, (int)timeout_ms);
    }
    tell_failures(c);
}

void http_client_free(struct http_client **client)
{
    struct http_client *c = *client;

    if (c == NULL) {
        return;
    }
    while (c->requests.next != &c->requests) {
        request_free(c->requests.next);
    }
    if (c->multi != NULL) {
        c->lib.curl_multi_cleanup(c->multi);
        c->lib.curl_global_cleanup();
    }
    mem_free(c);
    *client = NULL;
}
