/* What libcurl is told: the real one but for the function that sets options, which notes them. */
#include "allocator/client/transfer.h"

#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "tests/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- what was set */

static struct {
    CURLoption option;
    char text[256]; /* of a list: its lines, each with a '|' */
} noted[64];
static size_t n_noted;

static void note_lines(char *out, size_t size, const struct curl_slist *lines)
{
    size_t n = 0;

    for (; lines != NULL && n < size; lines = lines->next) {
        n += (size_t)snprintf(out + n, size - n, "%s|", lines->data);
    }
}

static CURLcode note(CURL *easy, CURLoption option, ...)
{
    const int kind = (int)option / 10000 * 10000;
    char *out = noted[n_noted].text;
    const size_t size = sizeof(noted[0].text);
    va_list ap;

    (void)easy;
    va_start(ap, option);
    if (kind == CURLOPTTYPE_LONG) {
        snprintf(out, size, "%ld", va_arg(ap, long));
    } else if (kind == CURLOPTTYPE_OFF_T) {
        snprintf(out, size, "%lld", (long long)va_arg(ap, curl_off_t));
    } else if (kind == CURLOPTTYPE_BLOB) {
        const struct curl_blob *blob = va_arg(ap, const struct curl_blob *);
        snprintf(out, size, "%.*s", (int)blob->len, (const char *)blob->data);
    } else if (option == CURLOPT_HTTPHEADER || option == CURLOPT_CONNECT_TO ||
               option == CURLOPT_PROXYHEADER) {
        note_lines(out, size, va_arg(ap, const struct curl_slist *));
    } else if (kind == CURLOPTTYPE_OBJECTPOINT && option != CURLOPT_PRIVATE &&
               option != CURLOPT_HEADERDATA && option != CURLOPT_WRITEDATA) {
        const char *text = va_arg(ap, const char *);
        snprintf(out, size, "%s", text == NULL ? "NULL" : text);
    }
    va_end(ap);
    noted[n_noted++].option = option;
    return CURLE_OK;
}

/* What was set last, NULL when the option was left alone. */
static const char *told(CURLoption option)
{
    for (size_t i = n_noted; i > 0; i--) {
        if (noted[i - 1].option == option) {
            return noted[i - 1].text;
        }
    }
    return NULL;
}

static CURLMcode nothing(CURLM *multi, CURL *easy)
{
    (void)multi;
    (void)easy;
    return CURLM_OK;
}

static struct libcurl lib;

static bool start(const struct transfer_order *order, char error[CURL_ERROR_SIZE])
{
    struct transfer t = { .lib = &lib };

    n_noted = 0;
    buf_init(&t.body, KIB);
    bool is_running = transfer_start(&t, order);
    snprintf(error, CURL_ERROR_SIZE, "%s", t.error);
    transfer_drop(&t);
    ok(t.easy == NULL && t.lines == NULL && t.connect_to == NULL && t.proxy_lines == NULL,
       "dropped");
    buf_fini(&t.body);
    return is_running;
}

/* ---- tables */

struct row {
    const char *what;
    struct http_request_options options;
    CURLoption option;
    const char *want; /* NULL: left alone */
};

static void check_rows(const struct row *rows, size_t n, const char *url)
{
    for (size_t i = 0; i < n; i++) {
        struct transfer_order order = { .options = &rows[i].options,
                                        .url = url,
                                        .timeout_ms = 1500 };
        char error[CURL_ERROR_SIZE];
        ok(start(&order, error), "started: %s", error);
        const char *got = told(rows[i].option);
        is_str(got == NULL ? "(not set)" : got, rows[i].want == NULL ? "(not set)" : rows[i].want,
               "%s", rows[i].what);
    }
}

#define PLAIN                                                                                      \
    {                                                                                              \
        .is_held = false                                                                           \
    } /* as good as any */
#define TLS(...)                                                                                   \
    {                                                                                              \
        .tls = { __VA_ARGS__ }                                                                     \
    }
#define S(text) SPAN_LIT(text)

