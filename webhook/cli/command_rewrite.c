/* 'rewrite' and 'restore': each Collector of the files as the webhook would make it, or as it was;
 * everything else as it is. */
#include "webhook/cli/command.h"

#include "allocator/base/limits.h"
#include "allocator/base/terminal.h"
#include "allocator/codec/jsonindent.h"
#include "allocator/codec/jsonpatch.h"
#include "allocator/tenant/collectoradvice.h"
#include "webhook/cli/filediff.h"
#include "webhook/cli/filewalk.h"
#include "webhook/cli/left.h"
#include "webhook/rewrite/inspection.h"
#include "webhook/rewrite/manifest.h"
#include "webhook/text/yamltext.h"

#include <unistd.h>

struct run {
    struct filewalk walk;
    enum output output;
    const struct rewrite_options *rewrite;
    bool is_restore;
    bool has_colour, is_terminal; /* of the output */
    struct filediff diff;
    struct buf out;
};

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

static void write_text(struct run *r, const struct filewalk_document *d, struct span text)
{
    /* Documents of one file follow each other as they did. */
    if (d->index == 0) {
        separate(r, text);
    }
    buf_add_span(&r->out, text);
}

static void write_tree(struct run *r, const struct node *tree)
{
    if (tree == NULL) {
        return;
    }
    if (r->output == OUTPUT_JSON) {
        yamltext_value(tree, YAMLTEXT_JSON, &r->out);
    } else {
        separate(r, SPAN_LIT(""));
        yamltext_value(tree, YAMLTEXT_BLOCK, &r->out);
    }
    buf_add_char(&r->out, '\n');
}

static void write_diff(struct run *r, const struct filewalk_document *d, const struct manifest *m,
                       struct arena *arena)
{
    filediff_add(&r->diff, d, m, arena);
    if (d->index + 1 >= d->n) {
        filediff_write(&r->diff, d->filename, d->file, r->has_colour, r->is_terminal, &r->out);
    }
}

/* An operation that fails with any other object. */
static void write_test(const char *path, struct span value, struct buf *out)
{
    if (value.len > 0) {
        buf_addf(out, "{\"op\":\"test\",\"path\":\"%s\",\"value\":", path);
        buf_add_json(out, value);
        buf_add_str(out, "},");
    }
}

static void write_one_patch(struct run *r, const struct node *was, const struct node *now,
                            struct arena *arena)
{
    struct jsonpatch patch = { .ops = { .n = 0 } };
    struct collector c;
    AUTO_BUF ops = { 0 };

    buf_init(&ops, r->out.max);
    jsonpatch_diff(was, now, SPAN_LIT(""), arena, &patch);
    if (patch.ops.n > 0) {
        collector_read(was, &c);
        jsonpatch_write(&patch, &ops);
        buf_add_char(&r->out, '[');
        write_test("/kind", SPAN_LIT("OpenTelemetryCollector"), &r->out);
        write_test("/metadata/namespace", c.ns, &r->out);
        write_test("/metadata/name", c.name, &r->out);
        buf_add_span(&r->out, span_from(buf_span(&ops), 1));
        buf_add_char(&r->out, '\n');
    }
    jsonpatch_fini(&patch);
}

/* One for each Collector, also of a list: as 'kubectl patch --type json' takes them. */
static void write_patches(struct run *r, const struct filewalk_document *d,
                          const struct manifest *m, struct arena *arena)
{
    const struct node *was, *now;

    for (size_t at = 0, now_at = 0; (was = collector_next(d->root, &at)) != NULL;) {
        now = collector_next(m->intended, &now_at);
        if (now != NULL) {
            write_one_patch(r, was, now, arena);
        }
    }
}

