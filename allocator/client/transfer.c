#include "allocator/client/transfer.h"

#include <assert.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>

#include "allocator/base/mem.h"
#include "allocator/client/addressguard.h"
#include "allocator/client/origin.h"
#include "allocator/client/proxyrule.h"

enum {
    IDLE_CONNECTION_S = 300, /* as Prometheus' transport */
    READ_BYTES = 128 * 1024,
    /* When a silent connection is asked whether it lives, how often, and how many questions may
     * stay without an answer; what is sent has to be taken within the last. Measured: a peer whose
     * packets are lost is noticed after 30 s. */
    PROBE_AFTER_S = 15,
    PROBE_EVERY_S = 5,
    PROBES = 3,
    UNANSWERED_MS = 30000,
    MAX_RETRY_AFTER_S = 86400,
};

static bool refuse(struct transfer *t, const char *why)
{
    snprintf(t->error, sizeof(t->error), "%s", why);
    return false;
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

/* The value of header line 'line' when that is its name (in lower case, with its colon). */
static bool is_header(struct span line, const char *name, struct span *out_value)
{
    size_t n = strlen(name);

    if (line.len < n || strncasecmp(line.p, name, n) != 0) {
        return false;
    }
    *out_value = span_trim(span_from(line, n));
    return true;
}

static int seconds_of(struct span text)
{
    int n = 0;

    for (size_t i = 0; i < text.len; i++) {
        if (text.p[i] < '0' || text.p[i] > '9') {
            return 0;
        }
        n = n > MAX_RETRY_AFTER_S ? n : 10 * n + (text.p[i] - '0');
    }
    return n > MAX_RETRY_AFTER_S ? MAX_RETRY_AFTER_S : n;
}

/* The line that ends a head. One of 1xx is followed by another; what comes after the body has no
 * status line before it. */
static void end_head(struct transfer *t)
{
    const struct http_stream *stream = t->order.options->stream;
    long status = 0;

    t->lib->curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    if (stream != NULL && !t->has_head && status >= 200) {
        t->has_head = true;
        stream->head(t->order.stream_arg, (int)status, t->retry_after_s);
    }
}

/* libcurl undoes gzip and others as a transfer coding although nobody asked for one: a few bytes
 * could become a gigabyte. */
/* NOLINTNEXTLINE(readability-non-const-parameter): as libcurl has it */
static size_t on_header(char *p, size_t size, size_t n, void *arg)
{
    struct transfer *t = arg;
    const struct span line = { p, size * n };
    struct span value;

    if (is_header(line, "transfer-encoding:", &value)) {
        t->is_coded = !span_is_nocase(value, "chunked");
    } else if (is_header(line, "retry-after:", &value)) {
        t->retry_after_s = seconds_of(value);
    } else if (span_trim(line).len == 0) {
        end_head(t);
    }
    return t->is_coded ? 0 : size * n;
}

/* Many answers at once may not take what one of them may. */
static bool count(struct transfer *t, size_t size)
{
    struct transfer_bodies *b = t->order.bodies;

    if (b == NULL) {
        return true;
    }
    t->is_crowded = t->is_crowded || b->bytes + size > b->most;
    if (!t->is_crowded) {
        b->bytes += size;
        t->counted += size;
    }
    return !t->is_crowded;
}

static void uncount(struct transfer *t)
{
    if (t->order.bodies != NULL) {
        t->order.bodies->bytes -= t->counted;
    }
    t->counted = 0;
}

static size_t on_body(char *p, size_t size, size_t n, void *arg)
{
    struct transfer *t = arg;
    const struct http_stream *stream = t->order.options->stream;

    if (stream != NULL) {
        return stream->piece(t->order.stream_arg, span_make(p, size * n)) ? size * n : 0;
    }
    if (!count(t, size * n)) {
        return 0;
    }
    buf_add(&t->body, p, size * n);
    return buf_error(&t->body) == 0 ? size * n : 0;
}

/* The rest of what tells a dead peer from a silent one; libcurl has no options for these. */
static int on_socket(void *arg, curl_socket_t fd, curlsocktype purpose)
{
    const int probes = PROBES;
    const unsigned unanswered_ms = UNANSWERED_MS;

    (void)arg;
    (void)purpose;
    if (setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof(probes)) != 0 ||
        setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unanswered_ms, sizeof(unanswered_ms)) != 0) {
        return CURL_SOCKOPT_ERROR;
    }
    return CURL_SOCKOPT_OK;
}

