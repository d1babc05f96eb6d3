/* 'allocate': which collector gets which target, by the engine's own state over one complete
 * discovery. */
#include "webhook/cli/command.h"

#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "allocator/base/terminal.h"
#include "webhook/cli/input.h"
#include "webhook/cli/survey.h"

#include <jansson.h>
#include <stdlib.h>

struct row { /* one target and who has it */
    struct state_target target;
    json_t *entry; /* {"targets":["a:1"],"labels":{…}} */
    const char *address;
};

struct total {
    struct span ns, name, collector;
    size_t n;
};

struct allocation {
    VEC(struct row) rows;
    VEC(struct total) totals;
};

/* ---- from the state to rows */

static void add_row(void *arg, const struct state_target *t)
{
    struct allocation *a = arg;
    AUTO_BUF text;

    buf_init(&text, LIMIT_SD_BODY);
    buf_add_span(&text, span_from(t->own, 1));
    buf_add_span(&text, t->tail);
    json_t *entry = json_loadb(text.p, text.len, JSON_ALLOW_NUL, NULL);
    const char *address = json_string_value(json_array_get(json_object_get(entry, "targets"), 0));
    *vec_push(&a->rows) = (struct row){ *t, entry, address == NULL ? "" : address };
}

static void add_total(void *arg, struct span ns, struct span name, struct span collector, size_t n)
{
    *vec_push(&((struct allocation *)arg)->totals) = (struct total){ ns, name, collector, n };
}

static int compare_rows(const void *a, const void *b)
{
    const struct row *x = a, *y = b;
    const struct span xs[] = { x->target.ns,  x->target.name,      x->target.receiver,
                               x->target.job, span_of(x->address), x->target.collector };
    const struct span ys[] = { y->target.ns,  y->target.name,      y->target.receiver,
                               y->target.job, span_of(y->address), y->target.collector };

    for (size_t i = 0; i < COUNT(xs); i++) {
        int c = span_cmp(xs[i], ys[i]);
        if (c != 0) {
            return c;
        }
    }
    return span_cmp(x->target.own, y->target.own);
}

/* ---- output */

static char *tenant_text(struct span ns, struct span name)
{
    return ns.len == 0 ? mem_printf("%.*s", SPAN_ARG(name))
                       : mem_printf("%.*s/%.*s", SPAN_ARG(ns), SPAN_ARG(name));
}

static int width(int old, size_t len)
{
    return (int)len > old ? (int)len : old;
}

static void print_table(const struct allocation *a, FILE *out)
{
    int tenant = 0, job = 3, address = 6, collector = 9;

    vec_each(&a->rows, r) {
        AUTO_STR text = tenant_text(r->target.ns, r->target.name);
        tenant = width(tenant, strlen(text));
        job = width(job, r->target.job.len);
        address = width(address, strlen(r->address));
    }
    vec_each(&a->totals, t) {
        AUTO_STR text = tenant_text(t->ns, t->name);
        tenant = width(tenant, strlen(text));
        collector = width(collector, t->collector.len);
    }
    tenant = tenant > 0 ? width(tenant, 2) + 2 : 0;
    terminal_line(out, "%-*s%-*s  %-*s  %s", tenant, tenant > 0 ? "CR" : "", job, "JOB", address,
                  "TARGET", "COLLECTOR");
    vec_each(&a->rows, r) {
        AUTO_STR text = tenant_text(r->target.ns, r->target.name);
        struct span owner = r->target.collector.len == 0 ? SPAN_LIT("-") : r->target.collector;
        terminal_line(out, "%-*s%-*.*s  %-*s  %.*s", tenant, text, job, SPAN_ARG(r->target.job),
                      address, r->address, SPAN_ARG(owner));
    }
    fprintf(out, "\n%-*s%-*s  %s\n", tenant, tenant > 0 ? "CR" : "", collector, "COLLECTOR",
            "TARGETS");
    vec_each(&a->totals, t) {
        AUTO_STR text = tenant_text(t->ns, t->name);
        terminal_line(out, "%-*s%-*.*s  %zu", tenant, text, collector, SPAN_ARG(t->collector),
                      t->n);
    }
}

