#include "allocator/scrape/httpconfig.h"

#include "allocator/codec/yamldoc.h"
#include "allocator/scrape/urltext.h"
#include "tests/check.h"

struct fixture {
    struct arena arena;
    struct faults f;
    struct node *root;
    struct httpconfig c;
};

static void setup(struct fixture *x, const char *yaml)
{
    arena_init(&x->arena);
    faults_init(&x->f);
    x->root = NULL;
    is_int(yamldoc_parse(span_of(yaml), &x->arena, &x->root, NULL), 0, "%s", yaml);
    schema_check(httpconfig_fields, x->root, FAULT_ERROR, &x->f);
    httpconfig_check(x->root, &x->f);
    httpconfig_read(x->root, &x->arena, &x->c);
}

static void teardown(struct fixture *x)
{
    faults_fini(&x->f);
    arena_fini(&x->arena);
}

static void test_defaults(void)
{
    struct fixture x;

    setup(&x, "{}");
    is_int(x.f.n, 0, "no faults");
    ok(x.c.follow_redirects && x.c.enable_http2, "redirects and HTTP/2");
    ok(!x.c.has_basic_auth && x.c.auth_type.len == 0 && x.c.oauth2.client_id.len == 0,
       "no authentication");
    ok(!httpconfig_is_set(x.root), "nothing is set");
    teardown(&x);
    setup(&x, "{follow_redirects: true, tls_config: {}, proxy_url: ''}");
    ok(!httpconfig_is_set(x.root), "defaults in writing are not set");
    teardown(&x);
    setup(&x, "{follow_redirects: false}");
    ok(httpconfig_is_set(x.root) && !x.c.follow_redirects, "another value is");
    teardown(&x);
}

static void test_all(void)
{
    struct fixture x;

    setup(&x, "tls_config: {ca: a, ca_file: '', cert: c, key: k, server_name: s, "
              "insecure_skip_verify: true, min_version: TLS12, "
              "max_version: TLS13}\n"
              "oauth2: {client_id: i, client_secret: s, scopes: [x, y], token_url: u, "
              "endpoint_params: {k: v}, proxy_url: "
              "'http://p', no_proxy: m, proxy_connect_header: {X-T: [t]}, tls_config: "
              "{server_name: o}}\n"
              "http_headers: {X-A: {values: [v, w], secrets: [s], files: [f]}, X-B: {}}\n"
              "proxy_url: http://q\nno_proxy: n\nenable_http2: no\n"
              "proxy_connect_header: {X-P: [p, q], X-Q: [], X-R: null}\n");
    is_int(x.f.n, 0, "no faults");
    is_span(x.c.tls.ca, SPAN_LIT("a"), "ca");
    is_span(x.c.tls.key, SPAN_LIT("k"), "key");
    is_span(x.c.tls.min_version, SPAN_LIT("TLS12"), "min_version");
    ok(x.c.tls.insecure_skip_verify && !x.c.enable_http2, "booleans");
    is_int(x.c.oauth2.n_scopes, 2, "scopes");
    is_span(x.c.oauth2.scopes[1], SPAN_LIT("y"), "second scope");
    is_span(x.c.oauth2.tls.server_name, SPAN_LIT("o"), "oauth2 tls");
    ok(node_get(x.c.oauth2.endpoint_params, "k") != NULL, "endpoint_params");
    is_int(x.c.n_headers, 2, "headers");
    is_span(x.c.headers[0].values[1], SPAN_LIT("w"), "second value");
    is_span(x.c.headers[0].files[0], SPAN_LIT("f"), "file");
    is_int(x.c.headers[1].n_values, 0, "empty header");
    is_span(x.c.no_proxy, SPAN_LIT("n"), "no_proxy");
    is_span(x.c.oauth2.no_proxy, SPAN_LIT("m"), "no_proxy of the token endpoint");
    is_int(x.c.n_connect_headers, 3, "headers for the proxy");
    is_span(x.c.connect_headers[0].name, SPAN_LIT("X-P"), "name");
    is_int(x.c.connect_headers[0].n_values, 2, "values");
    is_span(x.c.connect_headers[0].values[1], SPAN_LIT("q"), "second value");
    ok(x.c.connect_headers[1].n_values + x.c.connect_headers[2].n_values == 0, "none of others");
    is_span(x.c.oauth2.connect_headers[0].values[0], SPAN_LIT("t"), "and for that of OAuth2");
    struct httpconfig_gap gap;
    ok(!httpconfig_find_gap(x.root, &gap), "all supported");
    teardown(&x);
}

