/* Scrape configurations against what they should become. Each folder of tests/golden/scrapeconfig/
 * is a case:
 *   config.yaml  a Prometheus file, upstream's targetallocator.yaml, or an OpenTelemetryCollector
 *   options      words: strict, unfiltered (no relabeling), base=DIR; may be missing
 *   jobs.json    name of the job, or "receiver: name" → the complete scrape config
 *   masked.json  the same as shown to those who may not see secrets
 *   seeds.txt    "job name=value"
 *   faults.txt   as the command line prints them
 * Only the files that are there are compared; at least one must be. "scrapeconfig_test --write
 * CASE…" writes them anew. */
#include "allocator/base/mem.h"
#include "allocator/codec/yamldoc.h"
#include "allocator/scrape/promconfig.h"
#include "allocator/tenant/dropin.h"
#include "allocator/tenant/receivers.h"
#include "tests/check.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#define ROOT "tests/golden/scrapeconfig"

struct outcome {
    char *jobs, *masked, *seeds, *faults;
};

static char *read_text(const char *folder, const char *name)
{
    AUTO_STR path = mem_printf("%s/%s", folder, name);
    FILE *f = fopen(path, "re");
    size_t size = 0;
    char *text = NULL;

    if (f == NULL) {
        return NULL;
    }
    if (getdelim(&text, &size, '\0', f) < 0) {
        free(text);
        text = mem_strdup("");
    }
    fclose(f);
    return text;
}

static struct scrape_options options_of(char *words)
{
    struct scrape_options o = { 0 };
    char *rest = words;

    for (char *word; rest != NULL && (word = strsep(&rest, " \n")) != NULL;) {
        o.strict = o.strict || strcmp(word, "strict") == 0;
        o.filter = strcmp(word, "unfiltered") == 0 ? SCRAPE_FILTER_NONE : o.filter;
        if (strncmp(word, "base=", 5) == 0) {
            o.base_dir = span_of(word + 5);
        }
    }
    return o;
}

static void load(const struct node *root, const struct scrape_options *o, struct strpool *pool,
                 struct faults *f, struct scrapejobs *out)
{
    struct arena arena;
    struct collector c;
    struct dropin dropin;

    arena_init(&arena);
    if (collector_is(root)) {
        collector_read(root, &c);
        collector_check(&c, f);
        const struct receivers_options how = { .scrape = *o };
        (void)receivers_jobs(&c, &how, pool, f, out, NULL);
    } else if (node_get(root, "config") != NULL) {
        dropin_parse(root, f, &dropin);
        dropin_jobs(&dropin, (struct dropin_support){ .has_collectors = true, .has_cluster = true },
                    false, pool, f, out);
    } else {
        promconfig_parse(root, o, pool, f, out);
    }
    arena_fini(&arena);
}

/* jansson's 17 digits would show 1.1 as 1.1000000000000001. */
static char *render(const struct scrapejobs *jobs, bool is_masked)
{
    json_t *all = json_object();

    for (size_t i = 0; i < jobs->n; i++) {
        struct scrapejob *job = jobs->v[i];
        scrapejob_settle(job);
        AUTO_STR name = job->receiver.len == 0 ? mem_printf("%.*s", SPAN_ARG(job->name))
                                               : mem_printf("%.*s: %.*s", SPAN_ARG(job->receiver),
                                                            SPAN_ARG(job->name));
        json_object_set_new(
            all, name, json_loads(is_masked ? job->text_masked : job->text, JSON_ALLOW_NUL, NULL));
    }
    char *text = json_dumps(all, JSON_SORT_KEYS | JSON_INDENT(2) | JSON_REAL_PRECISION(15));
    json_decref(all);
    return text;
}

static char *render_seeds(const struct scrapejobs *jobs)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    for (size_t i = 0; i < jobs->n; i++) {
        for (size_t k = 0; k < jobs->v[i]->n_seeds; k++) {
            const struct label *seed = &jobs->v[i]->seeds[k];
            fprintf(out, "%.*s %s=%.*s\n", SPAN_ARG(jobs->v[i]->name), seed->name->text,
                    SPAN_ARG(seed->value));
        }
    }
    fclose(out);
    return text;
}

static char *render_faults(const struct faults *f)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    faults_print(f, out);
    fclose(out);
    return text;
}

static struct outcome run(const char *folder)
{
    char *text = read_text(folder, "config.yaml");
    AUTO_STR words = read_text(folder, "options");
    struct scrape_options o = options_of(words);
    struct scrapejobs jobs = { 0 };
    struct node *root = NULL;
    struct strpool pool;
    struct faults f;
    struct arena arena;
    struct err err;

    strpool_init(&pool);
    faults_init(&f);
    arena_init(&arena);
    f.file = "config.yaml";
    if (yamldoc_parse(check_at_edge(span_of(text)), &arena, &root, &err) < 0) {
        faults_add(&f, FAULT_ERROR, 0, "%s", err.text);
    } else {
        load(root, &o, &pool, &f, &jobs);
    }
    /* Jobs must not need the document any more. */
    arena_fini(&arena);
    free(text);
    struct outcome got = { render(&jobs, false), render(&jobs, true), render_seeds(&jobs),
                           render_faults(&f) };
    scrapejobs_fini(&jobs);
    faults_fini(&f);
    strpool_fini(&pool);
    return got;
}

static bool compare_text(const char *folder, const char *name, const char *got)
{
    char *want = read_text(folder, name);
    bool is_there = want != NULL;

    if (is_there) {
        is_str(got, want, "%s/%s", folder, name);
    }
    free(want);
    return is_there;
}

static bool compare_json(const char *folder, const char *name, const char *got)
{
    char *want = read_text(folder, name);
    bool is_there = want != NULL;

    if (is_there) {
        is_json(span_of(got), span_of(want), "%s/%s", folder, name);
    }
    free(want);
    return is_there;
}

static void write_text(const char *folder, const char *name, const char *text)
{
    AUTO_STR path = mem_printf("%s/%s", folder, name);
    FILE *f = fopen(path, "we");

    ok(f != NULL && fputs(text, f) >= 0 && fclose(f) == 0, "%s", path);
}

static void one_case(const char *name, bool is_writing)
{
    AUTO_STR folder = mem_printf("%s/%s", ROOT, name);
    struct outcome got = run(folder);
    int n = 0;

    if (is_writing) {
        write_text(folder, "jobs.json", got.jobs);
        write_text(folder, "masked.json", got.masked);
        write_text(folder, "seeds.txt", got.seeds);
        write_text(folder, "faults.txt", got.faults);
    } else {
        n += compare_json(folder, "jobs.json", got.jobs);
        n += compare_json(folder, "masked.json", got.masked);
        n += compare_text(folder, "seeds.txt", got.seeds);
        n += compare_text(folder, "faults.txt", got.faults);
        ok(n > 0, "%s: something to compare", folder);
    }
    free(got.jobs);
    free(got.masked);
    free(got.seeds);
    free(got.faults);
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.' && entry->d_type == DT_DIR;
}

int main(int argc, char **argv)
{
    struct dirent **entries = NULL;

    if (argc > 1 && strcmp(argv[1], "--write") == 0) {
        for (int i = 2; i < argc; i++) {
            one_case(argv[i], true);
        }
        return check_done();
    }
    int n = scandir(ROOT, &entries, is_visible, alphasort);
    ok(n > 0, "cases in " ROOT);
    for (int i = 0; i < n; i++) {
        one_case(entries[i]->d_name, false);
        free(entries[i]);
    }
    free((void *)entries);
    return check_done();
}
