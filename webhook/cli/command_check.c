/* 'check config': reads each file as the command line says, and with it the file_sd files that its
 * jobs name, as promtool does: a target that could not be scraped is an error there. */
#include "webhook/cli/command.h"

#include "allocator/base/limits.h"
#include "allocator/base/terminal.h"
#include "allocator/discovery/pathglob.h"
#include "allocator/discovery/provider.h"
#include "allocator/scrape/verdict.h"
#include "webhook/cli/findings.h"
#include "webhook/cli/input.h"
#include "webhook/cli/report.h"

#include <stdlib.h>

struct file_check {
    FILE *errout;
    const struct scrapejob *job;
    const char *config; /* the file that names the job */
    struct label_builder lb;
    struct sd_batch batch;
    size_t n_errors;
};

static void complain(struct file_check *c, const struct finding *f, const char *what)
{
    const struct sdconfig *section = &c->job->sds[f->section];

    terminal_line(c->errout, "%s: job '%.*s': %s[%zu]: %s", c->config, SPAN_ARG(c->job->name),
                  section->section, section->index, what);
    c->n_errors++;
}

static void check_target(struct file_check *c, const struct finding *f, const struct sd_group *g,
                         struct span address)
{
    struct verdict v;

    arena_reset(c->lb.arena);
    sd_batch_labels(&c->batch, g, address, true, &c->lb);
    verdict_reach(c->job, &c->lb, &v);
    if (v.kind == VERDICT_INVALID) {
        AUTO_STR what =
            mem_printf("%s: target \"%.*s\": %s", f->arrival->source, SPAN_ARG(address), v.reason);
        complain(c, f, what);
    }
}

static void check_file(struct file_check *c, const struct finding *f)
{
    struct err err;

    if (findings_digest(c->job, f, &c->batch, &err) < 0) {
        complain(c, f, err.text);
        return;
    }
    vec_each(&c->batch.groups, g) {
        for (uint32_t i = 0; i < g->n_targets; i++) {
            check_target(c, f, g, g->targets[i]);
        }
    }
}

/* A pattern that no file has: perhaps they come later. */
static void warn_missing(const struct file_check *c, size_t section, const struct findings *found)
{
    const struct sdconfig *sd = &c->job->sds[section];
    struct arena arena;
    struct ask ask;

    arena_init(&arena);
    provider_plan(sd, &arena, &ask);
    for (size_t i = 0; i < ask.file.n_patterns; i++) {
        AUTO_BUF pattern;
        bool is_there = false;
        buf_init(&pattern, MIB);
        pathglob_clean(ask.file.patterns[i], &pattern);
        vec_each(&found->list, f) {
            is_there |= f->section == section &&
                        (span_is(buf_span(&pattern), f->arrival->source) ||
                         pathglob_match(buf_span(&pattern), span_of(f->arrival->source)));
        }
        if (!is_there) {
            terminal_line(c->errout, "%s: warning: job '%.*s': %s[%zu]: there is no file for %.*s",
                          c->config, SPAN_ARG(c->job->name), sd->section, sd->index,
                          SPAN_ARG(ask.file.patterns[i]));
        }
    }
    arena_fini(&arena);
}

static bool reads_files(const struct sdconfig *section)
{
    const struct provider_ops *ops = provider_find(section);
    return ops != NULL && ops->carrier == CARRIER_FILE;
}

static void check_files(struct file_check *c, const struct findings *found)
{
    vec_each(&found->list, f) {
        check_file(c, f);
    }
    if (found->n_failed > 0 || found->n_missing > 0) {
        findings_report_gaps(c->job, found->n_failed, found->n_missing, c->errout);
        c->n_errors++;
        return;
    }
    for (size_t i = 0; i < c->job->n_sds; i++) {
        if (reads_files(&c->job->sds[i])) {
            warn_missing(c, i, found);
        }
    }
}

static bool has_files(const struct scrapejob *job)
{
    for (size_t i = 0; i < job->n_sds; i++) {
        if (reads_files(&job->sds[i])) {
            return true;
        }
    }
    return false;
}