static void test_bearer(void)
{
    struct fixture x;

    setup(&x, "bearer_token_file: /t");
    is_span(x.c.auth_type, SPAN_LIT("Bearer"), "type");
    is_span(x.c.auth_credentials_file, SPAN_LIT("/t"), "file");
    httpconfig_normalize(x.root, &x.arena);
    json_t *json = schema_render(httpconfig_fields, x.root, true);
    is_str(json_string_value(
               json_object_get(json_object_get(json, "authorization"), "credentials_file")),
           "/t", "shown so");
    ok(json_object_get(json, "bearer_token_file") == NULL, "and not otherwise");
    json_decref(json);
    teardown(&x);
    setup(&x, "{authorization: null, bearer_token: t}");
    is_int(x.f.n, 0, "nothing beside it");
    httpconfig_normalize(x.root, &x.arena);
    httpconfig_read(x.root, &x.arena, &x.c);
    is_span(x.c.auth_credentials, SPAN_LIT("t"), "does not hide it");
    json = schema_render(httpconfig_fields, x.root, false);
    is_str(
        json_string_value(json_object_get(json_object_get(json, "authorization"), "credentials")),
        "t", "nor in the collector's config");
    ok(json_object_get(json, "bearer_token") == NULL, "which has it once");
    json_decref(json);
    teardown(&x);
    setup(&x, "authorization: {type: ' Token ', credentials: c}");
    is_span(x.c.auth_type, SPAN_LIT("Token"), "trimmed");
    teardown(&x);
    setup(&x, "authorization: {}");
    is_span(x.c.auth_type, SPAN_LIT("Bearer"), "default type");
    teardown(&x);
}

static void test_unsupported(void)
{
    static const struct {
        const char *text, *path;
    } t[] = {
        { "basic_auth: {password_ref: x}", "basic_auth.password_ref" },
        { "tls_config: {ca_ref: x}", "tls_config.ca_ref" },
        { "oauth2: {client_id: a, token_url: b, grant_type: "
          "'urn:ietf:params:oauth:grant-type:jwt-bearer'}",
          "oauth2.grant_type" },
        { "oauth2: {client_id: a, token_url: b, tls_config: {cert_file: c, key_ref: d}}",
          "oauth2.tls_config.key_ref" },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        struct fixture x;
        setup(&x, t[i].text);
        is_int(x.f.n, 0, "legal");
        struct httpconfig_gap gap = { .path = "" };
        ok(httpconfig_find_gap(x.root, &gap), "and not for our own client");
        is_str(gap.path, t[i].path, "this member");
        is_int(gap.line, 1, "with its line");
        teardown(&x);
    }
}

static void test_url(void)
{
    static const struct {
        const char *text, *scheme, *host, *redacted; /* scheme NULL: refused */
    } t[] = {
        { "", "", "", "" },
        { "http://h", "http", "h", "http://h" },
        { "http://u:p@h:1/x?y#z", "http", "h:1", "http://u:xxxxx@h:1/x?y#z" },
        { "http://u:@h", "http", "h", "http://u:xxxxx@h" },
        { "http://u@h", "http", "h", "http://u@h" },
        { "https://a:b@c:d@h/p:q@r", "https", "h", "https://a:xxxxx@h/p:q@r" },
        { "http://[::1]:80/", "http", "[::1]:80", "http://[::1]:80/" },
        { "/path?u:p@h", "", "", "/path?u:p@h" },
        { "http:///x", "http", "", "http:///x" },
        { "mailto:a@b", "mailto", "", "mailto:a@b" },
        { ":x", NULL, NULL, ":x" },
        { "1a:b", NULL, NULL, "1a:b" },
        { "http://h:x", NULL, NULL, "http://h:x" },
        { "http://[::1", NULL, NULL, "http://[::1" },
        { "http://[::1]x", NULL, NULL, "http://[::1]x" },
        { "http://a b", NULL, NULL, "http://a b" },
        { "http://h/%z1", NULL, NULL, "http://h/%z1" },
        { "http://h/%1", NULL, NULL, "http://h/%1" },
        { "http://h/\n", NULL, NULL, "http://h/\n" },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        struct urltext url = { { "", 0 }, { "", 0 }, { "", 0 }, false, { "", 0 } };
        struct arena arena;
        struct err err = { 0 };
        arena_init(&arena);
        int rc = urltext_parse(span_of(t[i].text), &url, &err);
        is_int(rc, t[i].scheme == NULL ? ERR_INVALID : 0, "rc of '%s' %s", t[i].text, err.text);
        if (rc == 0) {
            is_span(url.scheme, span_of(t[i].scheme == NULL ? "" : t[i].scheme), "scheme of '%s'",
                    t[i].text);
            is_span(url.host, span_of(t[i].host == NULL ? "" : t[i].host), "host of '%s'",
                    t[i].text);
        }
        is_span(urltext_redact(span_of(t[i].text), &arena), span_of(t[i].redacted), "'%s' redacted",
                t[i].text);
        arena_fini(&arena);
    }
}

int main(void)
{
    test_defaults();
    test_all();
    test_bearer();
    test_unsupported();
    test_url();
    return check_done();
}
