#include "webhook/rewrite/manifest_pass.h"

#include "allocator/base/hash.h"
#include "allocator/base/limits.h"
#include "allocator/codec/nodeedit.h"
#include "allocator/codec/yamldoc.h"
#include "webhook/rewrite/annotations.h"
#include "webhook/rewrite/revision.h"
#include "webhook/rewrite/textplan.h"
#include "webhook/text/member.h"
#include "webhook/text/sourcemap.h"
#include "webhook/text/undo.h"

/* ---- edits of one Collector */

static int edit_config(struct text_editor *t, const struct revision *r, struct err *err)
{
    struct sourcemap map;

    if (r->collector.config_text.p == NULL) {
        for (size_t i = 0; i < r->edits.edits.n; i++) {
            const struct edit *e = &r->edits.edits.v[i];
            splice_add(t->splice, e->begin, e->end, e->text);
        }
        return 0;
    }
    if (r->new_text.p == NULL) {
        return 0;
    }
    int rc = sourcemap_make(t->text, r->collector.config_node, t->arena, &map, err);
    if (rc == 0) {
        rc = sourcemap_edits(&map, &r->edits, t->arena, t->splice, err);
    }
    return rc;
}

/* ---- one pass over the document */

struct pass {
    const struct manifest_input *in;
    bool ignores_records;
    const struct span *whole_records; /* by Collector, or NULL */
};

static int carry_out(struct text_editor *t, const struct revision *r,
                     const struct annotations_empty *empty, struct faults *f)
{
    struct err err;
    int rc = edit_config(t, r, &err);

    if (rc < 0) {
        size_t mark = faults_push(f, "spec");
        faults_push(f, "config");
        faults_add(f, FAULT_ERROR, r->collector.config_node->line, "%s", err.text);
        faults_pop(f, mark);
        return rc;
    }
    if (r->changes_annotation) {
        rc = r->annotation.p != NULL ? annotations_set(t, &r->collector, r->annotation, &err)
                                     : annotations_remove(t, &r->collector, empty, &err);
    }
    if (rc < 0) {
        size_t mark = faults_push(f, "metadata");
        faults_add(f, FAULT_ERROR, r->collector.metadata->line, "%s", err.text);
        faults_pop(f, mark);
    }
    return rc;
}

static int edit_collector(const struct pass *p, const struct node *root, size_t index,
                          struct text_editor *t, struct faults *f, struct manifest *out)
{
    struct annotations_empty empty;
    struct collector c;
    struct revision r;

    if (root->is_alias) {
        faults_add(f, FAULT_ERROR, root->line,
                   "a Collector written as an alias cannot be changed; write it out");
        return ERR_INVALID;
    }
    collector_read(root, &c);
    annotations_empty(&c, p->in->text, node_get(revision_annotation(&c, t->arena), "text"),
                      t->arena, &empty);
    const struct revision_input in = {
        .root = root,
        .document = p->in->text,
        .empty = empty,
        .options = p->in->options,
        .is_restore = p->in->is_restore,
        .ignores_records = p->ignores_records,
        .whole_record =
            p->whole_records == NULL ? (struct span){ NULL, 0 } : p->whole_records[index],
    };
    int rc = revision_make(&in, t->arena, f, &r);
    if (rc == 0 && r.is_changed) {
        rc = carry_out(t, &r, &empty, f);
        out->n_changed++;
        out->intended =
            nodeedit_replace(t->arena, out->intended, root, revision_intended(&r, t->arena));
    }
    revision_fini(&r);
    return rc < 0 ? ERR_INVALID : 0;
}

static int check_name(const struct node *root, struct faults *f)
{
    struct collector c;
    size_t n_errors = f->n_errors;

    collector_read(root, &c);
    collector_check_name(&c, f);
    return f->n_errors > n_errors ? ERR_INVALID : 0;
}

/* Faults of single Collectors go to 'f'; ERR_REFUSED and 'err' when the whole is not what it should
 * be. */
static int run_pass(const struct pass *p, struct arena *arena, struct faults *f,
                    struct manifest *out, struct err *err)
{
    const struct node *collector;
    struct text_editor t;
    int rc = 0;

