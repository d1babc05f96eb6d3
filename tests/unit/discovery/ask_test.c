#include "allocator/discovery/ask.h"

#include "allocator/base/limits.h"
#include "tests/check.h"

static struct span scopes[] = { SPAN_LIT("r"), SPAN_LIT("w") };
static struct span header_values[] = { SPAN_LIT("blue") };
static struct httpconfig_header headers[] = {
    { .name = SPAN_LIT("X-Team"), .values = header_values, .n_values = 1 }
};

static struct ask_header extra[] = { { SPAN_LIT("X-Interval"), SPAN_LIT("60") } };

static struct ask http_ask(struct httpconfig *client)
{
    *client = (struct httpconfig){ 0 };
    client->basic_username = SPAN_LIT("me");
    client->has_basic_auth = true;
    client->follow_redirects = true;
    client->oauth2.client_id = SPAN_LIT("id");
    client->oauth2.scopes = scopes;
    client->oauth2.n_scopes = COUNT(scopes);
    client->headers = headers;
    client->n_headers = COUNT(headers);
    return (struct ask){ .carrier = CARRIER_HTTP,
                         .refresh_ms = 60000,
                         .http = { .url = SPAN_LIT("http://x/sd"),
                                   .client = client,
                                   .headers = extra,
                                   .n_headers = COUNT(extra),
                                   .body_type = SPAN_LIT("application/json") } };
}

static bool is_same_key(const struct ask *a, const struct ask *b)
{
    AUTO_BUF x;
    AUTO_BUF y;

    buf_init(&x, MIB);
    buf_init(&y, MIB);
    ask_key(a, &x);
    ask_key(b, &y);
    return span_eq(buf_span(&x), buf_span(&y));
}

