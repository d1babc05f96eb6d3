#include "allocator/http/client.h"

#include <assert.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <strings.h>

#include "allocator/base/arena.h"
#include "allocator/base/clock.h"
#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "allocator/http/libcurl.h"
#include "allocator/http/oauth2.h"

enum {
    MAX_REDIRECTS = 10,
    MAX_EXTRA_FDS = 64,
    KEPT_CONNECTIONS = 256,
    IDLE_CONNECTION_S = 300, /* as Prometheus' transport */
    READ_BYTES = 128 * 1024,
    LONGEST_WAIT_MS = 3600 * 1000,
};

enum state {
    STATE_TOKEN,   /* waits for OAuth2 */
    STATE_RUNNING, /* curl has it */
    STATE_FAILED,  /* 'error' waits to be told by the next poll */
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
    struct span authorization; /* from OAuth2 */
    int64_t deadline_ms;
    unsigned n_redirects;
    bool is_elsewhere; /* a redirect led to another host: credentials and headers stay behind */
    bool is_get;       /* a redirect turned the method into GET */
    bool is_coded;     /* the answer has a transfer coding besides chunked */
    CURL *easy;
    struct curl_slist *lines;
    struct curl_slist *connect_to;
    struct buf body;
    char error[CURL_ERROR_SIZE];
};

struct http_client {
    struct libcurl lib; /* once 'multi' is there */
    CURLM *multi;       /* NULL: nothing was sent yet */
    struct oauth2 *oauth2;
    struct http_request requests; /* head of a ring */
    size_t n_failed;
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

static void keep_options(struct http_request *r, const struct http_request_options *o)
{
    struct arena *a = &r->arena;
    struct http_request_options *k = &r->o;
    struct http_request_header *headers = arena_alloc(a, o->n_headers * sizeof(*headers));

    *k = *o;
    struct span *texts[] = { &k->url,      &k->method,    &k->post_body, &k->username,
                             &k->password, &k->proxy_url, &k->no_proxy };
    for (size_t i = 0; i < COUNT(texts); i++) {
        *texts[i] = keep(a, *texts[i]);
    }
    keep_tls(a, &k->tls);
    for (size_t i = 0; i < o->n_headers; i++) {
        headers[i].name = keep(a, o->headers[i].name);
        headers[i].value = keep(a, o->headers[i].value);
    }
    k->headers = headers;
    k->oauth2 = (struct http_client_oauth2){ 0 }; /* was borrowed; oauth2_want() has its own copy */
    if (k->method.len == 0) {
        k->method = k->post_body.p == NULL ? SPAN_LIT("GET") : SPAN_LIT("POST");
    }
}

/* ---- URLs */

struct place {
    char *scheme, *host, *port;
};

static void place_fini(const struct libcurl *lib, struct place *p)
{
    lib->curl_free(p->scheme);
    lib->curl_free(p->host);
    lib->curl_free(p->port);
}

static bool place_of(const struct libcurl *lib, CURLU *u, struct place *out)
{
    *out = (struct place){ 0 };
    return lib->curl_url_get(u, CURLUPART_SCHEME, &out->scheme, 0) == CURLUE_OK &&
           lib->curl_url_get(u, CURLUPART_HOST, &out->host, 0) == CURLUE_OK &&
           lib->curl_url_get(u, CURLUPART_PORT, &out->port, CURLU_DEFAULT_PORT) == CURLUE_OK;
}

static bool is_same_place(const struct place *from, const struct place *to)
{
    if (strcasecmp(from->host, to->host) != 0) {
        return false;
    }
    if (strcmp(from->scheme, to->scheme) == 0 && strcmp(from->port, to->port) == 0) {
        return true;
    }
    return strcmp(from->scheme, "http") == 0 && strcmp(from->port, "80") == 0 &&
           strcmp(to->scheme, "https") == 0 && strcmp(to->port, "443") == 0;
}

/* What Go never asks a proxy of the environment for. */
static bool is_loopback(const char *host)
{
    return strcasecmp(host, "localhost") == 0 || strncmp(host, "127.", 4) == 0 ||
           strcmp(host, "[::1]") == 0;
}

/* Nobody writes the environment while threads run, so reading it is safe. */
static const char *environment(const char *name)
{
    const char *value = getenv(name); /* NOLINT(concurrency-mt-unsafe) */

    return value != NULL && value[0] != '\0' ? value : NULL;
}

static const char *either(const char *a, const char *b)
{
    const char *value = environment(a);

    return value != NULL ? value : environment(b);
}

/* ---- one exchange with one host */

static void fail(struct http_request *r, const char *why)
{
    r->client->n_failed += r->state != STATE_FAILED;
    r->state = STATE_FAILED;
    if (why != r->error) {
        snprintf(r->error, sizeof(r->error), "%s", why);
    }
}

/* libcurl undoes gzip and others as a transfer coding although nobody asked for one: a few bytes
 * could become a gigabyte. */
static size_t on_header(char *p, size_t size, size_t n, void *arg)
{
    static const char name[] = "transfer-encoding:";
    struct http_request *r = arg;
    struct span value = { p, size * n };

    if (value.len >= sizeof(name) - 1 && strncasecmp(p, name, sizeof(name) - 1) == 0) {
        value = span_from(value, sizeof(name) - 1);
        while (value.len > 0 && (unsigned char)value.p[0] <= ' ') {
            value = span_from(value, 1);
        }
        while (value.len > 0 && (unsigned char)value.p[value.len - 1] <= ' ') {
            value.len--;
        }
        r->is_coded = value.len != 7 || strncasecmp(value.p, "chunked", 7) != 0;
    }
    return r->is_coded ? 0 : size * n;
}

static size_t on_body(char *p, size_t size, size_t n, void *arg)
{
    struct http_request *r = arg;

    buf_add(&r->body, p, size * n);
    return buf_error(&r->body) == 0 ? size * n : 0;
}

static bool is_header_safe(struct span s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.p[i] == '\r' || s.p[i] == '\n' || s.p[i] == '\0') {
            return false;
        }
    }
    return true;
}

