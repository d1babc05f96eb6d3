/* kubeconfig files: what comes out of several of them, and what is refused, by name and place.
 * Expectations are kubectl 1.33's where it answers at all. */
#include "allocator/kube/config.h"

#include "allocator/base/mem.h"
#include "tests/check.h"

#include <stdio.h>
#include <stdlib.h>

struct fixture {
    struct arena arena;
    struct faults f;
    struct kubeconfig c;
    int rc;
};

static void read_texts(struct fixture *x, const struct kubeconfig_text *texts, size_t n,
                       bool may_run)
{
    *x = (struct fixture){ 0 };
    arena_init(&x->arena);
    faults_init(&x->f);
    x->rc = kubeconfig_read(texts, n, may_run, &x->arena, &x->c, &x->f);
}

static void teardown(struct fixture *x)
{
    faults_fini(&x->f);
    arena_fini(&x->arena);
}

/* A file with one of each, the last two given as flow mappings without their braces. */
static char *one_of_each(const char *cluster, const char *user)
{
    return mem_printf("apiVersion: v1\nkind: Config\ncurrent-context: c\n"
                      "clusters: [{name: k, cluster: {%s}}]\n"
                      "users: [{name: u, user: {%s}}]\n"
                      "contexts: [{name: c, context: {cluster: k, user: u}}]\n",
                      cluster, user);
}

static void read_one(struct fixture *x, const char *cluster, const char *user)
{
    static char *text;

    mem_free(text);
    text = one_of_each(cluster, user);
    read_texts(x, &(struct kubeconfig_text){ "/etc/k/config", span_of(text) }, 1, true);
}

/* ---- one file */

static void test_every_field(void)
{
    struct fixture x;

    read_one(&x,
             "server: 'https://api:6443/prefix/?q=1#f', certificate-authority: ca/ca.crt, "
             "tls-server-name: other, proxy-url: 'socks5://p:1080', disable-compression: true",
             "client-certificate: c.crt, client-key-data: \"a2\\nV5\", tokenFile: /abs/token, "
             "token: t, as: a, as-uid: '7', as-groups: [g, h], as-user-extra: {e: [1, 2], f: [3]}, "
             "unknown: [x]");
    is_int(x.rc, 0, "is read");
    is_int(x.f.n, 0, "without a word");
    is_span(x.c.server, SPAN_LIT("https://api:6443/prefix"),
            "query, fragment and last slash are dropped");
    is_span(x.c.ca_file, SPAN_LIT("/etc/k/ca/ca.crt"), "relative to the file's folder");
    is_span(x.c.key_pem, SPAN_LIT("key"), "data");
    is_span(x.c.cert_file, SPAN_LIT("/etc/k/c.crt"), "so is this");
    is_span(x.c.token_file, SPAN_LIT("/abs/token"), "absolute paths stay");
    is_span(x.c.tls_server_name, SPAN_LIT("other"), "the name to verify");
    is_span(x.c.proxy_url, SPAN_LIT("socks5://p:1080"), "proxy");
    ok(x.c.disable_compression, "no gzip");
    is_span(x.c.token, SPAN_LIT("t"), "token");
    is_span(x.c.as, SPAN_LIT("a"), "as");
    is_span(x.c.as_uid, SPAN_LIT("7"), "as-uid");
    is_int(x.c.n_as_groups, 2, "groups");
    is_int(x.c.n_as_extra, 3, "one for each value");
    is_span(x.c.as_extra[1].name, span_of("e"), "name");
    is_span(x.c.as_extra[1].value, span_of("2"), "value");
    is_span(x.c.namespace, SPAN_LIT("default"), "the default namespace");
    is_int(x.c.exec.command.len, 0, "no plugin");
    teardown(&x);

    read_one(&x, "server: https://a, certificate-authority-data: \"Q0\\nE=\"", "token: t");
    is_span(x.c.ca_pem, SPAN_LIT("CA"), "line breaks in base64 are nothing");
    teardown(&x);
}

