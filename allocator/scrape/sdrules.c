#include "allocator/scrape/sdtables.h"

#include "allocator/codec/walk.h"
#include "allocator/kube/selector.h"
#include "allocator/scrape/httpconfig.h"
#include "allocator/scrape/urltext.h"

#include <stdio.h>
#include <strings.h>

static bool has_text(const struct node *sd, const char *key)
{
    return schema_text(sd, key).len > 0;
}

static bool is_blank(struct span s)
{
    return strspn(s.p == NULL ? "" : s.p, " \t\r\n") >= s.len;
}

void sdrules_azure(const struct node *sd, struct faults *f)
{
    static const char *const needed[] = { "tenant_id", "client_id", "client_secret" };
    const struct node *method = node_get(sd, "authentication_method");

    if (method != NULL && !span_is(schema_text(sd, "authentication_method"), "OAuth")) {
        return;
    }
    for (size_t i = 0; i < COUNT(needed); i++) {
        if (!has_text(sd, needed[i])) {
            walk_fault(sd, needed[i], f, "is required by authentication_method OAuth");
        }
    }
}

void sdrules_consul(const struct node *sd, struct faults *f)
{
    if (node_get(sd, "server") != NULL && is_blank(schema_text(sd, "server"))) {
        walk_fault(sd, "server", f, "consul SD configuration requires a server address");
    }
    if ((has_text(sd, "username") || has_text(sd, "password")) &&
        !node_is_null(node_get(sd, "basic_auth"))) {
        walk_fault(
            sd, "basic_auth", f,
            "at most one of consul SD configuration username and password and basic auth can "
            "be configured");
    }
    if (has_text(sd, "token") &&
        (!node_is_null(node_get(sd, "authorization")) || !node_is_null(node_get(sd, "oauth2")))) {
        walk_fault(sd, "token", f,
                   "at most one of consul SD token, authorization, or oauth2 can be configured");
    }
}

void sdrules_dns(const struct node *sd, struct faults *f)
{
    static const char *const with_port[] = { "A", "AAAA", "MX", "NS" };
    struct span type = schema_text(sd, "type");
    int64_t port = 0;
    char text[128];

    if (node_get(sd, "type") == NULL || (span_is_nocase(type, "SRV"))) {
        return;
    }
    (void)node_as_int(node_get(sd, "port"), &port);
    for (size_t i = 0; i < COUNT(with_port); i++) {
        if (!span_is_nocase(type, with_port[i])) {
            continue;
        }
        if (port == 0) {
            walk_fault(sd, "port", f,
                       "a port is required in DNS-SD configs for all record types except SRV");
        }
        return;
    }
    (void)snprintf(text, sizeof(text),
                   "invalid DNS-SD records type \"%.*s\", expecting one of: SRV, A, AAAA, MX, NS",
                   SPAN_ARG(type));
    walk_fault(sd, "type", f, "%s", text);
}

void sdrules_ec2(const struct node *sd, struct faults *f)
{
    const struct node *filters = schema_list(sd, "filters");

    for (size_t i = 0; filters != NULL && i < filters->n; i++) {
        const struct node *values = schema_list(filters->items[i], "values");
        if (values == NULL || values->n == 0) {
            size_t mark = faults_push(f, "filters");
            size_t inner = faults_push_index(f, i);
            faults_add(f, FAULT_ERROR, filters->items[i]->line, "filter values cannot be empty");
            faults_pop(f, inner);
            faults_pop(f, mark);
        }
    }
}

/* Stars only in the last segment; the name ends in .json, .yml or .yaml, all lower or all upper
 * case. */
static bool is_file_pattern(struct span pattern)
{
    static const char *const endings[] = { ".json", ".yml", ".yaml", ".JSON", ".YML", ".YAML" };
    const char *star = memchr(pattern.p, '*', pattern.len);
    size_t ending = 0;

    if (star != NULL && memchr(star, '/', pattern.len - (size_t)(star - pattern.p)) != NULL) {
        return false;
    }
    for (size_t i = 0; i < COUNT(endings); i++) {
        ending = span_has_suffix(pattern, endings[i]) ? strlen(endings[i]) : ending;
    }
    return ending > 0;
}

void sdrules_file(const struct node *sd, struct faults *f)
{
    const struct node *files = schema_list(sd, "files");
    size_t mark = faults_push(f, "files");

    for (size_t i = 0; files != NULL && i < files->n; i++) {
        struct span pattern = { "", 0 };
        (void)node_as_text(files->items[i], &pattern);
        if (!is_file_pattern(pattern)) {
            size_t inner = faults_push_index(f, i);
            faults_add(f, FAULT_ERROR, files->items[i]->line,
                       "path name \"%.*s\" is not valid for file discovery", SPAN_ARG(pattern));
            faults_pop(f, inner);
        }
    }
    faults_pop(f, mark);
}

