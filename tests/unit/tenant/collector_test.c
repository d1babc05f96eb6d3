#include "allocator/tenant/receivers.h"

#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "allocator/codec/yamldoc.h"
#include "tests/check.h"

#include <stdio.h>

struct fixture {
    struct arena arena;
    struct faults f;
    struct strpool pool;
    struct collector cr;
    struct scrapejobs jobs;
    bool is_usable;
};

static void setup(struct fixture *x, const char *yaml)
{
    const struct receivers_options options = { .scrape = { .strict = true } };
    struct node *root = NULL;

    *x = (struct fixture){ 0 };
    arena_init(&x->arena);
    faults_init(&x->f);
    strpool_init(&x->pool);
    is_int(yamldoc_parse(span_of(yaml), &x->arena, &root, NULL), 0, "yaml");
    collector_read(root, &x->cr);
    collector_check(&x->cr, &x->f);
    x->is_usable = receivers_jobs(&x->cr, &options, &x->pool, &x->f, &x->jobs, NULL);
}

static void teardown(struct fixture *x)
{
    scrapejobs_fini(&x->jobs);
    strpool_fini(&x->pool);
    faults_fini(&x->f);
    arena_fini(&x->arena);
}

static void has_fault(const struct fixture *x, const char *path, unsigned line, const char *text)
{
    for (size_t i = 0; i < x->f.n; i++) {
        if (strcmp(x->f.v[i].path, path) == 0) {
            is_int(x->f.v[i].line, line, "line of %s", path);
            ok(strstr(x->f.v[i].text, text) != NULL, "%s: '%s' has '%s'", path, x->f.v[i].text,
               text);
            return;
        }
    }
    ok(false, "a fault at %s", path);
}

#define HEAD(version) "apiVersion: opentelemetry.io/" version "\nkind: OpenTelemetryCollector\n"
#define OURS "http://c-targetallocator:80/jobs/"

static void test_is(void)
{
    static const struct {
        const char *yaml;
        bool is;
    } t[] = {
        { HEAD("v1beta1"), true },
        { HEAD("v1alpha1"), true },
        { "apiVersion: v1\nkind: OpenTelemetryCollector\n", false },
        { "apiVersion: opentelemetry.io/v1beta1\nkind: Instrumentation\n", false },
        { "[]", false },
        { "", false },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        struct arena arena;
        struct node *root = NULL;
        arena_init(&arena);
        is_int(yamldoc_parse(span_of(t[i].yaml), &arena, &root, NULL), 0, "yaml");
        is_int(collector_is(root), t[i].is, "is '%s' one?", t[i].yaml);
        arena_fini(&arena);
    }
}

static void test_who(void)
{
    struct fixture x;

    setup(&x, HEAD("v1beta1") "metadata: {name: c, namespace: n}\n"
                              "spec: {mode: statefulset, replicas: 3, targetAllocator: {enabled: "
                              "true, allocationStrategy: "
                              "per-node, filterStrategy: ''}}\n");
    ok(x.is_usable && x.f.n == 0, "no faults");
    is_span(x.cr.name, SPAN_LIT("c"), "name");
    is_span(x.cr.ns, SPAN_LIT("n"), "namespace");
    is_span(x.cr.mode, SPAN_LIT("statefulset"), "mode");
    is_span(x.cr.strategy, SPAN_LIT("per-node"), "strategy");
    ok(x.cr.filter_strategy.p != NULL && x.cr.filter_strategy.len == 0,
       "an empty filter strategy is one");
    is_int(x.cr.replicas, 3, "replicas");
    ok(x.cr.intent == COLLECTOR_ALLOCATED && x.cr.config == NULL,
       "enabled, without a configuration");
    teardown(&x);
    setup(&x, HEAD("v1beta1") "metadata: {name: c}\n");
    ok(x.is_usable && x.cr.intent == COLLECTOR_SILENT, "nothing asked for");
    is_span(x.cr.mode, SPAN_LIT("deployment"), "default mode");
    is_int(x.cr.replicas, 1, "default replicas");
    teardown(&x);
    setup(&x, HEAD("v1beta1") "metadata: {name: c, labels: {otel-ta/inject: 'true'}}\nspec: "
                              "{targetAllocator: {enabled: false}}");
    ok(x.cr.intent == COLLECTOR_ALLOCATED, "by label");
    teardown(&x);
    setup(&x, HEAD("v1beta1") "metadata: {name: c, labels: {otel-ta/inject: 'false'}}\nspec: "
                              "{targetAllocator: {enabled: true}}");
    ok(x.cr.intent == COLLECTOR_OPTED_OUT, "opted out");
    teardown(&x);
    setup(&x, HEAD("v1beta1") "metadata: {}\n");
    ok(!x.is_usable, "nameless");
    has_fault(&x, "metadata.name", 3, "is required");
    teardown(&x);
}

