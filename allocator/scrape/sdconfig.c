#include "allocator/scrape/sdconfig.h"

#include "allocator/base/mem.h"
#include "allocator/base/vec.h"
#include "allocator/codec/walk.h"
#include "allocator/prom/duration.h"
#include "allocator/scrape/httpconfig.h"
#include "allocator/scrape/mechanisms.h"
#include "allocator/scrape/sdtables.h"

#define STATIC_SECTION "static_configs"

bool sdconfig_is_run(struct span section)
{
    return span_is_one_of(section, mechanisms);
}

char *sdconfig_gap(struct span job, struct span section)
{
    return mem_printf("job '%.*s': the allocator cannot run %.*s: their targets are missing",
                      SPAN_ARG(job), SPAN_ARG(section));
}

struct reader {
    bool has_relabel;
    enum fault_severity unknown;
    struct faults *f;
    VEC(struct sdconfig) found;
};

/* Without relabeling nothing can turn a URL into an address. */
static void thorough(const struct reader *r, const struct node *targets)
{
    size_t mark = faults_push(r->f, "targets");

    for (size_t i = 0; targets != NULL && i < targets->n; i++) {
        struct span text = { "", 0 };
        (void)node_as_text(targets->items[i], &text);
        if (memchr(text.p, '/', text.len) != NULL) {
            size_t inner = faults_push_index(r->f, i);
            faults_add(r->f, FAULT_ERROR, targets->items[i]->line,
                       "\"%.*s\" is not a valid hostname", SPAN_ARG(text));
            faults_pop(r->f, inner);
        }
    }
    faults_pop(r->f, mark);
}

/* "a.b.c", key by key. */
static size_t push_keys(struct faults *f, const char *path)
{
    int n = (int)strcspn(path, ".");
    size_t mark = faults_push(f, "%.*s", n, path);

    for (path += n; *path != '\0'; path += n) {
        path++;
        n = (int)strcspn(path, ".");
        faults_push(f, "%.*s", n, path);
    }
    return mark;
}

/* What a section that is run here asks of the HTTP client, that one must be able to do. */
static void check_gap(struct reader *r, const struct sdtable *t, const struct node *entry)
{
    struct httpconfig_gap gap;

    if (httpconfig_find_gap(entry, &gap)) {
        size_t mark = push_keys(r->f, gap.path);
        faults_add(r->f, FAULT_ERROR, gap.line, "is not supported for %.*s: %s",
                   (int)(strlen(t->section) - strlen("_configs")), t->section, gap.why);
        faults_pop(r->f, mark);
    }
}

static int64_t refresh_of(const struct sdtable *t, const struct node *entry)
{
    const struct schema_field *field = t->fields;
    int64_t ms = 0;

    if (node_get(entry, "refresh_interval") != NULL) {
        return schema_duration_ms(entry, "refresh_interval");
    }
    while (field->name != NULL && strcmp(field->name, "refresh_interval") != 0) {
        field++;
    }
    bool has_default = field->name != NULL && field->preset != NULL;
    return has_default && duration_parse(span_of(field->preset), &ms, NULL) == 0 ? ms : 0;
}

/* One entry of any section but static_configs. */
static void read_entry(struct reader *r, const struct sdtable *t, const struct node *entry,
                       size_t index)
{
    size_t n_errors = r->f->n_errors;

    schema_check(t->fields, entry, r->unknown, r->f);
    if (t->check != NULL) {
        t->check(entry, r->f);
    }
    if (t->has_client) {
        httpconfig_check(entry, r->f);
        if (sdconfig_is_run(span_of(t->section))) {
            check_gap(r, t, entry);
        }
    }
    if (r->f->n_errors == n_errors) {
        *vec_push(&r->found) = (struct sdconfig){ t->section, index, entry, refresh_of(t, entry) };
    }
}

/* A map that is worth looking into; all else is a fault. */
static bool is_entry(const struct reader *r, const struct sdtable *t, const struct node *entry)
{
    if (node_is_null(entry)) {
        faults_add(r->f, FAULT_ERROR, entry->line, "empty or null section in %s", t->section);
        return false;
    }
    if (entry->type != NODE_MAP) {
        faults_add(r->f, FAULT_ERROR, entry->line, "must be a mapping, not %s",
                   node_type_name(entry));
        return false;
    }
    return true;
}

static void read_statics(struct reader *r, const struct sdtable *t, const struct node *list)
{
    size_t n_errors = r->f->n_errors;

    for (size_t i = 0; i < list->n; i++) {
        size_t mark = faults_push_index(r->f, i);
        if (is_entry(r, t, list->items[i])) {
            schema_check(t->fields, list->items[i], r->unknown, r->f);
            if (!r->has_relabel) {
                thorough(r, schema_list(list->items[i], "targets"));
            }
        }
        faults_pop(r->f, mark);
    }
    if (r->f->n_errors == n_errors && list->n > 0) {
        *vec_push(&r->found) = (struct sdconfig){ .section = t->section, .entry = list };
    }
}

static const struct sdtable *table_of(struct span section)
{
    for (const struct sdtable *t = sdtables; t->section != NULL; t++) {
        if (span_is(section, t->section)) {
            return t;
        }
    }
    return NULL;
}

static void read_section(struct reader *r, const struct sdtable *t, const struct node *job)
{
    const struct node *list = NULL;

    if (!walk_list(job, t->section, r->f, &list)) {
        return;
    }
    size_t mark = faults_push(r->f, "%s", t->section);
    if (strcmp(t->section, STATIC_SECTION) == 0) {
        read_statics(r, t, list);
        faults_pop(r->f, mark);
        return;
    }
    for (size_t i = 0; i < list->n; i++) {
        size_t inner = faults_push_index(r->f, i);
        if (is_entry(r, t, list->items[i])) {
            read_entry(r, t, list->items[i], i);
        }
        faults_pop(r->f, inner);
    }
    faults_pop(r->f, mark);
}

void sdconfig_parse_all(const struct node *job, bool has_relabel, bool strict, struct arena *arena,
                        struct faults *f, struct sdconfigs *out)
{
    struct reader r = { has_relabel, strict ? FAULT_ERROR : FAULT_WARNING, f, { 0 } };

    for (size_t i = 0; i < job->n; i++) {
        struct span key = job->pairs[i].key->text;
        const struct sdtable *t = table_of(key);
        if (t != NULL && node_get_span(job, key) == job->pairs[i].value) {
            read_section(&r, t, job);
        }
    }
    out->n = r.found.n;
    out->v = arena_alloc(arena, r.found.n * sizeof(*out->v));
    if (r.found.n > 0) {
        memcpy(out->v, r.found.v, r.found.n * sizeof(*out->v));
    }
    vec_fini(&r.found);
}

void sdconfig_normalize(struct node *job, struct arena *arena)
{
    for (const struct sdtable *t = sdtables; t->section != NULL; t++) {
        const struct node *list = schema_list(job, t->section);
        for (size_t i = 0; t->has_client && list != NULL && i < list->n; i++) {
            httpconfig_normalize(list->items[i], arena);
        }
    }
}
