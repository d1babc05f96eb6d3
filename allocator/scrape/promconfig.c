#include "allocator/scrape/promconfig.h"

#include "allocator/base/err.h"
#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "allocator/base/readfile.h"
#include "allocator/codec/walk.h"
#include "allocator/codec/yamldoc.h"
#include "allocator/scrape/pathtext.h"
#include "allocator/scrape/promserver.h"
#include "allocator/scrape/scrapefields.h"

#include <glob.h>

/* What reading one scrape config file needs. */
struct importer {
    const struct scrape_globals *globals;
    const struct scrape_options *options;
    struct strpool *pool;
    struct faults *f;
    struct scrapejobs *out;
};

static const char *const imported_names[] = { "scrape_configs", NULL };

/* Stars only in the last path segment. */
static bool is_pattern(struct span pattern)
{
    const char *star = memchr(pattern.p, '*', pattern.len);

    return star == NULL || memchr(star, '/', pattern.len - (size_t)(star - pattern.p)) == NULL;
}

static void check_patterns(const struct node *root, const char *key, struct faults *f)
{
    const struct node *list = schema_list(root, key);
    size_t mark = faults_push(f, "%s", key);

    for (size_t i = 0; list != NULL && i < list->n; i++) {
        struct span pattern = { "", 0 };
        (void)node_as_text(list->items[i], &pattern);
        if (!is_pattern(pattern)) {
            size_t inner = faults_push_index(f, i);
            faults_add(f, FAULT_ERROR, list->items[i]->line,
                       "invalid file path \"%.*s\": '*' only in the last segment",
                       SPAN_ARG(pattern));
            faults_pop(f, inner);
        }
    }
    faults_pop(f, mark);
}

static void import_document(const struct importer *im, const char *path, const struct node *root)
{
    struct scrape_options options = *im->options;

    if (node_is_null(root)) {
        return;
    }
    if (root->type != NODE_MAP) {
        faults_add(im->f, FAULT_ERROR, root->line, "must be a mapping, not %s",
                   node_type_name(root));
        return;
    }
    options.base_dir = pathtext_dir(span_of(path));
    walk_unknown(root, imported_names, im->options->strict ? FAULT_ERROR : FAULT_WARNING, im->f);
    scrapejobs_parse(node_get(root, "scrape_configs"), im->globals, &options, im->pool, im->f,
                     im->out);
}

/* Faults inside it name this file, not the one that imports it. */
static void import_file(const struct importer *im, const char *path)
{
    AUTO_STR text = NULL;
    size_t len = 0;
    struct readfile_signature signature;
    struct arena arena;
    struct node *root = NULL;
    struct err err;
    const char *importing = im->f->file;

    im->f->file = path;
    arena_init(&arena);
    if (readfile_read(path, LIMIT_DOCUMENT_BYTES, &signature, &text, &len, &err) < 0 ||
        yamldoc_read(span_make(text, len), &arena, &root, &err) < 0) {
        faults_add(im->f, FAULT_ERROR, 0, "%s", err.text);
    } else {
        import_document(im, path, root);
    }
    arena_fini(&arena);
    im->f->file = importing;
}

static void import_pattern(const struct importer *im, struct span pattern)
{
    struct arena arena;
    glob_t found;

    arena_init(&arena);
    struct span joined = pathtext_join(im->options->base_dir, pattern, &arena);
    const char *path = arena_strndup(&arena, joined.p, joined.len);
    /* Like Go's: sorted, and a leading dot is a character like others. Without GLOB_TILDE it reads
     * no user data base, which is what could clash with other threads.
     * NOLINTNEXTLINE(concurrency-mt-unsafe) */
    if (glob(path, GLOB_PERIOD, NULL, &found) == 0) {
        for (size_t i = 0; i < found.gl_pathc; i++) {
            import_file(im, found.gl_pathv[i]);
        }
        globfree(&found);
    }
    arena_fini(&arena);
}

static void import_all(const struct importer *im, const struct node *root)
{
    const struct node *patterns = schema_list(root, "scrape_config_files");

    for (size_t i = 0; patterns != NULL && i < patterns->n; i++) {
        struct span pattern = { "", 0 };
        (void)node_as_text(patterns->items[i], &pattern);
        if (pattern.len > 0 && is_pattern(pattern)) {
            import_pattern(im, pattern);
        }
    }
}

void promconfig_parse(const struct node *root, const struct scrape_options *options,
                      struct strpool *pool, struct faults *f, struct scrapejobs *out)
{
    struct scrape_globals globals;
    const struct importer im = { &globals, options, pool, f, out };

    if (node_is_null(root)) {
        return;
    }
    if (root->type != NODE_MAP) {
        faults_add(f, FAULT_ERROR, root->line, "must be a mapping, not %s", node_type_name(root));
        return;
    }
    schema_check(scrapefields_file, root, options->strict ? FAULT_ERROR : FAULT_WARNING, f);
    check_patterns(root, "rule_files", f);
    check_patterns(root, "scrape_config_files", f);
    size_t mark = faults_push(f, "global");
    scrape_globals_parse(node_get(root, "global"), options->strict, f, &globals);
    faults_pop(f, mark);
    const struct promserver_options server = { .scheme = globals.name_scheme,
                                               .strict = options->strict,
                                               .base_dir = options->thorough
                                                               ? options->base_dir
                                                               : (struct span){ NULL, 0 } };
    promserver_check(root, &server, pool, f);
    scrapejobs_parse(node_get(root, "scrape_configs"), &globals, options, pool, f, out);
    if (options->base_dir.p != NULL) {
        import_all(&im, root);
    }
}
