#include "allocator/kube/execcredential.h"

#include "allocator/base/limits.h"
#include "allocator/codec/node.h"

#include <time.h>

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

/* Digits of 'text' at 'at'; -1 when they are none. */
static int digits(struct span text, size_t at, size_t n)
{
    int value = 0;

    for (size_t i = at; i < at + n; i++) {
        if (i >= text.len || text.p[i] < '0' || text.p[i] > '9') {
            return -1;
        }
        value = 10 * value + (text.p[i] - '0');
    }
    return value;
}

/* "Z", "+01:00" */
static bool read_zone(struct span text, int *out_s)
{
    int hours = digits(text, 1, 2), minutes = digits(text, 4, 2);

    *out_s = 0;
    if (span_is_nocase(text, "z")) {
        return true;
    }
    if (text.len != 6 || text.p[3] != ':' || hours < 0 || hours > 23 || minutes < 0 ||
        minutes > 59 || (text.p[0] != '+' && text.p[0] != '-')) {
        return false;
    }
    *out_s = (text.p[0] == '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
    return true;
}

/* RFC 3339: "2026-11-30T20:00:00.5Z" */
static bool read_time(struct span text, int64_t *out_ms)
{
    static const char form[] = "dddd-dd-ddTdd:dd:dd";
    const int year = digits(text, 0, 4), month = digits(text, 5, 2), day = digits(text, 8, 2);
    const int hour = digits(text, 11, 2), minute = digits(text, 14, 2),
              second = digits(text, 17, 2);
    size_t at = sizeof(form) - 1;
    int zone_s = 0;

    for (size_t i = 0; i < at && i < text.len; i++) {
        if (form[i] != 'd' && form[i] != text.p[i] && !(form[i] == 'T' && text.p[i] == 't')) {
            return false;
        }
    }
    if (year < 1970 || month < 1 || month > 12 || day < 1 || day > 31 || hour < 0 || hour > 23 ||
        minute < 0 || minute > 59 || second < 0 || second > 60) {
        return false;
    }
    if (at < text.len && text.p[at] == '.') {
        for (at++; digits(text, at, 1) >= 0; at++) {
        }
    }
    if (!read_zone(span_from(text, at), &zone_s)) {
        return false;
    }
    struct tm tm = { .tm_year = year - 1900,
                     .tm_mon = month - 1,
                     .tm_mday = day,
                     .tm_hour = hour,
                     .tm_min = minute,
                     .tm_sec = second };
    *out_ms = ((int64_t)timegm(&tm) - zone_s) * 1000;
    return true;
}

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
    if (expires.len > 0 && !read_time(expires, &out->expires_ms)) {
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
