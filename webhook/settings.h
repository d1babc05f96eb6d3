/* What 'serve' will do: the command line, the environment and, in drop-in mode, upstream's
 * configuration file, merged (defaults < file < environment < flags) and checked. Threads: main
 * thread. */
#ifndef OTEL_TA_WEBHOOK_SETTINGS_H
#define OTEL_TA_WEBHOOK_SETTINGS_H

#include "allocator/engine/engine.h"
#include "webhook/cli/options.h"

enum serve_mode {
    SERVE_WEBHOOK, /* no manifests, no file: the webhook alone */
    SERVE_LOCAL,   /* Collector manifests with -f */
    SERVE_DROPIN,  /* upstream's targetallocator.yaml */
};

struct settings {
    enum serve_mode mode;
    struct arena arena; /* texts */
    const char *listen;
    const char *webhook_listen; /* NULL: no webhook */
    const char *https_listen;   /* NULL: no mTLS allocator listener */
    const char *https_ca_file, *https_cert_file, *https_key_file;
    bool secrets_over_http;
    int64_t shutdown_delay_ms;
    unsigned threads;
    struct buf standard_input; /* read once, when '-' is among the manifests */
    const char **paths; /* the configuration files, to watch; standard input is not among them */
    size_t n_paths;
};

/* Reads and checks everything. On faults: prints them on 'errout' and returns an exit code; else 0.
 */
int settings_load(const struct options *o, struct settings *out, FILE *errout);

/* Reads the configuration files again (the ones of 'settings') into a configuration for the engine,
 * checked. On faults they are printed on 'errout' (NULL: logged) and the exit code is returned. */
int settings_read_config(const struct options *o, const struct settings *s,
                         struct engine_config *out, FILE *errout);
/* Warns once about what the file of drop-in mode says now, in 'config' (checked), that differs from
 * 's' and takes a restart: the process goes on with 's'. */
void settings_warn_restart(const struct options *o, const struct settings *s,
                           const struct engine_config *config);
void settings_fini(struct settings *s);

#endif
