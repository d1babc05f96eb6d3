#include "webhook/cli/commandtable.h"

#include "webhook/cli/help.h"

#define FILES_TEXT                                                                                 \
    "Files are arguments or -f FILE; '-' is standard input, which is also read when it is a "      \
    "file or a pipe and none is named. Of a folder its .yaml, .yml and .json files are taken, "    \
    "with -R those of its subfolders, too."

/* ---- what must be there */

static const char *missing_files(const struct options *o)
{
    return o->filenames.n > 0 ? NULL : "give at least one FILE or -f FILE ('-' is standard input)";
}

static const char *missing_input(const struct options *o)
{
    return o->filenames.n > 0 || o->config_file != NULL
               ? NULL
               : "give at least one FILE or -f FILE, or --config-file";
}

static const char *missing_argument(const struct options *o)
{
    return o->arguments.n > 0 ? NULL : "give at least one FILE";
}

static const char *missing_job(const struct options *o)
{
    return o->arguments.n >= 2 ? NULL : "give FILE and JOB";
}

static const char *missing_certs(const struct options *o)
{
    return o->certs.dir != NULL || o->certs.cert_file != NULL
               ? NULL
               : "give --cert-dir DIR (or --tls-cert-file and --tls-key-file)";
}

/* ---- the table */

static command_run command_help;

const struct command_row command_rows[] = {
    [COMMAND_SERVE] = { .group = "Serve",
                        .words = "serve",
                        .arguments = "",
                        .help = "webhook and target allocator (also without a command)",
                        .more = "Files of -f are watched. A folder stands for the .yaml, .yml and "
                                ".json files that are in it, with -R also those of its "
                                "subfolders; they may come and go.",
                        .example = "otel-ta serve -f collector.yaml --collectors 3",
                        .run = NULL },
    [COMMAND_REWRITE] = { .group = "Collector manifests",
                          .words = "rewrite",
                          .arguments = "[FILE…]",
                          .help = "Collector manifests in, rewritten manifests out",
                          .more = FILES_TEXT,
                          .example = "otel-ta rewrite collector.yaml -o diff\n"
                                     "kubectl get otelcol -A -o yaml | otel-ta rewrite",
                          .run = command_rewrite,
                          .takes_files = true,
                          .find_missing = missing_files },
    [COMMAND_RESTORE] = { .words = "restore",
                          .arguments = "[FILE…]",
                          .help = "the inverse of rewrite: the original text comes back",
                          .more = FILES_TEXT,
                          .example = "otel-ta restore rewritten.yaml > original.yaml",
                          .run = command_restore,
                          .takes_files = true,
                          .find_missing = missing_files },
    [COMMAND_VALIDATE] = { .words = "validate",
                           .arguments = "[FILE…]",
                           .help = "report everything the allocator would refuse",
                           .more = FILES_TEXT,
                           .example = "otel-ta validate -f manifests/ -R",
                           .run = command_validate,
                           .takes_files = true,
                           .find_missing = missing_files },
    [COMMAND_CHECK_CONFIG] = { .group = "Look without serving",
                               .words = "check config",
                               .arguments = "FILE…",
                               .help = "check Prometheus configuration files",
                               .more = "The whole file is checked, and what it names: scrape "
                                       "config files, the files of file_sd, rule files that must "
                                       "be there. What is in rule files is left to promtool, and "
                                       "so is whether files with credentials exist.",
                               .example = "otel-ta check config prometheus.yml",
                               .run = command_check,
                               .max_arguments = SIZE_MAX,
                               .find_missing = missing_argument,
                               .is_terse = true },
    [COMMAND_CHECK_SD] = { .words = "check service-discovery",
                           .arguments = "FILE JOB",
                           .help =
                               "discovered and relabeled targets of a job, as promtool prints them",
                           .example = "otel-ta check service-discovery prometheus.yml node",
                           .run = command_discover,
                           .max_arguments = 2,
                           .find_missing = missing_job,
                           .is_terse = true },
    [COMMAND_ALLOCATE] = { .words = "allocate",
                           .arguments = "[FILE…]",
                           .help = "which collector gets which target",
                           .more = FILES_TEXT,
                           .example = "otel-ta allocate collector.yaml --collectors 3",
                           .run = command_allocate,
                           .takes_files = true,
                           .find_missing = missing_input,
                           .is_terse = true },
    [COMMAND_EXPLAIN] = { .words = "explain",
                          .arguments = "[FILE…]",
                          .help = "why a target is kept, dropped or invalid, rule by rule",
                          .more = FILES_TEXT,
                          .example = "otel-ta explain collector.yaml --target 10.0.0.1:9100",
                          .run = command_explain,
                          .takes_files = true,
                          .find_missing = missing_input,
                          .is_terse = true },
    [COMMAND_CERTS_CA] = { .group = "Certificates of the webhook",
                           .words = "certs ca",
                           .arguments = "",
                           .help = "print the CA bundle that clients of the webhook should trust",
                           .example = "otel-ta certs ca --cert-dir certs",
                           .run = command_certs_ca,
                           .find_missing = missing_certs },
    [COMMAND_CERTS_SHOW] = { .words = "certs show",
                             .arguments = "",
                             .help = "names, issuer, validity, fingerprint and next step of each "
                                     "certificate",
                             .example = "otel-ta certs show --cert-dir certs",
                             .run = command_certs_show,
                             .find_missing = missing_certs },
    [COMMAND_CERTS_ROTATE] = { .words = "certs rotate",
                               .arguments = "",
                               .help = "start the rotation to a new certificate authority",
                               .example = "otel-ta certs rotate --cert-dir certs",
                               .run = command_certs_rotate,
                               .find_missing = missing_certs },
    [COMMAND_VERSION] = { .group = "Other",
                          .words = "version",
                          .arguments = "",
                          .help = "print the version",
                          .example = "otel-ta version -o json",
                          .run = command_version },
    [COMMAND_HELP] = { .words = "help",
                       .arguments = "[command]",
                       .help = "this overview, or the help of a command",
                       .example = "otel-ta help certs show",
                       .run = command_help },
};

static int command_help(const struct options *o, const struct command_io *io)
{
    if (o->help_group != NULL) {
        help_group(command_rows, N_COMMAND_ROWS, o->help_group, io->out);
    } else if (o->help_about != COMMAND_HELP) {
        help_command(command_rows, o->help_about, io->out);
    } else {
        help_overview(command_rows, N_COMMAND_ROWS, io->out);
    }
    return EXIT_OK;
}
