#include "webhook/rewrite/revision.h"

#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "allocator/codec/nodeedit.h"
#include "allocator/tenant/annotation.h"
#include "allocator/tenant/collectoradvice.h"
#include "webhook/rewrite/afresh.h"
#include "webhook/rewrite/textplan.h"
#include "webhook/text/writeout.h"

static size_t push_config(struct faults *f)
{
    size_t mark = faults_push(f, "spec");

    faults_push(f, "config");
    return mark;
}

static size_t push_annotation(struct faults *f)
{
    size_t mark = faults_push(f, "metadata");

    faults_push(f, "annotations");
    faults_push(f, "%s", WIRE_ANNOTATION);
    return mark;
}

/* Of the annotation. A whole sentence: admission warnings have no path. */
static void add_fault(const struct collector *c, enum fault_kind kind, enum fault_severity severity,
                      const char *text, struct faults *f)
{
    size_t mark = faults_push(f, "metadata");

    faults_add_kind(f, kind, severity, c->annotation == NULL ? 0 : c->annotation->line,
                    "annotation %s %s", WIRE_ANNOTATION, text);
    faults_pop(f, mark);
}

const struct node *revision_annotation(const struct collector *c, struct arena *arena)
{
    struct node *tree = NULL;
    struct span json;

    return collector_annotation(c, arena, &tree, &json, NULL) == 0 ? tree : NULL;
}

struct old_loader {
    const struct revision_input *in;
    struct arena *arena;
    struct plan_old old; /* as it was loaded */
};

/* The old object may be anything: what cannot be read of it helps nobody and harms nobody. */
static void load_old(void *arg, struct plan_old *out)
{
    struct old_loader *loader = arg;
    const struct node *root = loader->in->old_root(loader->in->old_arg);
    struct collector old;

    if (root == NULL || root->type != NODE_MAP) {
        return;
    }
    collector_read(root, &old);
    out->annotation = revision_annotation(&old, loader->arena);
    if (collector_parse_text(&old, loader->arena, NULL) == 0) {
        out->config = old.config;
    }
    loader->old = *out;
}

/* ---- configuration */

/* 'f' stands at "spec.config". ERR_REFUSED: the text cannot be changed as it is written. */
static int change_text(const struct revision_input *in, const struct textplan *t,
                       struct arena *arena, struct faults *f, struct revision *r)
{
    bool use_records = !in->ignores_records;
    struct err err;

    for (;;) {
        AUTO_BUF result = { 0 };
        splice_fini(&r->edits);
        if (textplan_edits(t, use_records, arena, &r->edits, f) < 0) {
            return ERR_REFUSED;
        }
        if (r->collector.config_text.p == NULL) {
            return 0; /* an object in a manifest: whoever puts the manifest together compares it */
        }
        buf_init(&result, LIMIT_DOCUMENT_BYTES);
        splice_apply(&r->edits, t->text, &result);
        r->new_text = arena_span(arena, buf_span(&result));
        if (textplan_check(r->new_text, r->intended_config, arena, &err) == 0) {
            return 0;
        }
        if (!use_records) {
            faults_add(f, FAULT_ERROR, r->collector.config_node->line, "%s", err.text);
            return ERR_REFUSED;
        }
        use_records = false; /* somebody wrote records of their own */
    }
}

/* ---- annotation */

/* As it was; p == NULL: none. */
static struct span previous_annotation(const struct revision *r)
{
    struct span value = { NULL, 0 };

    (void)node_as_text(r->collector.annotation, &value);
    return value;
}

/* The annotation whose content is 'json' already, this Collector's or that of the stored one, which
 * the write may have left out; p == NULL: none. */
static struct span find_same(const struct revision_input *in, const struct revision *r,
                             struct span json)
{
    struct span previous = previous_annotation(r), old = { NULL, 0 };

    if (r->stored_json.len > 0 && span_eq(json, r->stored_json)) {
        return previous;
    }
    if (in->old_annotation != NULL) {
        old = in->old_annotation(in->old_arg);
    }
    bool is_other = old.len > 0 && !span_eq(old, previous);
    return is_other && annotation_holds(old, json) ? old : (struct span){ NULL, 0 };
}

