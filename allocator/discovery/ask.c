#include "allocator/discovery/ask.h"

#include "allocator/base/limits.h"

/* ---- fields, visited in one order for the key and for the copy */

typedef void visit_fn(struct span *text, void *arg);

static void visit_texts(struct span *v, size_t n, visit_fn *visit, void *arg)
{
    for (size_t i = 0; i < n; i++) {
        visit(&v[i], arg);
    }
}

static void visit_tls(struct httpconfig_tls *t, visit_fn *visit, void *arg)
{
    visit(&t->ca, arg);
    visit(&t->ca_file, arg);
    visit(&t->cert, arg);
    visit(&t->cert_file, arg);
    visit(&t->key, arg);
    visit(&t->key_file, arg);
    visit(&t->server_name, arg);
    visit(&t->min_version, arg);
    visit(&t->max_version, arg);
}

static void visit_headers(struct httpconfig_header *v, size_t n, visit_fn *visit, void *arg)
{
    for (size_t i = 0; i < n; i++) {
        struct httpconfig_header *h = &v[i];
        visit(&h->name, arg);
        visit_texts(h->values, h->n_values, visit, arg);
        visit_texts(h->secrets, h->n_secrets, visit, arg);
        visit_texts(h->files, h->n_files, visit, arg);
    }
}

static void visit_client(struct httpconfig *c, visit_fn *visit, void *arg)
{
    visit(&c->basic_username, arg);
    visit(&c->basic_username_file, arg);
    visit(&c->basic_password, arg);
    visit(&c->basic_password_file, arg);
    visit(&c->auth_type, arg);
    visit(&c->auth_credentials, arg);
    visit(&c->auth_credentials_file, arg);
    visit(&c->oauth2.client_id, arg);
    visit(&c->oauth2.client_secret, arg);
    visit(&c->oauth2.client_secret_file, arg);
    visit(&c->oauth2.token_url, arg);
    visit(&c->oauth2.proxy_url, arg);
    visit(&c->oauth2.no_proxy, arg);
    visit_texts(c->oauth2.scopes, c->oauth2.n_scopes, visit, arg);
    visit_tls(&c->oauth2.tls, visit, arg);
    visit_tls(&c->tls, visit, arg);
    visit(&c->proxy_url, arg);
    visit(&c->no_proxy, arg);
    visit_headers(c->headers, c->n_headers, visit, arg);
    visit_headers(c->connect_headers, c->n_connect_headers, visit, arg);
    visit_headers(c->oauth2.connect_headers, c->oauth2.n_connect_headers, visit, arg);
}

/* ---- key */

static void add_text(struct span *text, void *arg)
{
    buf_addf(arg, "%c%zu:", text->p == NULL ? '-' : '+', text->len);
    buf_add_span(arg, *text);
}

static void add_counts(char mark, const struct httpconfig_header *v, size_t n, struct buf *out)
{
    for (size_t i = 0; i < n; i++) {
        buf_addf(out, "%c%zu.%zu.%zu.", mark, v[i].n_values, v[i].n_secrets, v[i].n_files);
    }
}

static void add_client_numbers(const struct httpconfig *c, struct buf *out)
{
    buf_addf(out, "%d%d%d%d%d%d%d.%zu.", c->has_basic_auth, c->oauth2.tls.insecure_skip_verify,
             c->tls.insecure_skip_verify, c->follow_redirects, c->enable_http2,
             c->proxy_from_environment, c->oauth2.proxy_from_environment, c->oauth2.n_scopes);
    add_counts('h', c->headers, c->n_headers, out);
    add_counts('c', c->connect_headers, c->n_connect_headers, out);
    add_counts('o', c->oauth2.connect_headers, c->oauth2.n_connect_headers, out);
    if (c->oauth2.endpoint_params != NULL) {
        node_write_json(c->oauth2.endpoint_params, out);
    }
}

static void visit_http(struct ask_http *h, visit_fn *visit, void *arg)
{
    visit(&h->url, arg);
    visit(&h->body_type, arg);
    for (size_t i = 0; i < h->n_headers; i++) {
        visit(&h->headers[i].name, arg);
        visit(&h->headers[i].value, arg);
    }
    visit_client(h->client, visit, arg);
}

static void visit_kube(struct ask_kube *k, visit_fn *visit, void *arg)
{
    struct span *texts[] = { &k->kubeconfig_file, &k->api_server,     &k->group,
                             &k->version,         &k->resource,       &k->kind,
                             &k->namespace,       &k->label_selector, &k->field_selector };

    for (size_t i = 0; i < COUNT(texts); i++) {
        visit(texts[i], arg);
    }
    if (k->client != NULL) {
        visit_client(k->client, visit, arg);
    }
}

static void add_kube(struct ask_kube *k, struct buf *out)
{
    buf_addf(out, "%d.%d.%d.", k->is_metadata, k->is_own_namespace, k->client != NULL);
    if (k->client != NULL) {
        add_client_numbers(k->client, out);
    }
    visit_kube(k, add_text, out);
}

