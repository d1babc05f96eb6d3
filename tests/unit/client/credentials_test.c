#include "allocator/client/credentials.h"

#include "allocator/base/clock.h"
#include "allocator/base/limits.h"
#include "allocator/codec/yamldoc.h"
#include "tests/check.h"

#include <stdlib.h>
#include <unistd.h>

static char *folder;

static void write_file(const char *name, const char *text)
{
    AUTO_STR path = mem_printf("%s/%s", folder, name);
    FILE *file = fopen(path, "w");

    ok(file != NULL && fputs(text, file) >= 0 && fclose(file) == 0, "%s is written", path);
}

static void remove_file(const char *name)
{
    AUTO_STR path = mem_printf("%s/%s", folder, name);
    ok(unlink(path) == 0, "%s is removed", path);
}

struct fixture {
    struct arena arena;
    struct node *root;
    struct httpconfig config;
    struct credentials c;
    struct err err;
    int rc;
};

/* %s in 'yaml' is the folder. */
static void setup(struct fixture *x, const char *yaml)
{
    *x = (struct fixture){ 0 };
    arena_init(&x->arena);
    char *text = arena_strndup(&x->arena, yaml, strlen(yaml));
    for (char *at = strstr(text, "%s"); at != NULL; at = strstr(text, "%s")) {
        *at = '\0';
        text = arena_printf(&x->arena, "%s%s%s", text, folder, at + 2);
    }
    is_int(yamldoc_parse(span_of(text), &x->arena, &x->root, NULL), 0, "%s", text);
    httpconfig_read(x->root, &x->arena, &x->config);
    x->rc = credentials_apply(&x->config, &x->arena, &x->c, &x->err);
}

static void teardown(struct fixture *x)
{
    credentials_fini(&x->c);
    arena_fini(&x->arena);
}

static void test_headers(void)
{
    static const struct {
        const char *yaml, *want; /* every header, "name: value|" */
    } t[] = {
        { "{}", "" },
        { "{authorization: {credentials: c}}", "Authorization: Bearer c|" },
        { "{authorization: {type: ' Digest', credentials: c}}", "Authorization: Digest c|" },
        { "{authorization: {credentials_file: %s/secret}}", "Authorization: Bearer from file|" },
        { "{authorization: {type: Token}}", "" },
        { "{http_headers: {X-A: {values: [v, w], secrets: [s], files: [%s/secret]}}}",
          "X-A: v|X-A: w|X-A: s|X-A: from file|" },
        { "{http_headers: {X-A: {values: ['']}}, authorization: {credentials: c}}",
          "X-A: |Authorization: Bearer c|" },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        struct fixture x;
        AUTO_BUF got;
        setup(&x, t[i].yaml);
        is_int(x.rc, 0, "applied: %s", x.err.text);
        buf_init(&got, KIB);
        vec_each(&x.c.headers, h) {
            buf_addf(&got, "%.*s: %.*s|", SPAN_ARG(h->name), SPAN_ARG(h->value));
        }
        is_span(buf_span(&got), span_of(t[i].want), "headers of %s", t[i].yaml);
        ok(x.c.options.username.p == NULL, "no Basic credentials");
        teardown(&x);
    }
}

static void test_basic(void)
{
    static const struct {
        const char *yaml, *user, *password;
    } t[] = {
        { "{basic_auth: {username: u, password: p}}", "u", "p" },
        { "{basic_auth: {username_file: %s/secret, password_file: %s/other}}", "from file",
          "other" },
        { "{basic_auth: {username: u}}", "u", "" },
        { "{basic_auth: {password: p}}", "", "p" },
        { "{basic_auth: {}}", "", "" },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        struct fixture x;
        setup(&x, t[i].yaml);
        is_int(x.rc, 0, "applied: %s", x.err.text);
        ok(x.c.options.username.p != NULL, "Basic credentials, even empty ones");
        is_span(x.c.options.username, span_of(t[i].user), "user of %s", t[i].yaml);
        is_span(x.c.options.password, span_of(t[i].password), "password of %s", t[i].yaml);
        is_int(x.c.headers.n, 0, "and no header");
        teardown(&x);
    }
}