static int encode(const struct revision_input *in, const struct revision *r, struct span records,
                  struct arena *arena, struct buf *out, struct err *err)
{
    struct buf json;

    buf_init_in(&json, arena, LIMIT_ANNOTATION_DECODED);
    plan_write_annotation(&r->plan, records, arena, &json);
    kept_join(&r->kept, arena, &json);
    if (buf_error(&json) != 0) {
        return err_set(err, ERR_TOO_BIG, "the discovery sections have more than %zu bytes",
                       (size_t)LIMIT_ANNOTATION_DECODED);
    }
    size_t taken = r->collector.annotations_bytes + sizeof(WIRE_ANNOTATION) - 1;
    size_t room = taken < LIMIT_ANNOTATIONS ? LIMIT_ANNOTATIONS - taken : 0;
    /* The same content keeps its bytes, unless there is no longer room for them. */
    struct span same = find_same(in, r, buf_span(&json));
    if (same.len > 0 && same.len <= room) {
        buf_add_span(out, same);
    } else {
        int rc = annotation_encode(buf_span(&json), room, out, err);
        if (rc < 0) {
            return rc;
        }
    }
    size_t total = taken + out->len;
    if (total > LIMIT_ANNOTATIONS) {
        return err_set(err, ERR_TOO_BIG,
                       "all annotations together would have %zu bytes, more than %zu; move targets "
                       "to file_sd or "
                       "http_sd, or opt out",
                       total, (size_t)LIMIT_ANNOTATIONS);
    }
    return 0;
}

static void write_records(const struct revision_input *in, const struct textplan *t,
                          const struct revision *r, struct arena *arena, struct buf *out)
{
    AUTO_BUF records = { 0 }, result = { 0 };

    if (t->text.p == NULL) {
        return;
    }
    buf_init(&records, LIMIT_ANNOTATION_DECODED);
    buf_init(&result, LIMIT_DOCUMENT_BYTES);
    splice_apply(&r->edits, t->text, &result);
    textplan_write_records(t, &r->edits, buf_span(&result), arena, &records);
    if (buf_error(&records) != 0) {
        return;
    }
    if (in->whole_record.len == 0 && in->empty.text.p == NULL) {
        buf_add_span(out, buf_span(&records));
        return;
    }
    buf_add_str(out, "{\"\":{");
    if (in->whole_record.len > 0) {
        buf_add_str(out, "\"\":");
        buf_add_span(out, in->whole_record);
    }
    if (in->empty.text.p != NULL) {
        buf_add_str(out, in->whole_record.len > 0 ? ",\"" : "\"");
        buf_add_str(out, ANNOTATIONS_RECORD "\":");
        buf_add_json(out, in->empty.text);
    }
    buf_add_str(out, records.len > 0 ? "}," : "}}");
    buf_add_span(out, records.len > 0 ? span_from(buf_span(&records), 1) : SPAN_LIT(""));
}

static int make_annotation(const struct revision_input *in, const struct textplan *t,
                           struct arena *arena, struct revision *r, struct err *err)
{
    struct span previous = previous_annotation(r);
    struct buf records, value;

    if (r->is_left) {
        return 0;
    }
    if (!r->plan.has_annotation && r->kept.receivers == NULL) {
        r->changes_annotation = r->collector.annotation != NULL;
        return 0;
    }
    buf_init_in(&records, arena, LIMIT_ANNOTATION_DECODED);
    buf_init_in(&value, arena, LIMIT_ANNOTATION_DECODED);
    write_records(in, t, r, arena, &records);
    int rc = encode(in, r, buf_span(&records), arena, &value, err);
    if (rc == ERR_TOO_BIG && records.len > 0) {
        buf_clear(&value);
        rc = encode(in, r, SPAN_LIT(""), arena, &value, err);
    }
    if (rc < 0) {
        return rc;
    }
    r->annotation = buf_span(&value);
    r->changes_annotation = previous.p == NULL || !span_eq(previous, r->annotation);
    return 0;
}

/* ---- all of it */

