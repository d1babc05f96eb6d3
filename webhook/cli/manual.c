#include "webhook/cli/manual.h"

#include "allocator/base/mem.h"
#include "webhook/cli/commandtable.h"
#include "webhook/cli/optiontable.h"

#include <string.h>

/* ---- texts that are in no table */

static const char description[] =
    "runs on Kubernetes beside the OpenTelemetry Collector.\n"
    "As a mutating admission webhook it rewrites the Prometheus receivers of\n"
    ".Sy OpenTelemetryCollector\n"
    "resources: every service-discovery section goes, one\n"
    ".Sy http_sd_configs\n"
    "entry comes, nothing else changes.\n"
    "What was there is kept in the annotation\n"
    ".Sy otel-ta/sd-configs ,\n"
    "and comes back to the byte with\n"
    ".Nm Cm restore\n"
    "or with the label\n"
    ".Sy otel-ta/inject\\&: \\(dqfalse\\(dq .\n"
    "As target allocator it runs the discovery that was taken out, drops what the relabeling of\n"
    "Prometheus would drop, spreads the other targets over the collectors, and serves each its\n"
    "share over HTTP.\n"
    ".Pp\n"
    "Results go to standard output, faults to standard error.\n"
    "Flags are written with one value\n"
    ".Pq Fl -flag Ar VALUE No or Fl -flag Ns = Ns Ar VALUE ;\n"
    "of a flag that is given twice the last one counts, unless it is repeatable.\n";

static const char files[] =
    ".Bl -tag -width Ds\n"
    ".It Pa /conf/targetallocator.yaml\n"
    "What the operator gives to its own allocator; when it exists, and neither\n"
    ".Fl f\n"
    "nor\n"
    ".Fl -config-file\n"
    "is given,\n"
    ".Cm serve\n"
    "takes the operator's place.\n"
    ".It Pa tls.crt , tls.key\n"
    "In the directory of\n"
    ".Fl -cert-dir :\n"
    "the certificate of the webhook and its private key.\n"
    ".It Pa authority.pem , ca.crt\n"
    "Beside them, when they were made by\n"
    ".Nm :\n"
    "its certificate authority, and the bundle that clients should trust.\n"
    ".El\n";

static const char exit_status[] = ".Bl -tag -width Ds\n"
                                  ".It 0\n"
                                  "Done.\n"
                                  ".It 1\n"
                                  "The input has faults.\n"
                                  ".It 2\n"
                                  "Wrong usage.\n"
                                  ".It 3\n"
                                  "It cannot run: a file is not there, a port is taken.\n"
                                  ".El\n";

static const char examples[] =
    "What the webhook would do to a manifest, and who would scrape what:\n"
    ".Bd -literal -offset indent\n"
    "otel-ta rewrite -f collector.yaml -o diff\n"
    "otel-ta allocate -f collector.yaml --collectors 3\n"
    "otel-ta explain -f collector.yaml --target 10.0.0.1:9100\n"
    ".Ed\n"
    ".Pp\n"
    "An allocator for the Collectors of a file, without a cluster:\n"
    ".Bd -literal -offset indent\n"
    "otel-ta serve -f collector.yaml --listen 127.0.0.1:8080 --webhook-listen off\n"
    "curl http://127.0.0.1:8080/jobs\n"
    ".Ed\n"
    ".Pp\n"
    "The webhook with a certificate that it makes itself, and what its clients should trust:\n"
    ".Bd -literal -offset indent\n"
    "otel-ta serve --cert-dir certs\n"
    "otel-ta certs ca --cert-dir certs\n"
    ".Ed\n";

static const char see_also[] =
    ".Xr kubectl 1 ,\n"
    ".Xr promtool 1\n"
    ".Pp\n"
    ".Lk https://opentelemetry.io/docs/platforms/kubernetes/operator/target-allocator/ "
    "\"Target Allocator\"\n";

/* ---- words of ours as mdoc */

static void write_char(const char **p, FILE *out)
{
    if (strncmp(*p, "…", strlen("…")) == 0) {
        fputs("\\[u2026]", out);
        *p += strlen("…") - 1;
    } else if (**p == '\\') {
        fputs("\\e", out);
    } else {
        fputc(**p, out);
    }
}

/* A line of text: what begins with a dot would be a macro. */
static void write_line(const char *text, const char *end, FILE *out)
{
    if (text[0] == '.' || text[0] == '\'') {
        fputs("\\&", out);
    }
    for (const char *p = text; *p != '\0'; p++) {
        write_char(&p, out);
    }
    fprintf(out, "%s\n", end);
}

/* The value of a flag, after its macro. */
static void write_value(const char *value, FILE *out)
{
    fputs(" Ar ", out);
    for (const char *p = value; *p != '\0'; p++) {
        write_char(&p, out);
    }
}

