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
    struct configuration_files files;
    const char **paths; /* of those, to watch; standard input is not among them */
    size_t n_paths;
};

/* Reads and checks everything, also what the engine will be told. On faults: prints them on
 * 'errout' and returns an exit code; else 0. Both outputs are to be released in any case. */
int settings_load(const struct options *o, struct settings *out, struct configuration *config,
                  FILE *errout);
/* Warns once about what the file of drop-in mode says now, in 'config' (checked), that differs from
 * 's' and takes a restart: the process goes on with 's'. */
void settings_warn_restart(const struct options *o, const struct settings *s,
                           const struct configuration *config);
void settings_fini(struct settings *s);

#endif
