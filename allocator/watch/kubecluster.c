#define LOG_MODULE "kubernetes"
#include "allocator/watch/kubecluster.h"

#include "allocator/base/clock.h"
#include "allocator/base/limits.h"
#include "allocator/base/log.h"
#include "allocator/base/mem.h"
#include "allocator/base/readfile.h"
#include "allocator/codec/base64.h"
#include "allocator/codec/urlform.h"
#include "allocator/watch/execplugin.h"

/* The content of a file that was read at some time. */
struct kept {
    struct span body; /* owned; p NULL: never read */
};

struct kubecluster {
    struct arena arena; /* of 'ask' */
    struct ask_kube ask;
    const struct kubeconfig_places *places;

    struct arena config_arena;
    struct kubeconfig config;
    bool has_config;
    struct kept token, ca, cert, key;
    struct execplugin *plugin; /* NULL: none */
    int64_t plugin_due_ms;     /* when to look after it; INT64_MIN: it does not run */
};

struct kubecluster *kubecluster_new(const struct ask_kube *ask,
                                    const struct kubeconfig_places *places)
{
    struct kubecluster *c = mem_zalloc(sizeof(*c));
    const struct ask whole = { .carrier = CARRIER_KUBE, .kube = *ask };
    struct ask copy;

    arena_init(&c->arena);
    arena_init(&c->config_arena);
    ask_copy(&whole, &c->arena, &copy);
    c->ask = copy.kube;
    c->places = places;
    c->plugin_due_ms = INT64_MIN;
    return c;
}

void kubecluster_free(struct kubecluster **cluster)
{
    struct kubecluster *c = *cluster;

    if (c == NULL) {
        return;
    }
    execplugin_free(&c->plugin);
    mem_free_span(&c->token.body);
    mem_free_span(&c->ca.body);
    mem_free_span(&c->cert.body);
    mem_free_span(&c->key.body);
    arena_fini(&c->config_arena);
    arena_fini(&c->arena);
    mem_free(c);
    *cluster = NULL;
}

bool kubecluster_may_compress(const struct kubecluster *c)
{
    return !c->config.disable_compression;
}

/* ---- configuration */

static void tell_warnings(const struct faults *f)
{
    for (size_t i = 0; i < f->n; i++) {
        if (f->v[i].severity == FAULT_WARNING) {
            AUTO_STR text = fault_text(&f->v[i]);
            log_warn("a kubeconfig is not as it should be", LOG_STR("fault", text));
        }
    }
}

static int load(struct kubecluster *c, struct err *err)
{
    struct kubeconfig_places places = *c->places;
    struct faults f;

    if (c->has_config) {
        return 0;
    }
    if (c->ask.kubeconfig_file.len > 0) { /* nobody named that on the command line */
        places = (struct kubeconfig_places){ .named = c->ask.kubeconfig_file.p };
    }
    faults_init(&f);
    arena_reset(&c->config_arena);
    int rc = kubeconfig_find(&places, &c->config_arena, &c->config, &f);
    if (rc == 0) {
        c->has_config = true;
        /* A token that is there counts, as with client-go. */
        if (c->config.exec.command.len > 0 && c->config.token.len + c->config.token_file.len == 0) {
            c->plugin = execplugin_new(&c->config);
        }
        tell_warnings(&f);
    } else if (rc == ERR_NOT_FOUND) {
        rc = err_set(err, rc, "there is no cluster: neither a kubeconfig nor a pod's account");
    } else {
        rc = faults_first(&f, err);
    }
    faults_fini(&f);
    return rc;
}

struct span kubecluster_namespace(struct kubecluster *c)
{
    bool is_known = load(c, NULL) == 0 && c->config.namespace.len > 0;

    return is_known ? c->config.namespace : SPAN_LIT("default");
}

bool kubecluster_must_wait(struct kubecluster *c, int64_t now_ms)
{
    c->plugin_due_ms = INT64_MIN;
    if (c->ask.api_server.len > 0 || load(c, NULL) < 0 || c->plugin == NULL ||
        !execplugin_is_running(c->plugin, now_ms, clock_wall_ms())) {
        return false;
    }
    c->plugin_due_ms = now_ms + EXECPLUGIN_POLL_MS;
    return true;
}

int64_t kubecluster_deadline_ms(const struct kubecluster *c)
{
    return c->plugin_due_ms;
}

void kubecluster_forget_credentials(struct kubecluster *c)
{
    if (c->plugin != NULL) {
        execplugin_forget(c->plugin);
    }
}

/* ---- files */

/* '*out' becomes the file's content; the last one that could be read where this one cannot. */
static int read_kept(struct kept *kept, struct span path, size_t max, struct span *out,
                     struct err *err)
{
    struct readfile_signature signature;
    char *body = NULL;
    size_t len = 0;
    struct err why;

    if (path.len == 0) {
        return 0;
    }
    AUTO_STR name = mem_strndup(path.p, path.len);
    int rc = readfile_read(name, max, &signature, &body, &len, &why);
    if (rc == 0 && span_trim(span_make(body, len)).len == 0) {
        rc = err_set(&why, ERR_INVALID, "%s is empty", name);
        mem_free(body);
    }
    if (rc == 0) {
        mem_free_span(&kept->body);
        kept->body = span_make(body, len);
    } else if (kept->body.p == NULL) {
        return err_set(err, rc, "%s", why.text);
    } else {
        log_warn("a file that lets us in cannot be read; what it held is used",
                 LOG_STR("error", why.text));
    }
    *out = kept->body;
    return 0;
}