/* What tells another host nothing but who asks and for what. */
static bool goes_anywhere(struct span name)
{
    return span_is_nocase(name, "Accept") || span_is_nocase(name, "User-Agent") ||
           (name.len > 13 && strncasecmp(name.p, "X-Prometheus-", 13) == 0);
}

static void add_line(struct http_request *r, const char *line)
{
    struct curl_slist *longer = r->client->lib.curl_slist_append(r->lines, line);

    assert(longer != NULL);
    r->lines = longer;
}

static void add_header(struct http_request *r, struct span name, struct span value)
{
    /* Curl's notation for a header without a value is a semicolon. */
    AUTO_STR line = value.len == 0 ? mem_printf("%.*s;", SPAN_ARG(name))
                                   : mem_printf("%.*s: %.*s", SPAN_ARG(name), SPAN_ARG(value));

    add_line(r, line);
}

static bool set_headers(struct http_request *r)
{
    bool has_accept = false;

    for (size_t i = 0; i < r->o.n_headers; i++) {
        const struct http_request_header *h = &r->o.headers[i];

        if (!is_header_safe(h->name) || !is_header_safe(h->value)) {
            fail(r, "a header holds a line break");
            return false;
        }
        has_accept |= span_is_nocase(h->name, "Accept");
        if (!r->is_elsewhere || goes_anywhere(h->name)) {
            add_header(r, h->name, h->value);
        }
    }
    if (!has_accept) {
        add_line(r, "Accept:"); /* none, instead of curl's */
    }
    add_line(r, "Expect:");
    if (r->authorization.len > 0 && !r->is_elsewhere) {
        add_header(r, SPAN_LIT("Authorization"), r->authorization);
    }
    return true;
}

static void set_blob(struct http_request *r, CURLoption option, struct span pem)
{
    struct curl_blob blob = { .data = (void *)(uintptr_t)pem.p,
                              .len = pem.len,
                              .flags = CURL_BLOB_COPY };

    r->client->lib.curl_easy_setopt(r->easy, option, &blob);
}

static long version_option(int min, int max)
{
    static const long min_options[] = { CURL_SSLVERSION_TLSv1_0, CURL_SSLVERSION_TLSv1_1,
                                        CURL_SSLVERSION_TLSv1_2, CURL_SSLVERSION_TLSv1_3 };
    static const long max_options[] = { CURL_SSLVERSION_MAX_TLSv1_0, CURL_SSLVERSION_MAX_TLSv1_1,
                                        CURL_SSLVERSION_MAX_TLSv1_2, CURL_SSLVERSION_MAX_TLSv1_3 };

    return min_options[(min == 0 ? 0x0303 : min) - 0x0301] |
           (max == 0 ? 0 : max_options[max - 0x0301]);
}

