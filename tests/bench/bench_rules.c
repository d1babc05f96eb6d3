/* What rules cost beside running: to be loaded in many jobs, to look a word up in a long list, and
 * to see targets whose labels are not those of their neighbours. bench_rules [--quick | --only
 * words|jobs|shapes]
 *
 * words: a list of 200 words in each way to write one: bytes, CPU of a subject that is not in it,
 * and of one that is the last. load: 1,000 jobs, each with the 17 rules that prometheus-operator
 * makes of a ServiceMonitor: CPU from the text to a state that knows them, and heap; the same jobs
 * without rules are taken off. shapes: one job of 19 rules, targets of 28 labels and more, of 1 to
 * 64 shapes (which labels there are, and in which order), in turns and by chance, against the same
 * targets sorted by shape: CPU from the bytes to a published snapshot, and heap. CPU is that of
 * this thread; medians. A table on stderr, JSON on stdout. */
#include "allocator/base/clock.h"
#include "allocator/base/container.h"
#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "allocator/engine/state.h"
#include "tests/bench/median.h"
#include "tests/bench/statebench.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#define N_WORDS 200
#define ROUNDS 5
#define PER_FILE 1000 /* targets of a body */

static size_t heap_bytes(void)
{
    struct mallinfo2 m = mallinfo2();

    return m.uordblks + m.hblkhd;
}

static void die(const char *what)
{
    fprintf(stderr, "bench_rules: %s\n", what);
    exit(1);
}

/* ---- words */

static double match_ns(const struct regex *re, struct span subject, bool wanted, size_t n)
{
    double ns[ROUNDS];

    for (size_t k = 0; k < ROUNDS; k++) {
        size_t n_matches = 0;
        int64_t from = clock_thread_cpu_us();
        for (size_t i = 0; i < n; i++) {
            n_matches += regex_match(re, subject, NULL);
        }
        ns[k] = (double)(clock_thread_cpu_us() - from) * 1e3 / (double)n;
        if (n_matches != (wanted ? n : 0)) {
            die("a word list matches what it should not");
        }
    }
    return median(ns, ROUNDS);
}

static void measure_words(const char *name, const char *before, const char *after,
                          const char *suffix, size_t n)
{
    struct regex *re = NULL;
    AUTO_BUF text, hit, miss;
    struct err err;

    buf_init(&text, LIMIT_REGEX_BYTES);
    buf_init(&hit, 256);
    buf_init(&miss, 256);
    buf_add_str(&text, before);
    for (size_t i = 0; i < N_WORDS; i++) {
        buf_addf(&text, "%steam-%zu-service", i == 0 ? "" : "|", i * 7);
    }
    buf_add_str(&text, after);
    buf_addf(&hit, "team-%d-service%s", (N_WORDS - 1) * 7, suffix);
    buf_addf(&miss, "team-%d-service%s", (N_WORDS - 1) * 7 + 1, suffix);
    size_t before_bytes = heap_bytes();
    int64_t from = clock_thread_cpu_us();
    if (regex_compile(buf_span(&text), NULL, &re, &err) < 0) {
        die(err.text);
    }
    int64_t compile_us = clock_thread_cpu_us() - from;
    double miss_ns = match_ns(re, buf_span(&miss), false, n);
    double hit_ns = match_ns(re, buf_span(&hit), true, n);
    size_t bytes = heap_bytes() - before_bytes;
    fprintf(stderr, "  %-28s %6.1f KB  compiled in %4lld us  a miss %7.1f ns  the last %7.1f ns\n",
            name, (double)bytes / 1e3, (long long)compile_us, miss_ns, hit_ns);
    printf("\n  {\"words\": \"%s\", \"n\": %d, \"bytes\": %zu, \"compile_us\": %lld, \"miss_ns\": "
           "%.1f, \"last_ns\": %.1f},",
           name, N_WORDS, bytes, (long long)compile_us, miss_ns, hit_ns);
    regex_free(&re);
}

static void words(size_t n)
{
    fprintf(stderr, "a list of %d words\n", N_WORDS);
    measure_words("a|b|c", "", "", "", n);
    measure_words("(a|b|c)", "(", ")", "", n);
    measure_words("^(?:a|b|c)$", "^(?:", ")$", "", n);
    measure_words("(a|b|c);true", "(", ");true", ";true", n);
    measure_words("(?:a|b|c)(/.*)?", "(?:", ")(/.*)?", "", n);
    measure_words("(?i)a|b|c", "(?i)", "", "", n);
}

