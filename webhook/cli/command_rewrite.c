/* 'rewrite' and 'restore': each Collector of the files as the webhook would make it, or as it was;
 * everything else as it is. */
#include "webhook/cli/command.h"

#include "allocator/base/limits.h"
#include "allocator/base/terminal.h"
#include "allocator/codec/jsonpatch.h"
#include "webhook/cli/filewalk.h"
#include "webhook/cli/left.h"
#include "webhook/rewrite/manifest.h"
#include "webhook/text/unified.h"
#include "webhook/text/yamltext.h"

struct run {
    struct filewalk walk;
    enum output output;
    const struct rewrite_options *rewrite;
    bool is_restore;
    bool has_colour;
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

static void write_diff(struct run *r, const struct filewalk_document *d, const struct manifest *m)
{
    AUTO_BUF before = { 0 }, after = { 0 };

    if (m->n_changed == 0) {
        return;
    }
    buf_init(&before, 8 * KIB);
    buf_init(&after, 8 * KIB);
    buf_addf(&before, "%s", d->filename);
    if (d->n > 1) {
        buf_addf(&before, " (document %zu)", d->index + 1);
    }
    buf_addf(&after, "%.*s (%s)", SPAN_ARG(buf_span(&before)),
             r->is_restore ? "restored" : "rewritten");
    const struct unified diff = {
        .before = d->text,
        .after = m->result,
        .edits = &m->edits,
        .label_before = buf_span(&before),
        .label_after = buf_span(&after),
        .has_colour = r->has_colour,
    };
    unified_write(&diff, &r->out);
}

static void write_patch(struct run *r, const struct filewalk_document *d, const struct manifest *m,
                        struct arena *arena)
{
    struct jsonpatch patch = { .ops = { .n = 0 } };

    if (m->n_collectors == 0) {
        return;
    }
    jsonpatch_diff(d->root, m->intended, SPAN_LIT(""), arena, &patch);
    jsonpatch_write(&patch, &r->out);
    buf_add_char(&r->out, '\n');
    jsonpatch_fini(&patch);
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
        write_diff(r, d, m);
        break;
    case OUTPUT_JSON_PATCH:
        write_patch(r, d, m, arena);
        break;
    }
}

/* ---- rewrite and restore */

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
    bool is_done = n == 0 || manifest_make(&in, arena, &f, &m) == 0;
    if (is_done) {
        write_result(r, d, &m, arena); /* also of a restore that left something, and says so */
    } else {
        r->walk.is_withheld = true;
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
    };

    r.walk.arg = &r;
    buf_init(&r.out, 4 * LIMIT_DOCUMENT_BYTES);
    for (size_t i = 0; i < o->filenames.n; i++) {
        filewalk_file(&r.walk, o->filenames.v[i]);
    }
    int code = filewalk_finish(&r.walk, &r.out, io->out);
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
