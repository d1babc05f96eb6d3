/* The commands in the test's own process: words in, what is printed out. */
#include "allocator/base/clock.h"
#include "allocator/base/mem.h"
#include "certs/certs.h"
#include "tests/check.h"
#include "webhook/cli/commandtable.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_WORDS = 16 };

struct outcome {
    int code;
    char *out, *errors;
    size_t n_out, n_errors;
};

static void run(const char *text, struct outcome *r)
{
    char *argv[MAX_WORDS + 1] = { (char *)(uintptr_t) "otel-ta" };
    AUTO_STR words = mem_strdup(text);
    int argc = 1;
    struct options o;

    for (char *state = NULL, *word = strtok_r(words, " ", &state); word != NULL && argc < MAX_WORDS;
         word = strtok_r(NULL, " ", &state)) {
        argv[argc++] = word;
    }
    *r = (struct outcome){ 0 };
    static const struct version_of_library no_libraries[] = { { NULL, NULL } };
    static const struct version version = { "1.2.3", "", false, "cc", no_libraries };
    struct command_io io = { .version = &version,
                             .out = open_memstream(&r->out, &r->n_out),
                             .errout = open_memstream(&r->errors, &r->n_errors) };
    r->code = options_parse(argc, argv, &o, io.errout);
    if (r->code == EXIT_OK) {
        r->code = command_rows[o.command].run(&o, &io);
    }
    options_fini(&o);
    fclose(io.out);
    fclose(io.errout);
}

static void put(const char *name, const char *text)
{
    FILE *f = fopen(name, "w");

    if (f == NULL || fputs(text, f) < 0 || fclose(f) != 0) {
        abort();
    }
}

struct expectation {
    const char *words;
    int code;
    const char *out;    /* NULL: nothing is printed; else this is among it */
    const char *errors; /* the same, of faults and warnings; a line with its end is the last one */
};

static void expect_part(const char *words, const char *what, const char *got, const char *want)
{
    if (want == NULL) {
        is_str(got, "", "'%s': nothing as %s", words, what);
    } else if (!ok(strstr(got, want) != NULL, "'%s': %s has '%s'", words, what, want)) {
        check_note("got: %s", got);
    }
}

static void expect(const struct expectation *t, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct outcome r;
        run(t[i].words, &r);
        is_int(r.code, t[i].code, "'%s': exit code", t[i].words);
        expect_part(t[i].words, "result", r.out, t[i].out);
        expect_part(t[i].words, "fault", r.errors, t[i].errors);
        if (t[i].errors != NULL && span_has_suffix(span_of(t[i].errors), "\n")) {
            ok(span_has_suffix(span_of(r.errors), t[i].errors), "'%s': and no fault after it: %s",
               t[i].words, r.errors);
        }
        free(r.out);
        free(r.errors);
    }
}

/* ---- files */

static const char collector[] =
    "apiVersion: opentelemetry.io/v1beta1\n"
    "kind: OpenTelemetryCollector\n"
    "metadata: {name: shop, namespace: web}\n"
    "spec:\n"
    "  mode: statefulset\n"
    "  replicas: 2\n"
    "  targetAllocator: {enabled: true}\n"
    "  config:\n"
    "    receivers:\n"
    "      prometheus:\n"
    "        config:\n"
    "          scrape_configs:\n"
    "          - job_name: front\n"
    "            static_configs: [{targets: ['a:1', 'b:1', 'drop:1', 'a:1']}]\n"
    "            relabel_configs:\n"
    "            - {source_labels: [__address__], regex: 'drop:.*', action: drop}\n"
    "            - {source_labels: [__address__], regex: '(.*):.*', target_label: host}\n";

/* One job name in two receivers. */
static const char twice[] =
    "apiVersion: opentelemetry.io/v1beta1\n"
    "kind: OpenTelemetryCollector\n"
    "metadata: {name: c}\n"
    "spec:\n"
    "  mode: statefulset\n  targetAllocator: {enabled: true}\n"
    "  config:\n"
    "    receivers:\n"
    "      prometheus:\n"
    "        config: {scrape_configs: [{job_name: j, static_configs: [{targets: ['one:1']}]}]}\n"
    "      prometheus/2:\n"
    "        config: {scrape_configs: [{job_name: j, static_configs: [{targets: ['two:1']}]}]}\n";

