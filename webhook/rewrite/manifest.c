#include "webhook/rewrite/manifest.h"

#include "allocator/base/utf8.h"
#include "allocator/codec/yamldoc.h"
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

static bool is_same(const struct manifest *a, const struct manifest *b, struct arena *arena)
{
    const struct node *one, *other;

    for (size_t at = 0, b_at = 0; (one = collector_next(a->intended, &at)) != NULL;) {
        other = collector_next(b->intended, &b_at);
        if (other == NULL || !revision_is_same(one, other, arena)) {
            return false;
        }
    }
    return true;
}

/* Restored first: the original text, rewritten as if for the first time. False when that cannot be
 * done. */
static bool make_from_original(const struct manifest_input *in, struct arena *arena,
                               struct manifest *out)
{
    struct manifest_input back = *in, fresh = *in;
    struct manifest original = { .n_changed = 0 }, m = { .n_changed = 0 };
    struct node *root = NULL;
    struct faults f; /* of texts that nobody sees */

    back.is_restore = true;
    faults_init(&f);
    bool is_done = manifest_pass(&back, arena, &f, &original) == 0 && original.n_changed > 0 &&
                   yamldoc_parse(original.result, arena, &root, NULL) == 0 && root != NULL;
    if (is_done) {
        fresh.text = original.result;
        fresh.root = root;
        is_done = manifest_pass(&fresh, arena, &f, &m) == 0;
    }
    if (is_done) {
        struct splice way = { .edits = { .n = 0 } };
        splice_compose(&original.edits, &m.edits, in->text, m.result, &way);
        *out = m;
        out->n_changed = original.n_changed > m.n_changed ? original.n_changed : m.n_changed;
        out->edits = way;
    }
    splice_fini(&m.edits);
    manifest_fini(&original);
    faults_fini(&f);
    return is_done;
}

int manifest_make(const struct manifest_input *in, struct arena *arena, struct faults *f,
                  struct manifest *out)
{
    struct manifest from_original;
    size_t n_faults = f->n;

    *out = (struct manifest){ .n_changed = 0 };
    /* JSON is not checked by its parser, and what we write would not be what was read. */
    if (!utf8_is_valid(in->text)) {
        faults_add(f, FAULT_ERROR, 0, "the document is not valid UTF-8");
        return ERR_INVALID;
    }
    int rc = manifest_pass(in, arena, f, out);
    bool is_final = in->is_restore || (rc == 0 && out->n_changed == 0);
    if (is_final || !was_rewritten(in->root, arena) ||
        !make_from_original(in, arena, &from_original)) {
        return rc;
    }
    if (rc == 0 && !is_same(out, &from_original, arena)) {
        /* Somebody has changed what was rewritten: the values count, not how they were written. */
        manifest_fini(&from_original);
        return 0;
    }
    faults_drop_errors(f, n_faults);
    manifest_fini(out);
    *out = from_original;
    return 0;
}
