#include "allocator/scrape/httpconfig.h"

#include "allocator/base/vec.h"

/* ---- tables */

static const char *const tls_versions[] = { "TLS10", "TLS11", "TLS12", "TLS13", NULL };

const struct schema_field httpconfig_tls_fields[] = {
    { "ca", SCHEMA_TEXT, 0, NULL, NULL, NULL },
    { "cert", SCHEMA_TEXT, 0, NULL, NULL, NULL },
    { "key", SCHEMA_SECRET, 0, NULL, NULL, NULL },
    { "ca_file", SCHEMA_PATH, 0, NULL, NULL, NULL },
    { "cert_file", SCHEMA_PATH, 0, NULL, NULL, NULL },
    { "key_file", SCHEMA_PATH, 0, NULL, NULL, NULL },
    { "ca_ref", SCHEMA_TEXT, 0, NULL, NULL, NULL },
    { "cert_ref", SCHEMA_TEXT, 0, NULL, NULL, NULL },
    { "key_ref", SCHEMA_TEXT, 0, NULL, NULL, NULL },
    { "server_name", SCHEMA_TEXT, 0, NULL, NULL, NULL },
    { "insecure_skip_verify", SCHEMA_BOOL, SCHEMA_KEEP, NULL, NULL, NULL },
    { "min_version", SCHEMA_CHOICE, 0, NULL, NULL, tls_versions },
    { "max_version", SCHEMA_CHOICE, 0, NULL, NULL, tls_versions },
    { 0 },
};

static const struct schema_field proxy_fields[] = {
    { "proxy_url", SCHEMA_URL, 0, NULL, NULL, NULL },
    { "no_proxy", SCHEMA_TEXT, 0, NULL, NULL, NULL },
    { "proxy_from_environment", SCHEMA_BOOL, 0, NULL, NULL, NULL },
    { "proxy_connect_header", SCHEMA_SECRETS_MAP, 0, NULL, NULL, NULL },
    { 0 },
};

static const struct schema_field basic_auth_fields[] = {
    { "username", SCHEMA_TEXT, 0, NULL, NULL, NULL },
    { "username_file", SCHEMA_PATH, 0, NULL, NULL, NULL },
    { "username_ref", SCHEMA_TEXT, 0, NULL, NULL, NULL },
    { "password", SCHEMA_SECRET, 0, NULL, NULL, NULL },
    { "password_file", SCHEMA_PATH, 0, NULL, NULL, NULL },
    { "password_ref", SCHEMA_TEXT, 0, NULL, NULL, NULL },
    { 0 },
};

static const struct schema_field authorization_fields[] = {
    { "type", SCHEMA_TRIM, 0, "Bearer", NULL, NULL },
    { "credentials", SCHEMA_SECRET, 0, NULL, NULL, NULL },
    { "credentials_file", SCHEMA_PATH, 0, NULL, NULL, NULL },
    { "credentials_ref", SCHEMA_TEXT, 0, NULL, NULL, NULL },
    { 0 },
};

static const struct schema_field oauth2_fields[] = {
    { "client_id", SCHEMA_TEXT, 0, NULL, NULL, NULL },
    { "client_secret", SCHEMA_SECRET, 0, NULL, NULL, NULL },
    { "client_secret_file", SCHEMA_PATH, 0, NULL, NULL, NULL },
    { "client_secret_ref", SCHEMA_TEXT, 0, NULL, NULL, NULL },
    { "client_certificate_key_id", SCHEMA_TEXT, 0, NULL, NULL, NULL },
    { "client_certificate_key", SCHEMA_SECRET, 0, NULL, NULL, NULL },
    { "client_certificate_key_file", SCHEMA_PATH, 0, NULL, NULL, NULL },
    { "client_certificate_key_ref", SCHEMA_TEXT, 0, NULL, NULL, NULL },
    { "grant_type", SCHEMA_TEXT, 0, NULL, NULL, NULL },
    { "signature_algorithm", SCHEMA_TEXT, 0, NULL, NULL, NULL },
    { "iss", SCHEMA_TEXT, 0, NULL, NULL, NULL },
    { "audience", SCHEMA_TEXT, 0, NULL, NULL, NULL },
    { "claims", SCHEMA_ANY, 0, NULL, NULL, NULL },
    { "scopes", SCHEMA_TEXTS, 0, NULL, NULL, NULL },
    { "token_url", SCHEMA_URLISH, 0, NULL, NULL, NULL },
    { "endpoint_params", SCHEMA_TEXT_MAP, 0, NULL, NULL, NULL },
    { "tls_config", SCHEMA_MAP, 0, NULL, httpconfig_tls_fields, NULL },
    { "", SCHEMA_INLINE, 0, NULL, proxy_fields, NULL },
    { 0 },
};