    splice_fini(&out->edits);
    *out = (struct manifest){ .result = p->in->text, .intended = p->in->root };
    text_editor_init(&t, p->in->text, arena, &out->edits);
    for (size_t at = 0; (collector = collector_next(p->in->root, &at)) != NULL;) {
        size_t mark = collector_push(p->in->root, at, f);
        int one = check_name(collector, f);
        one = one < 0 ? one : edit_collector(p, collector, out->n_collectors, &t, f, out);
        rc = one < 0 ? one : rc;
        faults_pop(f, mark);
        out->n_collectors++;
    }
    if (rc < 0 || out->edits.edits.n == 0) {
        return rc;
    }
    rc = splice_sort(&out->edits, p->in->text.len, err);
    if (rc == 0) {
        AUTO_BUF text = { 0 };
        buf_init(&text, LIMIT_DOCUMENT_BYTES + LIMIT_ANNOTATIONS);
        splice_apply(&out->edits, p->in->text, &text);
        out->result = arena_span(arena, buf_span(&text));
        rc = textplan_check(out->result, out->intended, arena, err);
    }
    return rc;
}

/* A pass whose faults were reported by an earlier one. */
static int run_again(const struct pass *p, struct arena *arena, struct manifest *out,
                     struct err *err)
{
    struct faults f;

    faults_init(&f);
    int rc = run_pass(p, arena, &f, out, err);
    faults_fini(&f);
    return rc;
}

/* ---- to the byte */

static const struct node *whole_record_of(const struct node *collector, struct arena *arena,
                                          bool *out_is_fresh)
{
    struct collector c;

    collector_read(collector, &c);
    *out_is_fresh = c.annotation == NULL;
    const struct node *annotation = revision_annotation(&c, arena);
    return undo_find(node_get(annotation, "text"), SPAN_LIT(""), SPAN_LIT(""));
}

/* What belongs to a Collector: from its first byte to that of the next one, comments at its end
 * included. */
static struct span region_of(struct span text, const struct node *root, const struct node *n,
                             size_t at)
{
    const struct node *next = collector_next(root, &at);

    return span_make(text.p + n->begin, (next == NULL ? text.len : next->begin) - n->begin);
}

/* The record that leads from a restored Collector to the text it had. */
static struct span write_whole(const struct undo_whole *restored, const struct undo_whole *original,
                               struct arena *arena)
{
    AUTO_BUF record = { 0 };

    buf_init(&record, LIMIT_ANNOTATION_DECODED);
    undo_whole_write(restored, original, &record);
    return buf_error(&record) == 0 ? arena_span(arena, buf_span(&record)) : SPAN_LIT("");
}

/* What a restore of the result would give, without whole records; its root in '*out_root'. */
static bool restore_plainly(const struct manifest_input *in, struct span text, struct arena *arena,
                            struct span *out, struct node **out_root)
{
    struct node *root = NULL;
    struct manifest_input again = { .text = text, .options = in->options, .is_restore = true };
    struct manifest m = { .n_changed = 0 };
    bool is_done = false;

    if (yamldoc_parse(text, arena, &root, NULL) < 0 || root == NULL) {
        return false;
    }
    again.root = root;
    const struct pass p = { .in = &again };
    if (run_again(&p, arena, &m, NULL) == 0 &&
        yamldoc_parse(m.result, arena, out_root, NULL) == 0) {
        *out = m.result;
        is_done = true;
    }
    manifest_fini(&m);
    return is_done;
}

/* For each Collector: the record that its annotation needs or keeps. False when none needs one. */
static bool find_whole_records(const struct manifest_input *in, const struct manifest *m,
                               struct arena *arena, struct span *out)
{
    struct span restored;
    struct node *now_root = NULL;
    const struct node *was, *now;
    bool has_one = false;
    size_t i = 0;

    if (!restore_plainly(in, m->result, arena, &restored, &now_root)) {
        return false;
    }
    for (size_t at = 0, now_at = 0; (was = collector_next(in->root, &at)) != NULL; i++) {
        bool is_fresh;
        now = collector_next(now_root, &now_at);
        const struct node *record = whole_record_of(was, arena, &is_fresh);
        if (now == NULL) {
            return false;
        }
        struct undo_whole before, after;
        undo_whole_make(in->text, region_of(in->text, in->root, was, at), was, arena, &before);
        undo_whole_make(restored, region_of(restored, now_root, now, now_at), now, arena, &after);
        if (is_fresh && !span_eq(before.text, after.text)) {
            out[i] = write_whole(&after, &before, arena);
        } else if (!is_fresh && undo_whole_fits(&after, record)) {
            AUTO_BUF json = { 0 };
            buf_init(&json, LIMIT_ANNOTATION_DECODED);
            node_write_json(record, &json);
            out[i] = arena_span(arena, buf_span(&json));
        }
        has_one = has_one || out[i].len > 0;
    }
    return has_one;
}

