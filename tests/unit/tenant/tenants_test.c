#include "allocator/tenant/tenants.h"

#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "allocator/base/memorylimit.h"
#include "tests/check.h"

#include <stdio.h>

static struct tenants tenants;
static struct faults faults;

static int load(enum tenants_kind kind, const char *text, const struct tenants_options *options)
{
    struct tenants_source source = { .kind = kind,
                                     .path = (char *)(uintptr_t) "conf/x.yaml",
                                     .text = (char *)(uintptr_t)text,
                                     .len = strlen(text) };

    faults_fini(&faults);
    faults_init(&faults);
    tenants_fini(&tenants);
    return tenants_load(&source, 1, options, &faults, &tenants);
}

static const char *first_fault(void)
{
    static char text[2048];
    AUTO_STR whole = faults.n == 0 ? mem_strdup("") : fault_text(&faults.v[0]);
    snprintf(text, sizeof(text), "%s", whole);
    return text;
}

#define CR(name, spec)                                                                             \
    "apiVersion: opentelemetry.io/v1beta1\nkind: OpenTelemetryCollector\nmetadata: {name: " name   \
    ", namespace: ns}\n"                                                                           \
    "spec:\n  mode: statefulset\n" spec                                                            \
    "  config: {receivers: {prometheus: {config: {scrape_configs: [{job_name: j, "                 \
    "file_sd_configs: [{files: [sd.json]}]}]}}}}\n"

static void is_entry(const struct sdconfig *section, const char *json, const char *what)
{
    AUTO_BUF text;

    buf_init(&text, MIB);
    node_write_json(section->entry, &text);
    is_span(buf_span(&text), span_of(json), "%s", what);
}

/* Documents that are none of ours need not be understood; a Collector has to be. */
static void test_foreign_documents(void)
{
    const struct tenants_options none = { 0 };

    is_int(load(TENANTS_MANIFEST,
                "Bucket: !Ref x\n---\n" CR(
                    "one", "  replicas: 1\n  targetAllocator: {enabled: true}\n") "---\n"
                                                                                  "kind: Odd\n"
                                                                                  "? [a]\n: *b\n",
                &none),
           0, "strange neighbours %s", first_fault());
    is_int(tenants.n, 1, "pass");
    is_int(load(TENANTS_MANIFEST,
                CR("one", "  x: !!int z\n") "---\n" CR(
                    "two", "  replicas: 1\n  targetAllocator: {enabled: true}\n"),
                &none),
           ERR_INVALID, "a strange Collector");
    is_str(first_fault(), "conf/x.yaml:6: document 1: spec.x: cannot decode !!str `z` as a !!int",
           "is refused");
    is_int(load(TENANTS_MANIFEST,
                "kind: List\napiVersion: v1\nitems: [{a: !!int c}, {kind: OpenTelemetryCollector, "
                "apiVersion: opentelemetry.io/v1beta1}]\n",
                &none),
           ERR_INVALID, "so is a list with one");
    is_str(first_fault(), "conf/x.yaml:3: items[0].a: cannot decode !!str `c` as a !!int",
           "as a whole");
    is_int(faults.n, 1, "with one fault");
    is_int(load(TENANTS_MANIFEST, "a: !b c\n", &none), ERR_INVALID, "nothing but strangers");
    is_str(first_fault(), "conf/x.yaml: no OpenTelemetryCollector in this file",
           "is no wish to drop all");
}

