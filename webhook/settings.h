/* What 'serve' will do: the command line, the environment and, in drop-in mode, upstream's
 * configuration file, merged (defaults < file < environment < flags) and checked. Threads: main
 * thread. */
#ifndef OTEL_TA_WEBHOOK_SETTINGS_H
#define OTEL_TA_WEBHOOK_SETTINGS_H

#include "webhook/cli/options.h"
#include "webhook/configuration.h"

enum serve_mode {
    SERVE_WEBHOOK, /* no manifests, no file: the webhook alone */
    SERVE_LOCAL,   /* Collector manifests with -f */
    SERVE_DROPIN,  /* upstream's targetallocator.yaml */
};

struct settings_pods {                /* drop-in mode: the collectors are pods */
    bool are_followed;                /* else they are named, or there are none (no selector) */
    const char *namespace, *selector; /* as they are asked for */
    int64_t grace_ms;                 /* how long one that is not well is one */
};

struct settings {
    enum serve_mode mode;
    struct arena arena; /* texts */
    const char *listen;
    const char *webhook_listen; /* NULL: no webhook */
    struct certs_options webhook_certs;
    bool is_tls13;            /* nothing older on the webhook */
    const char *https_listen; /* NULL: no mTLS allocator listener */
    struct certs_options https_certs;
    bool secrets_over_http;
    int64_t shutdown_delay_ms;
    unsigned threads; /* 0: one per core */
    struct rewrite_options rewrite;
    struct tenants_options tenants;
    struct watcher_options watcher;
    struct settings_pods pods;
    bool follows_collectors;    /* webhook mode in a cluster: its Collectors are the tenants */
    const char *own_namespace;  /* OTELCOL_NAMESPACE, or NULL */
    struct serve_options flags; /* they win over the file when it is read again, too */
    struct buf standard_input;  /* read once, when '-' is among the manifests */
    struct configuration_files files;
};

/* Reads and checks everything, also what the engine will be told. On faults: prints them on
 * 'errout' and returns an exit code; else 0. What 'o' points to is borrowed. Both outputs are to be
 * released in any case. */
int settings_load(const struct options *o, struct settings *out, struct configuration *config,
                  FILE *errout);
/* Warns about what the file of drop-in mode says now, in 'config' (checked), that differs from
 * 's' and takes a restart: the process goes on with 's'. */
void settings_warn_restart(const struct settings *s, const struct configuration *config);
/* Is there anything to serve: manifests, a configuration file, a cluster around? Else 'serve' is
 * the webhook alone, which has to be asked for. */
bool settings_has_work(const struct options *o);
void settings_fini(struct settings *s);

#endif