static json_t *span_to_json(struct span s)
{
    json_t *text = json_stringn(s.len == 0 ? "" : s.p, s.len);
    return text == NULL ? json_stringn_nocheck(s.p, s.len) : text;
}

static void print_json(const struct allocation *a, FILE *out)
{
    json_t *targets = json_array(), *collectors = json_array();

    vec_each(&a->rows, r) {
        json_array_append_new(
            targets, json_pack("{s:o, s:o, s:o, s:o, s:s, s:o, s:O}", "namespace",
                               span_to_json(r->target.ns), "name", span_to_json(r->target.name),
                               "receiver", span_to_json(r->target.receiver), "job",
                               span_to_json(r->target.job), "target", r->address, "collector",
                               r->target.collector.len == 0 ? json_null()
                                                            : span_to_json(r->target.collector),
                               "labels", json_object_get(r->entry, "labels")));
    }
    vec_each(&a->totals, t) {
        json_array_append_new(collectors,
                              json_pack("{s:o, s:o, s:o, s:I}", "namespace", span_to_json(t->ns),
                                        "name", span_to_json(t->name), "collector",
                                        span_to_json(t->collector), "targets", (json_int_t)t->n));
    }
    json_t *root = json_pack("{s:o, s:o}", "targets", targets, "collectors", collectors);
    char *text = json_dumps(root, JSON_INDENT(2) | JSON_SORT_KEYS);
    terminal_text(out, span_of(text == NULL ? "{}" : text));
    fputc('\n', out);
    mem_free(text);
    json_decref(root);
}

static int print_allocation(const struct options *o, const struct state *s,
                            const struct command_io *io)
{
    struct allocation a = { 0 };
    size_t n_unassigned = 0;

    state_each_target(s, add_row, &a);
    state_each_collector(s, add_total, &a);
    if (a.rows.n > 1) {
        qsort(a.rows.v, a.rows.n, sizeof(*a.rows.v), compare_rows);
    }
    if (o->output == OUTPUT_JSON) {
        print_json(&a, io->out);
    } else {
        print_table(&a, io->out);
    }
    vec_each(&a.rows, r) {
        n_unassigned += r->target.collector.len == 0;
        json_decref(r->entry);
    }
    if (n_unassigned > 0) {
        terminal_line(io->errout, "otel-ta allocate: %zu target%s no collector", n_unassigned,
                      n_unassigned == 1 ? " has" : "s have");
    }
    vec_fini(&a.rows);
    vec_fini(&a.totals);
    return EXIT_OK;
}

/* ---- command */

static bool has_jobs(const struct tenants *tenants)
{
    size_t n = 0;

    for (size_t i = 0; i < tenants->n; i++) {
        n += tenants->v[i]->jobs.n;
    }
    return n > 0;
}

static int allocate(const struct options *o, struct survey *survey, const struct command_io *io)
{
    struct input input;

    role_enter(engine); /* this command has no engine thread: the main thread is it */
    int code = input_load(&o->tenants, input_paths(o), &input, io->errout);
    if (code == EXIT_OK) {
        if (!has_jobs(&input.tenants)) {
            input_report_jobless(&input, "otel-ta allocate: warning: ", io->errout);
        }
        code = survey_run(survey, &input.tenants, o->timeout_ms, io->errout);
        input_fini(&input);
    }
    if (code == EXIT_OK) {
        if (survey->n_missing > 0) {
            terminal_line(io->errout, "otel-ta: %zu discovery sections did not answer in time",
                          survey->n_missing);
        }
        code = print_allocation(o, survey->state, io);
    }
    survey_close(survey);
    return code;
}

int command_allocate(const struct options *o, const struct command_io *io)
{
    struct survey survey;
    int code = survey_open(&survey, &o->watcher, false, io->errout);

    return code == EXIT_OK ? allocate(o, &survey, io) : code;
}
