#include "webhook/cli/input.h"

#include "allocator/base/limits.h"
#include "allocator/base/memorylimit.h"
#include "allocator/base/terminal.h"
#include "allocator/codec/yamldoc.h"
#include "allocator/scrape/promconfig.h"
#include "webhook/cli/document.h"

struct input_paths input_paths(const struct options *o)
{
    if (o->filenames.n > 0) {
        return (struct input_paths){ o->filenames.v, o->filenames.n };
    }
    return (struct input_paths){ &o->config_file, o->config_file == NULL ? 0 : 1 };
}

const char *input_name(enum input_kind kind)
{
    static const char *const names[] = { "Collector manifests", "a target allocator configuration",
                                         "a Prometheus configuration" };
    return names[kind];
}

/* ---- kinds */

static bool is_manifest(const struct node *root)
{
    return node_get(root, "apiVersion") != NULL && node_get(root, "kind") != NULL;
}

static bool is_dropin(const struct node *root)
{
    return node_get(root, "scrape_configs") == NULL && node_get(root, "global") == NULL &&
           (node_get(root, "config") != NULL || node_get(root, "allocation_strategy") != NULL ||
            node_get(root, "collector_selector") != NULL ||
            node_get(root, "prometheus_cr") != NULL);
}

/* Manifests stand among anything; a configuration is a document alone. */
static enum input_kind detect(struct span text)
{
    struct yamldoc *docs = NULL;
    struct arena arena;
    size_t n = 0;
    enum input_kind kind = INPUT_PROMETHEUS;

    arena_init(&arena);
    if (yamldoc_parse_stream(text, &arena, &docs, &n, NULL) == 0) {
        for (size_t i = 0; i < n && kind != INPUT_MANIFEST; i++) {
            kind = is_manifest(docs[i].root) ? INPUT_MANIFEST
                   : is_dropin(docs[i].root) ? INPUT_DROPIN
                                             : kind;
        }
    }
    arena_fini(&arena);
    return kind;
}

/* ---- loading */

struct loading {
    struct strpool *pool;
    struct arena arena;   /* texts and documents */
    enum input_kind kind; /* of the last file */
    struct tenants_options options;
    struct faults faults;
    VEC(struct tenants_source) sources; /* manifests and drop-in files, read together */
    struct scrapejobs prometheus;       /* jobs of Prometheus configurations */
    size_t room;                        /* for further ones */
    bool has_prometheus;
};

static void load_prometheus(struct loading *l, struct span text, const char *path)
{
    const char *slash = strrchr(path, '/');
    struct scrape_options so = {
        .strict = true,
        .thorough = l->options.thorough,
        .as_text = true,
        .check_only = l->options.thorough, /* who wants to know goes on with none of them */
        .room = &l->room,
        .base_dir =
            slash == NULL ? SPAN_LIT("") : span_make(path, (size_t)(slash - path + (slash == path)))
    };
    struct node *root = NULL;
    struct err err;

    l->has_prometheus = true;
    l->faults.file = path;
    if (yamldoc_read(text, &l->arena, &root, &err) < 0) {
        faults_add(&l->faults, FAULT_ERROR, 0, "%s", err.text);
    } else {
        promconfig_parse(root, &so, l->pool, &l->faults, &l->prometheus);
    }
    l->faults.file = NULL;
}

static int read_paths(struct loading *l, struct input_paths paths, FILE *errout)
{
    for (size_t i = 0; i < paths.n; i++) {
        struct err err;
        AUTO_BUF text;
        buf_init(&text, LIMIT_DOCUMENT_BYTES);
        if (document_read(paths.v[i], &text, &err) < 0) {
            terminal_line(errout, "otel-ta: %s", err.text);
            return EXIT_CANNOT;
        }
        char *copy = arena_strndup(&l->arena, text.p, text.len);
        l->kind = detect(span_make(copy, text.len));
        if (l->kind == INPUT_PROMETHEUS) {
            load_prometheus(l, span_make(copy, text.len), paths.v[i]);
            continue;
        }
        *vec_push(&l->sources) = (struct tenants_source){
            .kind = l->kind == INPUT_DROPIN ? TENANTS_DROPIN : TENANTS_MANIFEST,
            .path = arena_strndup(&l->arena, paths.v[i], strlen(paths.v[i])),
            .text = copy,
            .len = text.len
        };
    }
    return EXIT_OK;
}

static int load_tenants(struct loading *l, struct tenants *out, FILE *errout)
{
    int rc = tenants_load(l->sources.v, l->sources.n, &l->options, &l->faults, out);

    if (l->has_prometheus && rc == 0) {
        tenants_add(out, &l->options, &l->prometheus);
    }
    tenants_adopt(out, l->pool);
    faults_print(&l->faults, errout);
    if (l->faults.n_errors > 0) {
        tenants_fini(out);
        return EXIT_FAULTS;
    }
    return EXIT_OK;
}

int input_load(const struct tenants_options *options, struct input_paths paths, struct input *out,
               FILE *errout)
{
    struct loading l = { .pool = &out->pool,
                         .options = *options,
                         .room = memorylimit_jobs(memorylimit_bytes()) };

    strpool_init(&out->pool);
    arena_init(&l.arena);
    faults_init(&l.faults);
    int code = read_paths(&l, paths, errout);
    if (code == EXIT_OK) {
        code = load_tenants(&l, &out->tenants, errout);
    }
    out->kind = l.kind;
    scrapejobs_fini(&l.prometheus);
    vec_fini(&l.sources);
    faults_fini(&l.faults);
    arena_fini(&l.arena);
    if (code != EXIT_OK) {
        strpool_fini(&out->pool);
    }
    return code;
}

void input_report_jobless(const struct input *s, const char *head, FILE *errout)
{
    vec_each(&s->tenants.passed_over, why) {
        terminal_line(errout, "%s%s", head, *why);
    }
    if (s->tenants.left.n > 0) {
        terminal_line(errout, "%severy job stays with the collectors", head);
    } else if (s->tenants.passed_over.n == 0) {
        terminal_line(errout, "%sthere are no jobs", head);
    }
}

bool input_report_left(const struct input *s, const char *job, const char *head, FILE *errout)
{
    vec_each(&s->tenants.left, left) {
        if (strcmp(left->job, job) == 0) {
            terminal_line(errout, "%sjob '%s' stays with the collectors: no target of it is here",
                          head, job);
            return true;
        }
    }
    return false;
}

void input_fini(struct input *s)
{
    tenants_fini(&s->tenants);
    strpool_fini(&s->pool);
}
