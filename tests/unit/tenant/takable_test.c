#include "allocator/tenant/takable.h"

#include "allocator/base/mem.h"
#include "allocator/codec/yamldoc.h"
#include "tests/check.h"

#include <string.h>

#define HEAD                                                                                       \
    "apiVersion: opentelemetry.io/v1beta1\nkind: OpenTelemetryCollector\n"                         \
    "metadata: {name: c, annotations: {otel-ta/local-jobs: ' mine, prometheus/2/b ,,$x '}}\n"      \
    "spec:\n  targetAllocator: {enabled: true}\n"                                                  \
    "  env: [{name: HOST, value: h}, {name: IP, valueFrom: {fieldRef: {fieldPath: a}}}]\n"

struct verdict {
    enum left_kind kind;
    const char *path; /* below the job */
};

static struct takable_options options;

static struct verdict judge(struct arena *arena, const char *receiver, const char *job,
                            const char *global)
{
    struct node *root = NULL, *tree = NULL, *block = NULL;
    struct collector c;
    struct takable t;
    struct left left;

    is_int(yamldoc_parse(SPAN_LIT(HEAD), arena, &root, NULL), 0, "a Collector");
    is_int(yamldoc_parse(span_of(job), arena, &tree, NULL), 0, "%s", job);
    if (global != NULL) {
        is_int(yamldoc_parse(span_of(global), arena, &block, NULL), 0, "%s", global);
    }
    collector_read(root, &c);
    takable_init(&t, &c, &options, arena);
    const struct node *filled = takable_fill(&t, tree);
    bool is = takable_judge(&t, span_of(receiver), filled, block, &left);
    is_int(left.kind == LEFT_NOT, is, "a reason, or none: %s", job);
    if (is) {
        const struct node *readable = takable_readable(&t, filled, block);
        ok(readable->type == NODE_MAP, "it can be read");
        return (struct verdict){ LEFT_NOT, "" };
    }
    AUTO_STR sentence = takable_sentence(&left, SPAN_LIT("j"));
    ok(strlen(sentence) > 30, "%s", sentence);
    return (struct verdict){ left.kind, arena_strndup(arena, left.path.p, left.path.len) };
}

static void check(const char *receiver, const char *job, enum left_kind kind, const char *path)
{
    struct arena arena;

    arena_init(&arena);
    struct verdict v = judge(&arena, receiver, job, NULL);
    is_int(v.kind, kind, "%s: %s", left_kind_name(v.kind), job);
    is_str(v.path, path, "where: %s", job);
    arena_fini(&arena);
}

#define STATIC ", static_configs: [{targets: [a:1]}]"
#define RULES(rules) "{job_name: j" STATIC ", relabel_configs: [" rules "]}"