static void test_server(void)
{
    static const struct {
        const char *cluster, *user, *want;
    } t[] = {
        { "server: 'h:1'", "token: t", "http://h:1" },
        { "server: 'h:1', certificate-authority: x", "", "https://h:1" },
        { "server: 'h:1', insecure-skip-tls-verify: true", "", "https://h:1" },
        { "server: 'h:1'", "client-certificate: c, client-key: k", "https://h:1" },
        { "server: 'HTTPS://h'", "token: t", "https://h" },
        { "server: 'https://[::1]:6443/'", "token: t", "https://[::1]:6443" },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        struct fixture x;
        read_one(&x, t[i].cluster, t[i].user);
        is_int(x.rc, 0, "%s: is read", t[i].cluster);
        is_span(x.c.server, span_of(t[i].want), "%s", t[i].cluster);
        teardown(&x);
    }
}

static void test_http_carries_no_credentials(void)
{
    struct fixture x;

    read_one(&x, "server: 'http://h:1'",
             "token: t, tokenFile: f, client-certificate: c, client-key: k, as: a, exec: {command: "
             "x, apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never}");
    is_int(x.rc, 0, "is read");
    is_int(x.c.token.len + x.c.token_file.len + x.c.cert_file.len + x.c.key_file.len + x.c.as.len +
               x.c.exec.command.len,
           0, "nothing secret is left");
    is_int(x.f.n, 1, "and that is said");
    teardown(&x);
}

static void test_data_counts(void)
{
    struct fixture x;

    read_one(&x, "server: https://h, certificate-authority: f, certificate-authority-data: QQ==",
             "token: t");
    is_int(x.rc, 0, "is read");
    is_span(x.c.ca_pem, SPAN_LIT("A"), "data");
    is_int(x.c.ca_file.len, 0, "not the file");
    is_int(x.f.n, 1, "said once");
    is_str(x.f.v[0].path, "clusters[0].cluster.certificate-authority", "where");
    teardown(&x);
}

static void test_exec(void)
{
    struct fixture x;

    read_one(&x,
             "server: https://h, extensions: [{name: other, extension: 1}, "
             "{name: client.authentication.k8s.io/exec, extension: {b: [1], a: x}}]",
             "exec: {command: ./bin/login, apiVersion: client.authentication.k8s.io/v1, "
             "interactiveMode: IfAvailable, provideClusterInfo: true, args: [a, b], "
             "env: [{name: N, value: v}, {name: M}], installHint: hint}");
    is_int(x.rc, 0, "is read");
    is_span(x.c.exec.command, SPAN_LIT("/etc/k/./bin/login"), "a command with a slash is a path");
    is_int(x.c.exec.n_args, 2, "arguments");
    is_int(x.c.exec.n_env, 2, "environment");
    is_span(x.c.exec.env[0].value, span_of("v"), "value");
    is_span(x.c.exec.env[1].value, span_of(""), "no value");
    ok(x.c.exec.has_cluster_info, "wants the cluster");
    is_span(x.c.exec.cluster_config, span_of("{\"a\":\"x\",\"b\":[1]}"), "and its extension");
    is_span(x.c.exec.install_hint, SPAN_LIT("hint"), "hint");
    teardown(&x);

    read_one(&x, "server: https://h",
             "exec: {command: login, apiVersion: client.authentication.k8s.io/v1beta1}");
    is_int(x.rc, 0, "v1beta1 needs no interactiveMode");
    is_span(x.c.exec.command, SPAN_LIT("login"), "a bare command goes by PATH");
    teardown(&x);
}

#define EXEC_V1 "apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never"