static curl_socket_t on_open(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct transfer *t = arg;

    (void)purpose;
    if (!addressguard_allows(&address->addr)) {
        t->is_refused = true;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
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

static void add_to(struct transfer *t, struct curl_slist **lines, const char *line)
{
    struct curl_slist *longer = t->lib->curl_slist_append(*lines, line);

    assert(longer != NULL);
    *lines = longer;
}

static void add_line(struct transfer *t, const char *line)
{
    add_to(t, &t->lines, line);
}

static void add_header(struct transfer *t, struct curl_slist **lines, struct span name,
                       struct span value)
{
    /* Curl's notation for a header without a value is a semicolon. */
    AUTO_STR line = value.len == 0 ? mem_printf("%.*s;", SPAN_ARG(name))
                                   : mem_printf("%.*s: %.*s", SPAN_ARG(name), SPAN_ARG(value));

    add_to(t, lines, line);
}

static bool set_headers(struct transfer *t)
{
    bool has_accept = false;

    for (size_t i = 0; i < t->order.options->n_headers; i++) {
        const struct http_request_header *h = &t->order.options->headers[i];

        if (!is_header_safe(h->name) || !is_header_safe(h->value)) {
            return refuse(t, "a header holds a line break");
        }
        has_accept |= span_is_nocase(h->name, "Accept");
        if (!t->order.is_elsewhere || goes_anywhere(h->name)) {
            add_header(t, &t->lines, h->name, h->value);
        }
    }
    if (!has_accept) {
        add_line(t, "Accept:"); /* none, instead of curl's */
    }
    add_line(t, "Expect:");
    if (t->order.authorization.len > 0 && !t->order.is_elsewhere) {
        add_header(t, &t->lines, SPAN_LIT("Authorization"), t->order.authorization);
    }
    return true;
}

static void set_blob(struct transfer *t, CURLoption option, struct span pem)
{
    struct curl_blob blob = { .data = (void *)(uintptr_t)pem.p,
                              .len = pem.len,
                              .flags = CURL_BLOB_COPY };

    t->lib->curl_easy_setopt(t->easy, option, &blob);
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

struct tls_options {
    CURLoption capath, ca, ca_blob, cert, cert_blob, key, key_blob, verify_peer, verify_host;
    CURLoption version;
};
static const struct tls_options to_server = {
    CURLOPT_CAPATH,         CURLOPT_CAINFO,     CURLOPT_CAINFO_BLOB, CURLOPT_SSLCERT,
    CURLOPT_SSLCERT_BLOB,   CURLOPT_SSLKEY,     CURLOPT_SSLKEY_BLOB, CURLOPT_SSL_VERIFYPEER,
    CURLOPT_SSL_VERIFYHOST, CURLOPT_SSLVERSION,
};
/* As in Go, a proxy that speaks TLS is met with the same authorities and certificate. */
static const struct tls_options to_proxy = {
    CURLOPT_PROXY_CAPATH,      CURLOPT_PROXY_CAINFO,         CURLOPT_PROXY_CAINFO_BLOB,
    CURLOPT_PROXY_SSLCERT,     CURLOPT_PROXY_SSLCERT_BLOB,   CURLOPT_PROXY_SSLKEY,
    CURLOPT_PROXY_SSLKEY_BLOB, CURLOPT_PROXY_SSL_VERIFYPEER, CURLOPT_PROXY_SSL_VERIFYHOST,
    CURLOPT_PROXY_SSLVERSION,
};

static void set_tls(struct transfer *t, const struct tls_options *to)
{
    const struct http_client_tls *tls = &t->order.options->tls;
    const struct libcurl *lib = t->lib;
    CURL *easy = t->easy;

    if (tls->ca_pem.len > 0 || tls->ca_file.len > 0) {
        /* Only the given authorities count; curl would add the system's folder. */
        lib->curl_easy_setopt(easy, to->capath, NULL);
    }
    if (tls->ca_pem.len > 0) {
        lib->curl_easy_setopt(easy, to->ca, NULL);
        set_blob(t, to->ca_blob, tls->ca_pem);
    } else if (tls->ca_file.len > 0) {
        lib->curl_easy_setopt(easy, to->ca, tls->ca_file.p);
    }
    if (tls->cert_pem.len > 0) {
        set_blob(t, to->cert_blob, tls->cert_pem);
    } else if (tls->cert_file.len > 0) {
        lib->curl_easy_setopt(easy, to->cert, tls->cert_file.p);
    }
    if (tls->key_pem.len > 0) {
        set_blob(t, to->key_blob, tls->key_pem);
    } else if (tls->key_file.len > 0) {
        lib->curl_easy_setopt(easy, to->key, tls->key_file.p);
    }
    lib->curl_easy_setopt(easy, to->verify_peer, tls->insecure_skip_verify ? 0L : 1L);
    lib->curl_easy_setopt(easy, to->verify_host, tls->insecure_skip_verify ? 0L : 2L);
    lib->curl_easy_setopt(easy, to->version, version_option(tls->min_version, tls->max_version));
}

/* The proxy for this place; empty: none. */
static struct span find_proxy(const struct http_request_options *o, const struct origin *to)
{
    bool is_own = o->proxy_url.len > 0;

    if (!is_own && !o->proxy_from_environment) {
        return SPAN_LIT("");
    }
    struct span except = is_own ? o->no_proxy : span_of(either("NO_PROXY", "no_proxy"));
    /* As in Go, an own proxy without exceptions is asked for loopback, too. */
    if ((!is_own || except.len > 0) && proxyrule_excepts(except, to)) {
        return SPAN_LIT("");
    }
    if (is_own) {
        return o->proxy_url;
    }
    return span_of(strcmp(to->scheme, "https") == 0 ? either("HTTPS_PROXY", "https_proxy")
                                                    : either("HTTP_PROXY", "http_proxy"));
}

/* Go leaves these out, as it sets them itself. */
static bool is_of_transport(struct span name)
{
    return span_is_nocase(name, "Host") || span_is_nocase(name, "Content-Length") ||
           span_is_nocase(name, "Transfer-Encoding") || span_is_nocase(name, "Trailer");
}

static bool has_user(struct transfer *t, const char *url)
{
    CURLU *u = t->lib->curl_url();
    char *user = NULL;

    bool has = t->lib->curl_url_set(u, CURLUPART_URL, url, CURLU_GUESS_SCHEME) == CURLUE_OK &&
               t->lib->curl_url_get(u, CURLUPART_USER, &user, 0) == CURLUE_OK;
    t->lib->curl_free(user);
    t->lib->curl_url_cleanup(u);
    return has;
}

/* What the proxy alone is told. The way through it was opened by these headers, so nobody else
 * goes it. */
static bool set_connect_headers(struct transfer *t, const char *proxy)
{
    const struct http_request_options *o = t->order.options;
    bool has_password = has_user(t, proxy); /* which makes a header of its own */

    for (size_t i = 0; i < o->n_connect_headers; i++) {
        const struct http_request_header *h = &o->connect_headers[i];
        if (!is_header_safe(h->name) || !is_header_safe(h->value)) {
            return refuse(t, "a header for the proxy holds a line break");
        }
        if (!is_of_transport(h->name) &&
            (!has_password || !span_is_nocase(h->name, "Proxy-Authorization"))) {
            add_header(t, &t->proxy_lines, h->name, h->value);
        }
    }
    t->lib->curl_easy_setopt(t->easy, CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE);
    t->lib->curl_easy_setopt(t->easy, CURLOPT_PROXYHEADER, t->proxy_lines);
    t->lib->curl_easy_setopt(t->easy, CURLOPT_FRESH_CONNECT, 1L);
    t->lib->curl_easy_setopt(t->easy, CURLOPT_FORBID_REUSE, 1L);
    return true;
}

static bool set_proxy(struct transfer *t, const struct origin *to)
{
    struct span proxy = find_proxy(t->order.options, to);
    /* To Go, names are the business of a SOCKS proxy. */
    bool is_socks = proxy.len > 9 && strncasecmp(proxy.p, "socks5://", 9) == 0;
    AUTO_STR url = is_socks ? mem_printf("socks5h%.*s", SPAN_ARG(span_from(proxy, 6)))
                            : mem_strndup(proxy.len == 0 ? "" : proxy.p, proxy.len);

    /* Empty: none, and curl does not look for one itself, nor for exceptions. */
    t->lib->curl_easy_setopt(t->easy, CURLOPT_PROXY, url);
    t->lib->curl_easy_setopt(t->easy, CURLOPT_NOPROXY, "");
    if (strncasecmp(url, "https://", 8) == 0) {
        set_tls(t, &to_proxy);
    }
    return proxy.len == 0 || t->order.options->n_connect_headers == 0 ||
           strcmp(to->scheme, "https") != 0 || set_connect_headers(t, url);
}

static void set_method(struct transfer *t)
{
    const struct libcurl *lib = t->lib;
    struct span method = t->order.is_get ? SPAN_LIT("GET") : t->order.options->method;

    if (span_is(method, "HEAD")) {
        lib->curl_easy_setopt(t->easy, CURLOPT_NOBODY, 1L);
    } else if (span_is(method, "POST")) {
        lib->curl_easy_setopt(t->easy, CURLOPT_POST, 1L);
        lib->curl_easy_setopt(t->easy, CURLOPT_POSTFIELDSIZE_LARGE,
                              (curl_off_t)t->order.options->post_body.len);
        lib->curl_easy_setopt(
            t->easy, CURLOPT_POSTFIELDS,
            t->order.options->post_body.p == NULL ? "" : t->order.options->post_body.p);
    } else if (!span_is(method, "GET")) {
        lib->curl_easy_setopt(t->easy, CURLOPT_CUSTOMREQUEST, method.p);
    }
}

/* The name to ask for and verify takes the host's place in the URL; the connection goes to the real
 * host, and so does the Host header. */
static void rename_server(struct transfer *t, CURLU *u, const struct origin *to)
{
    const struct libcurl *lib = t->lib;
    AUTO_STR host = strcmp(to->port, "443") == 0 ? mem_printf("Host: %s", to->host)
                                                 : mem_printf("Host: %s:%s", to->host, to->port);
    AUTO_STR route = mem_printf("::%s:%s", to->host, to->port);

    add_line(t, host);
    t->connect_to = lib->curl_slist_append(NULL, route);
    lib->curl_easy_setopt(t->easy, CURLOPT_CONNECT_TO, t->connect_to);
    lib->curl_url_set(u, CURLUPART_HOST, t->order.options->tls.server_name.p, 0);
}

static void set_url(struct transfer *t, CURLU *u, const struct origin *to)
{
    const struct libcurl *lib = t->lib;
    char *url = NULL;

    if (t->order.options->username.p != NULL || t->order.authorization.len > 0) {
        lib->curl_url_set(u, CURLUPART_USER, NULL, 0);
        lib->curl_url_set(u, CURLUPART_PASSWORD, NULL, 0);
    }
    if (t->order.options->username.p != NULL && !t->order.is_elsewhere) {
        lib->curl_easy_setopt(t->easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
        lib->curl_easy_setopt(t->easy, CURLOPT_USERNAME, t->order.options->username.p);
        lib->curl_easy_setopt(t->easy, CURLOPT_PASSWORD,
                              t->order.options->password.p == NULL ? ""
                                                                   : t->order.options->password.p);
    }
    if (t->order.options->tls.server_name.len > 0 && strcmp(to->scheme, "https") == 0) {
        rename_server(t, u, to);
    }
    lib->curl_url_get(u, CURLUPART_URL, &url, 0);
    lib->curl_easy_setopt(t->easy, CURLOPT_URL, url);
    lib->curl_free(url);
}

static void set_transfer(struct transfer *t)
{
    const struct libcurl *lib = t->lib;
    CURL *easy = t->easy;

    lib->curl_easy_setopt(easy, CURLOPT_PRIVATE, t->order.owner);
    lib->curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, t->error);
    lib->curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    lib->curl_easy_setopt(easy, CURLOPT_HEADERDATA, t);
    lib->curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    lib->curl_easy_setopt(easy, CURLOPT_WRITEDATA, t);
    lib->curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)READ_BYTES);
    lib->curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    lib->curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    lib->curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    lib->curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, (long)IDLE_CONNECTION_S);
    lib->curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)t->order.timeout_ms);
    lib->curl_easy_setopt(easy, CURLOPT_HTTP_VERSION,
                          t->order.options->enable_http2 ? CURL_HTTP_VERSION_2TLS
                                                         : CURL_HTTP_VERSION_1_1);
    if (t->order.options->max_body_bytes < INT64_MAX) {
        lib->curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE,
                              (curl_off_t)t->order.options->max_body_bytes);
    }
}

