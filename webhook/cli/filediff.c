#include "webhook/cli/filediff.h"

#include "allocator/base/limits.h"
#include "allocator/codec/yamldoc.h"
#include "allocator/tenant/collector.h"

#include <string.h>

void filediff_init(struct filediff *f, bool folds)
{
    *f = (struct filediff){ .folds = folds };
    arena_init(&f->arena);
}

/* ---- our annotation */

static void add_folds(struct unified_folds *out, const struct node *root, size_t offset)
{
    const struct node *one;

    for (size_t at = 0; (one = collector_next(root, &at)) != NULL;) {
        struct collector c;
        collector_read(one, &c);
        if (c.annotation != NULL && !c.annotation->is_alias) {
            *vec_push(&out->v) =
                (struct unified_fold){ offset + c.annotation->begin, offset + c.annotation->end };
        }
    }
}

/* ---- documents */

void filediff_add(struct filediff *f, const struct filewalk_document *d, const struct manifest *m,
                  struct arena *arena)
{
    size_t offset = (size_t)(d->text.p - d->file.p);
    struct node *root = NULL;

    for (size_t i = 0; i < m->edits.edits.n; i++) {
        const struct edit *e = &m->edits.edits.v[i];
        splice_add(&f->edits, offset + e->begin, offset + e->end, arena_span(&f->arena, e->text));
    }
    if (f->folds) {
        add_folds(&f->before, d->root, offset);
    }
    if (f->folds && yamldoc_parse(m->result, arena, &root, NULL) == 0) {
        add_folds(&f->after, root, f->result_len);
    }
    f->result_len += m->result.len;
}

/* ---- names */

/* As git has it: between quotes when something in it needs an escape. */
static void add_name(struct buf *out, const char *side, const char *name)
{
    bool is_odd = false, has_blank = strchr(name, ' ') != NULL;

    while (name[0] == '/' || strncmp(name, "./", 2) == 0) {
        name += name[0] == '/' ? 1 : 2;
    }
    for (const char *p = name; *p != '\0'; p++) {
        is_odd = is_odd || (unsigned char)*p < ' ' || *p == 0x7f || *p == '"' || *p == '\\';
    }
    buf_addf(out, "%s%s/", is_odd ? "\"" : "", side);
    for (const char *p = name; *p != '\0'; p++) {
        if ((unsigned char)*p < ' ' || *p == 0x7f) {
            buf_addf(out, "\\%03o", (unsigned)(unsigned char)*p);
        } else {
            buf_addf(out, "%s%c", *p == '"' || *p == '\\' ? "\\" : "", *p);
        }
    }
    buf_add_str(out, is_odd ? "\"" : has_blank ? "\t" : "");
}

/* ---- the file */

static void reset(struct filediff *f)
{
    splice_fini(&f->edits);
    f->edits = (struct splice){ .edits = { .n = 0 } };
    vec_clear(&f->before.v);
    vec_clear(&f->after.v);
    f->result_len = 0;
    arena_reset(&f->arena);
}

void filediff_write(struct filediff *f, const char *filename, struct span file, bool has_colour,
                    bool is_shown, struct buf *out)
{
    AUTO_BUF after = { 0 }, before_name = { 0 }, after_name = { 0 };

    buf_init(&after, LIMIT_DOCUMENT_BYTES + LIMIT_ANNOTATIONS);
    buf_init(&before_name, 64 * KIB);
    buf_init(&after_name, 64 * KIB);
    if (f->edits.edits.n > 0 && splice_sort(&f->edits, file.len, NULL) == 0) {
        splice_apply(&f->edits, file, &after);
        add_name(&before_name, "a", filename);
        add_name(&after_name, "b", filename);
        const struct unified diff = {
            .before = file,
            .after = buf_span(&after),
            .edits = &f->edits,
            .label_before = buf_span(&before_name),
            .label_after = buf_span(&after_name),
            .folds_before = &f->before,
            .folds_after = &f->after,
            .fold_hint = "--show-annotation",
            .has_colour = has_colour,
            .is_shown = is_shown,
        };
        unified_write(&diff, out);
    }
    reset(f);
}

void filediff_fini(struct filediff *f)
{
    splice_fini(&f->edits);
    vec_fini(&f->before.v);
    vec_fini(&f->after.v);
    arena_fini(&f->arena);
}