static void test_options(void)
{
    struct fixture x;

    setup(&x, "{}");
    ok(x.c.options.follow_redirects && x.c.options.enable_http2, "defaults");
    ok(!x.c.options.proxy_from_environment && !x.c.options.tls.insecure_skip_verify, "and more");
    is_int(x.c.options.tls.min_version, 0, "the client's own least version");
    is_int(x.c.oauth2.token_url.len, 0, "no OAuth2");
    teardown(&x);
    setup(&x, "{follow_redirects: false, enable_http2: false, proxy_url: 'http://p', no_proxy: n, "
              "proxy_connect_header: {X: [a, b], Y: [c]}, "
              "tls_config: {ca: a, cert: c, key: k, ca_file: af, cert_file: cf, key_file: kf, "
              "server_name: s, insecure_skip_verify: true, min_version: TLS11, max_version: "
              "TLS13}}");
    const struct http_request_options *o = &x.c.options;
    ok(!o->follow_redirects && !o->enable_http2, "neither redirects nor HTTP/2");
    is_span(o->proxy_url, SPAN_LIT("http://p"), "proxy");
    is_span(o->no_proxy, SPAN_LIT("n"), "and where it is not asked");
    is_int(o->n_connect_headers, 3, "what it is told");
    is_span(o->connect_headers[1].name, SPAN_LIT("X"), "a name for each value");
    is_span(o->connect_headers[1].value, SPAN_LIT("b"), "the second");
    is_span(o->tls.ca_pem, SPAN_LIT("a"), "ca");
    is_span(o->tls.cert_pem, SPAN_LIT("c"), "cert");
    is_span(o->tls.key_pem, SPAN_LIT("k"), "key");
    is_span(o->tls.ca_file, SPAN_LIT("af"), "ca_file");
    is_span(o->tls.cert_file, SPAN_LIT("cf"), "cert_file");
    is_span(o->tls.key_file, SPAN_LIT("kf"), "key_file");
    is_span(o->tls.server_name, SPAN_LIT("s"), "server_name");
    ok(o->tls.insecure_skip_verify, "not verified");
    is_int(o->tls.min_version, 0x0302, "TLS 1.1 at least");
    is_int(o->tls.max_version, 0x0304, "TLS 1.3 at most");
    teardown(&x);
    setup(&x, "{proxy_from_environment: true, tls_config: {min_version: TLS10, max_version: "
              "TLS12}}");
    ok(x.c.options.proxy_from_environment, "the environment's proxy");
    is_int(x.c.options.tls.min_version, 0x0301, "TLS 1.0 at least");
    is_int(x.c.options.tls.max_version, 0x0303, "TLS 1.2 at most");
    teardown(&x);
}

static void test_oauth2(void)
{
    struct fixture x;

    setup(&x, "{oauth2: {client_id: i, client_secret_file: %s/secret, token_url: 'http://t', "
              "scopes: [a, b], endpoint_params: {z: '1&2', audience: 'x y'}, proxy_url: "
              "'http://p', proxy_connect_header: {X: [t]}, tls_config: {server_name: s}}}");
    is_int(x.rc, 0, "applied: %s", x.err.text);
    const struct oauth2_config *o = &x.c.oauth2;
    is_span(o->token_url, SPAN_LIT("http://t"), "token_url");
    is_span(o->client_id, SPAN_LIT("i"), "client_id");
    is_span(o->client_secret, SPAN_LIT("from file"), "the secret of the file");
    is_int(o->n_scopes, 2, "scopes");
    is_span(o->scopes[1], SPAN_LIT("b"), "in order");
    is_span(o->endpoint_params, SPAN_LIT("audience=x+y&z=1%262"), "parameters, sorted and encoded");
    is_span(o->proxy_url, SPAN_LIT("http://p"), "a proxy of its own");
    is_int(o->n_connect_headers, 1, "and what that is told");
    is_span(o->connect_headers[0].value, SPAN_LIT("t"), "alone");
    is_span(o->tls.server_name, SPAN_LIT("s"), "and TLS");
    teardown(&x);
}

static void test_faults(void)
{
    static const struct {
        const char *yaml, *where;
    } t[] = {
        { "{basic_auth: {username: u, password_file: %s/none}}", "basic_auth" },
        { "{basic_auth: {username_file: %s/none}}", "basic_auth" },
        { "{authorization: {credentials_file: %s/none}}", "authorization" },
        { "{http_headers: {X: {files: [%s/none]}}}", "http_headers" },
        { "{oauth2: {client_id: i, token_url: u, client_secret_file: %s/none}}", "oauth2" },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        struct fixture x;
        setup(&x, t[i].yaml);
        ok(x.rc < 0, "a file that is not there: %s", t[i].yaml);
        ok(strncmp(x.err.text, t[i].where, strlen(t[i].where)) == 0, "where: %s", x.err.text);
        ok(strstr(x.err.text, "none") != NULL, "and which");
        teardown(&x);
    }
}

static void on_done(void *arg, struct http_response *response)
{
    snprintf(arg, 256, "%s", response->error == NULL ? "" : response->error);
}

/* Nobody listens: which way a request went shows in its error. */
static void test_send(void)
{
    struct http_client *client = http_client_new();
    struct oauth2 *tokens = oauth2_new(client);
    const char *yaml[] = { "{}", "{oauth2: {client_id: i, token_url: 'http://127.0.0.1:1/t'}}" };

    role_enter(watcher);
    for (size_t i = 0; i < COUNT(yaml); i++) {
        struct fixture x;
        char error[256] = "";
        setup(&x, yaml[i]);
        x.c.options.url = SPAN_LIT("http://127.0.0.1:1/");
        x.c.options.timeout_ms = 10000;
        x.c.options.max_body_bytes = KIB;
        credentials_send(&x.c, client, tokens, on_done, error);
        for (int64_t end = clock_mono_ms() + 10000; error[0] == '\0' && clock_mono_ms() < end;) {
            http_client_poll(client, NULL, 0, 1000);
        }
        is_int(strncmp(error, "oauth2: ", 8) == 0, i == 1, "%s", error);
        teardown(&x);
    }
    oauth2_free(&tokens);
    http_client_free(&client);
}

int main(void)
{
    folder = check_folder("credentials");
    write_file("secret", "from file\n");
    write_file("other", " other \n");
    test_headers();
    test_basic();
    test_options();
    test_oauth2();
    test_faults();
    test_send();
    remove_file("secret");
    remove_file("other");
    ok(rmdir(folder) == 0, "and the folder");
    mem_free(folder);
    return check_done();
}
