#include "allocator/tenant/dropin.h"

#include "allocator/base/limits.h"
#include "allocator/codec/walk.h"
#include "allocator/prom/duration.h"
#include "allocator/scrape/promconfig.h"
#include "allocator/tenant/collector.h"
#include "allocator/tenant/jobadvice.h"
#include "allocator/tenant/labelselector.h"

#define FILTER_RELABEL "relabel-config"
#define NS_PER_MS 1000000
#define DEFAULT_GRACE_PERIOD_MS 30000

/* ---- tables */

#define F(name, kind)                                                                              \
    {                                                                                              \
        name, SCHEMA_##kind, 0, NULL, NULL, NULL                                                   \
    }
#define BLOCK(name, kind, fields)                                                                  \
    {                                                                                              \
        name, SCHEMA_##kind, 0, NULL, fields, NULL                                                 \
    }
#define END                                                                                        \
    {                                                                                              \
        0                                                                                          \
    }

static const struct schema_field requirement_fields[] = {
    F("key", TEXT),
    F("operator", TEXT),
    F("values", TEXTS),
    END,
};

static const struct schema_field selector_fields[] = {
    F("matchLabels", TEXT_MAP),
    F("matchlabels", TEXT_MAP),
    BLOCK("matchExpressions", LIST, requirement_fields),
    BLOCK("matchexpressions", LIST, requirement_fields),
    END,
};

static const struct schema_field https_fields[] = {
    F("enabled", BOOL),           F("listen_addr", TEXT),
    F("ca_file_path", TEXT),      F("tls_cert_file_path", TEXT),
    F("tls_key_file_path", TEXT), END,
};

/* Durations of this file are Go's: they are read here, the table only knows their names. */
static const struct schema_field prometheus_cr_fields[] = {
    F("enabled", BOOL),
    F("allow_namespaces", TEXTS),
    F("deny_namespaces", TEXTS),
    F("secret_namespaces", TEXTS),
    BLOCK("service_monitor_selector", MAP, selector_fields),
    BLOCK("pod_monitor_selector", MAP, selector_fields),
    BLOCK("probe_selector", MAP, selector_fields),
    BLOCK("scrape_config_selector", MAP, selector_fields),
    BLOCK("service_monitor_namespace_selector", MAP, selector_fields),
    BLOCK("pod_monitor_namespace_selector", MAP, selector_fields),
    BLOCK("probe_namespace_selector", MAP, selector_fields),
    BLOCK("scrape_config_namespace_selector", MAP, selector_fields),
    F("scrape_interval", ANY),
    F("evaluation_interval", ANY),
    F("scrape_protocols", TEXTS),
    F("scrape_classes", ANY),
    F("deny_fs_access_through_sms", BOOL),
    END,
};

static const struct schema_field root_fields[] = {
    F("listen_addr", TEXT),
    F("kube_config_file_path", TEXT),
    BLOCK("collector_selector", MAP, selector_fields),
    F("collector_namespace", TEXT),
    F("config", ANY),
    F("allocation_strategy", TEXT),
    F("allocation_fallback_strategy", TEXT),
    F("filter_strategy", TEXT),
    BLOCK("prometheus_cr", MAP, prometheus_cr_fields),
    BLOCK("https", MAP, https_fields),
    F("telemetry", ANY),
    F("collector_not_ready_grace_period", ANY),
    F("allow_insecure_auth_secrets", BOOL),
    END,
};

/* ---- reading */

/* Quiet reads: the table has already said what is of a wrong type. */
static bool read_text(const struct node *map, const char *key, struct span *out)
{
    return node_as_text(node_get(map, key), out);
}

static bool read_bool(const struct node *map, const char *key, bool *out)
{
    return node_as_bool(node_get(map, key), out);
}

static const struct node *read_map(const struct node *map, const char *key)
{
    const struct node *value = node_get(map, key);

    return value != NULL && value->type == NODE_MAP ? value : NULL;
}

/* Go's time.ParseDuration; a bare number is nanoseconds. */
static bool read_duration(const struct node *map, const char *key, struct faults *f,
                          int64_t *out_ms)
{
    const struct node *value = node_get(map, key);
    struct span text;
    struct err err;
    int64_t ns = 0;

    if (node_is_null(value)) {
        return false;
    }
    if (node_as_int(value, &ns)) {
        *out_ms = ns / NS_PER_MS;
        return true;
    }
    if (node_as_text(value, &text) && duration_parse_go(text, out_ms, &err) == 0) {
        return true;
    }
    if (value->type == NODE_SCALAR) {
        walk_fault(map, key, f, "%s", err.text);
    } else {
        walk_fault(map, key, f, "must be a duration, not %s", node_type_name(value));
    }
    return false;
}

static void read_selector(const struct node *root, const char *key, struct dropin_selector *out)
{
    const struct node *selector = read_map(root, key);

    out->is_given = selector != NULL;
    out->match_labels = read_map(selector, "matchLabels");
    out->match_expressions = schema_list(selector, "matchExpressions");
    if (out->match_labels == NULL) {
        out->match_labels = read_map(selector, "matchlabels");
    }
    if (out->match_expressions == NULL) {
        out->match_expressions = schema_list(selector, "matchexpressions");
    }
}