static const struct schema_field header_fields[] = {
    { "values", SCHEMA_TEXTS, 0, NULL, NULL, NULL },
    { "secrets", SCHEMA_SECRETS, 0, NULL, NULL, NULL },
    { "files", SCHEMA_PATHS, 0, NULL, NULL, NULL },
    { 0 },
};

const struct schema_field httpconfig_fields[] = {
    { "basic_auth", SCHEMA_MAP, SCHEMA_POINTER, NULL, basic_auth_fields, NULL },
    { "authorization", SCHEMA_MAP, SCHEMA_POINTER, NULL, authorization_fields, NULL },
    { "oauth2", SCHEMA_MAP, SCHEMA_POINTER, NULL, oauth2_fields, NULL },
    { "bearer_token", SCHEMA_SECRET, 0, NULL, NULL, NULL },
    { "bearer_token_file", SCHEMA_PATH, 0, NULL, NULL, NULL },
    { "tls_config", SCHEMA_MAP, 0, NULL, httpconfig_tls_fields, NULL },
    { "follow_redirects", SCHEMA_BOOL, SCHEMA_KEEP, "true", NULL, NULL },
    { "enable_http2", SCHEMA_BOOL, SCHEMA_KEEP, "true", NULL, NULL },
    { "", SCHEMA_INLINE, 0, NULL, proxy_fields, NULL },
    { "http_headers", SCHEMA_NAMED, SCHEMA_POINTER, NULL, header_fields, NULL },
    { 0 },
};

static const char *const reserved_headers[] = {
    "Authorization",
    "Host",
    "Content-Encoding",
    "Content-Length",
    "Content-Type",
    "User-Agent",
    "Connection",
    "Keep-Alive",
    "Proxy-Authenticate",
    "Proxy-Authorization",
    "Www-Authenticate",
    "Accept-Encoding",
    "X-Prometheus-Remote-Write-Version",
    "X-Prometheus-Remote-Read-Version",
    "X-Prometheus-Scrape-Timeout-Seconds",
    "X-Amz-Date",
    "X-Amz-Security-Token",
    "X-Amz-Content-Sha256",
    NULL,
};

/* ---- helpers */

/* The member as a map; NULL when absent, null or something else. */
static const struct node *map_of(const struct node *map, const char *key)
{
    const struct node *value = node_get(map, key);

    return value != NULL && value->type == NODE_MAP ? value : NULL;
}

static bool has_text(const struct node *map, const char *key)
{
    return schema_text(map, key).len > 0;
}

static bool bool_of(const struct node *map, const char *key, bool preset)
{
    const struct node *value = node_get(map, key);
    bool is = false;

    return value == NULL ? preset : node_as_bool(value, &is) && is;
}

static void fault_in(struct faults *f, const char *block, const struct node *at, const char *text)
{
    faults_add_at(f, FAULT_ERROR, at->line, block, "%s", text);
}

/* At most one of name, name_file and name_ref. */
static void check_sources(const struct node *map, const char *block, const char *name,
                          struct faults *f)
{
    char file[64], ref[64], text[256];
    (void)snprintf(file, sizeof(file), "%s_file", name);
    (void)snprintf(ref, sizeof(ref), "%s_ref", name);
    int n = has_text(map, name) + has_text(map, file) + has_text(map, ref);

