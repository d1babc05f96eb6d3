#include "allocator/scrape/promserver.h"

#include "allocator/codec/nodecopy.h"
#include "allocator/codec/walk.h"
#include "allocator/prom/relabel.h"
#include "allocator/scrape/httpconfig.h"
#include "allocator/scrape/pathtext.h"
#include "allocator/scrape/sdconfig.h"
#include "allocator/scrape/sdtables.h"

#include <strings.h>
#include <sys/stat.h>

/* ---- tables */

#define F(name, kind, flags, preset)                                                               \
    {                                                                                              \
        name, SCHEMA_##kind, flags, preset, NULL, NULL                                             \
    }
#define CHOICE(name, flags, choices)                                                               \
    {                                                                                              \
        name, SCHEMA_CHOICE, flags, NULL, NULL, choices                                            \
    }
#define BLOCK(name, kind, fields)                                                                  \
    {                                                                                              \
        name, SCHEMA_##kind, 0, NULL, fields, NULL                                                 \
    }
#define CLIENT BLOCK("", INLINE, httpconfig_fields)
#define END                                                                                        \
    {                                                                                              \
        0                                                                                          \
    }

static const char *const api_versions[] = { "v2", NULL };
static const char *const float_encodings[] = { "xor", "xor2", NULL };
static const char *const tracing_clients[] = { "http", "grpc", NULL };
static const char *const compressions[] = { "gzip", NULL };
static const char *const messages[] = { "prometheus.WriteRequest", "io.prometheus.write.v2.Request",
                                        NULL };
static const char *const clouds[] = { "AzureChina", "AzureGovernment", "AzurePublic", NULL };
static const char *const translations[] = { "UnderscoreEscapingWithSuffixes",
                                            "UnderscoreEscapingWithoutSuffixes",
                                            "NoUTF8EscapingWithSuffixes", "NoTranslation", NULL };

static const struct schema_field sigv4_fields[] = {
    F("region", TEXT, 0, NULL),
    F("access_key", TEXT, 0, NULL),
    F("secret_key", SECRET, 0, NULL),
    F("profile", TEXT, 0, NULL),
    F("role_arn", TEXT, 0, NULL),
    F("external_id", TEXT, 0, NULL),
    F("session_name", TEXT, 0, NULL),
    F("tags", TEXT_MAP, 0, NULL),
    F("use_fips_sts_endpoint", BOOL, 0, NULL),
    F("service_name", TEXT, 0, NULL),
    END,
};

const struct schema_field promserver_runtime[] = { F("gogc", INT, 0, NULL), END };

static const struct schema_field alertmanager_fields[] = {
    CLIENT,
    BLOCK("sigv4", MAP, sigv4_fields),
    { "", SCHEMA_INLINE, SCHEMA_ELSEWHERE, NULL, sdtables_fields, NULL },
    F("scheme", TEXT, 0, NULL),
    F("path_prefix", TEXT, 0, NULL),
    F("timeout", DURATION, 0, NULL),
    CHOICE("api_version", 0, api_versions),
    F("relabel_configs", ANY, 0, NULL),
    F("alert_relabel_configs", ANY, 0, NULL),
    END,
};

const struct schema_field promserver_alerting[] = {
    F("alert_relabel_configs", ANY, 0, NULL),
    BLOCK("alertmanagers", LIST, alertmanager_fields),
    END,
};

static const struct schema_field retention_fields[] = {
    F("time", DURATION, 0, NULL),
    F("size", SIZE, 0, NULL),
    F("percentage", DOUBLE, 0, NULL),
    END,
};
static const struct schema_field encoding_fields[] = {
    CHOICE("floats", SCHEMA_BLANK, float_encodings),
    END,
};
static const struct schema_field tsdb_fields[] = {
    F("out_of_order_time_window", DURATION, 0, NULL),
    F("stale_series_compaction_threshold", DOUBLE, 0, NULL),
    BLOCK("chunk_encoding", MAP, encoding_fields),
    BLOCK("retention", MAP, retention_fields),
    END,
};
static const struct schema_field exemplar_fields[] = { F("max_exemplars", INT, 0, NULL), END };
const struct schema_field promserver_storage[] = {
    BLOCK("tsdb", MAP, tsdb_fields),
    BLOCK("exemplars", MAP, exemplar_fields),
    END,
};