/* Ours stands among the annotations: what is neither a map nor nothing would be lost to it. */
static bool has_room_for_annotation(const struct collector *c, struct faults *f)
{
    if (node_is_null(c->annotations) || c->annotations->type == NODE_MAP) {
        return true;
    }
    size_t mark = faults_push(f, "metadata");
    faults_push(f, "annotations");
    faults_add(f, FAULT_ERROR, c->annotations->line, "must be a mapping, not %s",
               node_type_name(c->annotations));
    faults_pop(f, mark);
    return false;
}

static int carry_out(const struct revision_input *in, struct arena *arena, struct faults *f,
                     struct revision *r)
{
    struct textplan t = { .plan = &r->plan, .config = r->collector.config };
    struct err err;
    int rc = 0;

    bool is_text = r->collector.config_text.p != NULL;
    bool becomes_object = is_text && in->is_object_form && r->plan.n_changed > 0;
    t.text = becomes_object ? (struct span){ NULL, 0 }
             : is_text      ? r->collector.config_text
                            : in->document;
    r->intended_config = plan_intended(&r->plan, r->collector.config, arena);
    if (r->plan.n_changed > 0 && t.text.p != NULL) {
        size_t mark = push_config(f);
        rc = change_text(in, &t, arena, f, r);
        faults_pop(f, mark);
        if (rc < 0) {
            return rc;
        }
    }
    rc = make_annotation(in, &t, arena, r, &err);
    if (rc == 0 && r->changes_annotation && !has_room_for_annotation(&r->collector, f)) {
        return ERR_INVALID;
    }
    if (rc < 0) {
        size_t mark = push_annotation(f);
        faults_add(f, FAULT_ERROR, 0, "%s", err.text);
        faults_pop(f, mark);
        return ERR_INVALID;
    }
    r->is_changed = r->plan.n_changed > 0 || r->changes_annotation;
    return 0;
}

/* Of what stays as it is: a restore was to bring it back. */
static enum fault_severity severity_of(const struct revision_input *in)
{
    return in->is_restore ? FAULT_ERROR : FAULT_WARNING;
}

/* The annotation and all that hangs on it stay as they are; whoever wants it back is told so. */
static void leave(const struct revision_input *in, int rc, const struct err *why, struct faults *f,
                  struct revision *r)
{
    collector_report_annotation(&r->collector, rc, why, severity_of(in), f);
    r->intended_config = r->collector.config;
    r->is_left = true;
}

/* An annotation that belongs to a program that knows more: nothing is done, for whichever job. */
static void leave_newer(const struct revision_input *in, const struct err *why, struct arena *arena,
                        struct faults *f, struct revision *r)
{
    const struct plan_input plan = { .collector = &r->collector,
                                     .is_restore = true,
                                     .options = in->options,
                                     .is_annotation_unread = true };
    struct faults unheard;

    leave(in, ERR_UNSUPPORTED, why, f, r);
    faults_init(&unheard);
    if (collector_open_config(&r->collector, arena, FAULT_WARNING, &unheard) == 0) {
        plan_make(&plan, arena, &unheard, &r->plan);
        r->intended_config = r->collector.config;
    }
    faults_fini(&unheard);
    struct span names = kept_lost_names(&r->plan, arena);
    if (names.len > 0) {
        AUTO_STR text = mem_printf("has the originals of %.*s", SPAN_ARG(names));
        add_fault(&r->collector, FAULT_STANDING, severity_of(in), text, f);
    }
    r->plan = (struct plan){ .n_lost = r->plan.n_lost };
}

/* Nothing may be lost that somebody could still mend by hand. */
static bool has_to_stay(const struct revision *r, bool is_rewrite, const struct plan_old *old)
{
    bool is_replaced = r->plan.has_annotation || (!is_rewrite && old->annotation != NULL);

    return r->plan.n_lost > 0 || !is_replaced;
}

static void report_kept(const struct revision_input *in, const struct revision *r, struct faults *f)
{
    if (r->kept.receivers != NULL) {
        AUTO_STR text = mem_printf("stays: it has the originals of %.*s", SPAN_ARG(r->kept.names));
        add_fault(&r->collector, FAULT_STANDING, severity_of(in), text, f);
    }
}

static int make_once(const struct revision_input *in, struct arena *arena, struct faults *f,
                     struct revision *out)
{
    struct old_loader loader = { .in = in, .arena = arena };
    struct collector *c = &out->collector;
    struct node *annotation = NULL;
    struct err unread = { .text = "" };
    size_t n_errors = f->n_errors;

