#define LOG_MODULE "settings"

#include "webhook/settings.h"

#include "allocator/base/limits.h"
#include "allocator/base/readfile.h"
#include "allocator/codec/yamldoc.h"
#include "allocator/tenant/dropin.h"
#include "webhook/cli/document.h"

#include <malloc.h>
#include <unistd.h>

#define DEFAULT_LISTEN ":8080"
#define DEFAULT_WEBHOOK_LISTEN ":9443"
#define SHUTDOWN_DELAY_MS 15000

/* ---- upstream's file */

/* 'text' is in 'arena', as what 'out' points to is. */
static void parse_dropin(struct span text, struct arena *arena, struct faults *f,
                         struct dropin *out)
{
    struct node *root = NULL;
    struct err err = { 0 };

    if (yamldoc_parse(text, arena, &root, &err) < 0) {
        faults_add(f, FAULT_ERROR, 0, "%s", err.text);
    } else {
        dropin_parse(root, f, out);
    }
}

/* The parts of the file that are about serving; jobs are the engine's business. */
static int read_dropin(const char *path, struct settings *s, struct dropin *out, FILE *errout)
{
    struct buf *text = arena_zalloc(&s->arena, sizeof(*text));
    struct faults faults;
    struct err err = { 0 };
    int code = EXIT_OK;

    buf_init(text, LIMIT_DOCUMENT_BYTES);
    if (document_read(path, text, &err) < 0) {
        fprintf(errout, "otel-ta: %s\n", err.text);
        buf_fini(text);
        return EXIT_CANNOT;
    }
    struct span copy = arena_span(&s->arena, buf_span(text)); /* nodes borrow from it */
    buf_fini(text);
    faults_init(&faults);
    faults.file = path;
    parse_dropin(copy, &s->arena, &faults, out);
    if (faults.n_errors > 0) {
        faults_print(&faults, errout);
        code = EXIT_FAULTS;
    }
    faults_fini(&faults);
    return code;
}

static const char *text_or(struct arena *arena, const char *flag, struct span file,
                           const char *otherwise)
{
    if (flag != NULL) {
        return flag;
    }
    return file.len > 0 ? arena_strndup(arena, file.p, file.len) : otherwise;
}

/* defaults < file < environment < flags */
static void merge(const struct options *o, const struct dropin *d, struct settings *s)
{
    bool has_https =
        o->serve.enable_https.is_given ? o->serve.enable_https.is_on : d->is_https_enabled;

    s->listen = text_or(&s->arena, o->serve.listen, d->listen_addr, DEFAULT_LISTEN);
    s->https_listen =
        has_https ? text_or(&s->arena, o->serve.https_listen, d->https_listen_addr, ":8443") : NULL;
    s->https_ca_file = text_or(&s->arena, o->serve.https_ca_file, d->https_ca_file, NULL);
    s->https_cert_file = text_or(&s->arena, o->serve.https_cert_file, d->https_cert_file, NULL);
    s->https_key_file = text_or(&s->arena, o->serve.https_key_file, d->https_key_file, NULL);
    s->secrets_over_http = o->serve.insecure_secrets.is_given ? o->serve.insecure_secrets.is_on
                                                              : d->allow_insecure_auth_secrets;
}

/* ---- what a reload cannot change */

static void name_change(struct buf *out, const char *name, const char *before, const char *now)
{
    bool is_same = before == NULL || now == NULL ? before == now : strcmp(before, now) == 0;

    if (!is_same) {
        buf_addf(out, "%s%s", out->len > 0 ? ", " : "", name);
    }
}

static void name_https_changes(struct buf *out, const struct settings *before,
                               const struct settings *now)
{
    if (before->https_listen == NULL || now->https_listen == NULL) {
        name_change(out, "https.enabled", before->https_listen == NULL ? "" : "true",
                    now->https_listen == NULL ? "" : "true");
        return;
    }
    name_change(out, "https.listen_addr", before->https_listen, now->https_listen);
    name_change(out, "https.ca_file_path", before->https_ca_file, now->https_ca_file);
    name_change(out, "https.tls_cert_file_path", before->https_cert_file, now->https_cert_file);
    name_change(out, "https.tls_key_file_path", before->https_key_file, now->https_key_file);
}