/* Two Collectors that have the same. */
static const char pair[] =
    "apiVersion: opentelemetry.io/v1beta1\nkind: OpenTelemetryCollector\n"
    "metadata: {name: c}\nspec:\n  mode: statefulset\n  targetAllocator: {enabled: true}\n"
    "  config: {receivers: {prometheus: {config: {scrape_configs: [{job_name: j, "
    "static_configs: [{targets: ['same:1']}]}]}}}}\n"
    "---\n"
    "apiVersion: opentelemetry.io/v1beta1\nkind: OpenTelemetryCollector\n"
    "metadata: {name: d, namespace: web}\nspec:\n  mode: statefulset\n  targetAllocator: {enabled: "
    "true}\n"
    "  config: {receivers: {prometheus: {config: {scrape_configs: [{job_name: j, "
    "static_configs: [{targets: ['same:1']}]}]}}}}\n";
/* One that cannot be read, and one that can. */
static const char torn[] =
    "apiVersion: opentelemetry.io/v1beta1\nkind: OpenTelemetryCollector\n"
    "metadata: {name: c}\nspec:\n  mode: statefulset\n  targetAllocator: {enabled: true}\n"
    "  config: {receivers: {prometheus: {config: {scrape_configs: [{job_name: j, "
    "file_sd_configs: [{files: [torn.json]}]}]}}, prometheus/2: {config: {scrape_configs: "
    "[{job_name: j, static_configs: [{targets: ['ok:1']}]}]}}}}\n";