void sdrules_http(const struct node *sd, struct faults *f)
{
    struct urltext url;
    struct span text = schema_text(sd, "url");

    if (text.len == 0 || urltext_parse(text, &url, NULL) < 0) {
        return; /* the table has said so */
    }
    if ((url.scheme.len != 4 && url.scheme.len != 5) ||
        strncasecmp(url.scheme.p, "https", url.scheme.len) != 0) {
        walk_fault(sd, "url", f, "URL scheme must be 'http' or 'https'");
    } else if (url.host.len == 0) {
        walk_fault(sd, "url", f, "host is missing in URL");
    }
}

/* The kinds of objects that the selectors of a role may name. */
static const char *const *selector_roles(struct span role)
{
    static const char *const pod[] = { "pod", "pod", "node", NULL };
    static const char *const service[] = { "service", "service", NULL };
    static const char *const slice[] = { "endpointslice", "pod", "service", "endpointslice", NULL };
    static const char *const endpoints[] = { "endpoints", "pod", "service", "endpoints", NULL };
    static const char *const node[] = { "node", "node", NULL };
    static const char *const ingress[] = { "ingress", "ingress", NULL };
    static const char *const *const all[] = { pod, service, slice, endpoints, node, ingress };

    for (size_t i = 0; i < COUNT(all); i++) {
        if (span_is(role, all[i][0])) {
            return all[i] + 1;
        }
    }
    return NULL;
}

static void check_grammar(const struct node *selector, struct faults *f)
{
    struct err err;

    if (selector_check_labels(schema_text(selector, "label"), &err) < 0) {
        walk_fault(selector, "label", f, "%s", err.text);
    }
    if (selector_check_fields(schema_text(selector, "field"), &err) < 0) {
        walk_fault(selector, "field", f, "%s", err.text);
    }
}

#define MAX_SELECTORS 7

static void check_selector(const struct node *selectors, size_t i, struct span role,
                           struct faults *f)
{
    const char *const *allowed = selector_roles(role);
    struct span own = schema_text(selectors->items[i], "role");
    bool is_allowed = false;
    char all[128] = "";

    for (; allowed != NULL && *allowed != NULL; allowed++) {
        is_allowed = is_allowed || span_is(own, *allowed);
        (void)snprintf(all + strlen(all), sizeof(all) - strlen(all), "%s%s",
                       all[0] == '\0' ? "" : ", ", *allowed);
    }
    if (own.len > 0 && all[0] != '\0' && !is_allowed) {
        faults_add(f, FAULT_ERROR, selectors->items[i]->line,
                   "%.*s role supports only %s selectors", SPAN_ARG(role), all);
    }
    /* There are six roles: whoever has more selectors before this one repeats one of the first
     * seven. */
    for (size_t k = 0; k < i && k < MAX_SELECTORS; k++) {
        if (own.len > 0 && span_eq(own, schema_text(selectors->items[k], "role"))) {
            faults_add(f, FAULT_ERROR, selectors->items[i]->line, "duplicated selector role: %.*s",
                       SPAN_ARG(own));
            return;
        }
    }
}

void sdrules_kubernetes(const struct node *sd, struct faults *f)
{
    bool has_server = has_text(sd, "api_server");
    bool has_kubeconfig = has_text(sd, "kubeconfig_file");
    bool has_client = httpconfig_is_set(sd);
    bool has_own = node_is_true(node_get(sd, "namespaces"), "own_namespace");
    const struct node *selectors = schema_list(sd, "selectors");

    if (has_server && has_kubeconfig) {
        walk_fault(sd, "kubeconfig_file", f,
                   "cannot use 'kubeconfig_file' and 'api_server' simultaneously");
    }
    if (has_kubeconfig && has_client) {
        walk_fault(sd, "kubeconfig_file", f,
                   "cannot use a custom HTTP client configuration together with 'kubeconfig_file'");
    } else if (!has_server && has_client) {
        walk_fault(sd, "api_server", f,
                   "to use custom HTTP client configuration please provide the 'api_server' URL "
                   "explicitly");
    }
    if (has_server && has_own) {
        walk_fault(sd, "namespaces", f,
                   "cannot use 'api_server' and 'namespaces.own_namespace' simultaneously");
    }
    if (has_kubeconfig && has_own) {
        walk_fault(sd, "namespaces", f,
                   "cannot use 'kubeconfig_file' and 'namespaces.own_namespace' simultaneously");
    }
    size_t mark = faults_push(f, "selectors");
    for (size_t i = 0; selectors != NULL && i < selectors->n; i++) {
        size_t inner = faults_push_index(f, i);
        check_selector(selectors, i, schema_text(sd, "role"), f);
        check_grammar(selectors->items[i], f);
        faults_pop(f, inner);
    }
    faults_pop(f, mark);
}