/* Whoever asks gets the same verdict: who is served, and what is said to the others. */
static void test_served(void)
{
    static const struct {
        const char *metadata, *spec;
        bool is_served;
        const char *path, *fault; /* NULL: none */
    } t[] = {
        { "", "targetAllocator: {enabled: true}", true, NULL, NULL },
        { "", "targetAllocator: {enabled: false}", false, NULL, NULL },
        { "", "mode: sidecar", false, NULL, NULL },
        { "", "mode: sidecar, targetAllocator: {enabled: true}", false, "spec.mode",
          "a Collector of mode sidecar cannot use the allocator: it discovers its targets itself" },
        { ", labels: {otel-ta/inject: 'true'}", "mode: sidecar", false, "spec.mode", "sidecar" },
        { ", labels: {otel-ta/inject: 'false'}", "mode: sidecar, targetAllocator: {enabled: true}",
          false, NULL, NULL },
        { "", "mode: daemonset, targetAllocator: {enabled: true}", true, NULL, NULL },
        { "", "targetAllocator: {enabled: true, allocationStrategy: per-nod}", true,
          "spec.targetAllocator.allocationStrategy",
          "unknown value \"per-nod\", expecting one of: consistent-hashing, least-weighted, "
          "per-node, rendezvous, bounded-rendezvous; did you mean 'per-node'?" },
        { "", "targetAllocator: {enabled: true, allocationStrategy: ''}", true, NULL, NULL },
        { "", "targetAllocator: {enabled: false, allocationStrategy: x}", false, NULL, NULL },
        { "", "targetAllocator: {enabled: perhaps}", false, "spec.targetAllocator.enabled",
          "must be true or false" },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        AUTO_STR yaml = mem_printf(HEAD("v1beta1") "metadata: {name: c%s}\nspec: {%s}\n",
                                   t[i].metadata, t[i].spec);
        struct fixture x;
        setup(&x, yaml);
        collector_report_mode(&x.cr, &x.f);
        is_int(collector_is_served(&x.cr), t[i].is_served, "is it served? %s", yaml);
        is_int(x.f.n, t[i].fault == NULL ? 0 : 1, "faults of %s", yaml);
        if (t[i].fault != NULL) {
            has_fault(&x, t[i].path, 4, t[i].fault);
        }
        teardown(&x);
    }
}

static void test_long_text(void)
{
    AUTO_BUF yaml = { 0 };
    struct fixture x;

    buf_init(&yaml, 2 * LIMIT_CONFIG_TEXT_BYTES);
    buf_add_str(&yaml, HEAD("v1alpha1") "metadata: {name: c}\nspec:\n  config: |\n");
    for (size_t n = 0; n <= LIMIT_CONFIG_TEXT_BYTES; n += 64) {
        buf_addf(&yaml, "    # %-61s\n", "a comment as long as the others");
    }
    setup(&x, yaml.p);
    has_fault(&x, "spec.config", 5, "more than");
    teardown(&x);
}