/* "-f FILE|- [--collectors LIST|N]": one macro a word. */
static void write_arguments(const char *arguments, FILE *out)
{
    for (const char *p = arguments; *p != '\0';) {
        size_t len = strcspn(p, " ");
        size_t open = p[0] == '[', close = len > open && p[len - 1] == ']';
        fputs(open ? " Oo" : "", out);
        fputs(p[open] == '-' ? " Fl " : " Ar ", out);
        for (const char *c = p + open + (p[open] == '-'); c < p + len - close; c++) {
            write_char(&c, out);
        }
        fputs(close ? " Oc" : "", out);
        p += len + (p[len] == ' ');
    }
}

/* ---- parts */

/* Has the command flags beside those that all have? */
static bool has_flags(enum command command)
{
    for (size_t i = 0; i < n_flag_rows; i++) {
        if (flag_is_of(&flag_rows[i], command) && !flag_is_of_all(&flag_rows[i])) {
            return true;
        }
    }
    return false;
}

static void write_synopsis(FILE *out)
{
    for (size_t i = 0; i < N_COMMAND_ROWS; i++) {
        fprintf(out, ".Nm\n.Cm %s", command_rows[i].words);
        write_arguments(command_rows[i].arguments, out);
        fputs(has_flags((enum command)i) ? " Op Ar flags\n" : "\n", out);
    }
}

static void write_flag(const struct flag_row *row, FILE *out)
{
    fputs(".It", out);
    if (row->letter != '\0') {
        fprintf(out, " Fl %c ,", row->letter);
    }
    fprintf(out, " Fl -%s", row->name);
    if (flag_is_switch(row)) {
        fputs(" Ns Op Ns = Ns Ar true|false", out);
    } else if (row->read != NULL) {
        write_value(row->value, out);
    }
    fputc('\n', out);
    if (row->group == FLAG_UPSTREAM) {
        fputs("As upstream: ", out);
    }
    write_line(row->help, ".", out);
}

/* The flags of one command, without those that every command has; or those. */
static void write_flags(const struct command_row *command, bool is_for_all, FILE *out)
{
    enum command c = (enum command)(command - command_rows);

    fputs(".Bl -tag -width Ds\n", out);
    for (size_t i = 0; i < n_flag_rows; i++) {
        if (flag_is_of(&flag_rows[i], c) && flag_rows[i].help != NULL &&
            flag_is_of_all(&flag_rows[i]) == is_for_all) {
            write_flag(&flag_rows[i], out);
        }
    }
    fputs(".El\n", out);
}

/* Each on a line of its own; NULL: none. */
static void write_sentences(const char *text, FILE *out)
{
    while (text != NULL && text[0] != '\0') {
        const char *end = strstr(text, ". ");
        size_t len = end == NULL ? strlen(text) : (size_t)(end - text) + 1;
        AUTO_STR sentence = mem_strndup(text, len);
        write_line(sentence, "", out);
        text += len + (end == NULL ? 0 : 1);
    }
}

static void write_example(const char *example, FILE *out)
{
    fputs(".Bd -literal -offset indent\n", out);
    for (const char *p = example; *p != '\0'; p++) {
        write_char(&p, out);
    }
    fputs("\n.Ed\n", out);
}

static void write_commands(FILE *out)
{
    for (size_t i = 0; i < N_COMMAND_ROWS; i++) {
        const struct command_row *row = &command_rows[i];
        fprintf(out, ".Ss %s\n", row->words);
        write_line(row->help, ".", out);
        write_sentences(row->more, out);
        write_example(row->example, out);
        if (has_flags((enum command)i)) {
            write_flags(row, false, out);
        }
    }
    fputs(".Ss Every command\n", out);
    write_flags(&command_rows[COMMAND_HELP], true, out);
}

static void write_environment(FILE *out)
{
    fputs(".Bl -tag -width Ds\n", out);
    for (size_t i = 0; i < n_flag_rows; i++) {
        const struct flag_row *row = &flag_rows[i];
        if (row->environment != NULL) {
            fprintf(out, ".It Ev %s\n", row->environment);
            write_line(row->help, ".", out);
        }
        if (row->environment != NULL && row->commands != 0) {
            fprintf(out, "The word\n.Ql true\nis\n.Fl -%s .\n", row->name);
        }
    }
    fputs(".El\n", out);
}

void manual_write(const char *date, FILE *out)
{
    fputs(".\\\" Made of the tables of commands and flags; not to be edited.\n", out);
    fprintf(out, ".Dd %s\n.Dt OTEL-TA 1\n.Os\n.Sh NAME\n.Nm otel-ta\n", date);
    fputs(".Nd rewrite Collectors to HTTP service discovery and allocate their targets\n", out);
    fputs(".Sh SYNOPSIS\n", out);
    write_synopsis(out);
    fprintf(out, ".Sh DESCRIPTION\n.Nm\n%s", description);
    fputs(".Sh COMMANDS\n", out);
    write_commands(out);
    fputs(".Sh ENVIRONMENT\n", out);
    write_environment(out);
    fprintf(out, ".Sh FILES\n%s.Sh EXIT STATUS\n%s", files, exit_status);
    fprintf(out, ".Sh EXAMPLES\n%s.Sh SEE ALSO\n%s", examples, see_also);
}