static void test_refused(void)
{
    static const struct {
        const char *cluster, *user, *path, *text;
    } t[] = {
        { "a: b", "token: t", "clusters[0].cluster.server", "is needed" },
        { "server: 'h:1/x'", "token: t", "clusters[0].cluster.server",
          "must be a URL or host:port" },
        { "server: 'ftp://h'", "token: t", "clusters[0].cluster.server",
          "must be a URL of https or http" },
        { "server: 'https://'", "token: t", "clusters[0].cluster.server", "must name a host" },
        { "server: [1]", "token: t", "clusters[0].cluster.server", "must be text, not a list" },
        { "server: https://h, proxy-url: 'ftp://p'", "token: t", "clusters[0].cluster.proxy-url",
          "must be a URL of http, https or socks5" },
        { "server: https://h, insecure-skip-tls-verify: true, certificate-authority: f", "token: t",
          "clusters[0].cluster.insecure-skip-tls-verify",
          "cannot be true beside a certificate authority" },
        { "server: https://h, insecure-skip-tls-verify: perhaps", "token: t",
          "clusters[0].cluster.insecure-skip-tls-verify", "must be true or false, not 'perhaps'" },
        { "server: https://h, certificate-authority-data: '###'", "token: t",
          "clusters[0].cluster.certificate-authority-data", NULL },
        { "server: https://h", "token: t, username: u", "users[0].user.token",
          "cannot stand beside username and password" },
        { "server: https://h", "client-certificate: c", "users[0].user.client-key",
          "is needed beside a client certificate" },
        { "server: https://h", "auth-provider: {name: gcp}", "users[0].user.auth-provider",
          "'gcp' is not supported: use an exec plugin or a token" },
        { "server: https://h", "token: t, as-groups: [a]", "users[0].user.as",
          "is needed beside as-uid, as-groups or as-user-extra" },
        { "server: https://h", "token: t, as: a, as-user-extra: {k: v}",
          "users[0].user.as-user-extra.k", "must be a list, not text" },
        { "server: https://h", "exec: {" EXEC_V1 "}", "users[0].user.exec.command", "is needed" },
        { "server: https://h", "exec: {command: x, apiVersion: v1, interactiveMode: Never}",
          "users[0].user.exec.apiVersion", NULL },
        { "server: https://h",
          "exec: {command: x, apiVersion: client.authentication.k8s.io/v1, interactiveMode: "
          "Always}",
          "users[0].user.exec.interactiveMode",
          "is not supported: nobody is there to answer the plugin" },
        { "server: https://h", "exec: {command: x, apiVersion: client.authentication.k8s.io/v1}",
          "users[0].user.exec.interactiveMode", "is needed: Never or IfAvailable" },
        { "server: https://h",
          "exec: {command: x, apiVersion: client.authentication.k8s.io/v1, interactiveMode: Foo}",
          "users[0].user.exec.interactiveMode", "must be Never or IfAvailable, not 'Foo'" },
        { "server: https://h", "exec: {command: x, env: [{value: v}], " EXEC_V1 "}",
          "users[0].user.exec.env[0].name", "is needed" },
        { "server: https://h", "exec: {command: x, env: [v], " EXEC_V1 "}",
          "users[0].user.exec.env[0]", "must be a mapping, not text" },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        struct fixture x;
        read_one(&x, t[i].cluster, t[i].user);
        is_int(x.rc, ERR_INVALID, "%s %s: is refused", t[i].cluster, t[i].user);
        is_int(x.f.n_errors, 1, "with one error");
        is_str(x.f.n > 0 ? x.f.v[0].path : "", t[i].path, "%s %s: path", t[i].cluster, t[i].user);
        is_str(x.f.n > 0 ? x.f.v[0].file : "", "/etc/k/config", "file");
        if (t[i].text != NULL && x.f.n > 0) {
            is_str(x.f.v[0].text, t[i].text, "text");
        }
        teardown(&x);
    }
}

static void test_plugin_needs_leave(void)
{
    AUTO_STR text = one_of_each("server: https://h", "exec: {command: x, " EXEC_V1 "}");
    struct fixture x;

    read_texts(&x, &(struct kubeconfig_text){ "k", span_of(text) }, 1, false);
    is_int(x.rc, ERR_INVALID, "a plugin is refused");
    is_str(x.f.v[0].path, "users[0].user.exec", "at its place");
    teardown(&x);
}

/* ---- several files */

