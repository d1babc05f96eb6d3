/* D2: what relabeling costs a target: a program of 20 rules, as a Kubernetes pod job with all that
 * people put into one has it, over discovered pods of 28 labels. bench_relabel [--quick] [TARGETS]
 *
 * Default 100,000 targets of 40 workloads in 8 namespaces; address, pod name, uid and IP differ
 * from target to target. Nine of ten targets run through all rules; each tenth has no scrape
 * annotation and is dropped by the first one, as in life (there it is most of them). A round fills
 * the builder for each target and runs the rules; the same round without the rules is taken off.
 * Median of the rounds, CPU of this thread. The yard-stick in the same round is one XXH64 over each
 * value of the target: the least anybody does who looks at all of them. And a program that adds
 * labels whose names come from values, so that nothing is known of them: 50 and 400 such rules, the
 * cost of one. A table on stderr, JSON on stdout. */
#include "allocator/base/buf.h"
#include "allocator/base/clock.h"
#include "allocator/base/hash.h"
#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "allocator/codec/node.h"
#include "allocator/prom/relabel.h"
#include "tests/bench/median.h"

#include <stdio.h>
#include <stdlib.h>

#define ROUNDS 9
#define META "__meta_kubernetes_"
#define RULE(text) "{" text "},"

/* Tables are easier to read with ' than with \". */
static const char rules[] = "[" RULE(
    "'action':'keep','source_labels':['" META "pod_annotation_monitor_scrape'],"
    "'regex':'true|yes'") RULE("'action':'drop','source_labels':['" META
                               "pod_phase'],'regex':'Pending|Succeeded|Failed'")
    RULE("'action':'drop','source_labels':['" META "pod_container_init'],'regex':'true'") RULE(
        "'action':'keep','source_labels':['" META "pod_container_port_name'],"
        "'regex':'(.*-)?metrics'") RULE("'action':'drop','source_labels':['" META
                                        "namespace'],'regex':'kube-.+|scratch-.*'")
        RULE("'source_labels':['" META "pod_annotation_monitor_scheme'],'regex':'(https?)',"
             "'target_label':'__scheme__'") RULE("'source_labels':['" META
                                                 "pod_annotation_monitor_path'],'regex':'(.+)',"
                                                 "'target_label':'__metrics_path__'")
            RULE("'source_labels':['__address__','" META "pod_annotation_monitor_port'],"
                 "'regex':'([^:]+)(?::[0-9]+)?;([0-9]+)','replacement':'$1:$2',"
                 "'target_label':'__address__'") RULE("'action':'labelmap','regex':'" META
                                                      "pod_annotation_monitor_param_(.+)',"
                                                      "'replacement':'__param_$1'")
                RULE("'action':'labelmap','regex':'" META "pod_label_(.+)'") RULE(
                    "'source_labels':['" META "namespace'],'target_label':'namespace'")
                    RULE("'source_labels':['" META "pod_name'],'target_label':'pod'") RULE(
                        "'source_labels':['" META "pod_container_name'],'target_label':'container'")
                        RULE("'source_labels':['" META
                             "pod_node_name'],'regex':'(.+)','target_label':'node'")
                            RULE("'source_labels':['" META "namespace','" META
                                 "pod_label_app'],'separator':'/',"
                                 "'target_label':'job'")
                                RULE("'source_labels':['" META "pod_controller_kind','" META
                                     "pod_controller_name'],"
                                     "'regex':'ReplicaSet;(.+)-[0-9a-f]+','replacement':'$1','"
                                     "target_label':'deployment'")
                                    RULE("'action':'lowercase','source_labels':['" META
                                         "pod_label_tier'],'target_label':'tier'")
                                        RULE("'action':'hashmod','source_labels':['__address__'],'"
                                             "modulus':16,"
                                             "'target_label':'__tmp_shard'")
                                            RULE("'action':'drop','source_labels':['__tmp_shard'],'"
                                                 "regex':'1[6-9]'") "{'action':'labeldrop','regex':"
                                                                    "'pod_template_hash|controller_"
                                                                    "revision_hash|__tmp_.+'}]";

static const char *const names[] = {
    "__address__",
    META "namespace",
    META "pod_annotation_monitor_scrape",
    META "pod_annotation_monitor_port",
    META "pod_annotation_monitor_path",
    META "pod_annotation_monitor_scheme",
    META "pod_annotation_monitor_param_format",
    META "pod_annotationpresent_monitor_scrape",
    META "pod_annotationpresent_monitor_port",
    META "pod_container_id",
    META "pod_container_image",
    META "pod_container_init",
    META "pod_container_name",
    META "pod_container_port_name",
    META "pod_container_port_number",
    META "pod_container_port_protocol",
    META "pod_controller_kind",
    META "pod_controller_name",
    META "pod_host_ip",
    META "pod_ip",
    META "pod_label_app",
    META "pod_label_pod_template_hash",
    META "pod_label_tier",
    META "pod_name",
    META "pod_node_name",
    META "pod_phase",
    META "pod_ready",
    META "pod_uid",
};
#define N_LABELS COUNT(names)

