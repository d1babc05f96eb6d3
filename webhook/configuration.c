#define LOG_MODULE "settings"

#include "webhook/configuration.h"

#include "allocator/base/hash.h"
#include "allocator/base/limits.h"
#include "allocator/base/log.h"
#include "allocator/base/mem.h"
#include "allocator/base/readfile.h"
#include "allocator/base/terminal.h"
#include "allocator/codec/yamldoc.h"
#include "allocator/engine/tenantkey.h"
#include "webhook/cli/document.h"
#include "webhook/cli/filelist.h"

#include <assert.h>
#include <string.h>

void configuration_init(struct configuration *c)
{
    *c = (struct configuration){ 0 };
    arena_init(&c->arena);
    faults_init(&c->faults);
}

void configuration_fini(struct configuration *c)
{
    tenants_fini(&c->tenants);
    vec_each(&c->sources, source) {
        mem_free(source->path);
        mem_free(source->text);
        mem_free(source->fault);
    }
    vec_fini(&c->sources);
    vec_each(&c->watched, path) {
        mem_free(*path);
    }
    vec_fini(&c->watched);
    faults_fini(&c->faults);
    arena_fini(&c->arena);
    configuration_init(c);
}

void configuration_move(struct configuration *from, struct configuration *to)
{
    *to = *from;
    vec_each(&to->sources, source) {
        source->dropin = NULL; /* was that of 'from' */
    }
    configuration_init(from);
}

/* ---- texts */

/* '*out_text' is the caller's. */
static int read_text(const char *path, const struct buf *standard_input, bool is_reload,
                     char **out_text, size_t *out_len, struct err *err)
{
    struct readfile_signature signature;
    struct buf text;
    int rc = 0;

    if (is_reload && strcmp(path, "-") != 0) {
        return readfile_read(path, LIMIT_DOCUMENT_BYTES, &signature, out_text, out_len, err);
    }
    buf_init(&text, LIMIT_DOCUMENT_BYTES);
    if (strcmp(path, "-") == 0) {
        buf_add_span(&text, buf_span(standard_input));
    } else {
        rc = document_read(path, &text, err);
    }
    if (rc < 0) {
        buf_fini(&text);
        return rc;
    }
    *out_text = buf_take(&text, out_len);
    return 0;
}

static void note_unreadable(struct configuration *c, struct tenants_source *source,
                            const struct err *err)
{
    source->text = mem_strdup("");
    source->fault = mem_strdup(err->text);
    c->n_unreadable++;
}

static void watch(struct configuration *c, const char *path, bool is_folder)
{
    bool has_slash = span_has_suffix(span_of(path), "/");

    if (strcmp(path, "-") != 0) {
        *vec_push(&c->watched) = mem_printf("%s%s", path, is_folder && !has_slash ? "/" : "");
        c->watched_hash = hash_mix(c->watched_hash ^ hash_fast(span_of(path)) ^ is_folder);
    }
}

static struct tenants_source *add_source(struct configuration *c, enum tenants_kind kind,
                                         const char *path)
{
    struct tenants_source *source = vec_push(&c->sources);

    *source = (struct tenants_source){ .kind = kind, .path = mem_strdup(path) };
    return source;
}

static void read_source(struct configuration *c, const struct configuration_files *files,
                        const char *path, bool is_reload)
{
    struct tenants_source *source = add_source(c, files->kind, path);
    struct err err = { 0 };
    int rc = read_text(path, files->standard_input, is_reload, &source->text, &source->len, &err);

    if (rc < 0) {
        note_unreadable(c, source, &err);
    }
    struct span said = rc < 0 ? span_of(source->fault) : span_make(source->text, source->len);
    c->hash = hash_mix(c->hash ^ hash_fast(said) ^ (uint64_t)(rc < 0));
    watch(c, path, false);
}

static void read_folder(struct configuration *c, const struct configuration_files *files,
                        const char *folder, bool is_reload)
{
    flag_texts found = { .n = 0 }, folders = { .n = 0 };
    struct err err = { 0 };

    if (filelist_folder(folder, files->is_recursive, &c->arena, &found, &folders, &err) < 0) {
        note_unreadable(c, add_source(c, files->kind, folder), &err);
    }
    vec_each(&found, file) {
        read_source(c, files, *file, is_reload);
        c->sources.v[c->sources.n - 1].is_found = true;
    }
    vec_each(&folders, one) {
        watch(c, *one, true);
    }
    vec_fini(&found);
    vec_fini(&folders);
}

