#include "allocator/client/credentials.h"

#include "allocator/base/limits.h"
#include "allocator/base/readfile.h"
#include "allocator/codec/urlform.h"

#include <stdlib.h>

void credentials_header(struct credentials *r, struct span name, struct span value)
{
    *vec_push(&r->headers) = (struct http_request_header){ name, value };
}

static int read_secret(struct span path, struct arena *arena, struct span *out, struct err *err)
{
    AUTO_STR name = mem_strndup(path.p, path.len);
    AUTO_STR body = NULL;
    struct readfile_signature signature;
    size_t len = 0;

    int rc = readfile_read(name, LIMIT_SECRET, &signature, &body, &len, err);
    if (rc == 0) {
        *out = arena_span(arena, span_trim(span_make(body, len)));
    }
    return rc;
}

/* The text, or what the file holds when there is one. */
static int text_or_file(struct span text, struct span file, struct arena *arena, struct span *out,
                        struct err *err)
{
    *out = text;
    return file.len == 0 ? 0 : read_secret(file, arena, out, err);
}

static int tls_version(struct span name)
{
    static const char *const names[] = { "TLS10", "TLS11", "TLS12", "TLS13" };

    for (size_t i = 0; i < COUNT(names); i++) {
        if (span_is(name, names[i])) {
            return 0x0301 + (int)i;
        }
    }
    return 0;
}

static struct http_client_tls tls_from(const struct httpconfig_tls *t)
{
    return (struct http_client_tls){
        .ca_pem = t->ca,
        .ca_file = t->ca_file,
        .cert_pem = t->cert,
        .cert_file = t->cert_file,
        .key_pem = t->key,
        .key_file = t->key_file,
        .server_name = t->server_name,
        .min_version = tls_version(t->min_version),
        .max_version = tls_version(t->max_version),
        .insecure_skip_verify = t->insecure_skip_verify,
    };
}

static int add_headers(const struct httpconfig *config, struct arena *arena, struct credentials *r,
                       struct err *err)
{
    for (size_t i = 0; i < config->n_headers; i++) {
        const struct httpconfig_header *h = &config->headers[i];
        for (size_t k = 0; k < h->n_values; k++) {
            credentials_header(r, h->name, h->values[k]);
        }
        for (size_t k = 0; k < h->n_secrets; k++) {
            credentials_header(r, h->name, h->secrets[k]);
        }
        for (size_t k = 0; k < h->n_files; k++) {
            struct span value;
            int rc = read_secret(h->files[k], arena, &value, err);
            if (rc < 0) {
                return err_wrap(err, rc, "http_headers");
            }
            credentials_header(r, h->name, value);
        }
    }
    return 0;
}

/* One for each value. */
static const struct http_request_header *
connect_headers(const struct httpconfig_header *v, size_t n, struct arena *arena, size_t *out_n)
{
    size_t n_values = 0;

    for (size_t i = 0; i < n; i++) {
        n_values += v[i].n_values;
    }
    struct http_request_header *out = arena_alloc(arena, n_values * sizeof(*out));
    *out_n = 0;
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < v[i].n_values; k++) {
            out[(*out_n)++] = (struct http_request_header){ v[i].name, v[i].values[k] };
        }
    }
    return out;
}

static int add_credentials(const struct httpconfig *config, struct arena *arena,
                           struct credentials *r, struct err *err)
{
    if (config->has_basic_auth) {
        int rc = text_or_file(config->basic_username, config->basic_username_file, arena,
                              &r->options.username, err);
        if (rc == 0) {
            rc = text_or_file(config->basic_password, config->basic_password_file, arena,
                              &r->options.password, err);
        }
        if (r->options.username.p == NULL) {
            r->options.username = SPAN_LIT("");
        }
        return rc < 0 ? err_wrap(err, rc, "basic_auth") : 0;
    }
    if (config->auth_credentials.len == 0 && config->auth_credentials_file.len == 0) {
        return 0;
    }
    struct span credentials;
    int rc = text_or_file(config->auth_credentials, config->auth_credentials_file, arena,
                          &credentials, err);
    if (rc < 0) {
        return err_wrap(err, rc, "authorization");
    }
    struct span type = config->auth_type.len == 0 ? SPAN_LIT("Bearer") : config->auth_type;
    credentials_header(
        r, SPAN_LIT("Authorization"),
        span_of(arena_printf(arena, "%.*s %.*s", SPAN_ARG(type), SPAN_ARG(credentials))));
    return 0;
}