    if (n > 1) {
        (void)snprintf(text, sizeof(text), "at most one of %s %s, %s & %s must be configured",
                       block, name, file, ref);
        fault_in(f, block, map, text);
    }
}

/* ---- blocks */

static void check_tls(const struct node *tls, struct faults *f)
{
    if (tls == NULL) {
        return;
    }
    bool has_cert =
        has_text(tls, "cert") || has_text(tls, "cert_file") || has_text(tls, "cert_ref");
    bool has_key = has_text(tls, "key") || has_text(tls, "key_file") || has_text(tls, "key_ref");

    check_sources(tls, "tls_config", "ca", f);
    check_sources(tls, "tls_config", "cert", f);
    check_sources(tls, "tls_config", "key", f);
    if (has_cert && !has_key) {
        fault_in(f, "tls_config", tls,
                 "exactly one of key or key_file must be configured when a client certificate is "
                 "configured");
    } else if (has_key && !has_cert) {
        fault_in(
            f, "tls_config", tls,
            "exactly one of cert or cert_file must be configured when a client key is configured");
    }
}

static void read_tls(const struct node *tls, struct httpconfig_tls *out)
{
    out->ca = schema_text(tls, "ca");
    out->ca_file = schema_text(tls, "ca_file");
    out->cert = schema_text(tls, "cert");
    out->cert_file = schema_text(tls, "cert_file");
    out->key = schema_text(tls, "key");
    out->key_file = schema_text(tls, "key_file");
    out->server_name = schema_text(tls, "server_name");
    out->min_version = schema_text(tls, "min_version");
    out->max_version = schema_text(tls, "max_version");
    out->insecure_skip_verify = bool_of(tls, "insecure_skip_verify", false);
}

static void check_proxy(const struct node *map, struct faults *f)
{
    const struct node *connect = map_of(map, "proxy_connect_header");
    const struct node *url = node_get(map, "proxy_url");
    bool has_url = has_text(map, "proxy_url");
    bool from_environment = bool_of(map, "proxy_from_environment", false);

    if (connect != NULL && connect->n > 0 && !from_environment && !has_url) {
        fault_in(f, "proxy_connect_header", connect,
                 "if proxy_connect_header is configured, proxy_url or proxy_from_environment must "
                 "also be configured");
    }
    if (from_environment && has_url) {
        fault_in(f, "proxy_url", url,
                 "if proxy_from_environment is configured, proxy_url must not be configured");
    }
    if (from_environment && has_text(map, "no_proxy")) {
        fault_in(f, "no_proxy", node_get(map, "no_proxy"),
                 "if proxy_from_environment is configured, no_proxy must not be configured");
    }
    if (node_is_null(url) && !from_environment && has_text(map, "no_proxy")) {
        fault_in(f, "no_proxy", node_get(map, "no_proxy"),
                 "if no_proxy is configured, proxy_url must also be configured");
    }
}

#define GRANT_JWT_BEARER "urn:ietf:params:oauth:grant-type:jwt-bearer"

static void check_oauth2(const struct node *oauth2, struct faults *f)
{
    if (oauth2 == NULL) {
        return;
    }
    struct span algorithm = schema_text(oauth2, "signature_algorithm");
    if (!has_text(oauth2, "client_id")) {
        fault_in(f, "oauth2", oauth2, "oauth2 client_id must be configured");
    }
    if (!has_text(oauth2, "token_url")) {
        fault_in(f, "oauth2", oauth2, "oauth2 token_url must be configured");
    }
    if (!span_is(schema_text(oauth2, "grant_type"), GRANT_JWT_BEARER)) {
        check_sources(oauth2, "oauth2", "client_secret", f);
    } else {
        check_sources(oauth2, "oauth2", "client_certificate_key", f);
        if (algorithm.len > 0 && !span_is(algorithm, "RS256") && !span_is(algorithm, "RS384") &&
            !span_is(algorithm, "RS512")) {
            fault_in(f, "oauth2", node_get(oauth2, "signature_algorithm"),
                     "valid signature algorithms are RS256, RS384 and RS512");
        }
    }
    size_t mark = faults_push(f, "oauth2");
    check_tls(map_of(oauth2, "tls_config"), f);
    check_proxy(oauth2, f);
    faults_pop(f, mark);
}