static void test_judge(void)
{
    static const struct {
        const char *job;
        enum left_kind kind;
        const char *path;
    } t[] = {
        { "{job_name: j" STATIC "}", LEFT_NOT, "" },
        /* mechanisms: the whole job, also a mixed one; what is empty discovers nothing */
        { "{job_name: j, dns_sd_configs: [{names: [a]}]}", LEFT_MECHANISM, "dns_sd_configs" },
        { "{job_name: j, consul_sd_configs: [{}]" STATIC "}", LEFT_MECHANISM, "consul_sd_configs" },
        { "{job_name: j, strange_sd_configs: [{}]" STATIC "}", LEFT_MECHANISM,
          "strange_sd_configs" },
        { "{job_name: j, dns_sd_configs: []" STATIC "}", LEFT_NOT, "" },
        { "{job_name: j, dns_sd_configs: null" STATIC "}", LEFT_NOT, "" },
        /* expressions in what is discovered */
        { "{job_name: j, static_configs: [{targets: ['${env:IP}:8888']}]}", LEFT_EXPRESSION,
          "static_configs[0].targets[0]" },
        { "{job_name: j, static_configs: [{targets: ['${env:HOST}:8888']}]}", LEFT_NOT, "" },
        { "{job_name: j, static_configs: [{targets: ['$IP:8888']}]}", LEFT_EXPRESSION,
          "static_configs" },
        { "{job_name: j, static_configs: [{targets: ['$$IP:8888']}]}", LEFT_NOT, "" },
        { "{job_name: j, static_configs: [{targets: [a], labels: {c: '${env:IP}'}}]}",
          LEFT_EXPRESSION, "static_configs[0].labels.c" },
        { "{job_name: j, static_configs: '${file:/x}'}", LEFT_EXPRESSION, "static_configs" },
        { "{job_name: j, static_configs: ['${yaml:targets: [a]}']}", LEFT_NOT, "" },
        { "{job_name: j, http_sd_configs: [{url: 'http://x/', authorization: {credentials: "
          "'${env:IP}'}}]}",
          LEFT_EXPRESSION, "http_sd_configs[0].authorization.credentials" },
        { "{job_name: 'a${env:IP}'" STATIC "}", LEFT_EXPRESSION, "job_name" },
        { "'${file:/etc/job.yaml}'", LEFT_EXPRESSION, "" },
        /* what is written of it, or in its place, is written before it is filled in */
        { "{job_name: 'a${env:HOST}'" STATIC "}", LEFT_EXPRESSION, "job_name" },
        { "{job_name: 'a${env:NOBODY:-d}'" STATIC "}", LEFT_EXPRESSION, "job_name" },
        { "{job_name: 'a$${env:HOST}'" STATIC "}", LEFT_NOT, "" },
        { "'${yaml:{job_name: j" STATIC "}}'", LEFT_EXPRESSION, "" },
        { "'${env:HOST}'", LEFT_EXPRESSION, "" },
        { "{job_name: j, static_configs: '${yaml:[{targets: [a]}]}'}", LEFT_EXPRESSION,
          "static_configs" },
        { "{job_name: j, http_sd_configs: '${env:HOST}'" STATIC "}", LEFT_EXPRESSION,
          "http_sd_configs" },
        { "{job_name: j, static_configs: [{targets: '${env:NOBODY:-[a]}'}]}", LEFT_NOT, "" },
        /* names that are not spelled so any more behind JSON or a collector */
        { "{job_name: 5" STATIC "}", LEFT_NOT, "" },
        { "{job_name: -12" STATIC "}", LEFT_NOT, "" },
        { "{job_name: true" STATIC "}", LEFT_NOT, "" },
        { "{job_name: '0x10'" STATIC "}", LEFT_NOT, "" },
        { "{job_name: 0x10" STATIC "}", LEFT_EXPRESSION, "job_name" },
        { "{job_name: 017" STATIC "}", LEFT_EXPRESSION, "job_name" },
        { "{job_name: 1e3" STATIC "}", LEFT_EXPRESSION, "job_name" },
        { "{job_name: 1.50" STATIC "}", LEFT_EXPRESSION, "job_name" },
        { "{job_name: +5" STATIC "}", LEFT_EXPRESSION, "job_name" },
        { "{job_name: yes" STATIC "}", LEFT_EXPRESSION, "job_name" },
        { "{job_name: 123456789012345678901234567890" STATIC "}", LEFT_EXPRESSION, "job_name" },
        /* and elsewhere */
        { "{job_name: j, scrape_interval: '${env:I:-30s}', scrape_timeout: '${env:IP}'" STATIC "}",
          LEFT_NOT, "" },
        { "{job_name: j, basic_auth: {password: '${env:IP}'}" STATIC "}", LEFT_NOT, "" },
        { "{job_name: j, metric_relabel_configs: [{action: '${env:IP}'}]" STATIC "}", LEFT_NOT,
          "" },
        /* rules */
        { RULES("{target_label: cluster, replacement: '${env:IP}'}"), LEFT_NOT, "" },
        { RULES("{target_label: c, replacement: '${env:IP}'}, {action: keep, source_labels: [c]}"),
          LEFT_EXPRESSION, "relabel_configs[0].replacement" },
        { RULES(
              "{target_label: c, replacement: '${env:IP}'}, {source_labels: [c], target_label: d}, "
              "{action: DROP, source_labels: [e, d]}"),
          LEFT_EXPRESSION, "relabel_configs[0].replacement" },
        { RULES("{target_label: c, replacement: '${env:IP}'}, {action: keepequal, source_labels: "
                "[x], target_label: c}"),
          LEFT_EXPRESSION, "relabel_configs[0].replacement" },
        { RULES("{target_label: c, replacement: '${env:IP}'}, {action: keep, source_labels: [x]}"),
          LEFT_NOT, "" },
        { RULES("{target_label: __address__, replacement: '${env:IP}:1'}"), LEFT_EXPRESSION,
          "relabel_configs[0].replacement" },
        { RULES("{target_label: c, replacement: '${env:IP}'}, {source_labels: [c], target_label: "
                "__address__}"),
          LEFT_EXPRESSION, "relabel_configs[0].replacement" },
        { RULES("{target_label: __param_x, replacement: '${env:IP}'}"), LEFT_NOT, "" },
        { RULES("{target_label: '${env:IP}', replacement: x}"), LEFT_EXPRESSION,
          "relabel_configs[0].target_label" },
        { RULES("{action: keep, source_labels: [x], regex: '${env:IP}'}"), LEFT_EXPRESSION,
          "relabel_configs[0].regex" },
        { RULES("{action: keep, source_labels: [x], regex: '${env:HOST}'}"), LEFT_NOT, "" },
        { RULES("{action: keep, source_labels: [x], regex: 'a$'}"), LEFT_NOT, "" },
        { RULES("{source_labels: [x], target_label: y, replacement: $1-$$2}"), LEFT_NOT, "" },
        { RULES("{source_labels: [x], target_label: __address__, replacement: '${1}:9100'}"),
          LEFT_EXPRESSION, "relabel_configs[0].replacement" },
        { RULES("{source_labels: [x], target_label: __address__, replacement: '$${1}:9100'}"),
          LEFT_NOT, "" },
        { RULES("{action: labelmap, regex: 'a(.+)', replacement: '${env:IP}'}"), LEFT_EXPRESSION,
          "relabel_configs[0].replacement" },
        { RULES("{target_label: ab, replacement: '${env:IP}'}, {action: labelmap, regex: 'a(.+)'}"),
          LEFT_EXPRESSION, "relabel_configs[0].replacement" },
        { RULES("{target_label: ab, replacement: '${env:IP}'}, {action: labelmap, regex: "
                "'__meta_(.+)'}"),
          LEFT_NOT, "" },
        { RULES(
              "{target_label: ab, replacement: '${env:IP}'}, {action: labelmap, regex: 'ac?(.*)'}"),
          LEFT_EXPRESSION, "relabel_configs[0].replacement" },
        { "{job_name: j, relabel_configs: '${file:/x}'" STATIC "}", LEFT_EXPRESSION,
          "relabel_configs" },
        { "{job_name: j, relabel_configs: ['${file:/x}']" STATIC "}", LEFT_EXPRESSION,
          "relabel_configs[0]" },
        /* what the members of the job become labels of */
        { "{job_name: j, scrape_interval: '${env:IP}', relabel_configs: [{action: keep, "
          "source_labels: [__scrape_interval__]}]" STATIC "}",
          LEFT_EXPRESSION, "scrape_interval" },
        { "{job_name: j, params: {m: ['${env:IP}']}, relabel_configs: [{action: keep, "
          "source_labels: [__param_m]}]" STATIC "}",
          LEFT_EXPRESSION, "params.m[0]" },
        { "{job_name: j, scrape_interval: '${env:IP}', relabel_configs: [{action: labelmap, regex: "
          "__meta_(.+)}]" STATIC "}",
          LEFT_NOT, "" },
        /* its owner */
        { "{job_name: mine" STATIC "}", LEFT_OWNER, "" },
        { "{job_name: b" STATIC "}", LEFT_NOT, "" },
        { "{job_name: $$x" STATIC "}", LEFT_OWNER, "" },
    };

    options = (struct takable_options){ .leaves_files = false };
    for (size_t i = 0; i < COUNT(t); i++) {
        check("prometheus", t[i].job, t[i].kind, t[i].path);
    }
    check("prometheus/2", "{job_name: b" STATIC "}", LEFT_OWNER, "");
    check("prometheus/2", "{job_name: mine" STATIC "}", LEFT_OWNER, "");
}

