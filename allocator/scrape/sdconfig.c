#include "allocator/scrape/sdconfig.h"

#include "allocator/base/vec.h"
#include "allocator/codec/walk.h"
#include "allocator/scrape/sdtables.h"

#define DEFAULT_FILE_REFRESH_MS ((int64_t)5 * 60 * 1000)
#define DEFAULT_HTTP_REFRESH_MS ((int64_t)60 * 1000)

enum sd_mechanism sdconfig_mechanism(struct span section)
{
    static const char *const names[] = {
        [SD_STATIC] = "static_configs", [SD_FILE] = "file_sd_configs", [SD_HTTP] = "http_sd_configs"
    };

    for (size_t i = 0; i < COUNT(names); i++) {
        if (span_is(section, names[i])) {
            return (enum sd_mechanism)i;
        }
    }
    return SD_UNSUPPORTED;
}

struct reader {
    bool has_relabel;
    enum fault_severity unknown;
    struct arena *arena;
    struct faults *f;
    VEC(struct sdconfig) found;
};

static struct span *texts_of(const struct node *list, struct arena *arena, size_t *out_n)
{
    *out_n = list == NULL ? 0 : list->n;
    struct span *texts = arena_zalloc(arena, *out_n * sizeof(*texts));

    for (size_t i = 0; i < *out_n; i++) {
        (void)node_as_text(list->items[i], &texts[i]);
    }
    return texts;
}

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

static void read_static(const struct reader *r, const struct node *entry,
                        struct sd_static_group *out)
{
    const struct node *targets = schema_list(entry, "targets");
    const struct node *labels = node_get(entry, "labels");

    if (!r->has_relabel) {
        thorough(r, targets);
    }
    out->targets = texts_of(targets, r->arena, &out->n_targets);
    out->labels = labels != NULL && labels->type == NODE_MAP ? labels : NULL;
}

static void read_file(struct reader *r, const struct node *entry, struct sdconfig *out)
{
    out->refresh_ms =
        node_get(entry, "refresh_interval") == NULL ? DEFAULT_FILE_REFRESH_MS : out->refresh_ms;
    out->file.patterns = texts_of(schema_list(entry, "files"), r->arena, &out->file.n_patterns);
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

static void read_http(struct reader *r, const struct node *entry, const struct httpconfig *client,
                      struct sdconfig *out)
{
    out->refresh_ms =
        node_get(entry, "refresh_interval") == NULL ? DEFAULT_HTTP_REFRESH_MS : out->refresh_ms;
    out->http.url = schema_text(entry, "url");
    out->http.client = *client;
    if (client->gap.path != NULL) {
        size_t mark = push_keys(r->f, client->gap.path);
        faults_add(r->f, FAULT_ERROR, client->gap.line, "is not supported for http_sd: %s",
                   client->gap.why);
        faults_pop(r->f, mark);
    }
}

/* One entry of any section but static_configs. */
static void read_entry(struct reader *r, const struct sdtable *t, const struct node *entry,
                       size_t index)
{
    struct sdconfig sd = { .mechanism = sdconfig_mechanism(span_of(t->section)),
                           .section = t->section,
                           .index = index };
    struct httpconfig client = { 0 };
    size_t n_errors = r->f->n_errors;

    schema_check(t->fields, entry, r->unknown, r->f);
    if (t->check != NULL) {
        t->check(entry, r->f);
    }
    if (t->has_client) {
        httpconfig_parse(entry, r->arena, r->f, &client);
    }
    sd.refresh_ms = schema_duration_ms(entry, "refresh_interval");
    if (sd.mechanism == SD_FILE) {
        read_file(r, entry, &sd);
    } else if (sd.mechanism == SD_HTTP) {
        read_http(r, entry, &client, &sd);
    }
    if (r->f->n_errors == n_errors) {
        *vec_push(&r->found) = sd;
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
    struct sdconfig sd = { .mechanism = SD_STATIC, .section = t->section };
    size_t n_errors = r->f->n_errors;

    sd.statics.groups = arena_zalloc(r->arena, list->n * sizeof(*sd.statics.groups));
    for (size_t i = 0; i < list->n; i++) {
        size_t mark = faults_push_index(r->f, i);
        if (is_entry(r, t, list->items[i])) {
            schema_check(t->fields, list->items[i], r->unknown, r->f);
            read_static(r, list->items[i], &sd.statics.groups[sd.statics.n_groups++]);
        }
        faults_pop(r->f, mark);
    }
    if (r->f->n_errors == n_errors && list->n > 0) {
        *vec_push(&r->found) = sd;
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
    if (sdconfig_mechanism(span_of(t->section)) == SD_STATIC) {
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
    struct reader r = { has_relabel, strict ? FAULT_ERROR : FAULT_WARNING, arena, f, { 0 } };

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
