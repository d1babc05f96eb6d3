#include "allocator/tenant/dropin.h"

#include "allocator/codec/yamldoc.h"
#include "tests/check.h"

#include <stdio.h>

struct fixture {
    struct arena arena;
    struct faults f;
    struct dropin d;
};

static void setup(struct fixture *x, const char *yaml)
{
    struct node *root = NULL;

    arena_init(&x->arena);
    faults_init(&x->f);
    is_int(yamldoc_parse(span_of(yaml), &x->arena, &root, NULL), 0, "yaml");
    dropin_parse(root, &x->f, &x->d);
}

static void teardown(struct fixture *x)
{
    faults_fini(&x->f);
    arena_fini(&x->arena);
}

static const struct fault *fault_at(const struct fixture *x, const char *path)
{
    for (size_t i = 0; i < x->f.n; i++) {
        if (strcmp(x->f.v[i].path, path) == 0) {
            return &x->f.v[i];
        }
    }
    return NULL;
}

static void test_defaults(void)
{
    static const char *const t[] = {
        "", "{}", "{listen_addr: null, collector_not_ready_grace_period: ~, https: null}"
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        struct fixture x;
        setup(&x, t[i]);
        is_int(x.f.n, 0, "no faults in '%s'", t[i]);
        is_span(x.d.listen_addr, SPAN_LIT(":8080"), "listen_addr");
        is_span(x.d.https_listen_addr, SPAN_LIT(":8443"), "https.listen_addr");
        is_span(x.d.strategy, SPAN_LIT("consistent-hashing"), "strategy");
        is_span(x.d.filter_strategy, SPAN_LIT("relabel-config"), "filter");
        is_int(x.d.grace_period_ms, 30000, "grace period");
        ok(!x.d.is_https_enabled && !x.d.allow_insecure_auth_secrets && !x.d.collectors.is_given &&
               !x.d.is_prometheus_cr_enabled && x.d.config == NULL,
           "nothing is on");
        teardown(&x);
    }
}

static void test_everything(void)
{
    struct fixture x;

    setup(&x, "listen_addr: ':9'\n"
              "kube_config_file_path: /k\n"
              "collector_namespace: otel\n"
              "collector_selector: {matchlabels: {a: b}, matchexpressions: []}\n"
              "allocation_strategy: per-node\n"
              "allocation_fallback_strategy: least-weighted\n"
              "filter_strategy: ''\n"
              "collector_not_ready_grace_period: 1m30s\n"
              "allow_insecure_auth_secrets: true\n"
              "https: {enabled: true, listen_addr: ':1', ca_file_path: ca, tls_cert_file_path: "
              "crt, tls_key_file_path: key}\n"
              "prometheus_cr: {enabled: true, scrape_interval: 30s, service_monitor_selector: "
              "{matchlabels: {}, "
              "matchexpressions: []}, probe_selector: null, scrape_classes: [{name: x}]}\n"
              "config: {scrape_configs: [{job_name: a}]}\n");
    is_int(x.f.n, 0, "no faults");
    is_span(x.d.listen_addr, SPAN_LIT(":9"), "listen_addr");
    is_span(x.d.kube_config_file, SPAN_LIT("/k"), "kube_config_file_path");
    is_span(x.d.collector_namespace, SPAN_LIT("otel"), "collector_namespace");
    is_span(x.d.strategy, SPAN_LIT("per-node"), "allocation_strategy");
    is_span(x.d.fallback, SPAN_LIT("least-weighted"), "allocation_fallback_strategy");
    is_span(x.d.https_listen_addr, SPAN_LIT(":1"), "https.listen_addr");
    is_span(x.d.https_ca_file, SPAN_LIT("ca"), "https.ca_file_path");
    is_span(x.d.https_cert_file, SPAN_LIT("crt"), "https.tls_cert_file_path");
    is_span(x.d.https_key_file, SPAN_LIT("key"), "https.tls_key_file_path");
    is_span(x.d.filter_strategy, SPAN_LIT(""), "an empty filter strategy is one");
    is_int(x.d.grace_period_ms, 90000, "Go's duration");
    ok(x.d.is_https_enabled && x.d.allow_insecure_auth_secrets && x.d.is_prometheus_cr_enabled,
       "booleans");
    ok(node_get(x.d.collectors.match_labels, "a") != NULL &&
           x.d.collectors.match_expressions != NULL,
       "selector");
    teardown(&x);
    setup(&x, "collector_selector: {matchLabels: {a: b}, matchExpressions: [{key: k, operator: In, "
              "values: [v]}]}\n");
    ok(x.f.n == 0 && node_get(x.d.collectors.match_labels, "a") != NULL &&
           x.d.collectors.match_expressions->n == 1,
       "the other spelling");
    teardown(&x);
}