static void read_https(const struct node *root, struct dropin *out)
{
    const struct node *https = read_map(root, "https");

    (void)read_bool(https, "enabled", &out->is_https_enabled);
    (void)read_text(https, "listen_addr", &out->https_listen_addr);
    (void)read_text(https, "ca_file_path", &out->https_ca_file);
    (void)read_text(https, "tls_cert_file_path", &out->https_cert_file);
    (void)read_text(https, "tls_key_file_path", &out->https_key_file);
}

static void read_prometheus_cr(const struct node *root, struct faults *f, struct dropin *out)
{
    const struct node *allow = NULL, *deny = NULL;
    int64_t ms = 0;

    out->prometheus_cr = read_map(root, "prometheus_cr");
    (void)read_bool(out->prometheus_cr, "enabled", &out->is_prometheus_cr_enabled);
    allow = schema_list(out->prometheus_cr, "allow_namespaces");
    deny = schema_list(out->prometheus_cr, "deny_namespaces");
    size_t mark = faults_push(f, "prometheus_cr");
    if (allow != NULL && deny != NULL && allow->n > 0 && deny->n > 0) {
        faults_add(f, FAULT_ERROR, deny->line,
                   "only one of allow_namespaces or deny_namespaces can be set");
    }
    (void)read_duration(out->prometheus_cr, "scrape_interval", f, &ms);
    (void)read_duration(out->prometheus_cr, "evaluation_interval", f, &ms);
    faults_pop(f, mark);
}

/* Its metrics are pulled from /metrics; pushing them is not built in. */
static void warn_telemetry(const struct node *root, struct faults *f)
{
    const struct node *telemetry = node_get(root, "telemetry");

    if (!node_is_null(telemetry) && telemetry->n > 0) {
        size_t mark = faults_push(f, "telemetry");
        faults_add(f, FAULT_WARNING, telemetry->line,
                   "pushing metrics is not supported: they are served at /metrics");
        faults_pop(f, mark);
    }
}

static void read_config(const struct node *root, struct faults *f, struct dropin *out)
{
    const struct node *config = node_get(root, "config");
    size_t mark = faults_push(f, "config");

    if (!node_is_null(config) && config->type != NODE_MAP) {
        faults_add(f, FAULT_ERROR, config->line, "must be a mapping, not %s",
                   node_type_name(config));
    } else if (!node_is_null(config)) {
        out->config = config;
    }
    const struct node *files = schema_list(out->config, "scrape_config_files");
    if (files != NULL && files->n > 0) {
        size_t inner = faults_push(f, "scrape_config_files");
        faults_add(f, FAULT_WARNING, files->line,
                   "is not read, nor is it by the Go allocator: list the jobs in scrape_configs");
        faults_pop(f, inner);
    }
    faults_pop(f, mark);
}

static void read_root(const struct node *root, struct faults *f, struct dropin *out)
{
    schema_check(root_fields, root, FAULT_WARNING, f);
    (void)read_text(root, "listen_addr", &out->listen_addr);
    (void)read_text(root, "kube_config_file_path", &out->kube_config_file);
    (void)read_text(root, "collector_namespace", &out->collector_namespace);
    (void)read_text(root, "allocation_strategy", &out->strategy);
    (void)read_text(root, "allocation_fallback_strategy", &out->fallback);
    collector_check_strategy(root, "allocation_strategy", f);
    collector_check_strategy(root, "allocation_fallback_strategy", f);
    (void)read_text(root, "filter_strategy", &out->filter_strategy);
    (void)read_bool(root, "allow_insecure_auth_secrets", &out->allow_insecure_auth_secrets);
    (void)read_duration(root, "collector_not_ready_grace_period", f, &out->grace_period_ms);
    read_selector(root, "collector_selector", &out->collectors);
    read_https(root, out);
    read_prometheus_cr(root, f, out);
    warn_telemetry(root, f);
    read_config(root, f, out);
}

void dropin_parse(const struct node *root, struct faults *f, struct dropin *out)
{
    *out = (struct dropin){
        .listen_addr = SPAN_LIT(":8080"),
        .kube_config_file = { "", 0 },
        .collector_namespace = { "", 0 },
        .strategy = SPAN_LIT("consistent-hashing"),
        .fallback = { "", 0 },
        .filter_strategy = SPAN_LIT(FILTER_RELABEL),
        .grace_period_ms = DEFAULT_GRACE_PERIOD_MS,
        .https_listen_addr = SPAN_LIT(":8443"),
    };
    if (node_is_null(root)) {
        return;
    }
    if (root->type != NODE_MAP) {
        faults_add(f, FAULT_ERROR, root->line, "must be a mapping, not %s", node_type_name(root));
        return;
    }
    out->root = root;
    read_root(root, f, out);
}

/* ---- what cannot be carried out */

