#include "allocator/scrape/scrapejob.h"

#include "allocator/base/limits.h"
#include "allocator/codec/nodecopy.h"
#include "allocator/codec/yamldoc.h"
#include "allocator/scrape/pathtext.h"
#include "tests/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct fixture {
    struct arena arena;
    struct faults f;
    struct strpool pool;
    struct scrape_options options;
    struct scrape_globals globals;
    struct scrapejob *job;
};

static void setup(struct fixture *x)
{
    *x = (struct fixture){ .options.strict = true };
    arena_init(&x->arena);
    faults_init(&x->f);
    strpool_init(&x->pool);
    scrape_globals_parse(NULL, true, &x->f, &x->globals);
}

static void parse(struct fixture *x, const char *yaml)
{
    struct node *root = NULL;

    is_int(yamldoc_parse(span_of(yaml), &x->arena, &root, NULL), 0, "%s", yaml);
    x->job = scrapejob_parse(root, &x->globals, &x->options, &x->pool, &x->f);
}

static void teardown(struct fixture *x)
{
    scrapejob_free(&x->job);
    strpool_fini(&x->pool);
    faults_fini(&x->f);
    arena_fini(&x->arena);
}

static struct span seed_of(const struct scrapejob *job, const char *name)
{
    for (size_t i = 0; i < job->n_seeds; i++) {
        if (span_is(str_span(job->seeds[i].name), name)) {
            return job->seeds[i].value;
        }
    }
    return SPAN_LIT("");
}

static const char *text_at(const json_t *config, const char *list, const char *key)
{
    return json_string_value(
        json_object_get(json_array_get(json_object_get(config, list), 0), key));
}

static void test_seeds(void)
{
    static const char *const order[] = {
        "__always_scrape_classic_histograms__",
        "__convert_classic_histograms_to_nhcb__",
        "__metrics_path__",
        "__param_module",
        "__scheme__",
        "__scrape_interval__",
        "__scrape_native_histograms__",
        "__scrape_timeout__",
        "job",
    };
    static const char yaml[] =
        "{job_name: j, scrape_interval: 90s, params: {module: [a, b], empty: [], blank: ['']}}";
    struct fixture x;

    setup(&x);
    parse(&x, yaml);
    is_int(x.job->n_seeds, COUNT(order), "seeds");
    for (size_t i = 0; i < x.job->n_seeds && i < COUNT(order); i++) {
        is_str(x.job->seeds[i].name->text, order[i], "seed %zu", i);
    }
    is_span(seed_of(x.job, "__scrape_interval__"), SPAN_LIT("1m30s"),
            "interval as Prometheus prints it");
    is_span(seed_of(x.job, "__scrape_timeout__"), SPAN_LIT("10s"), "timeout");
    is_span(seed_of(x.job, "__param_module"), SPAN_LIT("a"), "first value");
    is_span(seed_of(x.job, "__scrape_native_histograms__"), SPAN_LIT("false"), "histogram seed");
    strpool_sweep(&x.pool);
    is_span(seed_of(x.job, "job"), SPAN_LIT("j"), "seed names are pinned");
    teardown(&x);

    setup(&x);
    parse(&x, "{job_name: j}");
    for (size_t i = 0; i < x.job->n_seeds; i++) {
        const struct label *seed = &x.job->seeds[i];
        is_int(scrapejob_is_default_seed(seed), !span_is(str_span(seed->name), "job"),
               "%s is a default", seed->name->text);
    }
    teardown(&x);
    setup(&x);
    parse(&x, "{job_name: j, scrape_interval: 2m, scrape_timeout: 9s, metrics_path: /m, "
              "scheme: https, params: {a: [b]}, convert_classic_histograms_to_nhcb: true, "
              "always_scrape_classic_histograms: true, scrape_native_histograms: true}");
    for (size_t i = 0; i < x.job->n_seeds; i++) {
        const struct label *seed = &x.job->seeds[i];
        ok(!scrapejob_is_default_seed(seed), "%s is none", seed->name->text);
    }
    teardown(&x);

    setup(&x);
    x.options.filter = SCRAPE_FILTER_NONE;
    parse(&x, "{job_name: j, relabel_configs: [{target_label: a}]}");
    ok(x.job->n_seeds == 0 && x.job->rules == NULL, "no filter, no seeds, no rules");
    ok(json_array_size(json_object_get(x.job->config, "relabel_configs")) == 1,
       "the rules are shown all the same");
    teardown(&x);
}