const struct schema_field promserver_tracing[] = {
    CHOICE("client_type", 0, tracing_clients),
    F("endpoint", TEXT, SCHEMA_REQUIRED, NULL),
    F("sampling_fraction", DOUBLE, 0, NULL),
    F("insecure", BOOL, 0, NULL),
    BLOCK("tls_config", MAP, httpconfig_tls_fields),
    F("headers", TEXT_MAP, 0, NULL),
    CHOICE("compression", SCHEMA_BLANK, compressions),
    F("timeout", DURATION, 0, NULL),
    END,
};

static const struct schema_field queue_fields[] = {
    F("capacity", INT, SCHEMA_POSITIVE, "10000"),
    F("max_shards", INT, SCHEMA_POSITIVE, "50"),
    F("min_shards", INT, SCHEMA_POSITIVE, "1"),
    F("max_samples_per_send", INT, SCHEMA_POSITIVE, "2000"),
    F("batch_send_deadline", DURATION, 0, "5s"),
    F("min_backoff", DURATION, 0, "30ms"),
    F("max_backoff", DURATION, 0, "5s"),
    F("retry_on_http_429", BOOL, 0, NULL),
    F("sample_age_limit", DURATION, 0, NULL),
    END,
};
static const struct schema_field metadata_fields[] = {
    F("send", BOOL, 0, NULL),
    F("send_interval", DURATION, 0, NULL),
    F("max_samples_per_send", INT, 0, NULL),
    END,
};
static const struct schema_field azure_client_fields[] = { F("client_id", TEXT, 0, NULL), END };
static const struct schema_field azure_workload_fields[] = {
    F("client_id", TEXT, SCHEMA_REQUIRED, NULL),
    F("tenant_id", TEXT, SCHEMA_REQUIRED, NULL),
    F("token_file_path", TEXT, 0, NULL),
    END,
};
static const struct schema_field azure_oauth_fields[] = {
    F("client_id", TEXT, SCHEMA_REQUIRED, NULL),
    F("client_secret", SECRET, SCHEMA_REQUIRED, NULL),
    F("tenant_id", TEXT, SCHEMA_REQUIRED, NULL),
    END,
};
static const struct schema_field azure_sdk_fields[] = { F("tenant_id", TEXT, 0, NULL), END };
static const struct schema_field azure_certificate_fields[] = {
    F("client_id", TEXT, SCHEMA_REQUIRED, NULL),
    F("tenant_id", TEXT, SCHEMA_REQUIRED, NULL),
    F("certificate_path", TEXT, SCHEMA_REQUIRED, NULL),
    F("certificate_key_path", TEXT, 0, NULL),
    F("certificate_password", SECRET, 0, NULL),
    F("send_certificate_chain", BOOL, 0, NULL),
    END,
};
static const struct schema_field azure_fields[] = {
    BLOCK("managed_identity", MAP, azure_client_fields),
    BLOCK("workload_identity", MAP, azure_workload_fields),
    BLOCK("oauth", MAP, azure_oauth_fields),
    BLOCK("sdk", MAP, azure_sdk_fields),
    BLOCK("certificate", MAP, azure_certificate_fields),
    CHOICE("cloud", SCHEMA_BLANK, clouds),
    F("scope", TEXT, 0, NULL),
    END,
};
static const struct schema_field google_fields[] = { F("credentials_file", TEXT, 0, NULL), END };
const struct schema_field promserver_write[] = {
    F("url", URL, 0, NULL),
    F("remote_timeout", DURATION, 0, NULL),
    F("headers", TEXT_MAP, 0, NULL),
    F("write_relabel_configs", ANY, 0, NULL),
    F("name", TEXT, 0, NULL),
    F("send_exemplars", BOOL, 0, NULL),
    F("send_native_histograms", BOOL, 0, NULL),
    F("round_robin_dns", BOOL, 0, NULL),
    CHOICE("protobuf_message", 0, messages),
    F("failed_request_logging", BOOL, 0, NULL),
    CLIENT,
    BLOCK("queue_config", MAP, queue_fields),
    BLOCK("metadata_config", MAP, metadata_fields),
    BLOCK("sigv4", MAP, sigv4_fields),
    BLOCK("azuread", MAP, azure_fields),
    BLOCK("google_iam", MAP, google_fields),
    F("convert_nhcb_to_classic", BOOL, 0, NULL),
    END,
};

const struct schema_field promserver_read[] = {
    F("url", URL, 0, NULL),
    F("remote_timeout", DURATION, 0, NULL),
    F("chunked_read_limit", UINT, 0, NULL),
    F("headers", TEXT_MAP, 0, NULL),
    F("read_recent", BOOL, 0, NULL),
    F("name", TEXT, 0, NULL),
    CLIENT,
    F("required_matchers", LABELS, 0, NULL),
    F("filter_external_labels", BOOL, 0, NULL),
    END,
};