/* The walk over the Collectors of a document. */
static void test_list(void)
{
    static const char yaml[] = "kind: List\napiVersion: v1\nitems:\n"
                               "- {kind: Secret}\n"
                               "- {apiVersion: opentelemetry.io/v1beta1, kind: "
                               "OpenTelemetryCollector, metadata: {name: a}}\n"
                               "- 5\n"
                               "- {apiVersion: opentelemetry.io/v1beta1, kind: "
                               "OpenTelemetryCollector, metadata: {name: b}}\n";
    struct arena arena;
    struct node *root = NULL;
    struct collector c;
    struct faults f;
    size_t at = 0;

    arena_init(&arena);
    faults_init(&f);
    is_int(yamldoc_parse(SPAN_LIT(yaml), &arena, &root, NULL), 0, "yaml");
    is_int(collector_count(root), 2, "two of four items");
    collector_read(collector_next(root, &at), &c);
    is_span(c.name, SPAN_LIT("a"), "the first one");
    size_t mark = collector_push(root, at, &f);
    faults_add(&f, FAULT_ERROR, 0, "x");
    faults_pop(&f, mark);
    is_str(f.v[0].path, "items[1]", "stands there");
    collector_read(collector_next(root, &at), &c);
    is_span(c.name, SPAN_LIT("b"), "the second one");
    ok(collector_next(root, &at) == NULL && collector_next(root, &at) == NULL, "and no more");
    at = 0;
    const struct node *alone = collector_items(root)->items[3];
    ok(collector_items(alone) == NULL && collector_next(alone, &at) == alone &&
           collector_next(alone, &at) == NULL,
       "one alone");
    (void)collector_push(alone, 1, &f);
    is_str(f.path, "", "stands nowhere in particular");
    is_int(collector_count(collector_items(root)->items[0]), 0, "none");
    faults_fini(&f);
    arena_fini(&arena);
}

static void test_objects(void)
{
    struct fixture x;

    setup(&x, HEAD("v1beta1") "metadata: {name: c}\n"
                              "spec:\n"
                              "  config:\n"
                              "    receivers:\n"
                              "      otlp: {protocols: {}}\n"
                              "      prometheus:\n"
                              "        config:\n"
                              "          global: {scrape_interval: 7s}\n"
                              "          scrape_configs:\n"
                              "          - job_name: a\n"
                              "            static_configs: [{targets: [x]}]\n"
                              "            relabel_configs: [{target_label: t, replacement: $$1}]\n"
                              "          - job_name: bad\n"
                              "            sample_limit: many\n"
                              "      prometheus/two: {config: {scrape_configs: [{job_name: a}]}}\n"
                              "      prometheus/three: null\n"
                              "      prometheus/four: {target_allocator: {endpoint: x}}\n"
                              "      prometheusremote: {config: {scrape_configs: [{}]}}\n");
    is_int(x.jobs.n, 2, "jobs of both receivers");
    is_span(x.jobs.v[0]->receiver, SPAN_LIT("prometheus"), "first receiver");
    is_span(x.jobs.v[1]->receiver, SPAN_LIT("prometheus/two"), "second receiver");
    is_str(json_string_value(json_object_get(x.jobs.v[0]->config, "scrape_interval")), "7s",
           "own globals");
    is_str(json_string_value(json_object_get(x.jobs.v[1]->config, "scrape_interval")), "1m",
           "of that receiver only");
    const json_t *rule = json_array_get(json_object_get(x.jobs.v[0]->config, "relabel_configs"), 0);
    is_str(json_string_value(json_object_get(rule, "replacement")), "$1", "dollars unescaped");
    is_int(x.f.n, 1, "one fault");
    has_fault(&x, "spec.config.receivers.prometheus.config.scrape_configs[1].sample_limit", 16,
              "many");
    teardown(&x);
}

static void test_text(void)
{
    struct fixture x;

    setup(&x, HEAD("v1alpha1") "metadata: {name: c}\n"
                               "spec:\n"
                               "  config: |\n"
                               "    receivers:\n"
                               "      prometheus:\n"
                               "        config:\n"
                               "          scrape_configs:\n"
                               "          - job_name: a\n"
                               "            scrape_interval: x\n");
    ok(x.cr.config_text.p != NULL && x.cr.config == NULL, "a text that is not read yet");
    has_fault(&x, "spec.config.receivers.prometheus.config.scrape_configs[0].scrape_interval", 11,
              "duration");
    teardown(&x);
    setup(&x, HEAD("v1alpha1") "metadata: {name: c}\nspec:\n  config: \"receivers:\\n  "
                               "prometheus:\\n    config: 5\\n\"\n");
    has_fault(&x, "spec.config.receivers.prometheus.config", 5, "mapping");
    teardown(&x);
    setup(&x, HEAD("v1alpha1") "metadata: {name: c}\nspec:\n  config: |\n    a: [\n");
    has_fault(&x, "spec.config", 5, "line ");
    ok(x.cr.config == NULL && x.is_usable, "no tree, but who it is");
    teardown(&x);
    setup(&x, HEAD("v1alpha1") "metadata: {name: c}\nspec: {config: ''}\n");
    ok(x.cr.config_text.p != NULL && x.cr.config == NULL && x.f.n == 0, "an empty text");
    teardown(&x);
    setup(&x, HEAD("v1beta1") "metadata: {name: c}\nspec: {config: [a]}\n");
    has_fault(&x, "spec.config", 4, "must be a mapping, not");
    teardown(&x);
}