static void is_entry(const struct sdconfig *section, const char *json, const char *what)
{
    AUTO_BUF text;

    buf_init(&text, MIB);
    node_write_json(section->entry, &text);
    is_span(buf_span(&text), span_of(json), "%s", what);
}

/* The collector would unescape everything; so does the job, in values, not in keys. */
static void test_dollars(void)
{
    static const char yaml[] = "job_name: a$$b\n"
                               "params: {k$$: [$$v]}\n"
                               "static_configs: [{targets: ['$$t'], labels: {l: a$$$$b$c}}]\n"
                               "relabel_configs: [{target_label: x, replacement: '$${1}-$$1'}]\n";
    struct fixture x;

    setup(&x);
    x.options.unescape_dollars = true;
    parse(&x, yaml);
    is_span(x.job->name, SPAN_LIT("a$b"), "job name");
    is_str(text_at(x.job->config, "relabel_configs", "replacement"), "${1}-$1", "replacement");
    is_entry(&x.job->sds[0], "[{\"labels\":{\"l\":\"a$$b$c\"},\"targets\":[\"$t\"]}]",
             "one level only, single ones stay");
    ok(json_object_get(json_object_get(x.job->config, "params"), "k$$") != NULL, "keys stay");
    teardown(&x);

    setup(&x);
    parse(&x, yaml);
    is_span(x.job->name, SPAN_LIT("a$$b"), "elsewhere nothing is unescaped");
    teardown(&x);
}

static void test_sections(void)
{
    struct fixture x;

    setup(&x);
    parse(&x, "job_name: j\n"
              "http_sd_configs: [{url: 'http://u:p@h/', refresh_interval: 5s, basic_auth: "
              "{username: u, password: p}}]\n"
              "static_configs: [{targets: [a, b]}, {targets: [c], labels: {l: yes}}]\n"
              "kubernetes_sd_configs: [{role: pod}, {role: node}]\n"
              "file_sd_configs: [{files: [a.yml, b.json]}]\n");
    is_int(x.job->n_sds, 5, "sections in document order");
    is_str(x.job->sds[0].section, "http_sd_configs", "http");
    is_int(x.job->sds[0].refresh_ms, 5000, "refresh");
    is_entry(&x.job->sds[0],
             "{\"basic_auth\":{\"password\":\"p\",\"username\":\"u\"},\"refresh_interval\":\"5s\","
             "\"url\":\"http://u:p@h/\"}",
             "the members are the mechanism's");
    is_str(x.job->sds[1].section, "static_configs", "static");
    is_entry(&x.job->sds[1],
             "[{\"targets\":[\"a\",\"b\"]},{\"labels\":{\"l\":\"yes\"},\"targets\":[\"c\"]}]",
             "all groups in one");
    is_int(x.job->sds[1].refresh_ms, 0, "nothing to refresh");
    ok(sdconfig_is_run(span_of(x.job->sds[2].section)), "kubernetes is run");
    is_str(x.job->sds[3].section, "kubernetes_sd_configs", "named");
    is_int(x.job->sds[3].index, 1, "second of its section");
    ok(sdconfig_is_run(span_of(x.job->sds[4].section)), "files are");
    is_int(x.job->sds[4].refresh_ms, 300000, "five minutes");
    is_entry(&x.job->sds[4], "{\"files\":[\"a.yml\",\"b.json\"]}", "patterns");
    is_str(text_at(x.job->config, "http_sd_configs", "url"), "http://u:p@h/", "URL in clear");
    is_str(text_at(x.job->config_masked, "http_sd_configs", "url"), "http://u:xxxxx@h/",
           "URL masked");
    teardown(&x);
}

static void test_text(void)
{
    static const char yaml[] =
        "{native_histogram_min_bucket_factor: 1.1, job_name: j, static_configs: [{targets: [a]}]}";
    struct fixture x;

    setup(&x);
    parse(&x, yaml);
    scrapejob_settle(x.job);
    const char *text = x.job->text;
    ok(strstr(text, "\"native_histogram_min_bucket_factor\":1.1,") != NULL, "as it was written");
    ok(strstr(text, "\"job_name\"") < strstr(text, "\"static_configs\""), "sorted");
    teardown(&x);
}