const struct schema_field promserver_otlp[] = {
    F("promote_all_resource_attributes", BOOL, 0, NULL),
    F("promote_resource_attributes", TEXTS, 0, NULL),
    F("ignore_resource_attributes", TEXTS, 0, NULL),
    CHOICE("translation_strategy", SCHEMA_BLANK, translations),
    F("keep_identifying_resource_attributes", BOOL, 0, NULL),
    F("convert_histograms_to_nhcb", BOOL, 0, NULL),
    F("promote_scope_metadata", BOOL, 0, NULL),
    F("label_name_underscore_sanitization", BOOL, 0, NULL),
    F("label_name_preserve_multiple_underscores", BOOL, 0, NULL),
    END,
};

/* ---- rules that several have */

struct checker {
    const struct promserver_options *options;
    struct strpool *pool;
    struct faults *f;
    struct regex_budget *patterns;
};

static struct span item(const struct node *list, size_t i)
{
    struct span text = { "", 0 };

    (void)node_as_text(list->items[i], &text);
    return text;
}

static bool has(const struct node *map, const char *key)
{
    return !node_is_null(node_get(map, key));
}

static void check_relabeling(const struct checker *c, const struct node *map, const char *key)
{
    const struct node *list = NULL;

    if (walk_list(map, key, c->f, &list) && list->n > 0) {
        size_t mark = faults_push(c->f, "%s", key);
        struct relabel *rules =
            relabel_compile(list, c->options->scheme, c->options->strict, c->patterns, c->f);
        relabel_free(&rules);
        faults_pop(c->f, mark);
    }
}

static void check_headers(const struct checker *c, const struct node *map)
{
    static const char *const reserved[] = {
        "host",
        "content-encoding",
        "content-length",
        "content-type",
        "user-agent",
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "www-authenticate",
        "accept-encoding",
        "x-prometheus-remote-write-version",
        "x-prometheus-remote-read-version",
        "x-amz-date",
        "x-amz-security-token",
        "x-amz-content-sha256",
        "authorization",
    };
    const struct node *headers = node_get(map, "headers");

    for (size_t i = 0; headers != NULL && headers->type == NODE_MAP && i < headers->n; i++) {
        struct span name = headers->pairs[i].key->text;
        for (size_t k = 0; k < COUNT(reserved); k++) {
            if (name.len == strlen(reserved[k]) &&
                strncasecmp(name.p, reserved[k], name.len) == 0) {
                walk_fault(map, "headers", c->f,
                           "%.*s is a reserved header. It must not be changed", SPAN_ARG(name));
            }
        }
    }
}

/* Of these, one at most. */
static void check_one_of(const struct checker *c, const struct node *map, const char *const *keys,
                         const char *what)
{
    const char *first = NULL;

    for (size_t i = 0; keys[i] != NULL; i++) {
        if (!has(map, keys[i])) {
            continue;
        }
        if (first != NULL) {
            walk_fault(map, keys[i], c->f, "at most one of %s can be configured, and %s is", what,
                       first);
            return;
        }
        first = keys[i];
    }
}

static void check_sigv4(const struct checker *c, const struct node *map)
{
    static const char *const role_only[] = { "external_id", "session_name", "tags" };
    const struct node *sigv4 = node_get(map, "sigv4");

    if (sigv4 == NULL || sigv4->type != NODE_MAP) {
        return;
    }
    size_t mark = faults_push(c->f, "sigv4");
    if ((schema_text(sigv4, "access_key").len == 0) !=
        (schema_text(sigv4, "secret_key").len == 0)) {
        faults_add(c->f, FAULT_ERROR, sigv4->line, "access_key and secret_key go together");
    }
    for (size_t i = 0; i < COUNT(role_only); i++) {
        if (has(sigv4, role_only[i]) && schema_text(sigv4, "role_arn").len == 0) {
            walk_fault(sigv4, role_only[i], c->f, "can only be used with role_arn");
        }
    }
    faults_pop(c->f, mark);
}

/* A list of maps: 'check' for each. */
static void each(const struct checker *c, const struct node *map, const char *key,
                 void (*check)(const struct checker *c, const struct node *one))
{
    const struct node *list = schema_list(map, key);
    size_t mark = faults_push(c->f, "%s", key);

    for (size_t i = 0; list != NULL && i < list->n; i++) {
        size_t inner = faults_push_index(c->f, i);
        if (node_is_null(list->items[i])) {
            faults_add(c->f, FAULT_ERROR, list->items[i]->line, "empty or null section");
        } else if (list->items[i]->type == NODE_MAP) {
            check(c, list->items[i]);
        }
        faults_pop(c->f, inner);
    }
    faults_pop(c->f, mark);
}