void settings_warn_restart(const struct options *o, const struct settings *s,
                           const struct engine_config *config)
{
    struct settings now = { 0 };
    struct dropin dropin = { 0 };
    struct faults faults;
    AUTO_BUF names = { 0 };

    if (s->mode != SERVE_DROPIN) {
        return;
    }
    buf_init(&names, KIB);
    faults_init(&faults);
    arena_init(&now.arena);
    parse_dropin(span_make(config->sources[0].text, config->sources[0].len), &now.arena, &faults,
                 &dropin);
    merge(o, &dropin, &now);
    name_change(&names, "listen_addr", s->listen, now.listen);
    name_https_changes(&names, s, &now);
    name_change(&names, "allow_insecure_auth_secrets", s->secrets_over_http ? "true" : "",
                now.secrets_over_http ? "true" : "");
    if (names.len > 0) {
        log_warn("settings changed that need a restart, those in use stay",
                 LOG_STR("settings", names.p), LOG_STR("file", config->sources[0].path));
    }
    arena_fini(&now.arena);
    faults_fini(&faults);
}

/* ---- checks */

static int fail(FILE *errout, const char *text)
{
    fprintf(errout, "otel-ta serve: %s\n", text);
    return EXIT_USAGE;
}

static int check(const struct options *o, const struct settings *s, FILE *errout)
{
    if (o->serve.enable_prometheus_cr.is_on) {
        return fail(errout, "--enable-prometheus-cr-watcher needs the Kubernetes client, which "
                            "this version does not have");
    }
    if (o->serve.kubeconfig != NULL) {
        return fail(
            errout,
            "--kubeconfig-path needs the Kubernetes client, which this version does not have");
    }
    if (s->https_listen != NULL &&
        (s->https_ca_file == NULL || s->https_cert_file == NULL || s->https_key_file == NULL)) {
        return fail(errout, "the HTTPS listener needs --https-ca-file, --https-tls-cert-file and "
                            "--https-tls-key-file (or https: in the file)");
    }
    return EXIT_OK;
}

/* ---- whole */

static enum serve_mode choose_mode(const struct options *o)
{
    if (o->filenames.n > 0) {
        return SERVE_LOCAL;
    }
    return o->config_file != NULL || access(DROPIN_DEFAULT_PATH, F_OK) == 0 ? SERVE_DROPIN
                                                                            : SERVE_WEBHOOK;
}

/* Keeps standard input for reloads, which cannot read it again. */
static int read_standard_input(const struct options *o, struct settings *s, FILE *errout)
{
    struct err err = { 0 };
    bool is_named = false;

    for (size_t i = 0; i < o->filenames.n; i++) {
        is_named = is_named || strcmp(o->filenames.v[i], "-") == 0;
    }
    if (is_named && document_read("-", &s->standard_input, &err) < 0) {
        fprintf(errout, "otel-ta: %s\n", err.text);
        return EXIT_CANNOT;
    }
    return EXIT_OK;
}

static void set_paths(const struct options *o, struct settings *s)
{
    s->paths = (const char **)arena_alloc(&s->arena, (o->filenames.n + 1) * sizeof(*s->paths));
    if (s->mode == SERVE_DROPIN) {
        s->paths[s->n_paths++] = o->config_file == NULL ? DROPIN_DEFAULT_PATH : o->config_file;
    }
    for (size_t i = 0; i < o->filenames.n; i++) {
        if (strcmp(o->filenames.v[i], "-") != 0) {
            s->paths[s->n_paths++] = o->filenames.v[i];
        }
    }
}