static void test_strict(void)
{
    static const char yaml[] =
        "{job_name: j, relabel_config: [], static_configs: [{targets: [a], label: {}}]}";
    struct fixture x;

    setup(&x);
    parse(&x, yaml);
    ok(x.job == NULL && x.f.n_errors == 2, "strict: errors");
    teardown(&x);
    setup(&x);
    x.options.strict = false;
    parse(&x, yaml);
    ok(x.job != NULL && x.f.n_errors == 0, "lenient: a job");
    is_int(x.f.n, 2, "and warnings");
    is_str(x.f.v[0].text, "field relabel_config not known; did you mean 'relabel_configs'?",
           "nearest name");
    is_int(x.f.v[0].severity, FAULT_WARNING, "severity");
    ok(x.job != NULL && json_object_get(x.job->config, "relabel_config") == NULL,
       "not in the JSON");
    teardown(&x);
}

/* Several faults of one job in one pass, each at its place. */
static void test_paths(void)
{
    static const char *const want[] = {
        "scrape_configs[1].sample_limit",
        "scrape_configs[1].static_configs[1].targets[0]",
        "scrape_configs[1].relabel_configs[0].regex",
        "scrape_configs[2].job_name",
    };
    static const char yaml[] =
        "- job_name: a\n"
        "- job_name: b\n"
        "  sample_limit: x\n"
        "  static_configs: [{targets: [a]}, {targets: [[]]}]\n"
        "  relabel_configs: [{source_labels: [a], action: keep, regex: '('}]\n"
        "- job_name: a\n";
    struct scrapejobs jobs = { 0 };
    struct node *root = NULL;
    struct fixture x;

    setup(&x);
    is_int(yamldoc_parse(SPAN_LIT(yaml), &x.arena, &root, NULL), 0, "yaml");
    scrapejobs_parse(root, &x.globals, &x.options, &x.pool, &x.f, &jobs);
    is_int(jobs.n, 1, "one good job");
    is_int(x.f.n, COUNT(want), "faults");
    for (size_t i = 0; i < COUNT(want); i++) {
        bool is_there = false;
        for (size_t k = 0; k < x.f.n; k++) {
            is_there = is_there || strcmp(x.f.v[k].path, want[i]) == 0;
        }
        ok(is_there, "a fault at %s", want[i]);
    }
    scrapejobs_fini(&jobs);
    teardown(&x);
}

/* Equal names are told apart by their receiver only. */
static void test_duplicates(void)
{
    struct scrapejobs jobs = { 0 };
    struct node *root = NULL;
    struct fixture x;

    setup(&x);
    is_int(yamldoc_parse(SPAN_LIT("- job_name: a\n"), &x.arena, &root, NULL), 0, "yaml");
    scrapejobs_parse(root, &x.globals, &x.options, &x.pool, &x.f, &jobs);
    scrapejobs_parse(root, &x.globals, &x.options, &x.pool, &x.f, &jobs);
    ok(jobs.n == 1 && x.f.n_errors == 1, "a second list repeats a name");
    jobs.v[0]->receiver = SPAN_LIT("prometheus");
    scrapejobs_parse(root, &x.globals, &x.options, &x.pool, &x.f, &jobs);
    ok(jobs.n == 2 && x.f.n_errors == 1, "of another receiver it may");
    scrapejobs_fini(&jobs);
    teardown(&x);
}

/* A name that comes in through a merge key counts like any other; the job's own member wins. */
static void test_merge(void)
{
    static const char yaml[] =
        "x: &base {scrape_interval: 7s, metrics_path: /base, params: {a: [b]}}\n"
        "job: {<<: *base, job_name: j, metrics_path: /own}\n";
    struct node *root = NULL;
    struct fixture x;

    setup(&x);
    is_int(yamldoc_parse(SPAN_LIT(yaml), &x.arena, &root, NULL), 0, "yaml");
    x.job = scrapejob_parse(node_get(root, "job"), &x.globals, &x.options, &x.pool, &x.f);
    is_int(x.f.n, 0, "no faults");
    is_span(seed_of(x.job, "__scrape_interval__"), SPAN_LIT("7s"), "merged");
    is_span(seed_of(x.job, "__metrics_path__"), SPAN_LIT("/own"), "own");
    is_str(json_string_value(json_object_get(x.job->config, "metrics_path")), "/own",
           "also in the JSON");
    teardown(&x);
}

