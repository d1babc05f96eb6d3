#include "allocator/tenant/collectoradvice.h"

#include "allocator/base/mem.h"
#include "allocator/codec/yamldoc.h"
#include "tests/check.h"

#include <string.h>

static char *advice(const char *labels, const char *spec)
{
    AUTO_STR yaml = mem_printf("apiVersion: opentelemetry.io/v1beta1\n"
                               "kind: OpenTelemetryCollector\n"
                               "metadata: {name: c, labels: {%s}}\nspec: {%s}\n",
                               labels, spec);
    struct node *root = NULL;
    struct collector c;
    struct arena arena;
    struct faults f;
    char *all = mem_strdup("");

    arena_init(&arena);
    faults_init(&f);
    is_int(yamldoc_parse(span_of(yaml), &arena, &root, NULL), 0, "%s", yaml);
    collector_read(root, &c);
    collectoradvice_give(&c, &f);
    for (size_t i = 0; i < f.n; i++) {
        char *more = mem_printf("%s%s: %s\n", all, f.v[i].path, f.v[i].text);
        ok(strlen(f.v[i].text) <= 111, "fits into an admission warning: %s", f.v[i].text);
        mem_free(all);
        all = more;
    }
    is_int(f.n_errors, 0, "warnings only");
    faults_fini(&f);
    arena_fini(&arena);
    return all;
}

/* Upstream's rules: an allocator in statefulset and daemonset only, and per-node and daemonset
 * together or not at all. */
static void test_modes(void)
{
    static const char *const modes[] = { "",          "statefulset", "deployment",
                                         "daemonset", "sidecar",     "job" };
    static const char *const all[] = { "", "consistent-hashing", "least-weighted", "per-node",
                                       "rendezvous" };

    for (size_t m = 0; m < COUNT(modes); m++) {
        for (size_t s = 0; s < COUNT(all); s++) {
            bool is_daemonset = strcmp(modes[m], "daemonset") == 0;
            bool is_sidecar = strcmp(modes[m], "sidecar") == 0;
            bool is_accepted =
                (is_daemonset && strcmp(all[s], "per-node") == 0) ||
                (strcmp(modes[m], "statefulset") == 0 && strcmp(all[s], "per-node") != 0);
            AUTO_STR mode = mem_printf("%s%s%s", modes[m][0] == '\0' ? "" : "mode: ", modes[m],
                                       modes[m][0] == '\0' ? "" : ", ");
            AUTO_STR strategy =
                mem_printf("%s%s", all[s][0] == '\0' ? "" : ", allocationStrategy: ", all[s]);
            AUTO_STR spec = mem_printf("%stargetAllocator: {enabled: true%s}", mode, strategy);
            AUTO_STR said = advice("", spec);
            is_int(strstr(said, "Operator refuses") != NULL, !is_accepted && !is_sidecar,
                   "does upstream refuse '%s'? %s", spec, said);
            is_int(strstr(said, "cannot use the allocator") != NULL, is_sidecar, "a sidecar");
            is_int(strstr(said, "knows no rendezvous") != NULL,
                   strcmp(all[s], "rendezvous") == 0 && !is_sidecar, "a strategy of ours");
            AUTO_STR off = mem_printf("%stargetAllocator: {enabled: false%s}", mode, strategy);
            AUTO_STR labelled = advice("otel-ta/inject: 'true'", off);
            ok(strstr(labelled, "Operator") == NULL, "the label is not upstream's business: %s",
               labelled);
            AUTO_STR silent = advice("", off);
            is_str(silent, "", "nothing is asked for");
        }
    }
}

static void test_others(void)
{
    AUTO_STR monitors = advice("", "mode: statefulset, targetAllocator: {enabled: true, "
                                   "prometheusCR: {enabled: true}}");
    is_str(monitors,
           "spec.targetAllocator.prometheusCR: ServiceMonitors, PodMonitors and their like are not "
           "read yet: no target of them\n",
           "monitors");
    AUTO_STR off = advice("", "targetAllocator: {prometheusCR: {enabled: true}}");
    is_str(off, "", "that nobody asked for");
    AUTO_STR label = advice("opentelemetry.io/target-allocator: other", "mode: statefulset");
    is_str(label,
           "metadata.labels[\"opentelemetry.io/target-allocator\"]: TargetAllocator 'other' of the "
           "label opentelemetry.io/target-allocator is not read: its jobs are not here\n",
           "an allocator of its own");
    AUTO_STR out = advice("opentelemetry.io/target-allocator: other, otel-ta/inject: 'false'", "");
    is_str(out, "", "whoever opted out knows");
}

static size_t count(const char *yaml, void (*give)(const struct node *, struct faults *))
{
    struct node *root = NULL;
    struct arena arena;
    struct faults f;

    arena_init(&arena);
    faults_init(&f);
    is_int(yamldoc_parse(span_of(yaml), &arena, &root, NULL), 0, "%s", yaml);
    give(root, &f);
    size_t n = f.n;
    is_int(f.n_errors, 0, "warnings only");
    faults_fini(&f);
    arena_fini(&arena);
    return n;
}

static void test_documents(void)
{
    static const struct {
        const char *yaml;
        size_t n;
    } t[] = {
        { "{apiVersion: opentelemetry.io/v1alpha1, kind: TargetAllocator, metadata: {name: a}}",
          1 },
        { "{apiVersion: opentelemetry.io/v1alpha1, kind: TargetAllocator}", 1 },
        { "{apiVersion: other/v1, kind: TargetAllocator, metadata: {name: a}}", 0 },
        { "{kind: List, items: [{apiVersion: opentelemetry.io/v1alpha1, kind: TargetAllocator}, "
          "{apiVersion: opentelemetry.io/v1beta1, kind: OpenTelemetryCollector}, "
          "{apiVersion: opentelemetry.io/v1alpha1, kind: TargetAllocator}]}",
          2 },
        { "[]", 0 },
        { "", 0 },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        is_int(count(t[i].yaml, collectoradvice_of_others), t[i].n, "%s", t[i].yaml);
    }
    is_int(count("{scrape_config_files: [a.yml]}", collectoradvice_of_config), 1, "files of jobs");
    is_int(count("{scrape_config_files: []}", collectoradvice_of_config), 0, "none");
    is_int(count("{scrape_configs: []}", collectoradvice_of_config), 0, "nothing");
}

int main(void)
{
    test_modes();
    test_others();
    test_documents();
    return check_done();
}