static void test_manifests(void)
{
    const struct tenants_options none = { 0 };
    struct collectorlist names;
    const struct tenants_options named = { .collectors = &names, .strategy = SPAN_LIT("per-node") };
    const struct tenants_options counted = { .collector_count = 2, .include_disabled = true };

    collectorlist_init(&names);
    is_int(collectorlist_parse(&names, SPAN_LIT("b@node-1=fd00::1,a=10.0.0.1"), NULL), 0, "a list");
    is_int(load(TENANTS_MANIFEST,
                CR("one", "  replicas: 3\n  targetAllocator: {enabled: true, allocationStrategy: "
                          "least-weighted}\n"),
                &none),
           0, "a manifest");
    is_int(tenants.n, 1, "one tenant");
    is_span(tenants.v[0]->ns, SPAN_LIT("ns"), "namespace");
    is_span(tenants.v[0]->strategy, SPAN_LIT("least-weighted"), "strategy of the CR");
    is_int(tenants.v[0]->collectors.n, 3, "a collector for each replica");
    is_span(tenants.v[0]->collectors.v[2].name, SPAN_LIT("one-collector-2"),
            "named as a StatefulSet names them");
    is_int(tenants.v[0]->jobs.n, 1, "its job");
    is_entry(&tenants.v[0]->jobs.v[0]->sds[0], "{\"files\":[\"conf/sd.json\"]}",
             "paths start from the manifest's folder");

    is_int(load(TENANTS_MANIFEST, CR("one", "  targetAllocator: {enabled: true}\n"), &named), 0,
           "names from the command line");
    is_span(tenants.v[0]->collectors.v[0].name, SPAN_LIT("b"), "name");
    is_span(tenants.v[0]->collectors.v[0].node, SPAN_LIT("node-1"), "its node");
    is_span(tenants.v[0]->collectors.v[0].address, SPAN_LIT("fd00::1"), "its address");
    is_span(tenants.v[0]->collectors.v[1].address, SPAN_LIT("10.0.0.1"),
            "an address without a node");
    is_span(tenants.v[0]->collectors.v[1].name, SPAN_LIT("a"), "and the name");
    is_span(tenants.v[0]->collectors.v[1].node, SPAN_LIT(""), "no node given");
    is_span(tenants.v[0]->strategy, SPAN_LIT("per-node"), "the command line's strategy wins");

    is_int(load(TENANTS_MANIFEST, CR("one", ""), &none), 0, "a CR that asks for no allocator");
    is_int(tenants.n, 0, "is not served");
    is_int(load(TENANTS_MANIFEST, CR("one", ""), &counted), 0, "unless asked for");
    is_int(tenants.v[0]->collectors.n, 2, "a number of collectors");
    is_int(load(TENANTS_MANIFEST,
                CR("one", "  targetAllocator: {enabled: true}\n") "---\n" CR(
                    "two", "  targetAllocator: {enabled: true}\n"),
                &none),
           0, "two documents");
    is_int(tenants.n, 2, "two tenants");
    collectorlist_fini(&names);
    is_int(load(TENANTS_MANIFEST, "kind: ConfigMap\napiVersion: v1\n", &none), ERR_INVALID,
           "a file without any Collector is a fault");
    is_int(tenants.n, 0, "and gives nothing");
    is_int(load(TENANTS_MANIFEST,
                "apiVersion: v1\nkind: List\nitems:\n- apiVersion: opentelemetry.io/v1beta1\n  "
                "kind: OpenTelemetryCollector\n"
                "  metadata: {name: l}\n  spec: {targetAllocator: {enabled: true}, config: {}}\n",
                &none),
           0, "a list of kubectl");
    is_int(tenants.n, 1, "is looked into");
    is_int(load(TENANTS_MANIFEST, "apiVersion: v1\nkind: List\nitems: []\n", &none), 0,
           "a list that could have Collectors and has none");
    is_int(tenants.n, 0, "is the wish to drop all");
    is_int(load(TENANTS_MANIFEST, "apiVersion: v1\nkind: List\nitems: []\n---\na: b\n", &none), 0,
           "whatever stands behind it");
    is_int(load(TENANTS_MANIFEST, CR("one", "  targetAllocator: {enabled: true}\n") "---\na: b\n",
                &none),
           0, "and so is a Collector, whatever stands behind it");
}

#define ENABLED "  targetAllocator: {enabled: true}\n"
#define NAME_50 "123456789-123456789-123456789-123456789-123456789-"

