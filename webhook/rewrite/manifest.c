#include "webhook/rewrite/manifest.h"

#include "allocator/base/utf8.h"
#include "allocator/codec/yamldoc.h"
#include "webhook/rewrite/afresh.h"
#include "webhook/rewrite/revision.h"

/* ---- a rewrite of what was rewritten before, in another way or under another name */

static const struct node *annotation_of(const struct node *collector, struct arena *arena)
{
    struct collector c;

    collector_read(collector, &c);
    return revision_annotation(&c, arena);
}

static bool was_rewritten(const struct node *root, struct arena *arena)
{
    const struct node *collector;

    for (size_t at = 0; (collector = collector_next(root, &at)) != NULL;) {
        if (annotation_of(collector, arena) != NULL) {
            return true;
        }
    }
    return false;
}

struct again {
    const struct manifest_input *in;
    struct arena *arena;
    struct manifest original, fresh;
    struct faults f;
};

static const struct node *restore_document(void *arg)
{
    struct again *g = arg;
    struct manifest_input back = *g->in;
    struct node *root = NULL;

    back.is_restore = true;
    return manifest_pass(&back, g->arena, &g->f, &g->original) == 0 && g->original.n_changed > 0 &&
                   yamldoc_parse(g->original.result, g->arena, &root, NULL) == 0
               ? root
               : NULL;
}

static const struct node *rewrite_document(void *arg, const struct node *original)
{
    struct again *g = arg;
    struct manifest_input fresh = *g->in;

    fresh.text = g->original.result;
    fresh.root = original;
    return manifest_pass(&fresh, g->arena, &g->f, &g->fresh) == 0 ? g->fresh.intended : NULL;
}

/* As if the edits of both had been made at once. */
static void join(struct again *g, struct manifest *out)
{
    const struct manifest *original = &g->original, *fresh = &g->fresh;
    struct splice way = { .edits = { .n = 0 } };

    splice_compose(&original->edits, &fresh->edits, g->in->text, fresh->result, &way);
    *out = *fresh;
    out->n_changed =
        original->n_changed > fresh->n_changed ? original->n_changed : fresh->n_changed;
    out->edits = way;
}

/* 'out' is the rewrite on top, if 'has_one'. True: 'out' is another one now. */
static bool make_afresh(const struct manifest_input *in, struct arena *arena, bool has_one,
                        struct manifest *out)
{
    struct again g = { .in = in, .arena = arena };
    const struct afresh afresh = { .restore = restore_document,
                                   .rewrite = rewrite_document,
                                   .arg = &g,
                                   .on_top = has_one ? out->intended : NULL };

    faults_init(&g.f);
    bool is_better = afresh_make(&afresh, arena);
    if (is_better) {
        manifest_fini(out);
        join(&g, out);
    }
    manifest_fini(&g.original);
    manifest_fini(&g.fresh);
    faults_fini(&g.f);
    return is_better;
}

int manifest_make(const struct manifest_input *in, struct arena *arena, struct faults *f,
                  struct manifest *out)
{
    size_t n_faults = f->n;

    *out = (struct manifest){ .n_changed = 0 };
    /* JSON is not checked by its parser, and what we write would not be what was read. */
    if (!utf8_is_valid(in->text)) {
        faults_add(f, FAULT_ERROR, 0, "the document is not valid UTF-8");
        return ERR_INVALID;
    }
    int rc = manifest_pass(in, arena, f, out);
    bool is_final = in->is_restore || (rc == 0 && out->n_changed == 0);
    if (is_final || !was_rewritten(in->root, arena) || !make_afresh(in, arena, rc == 0, out)) {
        return rc;
    }
    faults_drop_errors(f, n_faults);
    return 0;
}
