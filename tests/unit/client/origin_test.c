#include "allocator/client/origin.h"

#include "tests/check.h"

static struct libcurl lib;

static bool origin(const char *url, struct origin *out)
{
    CURLU *u = lib.curl_url();
    bool is_good =
        lib.curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK && origin_of(&lib, u, out);

    lib.curl_url_cleanup(u);
    return is_good;
}

/* Credentials go along when the origin stays, or when the usual port of http becomes that of https.
 */
static void test_secrets(void)
{
    static const struct {
        const char *from, *to;
        bool keeps;
    } t[] = {
        { "http://h/a", "http://h/b", true },         { "http://h/", "http://H:80/", true },
        { "http://h/", "http://i/", false },          { "http://h/", "http://h:81/", false },
        { "http://h:81/", "http://h:81/", true },     { "http://h/", "https://h/", true },
        { "http://h:80/", "https://h:443/", true },   { "http://h/", "https://i/", false },
        { "http://h:81/", "https://h/", false },      { "http://h/", "https://h:444/", false },
        { "http://h:443/", "https://h:443/", false }, { "https://h/", "http://h/", false },
        { "https://h:80/", "https://h/", false },     { "https://h/", "https://h/x", true },
        { "http://h/", "http://h:443/", false },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        struct origin from = { 0 }, to = { 0 };
        ok(origin(t[i].from, &from) && origin(t[i].to, &to), "%s and %s", t[i].from, t[i].to);
        is_int(origin_keeps_secrets(&from, &to), t[i].keeps, "from %s to %s", t[i].from, t[i].to);
        origin_fini(&lib, &from);
        origin_fini(&lib, &to);
    }
}

static void test_loopback(void)
{
    static const struct {
        const char *url;
        bool is_loopback;
    } t[] = {
        { "http://localhost/", true },     { "http://LOCALHOST:1/", true },
        { "http://127.0.0.1/", true },     { "http://127.255.0.9/", true },
        { "http://[::1]/", true },         { "http://[::2]/", false },
        { "http://12.7.0.1/", false },     { "http://localhost.example/", false },
        { "http://1270.example/", false },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        struct origin o = { 0 };
        ok(origin(t[i].url, &o), "%s", t[i].url);
        is_int(origin_is_loopback(&o), t[i].is_loopback, "whether it is loopback");
        origin_fini(&lib, &o);
    }
}

static void test_parts(void)
{
    struct origin o = { 0 };

    ok(origin("https://user:pw@h/x", &o), "a URL");
    is_str(o.scheme, "https", "its scheme");
    is_str(o.host, "h", "its host");
    is_str(o.port, "443", "the usual port");
    origin_fini(&lib, &o);
    CURLU *empty = lib.curl_url();
    ok(!origin_of(&lib, empty, &o) && o.host == NULL, "nothing has no origin");
    origin_fini(&lib, &o);
    lib.curl_url_cleanup(empty);
}

int main(void)
{
    struct err err = { 0 };

    is_int(libcurl_load(&lib, &err), 0, "libcurl: %s", err.text);
    test_secrets();
    test_loopback();
    test_parts();
    lib.curl_global_cleanup();
    return check_done();
}