static struct span *texts_of(const struct node *map, const char *key, struct arena *arena,
                             size_t *out_n)
{
    const struct node *list = schema_list(map, key);

    *out_n = list == NULL ? 0 : list->n;
    struct span *texts = arena_zalloc(arena, *out_n * sizeof(*texts));
    for (size_t i = 0; i < *out_n; i++) {
        (void)node_as_text(list->items[i], &texts[i]);
    }
    return texts;
}

/* proxy_connect_header of a block that names a proxy. */
static struct httpconfig_header *connect_headers_of(const struct node *map, struct arena *arena,
                                                    size_t *out_n)
{
    const struct node *headers = map_of(map, "proxy_connect_header");

    *out_n = headers == NULL ? 0 : headers->n;
    struct httpconfig_header *out = arena_zalloc(arena, *out_n * sizeof(*out));
    for (size_t i = 0; i < *out_n; i++) {
        const struct node *name = headers->pairs[i].key;
        const struct node *values = headers->pairs[i].value;
        out[i].name = name->text;
        out[i].n_values = values->type == NODE_LIST ? values->n : 0;
        out[i].values = arena_zalloc(arena, out[i].n_values * sizeof(struct span));
        for (size_t k = 0; k < out[i].n_values; k++) {
            (void)node_as_text(values->items[k], &out[i].values[k]);
        }
    }
    return out;
}

static void read_oauth2(const struct node *oauth2, struct arena *arena,
                        struct httpconfig_oauth2 *out)
{
    const struct node *scopes = schema_list(oauth2, "scopes");

    out->client_id = schema_text(oauth2, "client_id");
    out->client_secret = schema_text(oauth2, "client_secret");
    out->client_secret_file = schema_text(oauth2, "client_secret_file");
    out->token_url = schema_text(oauth2, "token_url");
    out->endpoint_params = map_of(oauth2, "endpoint_params");
    out->proxy_url = schema_text(oauth2, "proxy_url");
    out->no_proxy = schema_text(oauth2, "no_proxy");
    out->proxy_from_environment = bool_of(oauth2, "proxy_from_environment", false);
    out->connect_headers = connect_headers_of(oauth2, arena, &out->n_connect_headers);
    read_tls(map_of(oauth2, "tls_config"), &out->tls);
    if (scopes != NULL) {
        out->scopes = arena_zalloc(arena, scopes->n * sizeof(*out->scopes));
        out->n_scopes = scopes->n;
        for (size_t i = 0; i < scopes->n; i++) {
            (void)node_as_text(scopes->items[i], &out->scopes[i]);
        }
    }
}

static void check_headers(const struct node *headers, struct faults *f)
{
    for (size_t i = 0; headers != NULL && i < headers->n; i++) {
        const struct node *key = headers->pairs[i].key;
        for (const char *const *reserved = reserved_headers; *reserved != NULL; reserved++) {
            if (span_is_nocase(key->text, *reserved)) {
                char text[128];
                (void)snprintf(text, sizeof(text), "setting header \"%s\" is not allowed",
                               *reserved);
                fault_in(f, "http_headers", key, text);
            }
        }
    }
}

static void read_headers(const struct node *headers, struct arena *arena, struct httpconfig *out)
{
    if (headers == NULL) {
        return;
    }
    out->headers = arena_zalloc(arena, headers->n * sizeof(*out->headers));
    out->n_headers = headers->n;
    for (size_t i = 0; i < headers->n; i++) {
        struct httpconfig_header *header = &out->headers[i];
        const struct node *value = headers->pairs[i].value;
        header->name = headers->pairs[i].key->text;
        header->values = texts_of(value, "values", arena, &header->n_values);
        header->secrets = texts_of(value, "secrets", arena, &header->n_secrets);
        header->files = texts_of(value, "files", arena, &header->n_files);
    }
}

/* ---- the whole */