static void write_files(void)
{
    put("cluster.yml", "scrape_configs:\n"
                       "- job_name: k\n"
                       "  kubernetes_sd_configs: [{role: pod, api_server: 'http://127.0.0.1:9'}]\n"
                       "- job_name: s\n"
                       "  static_configs: [{targets: ['s:1']}]\n");
    put("pair.yaml", pair);
    put("torn.yaml", torn);
    put("twice.yaml", twice);
    put("own.yml", "scrape_configs:\n- job_name: j\n  static_configs:\n"
                   "  - {targets: [o:1], labels: {__scheme__: https, __scrape_interval__: ''}}\n");
    put("seeds.yml", "scrape_configs:\n"
                     "- job_name: j\n"
                     "  static_configs: [{targets: ['s:1']}]\n"
                     "  relabel_configs:\n"
                     "  - {source_labels: [__scheme__], target_label: s}\n"
                     "  - {source_labels: [s], target_label: s}\n");
    put("many.yml", "scrape_configs:\n- {job_name: j, file_sd_configs: [{files: [many.json]}]}\n");
    put("many.json",
        "[{\"targets\": [\"a/1\", \"a/2\", \"a/3\", \"a/4\", \"a/5\", \"a/6\", \"a/7\", \"a/8\", "
        "\"a/9\", \"a/a\", \"a/b\", \"a/c\", \"a/0\", \"a/0\", \"ok:1\"]}]");
    put("cr.yaml", collector);
    put("two.yaml", "# first\n---\nkind: ConfigMap\n---\nkind: Secret\n");
    put("bad.yaml", "a: [\n");
    put("odd.yaml", "kind: OpenTelemetryCollector\napiVersion: opentelemetry.io/v1beta1\n"
                    "metadata: {name: x}\nspec:\n  targetAllocator: {enabled: true}\n  config:\n"
                    "    receivers: {prometheus: {config: {scrape_configs: [{job_nam: x}]}}}\n");
    put("prom.yml", "scrape_configs:\n"
                    "- job_name: j\n"
                    "  static_configs: [{targets: ['s:1'], labels: {env: prod, no: ''}}]\n"
                    "  file_sd_configs: [{files: [sd.json, none.json]}]\n"
                    "- job_name: empty\n"
                    "- job_name: dns\n"
                    "  dns_sd_configs: [{names: [x], port: 1, type: A}]\n");
    put("sd.json", "[{\"targets\": [\"f:1\", \"f:1\"], \"labels\": {\"__meta_m\": \"m\"}}]");
    put("judged.yml",
        "scrape_configs:\n- job_name: j\n  file_sd_configs: [{files: [wrong.json]}]\n");
    put("wrong.json", "[{\"targets\": [\"x/y:1\", \"f:1\"]}]");
    put("broken.yml",
        "scrape_configs:\n- job_name: j\n  file_sd_configs: [{files: [torn.json]}]\n");
    put("torn.json", "[{\"targets\": [");
    put("fault.yml", "scrape_configs:\n- job_name: j\n  scrape_intervall: 5s\n");
    put("ta.yaml", "allocation_strategy: least-weighted\nconfig:\n  scrape_configs:\n"
                   "  - job_name: d\n    static_configs: [{targets: ['d:1']}]\n");
    put("same.yml", "scrape_configs:\n- {job_name: d, static_configs: [{targets: ['d:2']}]}\n");
    put("jobless.yml", "scrape_configs: []\n");
    put("sidecar.yaml", "kind: OpenTelemetryCollector\napiVersion: "
                        "opentelemetry.io/v1beta1\nmetadata: {name: side, namespace: web}\n"
                        "spec: {mode: sidecar, targetAllocator: {enabled: true}, config: "
                        "{receivers: {otlp: {}}}}\n");
    put("out.yaml", "kind: OpenTelemetryCollector\napiVersion: opentelemetry.io/v1beta1\n"
                    "metadata: {name: out, labels: {otel-ta/inject: 'false'}}\n"
                    "spec: {mode: statefulset, config: {receivers: {otlp: {}}}}\n");
    put("jobs.yml", "scrape_configs:\n- job_name: first\n  static_configs: [{targets: ['a:1']}]\n"
                    "- job_name: second\n  static_configs: [{targets: ['b:1']}]\n");
    put("idle-jobs.yaml", "kind: OpenTelemetryCollector\napiVersion: "
                          "opentelemetry.io/v1beta1\nmetadata: {name: idle}\n"
                          "spec: {mode: statefulset, config: {receivers: {prometheus: {config: "
                          "{scrape_configs: [{job_name: idle, static_configs: "
                          "[{targets: ['i:1']}]}]}}}}}\n");
    put("helm.yaml", "kind: OpenTelemetryCollector\napiVersion: opentelemetry.io/v1beta1\n"
                     "metadata:\n  name: x\n  labels: {app: '{{ include \"x.name\" . }}'}\nspec: "
                     "{targetAllocator: {enabled: true}, config: {receivers: {otlp: {}}}}\n");
    put("helm-name.yaml", "kind: OpenTelemetryCollector\napiVersion: opentelemetry.io/v1beta1\n"
                          "metadata:\n  name: '{{ $name }}'\nspec: {targetAllocator: {enabled: "
                          "true}, config: {receivers: {otlp: {}}}}\n");
    put("misspelt.yaml",
        "{kind: OpenTelemetryCollector, apiVersion: opentelemetry.io/v1beta1, metadata: "
        "{name: m}, spec: {targetAllocator: {enabled: true}, config: {receivers: "
        "{prometheus: {config: {scrape_configs: [{job_name: a, foo: 1, static_configs: "
        "[{targets: ['a:1']}]}]}}}}}}\n");
    put("bare.yaml", "kind: OpenTelemetryCollector\napiVersion: opentelemetry.io/v1beta1\n"
                     "metadata: {name: bare}\nspec: {targetAllocator: {enabled: true}, config: "
                     "{receivers: {otlp: {}}}}\n");
    put("jobless.yaml", "kind: OpenTelemetryCollector\napiVersion: opentelemetry.io/v1beta1\n"
                        "metadata: {name: jobless}\nspec: {targetAllocator: {enabled: true}, "
                        "config: {receivers: {prometheus: {}}}}\n");
    put("empty-jobs.yaml", "kind: OpenTelemetryCollector\napiVersion: opentelemetry.io/v1alpha1\n"
                           "metadata: {name: e}\nspec:\n  targetAllocator: {enabled: true}\n  "
                           "config: |\n    receivers: {prometheus: {config: {scrape_configs: "
                           "[{job_name: x}]}}}\n");
    put("plain.yaml", "receivers: {prometheus: {}}\n");
    put("foreign.yaml", "kind: OpenTelemetryCollector\napiVersion: example.com/v1\n");
    put("nothing.yaml", "");
    if (mkdir("mixed", 0700) != 0 || mkdir("foreign", 0700) != 0) {
        abort();
    }
    put("mixed/a.yaml", collector);
    put("mixed/b.yaml", "kind: Secret\n");
    put("foreign/b.yaml", "kind: Secret\n");
    put("idle.yaml", "kind: OpenTelemetryCollector\napiVersion: "
                     "opentelemetry.io/v1beta1\nmetadata: {name: idle}\n"
                     "spec: {mode: statefulset, config: {receivers: {otlp: {}}}}\n");
}

/* ---- commands */