/* ---- jobs */

/* As prometheus-operator writes them for a ServiceMonitor that selects by one label, has one
 * endpoint and takes one label over. ' stands for ". */
#define SM "__meta_kubernetes_"
static const char servicemonitor[] =
    "[{'source_labels':['job'],'target_label':'__tmp_prometheus_job_name'},"
    "{'source_labels':['" SM "service_label_app','" SM "service_labelpresent_app'],"
    "'regex':'(app-%zu);true','action':'keep'},"
    "{'source_labels':['" SM "endpoint_port_name'],'regex':'web','action':'keep'},"
    "{'source_labels':['" SM "endpoint_address_target_kind','" SM "endpoint_address_target_name'],"
    "'separator':';','regex':'Node;(.*)','replacement':'${1}','target_label':'node'},"
    "{'source_labels':['" SM "endpoint_address_target_kind','" SM "endpoint_address_target_name'],"
    "'separator':';','regex':'Pod;(.*)','replacement':'${1}','target_label':'pod'},"
    "{'source_labels':['" SM "namespace'],'target_label':'namespace'},"
    "{'source_labels':['" SM "service_name'],'target_label':'service'},"
    "{'source_labels':['" SM "pod_name'],'target_label':'pod'},"
    "{'source_labels':['" SM "pod_container_name'],'target_label':'container'},"
    "{'source_labels':['" SM "pod_phase'],'regex':'(Failed|Succeeded)','action':'drop'},"
    "{'source_labels':['" SM "service_label_team'],'target_label':'team','regex':'(.+)',"
    "'replacement':'${1}'},"
    "{'source_labels':['" SM "service_name'],'target_label':'job','replacement':'${1}'},"
    "{'source_labels':['" SM "service_label_app'],'target_label':'job','regex':'(.+)',"
    "'replacement':'${1}'},"
    "{'target_label':'endpoint','replacement':'web'},"
    "{'source_labels':['__address__','__tmp_hash'],'target_label':'__tmp_hash','regex':'(.+);',"
    "'replacement':'$1','action':'replace'},"
    "{'source_labels':['__tmp_hash'],'target_label':'__tmp_hash','modulus':1,'action':'hashmod'},"
    "{'source_labels':['__tmp_hash','__tmp_disable_sharding'],'regex':'0;|.+;.+','action':'keep'}]";
#define N_SERVICEMONITOR_RULES 17.0

/* With all that people put into a job of pods. */
static const char pods[] =
    "[{'action':'drop','source_labels':['" SM "pod_phase'],'regex':'Pending|Succeeded|Failed'},"
    "{'action':'drop','source_labels':['" SM "pod_container_init'],'regex':'true'},"
    "{'action':'keep','source_labels':['" SM "pod_container_port_name'],'regex':'(.*-)?metrics'},"
    "{'action':'drop','source_labels':['" SM "namespace'],'regex':'kube-.+|scratch-.*'},"
    "{'source_labels':['" SM "pod_annotation_scheme'],'regex':'(https?)',"
    "'target_label':'__scheme__'},"
    "{'source_labels':['" SM "pod_annotation_path'],'regex':'(.+)',"
    "'target_label':'__metrics_path__'},"
    "{'source_labels':['__address__','" SM "pod_annotation_port'],"
    "'regex':'([^:]+)(?::[0-9]+)?;([0-9]+)','replacement':'$1:$2','target_label':'__address__'},"
    "{'action':'labelmap','regex':'" SM "pod_annotation_param_(.+)','replacement':'__param_$1'},"
    "{'action':'labelmap','regex':'" SM "pod_label_(.+)'},"
    "{'source_labels':['" SM "namespace'],'target_label':'namespace'},"
    "{'source_labels':['" SM "pod_name'],'target_label':'pod'},"
    "{'source_labels':['" SM "pod_container_name'],'target_label':'container'},"
    "{'source_labels':['" SM "pod_node_name'],'regex':'(.+)','target_label':'node'},"
    "{'source_labels':['" SM "namespace','" SM "pod_label_app'],'separator':'/',"
    "'target_label':'job'},"
    "{'source_labels':['" SM "pod_controller_kind','" SM "pod_controller_name'],"
    "'regex':'ReplicaSet;(.+)-[0-9a-f]+','replacement':'$1','target_label':'deployment'},"
    "{'action':'lowercase','source_labels':['" SM "pod_label_tier'],'target_label':'tier'},"
    "{'action':'hashmod','source_labels':['__address__'],'modulus':16,"
    "'target_label':'__tmp_shard'},"
    "{'action':'drop','source_labels':['__tmp_shard'],'regex':'1[6-9]'},"
    "{'action':'labeldrop','regex':'pod_template_hash|controller_revision_hash|__tmp_.+'}]";