static void set_tls(struct http_request *r)
{
    const struct http_client_tls *t = &r->o.tls;
    const struct libcurl *lib = &r->client->lib;
    CURL *easy = r->easy;

    if (t->ca_pem.len > 0 || t->ca_file.len > 0) {
        /* Only the given authorities count; curl would add the system's folder. */
        lib->curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    }
    if (t->ca_pem.len > 0) {
        lib->curl_easy_setopt(easy, CURLOPT_CAINFO, NULL);
        set_blob(r, CURLOPT_CAINFO_BLOB, t->ca_pem);
    } else if (t->ca_file.len > 0) {
        lib->curl_easy_setopt(easy, CURLOPT_CAINFO, t->ca_file.p);
    }
    if (t->cert_pem.len > 0) {
        set_blob(r, CURLOPT_SSLCERT_BLOB, t->cert_pem);
    } else if (t->cert_file.len > 0) {
        lib->curl_easy_setopt(easy, CURLOPT_SSLCERT, t->cert_file.p);
    }
    if (t->key_pem.len > 0) {
        set_blob(r, CURLOPT_SSLKEY_BLOB, t->key_pem);
    } else if (t->key_file.len > 0) {
        lib->curl_easy_setopt(easy, CURLOPT_SSLKEY, t->key_file.p);
    }
    lib->curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, t->insecure_skip_verify ? 0L : 1L);
    lib->curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, t->insecure_skip_verify ? 0L : 2L);
    lib->curl_easy_setopt(easy, CURLOPT_SSLVERSION, version_option(t->min_version, t->max_version));
}

static void set_proxy(struct http_request *r, const struct place *to)
{
    const struct libcurl *lib = &r->client->lib;
    const char *proxy = r->o.proxy_url.len > 0 ? r->o.proxy_url.p : "";
    const char *except = r->o.no_proxy.len > 0 ? r->o.no_proxy.p : "";

    if (r->o.proxy_from_environment && r->o.proxy_url.len == 0 && !is_loopback(to->host)) {
        const char *found = strcmp(to->scheme, "https") == 0 ? either("HTTPS_PROXY", "https_proxy")
                                                             : either("HTTP_PROXY", "http_proxy");
        const char *found_except = either("NO_PROXY", "no_proxy");

        proxy = found == NULL ? "" : found;
        except = found_except == NULL ? "" : found_except;
    }
    lib->curl_easy_setopt(r->easy, CURLOPT_PROXY,
                          proxy); /* empty: none, and curl does not look for one itself */
    lib->curl_easy_setopt(r->easy, CURLOPT_NOPROXY, except);
}

static void set_method(struct http_request *r)
{
    const struct libcurl *lib = &r->client->lib;
    struct span method = r->is_get ? SPAN_LIT("GET") : r->o.method;

    if (span_is(method, "HEAD")) {
        lib->curl_easy_setopt(r->easy, CURLOPT_NOBODY, 1L);
    } else if (span_is(method, "POST")) {
        lib->curl_easy_setopt(r->easy, CURLOPT_POST, 1L);
        lib->curl_easy_setopt(r->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->o.post_body.len);
        lib->curl_easy_setopt(r->easy, CURLOPT_POSTFIELDS,
                              r->o.post_body.p == NULL ? "" : r->o.post_body.p);
    } else if (!span_is(method, "GET")) {
        lib->curl_easy_setopt(r->easy, CURLOPT_CUSTOMREQUEST, method.p);
    }
}

/* The name to ask for and verify takes the host's place in the URL; the connection goes to the real
 * host, and so does the Host header. */
static void rename_server(struct http_request *r, CURLU *u, const struct place *to)
{
    const struct libcurl *lib = &r->client->lib;
    AUTO_STR host = strcmp(to->port, "443") == 0 ? mem_printf("Host: %s", to->host)
                                                 : mem_printf("Host: %s:%s", to->host, to->port);
    AUTO_STR route = mem_printf("::%s:%s", to->host, to->port);

    add_line(r, host);
    r->connect_to = lib->curl_slist_append(NULL, route);
    lib->curl_easy_setopt(r->easy, CURLOPT_CONNECT_TO, r->connect_to);
    lib->curl_url_set(u, CURLUPART_HOST, r->o.tls.server_name.p, 0);
}