static void test_rewrite(void)
{
    static const struct expectation t[] = {
        { "rewrite -f cr.yaml", 0, "- url: http://shop-targetallocator:80/jobs/front/targets?",
          NULL },
        { "rewrite -f cr.yaml -o diff", 0, "--- a/cr.yaml\n+++ b/cr.yaml\n@@ ", NULL },
        { "rewrite -f cr.yaml -o json", 0, "\"otel-ta/sd-configs\":", NULL },
        { "rewrite -f cr.yaml -o yaml", 0, "otel-ta/sd-configs:", NULL },
        { "rewrite -f cr.yaml -o json-patch", 0,
          "[{\"op\":\"test\",\"path\":\"/kind\",\"value\":\"OpenTelemetryCollector\"},"
          "{\"op\":\"test\",\"path\":\"/metadata/namespace\",\"value\":\"web\"},"
          "{\"op\":\"test\",\"path\":\"/metadata/name\",\"value\":\"shop\"},{\"op\":",
          NULL },
        { "rewrite -f cr.yaml -o diff --show-annotation=false", 0, " bytes; --show-annotation)",
          NULL },
        { "rewrite -f two.yaml -o json-patch", 0, NULL,
          "two.yaml:3: document 1: left as it is: it is no OpenTelemetryCollector: kind or "
          "apiVersion is missing\ntwo.yaml:5: document 2: left as it is: " },
        { "rewrite -f two.yaml -o json", 0, "{\"kind\": \"ConfigMap\"}\n{\"kind\": \"Secret\"}\n",
          "document 2: left as it is" },
        { "rewrite -f two.yaml -f two.yaml", 0, "kind: Secret\n---\n# first\n---\nkind: ConfigMap",
          "two.yaml:3: " },
        { "rewrite -f cr.yaml --url-style shared --shared-host h:9", 0,
          "http://h:9/n/web/shop/jobs/", NULL },
        { "rewrite -f bad.yaml", 1, NULL, "bad.yaml:" },
        { "rewrite -f odd.yaml", 1, NULL, "odd.yaml:" },
        { "rewrite -f gone.yaml -f cr.yaml", 3, NULL, "otel-ta: gone.yaml: " },
        { "restore -f cr.yaml", 0, collector,
          "cr.yaml:1: left as it is: Collector web/shop has no annotation otel-ta/sd-configs" },
        { "restore -f cr.yaml -o diff", 0, NULL, "cr.yaml:1: left as it is: " },
        { "rewrite -f rewritten.yaml -o diff", 0, NULL,
          "left as it is: Collector web/shop is rewritten already\n" },
        { "rewrite -f idle.yaml", 0, "kind: OpenTelemetryCollector",
          "idle.yaml:1: left as it is: Collector idle does not ask for an allocator "
          "(spec.targetAllocator.enabled)\n" },
        { "rewrite -f out.yaml", 0, "kind: ",
          "left as it is: Collector out does not ask for an allocator (label otel-ta/inject)\n" },
        { "rewrite -f sidecar.yaml", 0,
          "kind: ", "sidecar.yaml:4: warning: spec.mode: a Collector of mode sidecar cannot use" },
        { "rewrite -f helm.yaml", 0,
          "kind: ", "helm.yaml:5: warning: looks like a Helm template: render it first" },
        { "rewrite -f helm-name.yaml", 1, NULL,
          "helm-name.yaml:4: metadata.name: is a Helm template: render it first" },
        { "restore -f helm-name.yaml", 1, NULL, "helm-name.yaml:4: metadata.name: " },
        { "validate -f helm-name.yaml", 1, NULL, "helm-name.yaml:4: metadata.name: " },
        { "allocate -f helm-name.yaml", 1, NULL, "helm-name.yaml:4: metadata.name: " },
        { "rewrite -f bare.yaml", 0,
          "kind: ", "left as it is: Collector bare has no Prometheus receiver\n" },
        { "rewrite -f jobless.yaml", 0,
          "kind: ", "left as it is: Collector jobless has no scrape jobs\n" },
        { "rewrite -f empty-jobs.yaml", 0,
          "kind: ", "left as it is: Collector e has no job to take: its 1 scrape job stays\n" },
        { "rewrite -f prom.yml", 0, "scrape_configs:",
          "prom.yml:1: left as it is: a Prometheus configuration is no OpenTelemetryCollector\n" },
        { "rewrite -f plain.yaml", 0, "receivers:",
          "plain.yaml:1: left as it is: a Collector's configuration without its OpenTel" },
        { "rewrite -f foreign.yaml", 0, "kind: ",
          "foreign.yaml:1: left as it is: OpenTelemetryCollector of example.com/v1 is no "
          "OpenTelemetryCollector of opentelemetry.io\n" },
        { "rewrite -f nothing.yaml", 0, NULL, "nothing.yaml:1: left as it is: it is empty\n" },
        { "restore -f rewritten.yaml", 0, collector, NULL },
        { "restore -f rewritten.yaml -o diff", 0, "+++ b/rewritten.yaml\n", NULL },
        { "rewrite -f both.yaml -o diff", 0,
          "--- a/both.yaml\n+++ b/both.yaml\n@@ -2,7 +2,7 @@\n ---\n", NULL },
    };
    struct outcome r;

    run("rewrite -f cr.yaml", &r);
    put("rewritten.yaml", r.out);
    free(r.out);
    free(r.errors);
    AUTO_STR both = mem_printf("kind: Secret\n---\n%s", collector);
    put("both.yaml", both);
    expect(t, COUNT(t));
}