/* Which ways of authentication exclude each other. */
static void check_exclusive(const struct node *map, struct faults *f)
{
    const struct node *basic = map_of(map, "basic_auth");
    const struct node *oauth2 = map_of(map, "oauth2");
    const struct node *authorization = map_of(map, "authorization");
    bool has_bearer = has_text(map, "bearer_token") || has_text(map, "bearer_token_file");
    const struct node *bearer =
        node_get(map, has_text(map, "bearer_token") ? "bearer_token" : "bearer_token_file");
    const char *bearer_key = has_text(map, "bearer_token") ? "bearer_token" : "bearer_token_file";

    if (has_text(map, "bearer_token") && has_text(map, "bearer_token_file")) {
        fault_in(f, "bearer_token_file", node_get(map, "bearer_token_file"),
                 "at most one of bearer_token & bearer_token_file must be configured");
    }
    if (has_bearer && (basic != NULL || oauth2 != NULL)) {
        fault_in(f, bearer_key, bearer,
                 "at most one of basic_auth, oauth2, bearer_token & bearer_token_file must be "
                 "configured");
    }
    if (has_bearer && authorization != NULL) {
        fault_in(f, "authorization", authorization,
                 "authorization is not compatible with bearer_token & bearer_token_file");
    }
    if ((authorization != NULL) + (basic != NULL) + (oauth2 != NULL) > 1) {
        fault_in(f, authorization != NULL ? "authorization" : "oauth2",
                 authorization != NULL ? authorization : oauth2,
                 "at most one of basic_auth, oauth2 & authorization must be configured");
    }
}

static void check_authorization(const struct node *authorization, struct faults *f)
{
    if (authorization == NULL) {
        return;
    }
    struct span type = span_trim(schema_text(authorization, "type"));
    check_sources(authorization, "authorization", "credentials", f);
    if (span_is_nocase(type, "basic")) {
        fault_in(f, "authorization", authorization,
                 "authorization type cannot be set to \"basic\", use \"basic_auth\" instead");
    }
}

/* The member that a path of keys leads to; NULL when it is not there. */
static const struct node *member_at(const struct node *map, const char *path)
{
    for (size_t n = strcspn(path, "."); path[n] == '.'; n = strcspn(path, ".")) {
        map = node_get_span(map, span_make(path, n));
        if (map == NULL || map->type != NODE_MAP) {
            return NULL;
        }
        path += n + 1;
    }
    return node_get(map, path);
}

static bool is_given(const struct node *value)
{
    struct span text = SPAN_LIT("");

    return value != NULL &&
           (value->type == NODE_MAP ? value->n > 0 : node_as_text(value, &text) && text.len > 0);
}

#define NO_MANAGER "there is no secrets manager to ask: give the value or a file"

bool httpconfig_find_gap(const struct node *map, struct httpconfig_gap *out)
{
    static const char *const paths[][2] = {
        { "basic_auth.username_ref", NO_MANAGER },
        { "basic_auth.password_ref", NO_MANAGER },
        { "authorization.credentials_ref", NO_MANAGER },
        { "oauth2.client_secret_ref", NO_MANAGER },
        { "oauth2.tls_config.ca_ref", NO_MANAGER },
        { "oauth2.tls_config.cert_ref", NO_MANAGER },
        { "oauth2.tls_config.key_ref", NO_MANAGER },
        { "tls_config.ca_ref", NO_MANAGER },
        { "tls_config.cert_ref", NO_MANAGER },
        { "tls_config.key_ref", NO_MANAGER },
    };
    const struct node *grant = member_at(map, "oauth2.grant_type");
    struct span type = SPAN_LIT("");

    if (grant != NULL && node_as_text(grant, &type) && span_is(type, GRANT_JWT_BEARER)) {
        *out =
            (struct httpconfig_gap){ "oauth2.grant_type",
                                     "tokens are fetched by client_credentials only", grant->line };
        return true;
    }
    for (size_t i = 0; i < COUNT(paths); i++) {
        const struct node *value = member_at(map, paths[i][0]);
        if (is_given(value)) {
            *out = (struct httpconfig_gap){ paths[i][0], paths[i][1], value->line };
            return true;
        }
    }
    return false;
}