static void test_object_names(void)
{
    const struct tenants_options none = { 0 };

    is_int(load(TENANTS_MANIFEST, CR("a.b", ENABLED), &none), 0, "a name that is no DNS label");
    is_span(tenants.v[0]->collectors.v[0].name, SPAN_LIT("a-b-collector-0"), "its pod");
    is_int(load(TENANTS_MANIFEST, CR(NAME_50 "abcd", ENABLED), &none), 0, "a long name");
    is_span(tenants.v[0]->collectors.v[0].name, SPAN_LIT(NAME_50 "abc-collector-0"), "its pod");
    is_int(faults.n, 0, "nothing to report");
    is_int(load(TENANTS_MANIFEST, CR("a.b", ENABLED) "---\n" CR("a-b", ENABLED), &none), 0,
           "two names that give one Service");
    is_int(tenants.n, 2, "both are there");
    ok(faults.n == 1 && strstr(first_fault(), "'a-b' has the same Service as 'a.b', "
                                              "a-b-targetallocator") != NULL,
       "but reported: %s", first_fault());
}

static void test_manifest_faults(void)
{
    const struct tenants_options none = { 0 };

    is_int(load(TENANTS_MANIFEST, "a: [", &none), ERR_INVALID, "no YAML");
    ok(strstr(first_fault(), "conf/x.yaml") != NULL, "the fault names the file: %s", first_fault());
    is_int(tenants.n, 0, "nothing of it");
    is_int(load(TENANTS_MANIFEST,
                CR("one", "  targetAllocator: {enabled: true}\n") "---\n" CR(
                    "one", "  targetAllocator: {enabled: true}\n"),
                &none),
           ERR_INVALID, "one name twice");
    ok(strstr(first_fault(), "document 2") != NULL, "in the second document: %s", first_fault());
    is_int(load(TENANTS_MANIFEST,
                "apiVersion: opentelemetry.io/v1beta1\nkind: OpenTelemetryCollector\nmetadata: "
                "{name: x}\nspec:\n"
                "  mode: statefulset\n"
                "  targetAllocator: {enabled: true}\n  config: {receivers: {prometheus: {config: "
                "{scrape_configs: [{job_name: j, "
                "relabel_configs: [{action: keep, regex: '('}]}]}}}}\n",
                &none),
           ERR_INVALID, "a bad regex");
    ok(strstr(first_fault(),
              "spec.config.receivers.prometheus.config.scrape_configs[0].relabel_configs[0]") !=
           NULL,
       "with its path: %s", first_fault());
}

static void test_missing_mechanism(void)
{
    const struct tenants_options none = { 0 };

    is_int(
        load(TENANTS_MANIFEST,
             "apiVersion: opentelemetry.io/v1beta1\nkind: OpenTelemetryCollector\n"
             "metadata: {name: x}\nspec:\n  mode: statefulset\n  targetAllocator: {enabled: true}\n"
             "  config: {receivers: {prometheus: {config: {scrape_configs: [{job_name: j, "
             "kubernetes_sd_configs: [{role: pod}]}]}}}}\n",
             &none),
        0, "discovery that is not built in does not hide the other jobs");
    ok(strstr(first_fault(),
              "stays with the collectors: the allocator cannot run kubernetes_sd_configs") != NULL,
       "and is warned of: %s", first_fault());
}