struct bench {
    struct strpool pool;
    struct arena inputs, results;
    struct label_builder lb;
    const struct str *names[N_LABELS];
    struct span *values; /* N_LABELS a target; empty: the target has no such label */
    size_t n_targets;
    struct relabel *rules;
    size_t n_kept, n_labels_out;
};

static struct span PRINTF_LIKE(2, 3) text(struct bench *b, const char *fmt, ...)
{
    char out[256];
    va_list ap;

    va_start(ap, fmt);
    int n = vsnprintf(out, sizeof(out), fmt, ap);
    va_end(ap);
    return (struct span){ arena_strndup(&b->inputs, out, (size_t)n), (size_t)n };
}

static void make_target(struct bench *b, size_t i, struct span *v)
{
    size_t app = i % 40;
    bool is_scraped = i % 10 != 9;
    struct span all[N_LABELS] = {
        text(b, "10.%zu.%zu.%zu:8080", i >> 16 & 255, i >> 8 & 255, i & 255),
        text(b, "team-%zu", app % 8),
        is_scraped ? SPAN_LIT("true") : SPAN_LIT(""),
        SPAN_LIT("9102"),
        SPAN_LIT("/internal/metrics"),
        SPAN_LIT("http"),
        SPAN_LIT("prometheus"),
        is_scraped ? SPAN_LIT("true") : SPAN_LIT(""),
        SPAN_LIT("true"),
        text(b, "containerd://%016zx%016zx", i * 0x9e3779b97f4a7c15U, i),
        text(b, "registry.example/service-%zu:v1.%zu", app, app % 5),
        SPAN_LIT("false"),
        SPAN_LIT("server"),
        SPAN_LIT("http-metrics"),
        SPAN_LIT("8080"),
        SPAN_LIT("TCP"),
        SPAN_LIT("ReplicaSet"),
        text(b, "service-%zu-6b549885f8", app),
        text(b, "172.18.%zu.%zu", i % 300 >> 8, i % 300 & 255),
        text(b, "10.%zu.%zu.%zu", i >> 16 & 255, i >> 8 & 255, i & 255),
        text(b, "service-%zu", app),
        SPAN_LIT("6b549885f8"),
        app % 2 == 0 ? SPAN_LIT("Front") : SPAN_LIT("Back"),
        text(b, "service-%zu-6b549885f8-%07zx", app, i),
        text(b, "node-%04zu", i % 300),
        SPAN_LIT("Running"),
        SPAN_LIT("true"),
        text(b, "676ebee7-14f8-481e-a937-%012zx", i),
    };
    memcpy(v, all, sizeof(all));
}

static void compile(struct bench *b, const char *text, size_t n_rules)
{
    struct node *node = NULL;
    struct faults faults;
    struct err err = { 0 };
    char *json = arena_strndup(&b->inputs, text, strlen(text));

    for (char *p = json; *p != '\0'; p++) {
        *p = *p == '\'' ? '"' : *p;
    }
    faults_init(&faults);
    if (node_from_json(span_of(json), 0, &b->inputs, &node, &err) < 0) {
        fprintf(stderr, "the rules are no JSON: %s\n", err.text);
        exit(1);
    }
    b->rules = relabel_compile(node, NAME_UTF8, true, NULL, &faults);
    if (b->rules == NULL || relabel_count(b->rules) != n_rules) {
        faults_print(&faults, stderr);
        fprintf(stderr, "the rules are not %zu good ones\n", n_rules);
        exit(1);
    }
    faults_fini(&faults);
}

/* CPU microseconds of one round. */
static double round_us(struct bench *b, bool has_rules)
{
    int64_t from = clock_thread_cpu_us();

    b->n_kept = 0;
    b->n_labels_out = 0;
    for (size_t i = 0; i < b->n_targets; i++) {
        const struct span *v = b->values + i * N_LABELS;
        arena_reset(&b->results);
        label_builder_clear(&b->lb);
        for (size_t k = 0; k < N_LABELS; k++) {
            if (v[k].len > 0) {
                label_builder_append(&b->lb, b->names[k], v[k]);
            }
        }
        if (!has_rules || relabel_run(b->rules, &b->lb, NULL) == RELABEL_KEEP) {
            b->n_kept++;
            b->n_labels_out += b->lb.n;
        }
    }
    return (double)(clock_thread_cpu_us() - from);
}