static void write_result(struct run *r, const struct filewalk_document *d, const struct manifest *m,
                         struct arena *arena)
{
    switch (r->output) {
    case OUTPUT_DEFAULT:
        write_text(r, d, m->result);
        break;
    case OUTPUT_YAML:
        if (d->root != NULL && d->root->is_json) {
            write_tree(r, m->intended);
        } else {
            write_text(r, d, m->result);
        }
        break;
    case OUTPUT_JSON:
        write_tree(r, m->intended);
        break;
    case OUTPUT_DIFF:
        write_diff(r, d, m, arena);
        break;
    case OUTPUT_JSON_PATCH:
        write_patches(r, d, m, arena);
        break;
    }
}

/* JSON for somebody to read. */
static void lay_out(struct buf *json)
{
    struct buf out;

    buf_init(&out, json->max);
    jsonindent_write(buf_span(json), &out);
    buf_fini(json);
    *json = out;
}

/* ---- rewrite and restore */

/* What the allocator will say of those that it gets. */
static void inspect(const struct run *r, const struct node *root, struct faults *f)
{
    const struct node *one;
    struct inspection unused = { 0 };

    for (size_t at = 0; (one = collector_next(root, &at)) != NULL;) {
        struct collector c;
        size_t mark = collector_push(root, at, f);
        collector_read(one, &c);
        if (collector_is_served(&c)) {
            inspection_make(one, r->rewrite, FAULT_WARNING, f, &unused);
        }
        faults_pop(f, mark);
    }
}

static void revise_document(void *arg, const struct filewalk_document *d, struct arena *arena)
{
    struct run *r = arg;
    const struct manifest_input in = {
        .text = d->text,
        .root = d->root,
        .options = r->rewrite,
        .is_restore = r->is_restore,
    };
    struct manifest m = { .result = d->text, .intended = d->root };
    struct faults f;

    filewalk_open_faults(&f, d);
    size_t n = collector_count(d->root);
    if (n > 0) {
        filewalk_warn_template(d, &f);
    }
    if (!r->is_restore) {
        collectoradvice_of_others(d->root, &f);
    }
    bool is_done = n == 0 || manifest_make(&in, arena, &f, &m) == 0;
    if (is_done) {
        write_result(r, d, &m, arena); /* also of a restore that left something, and says so */
    } else {
        r->walk.is_withheld = true;
    }
    if (is_done && !r->is_restore) {
        inspect(r, d->root, &f);
    }
    filewalk_print_faults(&r->walk, d, &f);
    if (is_done && n > 0 && f.n_errors == 0) {
        left_report(d, &m, r->is_restore, arena, r->walk.errout);
    }
    faults_fini(&f);
    manifest_fini(&m);
}

static void revise_foreign(void *arg, const struct filewalk_document *d, struct arena *arena)
{
    (void)arena;
    left_report_foreign(d, ((struct run *)arg)->walk.errout);
}

static int revise(const struct options *o, const struct command_io *io, bool is_restore)
{
    struct run r = {
        .walk = { .errout = io->errout,
                  .needs_trees = o->output == OUTPUT_JSON,
                  .visit = revise_document,
                  .visit_foreign = revise_foreign },
        .output = o->output,
        .rewrite = &o->rewrite,
        .is_restore = is_restore,
        .has_colour = terminal_has_colour(fileno(io->out)),
        .is_terminal = isatty(fileno(io->out)) == 1,
    };

    bool folds = o->show_annotation.is_given ? !o->show_annotation.is_on : r.is_terminal;

    r.walk.arg = &r;
    filediff_init(&r.diff, folds);
    buf_init(&r.out, 4 * LIMIT_DOCUMENT_BYTES);
    for (size_t i = 0; i < o->filenames.n; i++) {
        filewalk_file(&r.walk, o->filenames.v[i]);
    }
    if (r.is_terminal && (r.output == OUTPUT_JSON || r.output == OUTPUT_JSON_PATCH)) {
        lay_out(&r.out);
    }
    int code = filewalk_finish(&r.walk, &r.out, io->out);
    filediff_fini(&r.diff);
    buf_fini(&r.out);
    return code;
}

int command_rewrite(const struct options *o, const struct command_io *io)
{
    return revise(o, io, false);
}

int command_restore(const struct options *o, const struct command_io *io)
{
    return revise(o, io, true);
}