#define REWRITTEN(annotation, job)                                                                 \
    HEAD("v1beta1")                                                                                \
    "metadata: {name: c, annotations: {otel-ta/sd-configs: '" annotation "'}}\n"                   \
    "spec: {config: {receivers: {prometheus: {config: {scrape_configs: [" job "]}}}}}\n"
#define STORED(job, sections)                                                                      \
    "{\"receivers\":{\"prometheus\":{\"jobs\":{\"" job "\":" sections "}}},\"v\":1}"
#define ENTRY(job) "{url: \"" OURS job "/targets?collector_id=$${POD_NAME}\"}"

static void is_entry(const struct sdconfig *section, const char *json, const char *what)
{
    AUTO_BUF text;

    buf_init(&text, MIB);
    node_write_json(section->entry, &text);
    is_span(buf_span(&text), span_of(json), "%s", what);
}

static void test_restored(void)
{
    struct fixture x;

    setup(&x, REWRITTEN(STORED("a b", "{\"static_configs\":[{\"targets\":[\"x:1\"]}],\"file_sd_"
                                      "configs\":[{\"files\":[\"f.yml\"]}]}"),
                        "{job_name: a b, http_sd_configs: [" ENTRY("a+b") "], sample_limit: 1}"));
    ok(x.f.n == 0 && x.jobs.n == 1, "a job without faults");
    is_int(x.jobs.v[0]->n_sds, 2, "the original sections, and ours is gone");
    is_str(x.jobs.v[0]->sds[0].section, "file_sd_configs", "file");
    is_str(x.jobs.v[0]->sds[1].section, "static_configs", "static");
    is_entry(&x.jobs.v[0]->sds[1], "[{\"targets\":[\"x:1\"]}]", "target");
    teardown(&x);

    setup(&x, REWRITTEN(STORED("old", "{\"http_sd_configs\":[{\"url\":\"http://one\"}]}"),
                        "{job_name: new, http_sd_configs: [{url: http://two}, " ENTRY(
                            "old") ", {url: http://one}]}"));
    is_int(x.f.n, 0, "no faults");
    is_int(x.jobs.n == 1 ? x.jobs.v[0]->n_sds : 0, 2,
           "renamed; what the user added comes after, duplicates once");
    if (x.jobs.n == 1) {
        is_entry(&x.jobs.v[0]->sds[0], "{\"url\":\"http://one\"}", "original");
        is_entry(&x.jobs.v[0]->sds[1], "{\"url\":\"http://two\"}", "added");
    }
    teardown(&x);

    setup(&x, REWRITTEN(STORED("a", "{\"static_configs\":[{\"targets\":[\"old\"]}]}"),
                        "{job_name: a, static_configs: [{targets: [fresh]}]}"));
    is_entry(&x.jobs.v[0]->sds[0], "[{\"targets\":[\"fresh\"]}]",
             "without our entry the text counts, alone");
    teardown(&x);

    setup(&x, REWRITTEN(STORED("a", "{\"static_configs\":[{\"targets\":[\"x\"],\"label\":{}}]}"),
                        "{job_name: a, http_sd_configs: [" ENTRY("a") "]}"));
    has_fault(&x, "spec.config.receivers.prometheus.config.scrape_configs[0].static_configs[0]", 0,
              "label");
    teardown(&x);
}