static void test_pathtext(void)
{
    static const struct {
        const char *base, *path, *joined;
    } t[] = {
        { "", "a", "a" },           { "/b", "", "" },
        { "/b", "/a", "/a" },       { "/b", "a", "/b/a" },
        { "/b/", "./a", "/b/a" },   { "/b/c", "../a", "/b/a" },
        { "/b", "../../a", "/a" },  { "b", "../a", "a" },
        { "b", "../../a", "../a" }, { ".", "a", "a" },
        { "b", "..", "." },         { "..", "../a", "../../a" },
        { "/", "a", "/a" },         { "b//c", "a//d/.", "b/c/a/d" },
    };
    static const struct {
        const char *path, *dir;
    } d[] = { { "a", "." }, { "/a", "/" }, { "a/b", "a" }, { "/a/b/c", "/a/b" }, { "", "." } };

    for (size_t i = 0; i < COUNT(t); i++) {
        struct arena arena;
        arena_init(&arena);
        is_span(pathtext_join(span_of(t[i].base), span_of(t[i].path), &arena), span_of(t[i].joined),
                "'%s' + '%s'", t[i].base, t[i].path);
        arena_fini(&arena);
    }
    for (size_t i = 0; i < COUNT(d); i++) {
        is_span(pathtext_dir(span_of(d[i].path)), span_of(d[i].dir), "folder of '%s'", d[i].path);
    }
}

static void test_numbers(void)
{
    struct fixture x;

    setup(&x);
    parse(&x, "{job_name: j, native_histogram_min_bucket_factor: 1.5, sample_limit: 0x10, "
              "target_limit: 9223372036854775807}");
    is_int(x.f.n, 0, "no faults");
    ok(json_real_value(json_object_get(x.job->config, "native_histogram_min_bucket_factor")) == 1.5,
       "a real");
    is_int(json_integer_value(json_object_get(x.job->config, "sample_limit")), 16, "hexadecimal");
    is_int(json_integer_value(json_object_get(x.job->config, "target_limit")), INT64_MAX,
           "largest");
    teardown(&x);
    setup(&x);
    parse(&x, "{job_name: j, native_histogram_min_bucket_factor: 2.0, sample_limit: "
              "9223372036854775808}");
    is_int(x.f.n_errors, 1, "too large");
    teardown(&x);
    setup(&x);
    parse(&x, "{job_name: j, native_histogram_min_bucket_factor: 2.0}");
    is_int(json_integer_value(json_object_get(x.job->config, "native_histogram_min_bucket_factor")),
           2, "an integer");
    teardown(&x);
}

/* One job's patterns may take so much; its neighbours have theirs, and who goes on and on is
 * stopped.
 */
static void test_patterns(void)
{
    static const char *const hostile[] = {
        "[\\pL]{180}",      "[\\pL]{40}",        "(?i)[^\\PL]{30}", "x{1000}y",
        "(x{1,10}){1,100}", "((a{10}){10}){9}b", "(\\pL|\\pN){50}", "[^a]{900}",
    };

    for (size_t k = 0; k < COUNT(hostile); k++) {
        struct fixture x;
        struct scrapejobs jobs = { 0 };
        struct node *root = NULL;
        AUTO_BUF text;

        setup(&x);
        buf_init(&text, 4 * MIB);
        buf_add_str(
            &text,
            "- {job_name: before, relabel_configs: [{regex: 'a.*?\\pL', action: labeldrop}]}\n");
        for (size_t j = 0; j < 50; j++) {
            buf_addf(&text, "- job_name: hostile-%zu\n  relabel_configs:\n", j);
            for (size_t r = 0; r < 500; r++) {
                buf_addf(&text, "  - {regex: '%s', action: labeldrop}\n", hostile[k]);
            }
        }
        buf_add_str(&text,
                    "- {job_name: after, relabel_configs: [{regex: 'a|b', action: labeldrop}]}\n");
        is_int(yamldoc_parse(buf_span(&text), &x.arena, &root, NULL), 0, "jobs with %s",
               hostile[k]);
        struct regex_budget patterns = regex_budget_new();
        x.options.patterns = &patterns;
        clock_t from = clock();
        scrapejobs_parse(root, &x.globals, &x.options, &x.pool, &x.f, &jobs);
        double cpu_s = (double)(clock() - from) / CLOCKS_PER_SEC;
        ok(cpu_s < 10, "  take %.2f s", cpu_s);
        is_int(jobs.n, 2, "  its neighbours are good");
        is_span(jobs.v[0]->name, SPAN_LIT("before"), "  the one before");
        is_span(jobs.v[jobs.n - 1]->name, SPAN_LIT("after"),
                "  and the one after, whose rule costs nothing");
        ok(strstr(x.f.v[0].text, "name fewer characters or fewer repetitions") != NULL,
           "  the reason is in words: %s", x.f.v[0].text);
        scrapejobs_fini(&jobs);
        teardown(&x);
    }
}