struct bench {
    struct state *state;
    struct mailbox *wants;
    uint64_t *ids;
    size_t n_ids;
    const struct snapshot *current;
};

static void add_rules(struct buf *out, const char *rules, size_t i)
{
    const char *number = strstr(rules, "%zu");

    for (const char *p = rules; *p != '\0'; p++) {
        if (p == number) {
            buf_addf(out, "%zu", i);
            p += 2;
        } else {
            buf_add_char(out, *p == '\'' ? '"' : *p);
        }
    }
}

static void add_jobs(struct buf *out, size_t n, const char *rules)
{
    buf_add_str(out, "config:\n  scrape_configs:\n");
    for (size_t i = 0; i < n; i++) {
        buf_addf(out,
                 "  - job_name: job-%zu\n    file_sd_configs:\n    - files: [/bench/%zu.json]\n", i,
                 i);
        if (rules != NULL) {
            buf_add_str(out, "    relabel_configs: ");
            add_rules(out, rules, i);
            buf_add_char(out, '\n');
        }
    }
}

static void drain(struct bench *b)
{
    for (struct mail *mail = mailbox_drain(b->wants), *next; mail != NULL; mail = next) {
        next = mail->next;
        if (mail->kind == WATCHER_WANT_ADD) {
            b->ids = mem_realloc(b->ids, (b->n_ids + 1) * sizeof(*b->ids));
            b->ids[b->n_ids++] = CONTAINER_OF(mail, struct want, mail)->id;
        }
        mail->dispose(mail);
    }
}

/* CPU microseconds from the text to a state that knows the jobs. */
static int64_t load(struct bench *b, struct buf *text)
{
    const struct tenants_options options = { .collector_count = 3 };
    struct statebench_times took = statebench_load(b->state, buf_span(text), &options);

    return took.load_us + took.configure_us;
}

static void open_state(struct bench *b)
{
    *b = (struct bench){ .wants = mailbox_new(0) };
    b->state = state_new(b->wants);
}

static void close_state(struct bench *b)
{
    drain(b);
    if (b->current != NULL) {
        snapshot_put(b->current);
    }
    state_free(&b->state);
    mailbox_free(&b->wants);
    mem_free(b->ids);
}

/* Out: CPU milliseconds of a load, and of the same load once more; heap bytes. */
static void load_jobs(size_t n, const char *rules, double *out_ms, double *again_ms, size_t *bytes)
{
    struct bench b;
    AUTO_BUF text;

    buf_init(&text, LIMIT_DOCUMENT_BYTES);
    add_jobs(&text, n, rules);
    if (buf_error(&text) != 0) {
        die("too many jobs");
    }
    size_t before = heap_bytes();
    open_state(&b);
    *out_ms = (double)load(&b, &text) / 1e3;
    drain(&b);
    *bytes = heap_bytes() - before;
    *again_ms = (double)load(&b, &text) / 1e3;
    close_state(&b);
}

static void jobs(size_t n)
{
    double plain_ms, plain_again_ms, ms, again_ms;
    size_t plain_bytes, bytes;
    double n_rules = (double)n * N_SERVICEMONITOR_RULES;

    load_jobs(n, NULL, &plain_ms, &plain_again_ms, &plain_bytes);
    load_jobs(n, servicemonitor, &ms, &again_ms, &bytes);
    fprintf(stderr,
            "%zu jobs with the 17 rules of a ServiceMonitor: %.1f CPU-ms, %.1f MB; the same text "
            "again %.1f ms\n"
            "  without rules: %.1f ms, %.1f MB, again %.1f ms; so a rule: %.2f us, %.0f bytes\n",
            n, ms, (double)bytes / 1e6, again_ms, plain_ms, (double)plain_bytes / 1e6,
            plain_again_ms, (ms - plain_ms) * 1e3 / n_rules,
            ((double)bytes - (double)plain_bytes) / n_rules);
    printf("\n  {\"jobs\": %zu, \"load_ms\": %.1f, \"again_ms\": %.1f, \"heap_bytes\": %zu, "
           "\"plain_load_ms\": %.1f, \"plain_heap_bytes\": %zu, \"rule_us\": %.2f, \"rule_bytes\": "
           "%.0f},",
           n, ms, again_ms, bytes, plain_ms, plain_bytes, (ms - plain_ms) * 1e3 / n_rules,
           ((double)bytes - (double)plain_bytes) / n_rules);
}