/* Files are those of whoever runs the discovery. */
static void test_files(void)
{
    static const struct {
        const char *job, *path;
    } t[] = {
        { "{job_name: j, file_sd_configs: [{files: [a]}]}", "file_sd_configs" },
        { "{job_name: j, http_sd_configs: [{url: 'http://x/', basic_auth: {password_file: /p}}]}",
          "http_sd_configs" },
        { "{job_name: j, http_sd_configs: [{url: 'https://x/', tls_config: {ca_file: /c}}]}",
          "http_sd_configs" },
        { "{job_name: j, http_sd_configs: [{url: 'http://x/', http_headers: {A: {files: [/h]}}}]}",
          "http_sd_configs" },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        options.leaves_files = false;
        check("prometheus", t[i].job, LEFT_NOT, "");
        options.leaves_files = true;
        check("prometheus", t[i].job, LEFT_FILE, t[i].path);
    }
    check("prometheus", "{job_name: j, static_configs: [{targets: [a], labels: {my_file: b}}]}",
          LEFT_NOT, "");
    check("prometheus", "{job_name: j, basic_auth: {password_file: /p}" STATIC "}", LEFT_NOT, "");
    check("prometheus",
          "{job_name: j, http_sd_configs: [{url: 'http://x/', basic_auth: {"
          "password_file: ''}}]}",
          LEFT_NOT, "");
    options.leaves_files = false;
}

/* In block style collectors get everything from the allocator. */
static void test_block(void)
{
    options.is_block_style = true;
    check("prometheus", "{job_name: j, scrape_interval: '${env:IP}'" STATIC "}", LEFT_EXPRESSION,
          "scrape_interval");
    check("prometheus", "{job_name: j, scrape_interval: '${env:I:-30s}'" STATIC "}", LEFT_NOT, "");
    options.is_block_style = false;
}

static void test_global(void)
{
    static const char job[] = "{job_name: j, relabel_configs: [{action: keep, source_labels: "
                              "[__scrape_interval__]}]" STATIC "}";
    struct arena arena;

    arena_init(&arena);
    is_int(judge(&arena, "prometheus", job, "{scrape_interval: '${env:IP}'}").kind, LEFT_EXPRESSION,
           "an interval of all that a rule reads");
    is_int(judge(&arena, "prometheus", job, "{external_labels: {a: '${env:IP}'}}").kind, LEFT_NOT,
           "nobody reads that");
    is_int(judge(&arena, "prometheus", job, "'${env:IP}'").kind, LEFT_EXPRESSION,
           "all of it, and a rule reads one");
    is_int(judge(&arena, "prometheus", "{job_name: j, scrape_timeout: 5m" STATIC "}", "'${env:IP}'")
               .kind,
           LEFT_NOT, "all of it, and nobody reads any");
    arena_fini(&arena);
}

int main(void)
{
    test_judge();
    test_files();
    test_block();
    test_global();
    return check_done();
}