static int check_job(const struct options *o, const char *config, const struct scrapejob *job,
                     struct strpool *pool, FILE *errout)
{
    struct file_check c = { .errout = errout, .job = job, .config = config };
    struct findings found;
    struct arena arena;
    struct err err = { 0 };

    if (!has_files(job)) {
        return EXIT_OK;
    }
    if (findings_discover_once(job, o->timeout_ms, &found, &err) < 0) {
        terminal_line(errout, "otel-ta: %s", err.text);
        return EXIT_CANNOT;
    }
    arena_init(&arena);
    label_builder_init(&c.lb, pool, &arena);
    sd_batch_init(&c.batch, pool);
    check_files(&c, &found);
    sd_batch_fini(&c.batch);
    label_builder_fini(&c.lb);
    arena_fini(&arena);
    findings_fini(&found);
    return c.n_errors > 0 ? EXIT_FAULTS : EXIT_OK;
}

struct outcome { /* of a file that could be read */
    enum input_kind kind;
    size_t n_jobs;
};

static int check_one(const struct options *o, const char *path, FILE *errout, struct outcome *out)
{
    struct tenants_options options = o->tenants;
    struct input input;

    options.include_disabled = true;
    options.thorough = true;
    options.needs_no_collectors = true;
    int code = input_load(&options, (struct input_paths){ &path, 1 }, &input, errout);

    if (code != EXIT_OK) {
        return code;
    }
    for (size_t i = 0; i < input.tenants.n; i++) {
        const struct scrapejobs *jobs = &input.tenants.v[i]->jobs;
        out->n_jobs += jobs->n;
        for (size_t k = 0; k < jobs->n; k++) {
            if (input.kind == INPUT_PROMETHEUS) { /* of the other kinds it was said */
                findings_report_gaps(jobs->v[k], 0, 0, errout);
            }
            int one = check_job(o, path, jobs->v[k], &input.pool, errout);
            code = one > code ? one : code;
        }
    }
    out->kind = input.kind;
    input_fini(&input);
    return code;
}

static int check_text(const struct options *o, const char *path, const struct command_io *io)
{
    struct outcome outcome = { .n_jobs = 0 };
    int code = check_one(o, path, io->errout, &outcome);

    if (code == EXIT_OK) {
        terminal_line(io->out, "%s: %s, %zu scrape job%s, no faults", path,
                      input_name(outcome.kind), outcome.n_jobs, outcome.n_jobs == 1 ? "" : "s");
    }
    return code;
}

/* The same, but what is said goes into 'report'. */
static int check_json(const struct options *o, const char *path, struct report *report)
{
    struct outcome outcome = { .n_jobs = 0 };
    char *text = NULL;
    size_t len = 0;
    FILE *said = open_memstream(&text, &len);

    if (said == NULL) {
        return EXIT_CANNOT;
    }
    int code = check_one(o, path, said, &outcome);
    fclose(said);
    AUTO_STR members = code != EXIT_OK ? mem_strdup("\"valid\":false")
                                       : mem_printf("\"valid\":true,\"kind\":\"%s\",\"jobs\":%zu",
                                                    input_name(outcome.kind), outcome.n_jobs);
    report_file(report, path, members);
    report_lines(report, span_make(text, len), code != EXIT_OK);
    report->is_invalid = report->is_invalid || code != EXIT_OK;
    free(text);
    return code;
}

int command_check(const struct options *o, const struct command_io *io)
{
    struct report report;
    int code = EXIT_OK;

    report_init(&report);
    for (size_t i = 0; i < o->arguments.n; i++) {
        const char *path = o->arguments.v[i];
        int one = o->output == OUTPUT_JSON ? check_json(o, path, &report) : check_text(o, path, io);
        code = one > code ? one : code;
    }
    if (o->output == OUTPUT_JSON) {
        report_print(&report, io->out);
    }
    report_fini(&report);
    return code;
}