static void set_url(struct http_request *r, CURLU *u, const struct place *to)
{
    const struct libcurl *lib = &r->client->lib;
    char *url = NULL;

    if (r->o.username.p != NULL || r->authorization.len > 0) {
        lib->curl_url_set(u, CURLUPART_USER, NULL, 0);
        lib->curl_url_set(u, CURLUPART_PASSWORD, NULL, 0);
    }
    if (r->o.username.p != NULL && !r->is_elsewhere) {
        lib->curl_easy_setopt(r->easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
        lib->curl_easy_setopt(r->easy, CURLOPT_USERNAME, r->o.username.p);
        lib->curl_easy_setopt(r->easy, CURLOPT_PASSWORD,
                              r->o.password.p == NULL ? "" : r->o.password.p);
    }
    if (r->o.tls.server_name.len > 0 && strcmp(to->scheme, "https") == 0) {
        rename_server(r, u, to);
    }
    lib->curl_url_get(u, CURLUPART_URL, &url, 0);
    lib->curl_easy_setopt(r->easy, CURLOPT_URL, url);
    lib->curl_free(url);
}

static void set_transfer(struct http_request *r)
{
    const struct libcurl *lib = &r->client->lib;
    CURL *easy = r->easy;

    lib->curl_easy_setopt(easy, CURLOPT_PRIVATE, r);
    lib->curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, r->error);
    lib->curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    lib->curl_easy_setopt(easy, CURLOPT_HEADERDATA, r);
    lib->curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    lib->curl_easy_setopt(easy, CURLOPT_WRITEDATA, r);
    lib->curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)READ_BYTES);
    lib->curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    lib->curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    lib->curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    lib->curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, (long)IDLE_CONNECTION_S);
    lib->curl_easy_setopt(easy, CURLOPT_HTTP_VERSION,
                          r->o.enable_http2 ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1);
    if (r->o.max_body_bytes < INT64_MAX) {
        lib->curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)r->o.max_body_bytes);
    }
}

static void drop_transfer(struct http_request *r)
{
    const struct libcurl *lib = &r->client->lib;

    if (r->easy == NULL) {
        return;
    }
    lib->curl_multi_remove_handle(r->client->multi, r->easy);
    lib->curl_easy_cleanup(r->easy);
    lib->curl_slist_free_all(r->lines);
    lib->curl_slist_free_all(r->connect_to);
    r->easy = NULL;
    r->lines = r->connect_to = NULL;
}

static void start_at(struct http_request *r, CURLU *u)
{
    const struct libcurl *lib = &r->client->lib;
    struct place to = { 0 };
    int64_t left_ms = r->deadline_ms - clock_mono_ms();

    drop_transfer(r);
    buf_clear(&r->body);
    r->error[0] = '\0';
    if (lib->curl_url_set(u, CURLUPART_URL, r->url, 0) != CURLUE_OK || !place_of(lib, u, &to)) {
        fail(r, "the URL cannot be parsed");
    } else if (left_ms <= 0) {
        fail(r, "timed out");
    } else {
        r->easy = lib->curl_easy_init();
        assert(r->easy != NULL);
        set_transfer(r);
        lib->curl_easy_setopt(r->easy, CURLOPT_TIMEOUT_MS, (long)left_ms);
        set_method(r);
        set_tls(r);
        set_proxy(r, &to);
        if (set_headers(r)) {
            set_url(r, u, &to);
            lib->curl_easy_setopt(r->easy, CURLOPT_HTTPHEADER, r->lines);
            r->state = STATE_RUNNING;
            lib->curl_multi_add_handle(r->client->multi, r->easy);
        }
    }
    place_fini(lib, &to);
}

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

static void start(struct http_request *r)
{
    struct err err;

    if (open_libcurl(r->client, &err) < 0) {
        fail(r, err.text);
        return;
    }
    CURLU *u = r->client->lib.curl_url();
    assert(u != NULL);
    start_at(r, u);
    r->client->lib.curl_url_cleanup(u);
}

/* ---- redirects */

/* Where 'location' leads from here; NULL when it is no URL we may go to. Also notes whether it
 * leaves the place. */
