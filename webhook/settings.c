#define LOG_MODULE "settings"

#include "webhook/settings.h"

#include "allocator/base/limits.h"
#include "allocator/base/terminal.h"
#include "allocator/kube/configplace.h"
#include "webhook/cli/document.h"

#include <stdlib.h>
#include <unistd.h>

#define DEFAULT_LISTEN ":8080"
#define DEFAULT_WEBHOOK_LISTEN ":9443"
#define SHUTDOWN_DELAY_MS 15000

/* ---- merging */

static const char *text_or(struct arena *arena, const char *flag, struct span file,
                           const char *otherwise)
{
    if (flag != NULL) {
        return flag;
    }
    return file.len > 0 ? arena_strndup(arena, file.p, file.len) : otherwise;
}

/* defaults < file < environment < flags */
static void merge(const struct serve_options *f, const struct dropin *d, struct settings *s)
{
    bool has_https = f->enable_https.is_given ? f->enable_https.is_on : d->is_https_enabled;

    s->listen = text_or(&s->arena, f->listen, d->listen_addr, DEFAULT_LISTEN);
    s->https_listen =
        has_https ? text_or(&s->arena, f->https_listen, d->https_listen_addr, ":8443") : NULL;
    s->https_certs = (struct certs_options){
        .cert_file = text_or(&s->arena, f->https_cert_file, d->https_cert_file, NULL),
        .key_file = text_or(&s->arena, f->https_key_file, d->https_key_file, NULL),
        .client_ca_file = text_or(&s->arena, f->https_ca_file, d->https_ca_file, NULL),
    };
    s->secrets_over_http =
        f->insecure_secrets.is_given ? f->insecure_secrets.is_on : d->allow_insecure_auth_secrets;
}

/* Those that --collectors names win over a selector. */
static void merge_pods(const struct dropin *d, struct settings *s)
{
    AUTO_BUF text = { 0 };
    struct err err;

    buf_init(&text, LIMIT_SECRET);
    bool is_good = dropin_selector_write(&d->collectors, &text, &err) == 0;
    s->pods = (struct settings_pods){
        .are_followed = s->tenants.has_pods && d->collectors.is_given && is_good,
        .namespace = text_or(&s->arena, s->own_namespace, d->collector_namespace, ""),
        .selector = arena_strndup(&s->arena, text.len == 0 ? "" : text.p, text.len),
        .grace_ms = d->grace_period_ms,
    };
}

/* The cluster that the file names, if it is there; else, as upstream, the one around this process.
 */
static void find_cluster(const struct dropin *d, struct settings *s)
{
    const char *path = text_or(&s->arena, s->watcher.kubeconfig, d->kube_config_file, NULL);

    if (s->watcher.kubeconfig == NULL && path != NULL && access(path, R_OK) == 0) {
        s->watcher.kubeconfig = path;
        s->tenants.has_cluster = true;
    }
    bool are_named = s->tenants.collector_count > 0 || s->tenants.collectors->n > 0;
    s->tenants.has_pods = s->tenants.has_cluster && !are_named;
    s->tenants.has_namespace = s->own_namespace != NULL;
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
    const struct certs_options *b = &before->https_certs, *n = &now->https_certs;
    name_change(out, "https.listen_addr", before->https_listen, now->https_listen);
    name_change(out, "https.ca_file_path", b->client_ca_file, n->client_ca_file);
    name_change(out, "https.tls_cert_file_path", b->cert_file, n->cert_file);
    name_change(out, "https.tls_key_file_path", b->key_file, n->key_file);
}

static void name_pods_changes(struct buf *out, const struct settings_pods *before,
                              const struct settings_pods *now)
{
    name_change(out, "collector_selector", before->are_followed ? before->selector : NULL,
                now->are_followed ? now->selector : NULL);
    name_change(out, "collector_namespace", before->namespace, now->namespace);
    if (before->grace_ms != now->grace_ms) {
        name_change(out, "collector_not_ready_grace_period", "before", "now");
    }
}

void settings_warn_restart(const struct settings *s, const struct configuration *config)
{
    struct settings now = { 0 };
    AUTO_BUF names = { 0 };

    if (s->mode != SERVE_DROPIN) {
        return;
    }
    buf_init(&names, KIB);
    arena_init(&now.arena);
    now.tenants = s->tenants;
    now.own_namespace = s->own_namespace;
    merge(&s->flags, &config->dropin, &now);
    merge_pods(&config->dropin, &now);
    if (s->tenants.has_pods) {
        name_pods_changes(&names, &s->pods, &now.pods);
    }
    name_change(&names, "listen_addr", s->listen, now.listen);
    name_https_changes(&names, s, &now);
    name_change(&names, "allow_insecure_auth_secrets", s->secrets_over_http ? "true" : "",
                now.secrets_over_http ? "true" : "");
    if (names.len > 0) {
        log_warn("settings changed that need a restart; those in use stay",
                 LOG_STR("settings", names.p), LOG_STR("file", config->sources.v[0].path));
    }
    arena_fini(&now.arena);
}

/* ---- checks */

static int fail(FILE *errout, const char *text)
{
    terminal_line(errout, "otel-ta serve: %s", text);
    return EXIT_USAGE;
}

static int check(const struct settings *s, FILE *errout)
{
    if (s->flags.enable_prometheus_cr.is_on) {
        return fail(errout, "--enable-prometheus-cr-watcher needs the Kubernetes client, which "
                            "this version does not have");
    }
    if (s->https_listen != NULL &&
        (s->https_certs.client_ca_file == NULL || s->https_certs.cert_file == NULL ||
         s->https_certs.key_file == NULL)) {
        return fail(errout, "the HTTPS listener needs --https-ca-file, --https-tls-cert-file and "
                            "--https-tls-key-file (or https: in the file)");
    }
    return EXIT_OK;
}