static void test_validate(void)
{
    static const struct expectation t[] = {
        { "validate -f cr.yaml", 0, "cr.yaml: 1 Collector, 1 scrape job: valid\n", NULL },
        { "validate -f two.yaml", 1, NULL, "two.yaml: there is no OpenTelemetryCollector in it\n" },
        { "validate -f cr.yaml -f two.yaml", 1, "cr.yaml: 1 Collector, 1 scrape job: valid\n",
          "two.yaml: there is no OpenTelemetryCollector in it\n" },
        { "validate -f mixed", 0, "mixed/a.yaml: 1 Collector, 1 scrape job: valid\n",
          "mixed/b.yaml: warning: there is no OpenTelemetryCollector in it\n" },
        { "validate -f foreign", 1, NULL,
          "otel-ta validate: there is no OpenTelemetryCollector\n" },
        { "validate -f odd.yaml", 1, NULL, "odd.yaml:7: " },
        { "validate -f bad.yaml", 1, NULL, "bad.yaml:" },
        { "validate -f gone.yaml", 3, NULL, "otel-ta: gone.yaml: " },
        { "validate -f cr.yaml -f gone.yaml", 3, NULL, "otel-ta: gone.yaml: " },
        { "validate -f list.yaml", 0, "list.yaml: 2 Collectors, 2 scrape jobs: valid\n",
          "list.yaml:4: warning: "
          "items[0].spec.config.receivers.prometheus.config.scrape_configs[0]: "
          "job 'x' has nothing to discover" },
    };

    put("list.yaml",
        "kind: List\napiVersion: v1\nitems:\n"
        "- {kind: OpenTelemetryCollector, apiVersion: opentelemetry.io/v1beta1, metadata: {name: "
        "a},"
        " spec: {config: {receivers: {prometheus: {config: {scrape_configs: [{job_name: x}]}}}}}}\n"
        "- {kind: OpenTelemetryCollector, apiVersion: opentelemetry.io/v1beta1, metadata: {name: "
        "b},"
        " spec: {config: {receivers: {prometheus: {config: {scrape_configs: [{job_name: "
        "x}]}}}}}}\n");
    expect(t, COUNT(t));
}

