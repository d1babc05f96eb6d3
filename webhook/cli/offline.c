#include "webhook/cli/offline.h"

#include "allocator/base/limits.h"
#include "allocator/codec/jsonpatch.h"
#include "allocator/codec/yamldoc.h"
#include "allocator/tenant/collectorcr.h"
#include "webhook/cli/document.h"
#include "webhook/cli/options.h"
#include "webhook/rewrite/manifest.h"
#include "webhook/text/textdiff.h"
#include "webhook/text/yamltext.h"

#include <assert.h>
#include <unistd.h>

struct run {
    const struct offline_options *o;
    FILE *errout;
    bool is_restore;
    struct buf out;
    size_t n_faults;
    size_t n_collectors; /* validated */
    bool is_broken;      /* a file cannot be read */
};

/* One document of a file. */
struct place {
    const char *filename;
    struct span text;  /* of the document */
    size_t index, n;   /* among the file's documents */
    unsigned line;     /* of its first line */
    struct node *root; /* NULL: nothing in it, or nothing of ours */
};

/* ---- faults */

static const char *shown_name(const char *filename)
{
    return strcmp(filename, "-") == 0 ? "<stdin>" : filename;
}

static void open_faults(struct faults *f, const struct place *p)
{
    faults_init(f);
    f->file = shown_name(p->filename);
    f->document = p->n > 1 ? p->index + 1 : 0;
}

/* Lines of the document become lines of the file. */
static void print_faults(struct run *r, const struct place *p, struct faults *f)
{
    for (size_t i = 0; i < f->n; i++) {
        f->v[i].line += f->v[i].line > 0 ? p->line - 1 : 0;
    }
    faults_print(f, r->errout);
    r->n_faults += f->n_errors;
}

/* "file:7: column 3: text" */
static void print_parse_fault(struct run *r, const char *filename, const struct err *err)
{
    const char *what = err->text + err->what;

    if (err->column > 0) {
        fprintf(r->errout, "%s:%u: column %u: %s\n", shown_name(filename), err->line, err->column,
                what);
    } else if (err->line > 0) {
        fprintf(r->errout, "%s:%u: %s\n", shown_name(filename), err->line, what);
    } else {
        fprintf(r->errout, "%s: %s\n", shown_name(filename), err->text);
    }
    r->n_faults++;
}

/* ---- output */

/* Between the texts of two documents: the earlier one ends its line, the later one begins with
 * '---'. */
static void separate(struct run *r, struct span next)
{
    if (r->out.len == 0) {
        return;
    }
    if (r->out.p[r->out.len - 1] != '\n') {
        buf_add_char(&r->out, '\n');
    }
    if (!span_has_prefix(next, "---") && !span_has_prefix(next, "%")) {
        buf_add_str(&r->out, "---\n");
    }
}

static void write_text(struct run *r, const struct place *p, struct span text)
{
    /* Documents of one file follow each other as they did. */
    if (p->index == 0) {
        separate(r, text);
    }
    buf_add_span(&r->out, text);
}

static void write_tree(struct run *r, const struct node *tree)
{
    if (tree == NULL) {
        return;
    }
    if (r->o->output == OUTPUT_JSON) {
        yamltext_value(tree, YAMLTEXT_JSON, &r->out);
    } else {
        separate(r, SPAN_LIT(""));
        yamltext_value(tree, YAMLTEXT_BLOCK, &r->out);
    }
    buf_add_char(&r->out, '\n');
}

static void write_diff(struct run *r, const struct place *p, const struct manifest *m)
{
    AUTO_BUF before = { 0 }, after = { 0 };

    if (m->n_changed == 0) {
        return;
    }
    buf_init(&before, 8 * KIB);
    buf_init(&after, 8 * KIB);
    buf_addf(&before, "%s", shown_name(p->filename));
    if (p->n > 1) {
        buf_addf(&before, " (document %zu)", p->index + 1);
    }
    buf_addf(&after, "%.*s (%s)", SPAN_ARG(buf_span(&before)),
             r->is_restore ? "restored" : "rewritten");
    const struct textdiff diff = {
        .before = p->text,
        .after = m->result,
        .edits = &m->edits,
        .label_before = buf_span(&before),
        .label_after = buf_span(&after),
        .has_colour = r->o->has_colour,
    };
    textdiff_write(&diff, &r->out);
}

static void write_patch(struct run *r, const struct place *p, const struct manifest *m,
                        struct arena *arena)
{
    struct jsonpatch patch = { .ops = { .n = 0 } };