/* Block style empties the list and keeps it whole. */
static void test_block(void)
{
#define BLOCK(members, list)                                                                       \
    HEAD("v1beta1")                                                                                \
    "metadata: {name: c, annotations: {otel-ta/sd-configs: "                                       \
    "'{\"receivers\":{\"prometheus\":{\"jobs\":{},\"scrape_configs\":[{\"job_name\":\"a\","        \
    "\"static_configs\":"                                                                          \
    "[{\"targets\":[\"x$$y\"]}]},{\"job_name\":\"b\"}],\"target_allocator\":null}},\"v\":1}'}}\n"  \
    "spec: {config: {receivers: {prometheus: {target_allocator: " members ", " list "}}}}\n"
    struct fixture x;

    setup(&x, BLOCK("{endpoint: 'http://c-targetallocator:80'}",
                    "config: {scrape_configs: [], global: {scrape_interval: 7s}}"));
    ok(x.f.n == 0 && x.jobs.n == 2, "the stored jobs");
    if (x.jobs.n == 2) {
        is_entry(&x.jobs.v[0]->sds[0], "[{\"targets\":[\"x$y\"]}]", "unescaped like others");
        is_str(json_string_value(json_object_get(x.jobs.v[0]->config, "scrape_interval")), "7s",
               "with the globals");
        is_span(x.jobs.v[1]->receiver, SPAN_LIT("prometheus"), "receiver");
    }
    teardown(&x);
    setup(&x, BLOCK("{endpoint: 'http://c-targetallocator:80'}", "trim_metric_suffixes: true"));
    is_int(x.jobs.n, 2, "also without a config");
    teardown(&x);
    setup(&x, BLOCK("{endpoint: 'http://c-targetallocator:80'}",
                    "config: {scrape_configs: [{job_name: b, sample_limit: 1}]}"));
    is_int(x.jobs.n, 2, "a job that the user has again counts once");
    teardown(&x);
    setup(&x, BLOCK("{endpoint: 'http://elsewhere'}", "config: {scrape_configs: []}"));
    is_int(x.jobs.n, 0, "another allocator's block");
    teardown(&x);
}

static void test_lost(void)
{
    struct fixture x;

    setup(&x, REWRITTEN(STORED("a", "{}"), "{job_name: gone$$, http_sd_configs: [" ENTRY(
                                               "gone") "]}, {job_name: there}"));
    is_int(x.jobs.n, 1, "it does not discover from ourselves");
    is_span(x.jobs.v[0]->name, SPAN_LIT("there"), "the other one stays");
    has_fault(&x, "spec.config.receivers.prometheus.config.scrape_configs[0].http_sd_configs", 4,
              "restore the annotation");
    teardown(&x);

    setup(&x, REWRITTEN("broken", "{job_name: a, static_configs: [{targets: [x]}]}"));
    has_fault(&x, "metadata", 3, "annotation otel-ta/sd-configs cannot be read: ");
    ok(x.is_usable && x.jobs.n == 1 && x.f.n_errors == 0, "a broken annotation nobody needs");
    teardown(&x);

    setup(&x,
          REWRITTEN("broken", "{job_name: gone, http_sd_configs: [" ENTRY(
                                  "gone") "]}, {job_name: a, static_configs: [{targets: [x]}]}"));
    ok(x.is_usable && x.jobs.n == 1 && x.f.n_errors == 1, "a broken annotation costs its jobs");
    teardown(&x);

    setup(&x, HEAD("v1beta1") "metadata: {name: c, annotations: {otel-ta/sd-configs: broken}}\n"
                              "spec: {config: {receivers: {prometheus: {target_allocator: "
                              "{endpoint: 'http://c-targetallocator:80'}}}}}\n");
    has_fault(&x, "spec.config.receivers.prometheus.target_allocator", 4, "cannot be read");
    teardown(&x);

    setup(&x, REWRITTEN("{\"v\":2}", "{job_name: a}"));
    ok(!x.is_usable, "written by a later version");
    teardown(&x);
}

int main(void)
{
    test_is();
    test_who();
    test_served();
    test_long_text();
    test_list();
    test_objects();
    test_text();
    test_restored();
    test_block();
    test_lost();
    return check_done();
}