static void test_tls(void)
{
    static const struct row rows[] = {
        { "the system's authorities", PLAIN, CURLOPT_CAPATH, NULL },
        { "which is curl's default", PLAIN, CURLOPT_CAINFO, NULL },
        { "an authority's text: no folder", TLS(.ca_pem = S("A")), CURLOPT_CAPATH, "NULL" },
        { "and no file", TLS(.ca_pem = S("A")), CURLOPT_CAINFO, "NULL" },
        { "but the text", TLS(.ca_pem = S("A")), CURLOPT_CAINFO_BLOB, "A" },
        { "an authority's file: no folder", TLS(.ca_file = S("f")), CURLOPT_CAPATH, "NULL" },
        { "but the file", TLS(.ca_file = S("f")), CURLOPT_CAINFO, "f" },
        { "and no text", TLS(.ca_file = S("f")), CURLOPT_CAINFO_BLOB, NULL },
        { "no certificate", PLAIN, CURLOPT_SSLCERT_BLOB, NULL },
        { "nor a file", PLAIN, CURLOPT_SSLCERT, NULL },
        { "a certificate", TLS(.cert_pem = S("C")), CURLOPT_SSLCERT_BLOB, "C" },
        { "a certificate's file", TLS(.cert_file = S("f")), CURLOPT_SSLCERT, "f" },
        { "no key", PLAIN, CURLOPT_SSLKEY_BLOB, NULL },
        { "nor a file of one", PLAIN, CURLOPT_SSLKEY, NULL },
        { "a key", TLS(.key_pem = S("K")), CURLOPT_SSLKEY_BLOB, "K" },
        { "a key's file", TLS(.key_file = S("f")), CURLOPT_SSLKEY, "f" },
        { "verified", PLAIN, CURLOPT_SSL_VERIFYPEER, "1" },
        { "with its name", PLAIN, CURLOPT_SSL_VERIFYHOST, "2" },
        { "not verified", TLS(.insecure_skip_verify = true), CURLOPT_SSL_VERIFYPEER, "0" },
        { "nor its name", TLS(.insecure_skip_verify = true), CURLOPT_SSL_VERIFYHOST, "0" },
    };

    check_rows(rows, COUNT(rows), "https://h/");
}

static void test_versions(void)
{
    static const struct {
        int min, max;
        long want;
    } t[] = {
        { 0, 0, CURL_SSLVERSION_TLSv1_2 },
        { 0x0301, 0, CURL_SSLVERSION_TLSv1_0 },
        { 0x0302, 0x0302, CURL_SSLVERSION_TLSv1_1 | CURL_SSLVERSION_MAX_TLSv1_1 },
        { 0x0303, 0x0304, CURL_SSLVERSION_TLSv1_2 | CURL_SSLVERSION_MAX_TLSv1_3 },
        { 0x0304, 0, CURL_SSLVERSION_TLSv1_3 },
        { 0, 0x0303, CURL_SSLVERSION_TLSv1_2 | CURL_SSLVERSION_MAX_TLSv1_2 },
        { 0x0301, 0x0301, CURL_SSLVERSION_TLSv1_0 | CURL_SSLVERSION_MAX_TLSv1_0 },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        const struct http_request_options options =
            TLS(.min_version = t[i].min, .max_version = t[i].max);
        const struct transfer_order order = { .options = &options,
                                              .url = "https://h/",
                                              .timeout_ms = 1 };
        char error[CURL_ERROR_SIZE];
        AUTO_STR want = mem_printf("%ld", t[i].want);
        ok(start(&order, error), "started: %s", error);
        is_str(told(CURLOPT_SSLVERSION), want, "from %x to %x", (unsigned)t[i].min,
               (unsigned)t[i].max);
    }
}

