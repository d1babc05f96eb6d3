/* Prometheus' inline HTTP client block (basic_auth, authorization, oauth2, tls_config, proxies,
 * headers…), checked and in one struct.
 * Source: HTTPClientConfig of prometheus/common.
 * Threads: immutable once parsed. */
#ifndef OTEL_TA_SCRAPE_HTTPCONFIG_H
#define OTEL_TA_SCRAPE_HTTPCONFIG_H

#include "allocator/scrape/schema.h"

struct httpconfig_header {
    struct span name;
    struct span *values, *secrets, *files;
    size_t n_values, n_secrets, n_files;
};

struct httpconfig_tls {
    struct span ca, ca_file, cert, cert_file, key, key_file, server_name;
    struct span min_version, max_version; /* "TLS12"… or empty */
    bool insecure_skip_verify;
};

struct httpconfig_oauth2 { /* client_id.len > 0 when present */
    struct span client_id, client_secret, client_secret_file, token_url;
    struct span *scopes;
    size_t n_scopes;
    const struct node *endpoint_params; /* map of text, or NULL */
    struct httpconfig_tls tls;
    struct span proxy_url, no_proxy;
    bool proxy_from_environment;
    struct httpconfig_header *connect_headers; /* as below */
    size_t n_connect_headers;
};

/* A member that this program's own HTTP client cannot honour: fine in a scrape config, which the
 * collector carries out; not in an SD section that is run here. */
struct httpconfig_gap {
    const char *path; /* "basic_auth.password_ref" */
    const char *why;
    unsigned line;
};

struct httpconfig {
    struct span basic_username, basic_username_file, basic_password, basic_password_file;
    bool has_basic_auth;
    struct span auth_type, auth_credentials,
        auth_credentials_file; /* bearer_token(_file) are folded into these */
    struct httpconfig_oauth2 oauth2;
    struct httpconfig_tls tls;
    bool follow_redirects; /* default true */
    bool enable_http2;     /* default true */
    struct span proxy_url, no_proxy;
    bool proxy_from_environment;
    struct httpconfig_header *headers;
    size_t n_headers;
    struct httpconfig_header *connect_headers; /* proxy_connect_header; values only */
    size_t n_connect_headers;
};

/* All members of the block: inlined into the tables of those who have it. */
extern const struct schema_field httpconfig_fields[];
/* Those of its tls_config block, which some have alone. */
extern const struct schema_field httpconfig_tls_fields[];
/* The faults that Prometheus would raise about several members of 'map' at once: a scrape config or
 * an SD section whose table has been checked. */
void httpconfig_check(const struct node *map, struct faults *f);
/* The first gap of such a map; false: all can be honoured. */
bool httpconfig_find_gap(const struct node *map, struct httpconfig_gap *out);
/* Reads the block out of a map without faults, normalized or not. Text is borrowed from 'map',
 * arrays are in 'arena'. */
void httpconfig_read(const struct node *map, struct arena *arena, struct httpconfig *out);
/* Rewrites bearer_token(_file) of 'map' to "authorization", in place, as Prometheus does before it
 * shows or uses it. */
void httpconfig_normalize(struct node *map, struct arena *arena);
/* Some setting differs from the default (kubernetes_sd cares). */
bool httpconfig_is_set(const struct node *map);

#endif