/* CPU nanoseconds of a rule that adds a label, in a program of 'n' of them. */
static double added_ns(struct bench *b, size_t n)
{
    double took[ROUNDS];
    struct buf text;

    buf_init(&text, MIB);
    for (size_t i = 0; i < n; i++) {
        buf_addf(&text, "%s{'source_labels':['" META "pod_phase'],'target_label':'${1}_%zu'}",
                 i == 0 ? "[" : ",", i);
    }
    buf_add_str(&text, "]");
    compile(b, text.p, n);
    buf_fini(&text);
    size_t n_targets = b->n_targets;
    b->n_targets = n_targets / 50;
    for (size_t k = 0; k < ROUNDS; k++) {
        double fill = round_us(b, false);
        took[k] = (round_us(b, true) - fill) * 1000 / (double)(b->n_targets * n);
    }
    b->n_targets = n_targets;
    relabel_free(&b->rules);
    return median(took, ROUNDS);
}

static double yard_us(const struct bench *b, uint64_t *sum)
{
    int64_t from = clock_thread_cpu_us();

    for (size_t i = 0; i < b->n_targets * N_LABELS; i++) {
        *sum += hash64(b->values[i]);
    }
    return (double)(clock_thread_cpu_us() - from);
}

static void run(struct bench *b)
{
    double few = added_ns(b, 50), many = added_ns(b, 400);

    compile(b, rules, 20);
    double fill[ROUNDS], both[ROUNDS], yard[ROUNDS], ratio[ROUNDS];
    uint64_t sum = 0;
    double n = (double)b->n_targets;

    round_us(b, true); /* what is looked up once */
    for (size_t k = 0; k < ROUNDS; k++) {
        fill[k] = round_us(b, false) / n;
        both[k] = round_us(b, true) / n;
        yard[k] = yard_us(b, &sum) / n;
        both[k] -= fill[k];
        ratio[k] = both[k] / yard[k];
    }
    if (b->n_kept == 0 || b->n_kept == b->n_targets) {
        fprintf(stderr, "%zu of %zu targets kept: these rules measure nothing\n", b->n_kept,
                b->n_targets);
        exit(1);
    }
    double labels = (double)b->n_labels_out / (double)b->n_kept;
    fprintf(stderr,
            "20 rules, %zu targets, %zu kept with %.1f labels\n"
            "  relabel %.3f us a target   (filling the builder %.3f us, hashing all values %.3f us)"
            "   %.2f times hashing%s\n"
            "  a rule that adds a label: %.1f ns with 50 of them, %.1f with 400\n",
            b->n_targets, b->n_kept, labels, median(both, ROUNDS), median(fill, ROUNDS),
            median(yard, ROUNDS), median(ratio, ROUNDS), sum == 1 ? "." : "", few, many);
    printf("{\"bench\": \"relabel\", \"rules\": 20, \"targets\": %zu, \"kept\": %zu, "
           "\"labels_in\": %zu, \"labels_out\": %.1f, \"relabel_us\": %.4f, \"fill_us\": %.4f, "
           "\"hash_us\": %.4f, \"relabel_over_hash\": %.3f, \"added_of_50_ns\": %.1f, "
           "\"added_of_400_ns\": %.1f}\n",
           b->n_targets, b->n_kept, N_LABELS, labels, median(both, ROUNDS), median(fill, ROUNDS),
           median(yard, ROUNDS), median(ratio, ROUNDS), few, many);
    relabel_free(&b->rules);
}

int main(int argc, char **argv)
{
    struct bench b = { .n_targets = 100000 };

    for (int i = 1; i < argc; i++) {
        b.n_targets = strcmp(argv[i], "--quick") == 0 ? 1000 : strtoul(argv[i], NULL, 10);
        if (b.n_targets == 0) {
            fprintf(stderr, "usage: bench_relabel [--quick] [TARGETS]\n");
            return 2;
        }
    }
    strpool_init(&b.pool);
    arena_init(&b.inputs);
    arena_init(&b.results);
    label_builder_init(&b.lb, &b.pool, &b.results);
    for (size_t k = 0; k < N_LABELS; k++) {
        b.names[k] = strpool_intern(&b.pool, span_of(names[k]));
    }
    b.values = mem_array(b.n_targets * N_LABELS, sizeof(*b.values));
    for (size_t i = 0; i < b.n_targets; i++) {
        make_target(&b, i, b.values + i * N_LABELS);
    }
    run(&b);
    mem_free(b.values);
    label_builder_fini(&b.lb);
    arena_fini(&b.results);
    arena_fini(&b.inputs);
    strpool_fini(&b.pool);
    return 0;
}
