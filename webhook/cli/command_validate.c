/* 'validate': everything that the webhook would refuse, or the allocator. */
#include "webhook/cli/command.h"

#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "allocator/base/terminal.h"
#include "allocator/tenant/collectoradvice.h"
#include "webhook/cli/filewalk.h"
#include "webhook/cli/report.h"
#include "webhook/rewrite/inspection.h"
#include "webhook/rewrite/manifest.h"

#include <assert.h>

struct run {
    struct filewalk walk;
    const struct rewrite_options *rewrite;
    struct buf out;
};

static void validate_document(void *arg, const struct filewalk_document *d, struct arena *arena)
{
    struct run *r = arg;
    const struct manifest_input in = { .text = d->text, .root = d->root, .options = r->rewrite };
    size_t n = collector_count(d->root);
    struct manifest m = { .n_changed = 0 };
    struct inspection t = { 0 };
    struct faults f;

    filewalk_open_faults(&f, d);
    collectoradvice_of_others(d->root, &f);
    if (n == 0) {
        filewalk_print_faults(&r->walk, d, &f);
        faults_fini(&f);
        return;
    }
    filewalk_warn_template(d, &f);
    int rc = manifest_make(&in, arena, &f, &m);
    assert((rc < 0) == (f.n_errors > 0));
    manifest_fini(&m);
    inspection_of_all(d->root, r->rewrite, FAULT_ERROR, &f, &t);
    filewalk_print_faults(&r->walk, d, &f);
    r->walk.is_withheld = r->walk.is_withheld || f.n_errors > 0;
    if (r->walk.report != NULL) {
        AUTO_STR members =
            mem_printf("\"valid\":%s,\"document\":%zu,\"collectors\":%zu,"
                       "\"jobs\":%zu,\"left\":%zu",
                       f.n_errors == 0 ? "true" : "false", d->index + 1, n, t.n_jobs, t.n_left);
        report_file(r->walk.report, d->filename, members);
    } else if (f.n_errors == 0) {
        AUTO_STR file = terminal_name(span_of(d->filename));
        buf_addf(&r->out, "%s: %zu Collector%s, %zu scrape job%s", file, n, n == 1 ? "" : "s",
                 t.n_jobs, t.n_jobs == 1 ? "" : "s");
        if (t.n_left > 0) {
            buf_addf(&r->out, " and %zu that stay%s with the collectors", t.n_left,
                     t.n_left == 1 ? "s" : "");
        }
        buf_addf(&r->out, ": valid\n");
    }
    faults_fini(&f);
}

/* 'is_found': in a folder that was named, where others may stand beside Collectors. */
static void validate_file(struct run *r, const char *filename, bool is_found)
{
    size_t n_collectors = r->walk.n_collectors, n_faults = r->walk.n_faults;

    if (filewalk_file(&r->walk, filename) && r->walk.n_collectors == n_collectors &&
        r->walk.n_faults == n_faults) {
        filewalk_say(&r->walk, filewalk_name(filename), is_found ? FAULT_WARNING : FAULT_ERROR, 0,
                     "there is no OpenTelemetryCollector in it");
    }
}

int command_validate(const struct options *o, const struct command_io *io)
{
    struct run r = {
        .walk = { .errout = io->errout, .visit = validate_document },
        .rewrite = &o->rewrite,
    };

    struct report report = { 0 };

    r.walk.arg = &r;
    r.walk.report = o->output == OUTPUT_JSON ? &report : NULL;
    report_init(&report);
    buf_init(&r.out, LIMIT_DOCUMENT_BYTES);
    for (size_t i = 0, n_found = 0; i < o->filenames.n; i++) {
        const char *name = o->filenames.v[i];
        bool is_found = n_found < o->found.n && o->found.v[n_found] == name;
        n_found += is_found ? 1 : 0;
        validate_file(&r, name, is_found);
    }
    if (r.walk.n_collectors == 0 && r.walk.n_faults == 0 && !r.walk.is_broken) {
        terminal_line(io->errout, "otel-ta validate: there is no OpenTelemetryCollector");
        r.walk.n_faults++;
    }
    int code = filewalk_finish(&r.walk, &r.out, io->out);
    if (r.walk.report != NULL) {
        report.is_invalid = report.is_invalid || code != EXIT_OK;
        report_print(&report, io->out);
    }
    report_fini(&report);
    buf_fini(&r.out);
    return code;
}
