#include "allocator/discovery/want.h"

#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "tests/check.h"

static struct span scopes[] = { SPAN_LIT("r"), SPAN_LIT("w") };
static struct span header_values[] = { SPAN_LIT("blue") };
static struct httpconfig_header headers[] = {
    { .name = SPAN_LIT("X-Team"), .values = header_values, .n_values = 1 }
};

static struct sdconfig http_section(void)
{
    struct sdconfig s = { .mechanism = SD_HTTP, .refresh_ms = 60000 };

    s.http.url = SPAN_LIT("http://x/sd");
    s.http.client.basic_username = SPAN_LIT("me");
    s.http.client.has_basic_auth = true;
    s.http.client.follow_redirects = true;
    s.http.client.oauth2.client_id = SPAN_LIT("id");
    s.http.client.oauth2.scopes = scopes;
    s.http.client.oauth2.n_scopes = COUNT(scopes);
    s.http.client.headers = headers;
    s.http.client.n_headers = COUNT(headers);
    return s;
}

static bool is_same_key(const struct sdconfig *a, const struct sdconfig *b)
{
    AUTO_BUF x;
    AUTO_BUF y;

    buf_init(&x, MIB);
    buf_init(&y, MIB);
    want_key(a, &x);
    want_key(b, &y);
    return span_eq(buf_span(&x), buf_span(&y));
}

/* Each field of a section that steers what is asked makes another want. */
static void test_keys(void)
{
    struct sdconfig a = http_section(), b = http_section();
    struct span other = SPAN_LIT("other"), spare;

    ok(is_same_key(&a, &b), "equal sections");
    b.refresh_ms = 1;
    ok(!is_same_key(&a, &b), "interval");
    b = http_section();
    b.http.client.follow_redirects = false;
    ok(!is_same_key(&a, &b), "redirects");
    b = http_section();
    b.http.client.basic_username = SPAN_LIT("");
    ok(!is_same_key(&a, &b), "user name");
    b = http_section();
    b.http.client.tls.insecure_skip_verify = true;
    ok(!is_same_key(&a, &b), "TLS");
    b = http_section();
    b.http.client.oauth2.proxy_from_environment = true;
    ok(!is_same_key(&a, &b), "OAuth2 proxy of the environment");
    b = http_section();
    b.http.client.oauth2.n_scopes = 1;
    ok(!is_same_key(&a, &b), "fewer scopes");
    struct span *const texts[] = { &b.http.url,
                                   &b.http.client.basic_password,
                                   &b.http.client.basic_password_file,
                                   &b.http.client.auth_type,
                                   &b.http.client.auth_credentials,
                                   &b.http.client.auth_credentials_file,
                                   &b.http.client.oauth2.client_secret,
                                   &b.http.client.oauth2.client_secret_file,
                                   &b.http.client.oauth2.token_url,
                                   &b.http.client.oauth2.proxy_url,
                                   &b.http.client.oauth2.no_proxy,
                                   &b.http.client.oauth2.tls.ca_file,
                                   &b.http.client.tls.ca,
                                   &b.http.client.tls.cert_file,
                                   &b.http.client.tls.key_file,
                                   &b.http.client.tls.server_name,
                                   &b.http.client.tls.min_version,
                                   &b.http.client.proxy_url,
                                   &b.http.client.no_proxy };
    for (size_t i = 0; i < COUNT(texts); i++) {
        b = http_section();
        spare = *texts[i];
        *texts[i] = other;
        ok(!is_same_key(&a, &b), "text %zu", i);
        *texts[i] = spare;
    }
}

static void test_no_confusion(void)
{
    struct span one[] = { SPAN_LIT("/a"), SPAN_LIT("b/c") },
                two[] = { SPAN_LIT("/ab"), SPAN_LIT("/c") };
    struct sdconfig a = { .mechanism = SD_FILE, .refresh_ms = 1, .file = { one, 2 } };
    struct sdconfig b = { .mechanism = SD_FILE, .refresh_ms = 1, .file = { two, 2 } };

    ok(!is_same_key(&a, &b), "texts do not run into each other");
    b.file.patterns = one;
    ok(is_same_key(&a, &b), "equal patterns");
    b.file.n_patterns = 1;
    ok(!is_same_key(&a, &b), "fewer patterns");
}

/* The copy is whole and shares nothing with what it was made from. */
static void test_copy(void)
{
    char url[] = "http://x/sd", team[] = "blue";
    struct span value = span_of(team);
    struct httpconfig_header header = { .name = SPAN_LIT("X-Team"),
                                        .values = &value,
                                        .n_values = 1 };
    struct sdconfig a = http_section();

    a.http.url = span_of(url);
    a.http.client.headers = &header;
    struct want *want = want_new(7, &a);
    ok(is_same_key(&a, &want->section), "the copy has the same key");
    url[0] = team[0] = 'X';
    header.n_values = 0;
    is_span(want->section.http.url, SPAN_LIT("http://x/sd"), "the URL is copied");
    is_int(want->section.http.client.headers[0].n_values, 1, "the header is copied");
    is_span(want->section.http.client.headers[0].values[0], SPAN_LIT("blue"), "and its value");
    want->mail.dispose(&want->mail);
}

int main(void)
{
    test_keys();
    test_no_confusion();
    test_copy();
    return check_done();
}
