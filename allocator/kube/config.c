#include "allocator/kube/config.h"

#include "allocator/base/buf.h"
#include "allocator/base/limits.h"
#include "allocator/codec/walk.h"
#include "allocator/kube/configuser.h"

#include <string.h>

/* ---- clusters */

/* As rest.DefaultServerURL() does: what has no scheme is a host and port. */
static struct span read_server(struct configreader *r, const struct configentry *e, bool is_tls)
{
    const size_t n_errors = r->f->n_errors;
    struct span server = configentry_text(r, e, "server"), rest;
    const char *end;

    if (server.len == 0) {
        if (r->f->n_errors == n_errors) {
            walk_fault(e->body, "server", r->f, "is needed");
        }
        return server;
    }
    const char *scheme_end = memmem(server.p, server.len, "://", 3);
    if (scheme_end == NULL) {
        if (memchr(server.p, '/', server.len) != NULL) {
            walk_fault(e->body, "server", r->f, "must be a URL or host:port");
        }
        return span_of(
            arena_printf(r->arena, "%s://%.*s", is_tls ? "https" : "http", SPAN_ARG(server)));
    }
    struct span scheme = { server.p, (size_t)(scheme_end - server.p) };
    if (!span_is_nocase(scheme, "https") && !span_is_nocase(scheme, "http")) {
        walk_fault(e->body, "server", r->f, "must be a URL of https or http");
    }
    rest = span_from(server, scheme.len + 3);
    for (end = rest.p; end < rest.p + rest.len && *end != '?' && *end != '#'; end++) {
    }
    rest.len = (size_t)(end - rest.p);
    while (rest.len > 0 && rest.p[rest.len - 1] == '/') {
        rest.len--;
    }
    if (rest.len == 0 || rest.p[0] == '/') {
        walk_fault(e->body, "server", r->f, "must name a host");
    }
    return span_of(arena_printf(
        r->arena, "%s://%.*s", span_is_nocase(scheme, "https") ? "https" : "http", SPAN_ARG(rest)));
}

static void read_proxy(struct configreader *r, const struct configentry *e, struct kubeconfig *c)
{
    c->proxy_url = configentry_text(r, e, "proxy-url");
    if (c->proxy_url.len > 0 && !span_has_prefix(c->proxy_url, "http://") &&
        !span_has_prefix(c->proxy_url, "https://") && !span_has_prefix(c->proxy_url, "socks5://")) {
        walk_fault(e->body, "proxy-url", r->f, "must be a URL of http, https or socks5");
    }
}

/* "extensions" of a cluster: what its exec plugin is to be told. */
static struct span read_exec_extension(struct configreader *r, const struct configentry *e)
{
    const struct node *list;
    struct buf out;

    if (!walk_list(e->body, "extensions", r->f, &list)) {
        return (struct span){ "", 0 };
    }
    for (size_t i = 0; i < list->n; i++) {
        if (configentry_has_name(list->items[i], SPAN_LIT("client.authentication.k8s.io/exec"))) {
            buf_init_in(&out, r->arena, LIMIT_SECRET);
            node_write_json(node_get(list->items[i], "extension"), &out);
            return buf_error(&out) == 0 ? buf_span(&out) : (struct span){ "", 0 };
        }
    }
    return (struct span){ "", 0 };
}

static void read_cluster(struct configreader *r, const struct configentry *e, bool has_cert,
                         struct kubeconfig *c)
{
    configentry_file_or_data(r, e, "certificate-authority", &c->ca_file, &c->ca_pem);
    c->insecure_skip_verify = configentry_flag(r, e, "insecure-skip-tls-verify");
    c->tls_server_name = configentry_text(r, e, "tls-server-name");
    c->disable_compression = configentry_flag(r, e, "disable-compression");
    c->exec.cluster_config = read_exec_extension(r, e);
    read_proxy(r, e, c);
    bool has_ca = c->ca_file.len > 0 || c->ca_pem.len > 0;
    c->server = read_server(r, e, has_ca || has_cert || c->insecure_skip_verify);
    if (c->insecure_skip_verify && has_ca) {
        walk_fault(e->body, "insecure-skip-tls-verify", r->f,
                   "cannot be true beside a certificate authority");
    }
}

/* ---- the current context */

static struct span current_context(struct configreader *r, const char **out_file)
{
    struct span name;