static void test_check(void)
{
    static const struct expectation t[] = {
        { "check config prom.yml", 0,
          "prom.yml: a Prometheus configuration, 3 scrape jobs, no faults\n",
          "prom.yml: warning: job 'j': file_sd_configs[0]: there is no file for " },
        { "check config prom.yml", 0, "no faults",
          "prom.yml:5: warning: scrape_configs[1]: job 'empty' has nothing to discover" },
        { "check config prom.yml", 0, "no faults",
          "otel-ta: job 'dns': the allocator cannot run dns_sd_configs" },
        { "check config misspelt.yaml", 1, NULL,
          "misspelt.yaml:1: spec.config.receivers.prometheus.config.scrape_configs[0]: field foo" },
        { "validate misspelt.yaml", 1, NULL,
          "misspelt.yaml:1: spec.config.receivers.prometheus.config.scrape_configs[0]: field foo" },
        { "check config cr.yaml", 0, "cr.yaml: Collector manifests, 1 scrape job, no faults\n",
          NULL },
        { "check config ta.yaml", 0,
          "ta.yaml: a target allocator configuration, 1 scrape job, no faults\n", NULL },
        { "check config judged.yml", 1, NULL,
          "wrong.json: target \"x/y:1\": \"x/y:1\" is not a valid hostname" },
        { "check config broken.yml", 1, NULL, "torn.json" },
        { "check config fault.yml", 1, NULL, "fault.yml:3: " },
        { "check config fault.yml gone.yml cr.yaml", 3, "cr.yaml: ", "otel-ta: gone.yml: " },
        { "check service-discovery prom.yml j", 0, "\"__address__\": \"f:1\"", NULL },
        { "check service-discovery prom.yml j", 0, "\"__meta_m\": \"m\"", NULL },
        /* what the job gives is there, where the target gives nothing */
        { "check service-discovery own.yml j", 0,
          "      \"__metrics_path__\": \"/metrics\",\n      \"__scheme__\": \"https\",\n"
          "      \"__scrape_interval__\": \"1m\",\n",
          NULL },
        { "check service-discovery prom.yml dns", 0, "[]", "cannot run dns_sd_configs" },
        { "check service-discovery prom.yml no", 1, NULL,
          "Job no not found. Jobs available:\n\tj\n\tempty\n\tdns\n" },
        { "check service-discovery broken.yml j", 1, "[]", "torn.json: " },
        { "check service-discovery idle-jobs.yaml idle", 0, "\"i:1\"", NULL },
        { "check service-discovery judged.yml j", 0, "\"error\": ", NULL },
        { "check service-discovery twice.yaml j", 0,
          "[\n  {\n    \"collector\": \"c\",\n    \"discoveredLabels\": {\n      \"__address__\": "
          "\"one:1\"",
          NULL },
        { "check service-discovery twice.yaml j", 0, "    },\n    \"receiver\": \"prometheus/2\"\n",
          NULL },
        { "check service-discovery cluster.yml k --timeout 100ms", 0, "[]",
          "job 'k': 1 discovery sections did not answer in time\n" },
        { "allocate -f cluster.yml --collectors x --timeout 100ms", 0, "s    s:1     x\n",
          "1 discovery sections did not answer in time\n" },
        { "explain -f cluster.yml --collectors x --timeout 100ms --summary", 0,
          "job k: 0 discovered, ", "job 'k': 1 discovery sections did not answer in time\n" },
        { "check service-discovery pair.yaml j", 0, "\"collector\": \"web/d\"", NULL },
        { "check service-discovery pair.yaml j", 0, "\"collector\": \"c\"", NULL },
        { "check service-discovery cr.yaml front", 0,
          "[\n  {\n    \"discoveredLabels\": {\n      \"__address__\": \"a:1\"", NULL },
        { "check service-discovery torn.yaml j", 1, "\"ok:1\"", "torn.json: " },
        { "check service-discovery gone.yml j", 3, NULL, "otel-ta: gone.yml: " },
    };
    expect(t, COUNT(t));
}

static void test_allocate(void)
{
    static const struct expectation t[] = {
        { "allocate -f cr.yaml", 0,
          "CR        JOB    TARGET  COLLECTOR\n"
          "web/shop  front  a:1     shop-collector-",
          NULL },
        { "allocate -f cr.yaml", 0, "web/shop  shop-collector-1  ", NULL },
        { "allocate -f cr.yaml --collectors one", 0, "web/shop  one        2\n", NULL },
        { "allocate -f cr.yaml -o json", 0, "\"namespace\": \"web\"", NULL },
        { "allocate -f cr.yaml --collectors x --strategy per-node", 0, "a:1     -\n",
          "otel-ta allocate: 2 targets have no collector\n" },
        { "allocate --config-file ta.yaml --collectors a,b", 0, "JOB  TARGET  COLLECTOR\n", NULL },
        { "allocate -f ta.yaml -f prom.yml --collectors a --timeout 1ms", 0, "d    d:1     a\n",
          "" },
        { "allocate -f prom.yml -f ta.yaml --collectors a --timeout 1ms", 0, "s:1     a\n", "" },
        { "allocate -f ta.yaml -f same.yml --collectors a", 0,
          "JOB  TARGET  COLLECTOR\nd    d:1     a\nd    d:2     a\n\nCOLLECTOR  TARGETS\na         "
          " 2\n",
          NULL },
        { "allocate -f idle.yaml --collectors a", 0, "COLLECTOR",
          "otel-ta allocate: warning: Collector idle does not ask for an allocator "
          "(spec.targetAllocator.enabled)\n" },
        { "allocate -f sidecar.yaml", 0, "COLLECTOR",
          "otel-ta allocate: warning: Collector web/side is of mode sidecar, which cannot use the "
          "allocator\n" },
        { "allocate -f jobless.yml --collectors a", 0, "COLLECTOR",
          "otel-ta allocate: warning: there are no jobs\n" },
        { "allocate -f prom.yml --collectors a --timeout 1ms", 0, "s:1", "" },
        { "allocate -f gone.yaml", 3, NULL, "otel-ta: gone.yaml: " },
        { "allocate -f fault.yml", 1, NULL, "fault.yml:3: " },
    };
    expect(t, COUNT(t));
}

