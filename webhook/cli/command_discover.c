/* 'check service-discovery FILE JOB': what promtool's command of that name prints (Prometheus
 * cmd/promtool/sd.go): for each distinct target its labels before and after relabeling.
 * Deviations: ends when every section has answered, not when the time is over; "error" is the
 * reason as text, where promtool prints {}; of several jobs with that name, which a Prometheus
 * cannot have, each target says whose it is: "collector" and "receiver". */
#include "webhook/cli/command.h"

#include "allocator/base/mem.h"
#include "allocator/base/terminal.h"
#include "allocator/scrape/verdict.h"
#include "webhook/cli/findings.h"
#include "webhook/cli/input.h"

#include <jansson.h>

struct found { /* a job of that name */
    const struct tenant *tenant;
    const struct scrapejob *job;
};
typedef VEC(struct found) found_list;

struct listing {
    const struct command_io *io;
    const struct scrapejob *job;
    const struct tenant *tenant; /* NULL: there is no other job of its name */
    struct label_builder labels;
    struct arena scratch;
    json_t *results;
    json_t *seen; /* object: the text of each result */
};

static json_t *text_to_json(struct span s)
{
    json_t *text = json_stringn(s.p, s.len);
    return text == NULL ? json_stringn_nocheck(s.p, s.len) : text;
}

static json_t *labels_to_json(struct label_builder *lb, bool is_final)
{
    json_t *object = json_object();

    label_builder_sort(lb);
    for (size_t i = 0; i < lb->n; i++) {
        if (!is_final || !lb->v[i].name->is_meta) {
            json_object_set_new_nocheck(object, lb->v[i].name->text, text_to_json(lb->v[i].value));
        }
    }
    return object;
}

static void set_seeds(const struct scrapejob *job, struct label_builder *lb)
{
    for (size_t i = 0; i < job->n_seeds; i++) {
        if (label_builder_get(lb, job->seeds[i].name).len == 0) {
            label_builder_set(lb, job->seeds[i].name, job->seeds[i].value);
        }
    }
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

static void add_target(struct listing *l, const struct sd_batch *batch, const struct sd_group *g,
                       struct span address)
{
    struct label_builder *lb = &l->labels;
    json_t *result = json_object();
    struct verdict v;

    arena_reset(&l->scratch);
    sd_batch_labels(batch, g, address, true, lb);
    set_seeds(l->job, lb);
    json_object_set_new(result, "discoveredLabels", labels_to_json(lb, false));
    sd_batch_labels(batch, g, address, true, lb);
    verdict_reach(l->job, lb, &v);
    json_object_set_new(result, "labels",
                        v.kind == VERDICT_KEPT ? labels_to_json(lb, true) : json_object());
    if (v.kind == VERDICT_INVALID) {
        json_object_set_new(result, "error", text_to_json(span_of(v.reason)));
    }
    if (l->tenant != NULL) {
        struct span ns = l->tenant->ns, name = l->tenant->name;
        AUTO_STR collector =
            mem_printf("%.*s%s%.*s", SPAN_ARG(ns), ns.len > 0 ? "/" : "", SPAN_ARG(name));
        json_object_set_new(result, "collector", text_to_json(span_of(collector)));
        json_object_set_new(result, "receiver", text_to_json(l->job->receiver));
    }
    add_result(l, result);
}

static int list_findings(struct listing *l, const struct findings *findings, struct strpool *pool)
{
    struct sd_batch batch;
    struct err err;
    int code = EXIT_OK;

    sd_batch_init(&batch, pool);
    vec_each(&findings->list, f) {
        if (findings_digest(l->job, f, &batch, &err) < 0) {
            terminal_line(l->io->errout, "otel-ta: %s", err.text);
            code = EXIT_FAULTS;
            continue;
        }
        vec_each(&batch.groups, g) {
            for (uint32_t i = 0; i < g->n_targets; i++) {
                add_target(l, &batch, g, g->targets[i]);
            }
        }
    }
    sd_batch_fini(&batch);
    return code;
}

static int list_job(struct listing *l, const struct found *found, int64_t timeout_ms,
                    struct strpool *pool)
{
    const struct findings_options how = { .timeout_ms = timeout_ms };
    struct findings findings;
    struct err err = { 0 };

    l->job = found->job;
    if (findings_discover_once(l->job, &how, &findings, &err) < 0) {
        terminal_line(l->io->errout, "otel-ta: %s", err.text);
        return EXIT_CANNOT;
    }
    findings_report_gaps(l->job, findings.n_failed, findings.n_missing, l->io->errout);
    int code = list_findings(l, &findings, pool);
    findings_fini(&findings);
    return code;
}

static int print_listing(const found_list *found, int64_t timeout_ms, struct strpool *pool,
                         const struct command_io *io)
{
    struct listing l = { .io = io, .results = json_array(), .seen = json_object() };
    int code = EXIT_OK;

    arena_init(&l.scratch);
    label_builder_init(&l.labels, pool, &l.scratch);
    vec_each(found, f) {
        l.tenant = found->n > 1 ? f->tenant : NULL;
        int rc = code == EXIT_CANNOT ? code : list_job(&l, f, timeout_ms, pool);
        code = rc > code ? rc : code;
    }
    if (code != EXIT_CANNOT) {
        char *text = json_dumps(l.results, JSON_INDENT(2) | JSON_SORT_KEYS | JSON_ENSURE_ASCII * 0);
        terminal_text(io->out, span_of(text == NULL ? "[]" : text));
        mem_free(text);
    }
    json_decref(l.results);
    json_decref(l.seen);
    label_builder_fini(&l.labels);
    arena_fini(&l.scratch);
    return code;
}

static void find_jobs(const struct tenants *tenants, const char *name, found_list *out)
{
    for (size_t i = 0; i < tenants->n; i++) {
        vec_each(&tenants->v[i]->jobs, job) {
            if (span_is((*job)->name, name)) {
                *vec_push(out) = (struct found){ tenants->v[i], *job };
            }
        }
    }
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

int command_discover(const struct options *o, const struct command_io *io)
{
    const struct input_paths file = { o->arguments.v, 1 };
    struct tenants_options options = o->tenants;
    found_list found = { 0 };
    struct input input;

    options.include_disabled = true;
    options.needs_no_collectors = true;
    int code = input_load(&options, file, &input, io->errout);
    if (code != EXIT_OK) {
        return code;
    }
    const char *name = o->arguments.v[1];
    find_jobs(&input.tenants, name, &found);
    if (found.n == 0) {
        if (!input_report_left(&input, name, "otel-ta check service-discovery: ", io->errout)) {
            report_unknown(&input.tenants, name, io->errout);
        }
        code = EXIT_FAULTS;
    } else {
        code = print_listing(&found, o->timeout_ms, &input.pool, io);
    }
    vec_fini(&found);
    input_fini(&input);
    return code;
}