/* Each member that steers what is asked makes another ask. */
static void test_keys(void)
{
    struct httpconfig c, d;
    struct ask a = http_ask(&c), b = http_ask(&d);
    struct span other = SPAN_LIT("other"), spare;

    ok(is_same_key(&a, &b), "equal asks");
    b.refresh_ms = 1;
    ok(!is_same_key(&a, &b), "interval");
    b = http_ask(&d);
    d.follow_redirects = false;
    ok(!is_same_key(&a, &b), "redirects");
    b = http_ask(&d);
    d.basic_username = SPAN_LIT("");
    ok(!is_same_key(&a, &b), "user name");
    b = http_ask(&d);
    d.tls.insecure_skip_verify = true;
    ok(!is_same_key(&a, &b), "TLS");
    b = http_ask(&d);
    d.oauth2.proxy_from_environment = true;
    ok(!is_same_key(&a, &b), "OAuth2 proxy of the environment");
    b = http_ask(&d);
    d.oauth2.n_scopes = 1;
    ok(!is_same_key(&a, &b), "fewer scopes");
    struct span secret = SPAN_LIT("s");
    struct httpconfig_header connect = { .name = SPAN_LIT("X"), .values = &secret, .n_values = 1 };
    b = http_ask(&d);
    d.connect_headers = &connect;
    d.n_connect_headers = 1;
    ok(!is_same_key(&a, &b), "headers for the proxy");
    c.oauth2.connect_headers = &connect;
    c.oauth2.n_connect_headers = 1;
    ok(!is_same_key(&a, &b), "are not those for the proxy of OAuth2");
    a = http_ask(&c);
    b = http_ask(&d);
    b.http.n_headers = 0;
    ok(!is_same_key(&a, &b), "fewer headers");
    struct span *const texts[] = { &b.http.url,
                                   &b.http.body_type,
                                   &b.digest_by,
                                   &d.basic_password,
                                   &d.basic_password_file,
                                   &d.auth_type,
                                   &d.auth_credentials,
                                   &d.auth_credentials_file,
                                   &d.oauth2.client_secret,
                                   &d.oauth2.client_secret_file,
                                   &d.oauth2.token_url,
                                   &d.oauth2.proxy_url,
                                   &d.oauth2.no_proxy,
                                   &d.oauth2.tls.ca_file,
                                   &d.tls.ca,
                                   &d.tls.cert_file,
                                   &d.tls.key_file,
                                   &d.tls.server_name,
                                   &d.tls.min_version,
                                   &d.proxy_url,
                                   &d.no_proxy };
    for (size_t i = 0; i < COUNT(texts); i++) {
        b = http_ask(&d);
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
    struct ask a = { .carrier = CARRIER_FILE, .refresh_ms = 1, .file = { one, 2 } };
    struct ask b = { .carrier = CARRIER_FILE, .refresh_ms = 1, .file = { two, 2 } };

    ok(!is_same_key(&a, &b), "texts do not run into each other");
    b.file.patterns = one;
    ok(is_same_key(&a, &b), "equal patterns");
    b.file.n_patterns = 1;
    ok(!is_same_key(&a, &b), "fewer patterns");
}

/* The copy is whole and shares nothing with what it was made from. */
static void test_copy(void)
{
    char url[] = "http://x/sd", team[] = "blue", interval[] = "60";
    struct span value = span_of(team);
    struct httpconfig_header header = { .name = SPAN_LIT("X-Team"),
                                        .values = &value,
                                        .n_values = 1 };
    struct ask_header more = { SPAN_LIT("X-Interval"), span_of(interval) };
    struct httpconfig c;
    struct ask a = http_ask(&c), copy;
    struct arena arena;

    a.http.url = span_of(url);
    a.http.headers = &more;
    c.headers = &header;
    arena_init(&arena);
    ask_copy(&a, &arena, &copy);
    ok(is_same_key(&a, &copy), "the copy has the same key");
    url[0] = team[0] = interval[0] = 'X';
    header.n_values = 0;
    c.follow_redirects = false;
    is_span(copy.http.url, SPAN_LIT("http://x/sd"), "the URL is copied");
    is_span(copy.http.headers[0].value, SPAN_LIT("60"), "a header of the ask is");
    ok(copy.http.client->follow_redirects, "the client is");
    is_int(copy.http.client->headers[0].n_values, 1, "a header of it is");
    is_span(copy.http.client->headers[0].values[0], SPAN_LIT("blue"), "and its value");
    arena_fini(&arena);
}

static void test_copy_files(void)
{
    char path[] = "/a";
    struct span patterns[] = { span_of(path) };
    struct ask a = { .carrier = CARRIER_FILE, .refresh_ms = 1, .file = { patterns, 1 } }, copy;
    struct arena arena;

    arena_init(&arena);
    ask_copy(&a, &arena, &copy);
    path[1] = 'X';
    patterns[0] = SPAN_LIT("");
    is_span(copy.file.patterns[0], SPAN_LIT("/a"), "patterns are copied");
    is_int(copy.refresh_ms, 1, "with the interval");
    arena_fini(&arena);
}

static void test_properties(void)
{
    struct httpconfig c;
    struct ask http = http_ask(&c), file = { .carrier = CARRIER_FILE };

    ok(ask_is_polled(CARRIER_HTTP) && !ask_is_polled(CARRIER_FILE) && !ask_is_polled(CARRIER_NONE),
       "URLs are polled, files tell when they change");
    is_span(ask_source(&http), SPAN_LIT("http://x/sd"), "a URL is one source");
    is_span(ask_source(&file), SPAN_LIT(""), "files are as many as there are");
}

static struct ask kube_ask(struct httpconfig *client)
{
    (void)http_ask(client);
    return (struct ask){ .carrier = CARRIER_KUBE,
                         .refresh_ms = 1,
                         .kube = { .api_server = SPAN_LIT("https://a"),
                                   .client = client,
                                   .group = SPAN_LIT("apps"),
                                   .version = SPAN_LIT("v1"),
                                   .resource = SPAN_LIT("replicasets"),
                                   .kind = SPAN_LIT("ReplicaSet"),
                                   .namespace = SPAN_LIT("n"),
                                   .label_selector = SPAN_LIT("l"),
                                   .field_selector = SPAN_LIT("f") } };
}

static bool is_same_cluster(const struct ask *a, const struct ask *b)
{
    AUTO_BUF x;
    AUTO_BUF y;

    buf_init(&x, MIB);
    buf_init(&y, MIB);
    ask_cluster_key(&a->kube, &x);
    ask_cluster_key(&b->kube, &y);
    return span_eq(buf_span(&x), buf_span(&y));
}

static void test_kube(void)
{
    struct httpconfig c, d;
    struct ask a = kube_ask(&c), b = kube_ask(&d), copy;
    struct span *here[] = { &b.kube.group,         &b.kube.version,   &b.kube.resource,
                            &b.kube.kind,          &b.kube.namespace, &b.kube.label_selector,
                            &b.kube.field_selector };
    struct span *where[] = { &b.kube.kubeconfig_file, &b.kube.api_server, &d.tls.ca_file };
    struct arena arena;

    ok(is_same_key(&a, &b) && is_same_cluster(&a, &b), "equal asks");
    for (size_t i = 0; i < COUNT(here); i++) {
        b = kube_ask(&d);
        *here[i] = SPAN_LIT("other");
        ok(!is_same_key(&a, &b), "member %zu is part of the ask", i);
        ok(is_same_cluster(&a, &b), "and not of the cluster");
    }
    for (size_t i = 0; i < COUNT(where); i++) {
        b = kube_ask(&d);
        *where[i] = SPAN_LIT("other");
        ok(!is_same_key(&a, &b) && !is_same_cluster(&a, &b), "another cluster, %zu", i);
    }
    b = kube_ask(&d);
    b.kube.is_metadata = true;
    ok(!is_same_key(&a, &b), "metadata only");
    b = kube_ask(&d);
    b.kube.client = NULL;
    ok(!is_same_key(&a, &b) && !is_same_cluster(&a, &b), "no client");

    arena_init(&arena);
    ask_copy(&a, &arena, &copy);
    ok(is_same_key(&a, &copy), "a copy is equal");
    ok(copy.kube.client != a.kube.client && copy.kube.resource.p != a.kube.resource.p,
       "and has everything for itself");
    b.kube.client = NULL;
    ask_copy(&b, &arena, &copy);
    ok(copy.kube.client == NULL, "also of nothing");
    arena_fini(&arena);
    ok(!ask_is_polled(CARRIER_KUBE), "it is not polled");
    is_int(ask_source(&a).len, 0, "and has many sources");
}

int main(void)
{
    test_keys();
    test_no_confusion();
    test_copy();
    test_copy_files();
    test_properties();
    test_kube();
    return check_done();
}