/* Sorted by key, as Go encodes them. */
static int compare_pairs(const void *a, const void *b)
{
    const struct node_pair *x = a, *y = b;
    return span_cmp(x->key->text, y->key->text);
}

static struct span encode_parameters(const struct node *map, struct arena *arena)
{
    struct node_pair *pairs;
    AUTO_BUF out = { 0 };

    if (map == NULL || map->type != NODE_MAP || map->n == 0) {
        return SPAN_LIT("");
    }
    buf_init(&out, MIB);
    pairs = arena_alloc(arena, map->n * sizeof(*pairs));
    memcpy(pairs, map->pairs, map->n * sizeof(*pairs));
    qsort(pairs, map->n, sizeof(*pairs), compare_pairs);
    for (size_t i = 0; i < map->n; i++) {
        struct span value = SPAN_LIT("");
        node_as_text(pairs[i].value, &value);
        buf_add_str(&out, i == 0 ? "" : "&");
        urlform_escape(pairs[i].key->text, &out);
        buf_add_char(&out, '=');
        urlform_escape(value, &out);
    }
    return arena_span(arena, buf_span(&out));
}

static int add_oauth2(const struct httpconfig_oauth2 *config, struct arena *arena,
                      struct credentials *r, struct err *err)
{
    struct span secret;

    if (config->client_id.len == 0) {
        return 0;
    }
    int rc = text_or_file(config->client_secret, config->client_secret_file, arena, &secret, err);
    if (rc < 0) {
        return err_wrap(err, rc, "oauth2");
    }
    r->oauth2 = (struct oauth2_config){ .token_url = config->token_url,
                                        .client_id = config->client_id,
                                        .client_secret = secret,
                                        .scopes = config->scopes,
                                        .n_scopes = config->n_scopes,
                                        .endpoint_params =
                                            encode_parameters(config->endpoint_params, arena),
                                        .tls = tls_from(&config->tls),
                                        .proxy_url = config->proxy_url,
                                        .no_proxy = config->no_proxy,
                                        .proxy_from_environment = config->proxy_from_environment };
    r->oauth2.connect_headers = connect_headers(config->connect_headers, config->n_connect_headers,
                                                arena, &r->oauth2.n_connect_headers);
    return 0;
}

int credentials_apply(const struct httpconfig *config, struct arena *arena, struct credentials *r,
                      struct err *err)
{
    r->options.tls = tls_from(&config->tls);
    r->options.proxy_url = config->proxy_url;
    r->options.no_proxy = config->no_proxy;
    r->options.proxy_from_environment = config->proxy_from_environment;
    r->options.connect_headers = connect_headers(config->connect_headers, config->n_connect_headers,
                                                 arena, &r->options.n_connect_headers);
    r->options.follow_redirects = config->follow_redirects;
    r->options.enable_http2 = config->enable_http2;
    int rc = add_headers(config, arena, r, err);
    if (rc == 0) {
        rc = add_credentials(config, arena, r, err);
    }
    return rc < 0 ? rc : add_oauth2(&config->oauth2, arena, r, err);
}

struct http_request *credentials_send(struct credentials *r, struct http_client *client,
                                      struct oauth2 *tokens, http_done_fn *done, void *arg)
{
    r->options.headers = r->headers.v;
    r->options.n_headers = r->headers.n;
    return r->oauth2.token_url.len == 0 ? http_client_send(client, &r->options, done, arg)
                                        : oauth2_send(tokens, &r->oauth2, &r->options, done, arg);
}

void credentials_fini(struct credentials *r)
{
    vec_fini(&r->headers);
}
