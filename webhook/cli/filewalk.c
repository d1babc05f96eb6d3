#include "webhook/cli/filewalk.h"

#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "allocator/base/terminal.h"
#include "allocator/codec/yamldoc.h"
#include "allocator/codec/yamlhint.h"
#include "webhook/cli/document.h"
#include "webhook/cli/options.h"
#include "webhook/cli/report.h"
#include "webhook/rewrite/manifest.h"

/* ---- faults */

const char *filewalk_name(const char *filename)
{
    return strcmp(filename, "-") == 0 ? "<stdin>" : filename;
}

void filewalk_open_faults(struct faults *f, const struct filewalk_document *d)
{
    faults_init(f);
    f->file = d->filename;
    f->document = d->n > 1 ? d->index + 1 : 0;
}

static void say(struct filewalk *w, const struct faults *f)
{
    if (w->report != NULL) {
        report_faults(w->report, f);
    } else {
        faults_print(f, w->errout);
    }
    w->n_faults += f->n_errors;
}

void filewalk_say(struct filewalk *w, const char *filename, enum fault_severity severity,
                  unsigned line, const char *text)
{
    struct faults f;

    faults_init(&f);
    f.file = filename;
    faults_add(&f, severity, line, "%s", text);
    say(w, &f);
    faults_fini(&f);
}

void filewalk_print_faults(struct filewalk *w, const struct filewalk_document *d, struct faults *f)
{
    for (size_t i = 0; i < f->n; i++) {
        f->v[i].line += f->v[i].line > 0 ? d->line - 1 : 0;
    }
    faults_sort(f);
    say(w, f);
}

void filewalk_warn_template(const struct filewalk_document *d, struct faults *f)
{
    unsigned line = yamlhint_template(d->text);

    if (line > 0) {
        faults_add(f, FAULT_WARNING, line,
                   "looks like a Helm template: render it first, as 'helm template' does");
    }
}

/* "file:7: column 3: text" */
static void print_parse_fault(struct filewalk *w, const char *filename, const struct err *err)
{
    const char *what = err->line > 0 ? err->text + err->what : err->text;
    AUTO_STR text =
        err->column > 0 ? mem_printf("column %u: %s", err->column, what) : mem_strdup(what);

    filewalk_say(w, filename, FAULT_ERROR, err->line, text);
    w->is_withheld = true;
}

/* ---- documents */

/* A document that is not understood in full may be anything but a Collector, and passes as text. */
static bool passes(struct filewalk *w, const struct filewalk_document *d, const struct yamldoc *doc)
{
    struct faults f;

    if (doc->fault == NULL || (collector_count(doc->root) == 0 && !w->needs_trees)) {
        return true;
    }
    filewalk_open_faults(&f, d);
    yamldoc_report(doc->fault, &f);
    say(w, &f);
    w->is_withheld = true;
    faults_fini(&f);
    return false;
}

/* Those of a file that has something, but no Collector. */
static void each_foreign(struct filewalk *w, const char *filename, const struct yamldoc *docs,
                         size_t n, struct arena *arena)
{
    struct filewalk_document nothing = { .filename = filename, .n = 1, .line = 1 };
    size_t n_collectors = 0;

    for (size_t i = 0; i < n; i++) {
        n_collectors += collector_count(docs[i].root);
    }
    w->n_collectors += n_collectors;
    if (n_collectors > 0 || w->visit_foreign == NULL) {
        return;
    }
    for (size_t i = 0; i < n; i++) {
        const struct filewalk_document d = { .filename = filename,
                                             .index = i,
                                             .n = n,
                                             .line = docs[i].root == NULL ? docs[i].line : 1,
                                             .root = docs[i].root }; /* with lines of the file */
        w->visit_foreign(w->arg, &d, arena);
    }
    if (n == 0) {
        w->visit_foreign(w->arg, &nothing, arena);
    }
}

/* Finds the documents, then reads each by itself, so that places are those of its own text. */
static void each_document(struct filewalk *w, const char *filename, struct span text)
{
    struct arena all, one;
    struct yamldoc *docs = NULL;
    size_t n = 0;
    struct err err;

    arena_init(&all);
    bool is_read = yamldoc_parse_stream(text, &all, &docs, &n, &err) == 0;
    if (!is_read) {
        print_parse_fault(w, filename, &err);
        n = 0;
    } else if (n == 0) {
        const struct filewalk_document nothing = {
            .filename = filename, .text = text, .file = text, .n = 1, .line = 1
        };
        w->visit(w->arg, &nothing, &all);
    }
    for (size_t i = 0; i < n; i++) {
        struct filewalk_document d = {
            .filename = filename, .file = text, .index = i, .n = n, .line = docs[i].line
        };
        d.text = span_make(text.p + docs[i].begin, docs[i].end - docs[i].begin);
        if (!passes(w, &d, &docs[i])) {
            continue;
        }
        arena_init(&one);
        if (docs[i].fault == NULL && yamldoc_parse(d.text, &one, &d.root, &err) < 0) {
            print_parse_fault(w, filename, &err);
        } else {
            w->visit(w->arg, &d, &one);
        }
        arena_fini(&one);
    }
    if (is_read) {
        each_foreign(w, filename, docs, n, &all);
    }
    arena_fini(&all);
}

bool filewalk_file(struct filewalk *w, const char *filename)
{
    AUTO_BUF text = { 0 };
    struct err err;

    buf_init(&text, LIMIT_DOCUMENT_BYTES);
    if (document_read(filename, &text, &err) < 0) {
        terminal_line(w->errout, "otel-ta: %s", err.text);
        w->is_broken = true;
        return false;
    }
    each_document(w, filewalk_name(filename), buf_span(&text));
    return true;
}

int filewalk_finish(const struct filewalk *w, const struct buf *result, FILE *out)
{
    if (w->is_broken) {
        return EXIT_CANNOT;
    }
    if (w->is_withheld) {
        return EXIT_FAULTS;
    }
    if (buf_error(result) != 0) {
        terminal_line(w->errout, "otel-ta: the result has more than %zu bytes", result->max);
        return EXIT_CANNOT;
    }
    fwrite(result->len == 0 ? "" : result->p, 1, result->len, out); /* whether it arrives is seen
                                                                        when 'out' is flushed */
    return w->n_faults > 0 ? EXIT_FAULTS : EXIT_OK;
}
