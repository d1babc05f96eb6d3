#include "allocator/kube/execcredential.h"

#include "allocator/base/limits.h"
#include "allocator/codec/node.h"
#include "allocator/codec/timestamp.h"

/* ---- what it is told */

static void add_member(struct buf *out, const char *name, struct span value)
{
    if (value.len > 0) {
        buf_addf(out, ",\"%s\":", name);
        buf_add_json(out, value);
    }
}

/* Data of a file is not read for this: a plugin that wants to know is given what the configuration
 * holds. */
static void add_cluster(const struct kubeconfig *c, struct buf *out)
{
    buf_add_str(out, "\"cluster\":{\"server\":");
    buf_add_json(out, c->server);
    add_member(out, "tls-server-name", c->tls_server_name);
    if (c->insecure_skip_verify) {
        buf_add_str(out, ",\"insecure-skip-tls-verify\":true");
    }
    add_member(out, "proxy-url", c->proxy_url);
    if (c->disable_compression) {
        buf_add_str(out, ",\"disable-compression\":true");
    }
    if (c->exec.cluster_config.len > 0) {
        buf_add_str(out, ",\"config\":");
        buf_add_span(out, c->exec.cluster_config);
    }
    buf_add_str(out, "},");
}

void execcredential_write_info(const struct kubeconfig *config, struct buf *out)
{
    buf_add_str(out, "{\"kind\":\"ExecCredential\",\"apiVersion\":");
    buf_add_json(out, config->exec.api_version);
    buf_add_str(out, ",\"spec\":{");
    if (config->exec.has_cluster_info) {
        add_cluster(config, out);
    }
    buf_add_str(out, "\"interactive\":false}}\n");
}

/* ---- what it says */

static bool read_text(const struct node *status, const char *name, struct span *out)
{
    const struct node *n = node_get(status, name);

    *out = (struct span){ "", 0 };
    return node_is_null(n) || node_as_text(n, out);
}

static int read_status(const struct node *status, struct execcredential *out, struct err *err)
{
    struct span expires;

    if (node_is_null(status) || status->type != NODE_MAP) {
        return err_set(err, ERR_INVALID, "it did not give a status");
    }
    if (!read_text(status, "token", &out->token) ||
        !read_text(status, "clientCertificateData", &out->cert_pem) ||
        !read_text(status, "clientKeyData", &out->key_pem) ||
        !read_text(status, "expirationTimestamp", &expires)) {
        return err_set(err, ERR_INVALID, "a member of its status is not text");
    }
    if ((out->cert_pem.len > 0) != (out->key_pem.len > 0)) {
        return err_set(err, ERR_INVALID, "it gave only one of certificate and key");
    }
    if (out->token.len == 0 && out->cert_pem.len == 0) {
        return err_set(err, ERR_INVALID, "it gave neither a token nor a certificate");
    }
    for (size_t i = 0; i < out->token.len; i++) {
        if ((unsigned char)out->token.p[i] <= ' ') {
            return err_set(err, ERR_INVALID, "its token cannot be one");
        }
    }
    out->expires_ms = INT64_MAX;
    if (expires.len > 0 && !timestamp_parse(expires, &out->expires_ms)) {
        return err_set(err, ERR_INVALID, "its expirationTimestamp is no time of RFC 3339");
    }
    return 0;
}

int execcredential_read(struct span text, struct span api_version, struct arena *arena,
                        struct execcredential *out, struct err *err)
{
    struct execcredential found = { .expires_ms = 0 };
    struct span version, kind;
    struct node *root = NULL;

    if (node_from_json(arena_span(arena, text), 0, arena, &root, NULL) < 0 ||
        root->type != NODE_MAP) {
        return err_set(err, ERR_INVALID, "it did not print a JSON object");
    }
    if (!node_as_text(node_get(root, "kind"), &kind) || !span_is(kind, "ExecCredential")) {
        return err_set(err, ERR_INVALID, "it did not print an ExecCredential");
    }
    if (!node_as_text(node_get(root, "apiVersion"), &version) || !span_eq(version, api_version)) {
        return err_set(err, ERR_INVALID, "it does not speak %.*s", SPAN_ARG(api_version));
    }
    int rc = read_status(node_get(root, "status"), &found, err);
    if (rc == 0) {
        *out = found;
    }
    return rc;
}