static void check_names(const struct checker *c, const struct node *root, const char *key)
{
    const struct node *list = schema_list(root, key);

    for (size_t i = 0; list != NULL && i < list->n; i++) {
        struct span name = schema_text(list->items[i], "name");
        for (size_t k = 0; k < i && name.len > 0; k++) {
            if (span_eq(name, schema_text(list->items[k], "name"))) {
                walk_fault(root, key, c->f, "found multiple entries with name \"%.*s\"",
                           SPAN_ARG(name));
                break;
            }
        }
    }
}

/* ---- sections */

static void check_alertmanager(const struct checker *c, const struct node *one)
{
    static const char *const ways[] = { "basic_auth", "authorization", "oauth2", "sigv4", NULL };
    const struct node *rules = schema_list(one, "relabel_configs");
    struct sdconfigs found;
    struct arena arena;

    arena_init(&arena);
    httpconfig_check(one, c->f);
    sdconfig_parse_all(nodecopy(one, false, &arena), rules != NULL && rules->n > 0,
                       c->options->strict, &arena, c->f, &found);
    check_sigv4(c, one);
    if (has(one, "sigv4")) {
        check_one_of(c, one, ways, "basic_auth, authorization, oauth2 and sigv4");
    }
    check_relabeling(c, one, "relabel_configs");
    check_relabeling(c, one, "alert_relabel_configs");
    arena_fini(&arena);
}

static void check_alerting(const struct checker *c, const struct node *root)
{
    const struct node *alerting = node_get(root, "alerting");

    if (alerting != NULL && alerting->type == NODE_MAP) {
        size_t mark = faults_push(c->f, "alerting");
        check_relabeling(c, alerting, "alert_relabel_configs");
        each(c, alerting, "alertmanagers", check_alertmanager);
        faults_pop(c->f, mark);
    }
}

static int64_t number_or(const struct node *map, const char *key, int64_t otherwise)
{
    int64_t n = otherwise;

    return node_as_int(node_get(map, key), &n) ? n : otherwise;
}

static int64_t duration_or(const struct node *map, const char *key, int64_t otherwise_ms)
{
    return has(map, key) ? schema_duration_ms(map, key) : otherwise_ms;
}

static void check_queue(const struct checker *c, const struct node *write)
{
    const struct node *queue = node_get(write, "queue_config");

    if (queue != NULL && node_is_null(queue)) {
        walk_fault(write, "queue_config", c->f, "is null: max_shards must be positive");
    }
    if (queue == NULL || queue->type != NODE_MAP) {
        return;
    }
    size_t mark = faults_push(c->f, "queue_config");
    if (number_or(queue, "min_shards", 1) > number_or(queue, "max_shards", 50)) {
        walk_fault(queue, has(queue, "min_shards") ? "min_shards" : "max_shards", c->f,
                   "min_shards must not be greater than max_shards");
    }
    if (duration_or(queue, "max_backoff", 5000) < duration_or(queue, "min_backoff", 30)) {
        walk_fault(queue, has(queue, "max_backoff") ? "max_backoff" : "min_backoff", c->f,
                   "max_backoff must not be less than min_backoff");
    }
    faults_pop(c->f, mark);
}

static void check_azure(const struct checker *c, const struct node *write)
{
    static const char *const ways[] = {
        "managed_identity", "workload_identity", "oauth", "sdk", "certificate", NULL
    };
    const struct node *azure = node_get(write, "azuread");
    size_t n = 0;

    if (azure == NULL || azure->type != NODE_MAP) {
        return;
    }
    size_t mark = faults_push(c->f, "azuread");
    check_one_of(c, azure, ways, "its ways to authenticate");
    for (size_t i = 0; ways[i] != NULL; i++) {
        n += has(azure, ways[i]) ? 1 : 0;
    }
    if (n == 0) {
        faults_add(c->f, FAULT_ERROR, azure->line,
                   "needs one of managed_identity, workload_identity, oauth, sdk and certificate");
    }
    faults_pop(c->f, mark);
}

static void check_remote(const struct checker *c, const struct node *one)
{
    if (!has(one, "url")) {
        faults_add_at(c->f, FAULT_ERROR, one->line, "url", "is required");
    }
    httpconfig_check(one, c->f);
    check_headers(c, one);
}