void sdrules_marathon(const struct node *sd, struct faults *f)
{
    static const char *const others[] = { "basic_auth", "bearer_token", "bearer_token_file",
                                          "authorization" };
    bool has_token = has_text(sd, "auth_token") || has_text(sd, "auth_token_file");

    if (has_text(sd, "auth_token") && has_text(sd, "auth_token_file")) {
        walk_fault(sd, "auth_token_file", f,
                   "at most one of auth_token & auth_token_file must be configured");
    }
    for (size_t i = 0; has_token && i < COUNT(others); i++) {
        if (!node_is_null(node_get(sd, others[i]))) {
            walk_fault(sd, others[i], f, "cannot be combined with auth_token or auth_token_file");
        }
    }
}

void sdrules_nomad(const struct node *sd, struct faults *f)
{
    if (node_get(sd, "server") != NULL && is_blank(schema_text(sd, "server"))) {
        walk_fault(sd, "server", f, "nomad SD configuration requires a server address");
    }
}

static void check_compartments(const struct node *sd, struct faults *f)
{
    const struct node *list = schema_list(sd, "compartments");
    size_t mark = faults_push(f, "compartments");

    for (size_t i = 0; list != NULL && i < list->n; i++) {
        struct span id = { "", 0 };
        (void)node_as_text(list->items[i], &id);
        if (id.len == 0) {
            size_t inner = faults_push_index(f, i);
            faults_add(f, FAULT_ERROR, list->items[i]->line, "must not be empty");
            faults_pop(f, inner);
        }
    }
    faults_pop(f, mark);
}

void sdrules_oci(const struct node *sd, struct faults *f)
{
    static const char *const account[] = { "tenancy", "user", "fingerprint", "key_file" };
    bool is_principal = span_is(schema_text(sd, "auth"), "instance_principal");

    check_compartments(sd, f);
    for (size_t i = 0; i < COUNT(account); i++) {
        if (is_principal && has_text(sd, account[i])) {
            walk_fault(sd, account[i], f, "must not be set with auth instance_principal");
        } else if (!is_principal && !has_text(sd, account[i])) {
            walk_fault(sd, account[i], f, "is required by auth api_key");
        }
    }
    if (is_principal && (has_text(sd, "key_passphrase") || has_text(sd, "key_passphrase_file"))) {
        walk_fault(sd, has_text(sd, "key_passphrase") ? "key_passphrase" : "key_passphrase_file", f,
                   "must not be set with auth instance_principal");
    } else if (has_text(sd, "key_passphrase") && has_text(sd, "key_passphrase_file")) {
        walk_fault(sd, "key_passphrase_file", f,
                   "at most one of key_passphrase and key_passphrase_file must be configured");
    }
}

void sdrules_one_secret_key(const struct node *sd, struct faults *f)
{
    if (!has_text(sd, "secret_key") && !has_text(sd, "secret_key_file")) {
        walk_fault(sd, "secret_key", f, "one of secret_key & secret_key_file must be configured");
    }
    if (has_text(sd, "secret_key") && has_text(sd, "secret_key_file")) {
        walk_fault(sd, "secret_key_file", f,
                   "at most one of secret_key & secret_key_file must be configured");
    }
}

void sdrules_server_url(const struct node *sd, struct faults *f)
{
    struct urltext url;
    struct err err;
    struct span text = schema_text(sd, "server");

    if (text.len == 0) {
        return; /* the table has said so */
    }
    if (urltext_parse(text, &url, &err) < 0) {
        walk_fault(sd, "server", f, "%s", err.text);
    } else if (url.scheme.len == 0 || url.host.len == 0) {
        walk_fault(sd, "server", f, "must be a URL with a scheme and a host");
    }
}

void sdrules_stackit(const struct node *sd, struct faults *f)
{
    struct urltext url;
    struct err err;

    if (urltext_parse(schema_text(sd, "endpoint"), &url, &err) < 0) {
        walk_fault(sd, "endpoint", f, "%s", err.text);
    }
    if (!has_text(sd, "endpoint") && node_get(sd, "region") != NULL && !has_text(sd, "region")) {
        walk_fault(sd, "region", f, "endpoint and region missing");
    }
}

void sdrules_zookeeper(const struct node *sd, struct faults *f)
{
    const struct node *paths = schema_list(sd, "paths");
    size_t mark = faults_push(f, "paths");

    for (size_t i = 0; paths != NULL && i < paths->n; i++) {
        struct span path = { "", 0 };
        (void)node_as_text(paths->items[i], &path);
        if (!span_has_prefix(path, "/")) {
            size_t inner = faults_push_index(f, i);
            faults_add(f, FAULT_ERROR, paths->items[i]->line, "paths must begin with '/': %.*s",
                       SPAN_ARG(path));
            faults_pop(f, inner);
        }
    }
    faults_pop(f, mark);
}