/* Of two jobs, the one that is asked for and no other. */
static void test_explain_one(void)
{
    struct outcome r;

    run("explain -f jobs.yml --job second --collectors x", &r);
    ok(strstr(r.out, "job first") == NULL, "the other job is not explained");
    free(r.out);
    free(r.errors);
    run("explain -f jobs.yml --collectors x", &r);
    ok(strstr(r.out, "job first, ") != NULL && strstr(r.out, "\n\njob second, ") != NULL,
       "without a name all jobs are, with a line between them");
    free(r.out);
    free(r.errors);
}

static void test_explain(void)
{
    static const struct expectation t[] = {
        { "explain -f cr.yaml", 0,
          "job front of web/shop, target a:1\n  from static_configs[0]\n  discovered labels:\n"
          "    __address__ = \"a:1\"\n",
          NULL },
        { "explain -f cr.yaml", 0, "      + host = \"a\"\n", NULL },
        { "explain -f cr.yaml", 0, "      dropped\n  => dropped by rule 0\n", NULL },
        { "explain -f cr.yaml", 0, "the same as a:1 before it, which is served\n", NULL },
        { "explain -f cr.yaml --target b:1 --collectors x", 0, ", collector x (consistent-", NULL },
        { "explain -f cr.yaml --target b:1 --collectors x --strategy per-node", 0,
          ", no collector (per-node, 1 collectors)\n",
          "static targets have no node, per-node gives them to nobody without "
          "otel-ta/fallback-strategy\n" },
        { "explain -f cr.yaml --target b:1 --collectors x --strategy per-node "
          "--fallback-strategy rendezvous",
          0, ", collector x (per-node)", NULL },
        { "explain -f judged.yml --collectors x", 0, "  => not usable: ", NULL },
        { "explain -f cr.yaml --target b:1", 0,
          "  added from the scrape config:\n    job = \"front\"\n    and 7 defaults "
          "(--show-defaults)\n  rule 0: drop [__address__] =~ drop:.*\n      did not match\n",
          NULL },
        { "explain -f cr.yaml --target b:1 --show-defaults", 0,
          "    __scrape_timeout__ = \"10s\"\n    job = \"front\"\n  rule 0", NULL },
        { "explain -f seeds.yml --collectors x", 0,
          "  added from the scrape config:\n    __scheme__ = \"http\"\n    job = \"j\"\n    and 6 "
          "defaults (--show-defaults)\n  rule 0: replace [__scheme__] -> s := \"$1\"\n"
          "      + s = \"http\"\n  rule 1: replace [s] -> s := \"$1\"\n"
          "      matched, same value\n",
          NULL },
        { "explain -f cr.yaml --dropped", 0, "target drop:1\n", NULL },
        { "explain -f jobs.yml --dropped", 0, NULL, "otel-ta explain: every target is kept\n" },
        { "explain -f cr.yaml --summary --collectors x", 0,
          "job front of web/shop: 4 discovered, 3 kept, 1 dropped, 0 not usable\n"
          "       1 dropped by rule 0: drop [__address__] =~ drop:.*\n"
          "       2 collector x\n       1 the same as one before, which is served\n",
          NULL },
        { "explain -f cr.yaml --summary --collectors x --strategy per-node", 0,
          "       2 no collector (per-node, 1 collectors)\n", "static targets have no node" },
        { "explain -f jobs.yml --summary --dropped", 0, NULL, "every target is kept\n" },
        { "explain -f cr.yaml --summary --dropped", 0, "rule 0: drop [__address__] =~ drop:.*\n",
          NULL },
        { "explain -f jobs.yml --summary --job second --collectors x", 0,
          "job second: 1 discovered, 1 kept, 0 dropped, 0 not usable\n       1 collector x\n",
          NULL },
        { "explain -f broken.yml --summary", 1, "0 discovered", "no target was discovered\n" },
        { "explain -f many.yml --summary --collectors x", 0,
          "job j: 15 discovered, 1 kept, 0 dropped, 14 not usable\n"
          "       2 not usable: \"a/0\" is not a valid hostname\n",
          NULL },
        { "explain -f many.yml --summary --collectors x", 0,
          "       3 not usable for 3 other reasons\n", NULL },
        { "explain -f twice.yaml --collectors x --job j", 0,
          "job j of c, receiver prometheus/2, target two:1\n", NULL },
        { "explain -f twice.yaml --collectors x --job j --summary", 0,
          "job j of c, receiver prometheus/2: 1 discovered, ", NULL },
        { "explain -f cr.yaml --job fron", 1, NULL,
          "otel-ta explain: there is no job 'fron'; did you mean 'front'?\n" },
        { "explain -f cr.yaml --target z:1", 1, NULL,
          "otel-ta explain: no target 'z:1' was discovered\n" },
        { "explain -f idle.yaml", 1, NULL,
          "otel-ta explain: Collector idle does not ask for an allocator" },
        { "explain -f idle.yaml --job x", 1, NULL,
          "otel-ta explain: Collector idle does not ask for an allocator" },
        { "explain -f out.yaml", 1, NULL,
          "otel-ta explain: Collector out does not ask for an allocator (label otel-ta/inject)\n" },
        { "explain -f sidecar.yaml", 1, NULL, "otel-ta explain: Collector web/side is of mode" },
        { "explain -f jobless.yml", 1, NULL, "otel-ta explain: there are no jobs\n" },
        { "explain -f jobless.yml --job x", 1, NULL, "otel-ta explain: there is no job 'x'\n" },
        { "explain -f jobs.yml --job second --collectors x", 0, "job second, target b:1\n", NULL },
        { "explain -f jobs.yml --job first --target b:1", 1, NULL, "no target 'b:1' was" },
        { "explain -f jobs.yml --job second --target z:1", 1, NULL, "no target 'z:1' was" },
        { "explain -f jobs.yml --job secnd", 1, NULL, "did you mean 'second'?\n" },
        { "explain -f jobs.yml --job xyz", 1, NULL, "there is no job 'xyz'\n" },
        { "explain -f broken.yml", 1, NULL, "otel-ta explain: no target was discovered\n" },
        { "explain -f gone.yaml", 3, NULL, "otel-ta: gone.yaml: " },
    };
    expect(t, COUNT(t));
}