static void check_write(const struct checker *c, const struct node *one)
{
    static const char *const ways[] = { "basic_auth", "authorization", "oauth2", "sigv4",
                                        "azuread",    "google_iam",    NULL };

    check_remote(c, one);
    check_relabeling(c, one, "write_relabel_configs");
    check_queue(c, one);
    check_sigv4(c, one);
    check_azure(c, one);
    if (has(one, "sigv4") || has(one, "azuread") || has(one, "google_iam")) {
        check_one_of(c, one, ways,
                     "basic_auth, authorization, oauth2, sigv4, azuread and google_iam");
    }
}

/* Neither empty nor twice. */
static void check_attributes(const struct checker *c, const struct node *otlp, const char *key)
{
    const struct node *list = schema_list(otlp, key);

    for (size_t i = 0; list != NULL && i < list->n; i++) {
        struct span one = span_trim(item(list, i));
        if (one.len == 0) {
            walk_fault(otlp, key, c->f, "an attribute is empty");
        }
        for (size_t k = 0; k < i && one.len > 0; k++) {
            if (span_eq(one, span_trim(item(list, k)))) {
                walk_fault(otlp, key, c->f, "duplicated attribute \"%.*s\"", SPAN_ARG(one));
                break;
            }
        }
    }
}

static void check_otlp(const struct checker *c, const struct node *root)
{
    const struct node *otlp = node_get(root, "otlp");
    struct span translation = schema_text(otlp, "translation_strategy");
    bool is_all = false;

    if (otlp == NULL || otlp->type != NODE_MAP) {
        return;
    }
    size_t mark = faults_push(c->f, "otlp");
    (void)node_as_bool(node_get(otlp, "promote_all_resource_attributes"), &is_all);
    const char *used = is_all ? "ignore_resource_attributes" : "promote_resource_attributes";
    const char *unused = is_all ? "promote_resource_attributes" : "ignore_resource_attributes";
    const struct node *list = schema_list(otlp, unused);
    if (list != NULL && list->n > 0) {
        walk_fault(otlp, unused, c->f, "cannot be configured %s promote_all_resource_attributes",
                   is_all ? "with" : "without");
    }
    check_attributes(c, otlp, used);
    if (c->options->scheme == NAME_LEGACY && (span_is(translation, "NoTranslation") ||
                                              span_is(translation, "NoUTF8EscapingWithSuffixes"))) {
        walk_fault(otlp, "translation_strategy", c->f,
                   "is not allowed with metric_name_validation_scheme legacy");
    }
    faults_pop(c->f, mark);
}

static void check_percentage(const struct checker *c, const struct node *root)
{
    const struct node *retention = node_get(node_path(root, "storage", "tsdb", NULL), "retention");
    double percentage = 0;

    if (node_as_double(node_get(retention, "percentage"), &percentage) &&
        !(percentage >= 0 && percentage <= 100)) {
        walk_fault(retention, "percentage", c->f, "must be in the range [0, 100]");
    }
}

/* One that is named in full must be there. */
static void check_rule_files(const struct checker *c, const struct node *root)
{
    const struct node *list = schema_list(root, "rule_files");
    size_t mark = faults_push(c->f, "rule_files");
    struct arena arena;

    arena_init(&arena);
    for (size_t i = 0; c->options->base_dir.p != NULL && list != NULL && i < list->n; i++) {
        struct span name = item(list, i);
        struct span joined = pathtext_join(c->options->base_dir, name, &arena);
        struct stat s;
        if ((name.len == 0 || strcspn(name.p, "*?[") >= name.len) &&
            (name.len == 0 || stat(arena_strndup(&arena, joined.p, joined.len), &s) != 0)) {
            size_t inner = faults_push_index(c->f, i);
            faults_add(c->f, FAULT_ERROR, list->items[i]->line,
                       "\"%.*s\" does not point to an existing file", SPAN_ARG(name));
            faults_pop(c->f, inner);
        }
    }
    arena_fini(&arena);
    faults_pop(c->f, mark);
}

void promserver_check(const struct node *root, const struct promserver_options *options,
                      struct strpool *pool, struct faults *f)
{
    struct regex_budget patterns = regex_budget_new();
    const struct checker c = { options, pool, f, &patterns };

    check_alerting(&c, root);
    each(&c, root, "remote_write", check_write);
    check_names(&c, root, "remote_write");
    each(&c, root, "remote_read", check_remote);
    check_names(&c, root, "remote_read");
    check_otlp(&c, root);
    check_percentage(&c, root);
    if (node_get(root, "tracing") != NULL && node_get(root, "tracing")->type == NODE_MAP) {
        size_t mark = faults_push(f, "tracing");
        check_headers(&c, node_get(root, "tracing"));
        faults_pop(f, mark);
    }
    check_rule_files(&c, root);
}