static void test_dropin(void)
{
    const struct tenants_options two = { .collector_count = 2 }, none = { 0 };

    is_int(load(TENANTS_DROPIN,
                "allocation_strategy: per-node\nallocation_fallback_strategy: "
                "rendezvous\nconfig:\n  scrape_configs:\n"
                "  - {job_name: a, file_sd_configs: [{files: [sd.json]}]}\n",
                &two),
           0, "upstream's file");
    is_int(tenants.n, 1, "one tenant");
    is_span(tenants.v[0]->name, SPAN_LIT(""), "without a name");
    is_span(tenants.v[0]->strategy, SPAN_LIT("per-node"), "strategy");
    is_span(tenants.v[0]->fallback, SPAN_LIT("rendezvous"), "fallback");
    is_span(tenants.v[0]->collectors.v[1].name, SPAN_LIT("collector-1"), "collectors by number");
    is_entry(&tenants.v[0]->jobs.v[0]->sds[0], "{\"files\":[\"sd.json\"]}",
             "paths start from the working directory");
    is_int(load(TENANTS_DROPIN, "config: {scrape_configs: [{job_name: a}]}\n", &none), ERR_INVALID,
           "no collectors and no Kubernetes");
    check_note("%s", first_fault());
    is_int(load(TENANTS_DROPIN,
                "prometheus_cr: {enabled: true}\nconfig: {scrape_configs: [{job_name: a}]}\n",
                &two),
           ERR_INVALID, "monitors and no Kubernetes");
    check_note("%s", first_fault());
    is_int(load(TENANTS_DROPIN,
                "config: {scrape_configs: [{job_name: a, kubernetes_sd_configs: [{role: pod}]}]}\n",
                &two),
           ERR_INVALID, "Kubernetes discovery and no Kubernetes");
    check_note("%s", first_fault());
    is_int(load(TENANTS_DROPIN,
                "config: {scrape_configs: [{job_name: a, consul_sd_configs: [{server: x}]}]}\n",
                &two),
           ERR_INVALID, "a mechanism that is not built in");
    ok(strstr(first_fault(), "consul_sd_configs") != NULL, "by name: %s", first_fault());
}

#define JOBS(name, jobs)                                                                           \
    "---\napiVersion: opentelemetry.io/v1beta1\nkind: OpenTelemetryCollector\nmetadata: "          \
    "{name: " name ", namespace: ns}\nspec:\n  targetAllocator: {enabled: true}\n"                 \
    "  config: {receivers: {prometheus: {config: {scrape_configs: [" jobs "]}}}}\n"
#define GOOD "{job_name: g, static_configs: [{targets: [x]}]}"
#define BAD "{job_name: b, scrape_interval: x}"

/* What is left of a file with faults: "<tenant>:<jobs>-<refused>…; <gap>…". */
static const char *what_is_left(const char *text)
{
    static char out[512];
    const struct tenants_options sound = { .keeps_sound = true };
    AUTO_BUF b;

    buf_init(&b, sizeof(out) - 1);
    is_int(load(TENANTS_MANIFEST, text, &sound), 0, "what has no fault is loaded");
    for (size_t i = 0; i < tenants.n; i++) {
        const struct scrapejobs *jobs = &tenants.v[i]->jobs;
        buf_addf(&b, "%.*s:", SPAN_ARG(tenants.v[i]->name));
        for (size_t k = 0; k < jobs->n; k++) {
            buf_add_span(&b, jobs->v[k]->name);
        }
        for (size_t k = 0; k < jobs->refused.n; k++) {
            buf_addf(&b, "-%s", jobs->refused.v[k].name);
            ok(strlen(jobs->refused.v[k].why) > 0, "why: %s", jobs->refused.v[k].why);
        }
        buf_add_char(&b, ' ');
    }
    buf_add_char(&b, ';');
    for (size_t i = 0; i < tenants.gaps.n; i++) {
        const struct gap *gap = &tenants.gaps.v[i];
        buf_addf(&b, " %s%s", gap->name == NULL ? "file " : "",
                 gap->name == NULL ? gap->file : gap->name);
        ok(strlen(gap->why) > 0, "why: %s", gap->why);
    }
    (void)snprintf(out, sizeof(out), "%.*s", SPAN_ARG(buf_span(&b)));
    return out;
}

