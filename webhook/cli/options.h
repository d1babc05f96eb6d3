/* The command line and the environment → one struct. Parsing and usage text come from one table.
 * Upstream's flags keep their names and meaning. Threads: main thread, once. */
#ifndef OTEL_TA_WEBHOOK_CLI_OPTIONS_H
#define OTEL_TA_WEBHOOK_CLI_OPTIONS_H

#include "allocator/base/log.h"
#include "allocator/base/terminal.h"
#include "allocator/tenant/tenants.h"
#include "allocator/watch/watcher.h"
#include "certs/certs.h"
#include "webhook/cli/flagvalue.h"
#include "webhook/rewrite/plan.h"

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

struct serve_options { /* of the process that serves; NULL, 0, not given: as the defaults say */
    const char *listen, *webhook_listen; /* webhook: or "off" */
    bool is_tls13;                       /* --tls-min-version 1.3 */
    unsigned threads;
    struct flag_switch local_addresses; /* may be asked for Collectors of the cluster */
    size_t memory_limit;                /* bytes; 0: as the cgroup says */
    int64_t shutdown_delay_ms;          /* -1: not given */
    /* upstream's */
    struct flag_switch enable_https, insecure_secrets, enable_prometheus_cr;
    const char *https_listen, *https_ca_file, *https_cert_file, *https_key_file;
};

struct explain_options {
    const char *job, *target; /* only these; NULL: all */
    struct flag_switch summary, dropped, show_defaults;
};

/* What was said, by the household that it concerns: each takes its own part. */
struct options {
    enum command command;
    bool is_implicit;        /* none was given: 'serve' */
    enum command help_about; /* COMMAND_HELP: of what; COMMAND_HELP itself is the overview, or … */
    const char *help_group;  /* … the commands that begin with this word, when it is not NULL */
    struct arena arena;      /* derived texts */
    flag_texts filenames;    /* -f, and arguments of a command that takes files; no folders */
    flag_texts found;        /* those of 'filenames' that stood in folders, in their order */
    bool is_recursive;       /* -R: folders with their subfolders */
    flag_texts arguments;    /* positional, after the command */
    const char *config_file; /* --config-file, or NULL */
    struct collectors_option collectors;
    struct tenants_options tenants; /* what concerns all of them; 'collectors' points into here */
    flag_texts tls_names;
    struct certs_options certs; /* of the webhook; 'names' are those of 'tls_names' */
    struct rewrite_options rewrite;
    struct flag_choice file_jobs; /* 1: they are left */
    struct serve_options serve;
    struct watcher_options watcher; /* 'user_agent' is the program's to fill in */
    struct log_options log;
    enum terminal_colour colour;
    struct flag_switch show_annotation; /* of rewrite -o diff */
    enum output output; /* -o; of allocate and version OUTPUT_DEFAULT or OUTPUT_JSON */
    struct explain_options explain;
    int64_t timeout_ms;              /* of discovery */
    const char *collector_namespace; /* OTELCOL_NAMESPACE */
};

/* Parses argv; on a fault prints it with the nearest known word and a hint to --help on 'errout'
 * and returns EXIT_USAGE, else 0. --help and --version set the command. Folders that are named have
 * become their files; EXIT_CANNOT when one cannot be looked into. */
int options_parse(int argc, char **argv, struct options *out, FILE *errout);
void options_fini(struct options *o);

#endif
