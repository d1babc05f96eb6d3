#include "allocator/scrape/promconfig.h"

#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "allocator/codec/yamldoc.h"
#include "tests/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct fixture {
    char *folder;
    struct arena arena;
    struct faults f;
    struct strpool pool;
    struct scrapejobs jobs;
};

static void write_file(const struct fixture *x, const char *name, const char *text)
{
    AUTO_STR path = mem_printf("%s/%s", x->folder, name);
    FILE *f = fopen(path, "we");

    ok(f != NULL && fputs(text, f) >= 0 && fclose(f) == 0, "%s", path);
}

static void setup(struct fixture *x)
{
    *x = (struct fixture){ .folder = check_folder("promconfig") };
    AUTO_STR sub = mem_printf("%s/sub", x->folder);
    is_int(mkdir(sub, 0700), 0, "sub");
    arena_init(&x->arena);
    faults_init(&x->f);
    strpool_init(&x->pool);
}

static void parse(struct fixture *x, const char *yaml, bool with_files)
{
    struct scrape_options options = { .strict = true };
    struct node *root = NULL;

    is_int(yamldoc_parse(span_of(yaml), &x->arena, &root, NULL), 0, "yaml");
    if (with_files) {
        options.base_dir = span_of(x->folder);
    }
    promconfig_parse(root, &options, &x->pool, &x->f, &x->jobs);
}

static void teardown(struct fixture *x)
{
    AUTO_STR command = mem_printf("rm -r '%s'", x->folder);

    is_int(system(command), 0, "%s", command); /* NOLINT(cert-env33-c): a name we made */
    mem_free(x->folder);
    scrapejobs_fini(&x->jobs);
    strpool_fini(&x->pool);
    faults_fini(&x->f);
    arena_fini(&x->arena);
}

static void test_imports(void)
{
    struct fixture x;

    setup(&x);
    write_file(&x, "sub/a.yml",
               "scrape_configs: [{job_name: a1, tls_config: {ca_file: ca}}, {job_name: a2}]\n");
    write_file(&x, "sub/b.yml", "scrape_configs: [{job_name: b}]\n");
    write_file(&x, "sub/empty.yml", "");
    parse(&x,
          "{global: {scrape_interval: 5s}, scrape_configs: [{job_name: own}], scrape_config_files: "
          "['sub/*.yml', 'none/*.yml']}",
          true);
    is_int(x.f.n, 0, "no faults");
    is_int(x.jobs.n, 4, "own and imported jobs");
    if (x.jobs.n == 4) {
        is_span(x.jobs.v[1]->name, SPAN_LIT("a1"), "in the order of the files");
        is_str(json_string_value(json_object_get(x.jobs.v[1]->config, "scrape_interval")), "5s",
               "globals of the main file");
        AUTO_STR ca = mem_printf("%s/sub/ca", x.folder);
        const json_t *tls = json_object_get(x.jobs.v[1]->config, "tls_config");
        is_str(json_string_value(json_object_get(tls, "ca_file")), ca,
               "paths are relative to the imported file");
    }
    teardown(&x);
    setup(&x);
    parse(&x, "{scrape_configs: [{job_name: own}], scrape_config_files: ['sub/*.yml']}", false);
    ok(x.jobs.n == 1 && x.f.n == 0, "without a base directory nothing is imported");
    teardown(&x);
}

static const struct fault *fault_in(const struct fixture *x, const char *name)
{
    for (size_t i = 0; i < x->f.n; i++) {
        if (x->f.v[i].file != NULL && strstr(x->f.v[i].file, name) != NULL) {
            return &x->f.v[i];
        }
    }
    return NULL;
}

static void test_bad_imports(void)
{
    struct fixture x;

    setup(&x);
    write_file(&x, "sub/a.yml", "scrape_configs: [{job_name: own}]\n");
    write_file(&x, "sub/b.yml", "global: {}\nscrape_configs: []\n");
    write_file(&x, "sub/c.yml", "scrape_configs: [\n");
    write_file(&x, "sub/d.yml", "[]\n");
    write_file(&x, "sub/e.yml", "scrape_configs:\n- job_name: e\n  sample_limit: x\n");
    parse(&x, "{scrape_configs: [{job_name: own}], scrape_config_files: ['sub/*.yml']}", true);
    is_int(x.f.n_errors, 5, "one fault in each file");
    const struct fault *a = fault_in(&x, "sub/a.yml"), *b = fault_in(&x, "sub/b.yml"),
                       *e = fault_in(&x, "sub/e.yml");
    ok(a != NULL && strstr(a->text, "multiple") != NULL, "a name of the main file");
    ok(b != NULL && strstr(b->text, "field global not known") != NULL, "only scrape_configs");
    ok(fault_in(&x, "sub/c.yml") != NULL && fault_in(&x, "sub/d.yml") != NULL,
       "no YAML, no mapping");
    ok(e != NULL && strcmp(e->path, "scrape_configs[0].sample_limit") == 0 && e->line == 3,
       "path and line in that file");
    ok(x.f.file == NULL, "and back in the main file");
    teardown(&x);
}

/* What is no file, and what is too big. */
static void test_unreadable(void)
{
    struct fixture x;

    setup(&x);
    AUTO_STR folder = mem_printf("%s/sub/a.yml", x.folder);
    AUTO_STR pipe_path = mem_printf("%s/sub/b.yml", x.folder);
    AUTO_STR big = mem_printf("%s/sub/c.yml", x.folder);
    is_int(mkdir(folder, 0700) + mkfifo(pipe_path, 0600), 0, "a folder and a pipe");
    write_file(&x, "sub/c.yml", "x");
    is_int(truncate(big, (off_t)LIMIT_DOCUMENT_BYTES + 1), 0, "too big a file");
    write_file(&x, "sub/d.yml", "scrape_configs: [{job_name: d}]\n");
    parse(&x, "{scrape_config_files: ['sub/*.yml']}", true);
    ok(x.f.n_errors == 3 && fault_in(&x, "sub/a.yml") != NULL &&
           fault_in(&x, "sub/b.yml") != NULL && fault_in(&x, "sub/c.yml") != NULL,
       "one fault each");
    ok(x.jobs.n == 1, "and the file after them is read");
    teardown(&x);
}

static void test_twice(void)
{
    struct fixture x;

    setup(&x);
    write_file(&x, "sub/a.yml", "scrape_configs: [{job_name: a}]\n");
    parse(&x, "{scrape_config_files: ['sub/a.yml', 'sub/*.yml']}", true);
    ok(x.f.n_errors == 1 && x.jobs.n == 1, "the same file twice");
    teardown(&x);
}

static void test_whole_file(void)
{
    struct fixture x;

    setup(&x);
    parse(&x,
          "{alerting: {}, storage: {}, tracing: {endpoint: a}, remote_write: [], remote_read: [], "
          "otlp: {}, "
          "runtime: {}, rule_files: "
          "['a/*.yml']}",
          true);
    is_int(x.f.n, 0, "all that there is");
    parse(&x, "{alert: {}, rule_files: ['*/a.yml'], scrape_config_files: ['*/b.yml'], global: 5}",
          true);
    is_int(x.f.n_errors, 4, "unknown member, two patterns, no mapping");
    teardown(&x);
}

int main(void)
{
    test_imports();
    test_bad_imports();
    test_unreadable();
    test_twice();
    test_whole_file();
    return check_done();
}