static void test_durations(void)
{
    static const struct {
        const char *yaml;
        int64_t ms;
        bool is_good;
    } t[] = {
        { "1.5s", 1500, true }, { "0", 0, true },       { "2000000000", 2000, true },
        { "1d", 30000, false }, { "[]", 30000, false },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        struct fixture x;
        char yaml[128];
        (void)snprintf(yaml, sizeof(yaml), "collector_not_ready_grace_period: %s\n", t[i].yaml);
        setup(&x, yaml);
        is_int(x.f.n_errors, t[i].is_good ? 0 : 1, "faults of %s", t[i].yaml);
        is_int(x.d.grace_period_ms, t[i].ms, "value of %s", t[i].yaml);
        teardown(&x);
    }
}

/* One of the two lists of namespaces may have entries. */
static void test_namespaces(void)
{
    static const struct {
        const char *lists;
        bool is_good;
    } t[] = {
        { "", true },
        { "allow_namespaces: [a]", true },
        { "deny_namespaces: [b]", true },
        { "allow_namespaces: [], deny_namespaces: []", true },
        { "allow_namespaces: [a], deny_namespaces: []", true },
        { "allow_namespaces: [], deny_namespaces: [b]", true },
        { "allow_namespaces: [a], deny_namespaces: ", true },
        { "allow_namespaces: , deny_namespaces: [b]", true },
        { "allow_namespaces: [a], deny_namespaces: [b]", false },
        { "allow_namespaces: [a, c], deny_namespaces: [b, d]", false },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        struct fixture x;
        char yaml[128];
        (void)snprintf(yaml, sizeof(yaml), "prometheus_cr: {%s}\n", t[i].lists);
        setup(&x, yaml);
        is_int(x.f.n_errors, t[i].is_good ? 0 : 1, "errors of %s", t[i].lists);
        if (!t[i].is_good) {
            is_str(x.f.v[0].text, "only one of allow_namespaces or deny_namespaces can be set",
                   "why");
            is_str(x.f.v[0].path, "prometheus_cr", "where");
        }
        teardown(&x);
    }
}

static void test_faults(void)
{
    struct fixture x;

    setup(&x, "listen_adr: x\n"
              "https: {enable: true}\n"
              "allow_insecure_auth_secrets: perhaps\n"
              "telemetry: {metrics: {readers: []}}\n"
              "prometheus_cr: {allow_namespaces: [a], deny_namespaces: [b]}\n"
              "config: {scrape_config_files: [a.yml]}\n");
    is_int(x.f.n_errors, 2, "errors");
    is_str(x.f.v[0].text, "field listen_adr not known; did you mean 'listen_addr'?", "nearest key");
    is_int(x.f.v[0].severity, FAULT_WARNING, "a warning");
    ok(fault_at(&x, "https") != NULL, "https.enable");
    ok(fault_at(&x, "allow_insecure_auth_secrets") != NULL, "no boolean");
    ok(fault_at(&x, "telemetry") != NULL, "telemetry");
    ok(fault_at(&x, "prometheus_cr") != NULL, "both kinds of namespaces");
    ok(fault_at(&x, "config.scrape_config_files") != NULL, "scrape_config_files");
    teardown(&x);
    setup(&x, "config: [a]");
    ok(fault_at(&x, "config") != NULL && x.f.n_errors == 1, "no mapping");
    teardown(&x);
    setup(&x, "[a]");
    ok(x.f.n_errors == 1 && x.d.root == NULL, "the whole is none");
    teardown(&x);
}