/* ---- shapes */

static void add_target(struct buf *out, size_t i, size_t shape)
{
    buf_addf(out, "{\"targets\":[\"10.%zu.%zu.%zu:8080\"],\"labels\":{", i >> 16 & 255,
             i >> 8 & 255, i & 255);
    for (size_t k = 0; k < 6; k++) { /* which of these labels there are makes the shape */
        if ((shape >> k & 1) != 0) {
            buf_addf(out, "\"" SM "pod_label_extra_%zu\":\"value-%zu\",", k, k);
        }
    }
    buf_addf(out,
             "\"" SM "namespace\":\"team-1\",\"" SM "pod_annotation_port\":\"9102\",\"" SM
             "pod_annotation_path\":\"/internal/metrics\",\"" SM
             "pod_annotation_scheme\":\"http\",\"" SM
             "pod_annotation_param_format\":\"prometheus\",\"" SM
             "pod_annotationpresent_port\":\"true\",\"" SM "pod_annotationpresent_path\":\"true\","
             "\"" SM "pod_container_id\":\"containerd://%016zx%016zx\",\"" SM
             "pod_container_image\":\"registry.example/team-1/service-%zu:v1.2.3\",\"" SM
             "pod_container_init\":\"false\",\"" SM "pod_container_name\":\"server\",\"" SM
             "pod_container_port_name\":\"http-metrics\",\"" SM
             "pod_container_port_number\":\"8080\",\"" SM "pod_container_port_protocol\":\"TCP\","
             "\"" SM "pod_controller_kind\":\"ReplicaSet\",\"" SM
             "pod_controller_name\":\"service-%zu-6b549885f8\",",
             i * 0x9e3779b97f4a7c15U, i, shape, shape);
    buf_addf(out,
             "\"" SM "pod_host_ip\":\"172.18.0.7\",\"" SM "pod_ip\":\"10.%zu.%zu.%zu\",\"" SM
             "pod_label_app\":\"service-%zu\",\"" SM
             "pod_label_pod_template_hash\":\"6b549885f8\",\"" SM "pod_label_tier\":\"Front\",\"" SM
             "pod_name\":\"service-%zu-6b549885f8-%07zx\",\"" SM
             "pod_node_name\":\"node-0007\",\"" SM "pod_phase\":\"Running\",\"" SM
             "pod_ready\":\"true\",\"" SM "pod_uid\":\"676ebee7-14f8-481e-a937-%012zx\"}}",
             i >> 16 & 255, i >> 8 & 255, i & 255, shape, shape, i, i);
}

enum sequence { SORTED, IN_TURNS, BY_CHANCE };

static size_t shape_at(size_t i, size_t n_shapes, enum sequence sequence)
{
    return sequence == SORTED     ? i * n_shapes / PER_FILE
           : sequence == IN_TURNS ? i % n_shapes
                                  : (i * 0x9e3779b97f4a7c15U >> 33) % n_shapes;
}

/* One body of PER_FILE targets. */
static char *make_body(size_t file, size_t n_shapes, enum sequence sequence, size_t *out_len)
{
    struct buf text;

    buf_init(&text, LIMIT_SD_BODY);
    for (size_t k = 0; k < PER_FILE; k++) {
        size_t shape = shape_at(k, n_shapes, sequence);
        buf_add_char(&text, k == 0 ? '[' : ',');
        add_target(&text, file * PER_FILE + k, shape);
    }
    buf_add_char(&text, ']');
    *out_len = text.len;
    return text.p;
}

static void arrive(struct bench *b, uint64_t id, char *body, size_t len)
{
    struct arrival *a = arrival_new(id, ARRIVAL_OK, "/bench/0.json");

    a->body = body;
    a->body_len = len;
    state_arrive(b->state, a);
    arrival_free(&a);
}

