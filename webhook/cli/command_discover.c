/* 'check service-discovery FILE JOB': what promtool's command of that name prints (Prometheus
 * cmd/promtool/sd.go): for each distinct target its labels before and after relabeling.
 * Deviations: ends when every section has answered, not when the time is over; "error" is the
 * reason as text, where promtool prints {}; of several jobs with that name, which a Prometheus
 * cannot have, each target says whose it is: "collector" and "receiver". */
#include "webhook/cli/command.h"

#include "allocator/base/mem.h"
#include "allocator/base/terminal.h"
#include "webhook/cli/findings.h"
#include "webhook/cli/input.h"
#include "webhook/cli/survey.h"

#include <jansson.h>

struct listing {
    const struct command_io *io;
    bool has_twins; /* several jobs have the name */
    int code;
    json_t *results;
    json_t *seen; /* object: the text of each result */
};

/* ---- a target */

static json_t *text_to_json(struct span s)
{
    json_t *text = json_stringn(s.len == 0 ? "" : s.p, s.len);
    return text == NULL ? json_stringn_nocheck(s.p, s.len) : text;
}

static void set_label(json_t *object, const struct label *label)
{
    json_object_set_new_nocheck(object, label->name->text, text_to_json(label->value));
}

/* Those of its source, empty ones left out, and what the scrape config adds. */
static json_t *discovered_labels(const struct explain_target *t)
{
    json_t *object = json_object();

    for (size_t i = 0; i < t->n_labels; i++) {
        if (t->labels[i].value.len > 0) {
            set_label(object, &t->labels[i]);
        }
    }
    for (size_t i = 0; i < t->n_seeds; i++) {
        set_label(object, &t->seeds[i].label);
    }
    return object;
}

static json_t *final_labels(const struct explain_target *t)
{
    json_t *object = json_object();

    for (size_t i = 0; t->verdict.kind == VERDICT_KEPT && i < t->n_final_labels; i++) {
        if (!t->final_labels[i].name->is_meta) {
            set_label(object, &t->final_labels[i]);
        }
    }
    return object;
}

static void add_result(struct listing *l, json_t *result)
{
    char *text = json_dumps(result, JSON_COMPACT | JSON_SORT_KEYS);

    if (text != NULL && json_object_get(l->seen, text) == NULL) {
        json_object_set_new_nocheck(l->seen, text, json_true());
        json_array_append(l->results, result);
    }
    mem_free(text);
    json_decref(result);
}

static void add_target(void *arg, const struct explain_target *t)
{
    struct listing *l = arg;
    json_t *result = json_object();

    json_object_set_new(result, "discoveredLabels", discovered_labels(t));
    json_object_set_new(result, "labels", final_labels(t));
    if (t->verdict.kind == VERDICT_INVALID) {
        json_object_set_new(result, "error", text_to_json(span_of(t->verdict.reason)));
    }
    if (l->has_twins) {
        AUTO_STR collector =
            mem_printf("%.*s%s%.*s", SPAN_ARG(t->ns), t->ns.len > 0 ? "/" : "", SPAN_ARG(t->name));
        json_object_set_new(result, "collector", text_to_json(span_of(collector)));
        json_object_set_new(result, "receiver", text_to_json(t->job->receiver));
    }
    add_result(l, result);
}

/* ---- a job */

static void report_job(void *arg, const struct explain_job *j)
{
    struct listing *l = arg;

    findings_report_gaps(j->job, j->n_failed, j->n_missing, l->io->errout);
    for (size_t i = 0; i < j->n_faults; i++) {
        terminal_line(l->io->errout, "otel-ta: %s", j->faults[i]);
        l->code = EXIT_FAULTS;
    }
}

static void print_listing(const struct listing *l)
{
    char *text = json_dumps(l->results, JSON_INDENT(2) | JSON_SORT_KEYS | JSON_ENSURE_ASCII * 0);

    terminal_text(l->io->out, span_of(text == NULL ? "[]" : text));
    mem_free(text);
}

/* Nobody asks for the others, so nobody looks for their targets. The number of those left. */
static size_t keep_jobs(struct tenants *tenants, const char *name)
{
    size_t n_all = 0;

    for (size_t i = 0; i < tenants->n; i++) {
        struct scrapejobs *jobs = &tenants->v[i]->jobs;
        size_t n = 0;
        for (size_t k = 0; k < jobs->n; k++) {
            if (span_is(jobs->v[k]->name, name)) {
                jobs->v[n++] = jobs->v[k];
            } else {
                scrapejob_free(&jobs->v[k]);
            }
        }
        jobs->n = n;
        n_all += n;
    }
    return n_all;
}

static bool has_job(const struct tenants *tenants, const char *name)
{
    for (size_t i = 0; i < tenants->n; i++) {
        vec_each(&tenants->v[i]->jobs, job) {
            if (span_is((*job)->name, name)) {
                return true;
            }
        }
    }
    return false;
}

static void report_unknown(const struct tenants *tenants, const char *name, FILE *errout)
{
    terminal_line(errout, "Job %s not found. Jobs available:", name);
    for (size_t i = 0; i < tenants->n; i++) {
        vec_each(&tenants->v[i]->jobs, job) {
            fputc('\t', errout);
            terminal_line(errout, "%.*s", SPAN_ARG((*job)->name));
        }
    }
}

/* ---- command */

static void list_jobs(struct listing *l, const struct options *o, struct tenants *tenants)
    ON(engine)
{
    VEC(struct explain_question) questions = { 0 };
    struct survey survey;
    struct arena arena;

    l->code = survey_open(&survey, &o->watcher, true, l->io->errout);
    if (l->code != EXIT_OK) {
        return;
    }
    arena_init(&arena);
    for (size_t i = 0; i < tenants->n; i++) {
        *vec_push(&questions) =
            (struct explain_question){ .ns = arena_span(&arena, tenants->v[i]->ns),
                                       .name = arena_span(&arena, tenants->v[i]->name) };
    }
    l->code = survey_run(&survey, tenants, o->timeout_ms, l->io->errout);
    bool has_run = l->code == EXIT_OK;
    vec_each(&questions, q) {
        if (has_run) {
            explain_jobs(survey.explain, q->ns, q->name, report_job, l);
            explain_targets(survey.explain, q, add_target, l);
        }
    }
    if (has_run) {
        print_listing(l);
    }
    vec_fini(&questions);
    survey_close(&survey);
    arena_fini(&arena);
}

int command_discover(const struct options *o, const struct command_io *io)
{
    const struct input_paths file = { o->arguments.v, 1 };
    const char *name = o->arguments.v[1];
    struct tenants_options options = o->tenants;
    struct input input;

    options.include_disabled = true;
    options.needs_no_collectors = true;
    int code = input_load(&options, file, &input, io->errout);
    if (code != EXIT_OK) {
        return code;
    }
    role_enter(engine); /* this command has no engine thread: the main thread is it */
    if (!has_job(&input.tenants, name)) {
        report_unknown(&input.tenants, name, io->errout);
        code = EXIT_FAULTS;
    } else {
        struct listing l = { .io = io, .results = json_array(), .seen = json_object() };
        l.has_twins = keep_jobs(&input.tenants, name) > 1;
        list_jobs(&l, o, &input.tenants);
        code = l.code;
        json_decref(l.results);
        json_decref(l.seen);
    }
    input_fini(&input);
    return code;
}