/* The job that uses what cannot be run is refused, the other is not. */
static void read_jobs(struct fixture *x, struct dropin_support support)
{
    struct scrapejobs jobs = { 0 };
    struct strpool pool;

    strpool_init(&pool);
    dropin_jobs(&x->d, support, false, &pool, &x->f, &jobs);
    is_int(jobs.n, 1, "one job can be run");
    is_str(jobs.refused.n == 1 ? jobs.refused.v[0].name : "", "b", "the other is refused");
    scrapejobs_fini(&jobs);
    strpool_fini(&pool);
}

/* What is not there is refused by name, once for each place. */
static void test_check(void)
{
    static const char yaml[] =
        "collector_selector: {matchlabels: {a: b}}\n"
        "prometheus_cr: {enabled: true}\n"
        "config:\n"
        "  scrape_configs:\n"
        "  - {job_name: a, static_configs: [{targets: [x]}], kubernetes_sd_configs: []}\n"
        "  - {job_name: b, kubernetes_sd_configs: [{role: pod}], dns_sd_configs: [{names: [x]}]}\n";
    struct fixture x;

    setup(&x, yaml);
    dropin_check(&x.d, (struct dropin_support){ 0 }, &x.f);
    read_jobs(&x, (struct dropin_support){ 0 });
    is_int(x.f.n_errors, 4, "four refusals");
    ok(fault_at(&x, "collector_selector") != NULL &&
           strstr(fault_at(&x, "collector_selector")->text, "--collectors") != NULL,
       "collector_selector names the way out");
    ok(fault_at(&x, "prometheus_cr.enabled") != NULL, "prometheus_cr");
    ok(fault_at(&x, "config.scrape_configs[1].kubernetes_sd_configs") != NULL,
       "kubernetes_sd_configs");
    ok(fault_at(&x, "config.scrape_configs[1].dns_sd_configs") != NULL, "dns_sd_configs");
    teardown(&x);

    setup(&x, yaml);
    const struct dropin_support all = { .has_pods = true,
                                        .has_cluster = true,
                                        .has_monitors = true };
    dropin_check(&x.d, all, &x.f);
    read_jobs(&x, all);
    is_int(x.f.n_errors, 2, "with a cluster: no namespace, and no dns");
    ok(fault_at(&x, "collector_namespace") != NULL, "collector_namespace");
    teardown(&x);

    setup(&x, "collector_namespace: n\n");
    dropin_check(&x.d, (struct dropin_support){ .has_collectors = true }, &x.f);
    ok(x.f.n_errors == 1 && strstr(x.f.v[0].text, "at least one scrape config") != NULL,
       "nothing to do");
    teardown(&x);
}

/* Nobody fills in what collectors would: it is said, once for a job. */
static void test_expressions(void)
{
    static const struct {
        const char *job, *path; /* of the warning; NULL: none */
    } t[] = {
        { "static_configs: [{targets: ['${env:A}:1', '${env:B}:1']}]",
          "static_configs[0].targets[0]" },
        { "static_configs: [{targets: [x], labels: {a: '${A}'}}]", "static_configs[0].labels.a" },
        { "relabel_configs: [{regex: a, target_label: b, replacement: '${1}x'}]", NULL },
        { "relabel_configs: [{regex: a, target_label: b, replacement: '${1}'}, {target_label: b, "
          "replacement: '${env:A}'}]",
          "relabel_configs[1].replacement" },
        { "static_configs: [{targets: ['$A:1', '$${env:A}:1']}]", NULL },
        { "basic_auth: {username: u, password: '${file:/x}'}", "basic_auth.password" },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        struct fixture x;
        struct scrapejobs jobs = { 0 };
        struct strpool pool;
        char *yaml = mem_printf("config: {scrape_configs: [{job_name: j, %s}]}\n", t[i].job);
        char *path = mem_printf("config.scrape_configs[0].%s", t[i].path == NULL ? "" : t[i].path);
        setup(&x, yaml);
        strpool_init(&pool);
        dropin_jobs(&x.d, (struct dropin_support){ 0 }, false, &pool, &x.f, &jobs);
        is_int(jobs.n, 1, "%s: it is taken", t[i].job);
        is_int(x.f.n, t[i].path == NULL ? 0 : 1, "with as many warnings");
        ok(t[i].path == NULL || (fault_at(&x, path) != NULL &&
                                 strstr(fault_at(&x, path)->text, "nobody fills it in") != NULL),
           "at its place");
        scrapejobs_fini(&jobs);
        strpool_fini(&pool);
        teardown(&x);
        mem_free(path);
        mem_free(yaml);
    }
}