/* CPU microseconds and heap bytes a target. */
static void read_targets(size_t n_files, size_t n_shapes, enum sequence sequence, double *us,
                         double *bytes)
{
    struct bench b;
    struct state_counts counts;
    AUTO_BUF text;
    int64_t used = 0;

    buf_init(&text, LIMIT_DOCUMENT_BYTES);
    add_jobs(&text, n_files, pods);
    open_state(&b);
    (void)load(&b, &text);
    drain(&b);
    size_t before = heap_bytes();
    for (size_t i = 0; i < b.n_ids; i++) {
        size_t len;
        char *body = make_body(i, n_shapes, sequence, &len);
        int64_t from = clock_thread_cpu_us();
        arrive(&b, b.ids[i], body, len);
        used += clock_thread_cpu_us() - from;
        struct arrival *settled = arrival_new(b.ids[i], ARRIVAL_SETTLED, NULL);
        state_arrive(b.state, settled);
        arrival_free(&settled);
    }
    int64_t from = clock_thread_cpu_us();
    statebench_publish(b.state, &b.current);
    used += clock_thread_cpu_us() - from;
    state_count(b.state, &counts);
    if (counts.n_served != n_files * PER_FILE) {
        die("not all targets are kept");
    }
    *bytes = ((double)heap_bytes() - (double)before) / (double)counts.n_served;
    *us = (double)used / (double)counts.n_served;
    close_state(&b);
}

static void measure_shapes(size_t n_files, size_t n_shapes)
{
    static const char *const names[] = { "sorted", "in turns", "by chance" };
    double us[COUNT(names)][ROUNDS], bytes[COUNT(names)][ROUNDS], ratio[COUNT(names)][ROUNDS];

    for (size_t k = 0; k < ROUNDS; k++) {
        for (size_t i = 0; i < COUNT(names); i++) {
            read_targets(n_files, n_shapes, (enum sequence)i, &us[i][k], &bytes[i][k]);
            ratio[i][k] = us[i][k] / us[SORTED][k];
        }
    }
    double sorted_bytes = median(bytes[SORTED], ROUNDS);
    fprintf(stderr, "%zu targets, 19 rules, %zu shapes\n", n_files * PER_FILE, n_shapes);
    for (size_t i = 0; i < COUNT(names); i++) {
        double one_us = median(us[i], ROUNDS), one_bytes = median(bytes[i], ROUNDS);
        double over = median(ratio[i], ROUNDS), bytes_over = one_bytes / sorted_bytes;
        fprintf(stderr, "  %-10s %5.2f us, %4.0f bytes   %.2f and %.2f times sorted\n", names[i],
                one_us, one_bytes, over, bytes_over);
        printf("\n  {\"shapes\": %zu, \"sequence\": \"%s\", \"targets\": %zu, \"us\": %.3f, "
               "\"bytes\": %.0f, \"us_over_sorted\": %.3f, \"bytes_over_sorted\": %.3f},",
               n_shapes, names[i], n_files * PER_FILE, one_us, one_bytes, over, bytes_over);
    }
}

static bool is_wanted(const char *only, const char *what)
{
    return only == NULL || strcmp(only, what) == 0;
}

int main(int argc, char **argv)
{
    static const size_t n_shapes[] = { 1, 2, 10, 64 };
    const char *only = argc == 3 && strcmp(argv[1], "--only") == 0 ? argv[2] : NULL;
    bool is_quick = argc == 2 && strcmp(argv[1], "--quick") == 0;
    size_t n_files = is_quick ? 2 : 20;

    if (argc > 1 && !is_quick && only == NULL) {
        fprintf(stderr, "usage: bench_rules [--quick | --only words|jobs|shapes]\n");
        return 2;
    }
    printf("{\"bench\": \"rules\", \"results\": [");
    if (is_wanted(only, "words")) {
        words(is_quick ? 10000 : 200000);
    }
    if (is_wanted(only, "jobs")) {
        jobs(is_quick ? 100 : 1000);
    }
    for (size_t i = 0; i < COUNT(n_shapes) && is_wanted(only, "shapes"); i++) {
        measure_shapes(n_files, n_shapes[i]);
    }
    printf("\n  {}\n]}\n");
    return 0;
}