/* The visitors take pointers to change; a key only reads. */
void ask_key(const struct ask *ask, struct buf *out)
{
    struct ask a = *ask;

    buf_addf(out, "%d.%lld.", (int)a.carrier, (long long)a.refresh_ms);
    add_text(&a.digest_by, out);
    if (a.carrier == CARRIER_FILE) {
        visit_texts(a.file.patterns, a.file.n_patterns, add_text, out);
    } else if (a.carrier == CARRIER_HTTP) {
        buf_addf(out, "%zu.", a.http.n_headers);
        add_client_numbers(a.http.client, out);
        visit_http(&a.http, add_text, out);
    } else if (a.carrier == CARRIER_KUBE) {
        add_kube(&a.kube, out);
    } else if (a.carrier == CARRIER_JOIN) {
        buf_addf(out, "%zu.", a.join.n_collections);
        for (size_t i = 0; i < a.join.n_collections; i++) {
            add_kube(&a.join.collections[i], out);
        }
    }
}

void ask_cluster_key(const struct ask_kube *kube, struct buf *out)
{
    struct ask_kube where = { .kubeconfig_file = kube->kubeconfig_file,
                              .api_server = kube->api_server,
                              .client = kube->client };

    if (where.client != NULL) {
        add_client_numbers(where.client, out);
    }
    visit_kube(&where, add_text, out);
}

/* ---- copy */

static void copy_text(struct span *text, void *arg)
{
    if (text->p != NULL) {
        *text = arena_span(arg, *text);
    }
}

static void *copy_array(struct arena *a, const void *v, size_t n, size_t size)
{
    void *copy = arena_alloc(a, n * size);

    if (n > 0) {
        memcpy(copy, v, n * size);
    }
    return copy;
}

static struct httpconfig_header *copy_headers(struct arena *a, const struct httpconfig_header *v,
                                              size_t n)
{
    struct httpconfig_header *copy = copy_array(a, v, n, sizeof(*copy));

    for (size_t i = 0; i < n; i++) {
        struct httpconfig_header *h = &copy[i];
        h->values = copy_array(a, h->values, h->n_values, sizeof(struct span));
        h->secrets = copy_array(a, h->secrets, h->n_secrets, sizeof(struct span));
        h->files = copy_array(a, h->files, h->n_files, sizeof(struct span));
    }
    return copy;
}

static void copy_client(struct httpconfig *c, struct arena *a)
{
    c->oauth2.scopes = copy_array(a, c->oauth2.scopes, c->oauth2.n_scopes, sizeof(struct span));
    c->headers = copy_headers(a, c->headers, c->n_headers);
    c->connect_headers = copy_headers(a, c->connect_headers, c->n_connect_headers);
    c->oauth2.connect_headers =
        copy_headers(a, c->oauth2.connect_headers, c->oauth2.n_connect_headers);
    if (c->oauth2.endpoint_params != NULL) {
        AUTO_BUF json;
        struct node *copy = NULL;
        buf_init(&json, LIMIT_DOCUMENT_BYTES);
        node_write_json(c->oauth2.endpoint_params, &json);
        int rc = node_from_json(arena_span(a, buf_span(&json)), 0, a, &copy, NULL);
        c->oauth2.endpoint_params =
            rc == 0 ? copy : NULL; /* canonical JSON of a tree always parses */
    }
}

static void copy_file(struct ask_file *f, struct arena *a)
{
    f->patterns = copy_array(a, f->patterns, f->n_patterns, sizeof(struct span));
    visit_texts(f->patterns, f->n_patterns, copy_text, a);
}

static void copy_http(struct ask_http *h, struct arena *a)
{
    h->headers = copy_array(a, h->headers, h->n_headers, sizeof(*h->headers));
    h->client = copy_array(a, h->client, 1, sizeof(*h->client));
    copy_client(h->client, a);
    visit_http(h, copy_text, a);
}

static void copy_kube(struct ask_kube *k, struct arena *a)
{
    if (k->client != NULL) {
        k->client = copy_array(a, k->client, 1, sizeof(*k->client));
        copy_client(k->client, a);
    }
    visit_kube(k, copy_text, a);
}

void ask_copy(const struct ask *ask, struct arena *arena, struct ask *out)
{
    *out = *ask;
    copy_text(&out->digest_by, arena);
    if (ask->carrier == CARRIER_FILE) {
        copy_file(&out->file, arena);
    } else if (ask->carrier == CARRIER_HTTP) {
        copy_http(&out->http, arena);
    } else if (ask->carrier == CARRIER_KUBE) {
        copy_kube(&out->kube, arena);
    } else if (ask->carrier == CARRIER_JOIN) {
        struct ask_join *j = &out->join;
        j->collections =
            copy_array(arena, j->collections, j->n_collections, sizeof(*j->collections));
        for (size_t i = 0; i < j->n_collections; i++) {
            copy_kube(&j->collections[i], arena);
        }
    }
}

/* ---- properties of carriers */

bool ask_is_polled(enum carrier carrier)
{
    return carrier == CARRIER_HTTP;
}

struct span ask_source(const struct ask *ask)
{
    return ask->carrier == CARRIER_HTTP ? ask->http.url : SPAN_LIT("");
}