/* NOLINTBEGIN(concurrency-mt-unsafe): no other thread of this program looks at the environment */
static void test_proxy(void)
{
    static const char *const names[] = { "HTTP_PROXY",  "http_proxy", "HTTPS_PROXY",
                                         "https_proxy", "NO_PROXY",   "no_proxy" };
    static const struct {
        const char *what, *url, *env[6]; /* in the order of the names */
        struct http_request_options options;
        const char *proxy;
    } t[] = {
        { "the environment, unwanted", "http://h/", { "e", "e", "e", "e", "x", "x" }, PLAIN, "" },
        { "a proxy of its own",
          "http://h/",
          { "e", NULL, NULL, NULL, "h" },
          { .proxy_url = S("p"), .no_proxy = S("n"), .proxy_from_environment = true },
          "p" },
        { "not where its own list says",
          "http://h/",
          { 0 },
          { .proxy_url = S("p"), .no_proxy = S("n, H") },
          "" },
        { "nor for loopback, if it has one",
          "http://127.0.0.1/",
          { 0 },
          { .proxy_url = S("p"), .no_proxy = S("n") },
          "" },
        { "nor where the environment says",
          "http://h/",
          { "e", NULL, NULL, NULL, "h" },
          { .proxy_from_environment = true },
          "" },
        { "a SOCKS proxy looks up names",
          "http://h/",
          { 0 },
          { .proxy_url = S("socks5://u:p@s:1") },
          "socks5h://u:p@s:1" },
        { "and so it does here",
          "http://h/",
          { 0 },
          { .proxy_url = S("socks5h://s:1") },
          "socks5h://s:1" },
        { "the environment is empty", "http://h/", { 0 }, { .proxy_from_environment = true }, "" },
        { "for http",
          "http://h/",
          { "H", "h", "S", "s" },
          { .proxy_from_environment = true },
          "H" },
        { "in small letters",
          "http://h/",
          { NULL, "h", "S", "s", NULL, "x" },
          { .proxy_from_environment = true },
          "h" },
        { "empty is not there", "http://h/", { "", "h" }, { .proxy_from_environment = true }, "h" },
        { "for https",
          "https://h/",
          { "H", "h", "S", "s", "X", "x" },
          { .proxy_from_environment = true },
          "S" },
        { "in small letters",
          "https://h/",
          { "H", "h", NULL, "s" },
          { .proxy_from_environment = true },
          "s" },
        { "not for localhost",
          "http://LocalHost/",
          { "H" },
          { .proxy_from_environment = true },
          "" },
        { "not for 127/8", "http://127.1.2.3/", { "H" }, { .proxy_from_environment = true }, "" },
        { "not for ::1", "http://[::1]/", { "H" }, { .proxy_from_environment = true }, "" },
        { "but a proxy of its own", "http://[::1]/", { "H" }, { .proxy_url = S("p") }, "p" },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        const struct transfer_order order = { .options = &t[i].options,
                                              .url = t[i].url,
                                              .timeout_ms = 1 };
        char error[CURL_ERROR_SIZE];
        for (size_t k = 0; k < COUNT(names); k++) {
            if (t[i].env[k] == NULL) {
                unsetenv(names[k]);
            } else {
                setenv(names[k], t[i].env[k], 1);
            }
        }
        ok(start(&order, error), "started: %s", error);
        is_str(told(CURLOPT_PROXY), t[i].proxy, "proxy of %s: %s", t[i].url, t[i].what);
        is_str(told(CURLOPT_NOPROXY), "", "libcurl looks for no exceptions");
    }
    for (size_t k = 0; k < COUNT(names); k++) {
        unsetenv(names[k]);
    }
}
/* NOLINTEND(concurrency-mt-unsafe) */