static void set_stream(struct transfer *t)
{
    const struct http_request_options *o = t->order.options;
    const struct libcurl *lib = t->lib;

    if (o->connect_timeout_ms > 0) {
        lib->curl_easy_setopt(t->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)o->connect_timeout_ms);
    }
    if (t->order.is_guarded) {
        lib->curl_easy_setopt(t->easy, CURLOPT_OPENSOCKETFUNCTION, on_open);
        lib->curl_easy_setopt(t->easy, CURLOPT_OPENSOCKETDATA, t);
    }
    if (o->wants_gzip) {
        lib->curl_easy_setopt(t->easy, CURLOPT_ACCEPT_ENCODING, "gzip");
    }
    if (o->is_long) {
        lib->curl_easy_setopt(t->easy, CURLOPT_FRESH_CONNECT, 1L);
        lib->curl_easy_setopt(t->easy, CURLOPT_FORBID_REUSE, 1L);
    }
    if (o->stream != NULL) {
        lib->curl_easy_setopt(t->easy, CURLOPT_TCP_KEEPALIVE, 1L);
        lib->curl_easy_setopt(t->easy, CURLOPT_TCP_KEEPIDLE, (long)PROBE_AFTER_S);
        lib->curl_easy_setopt(t->easy, CURLOPT_TCP_KEEPINTVL, (long)PROBE_EVERY_S);
        lib->curl_easy_setopt(t->easy, CURLOPT_SOCKOPTFUNCTION, on_socket);
    }
}