    *out = (struct revision){ .empty = in->empty.value };
    collector_read(in->root, c);
    bool is_rewrite = !in->is_restore && collector_is_served(c);
    int rc = collector_annotation(c, arena, &annotation, &out->stored_json, &unread);
    if (rc == ERR_UNSUPPORTED) {
        leave_newer(in, &unread, arena, f, out);
        return 0;
    }
    if (!in->is_restore) {
        collectoradvice_give(c, f);
        collector_check_allocator(c, f);
    }
    /* Nothing of ours can be in what is not a configuration; whoever does not want a rewrite may
     * write what they like. */
    bool is_wanted = is_rewrite || (in->is_restore && c->annotation != NULL);
    if (collector_open_config(c, arena, is_wanted ? FAULT_ERROR : FAULT_WARNING, f) < 0) {
        return is_rewrite ? ERR_INVALID : 0;
    }
    out->records = node_get(annotation, "text");
    const struct plan_input plan = { .collector = c,
                                     .is_restore = in->is_restore,
                                     .options = in->options,
                                     .annotation = annotation,
                                     .is_annotation_unread = rc < 0,
                                     .load_old = in->old_root == NULL ? NULL : load_old,
                                     .load_arg = &loader };
    plan_make(&plan, arena, f, &out->plan);
    if (is_rewrite && f->n_errors > n_errors) {
        if (rc < 0) {
            collector_report_annotation(c, rc, &unread, FAULT_WARNING, f);
        }
        return ERR_INVALID;
    }
    if (rc < 0 && has_to_stay(out, is_rewrite, &loader.old)) {
        leave(in, rc, &unread, f, out);
        if (is_rewrite) {
            return 0;
        }
    } else if (rc < 0) {
        collector_report_annotation(c, rc, &unread, FAULT_WARNING, f); /* and is not used */
    }
    const struct node *kept_of = annotation != NULL ? annotation : loader.old.annotation;
    if (annotation != NULL || out->plan.n_lost > 0) {
        kept_find(&out->plan, kept_of, !is_rewrite, arena, &out->kept);
        report_kept(in, out, f);
    }
    return carry_out(in, arena, f, out);
}

/* ---- a text that is rewritten again, in another way or under another name */

struct again {
    const struct revision_input *in;
    struct arena *arena;
    struct revision original, fresh;
    struct faults f;
};

static const struct node *restore_text(void *arg)
{
    struct again *g = arg;
    struct revision_input back = *g->in;

    back.is_restore = true;
    return make_once(&back, g->arena, &g->f, &g->original) == 0 && g->original.new_text.p != NULL
               ? revision_intended(&g->original, g->arena)
               : NULL;
}

static const struct node *rewrite_text(void *arg, const struct node *original)
{
    struct again *g = arg;
    struct revision_input fresh = *g->in;

    fresh.root = original;
    return make_once(&fresh, g->arena, &g->f, &g->fresh) == 0 && g->fresh.new_text.p != NULL
               ? revision_intended(&g->fresh, g->arena)
               : NULL;
}

static void make_afresh(const struct revision_input *in, struct arena *arena, struct revision *r)
{
    struct again g = { .in = in, .arena = arena };
    const struct afresh afresh = { .restore = restore_text,
                                   .rewrite = rewrite_text,
                                   .arg = &g,
                                   .on_top = revision_intended(r, arena) };

    faults_init(&g.f);
    if (afresh_make(&afresh, arena)) {
        r->new_text = g.fresh.new_text;
        r->annotation = g.fresh.annotation;
        r->changes_annotation = true;
    }
    revision_fini(&g.original);
    revision_fini(&g.fresh);
    faults_fini(&g.f);
}

/* ---- a text that refers from one place to another */

/* 'root' with another text of its configuration, at the same place. */
static const struct node *with_text(const struct collector *c, struct span text,
                                    struct arena *arena)
{
    struct node *config = nodeedit_text(arena, text);

    config->line = c->config_node->line;
    config->style = c->config_node->style;
    return nodeedit_member(
        arena, c->root, SPAN_LIT("spec"),
        nodeedit_member(arena, node_get(c->root, "spec"), SPAN_LIT("config"), config));
}