/* A proxy that speaks TLS is met as the server is. */
static void test_tls_proxy(void)
{
#define TLS_PROXY .proxy_url = S("HTTPS://p:1")
    static const struct row rows[] = {
        { "authorities", { TLS_PROXY, .tls = { .ca_file = S("a") } }, CURLOPT_PROXY_CAINFO, "a" },
        { "and no others",
          { TLS_PROXY, .tls = { .ca_file = S("a") } },
          CURLOPT_PROXY_CAPATH,
          "NULL" },
        { "as text", { TLS_PROXY, .tls = { .ca_pem = S("A") } }, CURLOPT_PROXY_CAINFO_BLOB, "A" },
        { "certificate",
          { TLS_PROXY, .tls = { .cert_file = S("c") } },
          CURLOPT_PROXY_SSLCERT,
          "c" },
        { "as text",
          { TLS_PROXY, .tls = { .cert_pem = S("C") } },
          CURLOPT_PROXY_SSLCERT_BLOB,
          "C" },
        { "key", { TLS_PROXY, .tls = { .key_file = S("k") } }, CURLOPT_PROXY_SSLKEY, "k" },
        { "as text", { TLS_PROXY, .tls = { .key_pem = S("K") } }, CURLOPT_PROXY_SSLKEY_BLOB, "K" },
        { "it is verified", { TLS_PROXY }, CURLOPT_PROXY_SSL_VERIFYPEER, "1" },
        { "and its name", { TLS_PROXY }, CURLOPT_PROXY_SSL_VERIFYHOST, "2" },
        { "or not",
          { TLS_PROXY, .tls = { .insecure_skip_verify = true } },
          CURLOPT_PROXY_SSL_VERIFYPEER,
          "0" },
        { "another proxy has none of it",
          { .proxy_url = S("http://p:1"), .tls = { .ca_file = S("a") } },
          CURLOPT_PROXY_CAINFO,
          NULL },
    };

    check_rows(rows, COUNT(rows), "https://h/");
}

/* What only the proxy is told. */
static void test_connect_headers(void)
{
    static const struct http_request_header headers[] = {
        { S("X-Who"), S("me") },   { S("X-Who"), S("too") },
        { S("Host"), S("other") }, { S("Proxy-Authorization"), S("Basic eA==") },
        { S("Empty"), S("") },
    };
    static const struct http_request_header torn[] = { { S("X"), S("a\r\nY: b") } };
    static const struct {
        const char *what, *url, *proxy, *want; /* NULL: left alone */
    } t[] = {
        { "on the way to https", "https://h/", "p:1",
          "X-Who: me|X-Who: too|Proxy-Authorization: Basic eA==|Empty;|" },
        { "a name in the URL comes first", "https://h/", "http://u:p@p:1",
          "X-Who: me|X-Who: too|Empty;|" },
        { "http is no way to connect", "http://h/", "p:1", NULL },
        { "and nobody asks without a proxy", "https://h/", "", NULL },
    };
    char error[CURL_ERROR_SIZE];

    for (size_t i = 0; i < COUNT(t); i++) {
        const struct http_request_options o = { .proxy_url = span_of(t[i].proxy),
                                                .connect_headers = headers,
                                                .n_connect_headers = COUNT(headers) };
        const struct transfer_order order = { .options = &o, .url = t[i].url, .timeout_ms = 1 };
        ok(start(&order, error), "started: %s", error);
        const char *got = told(CURLOPT_PROXYHEADER), *alone = told(CURLOPT_FORBID_REUSE);
        is_str(got == NULL ? "(not set)" : got, t[i].want == NULL ? "(not set)" : t[i].want, "%s",
               t[i].what);
        ok((alone != NULL) == (t[i].want != NULL), "and nobody else goes this way");
    }
    const struct http_request_options o = { .proxy_url = S("p"),
                                            .connect_headers = torn,
                                            .n_connect_headers = 1 };
    const struct transfer_order order = { .options = &o, .url = "https://h/", .timeout_ms = 1 };
    ok(!start(&order, error), "a line break");
    is_str(error, "a header for the proxy holds a line break", "is refused");
}

static void test_methods(void)
{
    static const struct row rows[] = {
        { "GET is the default", { .method = S("GET") }, CURLOPT_CUSTOMREQUEST, NULL },
        { "no body to send", { .method = S("GET") }, CURLOPT_POST, NULL },
        { "a body to read", { .method = S("GET") }, CURLOPT_NOBODY, NULL },
        { "HEAD", { .method = S("HEAD") }, CURLOPT_NOBODY, "1" },
        { "by its option alone", { .method = S("HEAD") }, CURLOPT_CUSTOMREQUEST, NULL },
        { "POST", { .method = S("POST"), .post_body = S("ab") }, CURLOPT_POST, "1" },
        { "its body", { .method = S("POST"), .post_body = S("ab") }, CURLOPT_POSTFIELDS, "ab" },
        { "its size",
          { .method = S("POST"), .post_body = S("ab") },
          CURLOPT_POSTFIELDSIZE_LARGE,
          "2" },
        { "no body", { .method = S("POST") }, CURLOPT_POSTFIELDS, "" },
        { "another method", { .method = S("PUT") }, CURLOPT_CUSTOMREQUEST, "PUT" },
    };

    check_rows(rows, COUNT(rows), "http://h/");
    const struct http_request_options options = { .method = S("POST"), .post_body = S("ab") };
    const struct transfer_order order = {
        .options = &options, .url = "http://h/", .is_get = true, .timeout_ms = 1
    };
    char error[CURL_ERROR_SIZE];
    ok(start(&order, error), "started: %s", error);
    ok(told(CURLOPT_POST) == NULL && told(CURLOPT_CUSTOMREQUEST) == NULL,
       "GET whatever the options say");
}