static void read_auth(const struct node *map, struct httpconfig *out)
{
    const struct node *basic = map_of(map, "basic_auth");
    const struct node *authorization = map_of(map, "authorization");
    struct span token = schema_text(map, "bearer_token");
    struct span token_file = schema_text(map, "bearer_token_file");

    out->has_basic_auth = basic != NULL;
    out->basic_username = schema_text(basic, "username");
    out->basic_username_file = schema_text(basic, "username_file");
    out->basic_password = schema_text(basic, "password");
    out->basic_password_file = schema_text(basic, "password_file");
    if (authorization != NULL) {
        out->auth_type = span_trim(schema_text(authorization, "type"));
        out->auth_credentials = schema_text(authorization, "credentials");
        out->auth_credentials_file = schema_text(authorization, "credentials_file");
    } else {
        out->auth_credentials = token;
        out->auth_credentials_file = token_file;
    }
    if (out->auth_type.len == 0 && (authorization != NULL || token.len + token_file.len > 0)) {
        out->auth_type = SPAN_LIT("Bearer");
    }
}

void httpconfig_check(const struct node *map, struct faults *f)
{
    const struct node *basic = map_of(map, "basic_auth");

    check_exclusive(map, f);
    if (basic != NULL) {
        check_sources(basic, "basic_auth", "username", f);
        check_sources(basic, "basic_auth", "password", f);
    }
    check_authorization(map_of(map, "authorization"), f);
    check_oauth2(map_of(map, "oauth2"), f);
    check_tls(map_of(map, "tls_config"), f);
    check_proxy(map, f);
    check_headers(map_of(map, "http_headers"), f);
}

void httpconfig_read(const struct node *map, struct arena *arena, struct httpconfig *out)
{
    *out = (struct httpconfig){ 0 };
    read_auth(map, out);
    read_oauth2(map_of(map, "oauth2"), arena, &out->oauth2);
    read_tls(map_of(map, "tls_config"), &out->tls);
    read_headers(map_of(map, "http_headers"), arena, out);
    out->follow_redirects = bool_of(map, "follow_redirects", true);
    out->enable_http2 = bool_of(map, "enable_http2", true);
    out->proxy_url = schema_text(map, "proxy_url");
    out->no_proxy = schema_text(map, "no_proxy");
    out->proxy_from_environment = bool_of(map, "proxy_from_environment", false);
    out->connect_headers = connect_headers_of(map, arena, &out->n_connect_headers);
}

bool httpconfig_is_set(const struct node *map)
{
    return schema_is_set(httpconfig_fields, map);
}

static struct node *new_scalar(const char *text, const struct node *like, struct arena *arena)
{
    struct node *n = arena_zalloc(arena, sizeof(*n));

    n->type = NODE_SCALAR;
    n->style = NODE_DOUBLE;
    n->line = like->line;
    n->text = span_of(text);
    return n;
}

void httpconfig_normalize(struct node *map, struct arena *arena)
{
    for (size_t i = 0; map->type == NODE_MAP && i < map->n; i++) {
        struct node_pair *pair = &map->pairs[i];
        bool is_file = span_is(pair->key->text, "bearer_token_file");
        if ((!is_file && !span_is(pair->key->text, "bearer_token")) || node_is_null(pair->value) ||
            pair->value->type != NODE_SCALAR || pair->value->text.len == 0) {
            continue;
        }
        struct node *block = arena_zalloc(arena, sizeof(*block));
        block->type = NODE_MAP;
        block->line = pair->value->line;
        block->n = 1;
        block->pairs = arena_zalloc(arena, sizeof(*block->pairs));
        block->pairs[0].key =
            new_scalar(is_file ? "credentials_file" : "credentials", pair->key, arena);
        block->pairs[0].value = pair->value;
        struct node *place = node_get(map, "authorization"); /* null, for it would be a fault */
        if (place != NULL) {
            *place = *block;
            pair->value = arena_zalloc(arena, sizeof(*pair->value));
        } else {
            pair->key = new_scalar("authorization", pair->key, arena);
            pair->value = block;
        }
    }
}
