#include "webhook/cli/commandtable.h"

#include "allocator/base/mem.h"
#include "webhook/cli/optiontable.h"

/* ---- what must be there */

static const char *missing_files(const struct options *o)
{
    return o->filenames.n > 0 ? NULL : "give at least one -f FILE ('-' is standard input)";
}

static const char *missing_input(const struct options *o)
{
    return o->filenames.n > 0 || o->config_file != NULL
               ? NULL
               : "give at least one -f FILE, or --config-file";
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
    [COMMAND_SERVE] = { .words = "serve",
                        .arguments = "",
                        .help = "webhook and target allocator (also without a command)",
                        .run = NULL },
    [COMMAND_REWRITE] = { .words = "rewrite",
                          .arguments = "-f FILE|-…",
                          .help = "Collector manifests in, rewritten manifests out",
                          .run = command_rewrite,
                          .find_missing = missing_files },
    [COMMAND_RESTORE] = { .words = "restore",
                          .arguments = "-f FILE|-…",
                          .help = "the inverse of rewrite: the original text comes back",
                          .run = command_restore,
                          .find_missing = missing_files },
    [COMMAND_VALIDATE] = { .words = "validate",
                           .arguments = "-f FILE|-…",
                           .help = "report everything the allocator would refuse",
                           .run = command_validate,
                           .find_missing = missing_files },
    [COMMAND_CHECK_CONFIG] = { .words = "check config",
                               .arguments = "FILE…",
                               .help = "check Prometheus configuration files",
                               .run = command_check,
                               .max_arguments = SIZE_MAX,
                               .find_missing = missing_argument,
                               .is_terse = true },
    [COMMAND_CHECK_SD] = { .words = "check service-discovery",
                           .arguments = "FILE JOB",
                           .help =
                               "discovered and relabeled targets of a job, as promtool prints them",
                           .run = command_discover,
                           .max_arguments = 2,
                           .find_missing = missing_job,
                           .is_terse = true },
    [COMMAND_ALLOCATE] = { .words = "allocate",
                           .arguments = "-f FILE|- [--collectors LIST|N]",
                           .help = "which collector gets which target",
                           .run = command_allocate,
                           .find_missing = missing_input,
                           .is_terse = true },
    [COMMAND_EXPLAIN] = { .words = "explain",
                          .arguments = "-f FILE|-",
                          .help = "why a target is kept, dropped or invalid, rule by rule",
                          .run = command_explain,
                          .find_missing = missing_input,
                          .is_terse = true },
    [COMMAND_CERTS_CA] = { .words = "certs ca",
                           .arguments = "",
                           .help = "print the CA bundle that clients of the webhook should trust",
                           .run = command_certs_ca,
                           .find_missing = missing_certs },
    [COMMAND_CERTS_SHOW] = { .words = "certs show",
                             .arguments = "",
                             .help = "names, issuer, validity, fingerprint and next step of each "
                                     "certificate",
                             .run = command_certs_show,
                             .find_missing = missing_certs },
    [COMMAND_CERTS_ROTATE] = { .words = "certs rotate",
                               .arguments = "",
                               .help = "start the rotation to a new certificate authority",
                               .run = command_certs_rotate,
                               .find_missing = missing_certs },
    [COMMAND_VERSION] = { .words = "version",
                          .arguments = "",
                          .help = "print the version",
                          .run = command_version },
    [COMMAND_HELP] = { .words = "help",
                       .arguments = "[command]",
                       .help = "this overview, or the help of a command",
                       .run = command_help },
};

/* ---- help */

/* Pads to 'width' columns: '…' is one of them in three bytes. */
static void print_left(const char *text, int width, FILE *out)
{
    int columns = 0;

    for (const char *p = text; *p != '\0'; p++) {
        columns += ((unsigned char)*p & 0xc0) != 0x80;
    }
    fprintf(out, "  %s%*s ", text, columns < width ? width - columns : 0, "");
}

static void print_flags(enum command command, FILE *out)
{
    fprintf(out, "\nFlags:\n");
    for (size_t i = 0; i < n_flag_rows; i++) {
        if (flag_is_of(&flag_rows[i], command) && flag_rows[i].value != NULL) {
            AUTO_STR left = mem_printf("--%s %s", flag_rows[i].name, flag_rows[i].value);
            print_left(left, 36, out);
            fprintf(out, "%s\n", flag_rows[i].help);
        }
    }
}

/* COMMAND_HELP: the overview. */
static void write_usage(enum command about, FILE *out)
{
    if (about != COMMAND_HELP) {
        const struct command_row *row = &command_rows[about];
        fprintf(out, "Usage: otel-ta %s%s%s [flags]\n\n%s.\n", row->words,
                row->arguments[0] == '\0' ? "" : " ", row->arguments, row->help);
        print_flags(about, out);
        return;
    }
    fprintf(out, "otel-ta rewrites OpenTelemetryCollector CRs to HTTP service discovery and "
                 "allocates their targets.\n\n"
                 "Usage: otel-ta [command] [flags]\n\nCommands:\n");
    for (size_t i = 0; i < N_COMMAND_ROWS; i++) {
        AUTO_STR left = mem_printf("%s %s", command_rows[i].words, command_rows[i].arguments);
        print_left(left, 40, out);
        fprintf(out, "%s\n", command_rows[i].help);
    }
    fprintf(
        out,
        "\notel-ta COMMAND --help lists the flags of a command. Exit codes: 0 done, 1 the input "
        "has faults,\n"
        "2 wrong usage, 3 cannot run. Results go to standard output, faults to standard error.\n");
}

static int command_help(const struct options *o, const struct command_io *io)
{
    write_usage(o->help_about, io->out);
    return EXIT_OK;
}