void configuration_read(struct configuration *c, const struct configuration_files *files,
                        bool is_reload)
{
    for (size_t i = 0; i < files->n; i++) {
        if (files->kind == TENANTS_MANIFEST && filelist_is_folder(files->paths[i])) {
            read_folder(c, files, files->paths[i], is_reload);
        } else {
            read_source(c, files, files->paths[i], is_reload);
        }
    }
    c->hash = hash_mix(c->hash ^ c->watched_hash);
}

/* ---- what they say */

bool configuration_parse(struct configuration *c)
{
    struct node *root = NULL;
    struct err err = { 0 };

    if (c->sources.n == 0 || c->sources.v[0].kind != TENANTS_DROPIN) {
        return true;
    }
    struct tenants_source *source = &c->sources.v[0];
    if (source->fault != NULL) {
        return false;
    }
    c->faults.file = source->path;
    if (yamldoc_parse(span_make(source->text, source->len), &c->arena, &root, &err) < 0) {
        faults_add(&c->faults, FAULT_ERROR, 0, "%s", err.text);
    } else {
        dropin_parse(root, &c->faults, &c->dropin);
        source->dropin = &c->dropin;
    }
    c->faults.file = NULL;
    if (c->faults.n_errors > 0) {
        source->fault = faults_why(&c->faults, 0);
        return false;
    }
    return true;
}

void configuration_load(struct configuration *c, const struct tenants_options *options)
{
    struct tenants_options own = *options;

    own.keeps_sound = true;
    int rc = tenants_load(c->sources.v, c->sources.n, &own, &c->faults, &c->tenants);
    assert(rc == 0);
}

static struct span text_of(const struct configuration *c)
{
    return span_make(c->sources.v[0].text, c->sources.v[0].len);
}

void configuration_learn(struct configuration *c, struct jobtexts *known)
{
    jobtexts_fini(known);
    if (c->sources.n != 1 || !configuration_is_sound(c)) {
        return;
    }
    vec_each(&c->tenants, tenant) {
        tenantkey_make(*tenant);
    }
    jobtexts_learn(known, text_of(c), &c->tenants, &c->faults);
}

/* The same file, of which this is the text. Moves 'text'. */
static void take_part(const struct configuration *c, struct buf *text, struct configuration *part)
{
    configuration_init(part);
    struct tenants_source *source = add_source(part, c->sources.v[0].kind, c->sources.v[0].path);
    source->is_found = c->sources.v[0].is_found;
    source->text = buf_take(text, &source->len);
    part->hash = c->hash;
}

bool configuration_load_changed(struct configuration *c, const struct tenants_options *options,
                                struct jobtexts *known)
{
    struct configuration part;
    struct jobtexts reduced;
    AUTO_BUF text = { 0 };

    buf_init(&text, LIMIT_DOCUMENT_BYTES);
    if (c->sources.n != 1 || c->n_unreadable > 0 ||
        !jobtexts_reduce(known, text_of(c), &text, &reduced)) {
        return false;
    }
    take_part(c, &text, &part);
    bool is_good = configuration_parse(&part);
    configuration_load(&part, options);
    is_good = is_good && jobtexts_restore(&reduced, &part.tenants, &part.faults);
    jobtexts_fini(&reduced);
    if (!is_good) {
        configuration_fini(&part);
        return false;
    }
    tenantkey_make(part.tenants.v[0]);
    jobtexts_learn(known, text_of(c), &part.tenants, &part.faults);
    configuration_fini(c);
    configuration_move(&part, c);
    return true;
}

bool configuration_is_sound(const struct configuration *c)
{
    return c->n_unreadable == 0 && c->faults.n_errors == 0;
}

static void report_unreadable(const struct configuration *c, FILE *out)
{
    vec_each(&c->sources, source) {
        if (source->fault == NULL || source->len > 0) {
            continue;
        }
        if (out != NULL) {
            terminal_line(out, "otel-ta: %s", source->fault);
        } else {
            log_error("configuration cannot be read", LOG_STR("error", source->fault));
        }
    }
}

void configuration_report(const struct configuration *c, FILE *out)
{
    report_unreadable(c, out);
    if (out != NULL) {
        faults_print(&c->faults, out);
        return;
    }
    for (size_t i = 0; i < c->faults.n; i++) {
        AUTO_STR text = fault_text(&c->faults.v[i]);
        if (c->faults.v[i].severity == FAULT_ERROR) {
            log_error("fault in the configuration", LOG_STR("fault", text));
        } else {
            log_warn("fault in the configuration", LOG_STR("fault", text));
        }
    }
}
