/* 'explain': why a target is here, or not, as the engine's state has it (engine/explain.h): its
 * discovered labels, each rule and what it changed, the verdict, and the collector that gets it. */
#include "webhook/cli/command.h"

#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "allocator/base/terminal.h"
#include "allocator/codec/walk.h"
#include "webhook/cli/findings.h"
#include "webhook/cli/input.h"
#include "webhook/cli/survey.h"

struct explanation {
    const struct options *o;
    const struct command_io *io;
    size_t n_shown;
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
    if (step->n_changes == 0) {
        terminal_line(x->io->out, "      no change");
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

/* Whose target it is: "job NAME", and of which Collector CR where there are several to be had. */
static char *title(const struct explain_target *t)
{
    return t->name.len == 0
               ? mem_printf("job %.*s", SPAN_ARG(t->job->name))
               : mem_printf("job %.*s of %.*s%s%.*s", SPAN_ARG(t->job->name), SPAN_ARG(t->ns),
                            t->ns.len > 0 ? "/" : "", SPAN_ARG(t->name));
}

static void print_target(void *arg, const struct explain_target *t)
{
    struct explanation *x = arg;
    FILE *out = x->io->out;
    AUTO_STR job = title(t);

    fputs(x->n_shown++ > 0 ? "\n" : "", out);
    terminal_line(out, "%s, target %.*s", job, SPAN_ARG(t->address));
    terminal_line(out, "  from %s[%zu]%s%.*s", t->section->section, t->section->index,
                  t->source.len > 0 ? " " : "", SPAN_ARG(t->source));
    terminal_line(out, "  discovered labels:");
    print_labels(x, t->labels, t->n_labels);
    if (t->n_seeds > 0) {
        terminal_line(out, "  added from the scrape config:");
        print_labels(x, t->seeds, t->n_seeds);
    }
    for (size_t i = 0; i < t->n_steps; i++) {
        print_step(x, &t->steps[i]);
    }
    print_verdict(x, t);
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
                                                            .job = span_of(o->job),
                                                            .target = span_of(o->target) };
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

static void report_gaps(void *arg, const struct explain_job *j)
{
    const struct explanation *x = arg;

    findings_report_gaps(j->job, j->n_failed, j->n_missing, x->io->errout);
    for (size_t i = 0; i < j->n_faults; i++) {
        terminal_line(x->io->errout, "otel-ta: %s", j->faults[i]);
    }
}

/* Nothing was printed: no such target in the jobs, or no target at all. */
static int report_nothing(const struct explanation *x)
{
    if (x->o->target != NULL) {
        terminal_line(x->io->errout, "otel-ta explain: no target '%s' was discovered",
                      x->o->target);
    } else {
        terminal_line(x->io->errout, "otel-ta explain: no target was discovered");
    }
    return EXIT_FAULTS;
}

/* There is no such job, or none at all. */
static bool is_jobless(const struct options *o, const struct subjects *s, const struct input *input,
                       FILE *errout)
{
    bool is_known = o->job == NULL || has_job(s, o->job);

    if (s->jobs.n == 1 && (is_known || input->tenants.passed_over.n > 0)) {
        input_report_jobless(input, "otel-ta explain: ", errout);
        return true;
    }
    if (!is_known) {
        const char *nearest = walk_nearest(span_of(o->job), s->jobs.v);
        terminal_line(errout, "otel-ta explain: there is no job '%s'%s%s%s", o->job,
                      nearest == NULL ? "" : "; did you mean '", nearest == NULL ? "" : nearest,
                      nearest == NULL ? "" : "'?");
    }
    return !is_known;
}

static int explain(struct explanation *x, struct survey *survey, struct input *input,
                   const struct subjects *subjects) ON(engine)
{
    int code = survey_run(survey, &input->tenants, x->o->timeout_ms, x->io->errout);

    vec_each(&subjects->tenants, q) {
        if (code == EXIT_OK) {
            explain_jobs(survey->explain, q->ns, q->name, report_gaps, x);
            explain_targets(survey->explain, q, print_target, x);
        }
    }
    return code == EXIT_OK && x->n_shown == 0 ? report_nothing(x) : code;
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
        code = survey_open(&survey, true, io->errout);
        if (code == EXIT_OK) {
            code = explain(&x, &survey, &input, &subjects);
            survey_close(&survey);
        }
    }
    free_subjects(&subjects);
    input_fini(&input);
    return code;
}