    for (size_t i = 0; i < r->n_files; i++) {
        if (node_as_text(node_get(r->files[i].root, "current-context"), &name) && name.len > 0) {
            *out_file = r->files[i].path;
            return name;
        }
    }
    return (struct span){ "", 0 };
}

/* No credential is ever sent by http, as with client-go. */
static void forget_credentials(struct configreader *r, struct kubeconfig *c)
{
    const struct span none = { "", 0 };

    if (c->token.len + c->token_file.len + c->username.len + c->password.len + c->cert_file.len +
            c->cert_pem.len + c->exec.command.len + c->as.len >
        0) {
        faults_add(r->f, FAULT_WARNING, 0,
                   "the server is asked by http, so the user's credentials are not used");
    }
    c->token = c->token_file = c->username = c->password = none;
    c->cert_file = c->cert_pem = c->key_file = c->key_pem = none;
    c->exec = (struct kubeconfig_exec){ .command = none };
    c->as = c->as_uid = none;
    c->n_as_groups = c->n_as_extra = 0;
}

/* Back at the context: 'word' of it names nothing. */
static void report_missing(struct configreader *r, struct span context, const char *word,
                           struct span name)
{
    const struct configentry e = configentry_enter(r, "contexts", "context", context);

    if (name.len == 0) {
        walk_fault(e.body, word, r->f, "is needed");
    } else {
        walk_fault(e.body, word, r->f, "there is no %s \"%.*s\"", word, SPAN_ARG(name));
    }
    configentry_leave(r, &e);
}

static void read_context(struct configreader *r, struct span name, struct kubeconfig *c)
{
    struct configentry e = configentry_enter(r, "contexts", "context", name);

    if (e.body == NULL) {
        if (e.file == NULL) {
            faults_add_at(r->f, FAULT_ERROR, 0, "current-context", "there is no context \"%.*s\"",
                          SPAN_ARG(name));
        }
        configentry_leave(r, &e);
        return;
    }
    const struct span cluster = configentry_text(r, &e, "cluster"),
                      user = configentry_text(r, &e, "user");
    c->namespace = configentry_text(r, &e, "namespace");
    configentry_leave(r, &e);

    e = configentry_enter(r, "users", "user", user);
    if (e.body != NULL) {
        configuser_read(r, &e, c);
    }
    configentry_leave(r, &e);
    if (e.file == NULL) {
        report_missing(r, name, "user", user);
    }
    e = configentry_enter(r, "clusters", "cluster", cluster);
    if (e.body != NULL) {
        read_cluster(r, &e, c->cert_file.len > 0 || c->cert_pem.len > 0, c);
    }
    configentry_leave(r, &e);
    if (e.file == NULL) {
        report_missing(r, name, "cluster", cluster);
    }
}

static bool is_empty(const struct configreader *r)
{
    for (size_t i = 0; i < r->n_files; i++) {
        const struct node *clusters = node_get(r->files[i].root, "clusters");
        if (!node_is_null(clusters) && clusters->n > 0) {
            return false;
        }
    }
    return true;
}

int kubeconfig_read(const struct kubeconfig_text *texts, size_t n, bool may_run,
                    struct arena *arena, struct kubeconfig *out, struct faults *f)
{
    struct configreader r = { .may_run = may_run, .arena = arena, .f = f, .n_files = n };
    struct kubeconfig c = { .namespace = { "", 0 } };
    size_t n_errors = f->n_errors;
    const char *file = n > 0 ? texts[0].path : NULL;

    r.files = arena_zalloc(arena, n * sizeof(*r.files));
    for (size_t i = 0; i < n; i++) {
        if (configfile_parse(&r, &texts[i], &r.files[i]) == 0) {
            configfile_check(&r, &r.files[i]);
        }
    }
    const struct span context = current_context(&r, &file);
    f->file = file;
    if (f->n_errors == n_errors) {
        if (context.len == 0 && is_empty(&r)) {
            f->file = NULL;
            return ERR_NOT_FOUND;
        }
        if (context.len == 0) {
            faults_add_at(f, FAULT_ERROR, 0, "current-context", "is needed");
        } else {
            read_context(&r, context, &c);
        }
    }
    if (span_has_prefix(c.server, "http:")) {
        forget_credentials(&r, &c);
    }
    f->file = NULL;
    if (f->n_errors > n_errors) {
        return ERR_INVALID;
    }
    c.namespace = c.namespace.len > 0 ? c.namespace : SPAN_LIT("default");
    *out = c;
    return 0;
}