    if (m->n_collectors == 0) {
        return;
    }
    jsonpatch_diff(p->root, m->intended, SPAN_LIT(""), arena, &patch);
    jsonpatch_write(&patch, &r->out);
    buf_add_char(&r->out, '\n');
    jsonpatch_fini(&patch);
}

static void write_result(struct run *r, const struct place *p, const struct manifest *m,
                         struct arena *arena)
{
    switch (r->o->output) {
    case OUTPUT_DEFAULT:
        write_text(r, p, m->result);
        break;
    case OUTPUT_YAML:
        if (p->root != NULL && p->root->is_json) {
            write_tree(r, m->intended);
        } else {
            write_text(r, p, m->result);
        }
        break;
    case OUTPUT_JSON:
        write_tree(r, m->intended);
        break;
    case OUTPUT_DIFF:
        write_diff(r, p, m);
        break;
    case OUTPUT_JSON_PATCH:
        write_patch(r, p, m, arena);
        break;
    }
}

/* ---- rewrite and restore */

static void revise_document(struct run *r, const struct place *p, struct arena *arena)
{
    const struct manifest_input in = {
        .text = p->text,
        .root = p->root,
        .options = &r->o->rewrite,
        .is_restore = r->is_restore,
    };
    struct manifest m = { .result = p->text, .intended = p->root };
    struct faults f;

    open_faults(&f, p);
    if (manifest_count(p->root) == 0 || manifest_make(&in, arena, &f, &m) == 0) {
        write_result(r, p, &m, arena);
    }
    print_faults(r, p, &f);
    faults_fini(&f);
    manifest_fini(&m);
}

/* A document that is not understood in full may be anything but a Collector, and passes as text. */
static bool passes(struct run *r, const struct place *p, const struct yamldoc *doc)
{
    struct faults f;

    if (doc->fault == NULL || (manifest_count(doc->root) == 0 && r->o->output != OUTPUT_JSON)) {
        return true;
    }
    open_faults(&f, p);
    yamldoc_report(doc->fault, &f);
    faults_print(&f, r->errout);
    r->n_faults += f.n_errors;
    faults_fini(&f);
    return false;
}

/* Finds the documents, then reads each by itself, so that places are those of its own text. */
static void each_document(struct run *r, const char *filename, struct span text,
                          void (*visit)(struct run *r, const struct place *p, struct arena *arena))
{
    struct arena all, one;
    struct yamldoc *docs = NULL;
    size_t n = 0;
    struct err err;

    arena_init(&all);
    if (yamldoc_parse_stream(text, &all, &docs, &n, &err) < 0) {
        print_parse_fault(r, filename, &err);
        n = 0;
    } else if (n == 0) {
        const struct place nothing = { .filename = filename, .text = text, .n = 1, .line = 1 };
        visit(r, &nothing, &all);
    }
    for (size_t i = 0; i < n; i++) {
        struct place p = { .filename = filename, .index = i, .n = n, .line = docs[i].line };
        p.text = span_make(text.p + docs[i].begin, docs[i].end - docs[i].begin);
        if (!passes(r, &p, &docs[i])) {
            continue;
        }
        arena_init(&one);
        if (docs[i].fault == NULL && yamldoc_parse(p.text, &one, &p.root, &err) < 0) {
            print_parse_fault(r, filename, &err);
        } else {
            visit(r, &p, &one);
        }
        arena_fini(&one);
    }
    arena_fini(&all);
}

static void validate_document(struct run *r, const struct place *p, struct arena *arena);

static void each_file(struct run *r,
                      void (*visit)(struct run *r, const struct place *p, struct arena *arena))
{
    for (size_t i = 0; i < r->o->n_filenames; i++) {
        AUTO_BUF text = { 0 };
        struct err err;
        buf_init(&text, LIMIT_DOCUMENT_BYTES);
        if (document_read(r->o->filenames[i], &text, &err) < 0) {
            fprintf(r->errout, "otel-ta: %s\n", err.text);
            r->is_broken = true;
            continue;
        }
        size_t n_collectors = r->n_collectors, n_faults = r->n_faults;
        each_document(r, r->o->filenames[i], buf_span(&text), visit);
        if (visit == validate_document && r->n_collectors == n_collectors &&
            r->n_faults == n_faults) {
            fprintf(r->errout, "%s: warning: there is no OpenTelemetryCollector in it\n",
                    shown_name(r->o->filenames[i]));
        }
    }
}