/* Its sandbox lets nobody run a program. */
static int check_plugin(const struct settings *s, FILE *errout)
{
    struct kubeconfig_places places = { .named = s->watcher.kubeconfig, .is_command_line = true };
    struct kubeconfig config;
    struct faults f;
    struct arena arena;

    if (places.named == NULL) {
        return EXIT_OK;
    }
    faults_init(&f);
    arena_init(&arena);
    bool has_plugin = kubeconfig_find(&places, &arena, &config, &f) == 0 &&
                      config.exec.command.len > 0 && config.token.len + config.token_file.len == 0;
    if (has_plugin) {
        terminal_line(errout,
                      "otel-ta serve: %s: its user is let in by the program '%.*s', and serve runs "
                      "no programs: use one with a token or a certificate",
                      places.named, SPAN_ARG(config.exec.command));
    }
    arena_fini(&arena);
    faults_fini(&f);
    return has_plugin ? EXIT_FAULTS : EXIT_OK;
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
        terminal_line(errout, "otel-ta: %s", err.text);
        return EXIT_CANNOT;
    }
    return EXIT_OK;
}

static void set_files(const struct options *o, struct settings *s)
{
    const char **all = (const char **)arena_alloc(&s->arena, (o->filenames.n + 1) * sizeof(*all));

    s->files = (struct configuration_files){ .kind = s->mode == SERVE_DROPIN ? TENANTS_DROPIN
                                                                             : TENANTS_MANIFEST,
                                             .paths = all,
                                             .is_recursive = o->is_recursive,
                                             .standard_input = &s->standard_input };
    if (s->mode == SERVE_DROPIN) {
        all[s->files.n++] = o->config_file == NULL ? DROPIN_DEFAULT_PATH : o->config_file;
    }
    for (size_t i = 0; i < o->filenames.n; i++) {
        all[s->files.n++] = o->filenames.v[i];
    }
}

/* One file that cannot be read, or what has a fault, is no reason to serve nothing. */
static int refuse(const struct configuration *config, FILE *errout)
{
    configuration_report(config, errout);
    return config->n_unreadable > 0 ? EXIT_CANNOT : EXIT_FAULTS;
}

static int read_files(const struct settings *s, struct configuration *config, FILE *errout)
{
    configuration_read(config, &s->files, false);
    return configuration_parse(config) ? EXIT_OK : refuse(config, errout);
}

/* What is not the same in all modes. */
static void choose_defaults(const struct serve_options *f, struct settings *s)
{
    const char *hook = f->webhook_listen != NULL ? f->webhook_listen
                       : s->mode == SERVE_DROPIN ? "off"
                                                 : DEFAULT_WEBHOOK_LISTEN;

    s->webhook_listen = strcmp(hook, "off") == 0 ? NULL : hook;
    s->shutdown_delay_ms = f->shutdown_delay_ms >= 0 ? f->shutdown_delay_ms
                           : s->mode == SERVE_LOCAL  ? 0
                                                     : SHUTDOWN_DELAY_MS;
}

/* What each household is told as it was said. */
static void hand_on(const struct options *o, struct settings *s)
{
    s->webhook_certs = o->certs;
    s->is_tls13 = o->serve.is_tls13;
    s->threads = o->serve.threads;
    s->rewrite = o->rewrite;
    s->tenants = o->tenants;
    s->watcher = o->watcher;
    s->watcher.is_sandboxed = true;
    s->own_namespace = o->collector_namespace;
    s->flags = o->serve;
}

int settings_load(const struct options *o, struct settings *out, struct configuration *config,
                  FILE *errout)
{
    memset(out, 0, sizeof(*out));
    arena_init(&out->arena);
    configuration_init(config);
    out->mode = choose_mode(o);
    hand_on(o, out);
    set_files(o, out);
    buf_init(&out->standard_input, LIMIT_DOCUMENT_BYTES);
    int code = read_standard_input(o, out, errout);
    if (code == EXIT_OK && out->mode == SERVE_DROPIN) {
        code = read_files(out, config, errout);
    }
    if (code != EXIT_OK) {
        return code;
    }
    merge(&o->serve, &config->dropin, out);
    if (out->mode == SERVE_DROPIN) {
        find_cluster(&config->dropin, out);
        merge_pods(&config->dropin, out);
    }
    out->follows_collectors = out->mode == SERVE_WEBHOOK && out->tenants.has_cluster;
    out->watcher.is_guarded = out->follows_collectors && !o->serve.local_addresses.is_on;
    choose_defaults(&o->serve, out);
    code = check(out, errout);
    if (code == EXIT_OK) {
        code = check_plugin(out, errout);
    }
    if (code == EXIT_OK && out->mode != SERVE_DROPIN) {
        code = read_files(out, config, errout);
    }
    if (code != EXIT_OK) {
        return code;
    }
    configuration_load(config, &out->tenants);
    if (!configuration_is_sound(config) && !tenants_are_usable(&config->tenants)) {
        return refuse(config, errout);
    }
    configuration_report(config, errout);
    return EXIT_OK;
}

bool settings_has_work(const struct options *o)
{
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): before there are other threads */
    return choose_mode(o) != SERVE_WEBHOOK || getenv("KUBERNETES_SERVICE_HOST") != NULL;
}

void settings_fini(struct settings *s)
{
    buf_fini(&s->standard_input);
    arena_fini(&s->arena);
}