static void test_first_entry_is_whole(void)
{
    const struct kubeconfig_text texts[] = {
        { "/a/one", SPAN_LIT("clusters:\n- {name: k, cluster: {server: https://one}}\n"
                             "users:\n- {name: u, user: {tokenFile: t}}\n") },
        { "/b/two", SPAN_LIT("current-context: c\ncontexts:\n"
                             "- {name: c, context: {cluster: k, user: u, namespace: n}}\n"
                             "clusters:\n- {name: k, cluster: {server: https://two, "
                             "certificate-authority: ca}}\n"
                             "users:\n- {name: u, user: {token: two}}\n") },
        { "/c/three", SPAN_LIT("{\"current-context\":\"d\",\"contexts\":[{\"name\":\"d\"}]}") },
        { "/d/empty", SPAN_LIT("") },
    };
    struct fixture x;

    read_texts(&x, texts, COUNT(texts), false);
    is_int(x.rc, 0, "is read");
    is_span(x.c.server, SPAN_LIT("https://one"), "the first file's cluster");
    is_int(x.c.ca_file.len, 0, "nothing of the second's");
    is_span(x.c.token_file, SPAN_LIT("/a/t"), "relative to the file that holds the entry");
    is_int(x.c.token.len, 0, "no token of the second");
    is_span(x.c.namespace, SPAN_LIT("n"), "namespace");
    teardown(&x);
}

static void test_what_names_nothing(void)
{
    static const struct {
        const char *text, *path, *want;
        int rc;
    } t[] = {
        { "", NULL, NULL, ERR_NOT_FOUND },
        { "apiVersion: v1\nkind: Config\nclusters: []\nusers: null\n", NULL, NULL, ERR_NOT_FOUND },
        { "clusters: [{name: k, cluster: {server: https://h}}]", "current-context", "is needed",
          ERR_INVALID },
        { "current-context: c", "current-context", "there is no context \"c\"", ERR_INVALID },
        { "current-context: c\ncontexts: [{name: c, context: {cluster: k, user: u}}]\n"
          "users: [{name: u, user: {}}]",
          "contexts[0].context.cluster", "there is no cluster \"k\"", ERR_INVALID },
        { "current-context: c\ncontexts: [{name: c, context: {cluster: k}}]\n"
          "clusters: [{name: k, cluster: {server: https://h}}]",
          "contexts[0].context.user", "is needed", ERR_INVALID },
        { "current-context: c\ncontexts: [{name: c}]", "contexts[0].context",
          "must be a mapping, not null", ERR_INVALID },
        { "clusters: [{name: k}, {name: l}, {name: k}]", "clusters[2].name",
          "there is another \"k\" in this file", ERR_INVALID },
        { "clusters: {k: {}}", "clusters", "must be a list, not a mapping", ERR_INVALID },
        { "[1]", "", "must be a mapping, not a list", ERR_INVALID },
        { "a: [", "", NULL, ERR_INVALID },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        struct fixture x;
        read_texts(&x, &(struct kubeconfig_text){ "k", span_of(t[i].text) }, 1, false);
        is_int(x.rc, t[i].rc, "%s", t[i].text);
        is_int(x.f.n_errors, t[i].path == NULL ? 0 : 1, "errors");
        if (t[i].path != NULL && x.f.n > 0) {
            is_str(x.f.v[0].path, t[i].path, "%s: path", t[i].text);
            if (t[i].want != NULL) {
                is_str(x.f.v[0].text, t[i].want, "text");
            }
        }
        teardown(&x);
    }
    struct fixture x;
    read_texts(&x, NULL, 0, false);
    is_int(x.rc, ERR_NOT_FOUND, "no file at all");
    teardown(&x);
}

/* A member that a context does not use costs nothing, however broken it is. */
static void test_others_do_no_harm(void)
{
    static const char text[] =
        "current-context: c\ncontexts: [{name: c, context: {cluster: k, user: u}}, 7]\n"
        "clusters: [{name: k, cluster: {server: https://h}}, {name: x, cluster: [1]}]\n"
        "users: [{name: u, user: {token: t}}, {name: gcp, user: {auth-provider: {name: gcp}}}]\n";
    struct fixture x;

    read_texts(&x, &(struct kubeconfig_text){ "k", SPAN_LIT(text) }, 1, false);
    is_int(x.rc, 0, "is read");
    is_int(x.f.n, 0, "without a word");
    teardown(&x);
}

int main(void)
{
    test_every_field();
    test_server();
    test_http_carries_no_credentials();
    test_data_counts();
    test_exec();
    test_refused();
    test_plugin_needs_leave();
    test_first_entry_is_whole();
    test_what_names_nothing();
    test_others_do_no_harm();
    return check_done();
}