/* A directory as 'serve --cert-dir' keeps it. */
static void make_certs(void)
{
    const char *const names[] = { "localhost" };
    const struct certs_options co = { .dir = "kept", .names = names, .n_names = 1 };
    struct identity *id = NULL;
    struct err err = { 0 };

    AUTO(certs) certs = certs_new(&co);
    is_int(mkdir("kept", 0700), 0, "a directory");
    is_int(certs_refresh(certs, clock_wall_ms() / 1000, &id, &err), 0, "%s", err.text);
    identity_put(&id);
}

static void test_certs(void)
{
    static const struct expectation t[] = {
        { "certs show --cert-dir certs", 3, NULL, "otel-ta certs: " },
        { "certs ca --cert-dir certs", 3, NULL, "otel-ta certs: " },
        { "certs rotate --cert-dir certs", 3, NULL, "otel-ta certs: " },
        { "certs show --cert-dir kept", 0, "localhost", NULL },
        { "certs show --cert-dir kept -o json", 0, "\"role\": \"", NULL },
        { "certs show --cert-dir kept -o json", 0, "\"until\": \"", NULL },
        { "certs ca --cert-dir kept", 0, "-----BEGIN CERTIFICATE-----\n", NULL },
        { "certs rotate --cert-dir kept", 0, "next", NULL },
        { "certs show --tls-cert-file c --tls-key-file k", 3, NULL, "otel-ta certs: " },
    };

    make_certs();
    expect(t, COUNT(t));
}

static void test_rest(void)
{
    static const struct expectation t[] = {
        { "version", 0, "otel-ta 1.2.3 (commit unknown)\n", NULL },
        { "version -o json", 0, "\"version\": \"1.2.3\"", NULL },
        { "version -o yaml", EXIT_USAGE, NULL, "is not text or json" },
        { "help", 0, "\nCollector manifests:\n  rewrite ", NULL },
        { "help certs ca", 0, "Usage: otel-ta certs ca [flags]\n", NULL },
        { "rewrite --help", 0, "  -o, --output FORMAT ", NULL },
    };
    expect(t, COUNT(t));
}

int main(void)
{
    AUTO_STR dir = check_folder("commands");

    if (chdir(dir) != 0) {
        abort();
    }
    write_files();
    test_rewrite();
    test_validate();
    test_check();
    test_allocate();
    test_explain();
    test_explain_one();
    test_certs();
    test_rest();
    AUTO_STR remove = mem_printf("rm -r %s", dir);
    ok(system(remove) == 0, "clean up");
    return check_done();
}