#define USER .username = S("u"), .password = S("p")
#define NAMED .tls = { .server_name = S("sd.example") }

static void test_urls(void)
{
    static const struct row rows[] = {
        { "as it is", PLAIN, CURLOPT_URL, "https://a:b@h:8443/x?y" },
        { "credentials take the place of its own", { USER }, CURLOPT_URL, "https://h:8443/x?y" },
        { "user", { USER }, CURLOPT_USERNAME, "u" },
        { "password", { USER }, CURLOPT_PASSWORD, "p" },
        { "an empty password", { .username = S("u") }, CURLOPT_PASSWORD, "" },
        { "no user", PLAIN, CURLOPT_USERNAME, NULL },
        { "a name of its own", { NAMED }, CURLOPT_URL, "https://a:b@sd.example:8443/x?y" },
        { "the way there", { NAMED }, CURLOPT_CONNECT_TO, "::h:8443|" },
        { "what the server reads", { NAMED }, CURLOPT_HTTPHEADER, "Accept:|Expect:|Host: h:8443|" },
        { "no name of its own", PLAIN, CURLOPT_CONNECT_TO, NULL },
        { "a whole number of ms", PLAIN, CURLOPT_TIMEOUT_MS, "1500" },
        { "a cap", { .max_body_bytes = 7 }, CURLOPT_MAXFILESIZE_LARGE, "7" },
        { "none", { .max_body_bytes = SIZE_MAX }, CURLOPT_MAXFILESIZE_LARGE, NULL },
        { "the largest that is none",
          { .max_body_bytes = INT64_MAX },
          CURLOPT_MAXFILESIZE_LARGE,
          NULL },
        { "redirects are not curl's", { .follow_redirects = true }, CURLOPT_FOLLOWLOCATION, "0" },
    };
    static const struct row usual[] = {
        { "the usual port is not named",
          { NAMED },
          CURLOPT_HTTPHEADER,
          "Accept:|Expect:|Host: h|" },
        { "but it is where to go", { NAMED }, CURLOPT_CONNECT_TO, "::h:443|" },
    };
    static const struct row plain[] = {
        { "a name means nothing without TLS", { NAMED }, CURLOPT_URL, "http://h:80/" },
        { "and no way there", { NAMED }, CURLOPT_CONNECT_TO, NULL },
    };

    check_rows(rows, COUNT(rows), "https://a:b@h:8443/x?y");
    check_rows(usual, COUNT(usual), "https://h/");
    check_rows(plain, COUNT(plain), "http://h:80/");
}

