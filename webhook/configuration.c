#define LOG_MODULE "settings"

#include "webhook/configuration.h"

#include "allocator/base/hash.h"
#include "allocator/base/limits.h"
#include "allocator/base/log.h"
#include "allocator/base/mem.h"
#include "allocator/base/readfile.h"
#include "allocator/codec/yamldoc.h"
#include "webhook/cli/document.h"

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
    for (size_t i = 0; i < c->n_sources; i++) {
        mem_free(c->sources[i].path);
        mem_free(c->sources[i].text);
    }
    mem_free(c->sources);
    faults_fini(&c->faults);
    arena_fini(&c->arena);
    configuration_init(c);
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

int configuration_read(struct configuration *c, const struct configuration_files *files,
                       bool is_reload, struct err *err)
{
    c->sources = mem_array(files->n + 1, sizeof(*c->sources));
    c->hash = files->n;
    for (size_t i = 0; i < files->n; i++) {
        struct tenants_source *source = &c->sources[i];
        int rc = read_text(files->paths[i], files->standard_input, is_reload, &source->text,
                           &source->len, err);
        if (rc < 0) {
            return rc;
        }
        source->kind = files->kind;
        source->path = mem_strdup(files->paths[i]);
        c->hash = hash_mix(c->hash ^ hash_fast(span_make(source->text, source->len)));
        c->n_sources++;
    }
    return 0;
}

/* ---- what they say */

int configuration_parse(struct configuration *c)
{
    struct node *root = NULL;
    struct err err = { 0 };

    if (c->n_sources == 0 || c->sources[0].kind != TENANTS_DROPIN) {
        return 0;
    }
    struct tenants_source *source = &c->sources[0];
    c->faults.file = source->path;
    if (yamldoc_parse(span_make(source->text, source->len), &c->arena, &root, &err) < 0) {
        faults_add(&c->faults, FAULT_ERROR, 0, "%s", err.text);
    } else {
        dropin_parse(root, &c->faults, &c->dropin);
        source->dropin = &c->dropin;
    }
    c->faults.file = NULL;
    return c->faults.n_errors > 0 ? ERR_INVALID : 0;
}

int configuration_load(struct configuration *c, const struct tenants_options *options)
{
    return tenants_load(c->sources, c->n_sources, options, &c->faults, &c->tenants);
}

void configuration_report(const struct configuration *c, FILE *out)
{
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