int settings_load(const struct options *o, struct settings *out, FILE *errout)
{
    struct dropin dropin = { 0 };
    int code = EXIT_OK;

    memset(out, 0, sizeof(*out));
    arena_init(&out->arena);
    out->mode = choose_mode(o);
    out->threads = o->serve.threads;
    set_paths(o, out);
    buf_init(&out->standard_input, LIMIT_DOCUMENT_BYTES);
    code = read_standard_input(o, out, errout);
    if (out->mode == SERVE_DROPIN) {
        code = read_dropin(out->paths[0], out, &dropin, errout);
    }
    if (code != EXIT_OK) {
        return code;
    }
    merge(o, &dropin, out);
    const char *hook = o->serve.webhook_listen != NULL ? o->serve.webhook_listen
                       : out->mode == SERVE_DROPIN     ? "off"
                                                       : DEFAULT_WEBHOOK_LISTEN;
    out->webhook_listen = strcmp(hook, "off") == 0 ? NULL : hook;
    out->shutdown_delay_ms = o->serve.shutdown_delay_ms >= 0 ? o->serve.shutdown_delay_ms
                             : out->mode == SERVE_LOCAL      ? 0
                                                             : SHUTDOWN_DELAY_MS;
    return check(o, out, errout);
}

void settings_fini(struct settings *s)
{
    buf_fini(&s->standard_input);
    arena_fini(&s->arena);
}

/* ---- the engine's configuration */

static void set_tenants_options(const struct options *o, struct engine_config *c)
{
    c->options = o->tenants;
    c->options.strategy = arena_span(&c->arena, o->tenants.strategy);
}

/* '*out_text' is the caller's. At the start a pipe is fine; later, nobody waits for its other end.
 */
static int read_source(const struct settings *s, const char *path, bool is_reload, char **out_text,
                       size_t *out_len, struct err *err)
{
    struct readfile_signature signature;
    struct buf text;
    int rc = 0;

    if (is_reload && strcmp(path, "-") != 0) {
        return readfile_read(path, LIMIT_DOCUMENT_BYTES, &signature, out_text, out_len, err);
    }
    buf_init(&text, LIMIT_DOCUMENT_BYTES);
    if (strcmp(path, "-") == 0) {
        buf_add_span(&text, buf_span(&s->standard_input));
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

static int read_sources(const struct options *o, const struct settings *s, bool is_reload,
                        struct engine_config *out, struct err *err)
{
    size_t n = s->mode == SERVE_DROPIN ? 1 : o->filenames.n;

    out->sources = mem_array(n, sizeof(*out->sources));
    for (size_t i = 0; i < n; i++) {
        const char *path = s->mode == SERVE_DROPIN ? s->paths[0] : o->filenames.v[i];
        struct tenants_source *source = &out->sources[out->n_sources];
        int rc = read_source(s, path, is_reload, &source->text, &source->len, err);
        if (rc < 0) {
            return rc;
        }
        source->kind = s->mode == SERVE_DROPIN ? TENANTS_DROPIN : TENANTS_MANIFEST;
        source->path = mem_strdup(path);
        out->n_sources++;
    }
    return 0;
}

static void report(const struct faults *f, FILE *errout)
{
    if (errout != NULL) {
        faults_print(f, errout);
        return;
    }
    for (size_t i = 0; i < f->n; i++) {
        AUTO_STR text = fault_text(&f->v[i]);
        if (f->v[i].severity == FAULT_ERROR) {
            log_error("fault in the configuration", LOG_STR("fault", text));
        } else {
            log_warn("fault in the configuration", LOG_STR("fault", text));
        }
    }
}

int settings_read_config(const struct options *o, const struct settings *s,
                         struct engine_config *out, FILE *errout)
{
    struct err err = { 0 };
    struct faults faults;
    struct strpool pool;
    struct tenants tenants = { 0 };

    memset(out, 0, sizeof(*out));
    arena_init(&out->arena);
    set_tenants_options(o, out);
    if (read_sources(o, s, errout == NULL, out, &err) < 0) {
        if (errout != NULL) {
            fprintf(errout, "otel-ta: %s\n", err.text);
        } else {
            log_error("configuration cannot be read", LOG_STR("error", err.text));
        }
        return EXIT_CANNOT;
    }
    faults_init(&faults);
    strpool_init(&pool);
    int rc = tenants_load(out->sources, out->n_sources, &out->options, &pool, &faults, &tenants);
    report(&faults, errout);
    int code = rc == 0 ? EXIT_OK : EXIT_FAULTS;
    tenants_fini(&tenants);
    strpool_fini(&pool);
    faults_fini(&faults);
    malloc_trim(0); /* trees of all jobs, which this thread does not need again */
    return code;
}