/* As many as a large Collector has. */
static void test_ordinary_patterns(void)
{
    struct fixture x;
    struct scrapejobs jobs = { 0 };
    struct node *root = NULL;
    AUTO_BUF text;

    setup(&x);
    buf_init(&text, 4 * MIB);
    for (size_t j = 0; j < 1200; j++) {
        buf_addf(
            &text,
            "- job_name: j%zu\n  relabel_configs:\n"
            "  - {source_labels: [a, b], regex: '([^:]+)(?::\\d+)?;(\\d+)', target_label: c, "
            "replacement: '$1:$2'}\n"
            "  - {regex: '__meta_kubernetes_pod_label_(.+)', action: labelmap}\n"
            "  - {source_labels: [a], regex: '.*-(metrics|http)', action: keep}\n"
            "  - {source_labels: [a], regex: 'Pending|Succeeded|Failed|Completed', action: drop}\n",
            j);
    }
    is_int(yamldoc_parse(buf_span(&text), &x.arena, &root, NULL), 0, "1,200 ordinary jobs");
    scrapejobs_parse(root, &x.globals, &x.options, &x.pool, &x.f, &jobs);
    is_int(jobs.n, 1200, "all of them are good: %s", x.f.n > 0 ? x.f.v[0].text : "");
    scrapejobs_fini(&jobs);
    teardown(&x);
}

/* What reading a job takes, with rules that are compiled and sections of many fields, does not stay
 * with it. */
static void test_size(void)
{
    struct fixture x;

    setup(&x);
    x.options.receiver = SPAN_LIT("prometheus/a");
    parse(&x, "job_name: j\n"
              "params: {a: [b]}\n"
              "relabel_configs: [{source_labels: [a, b, c], target_label: x}, {action: labeldrop, "
              "regex: a}]\n"
              "metric_relabel_configs: [{source_labels: [a, b, c], target_label: x}]\n"
              "static_configs: [{targets: [a]}]\n");
    ok(x.job->arena.used_bytes <= 2 * KIB, "at most 2 KiB: %zu", x.job->arena.used_bytes);
    arena_fini(&x.arena);
    is_span(x.job->receiver, SPAN_LIT("prometheus/a"), "receiver");
    is_span(seed_of(x.job, "__param_a"), SPAN_LIT("b"), "seeds");
    is_entry(&x.job->sds[0], "[{\"targets\":[\"a\"]}]", "sections");
    teardown(&x);
}

/* What all jobs take has a cap: who goes over it is refused, in words; nobody pays for a job that
 * is none. */
static void test_room(void)
{
    static const char yaml[] = "- {job_name: a}\n- {job_name: a}\n- {job_name: b, x: 1}\n"
                               "- {job_name: c}\n- {job_name: d}\n- {job_name: e}\n";
    struct scrapejobs all = { 0 }, some = { 0 };
    struct node *root = NULL;
    struct fixture x;
    size_t room = SIZE_MAX;

    setup(&x);
    x.options.strict = x.options.as_text = true;
    x.options.room = &room;
    is_int(yamldoc_parse(SPAN_LIT(yaml), &x.arena, &root, NULL), 0, "yaml");
    scrapejobs_parse(root, &x.globals, &x.options, &x.pool, &x.f, &all);
    is_int(all.n, 4, "four are good");
    size_t weight = all.v[0]->weight;
    ok(weight > 3 * KIB && weight < 8 * KIB, "a small one weighs %zu bytes", weight);
    is_int(SIZE_MAX - room, weight + all.v[1]->weight + all.v[2]->weight + all.v[3]->weight,
           "and the others cost nothing");
    room = weight + all.v[1]->weight + all.v[2]->weight / 2;
    faults_fini(&x.f);
    faults_init(&x.f);
    scrapejobs_parse(root, &x.globals, &x.options, &x.pool, &x.f, &some);
    is_int(some.n, 2, "two of them have room");
    is_span(some.v[1]->name, SPAN_LIT("c"), "the first ones");
    is_int(some.refused.n, 4, "the others are refused");
    is_str(some.refused.v[3].name, "e", "by name");
    ok(strstr(some.refused.v[3].why, "no room: the scrape jobs of all Collectors") != NULL, "%s",
       some.refused.v[3].why);
    scrapejobs_fini(&all);
    scrapejobs_fini(&some);
    teardown(&x);
}

int main(void)
{
    test_room();
    test_seeds();
    test_dollars();
    test_sections();
    test_text();
    test_strict();
    test_paths();
    test_duplicates();
    test_merge();
    test_pathtext();
    test_numbers();
    test_patterns();
    test_ordinary_patterns();
    test_size();
    return check_done();
}