void transfer_drop(struct transfer *t)
{
    const struct libcurl *lib = t->lib;

    uncount(t);
    if (t->easy == NULL) {
        return;
    }
    lib->curl_multi_remove_handle(t->multi, t->easy);
    lib->curl_easy_cleanup(t->easy);
    lib->curl_slist_free_all(t->lines);
    lib->curl_slist_free_all(t->connect_to);
    lib->curl_slist_free_all(t->proxy_lines);
    t->easy = NULL;
    t->lines = t->connect_to = t->proxy_lines = NULL;
}

static bool start_at(struct transfer *t, CURLU *u, const struct origin *to)
{
    const struct libcurl *lib = t->lib;

    t->easy = lib->curl_easy_init();
    assert(t->easy != NULL);
    set_transfer(t);
    set_stream(t);
    set_method(t);
    set_tls(t, &to_server);
    if (!set_proxy(t, to) || !set_headers(t)) {
        return false;
    }
    set_url(t, u, to);
    lib->curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->lines);
    lib->curl_multi_add_handle(t->multi, t->easy);
    return true;
}

bool transfer_start(struct transfer *t, const struct transfer_order *order)
{
    const struct libcurl *lib = t->lib;
    CURLU *u = lib->curl_url();
    struct origin to = { 0 };
    bool is_running = false;

    assert(u != NULL);
    transfer_drop(t);
    buf_clear(&t->body);
    t->error[0] = '\0';
    t->is_coded = t->has_head = t->is_crowded = t->is_refused = false;
    t->retry_after_s = 0;
    t->order = *order;
    if (lib->curl_url_set(u, CURLUPART_URL, order->url, 0) != CURLUE_OK ||
        !origin_of(lib, u, &to)) {
        refuse(t, "the URL cannot be parsed");
    } else if (order->timeout_ms <= 0) {
        refuse(t, "timed out");
    } else {
        is_running = start_at(t, u, &to);
    }
    origin_fini(lib, &to);
    lib->curl_url_cleanup(u);
    return is_running;
}

