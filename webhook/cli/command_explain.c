/* 'explain': why a target is here, or not, as the engine's state has it (engine/explain.h): its
 * discovered labels, each rule and what it changed, the verdict, and the collector that gets it. */
#include "webhook/cli/command.h"

#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "allocator/base/terminal.h"
#include "allocator/codec/walk.h"
#include "webhook/cli/explainjson.h"
#include "webhook/cli/findings.h"
#include "webhook/cli/input.h"
#include "webhook/cli/report.h"
#include "webhook/cli/survey.h"
#include "webhook/cli/tally.h"

struct explanation {
    const struct options *o;
    const struct command_io *io;
    size_t n_found, n_shown;
    VEC(struct job_tally { /* --summary: of the jobs of one Collector CR, in their order */
                           const struct scrapejob *job;
                           struct tally tally;
    })
    tallies;
    size_t at; /* of 'tallies': the job that is looked at */
};

/* ---- one target */

static void print_label(const struct explanation *x, const char *indent, struct span name,
                        struct span value)
{
    AUTO_BUF text;

    buf_init(&text, LIMIT_LABEL_VALUE * 8);
    buf_add_json(&text, value);
    terminal_line(x->io->out, "%s%.*s = %s", indent, SPAN_ARG(name), text.p);
}

static void print_labels(const struct explanation *x, const struct label *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        print_label(x, "    ", str_span(v[i].name), v[i].value);
    }
}

/* Defaults that no rule mentions are the same in every job: folded. */
static void print_seeds(const struct explanation *x, const struct explain_target *t)
{
    bool is_all = x->o->explain.show_defaults.is_on;
    size_t n_folded = 0;

    terminal_line(x->io->out, "  added from the scrape config:");
    for (size_t i = 0; i < t->n_seeds; i++) {
        const struct explain_seed *seed = &t->seeds[i];
        if (seed->is_plain && !is_all) {
            n_folded++;
        } else {
            print_label(x, "    ", str_span(seed->label.name), seed->label.value);
        }
    }
    if (n_folded > 0) {
        terminal_line(x->io->out, "    and %zu default%s (--show-defaults)", n_folded,
                      n_folded == 1 ? "" : "s");
    }
}

static void print_step(const struct explanation *x, const struct explain_step *step)
{
    terminal_line(x->io->out, "  rule %zu: %s", step->rule, step->description);
    if (step->outcome == RELABEL_DROP) {
        terminal_line(x->io->out, "      dropped");
        return;
    }
    for (size_t i = 0; i < step->n_changes; i++) {
        const struct explain_change *c = &step->changes[i];
        if (c->after.len == 0) {
            terminal_line(x->io->out, "      - %s", c->name->text);
        } else {
            print_label(x, c->before.len == 0 ? "      + " : "      ~ ", str_span(c->name),
                        c->after);
        }
    }
    if (step->idle != NULL) {
        terminal_line(x->io->out, "      %s", step->idle);
    }
}

static void print_verdict(const struct explanation *x, const struct explain_target *t)
{
    FILE *out = x->io->out;

    if (t->verdict.kind == VERDICT_DROPPED) {
        terminal_line(out, "  => dropped by rule %zu", t->verdict.rule);
        return;
    }
    if (t->verdict.kind == VERDICT_INVALID) {
        terminal_line(out, "  => not usable: %s", t->verdict.reason);
        return;
    }
    AUTO_STR whose =
        !t->is_served
            ? mem_printf("the same as %.*s before it, which is served", SPAN_ARG(t->served))
        : t->owner.len == 0
            ? mem_printf("no collector (%s, %zu collectors)", t->strategy, t->n_collectors)
            : mem_printf("collector %.*s (%s)", SPAN_ARG(t->owner), t->strategy);
    terminal_line(out, "  => kept, identity %016llx, %s", (unsigned long long)t->verdict.identity,
                  whose);
}

/* "job NAME", of which Collector CR where there are several to be had, and in which receiver unless
 * it is the usual one. */