/* The tree, where an empty metadata.annotations counts as none: that is how a restore leaves it. */
static const struct node *without_empty_annotations(const struct node *root, struct arena *arena)
{
    const struct node *result = root, *collector;

    for (size_t at = 0; (collector = collector_next(root, &at)) != NULL;) {
        const struct node *metadata = node_get(collector, "metadata");
        const struct node *annotations = node_get(metadata, "annotations");
        if (annotations != NULL && annotations->type != NODE_SCALAR && annotations->n == 0) {
            const struct node *less =
                nodeedit_member(arena, metadata, SPAN_LIT("annotations"), NULL);
            result = nodeedit_replace(arena, result, metadata, less);
        }
    }
    return result;
}

/* The tree with each configuration that is text as what it says: with an alias written out it is
 * another text and says the same. */
static const struct node *with_configurations(const struct node *root, struct arena *arena)
{
    const struct node *result = root, *one;
    struct collector c;

    for (size_t at = 0; (one = collector_next(root, &at)) != NULL;) {
        collector_read(one, &c);
        const struct node *text = c.config_node;
        if (c.config_text.p != NULL && collector_parse_text(&c, arena, NULL) == 0 &&
            c.config != NULL) {
            result = nodeedit_replace(arena, result, text, c.config);
        }
    }
    return result;
}

/* Is 'text' what a restore intends? */
static bool is_intended(struct span text, const struct manifest *m, struct arena *arena)
{
    struct node *root = NULL;

    return yamldoc_parse(text, arena, &root, NULL) == 0 && root != NULL &&
           node_equal(with_configurations(without_empty_annotations(root, arena), arena),
                      with_configurations(without_empty_annotations(m->intended, arena), arena));
}

/* The last step of a restore: Collectors whose record says that they had other bytes. */
static void apply_whole_records(const struct manifest_input *in, struct arena *arena,
                                struct manifest *m)
{
    struct node *now_root = NULL;
    const struct node *was, *now;
    struct splice s = { .edits = { .n = 0 } };

    if (yamldoc_parse(m->result, arena, &now_root, NULL) < 0) {
        return;
    }
    for (size_t at = 0, now_at = 0; (was = collector_next(in->root, &at)) != NULL;) {
        bool is_fresh;
        now = collector_next(now_root, &now_at);
        const struct node *record = whole_record_of(was, arena, &is_fresh);
        if (now == NULL) {
            break;
        }
        struct undo_whole o;
        undo_whole_make(m->result, region_of(m->result, now_root, now, now_at), now, arena, &o);
        if (undo_whole_fits(&o, record)) {
            undo_whole_add(&o, record, &s);
        }
    }
    if (s.edits.n > 0 && splice_sort(&s, m->result.len, NULL) == 0) {
        AUTO_BUF text = { 0 };
        buf_init(&text, LIMIT_DOCUMENT_BYTES);
        splice_apply(&s, m->result, &text);
        if (is_intended(buf_span(&text), m, arena)) {
            m->result = arena_span(arena, buf_span(&text));
            splice_fini(&m->edits);
            *vec_push(&m->edits.edits) = splice_difference(in->text, m->result);
        }
    }
    splice_fini(&s);
}

int manifest_pass(const struct manifest_input *in, struct arena *arena, struct faults *f,
                  struct manifest *out)
{
    struct pass p = { .in = in };
    struct span *whole = arena_zalloc(arena, (collector_count(in->root) + 1) * sizeof(*whole));
    struct err err;

    *out = (struct manifest){ .n_changed = 0 };
    int rc = run_pass(&p, arena, f, out, &err);
    if (rc == ERR_REFUSED && in->is_restore) {
        /* Records that people wrote themselves: the sections come back in a form of our own. */
        p.ignores_records = true;
        rc = run_again(&p, arena, out, &err);
    }
    if (rc == 0 && in->is_restore) {
        apply_whole_records(in, arena, out);
    } else if (rc == 0 && out->n_changed > 0 && find_whole_records(in, out, arena, whole)) {
        p.whole_records = whole;
        rc = run_again(&p, arena, out, &err);
    }
    if (rc == ERR_REFUSED) {
        faults_add(f, FAULT_ERROR, in->root->line, "%s", err.text);
    }
    return rc < 0 ? ERR_INVALID : 0;
}

void manifest_fini(struct manifest *m)
{
    splice_fini(&m->edits);
}