bool transfer_was_sent(const struct transfer *t)
{
    curl_off_t us = 0;

    return t->easy != NULL &&
           t->lib->curl_easy_getinfo(t->easy, CURLINFO_PRETRANSFER_TIME_T, &us) == CURLE_OK &&
           us > 0;
}

bool transfer_succeeded(struct transfer *t, CURLcode code)
{
    if (buf_error(&t->body) != 0 || code == CURLE_FILESIZE_EXCEEDED) {
        snprintf(t->error, sizeof(t->error), "the body is larger than %zu bytes",
                 t->order.options->max_body_bytes);
        return false;
    }
    if (t->is_crowded) {
        return refuse(t, "no room for the body: too many bytes of answers are being received");
    }
    if (t->is_coded) {
        return refuse(t, "unsupported transfer encoding");
    }
    if (code == CURLE_OUT_OF_MEMORY) { /* which libcurl says of a head that is too long */
        return refuse(t, "the head of the answer is too long");
    }
    if (code == CURLE_COULDNT_CONNECT && t->is_refused) {
        return refuse(t, "its address is loopback or link-local, which a Collector of the cluster "
                         "may not have asked (--allow-local-addresses)");
    }
    if (code != CURLE_OK && t->error[0] == '\0') {
        return refuse(t, t->lib->curl_easy_strerror(code));
    }
    return code == CURLE_OK;
}