static char *title(const struct scrapejob *job, struct span ns, struct span name)
{
    bool is_usual = job->receiver.len == 0 || span_is(job->receiver, "prometheus");

    return mem_printf("job %.*s%s%.*s%s%.*s%s%.*s", SPAN_ARG(job->name), name.len > 0 ? " of " : "",
                      SPAN_ARG(ns), ns.len > 0 ? "/" : "", SPAN_ARG(name),
                      is_usual ? "" : ", receiver ", is_usual ? 0 : (int)job->receiver.len,
                      job->receiver.p);
}

static void print_target(struct explanation *x, const struct explain_target *t)
{
    FILE *out = x->io->out;
    AUTO_STR job = title(t->job, t->ns, t->name);

    fputs(x->n_shown++ > 0 ? "\n" : "", out);
    terminal_line(out, "%s, target %.*s", job, SPAN_ARG(t->address));
    terminal_line(out, "  from %s[%zu]%s%.*s", t->section->section, t->section->index,
                  t->source.len > 0 ? " " : "", SPAN_ARG(t->source));
    terminal_line(out, "  discovered labels:");
    print_labels(x, t->labels, t->n_labels);
    if (t->n_seeds > 0) {
        print_seeds(x, t);
    }
    for (size_t i = 0; i < t->n_steps; i++) {
        print_step(x, &t->steps[i]);
    }
    print_verdict(x, t);
}

static void print_object(struct explanation *x, const struct explain_target *t)
{
    AUTO_BUF json;

    buf_init(&json, 4 * LIMIT_DOCUMENT_BYTES);
    explainjson_add(t, &json);
    fputs(x->n_shown++ > 0 ? ",\n" : "", x->io->out);
    report_json(buf_span(&json), x->io->out);
}

static void take_target(void *arg, const struct explain_target *t)
{
    struct explanation *x = arg;

    x->n_found++;
    if (!x->o->explain.summary.is_on) {
        if (!x->o->explain.dropped.is_on || t->verdict.kind != VERDICT_KEPT) {
            (x->o->output == OUTPUT_JSON ? print_object : print_target)(x, t);
        }
        return;
    }
    while (x->tallies.v[x->at].job != t->job) { /* jobs come in the same order */
        x->at++;
    }
    tally_count(&x->tallies.v[x->at].tally, t);
}

/* ---- what is asked */

/* What has to be known of the files when the state has taken them. */
struct subjects {
    struct arena arena;
    VEC(struct explain_question) tenants;
    VEC(const char *) jobs; /* their names, ended by NULL */
};

static void list_subjects(struct subjects *s, const struct tenants *tenants,
                          const struct options *o)
{
    arena_init(&s->arena);
    for (size_t i = 0; i < tenants->n; i++) {
        const struct tenant *t = tenants->v[i];
        *vec_push(&s->tenants) = (struct explain_question){ .ns = arena_span(&s->arena, t->ns),
                                                            .name = arena_span(&s->arena, t->name),
                                                            .job = span_of(o->explain.job),
                                                            .target = span_of(o->explain.target) };
        for (size_t k = 0; k < t->jobs.n; k++) {
            struct span name = t->jobs.v[k]->name;
            *vec_push(&s->jobs) = arena_strndup(&s->arena, name.p, name.len);
        }
    }
    *vec_push(&s->jobs) = NULL;
}

static void free_subjects(struct subjects *s)
{
    vec_fini(&s->tenants);
    vec_fini(&s->jobs);
    arena_fini(&s->arena);
}

static bool has_job(const struct subjects *s, const char *name)
{
    for (const char *const *job = s->jobs.v; *job != NULL; job++) {
        if (strcmp(*job, name) == 0) {
            return true;
        }
    }
    return false;
}

/* ---- command */