/* False when there is one. */
static bool check_sections(const struct node *job, struct dropin_support support, struct faults *f)
{
    size_t n_errors = f->n_errors;

    for (const char *const *section = sdconfig_sections; *section != NULL; section++) {
        const struct node *list = schema_list(job, *section);
        bool is_kubernetes = strcmp(*section, "kubernetes_sd_configs") == 0;
        bool is_run = is_kubernetes ? support.has_cluster : sdconfig_is_run(span_of(*section));
        if (list == NULL || list->n == 0 || is_run) {
            continue;
        }
        faults_add_at(f, FAULT_ERROR, list->line, *section,
                      "%s is not supported: discover these targets with http_sd_configs or "
                      "file_sd_configs, or leave this job to the Go allocator",
                      *section);
    }
    return f->n_errors == n_errors;
}

int dropin_selector_write(const struct dropin_selector *s, struct buf *out, struct err *err)
{
    return labelselector_write(s->match_labels, s->match_expressions, out, err);
}

/* Who the collectors are. */
static void check_collectors(const struct dropin *d, struct dropin_support support,
                             struct faults *f)
{
    const struct node *selector = node_get(d->root, "collector_selector");
    unsigned line = selector == NULL ? 0 : selector->line;
    AUTO_BUF text = { 0 };
    struct err err;

    if (support.has_collectors) {
        return;
    }
    if (!support.has_pods) {
        faults_add_at(f, FAULT_ERROR, line, "collector_selector",
                      "finding collector pods needs a cluster: name one with --kubeconfig (a pod's "
                      "own is found), or the collectors with --collectors");
        return;
    }
    buf_init(&text, LIMIT_SECRET);
    if (!d->collectors.is_given) {
        faults_add_at(f, FAULT_WARNING, line, "collector_selector",
                      "is not given, so that no pod is a collector");
    } else if (dropin_selector_write(&d->collectors, &text, &err) < 0) {
        faults_add_at(f, FAULT_ERROR, line, "collector_selector", "%s", err.text);
    }
    if (d->collector_namespace.len == 0 && !support.has_namespace) {
        faults_add_at(f, FAULT_ERROR, 0, "collector_namespace",
                      "collector namespace must be set, here or by OTELCOL_NAMESPACE");
    }
}

void dropin_check(const struct dropin *d, struct dropin_support support, struct faults *f)
{
    const struct node *jobs = schema_list(d->config, "scrape_configs");

    if (!d->is_prometheus_cr_enabled && (jobs == NULL || jobs->n == 0)) {
        faults_add(f, FAULT_ERROR, 0,
                   "at least one scrape config must be defined, or Prometheus CR watching must be "
                   "enabled");
    }
    check_collectors(d, support, f);
    if (d->is_prometheus_cr_enabled && !support.has_monitors) {
        size_t mark = faults_push(f, "prometheus_cr");
        faults_add_at(
            f, FAULT_ERROR, d->prometheus_cr->line, "enabled",
            "monitors of prometheus-operator need a Kubernetes API, which is not watched yet: "
            "set it to false, or "
            "leave this work to the Go allocator");
        faults_pop(f, mark);
    }
}

/* ---- jobs */

static void refuse(struct scrapejobs *jobs, struct span name, const struct faults *f, size_t from)
{
    for (size_t i = 0; i < jobs->n; i++) {
        if (span_eq(jobs->v[i]->name, name)) {
            scrapejobs_refuse(jobs, i, faults_why(f, from));
            return;
        }
    }
}

/* Each job with a section that is not run here; and what is hardly meant. */
static void look_at_jobs(const struct dropin *d, struct dropin_support support, struct faults *f,
                         struct scrapejobs *jobs)
{
    const struct node *list = schema_list(d->config, "scrape_configs");
    size_t mark = faults_push(f, "scrape_configs"), n_errors = f->n_errors;

    for (size_t i = 0; list != NULL && i < list->n; i++) {
        size_t inner = faults_push_index(f, i), from = f->n;
        struct span name = schema_text(list->items[i], "job_name");
        if (!check_sections(list->items[i], support, f)) {
            refuse(jobs, name, f, from);
        }
        jobadvice_give_literal(list->items[i], name, f);
        faults_pop(f, inner);
    }
    jobs->n_errors += f->n_errors - n_errors;
    faults_pop(f, mark);
}

void dropin_jobs(const struct dropin *d, struct dropin_support support, bool thorough,
                 struct strpool *pool, struct faults *f, struct scrapejobs *out)
{
    const struct scrape_options options = {
        .filter = span_is(d->filter_strategy, FILTER_RELABEL) ? SCRAPE_FILTER_RELABEL
                                                              : SCRAPE_FILTER_NONE,
        .thorough = thorough,
        .disable_sharding = true,
        .as_text = true,
        .room = support.room,
    };
    size_t mark = faults_push(f, "config");

    promconfig_parse(d->config, &options, pool, f, out);
    look_at_jobs(d, support, f, out);
    faults_pop(f, mark);
}