/* What another host, to which a redirect led, is told. */
static void test_elsewhere(void)
{
    static const struct http_request_header headers[] = {
        { S("accept"), S("a") },         { S("User-Agent"), S("b") },
        { S("X-Prometheus-Y"), S("c") }, { S("X-Prometheus-"), S("d") },
        { S("X-Api-Key"), S("e") },      { S("Empty"), S("") },
    };
    const struct http_request_options options = { .headers = headers,
                                                  .n_headers = COUNT(headers),
                                                  USER };
    struct transfer_order order = {
        .options = &options, .url = "http://a:b@h/", .authorization = S("Bearer t"), .timeout_ms = 1
    };
    char error[CURL_ERROR_SIZE];

    ok(start(&order, error), "started: %s", error);
    is_str(told(CURLOPT_HTTPHEADER),
           "accept: a|User-Agent: b|X-Prometheus-Y: c|X-Prometheus-: d|X-Api-Key: e|Empty;|Expect:|"
           "Authorization: Bearer t|",
           "the host that is meant is told everything");
    is_str(told(CURLOPT_USERNAME), "u", "with the credentials");
    order.is_elsewhere = true;
    ok(start(&order, error), "started: %s", error);
    is_str(told(CURLOPT_HTTPHEADER), "accept: a|User-Agent: b|X-Prometheus-Y: c|Expect:|",
           "another only who asks and for what");
    ok(told(CURLOPT_USERNAME) == NULL, "without credentials");
    is_str(told(CURLOPT_URL), "http://h/", "also without those of the URL");
    const struct http_request_options none = PLAIN;
    order = (struct transfer_order){
        .options = &none, .url = "http://a:b@h/", .authorization = S("Bearer t"), .timeout_ms = 1
    };
    ok(start(&order, error), "started: %s", error);
    is_str(told(CURLOPT_URL), "http://h/", "a token takes the place of the URL's credentials");
}

static void test_refused(void)
{
    static const struct http_request_header bad[] = {
        { S("X"), S("a\rb") }, { S("X"), S("a\nb") }, { S("X"), S("a\0b") },
        { S("X\n"), S("") },   { S("X"), S("\n") },   { S("X"), S("a\n") },
    };
    char error[CURL_ERROR_SIZE];

    for (size_t i = 0; i < COUNT(bad); i++) {
        const struct http_request_options options = { .headers = &bad[i], .n_headers = 1 };
        const struct transfer_order order = { .options = &options,
                                              .url = "http://h/",
                                              .timeout_ms = 1 };
        ok(!start(&order, error), "header %zu", i);
        is_str(error, "a header holds a line break", "is refused");
    }
    const struct http_request_options options = PLAIN;
    struct transfer_order order = { .options = &options, .url = "http://h/" };
    ok(!start(&order, error), "no time left");
    is_str(error, "timed out", "is said so");
    order = (struct transfer_order){ .options = &options, .url = "http://[", .timeout_ms = 1 };
    ok(!start(&order, error), "no URL");
    is_str(error, "the URL cannot be parsed", "is said so");
}

static void test_outcome(void)
{
    const struct http_request_options options = { .max_body_bytes = 7 };
    struct transfer t = { .lib = &lib, .order.options = &options };

    buf_init(&t.body, 7);
    ok(transfer_succeeded(&t, CURLE_OK), "an answer");
    ok(!transfer_succeeded(&t, CURLE_COULDNT_CONNECT), "none");
    is_str(t.error, lib.curl_easy_strerror(CURLE_COULDNT_CONNECT), "curl's general words");
    snprintf(t.error, sizeof(t.error), "more");
    ok(!transfer_succeeded(&t, CURLE_COULDNT_CONNECT), "none again");
    is_str(t.error, "more", "its own words stay");
    ok(!transfer_succeeded(&t, CURLE_FILESIZE_EXCEEDED), "too large by its own word");
    is_str(t.error, "the body is larger than 7 bytes", "the cap is named");
    t.is_coded = true;
    ok(!transfer_succeeded(&t, CURLE_WRITE_ERROR), "coded");
    is_str(t.error, "unsupported transfer encoding", "how");
    buf_add_str(&t.body, "12345678");
    ok(!transfer_succeeded(&t, CURLE_WRITE_ERROR), "too large");
    is_str(t.error, "the body is larger than 7 bytes", "the cap is named again");
    buf_fini(&t.body);
}

int main(void)
{
    struct err err = { 0 };

    is_int(libcurl_load(&lib, &err), 0, "libcurl: %s", err.text);
    lib.curl_easy_setopt = note;
    lib.curl_multi_add_handle = nothing;
    lib.curl_multi_remove_handle = nothing;
    test_tls();
    test_versions();
    test_proxy();
    test_connect_headers();
    test_tls_proxy();
    test_methods();
    test_urls();
    test_elsewhere();
    test_refused();
    test_outcome();
    lib.curl_global_cleanup();
    return check_done();
}