static const char *resolve(struct http_request *r, const char *location)
{
    const struct libcurl *lib = &r->client->lib;
    CURLU *u = lib->curl_url();
    struct place from = { 0 }, to = { 0 };
    const char *found = NULL;
    char *url = NULL;

    if (lib->curl_url_set(u, CURLUPART_URL, r->url, 0) == CURLUE_OK && place_of(lib, u, &from) &&
        lib->curl_url_set(u, CURLUPART_URL, location, 0) == CURLUE_OK && place_of(lib, u, &to) &&
        (strcmp(to.scheme, "http") == 0 || strcmp(to.scheme, "https") == 0) &&
        lib->curl_url_get(u, CURLUPART_URL, &url, 0) == CURLUE_OK) {
        found = arena_strndup(&r->arena, url, strlen(url));
        r->is_elsewhere |= !is_same_place(&from, &to);
    }
    lib->curl_free(url);
    place_fini(lib, &from);
    place_fini(lib, &to);
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
        lib->curl_easy_header(r->easy, "Location", 0, CURLH_HEADER, -1, &location) != CURLHE_OK) {
        return false;
    }
    if (r->n_redirects++ == MAX_REDIRECTS) {
        fail(r, "stopped after 10 redirects");
        return true;
    }
    const char *url = resolve(r, location->value);
    if (url == NULL) {
        fail(r, "redirected to what is no http or https URL");
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
    drop_transfer(r);
    r->client->n_failed -= r->state == STATE_FAILED;
    r->prev->next = r->next;
    r->next->prev = r->prev;
    buf_fini(&r->body);
    arena_fini(&r->arena);
    mem_free(r);
}

static struct span trim(const char *s)
{
    struct span t = span_of(s);

    while (t.len > 0 && (t.p[0] == ' ' || t.p[0] == '\t')) {
        t = span_from(t, 1);
    }
    while (t.len > 0 && (t.p[t.len - 1] == ' ' || t.p[t.len - 1] == '\t')) {
        t.len--;
    }
    return t;
}

static void tell(struct http_request *r, struct http_response *response)
{
    response->body = &r->body;
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
    struct http_response response = { .error = r->error };

    buf_clear(&r->body);
    tell(r, &response);
}

static void finish(struct http_request *r, CURLcode code)
{
    const struct libcurl *lib = &r->client->lib;
    struct http_response response = { 0 };
    long status = 0;
    const char *content_type = NULL;

    if (buf_error(&r->body) != 0 || code == CURLE_FILESIZE_EXCEEDED) {
        snprintf(r->error, sizeof(r->error), "the body is larger than %zu bytes",
                 r->o.max_body_bytes);
        fail(r, r->error);
        return;
    }
    if (r->is_coded) {
        fail(r, "unsupported transfer encoding");
        return;
    }
    if (code != CURLE_OK) {
        fail(r, r->error[0] == '\0' ? lib->curl_easy_strerror(code) : r->error);
        return;
    }
    lib->curl_easy_getinfo(r->easy, CURLINFO_RESPONSE_CODE, &status);
    if (redirect(r, status)) {
        return;
    }
    lib->curl_easy_getinfo(r->easy, CURLINFO_CONTENT_TYPE, &content_type);
    response.status = (int)status;
    response.content_type = trim(content_type);
    tell(r, &response);
}

static void on_authorized(void *arg, struct span authorization, const char *error)
{
    struct http_request *r = arg;

    if (error != NULL) {
        fail(r, error);
        return;
    }
    r->authorization = arena_span(&r->arena, authorization);
    start(r);
}

struct http_request *http_client_send(struct http_client *c, const struct http_request_options *o,
                                      http_done_fn *done, void *arg)
{
    struct http_request *r = mem_zalloc(sizeof(*r));

    r->client = c;
    r->done = done;
    r->arg = arg;
    r->deadline_ms = clock_mono_ms() + o->timeout_ms;
    r->next = &c->requests;
    r->prev = c->requests.prev;
    r->prev->next = r;
    c->requests.prev = r;
    buf_init(&r->body, o->max_body_bytes);
    arena_init(&r->arena);
    keep_options(r, o);
    r->url = r->o.url.p == NULL ? "" : r->o.url.p;
    if (o->oauth2.token_url.len > 0) {
        oauth2_want(c->oauth2, &o->oauth2, o->timeout_ms, on_authorized, r);
    } else {
        start(r);
    }
    return r;
}

void http_client_cancel(struct http_client *c, struct http_request *r)
{
    if (r->state == STATE_TOKEN) {
        oauth2_cancel(c->oauth2, r);
    }
    request_free(r);
}

/* ---- the client */

struct http_client *http_client_new(void)
{
    struct http_client *c = mem_zalloc(sizeof(*c));

    c->oauth2 = oauth2_new(c);
    c->requests.next = c->requests.prev = &c->requests;
    return c;
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
    oauth2_free(&c->oauth2);
    if (c->multi != NULL) {
        c->lib.curl_multi_cleanup(c->multi);
        c->lib.curl_global_cleanup();
    }
    mem_free(c);
    *client = NULL;
}
