/* The command line and the environment → one struct. Parsing and usage text come from one table.
 * Upstream's flags keep their names and meaning. Threads: main thread, once. */
#ifndef OTEL_TA_WEBHOOK_CLI_OPTIONS_H
#define OTEL_TA_WEBHOOK_CLI_OPTIONS_H

#include "allocator/base/log.h"
#include "allocator/tenant/collectorlist.h"
#include "allocator/tenant/wire.h"
#include "webhook/cli/flagvalue.h"

#include <stdio.h>

#define EXIT_OK 0
#define EXIT_FAULTS 1 /* the input has faults */
#define EXIT_USAGE 2
#define EXIT_CANNOT 3 /* port taken, no certificate, … */

enum command {
    COMMAND_SERVE,
    COMMAND_REWRITE,
    COMMAND_RESTORE,
    COMMAND_VALIDATE,
    COMMAND_CHECK_CONFIG,
    COMMAND_CHECK_SD,
    COMMAND_ALLOCATE,
    COMMAND_EXPLAIN,
    COMMAND_CERTS_CA,
    COMMAND_CERTS_SHOW,
    COMMAND_CERTS_ROTATE,
    COMMAND_VERSION,
    COMMAND_HELP,
};

enum output { OUTPUT_DEFAULT, OUTPUT_YAML, OUTPUT_JSON, OUTPUT_DIFF, OUTPUT_JSON_PATCH };

struct collectors_option { /* --collectors, one of the two */
    struct collectorlist list;
    size_t count;
};

struct log_options { /* what was not given stays as it is */
    struct flag_choice level, format;
};

struct options {
    enum command command;
    enum command help_about; /* COMMAND_HELP: of what; COMMAND_HELP itself is the overview */
    struct arena arena;      /* lists and derived texts */
    flag_texts filenames;    /* -f */
    flag_texts arguments;    /* positional, after the command */
    struct collectors_option collectors;
    const char *config_file;    /* --config-file, or NULL */
    const char *listen;         /* NULL: not given */
    const char *webhook_listen; /* NULL: not given; "off" */
    const char *cert_dir, *tls_cert_file, *tls_key_file, *webhook_client_ca;
    flag_texts tls_names;
    bool is_tls13;        /* --tls-min-version 1.3 */
    const char *strategy; /* NULL: not given */
    bool is_consistent_v0;
    const char *collector_id_expr;
    const char *shared_host;
    enum wire_style url_style;
    bool is_block_style; /* --rewrite-style target-allocator */
    enum output output;  /* -o; of allocate OUTPUT_DEFAULT (a table) or OUTPUT_JSON */
    const char *job, *target;
    int64_t timeout_ms;
    int64_t shutdown_delay_ms; /* -1: not given */
    unsigned threads;          /* 0: as many as cores */
    struct log_options log;
    /* upstream's flags: NULL when not given */
    const char *kubeconfig, *https_listen, *https_ca_file, *https_cert_file, *https_key_file;
    struct flag_switch enable_https, enable_prometheus_cr, insecure_secrets;
    const char *collector_namespace; /* OTELCOL_NAMESPACE */
};

/* Parses argv; on a fault prints it with the nearest known word and a hint to --help on 'errout'
 * and returns EXIT_USAGE, else 0. --help and --version set the command. */
int options_parse(int argc, char **argv, struct options *out, FILE *errout);
void options_fini(struct options *o);

#endif