static int read_tls(struct kubecluster *c, struct http_client_tls *tls, struct err *err)
{
    const struct kubeconfig *config = &c->config;

    *tls = (struct http_client_tls){ .ca_pem = config->ca_pem,
                                     .cert_pem = config->cert_pem,
                                     .key_pem = config->key_pem,
                                     .server_name = config->tls_server_name,
                                     .insecure_skip_verify = config->insecure_skip_verify };
    int rc = read_kept(&c->ca, config->ca_file, LIMIT_CERTIFICATE, &tls->ca_pem, err);
    if (rc == 0) {
        rc = read_kept(&c->cert, config->cert_file, LIMIT_CERTIFICATE, &tls->cert_pem, err);
    }
    return rc < 0 ? rc
                  : read_kept(&c->key, config->key_file, LIMIT_CERTIFICATE, &tls->key_pem, err);
}

/* ---- headers */

static int add_authorization(struct kubecluster *c, struct arena *arena, struct credentials *out,
                             struct err *err)
{
    struct span token = c->config.token;
    struct buf text;

    int rc = read_kept(&c->token, c->config.token_file, LIMIT_SECRET, &token, err);
    if (rc < 0 && token.len == 0) {
        return rc;
    }
    if (token.len > 0) {
        credentials_header(out, SPAN_LIT("Authorization"),
                           span_of(arena_printf(arena, "Bearer %.*s", SPAN_ARG(span_trim(token)))));
    } else if (c->config.username.len > 0 || c->config.password.len > 0) {
        const char *pair = arena_printf(arena, "%.*s:%.*s", SPAN_ARG(c->config.username),
                                        SPAN_ARG(c->config.password));
        buf_init_in(&text, arena, LIMIT_SECRET);
        buf_add_str(&text, "Basic ");
        base64_encode(span_of(pair), &text);
        credentials_header(out, SPAN_LIT("Authorization"), buf_span(&text));
    }
    return 0;
}

static int add_plugin(struct kubecluster *c, struct arena *arena, struct credentials *out,
                      struct err *err)
{
    struct execcredential said;
    int rc = execplugin_credential(c->plugin, &said, err);

    if (rc < 0) {
        return rc;
    }
    if (said.token.len > 0) {
        credentials_header(out, SPAN_LIT("Authorization"),
                           span_of(arena_printf(arena, "Bearer %.*s", SPAN_ARG(said.token))));
    }
    if (said.cert_pem.len > 0) {
        out->options.tls.cert_pem = said.cert_pem;
        out->options.tls.key_pem = said.key_pem;
    }
    return 0;
}

/* A name of as-user-extra as part of a header's name. */
static struct span extra_name(struct span name, struct arena *arena)
{
    struct buf text;

    buf_init_in(&text, arena, LIMIT_SECRET);
    buf_add_str(&text, "Impersonate-Extra-");
    for (size_t i = 0; i < name.len; i++) {
        if (name.p[i] == ' ') {
            buf_add_str(&text, "%20");
        } else {
            urlform_escape(span_make(name.p + i, 1), &text);
        }
    }
    return buf_span(&text);
}

static void add_impersonation(const struct kubeconfig *config, struct arena *arena,
                              struct credentials *out)
{
    if (config->as.len > 0) {
        credentials_header(out, SPAN_LIT("Impersonate-User"), config->as);
    }
    if (config->as_uid.len > 0) {
        credentials_header(out, SPAN_LIT("Impersonate-Uid"), config->as_uid);
    }
    for (size_t i = 0; i < config->n_as_groups; i++) {
        credentials_header(out, SPAN_LIT("Impersonate-Group"), config->as_groups[i]);
    }
    for (size_t i = 0; i < config->n_as_extra; i++) {
        credentials_header(out, extra_name(config->as_extra[i].name, arena),
                           config->as_extra[i].value);
    }
}

/* ---- requests */

static struct span url_of(struct span server, struct span target, struct arena *arena)
{
    while (server.len > 0 && server.p[server.len - 1] == '/') {
        server.len--;
    }
    return span_of(arena_printf(arena, "%.*s%.*s", SPAN_ARG(server), SPAN_ARG(target)));
}

int kubecluster_prepare(struct kubecluster *c, struct span target, struct arena *arena,
                        struct credentials *out, struct err *err)
{
    if (c->ask.api_server.len > 0) {
        out->options.url = url_of(c->ask.api_server, target, arena);
        int rc = credentials_apply(c->ask.client, arena, out, err);
        /* What a redirect would be followed to is not the server that was named. */
        out->options.follow_redirects = out->options.enable_http2 = false;
        return rc;
    }
    int rc = load(c, err);
    if (rc == 0) {
        rc = read_tls(c, &out->options.tls, err);
    }
    if (rc == 0) {
        rc = add_authorization(c, arena, out, err);
    }
    if (rc < 0) {
        return rc;
    }
    if (c->plugin != NULL) {
        rc = add_plugin(c, arena, out, err);
        if (rc < 0) {
            return rc;
        }
    }
    add_impersonation(&c->config, arena, out);
    out->options.url = url_of(c->config.server, target, arena);
    out->options.proxy_url = c->config.proxy_url;
    out->options.proxy_from_environment = true;
    return 0;
}