/* One fault costs its job, its Collector, or its file. */
static void test_keeps_sound(void)
{
    static const struct {
        const char *text, *want;
    } t[] = {
        { JOBS("a", GOOD), "a:g ;" },
        { JOBS("a", GOOD ", " BAD), "a:g-b ;" },
        { JOBS("a", BAD) JOBS("c", GOOD), "a:-b c:g ;" },
        { JOBS("a", GOOD ", {job_name: g}"), "a:g-g ;" },
        { JOBS("a", GOOD ", {scrape_interval: 1s}"), "a:g- ;" },
        { JOBS("a", GOOD ", null"), "a:g- ;" },
        { JOBS("a", GOOD ", {job_name: $$x, scrape_interval: x}"), "a:g-$x ;" },
        { JOBS("a", GOOD "], x: [") JOBS("c", GOOD), "a:g c:g ;" },
        { JOBS("a", GOOD) JOBS("a", GOOD), "a:g ; a" },
        { JOBS("a", GOOD "], global: [") JOBS("c", GOOD), "c:g ; a" },
        { JOBS("a", GOOD "]}}, prometheus/2: {config: {scrape_configs: {a: 1}}}, x: {y: {z: [")
              JOBS("c", GOOD),
          "c:g ; a" },
        { JOBS("a", GOOD) "---\n]\n" JOBS("c", GOOD), "a:g c:g ; file conf/x.yaml" },
        { JOBS("a",
               GOOD) "---\napiVersion: opentelemetry.io/v1beta1\nkind: OpenTelemetryCollector\n"
                     "metadata: {name: d, name: e}\n",
          "a:g ; d" },
        { "a: [", "; file conf/x.yaml" },
        { "", "; file conf/x.yaml" },
        { "kind: Pod", "; file conf/x.yaml" },
    };

    for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        is_str(what_is_left(t[i].text), t[i].want, "case %zu", i);
    }
    is_str(what_is_left("\n\n---\na: [\n---\nkind: [\n"), "; file conf/x.yaml", "nothing");
    ok(strstr(tenants.gaps.v[0].why, "line ") != NULL, "its place is that in the file: %s",
       tenants.gaps.v[0].why);
    const struct tenants_options none = { 0 };
    is_int(load(TENANTS_MANIFEST, JOBS("a", GOOD ", " BAD), &none), ERR_INVALID,
           "commands refuse all of it");
    is_int(tenants.n, 0, "and have nothing");
}

/* The jobs of all Collectors together have a cap: those of the first ones are there. */
static void test_room(void)
{
    static const struct tenants_options sound = { .keeps_sound = true };
    AUTO_BUF text;

    buf_init(&text, 4 * MIB);
    for (int c = 0; c < 3; c++) {
        buf_addf(&text,
                 "%sapiVersion: opentelemetry.io/v1beta1\nkind: OpenTelemetryCollector\n"
                 "metadata: {name: c%d, namespace: ns}\nspec:\n  mode: statefulset\n"
                 "  replicas: 1\n  targetAllocator: {enabled: true}\n"
                 "  config: {receivers: {prometheus: {config: {scrape_configs: [",
                 c > 0 ? "---\n" : "", c);
        for (int i = 0; i < 2000; i++) {
            buf_addf(&text, "{job_name: j%d, static_configs: [{targets: ['h%d:1']}]},\n    ", i, i);
        }
        buf_add_str(&text, "]}}}}\n");
    }
    buf_add_char(&text, '\0');
    memorylimit_set(64 * MIB);
    is_int(load(TENANTS_MANIFEST, text.p, &sound), 0, "three Collectors");
    memorylimit_set(0);
    is_int(tenants.n, 3, "all are known");
    is_int(tenants.v[0]->jobs.n, 2000, "the first has all of its jobs");
    is_int(tenants.v[0]->jobs.refused.n, 0, "none of them is refused");
    is_int(tenants.v[2]->jobs.n, 0, "the last has none of them");
    is_int(tenants.v[2]->jobs.refused.n, 2000, "which are known by name");
    ok(strstr(tenants.v[2]->jobs.refused.v[1999].why, "no room: the scrape jobs of all") != NULL,
       "and why, also where the faults are more than are told");
    size_t n = tenants.v[1]->jobs.n;
    ok(n > 0 && n + tenants.v[1]->jobs.refused.n == 2000, "of the one between %zu have room", n);
}

int main(void)
{
    faults_init(&faults);
    test_keeps_sound();
    test_foreign_documents();
    test_manifests();
    test_object_names();
    test_manifest_faults();
    test_missing_mechanism();
    test_dropin();
    test_room();
    tenants_fini(&tenants);
    faults_fini(&faults);
    return check_done();
}