#define JOB "\nconfig: {scrape_configs: [{job_name: a}]}\n"

/* Pods as collectors: what of the file counts, and what wins over it. */
static void test_pods(void)
{
    static const struct {
        const char *yaml;
        struct dropin_support support;
        const char *path; /* of the one fault; NULL: there is none */
        bool is_error;
    } t[] = {
        { "collector_namespace: n\ncollector_selector: {matchlabels: {a: b}}" JOB,
          { .has_pods = true },
          NULL,
          false },
        { "kube_config_file_path: /k\ncollector_selector: {matchlabels: {a: b}}" JOB,
          { .has_pods = true, .has_namespace = true },
          NULL,
          false },
        { "collector_namespace: n\ncollector_selector: null" JOB,
          { .has_pods = true },
          "collector_selector",
          false },
        { "collector_namespace: n" JOB, { .has_pods = true }, "collector_selector", false },
        { "collector_selector: {}" JOB, { .has_pods = true }, "collector_namespace", true },
        { "collector_namespace: n\ncollector_selector: {matchExpressions: [{key: a, operator: "
          "Is}]}" JOB,
          { .has_pods = true },
          "collector_selector",
          true },
        { "collector_selector: {matchExpressions: [{key: a, operator: Is}]}" JOB,
          { .has_pods = true, .has_collectors = true },
          NULL,
          false },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        struct fixture x;
        setup(&x, t[i].yaml);
        dropin_check(&x.d, t[i].support, &x.f);
        is_int(x.f.n, t[i].path != NULL, "faults of '%s'", t[i].yaml);
        is_int(x.f.n_errors, t[i].is_error, "errors");
        ok(t[i].path == NULL || fault_at(&x, t[i].path) != NULL, "at its place");
        teardown(&x);
    }
}

static void test_jobs(void)
{
    static const char yaml[] = "filter_strategy: none\n"
                               "config:\n"
                               "  global: {scrape_interval: 5s}\n"
                               "  scrape_configs:\n"
                               "  - {job_name: a, foo: bar, tls_config: {ca_file: ca}}\n"
                               "  - {job_name: b, scrape_interval: x}\n";
    struct scrapejobs jobs = { 0 };
    struct strpool pool;
    struct fixture x;

    strpool_init(&pool);
    setup(&x, yaml);
    dropin_jobs(&x.d, (struct dropin_support){ .has_collectors = true }, false, &pool, &x.f, &jobs);
    is_int(jobs.n, 1, "the good one");
    is_int(x.f.n_errors, 1, "one error");
    is_int(jobs.n_errors, 1, "of a job");
    is_int(jobs.refused.n, 1, "which is refused");
    is_str(jobs.refused.v[0].name, "b", "by its name");
    ok(strstr(jobs.refused.v[0].why, "scrape_interval") != NULL, "with the reason");
    ok(fault_at(&x, "config.scrape_configs[1].scrape_interval") != NULL, "at its place");
    ok(fault_at(&x, "config.scrape_configs[0]") != NULL, "an unknown field is a warning");
    is_int(jobs.v[0]->filter, SCRAPE_FILTER_NONE, "no filtering");
    ok(jobs.v[0]->disable_sharding, "no sharding by rules");
    ok(jobs.v[0]->config == NULL, "no trees are kept");
    ok(strstr(jobs.v[0]->text, "\"ca_file\":\"ca\"") != NULL, "paths stay relative");
    scrapejobs_fini(&jobs);
    teardown(&x);
    strpool_fini(&pool);
}

int main(void)
{
    test_defaults();
    test_everything();
    test_durations();
    test_namespaces();
    test_faults();
    test_check();
    test_expressions();
    test_pods();
    test_jobs();
    return check_done();
}