static int finish(struct run *r, FILE *out)
{
    int code = r->is_broken ? EXIT_CANNOT : r->n_faults > 0 ? EXIT_FAULTS : EXIT_OK;

    if (code == EXIT_OK && buf_error(&r->out) != 0) {
        fprintf(r->errout, "otel-ta: the result has more than %zu bytes\n", r->out.max);
        code = EXIT_CANNOT;
    }
    if (code == EXIT_OK) { /* whether it arrives is seen when 'out' is flushed */
        fwrite(r->out.len == 0 ? "" : r->out.p, 1, r->out.len, out);
    }
    buf_fini(&r->out);
    return code;
}

static int revise(const struct offline_options *o, bool is_restore, FILE *out, FILE *errout)
{
    struct run r = { .o = o, .errout = errout, .is_restore = is_restore };

    buf_init(&r.out, 4 * LIMIT_DOCUMENT_BYTES);
    each_file(&r, revise_document);
    return finish(&r, out);
}

int offline_rewrite(const struct offline_options *o, FILE *out, FILE *errout)
{
    return revise(o, false, out, errout);
}

int offline_restore(const struct offline_options *o, FILE *out, FILE *errout)
{
    return revise(o, true, out, errout);
}

/* ---- validate */

static void validate_collector(const struct node *root, struct arena *arena, struct faults *f,
                               size_t *n_jobs)
{
    const struct scrape_options options = { .strict = true,
                                            .unescape_dollars = true,
                                            .thorough = true };
    struct collectorcr cr;
    struct scrapejobs jobs = { .v = NULL };
    struct strpool pool;

    strpool_init(&pool);
    if (collectorcr_parse(root, arena, f, &cr)) {
        collectorcr_jobs(&cr, &options, &pool, f, &jobs);
        *n_jobs += jobs.n;
    }
    scrapejobs_fini(&jobs);
    strpool_fini(&pool);
}

static size_t validate_all(const struct node *root, struct arena *arena, struct faults *f)
{
    size_t n_jobs = 0;

    if (subject_is(root)) {
        validate_collector(root, arena, f, &n_jobs);
        return n_jobs;
    }
    const struct node *items = node_get(root, "items");
    for (size_t i = 0; i < items->n; i++) {
        size_t mark = faults_push(f, "items");
        faults_push_index(f, i);
        if (subject_is(items->items[i])) {
            validate_collector(items->items[i], arena, f, &n_jobs);
        }
        faults_pop(f, mark);
    }
    return n_jobs;
}

static void validate_document(struct run *r, const struct place *p, struct arena *arena)
{
    const struct manifest_input in = { .text = p->text,
                                       .root = p->root,
                                       .options = &r->o->rewrite };
    size_t n = manifest_count(p->root);
    struct manifest m = { .n_changed = 0 };
    struct faults f;

    if (n == 0) {
        return;
    }
    open_faults(&f, p);
    size_t n_jobs = validate_all(p->root, arena, &f);
    if (f.n_errors == 0) {
        /* What the rewrite would refuse: only what it can still say when all jobs are good. */
        int rc = manifest_make(&in, arena, &f, &m);
        assert((rc < 0) == (f.n_errors > 0));
        manifest_fini(&m);
    }
    print_faults(r, p, &f);
    if (f.n_errors == 0) {
        buf_addf(&r->out, "%s: %zu Collector%s, %zu scrape job%s: valid\n", shown_name(p->filename),
                 n, n == 1 ? "" : "s", n_jobs, n_jobs == 1 ? "" : "s");
    }
    r->n_collectors += n;
    faults_fini(&f);
}

int offline_validate(const struct offline_options *o, FILE *out, FILE *errout)
{
    struct run r = { .o = o, .errout = errout };

    buf_init(&r.out, LIMIT_DOCUMENT_BYTES);
    each_file(&r, validate_document);
    return finish(&r, out);
}

/* ---- the command line */

int offline_run(const struct options *o)
{
    const struct offline_options offline = {
        .filenames = o->filenames.v,
        .n_filenames = o->filenames.n,
        .output = o->output,
        .rewrite = { .collector_id_expr = span_of(o->collector_id_expr),
                     .style = o->url_style,
                     .shared_host = span_of(o->shared_host),
                     .is_block_style = o->is_block_style },
        .has_colour = isatty(STDOUT_FILENO) == 1,
    };

    switch ((int)o->command) {
    case COMMAND_REWRITE:
        return offline_rewrite(&offline, stdout, stderr);
    case COMMAND_RESTORE:
        return offline_restore(&offline, stdout, stderr);
    default:
        return offline_validate(&offline, stdout, stderr);
    }
}