static void take_job(void *arg, const struct explain_job *j)
{
    struct explanation *x = arg;
    const char *wanted = x->o->explain.job;

    findings_report_gaps(j->job, j->n_failed, j->n_missing, x->io->errout);
    for (size_t i = 0; i < j->n_faults; i++) {
        terminal_line(x->io->errout, "otel-ta: %s", j->faults[i]);
    }
    if (x->o->explain.summary.is_on && (wanted == NULL || span_is(j->job->name, wanted))) {
        struct job_tally *t = vec_push(&x->tallies);
        t->job = j->job;
        tally_init(&t->tally);
    }
}

static void print_tallies(struct explanation *x, const struct explain_question *q)
{
    vec_each(&x->tallies, t) {
        AUTO_STR job = title(t->job, q->ns, q->name);
        bool is_shown = tally_print(&t->tally, job, x->o->explain.dropped.is_on, x->io->out);
        x->n_shown += is_shown && t->tally.n > 0;
        tally_fini(&t->tally);
    }
    vec_clear(&x->tallies);
    x->at = 0;
}

/* No such target in the jobs, no target at all, or none of those that were asked for. */
static int report_nothing(const struct explanation *x)
{
    FILE *errout = x->io->errout;

    if (x->n_found > 0) {
        terminal_line(errout, "otel-ta explain: every target is kept");
        return EXIT_OK;
    }
    if (x->o->explain.target != NULL) {
        terminal_line(errout, "otel-ta explain: no target '%s' was discovered",
                      x->o->explain.target);
    } else {
        terminal_line(errout, "otel-ta explain: no target was discovered");
    }
    return EXIT_FAULTS;
}

/* There is no such job, or none at all. */
static bool is_jobless(const struct options *o, const struct subjects *s, const struct input *input,
                       FILE *errout)
{
    bool is_known = o->explain.job == NULL || has_job(s, o->explain.job);

    if (!is_known && input_report_left(input, o->explain.job, "otel-ta explain: ", errout)) {
        return true;
    }
    if (s->jobs.n == 1 && (is_known || input->tenants.passed_over.n > 0)) {
        input_report_jobless(input, "otel-ta explain: ", errout);
        return true;
    }
    if (!is_known) {
        const char *nearest = walk_nearest(span_of(o->explain.job), s->jobs.v);
        terminal_line(errout, "otel-ta explain: there is no job '%s'%s%s%s", o->explain.job,
                      nearest == NULL ? "" : "; did you mean '", nearest == NULL ? "" : nearest,
                      nearest == NULL ? "" : "'?");
    }
    return !is_known;
}

static int explain(struct explanation *x, struct survey *survey, struct input *input,
                   const struct subjects *subjects) ON(engine)
{
    int code = survey_run(survey, &input->tenants, x->o->timeout_ms, x->io->errout);

    if (code != EXIT_OK) {
        return code;
    }
    bool is_json = x->o->output == OUTPUT_JSON;
    fputs(is_json ? "[\n" : "", x->io->out);
    vec_each(&subjects->tenants, q) {
        explain_jobs(survey->explain, q->ns, q->name, take_job, x);
        explain_targets(survey->explain, q, take_target, x);
        print_tallies(x, q);
    }
    fputs(is_json ? "]\n" : "", x->io->out);
    vec_fini(&x->tallies);
    return x->n_shown == 0 ? report_nothing(x) : EXIT_OK;
}

int command_explain(const struct options *o, const struct command_io *io)
{
    struct tenants_options options = o->tenants;
    struct explanation x = { .o = o, .io = io };
    struct subjects subjects = { 0 };
    struct survey survey;
    struct input input;

    options.needs_no_collectors = true;
    int code = input_load(&options, input_paths(o), &input, io->errout);
    if (code != EXIT_OK) {
        return code;
    }
    role_enter(engine); /* this command has no engine thread: the main thread is it */
    list_subjects(&subjects, &input.tenants, o);
    if (is_jobless(o, &subjects, &input, io->errout)) {
        code = EXIT_FAULTS;
    } else {
        code = survey_open(&survey, &o->watcher, true, io->errout);
        if (code == EXIT_OK) {
            code = explain(&x, &survey, &input, &subjects);
            survey_close(&survey);
        }
    }
    free_subjects(&subjects);
    input_fini(&input);
    return code;
}