/* Every alias and merge key is written out first; 'out' is what was refused. */
static int make_written_out(const struct revision_input *in, struct arena *arena, struct faults *f,
                            struct revision *out)
{
    const struct collector c = out->collector;
    struct revision_input plain = *in;
    struct splice written = { .edits = { .n = 0 } }, way = { .edits = { .n = 0 } };
    const struct writeout_room room = { LIMIT_CONFIG_TEXT_BYTES, arena };
    struct span text;

    int rc = writeout(c.config_text, c.config, &room, &written, &text, NULL);
    if (rc == 0 && written.edits.n > 0) {
        revision_fini(out);
        plain.root = with_text(&c, text, arena);
        rc = make_once(&plain, arena, f, out);
        if (rc == 0 && out->new_text.p != NULL) {
            splice_compose(&written, &out->edits, c.config_text, out->new_text, &way);
            splice_fini(&out->edits);
            out->edits = way;
        }
        out->collector = c;
    } else {
        rc = ERR_REFUSED;
    }
    splice_fini(&written);
    return rc;
}

/* What a collector reads is not refused for how it is written. */
static void leave_text(struct arena *arena, struct faults *f, size_t from, struct revision *out)
{
    const char *why = "";

    for (size_t i = f->n; i-- > from;) {
        if (f->v[i].severity == FAULT_ERROR) {
            why = arena_strndup(arena, f->v[i].text, strlen(f->v[i].text));
        }
    }
    faults_drop_errors(f, from);
    size_t mark = push_config(f);
    faults_add_kind(f, FAULT_STANDING, FAULT_WARNING, out->collector.config_node->line,
                    "the configuration stays as it is: %s", why);
    faults_pop(f, mark);
    splice_fini(&out->edits);
    out->plan.n_changed = 0;
    out->new_text = (struct span){ NULL, 0 };
    out->intended_config = out->collector.config;
}

static int make_text(const struct revision_input *in, struct arena *arena, struct faults *f,
                     struct revision *out)
{
    size_t from = f->n;
    int rc = make_once(in, arena, f, out);

    if (rc == ERR_REFUSED) {
        struct faults second;
        faults_init(&second);
        rc = make_written_out(in, arena, &second, out);
        faults_fini(&second);
        if (rc == 0) {
            faults_drop_errors(f, from);
        }
    }
    if (rc == ERR_REFUSED && in->document.p == NULL && !in->is_restore) {
        leave_text(arena, f, from, out);
        return 0;
    }
    return rc < 0 ? ERR_INVALID : 0;
}

int revision_make(const struct revision_input *in, struct arena *arena, struct faults *f,
                  struct revision *out)
{
    int rc = make_text(in, arena, f, out);

    /* In a manifest there is more than the text to be restored: manifest.h does it. */
    if (rc == 0 && in->document.p == NULL && !in->is_restore && out->new_text.p != NULL &&
        out->records != NULL && out->plan.has_annotation) {
        make_afresh(in, arena, out);
    }
    return rc;
}

const struct node *revision_intended(const struct revision *r, struct arena *arena)
{
    const struct collector *c = &r->collector;
    const struct node *root = c->root;

    if (r->plan.n_changed > 0) {
        const struct node *config = r->new_text.p == NULL
                                        ? r->intended_config
                                        : (const struct node *)nodeedit_text(arena, r->new_text);
        root = nodeedit_member(
            arena, root, SPAN_LIT("spec"),
            nodeedit_member(arena, node_get(root, "spec"), SPAN_LIT("config"), config));
    }
    if (r->changes_annotation) {
        const struct node *text =
            r->annotation.p == NULL ? NULL : nodeedit_text(arena, r->annotation);
        const struct node *annotations =
            nodeedit_member(arena, c->annotations, SPAN_LIT(WIRE_ANNOTATION), text);
        const struct node *metadata = nodeedit_member(arena, c->metadata, SPAN_LIT("annotations"),
                                                      annotations->n == 0 ? r->empty : annotations);
        root = nodeedit_member(arena, root, SPAN_LIT("metadata"), metadata);
    }
    return root;
}

void revision_fini(struct revision *r)
{
    splice_fini(&r->edits);
}
