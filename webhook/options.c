#include "webhook/options.h"

#include "allocator/base/limits.h"
#include "allocator/codec/walk.h"
#include "allocator/prom/duration.h"

#include <ctype.h>
#include <getopt.h>
#include <stdlib.h>

/* ---- the tables */

#define FOR(command) (1u << (command))
#define FOR_SERVE FOR(COMMAND_SERVE)
#define FOR_TEXT (FOR(COMMAND_REWRITE) | FOR(COMMAND_RESTORE))
#define FOR_INSPECT (FOR(COMMAND_ALLOCATE) | FOR(COMMAND_EXPLAIN))
#define FOR_CERTS (FOR(COMMAND_CERTS_CA) | FOR(COMMAND_CERTS_SHOW) | FOR(COMMAND_CERTS_ROTATE))
#define FOR_ALL UINT32_MAX

struct command_row {
    const char *words; /* as typed */
    enum command command;
    const char *arguments;
    const char *help;
};

static const struct command_row commands[] = {
    { "serve", COMMAND_SERVE, "[flags]", "webhook and target allocator (also without a command)" },
    { "rewrite", COMMAND_REWRITE, "-f FILE|-…", "Collector manifests in, rewritten manifests out" },
    { "restore", COMMAND_RESTORE, "-f FILE|-…",
      "the inverse of rewrite: the original text comes back" },
    { "validate", COMMAND_VALIDATE, "-f FILE|-…", "report everything the allocator would refuse" },
    { "check config", COMMAND_CHECK_CONFIG, "FILE…", "check Prometheus configuration files" },
    { "check service-discovery", COMMAND_CHECK_SD, "FILE JOB",
      "discovered and relabeled targets of a job, as promtool prints them" },
    { "allocate", COMMAND_ALLOCATE, "-f FILE|- --collectors LIST|N",
      "which collector gets which target" },
    { "explain", COMMAND_EXPLAIN, "-f FILE|-",
      "why a target is kept, dropped or invalid, rule by rule" },
    { "certs ca", COMMAND_CERTS_CA, "",
      "print the CA bundle that clients of the webhook should trust" },
    { "certs show", COMMAND_CERTS_SHOW, "", "list certificates and their validity" },
    { "certs rotate", COMMAND_CERTS_ROTATE, "",
      "start the rotation to a new certificate authority" },
    { "version", COMMAND_VERSION, "", "print the version" },
    { "help", COMMAND_HELP, "[command]", "this overview, or the help of a command" },
};

enum flag_id {
    FLAG_FILENAME = 256,
    FLAG_COLLECTORS,
    FLAG_CONFIG_FILE,
    FLAG_LISTEN,
    FLAG_WEBHOOK_LISTEN,
    FLAG_CERT_DIR,
    FLAG_TLS_CERT,
    FLAG_TLS_KEY,
    FLAG_TLS_SAN,
    FLAG_TLS_MIN,
    FLAG_WEBHOOK_CLIENT_CA,
    FLAG_STRATEGY,
    FLAG_CH_VERSION,
    FLAG_ID_EXPR,
    FLAG_URL_STYLE,
    FLAG_SHARED_HOST,
    FLAG_REWRITE_STYLE,
    FLAG_LOG_LEVEL,
    FLAG_LOG_FORMAT,
    FLAG_OUTPUT,
    FLAG_JOB,
    FLAG_TARGET,
    FLAG_TIMEOUT,
    FLAG_SHUTDOWN_DELAY,
    FLAG_THREADS,
    FLAG_KUBECONFIG,
    FLAG_HTTPS,
    FLAG_HTTPS_LISTEN,
    FLAG_HTTPS_CA,
    FLAG_HTTPS_CERT,
    FLAG_HTTPS_KEY,
    FLAG_PROMETHEUS_CR,
    FLAG_INSECURE_SECRETS,
    FLAG_ZAP_DEVEL,
    FLAG_ZAP_ENCODER,
    FLAG_ZAP_LEVEL,
    FLAG_ZAP_IGNORED,
    FLAG_HELP,
    FLAG_VERSION,
};

struct flag_row {
    const char *name;
    int has_arg; /* as getopt_long */
    enum flag_id id;
    uint32_t commands;
    const char *value; /* NULL: not shown in the help (an alias) */
    const char *help;
};

static const struct flag_row flags[] = {
    { "filename", required_argument, FLAG_FILENAME,
      FOR_SERVE | FOR_TEXT | FOR_INSPECT | FOR(COMMAND_VALIDATE), "FILE",
      "-f: Collector manifests, YAML or JSON; repeatable; '-' is standard input" },
    { "collectors", required_argument, FLAG_COLLECTORS, FOR_SERVE | FOR_INSPECT, "LIST|N",
      "collector names a,b@NODE,…, or how many (default: spec.replicas of the manifest)" },
    { "config-file", required_argument, FLAG_CONFIG_FILE, FOR_SERVE | FOR_INSPECT, "FILE",
      "upstream's targetallocator.yaml: drop-in mode (default: /conf/targetallocator.yaml if it "
      "exists)" },
    { "listen", required_argument, FLAG_LISTEN, FOR_SERVE, "ADDR",
      "HTTP SD and the rest of the allocator API (default :8080; port 0 picks one)" },
    { "listen-addr", required_argument, FLAG_LISTEN, FOR_SERVE, NULL, NULL },
    { "webhook-listen", required_argument, FLAG_WEBHOOK_LISTEN, FOR_SERVE, "ADDR",
      "HTTPS for /mutate (default :9443, in drop-in mode off)" },
    { "cert-dir", required_argument, FLAG_CERT_DIR, FOR_SERVE | FOR_CERTS, "DIR",
      "tls.crt and tls.key of the webhook; made and kept here when the directory is empty "
      "(default: in memory)" },
    { "tls-cert-file", required_argument, FLAG_TLS_CERT, FOR_SERVE | FOR_CERTS, "FILE",
      "certificate of the webhook, instead of --cert-dir" },
    { "tls-key-file", required_argument, FLAG_TLS_KEY, FOR_SERVE | FOR_CERTS, "FILE",
      "its private key" },
    { "tls-san", required_argument, FLAG_TLS_SAN, FOR_SERVE | FOR_CERTS, "NAME,…",
      "names of a certificate we make (default: otel-ta.<namespace>.svc and its short forms, "
      "localhost, 127.0.0.1, ::1)" },
    { "tls-min-version", required_argument, FLAG_TLS_MIN, FOR_SERVE, "1.2|1.3",
      "oldest TLS of the webhook (default 1.2)" },
    { "webhook-client-ca", required_argument, FLAG_WEBHOOK_CLIENT_CA, FOR_SERVE, "FILE",
      "require client certificates of this CA on the webhook" },
    { "strategy", required_argument, FLAG_STRATEGY, FOR_SERVE | FOR_INSPECT, "NAME",
      "consistent-hashing (default), least-weighted, per-node, rendezvous, bounded-rendezvous" },
    { "consistent-hashing-version", required_argument, FLAG_CH_VERSION, FOR_SERVE | FOR_INSPECT,
      "v1|v0", "v0: the table of operator releases up to 0.158.0 (default v1)" },
    { "collector-id-expr", required_argument, FLAG_ID_EXPR, FOR_SERVE | FOR_TEXT, "TEXT",
      "collector_id in rewritten URLs (default ${POD_NAME})" },
    { "url-style", required_argument, FLAG_URL_STYLE, FOR_SERVE | FOR_TEXT, "STYLE",
      "documented (default), qualified or shared" },
    { "shared-host", required_argument, FLAG_SHARED_HOST, FOR_SERVE | FOR_TEXT, "HOST",
      "host[:port] of --url-style shared (default otel-ta.<namespace>.svc:80)" },
    { "rewrite-style", required_argument, FLAG_REWRITE_STYLE, FOR_SERVE | FOR_TEXT, "STYLE",
      "inline (default) or target-allocator" },
    { "output", required_argument, FLAG_OUTPUT, FOR_TEXT | FOR(COMMAND_ALLOCATE), "FORMAT",
      "-o: yaml (default), json, diff or json-patch; of allocate: table (default) or json" },
    { "job", required_argument, FLAG_JOB, FOR(COMMAND_EXPLAIN), "NAME", "only this job" },
    { "target", required_argument, FLAG_TARGET, FOR(COMMAND_EXPLAIN), "ADDR",
      "only targets with this address, before or after relabeling" },
    { "timeout", required_argument, FLAG_TIMEOUT, FOR(COMMAND_CHECK_SD) | FOR_INSPECT, "DURATION",
      "how long to wait for discovery (default 30s)" },
    { "shutdown-delay", required_argument, FLAG_SHUTDOWN_DELAY, FOR_SERVE, "DURATION",
      "keep serving so long after SIGTERM, so that load balancers let go (default 0s in local "
      "mode, else 15s)" },
    { "threads", required_argument, FLAG_THREADS, FOR_SERVE, "N",
      "serving threads (default: one a core)" },
    { "enable-https-server", optional_argument, FLAG_HTTPS, FOR_SERVE, "",
      "upstream: allocator API over mTLS as well" },
    { "listen-addr-https", required_argument, FLAG_HTTPS_LISTEN, FOR_SERVE, "ADDR",
      "upstream: its address (default :8443)" },
    { "https-ca-file", required_argument, FLAG_HTTPS_CA, FOR_SERVE, "FILE",
      "upstream: CA of the collectors' client certificates" },
    { "https-tls-cert-file", required_argument, FLAG_HTTPS_CERT, FOR_SERVE, "FILE",
      "upstream: certificate of that listener" },
    { "https-tls-key-file", required_argument, FLAG_HTTPS_KEY, FOR_SERVE, "FILE",
      "upstream: its private key" },
    { "allow-insecure-auth-secrets", optional_argument, FLAG_INSECURE_SECRETS, FOR_SERVE, "",
      "upstream: secrets in /scrape_configs over plain HTTP" },
    { "enable-prometheus-cr-watcher", optional_argument, FLAG_PROMETHEUS_CR, FOR_SERVE, "",
      "upstream: needs the Kubernetes client, refused until it is there" },
    { "kubeconfig-path", required_argument, FLAG_KUBECONFIG, FOR_SERVE, "FILE",
      "upstream: needs the Kubernetes client, refused until it is there" },
    { "zap-log-level", required_argument, FLAG_ZAP_LEVEL, FOR_SERVE, "LEVEL",
      "upstream: as --log-level" },
    { "zap-encoder", required_argument, FLAG_ZAP_ENCODER, FOR_SERVE, "ENC",
      "upstream: json or console (= --log-format pretty)" },
    { "zap-devel", optional_argument, FLAG_ZAP_DEVEL, FOR_SERVE, "",
      "upstream: --log-level debug --log-format pretty" },
    { "zap-stacktrace-level", required_argument, FLAG_ZAP_IGNORED, FOR_SERVE, "LEVEL",
      "upstream: accepted, there are no stack traces" },
    { "zap-time-encoding", required_argument, FLAG_ZAP_IGNORED, FOR_SERVE, "ENC",
      "upstream: accepted, times are RFC 3339" },
    { "log-level", required_argument, FLAG_LOG_LEVEL, FOR_ALL, "LEVEL",
      "error, warn, info (default) or debug" },
    { "log-format", required_argument, FLAG_LOG_FORMAT, FOR_ALL, "FORMAT",
      "json, logfmt or pretty (default: pretty on a terminal, else json)" },
    { "help", no_argument, FLAG_HELP, FOR_ALL, "", "-h: this help" },
    { "version", no_argument, FLAG_VERSION, FOR_ALL, NULL, NULL },
};

/* ---- usage */

static const struct command_row *command_row(enum command command)
{
    for (size_t i = 0; i < COUNT(commands); i++) {
        if (commands[i].command == command) {
            return &commands[i];
        }
    }
    return &commands[0];
}

static void print_flags(enum command command, FILE *out)
{
    fprintf(out, "\nFlags:\n");
    for (size_t i = 0; i < COUNT(flags); i++) {
        if ((flags[i].commands & FOR(command)) != 0 && flags[i].value != NULL) {
            AUTO_STR left = mem_printf("--%s %s", flags[i].name, flags[i].value);
            fprintf(out, "  %-36s %s\n", left, flags[i].help);
        }
    }
}

void options_usage(enum command command, FILE *out)
{
    if (command != COMMAND_HELP) {
        const struct command_row *row = command_row(command);
        fprintf(out, "Usage: otel-ta %s %s\n\n%s.\n", row->words, row->arguments, row->help);
        print_flags(command, out);
        return;
    }
    fprintf(out, "otel-ta rewrites OpenTelemetryCollector CRs to HTTP service discovery and "
                 "allocates their targets.\n\n"
                 "Usage: otel-ta [command] [flags]\n\nCommands:\n");
    for (size_t i = 0; i < COUNT(commands); i++) {
        AUTO_STR left = mem_printf("%s %s", commands[i].words, commands[i].arguments);
        fprintf(out, "  %-40s %s\n", left, commands[i].help);
    }
    fprintf(
        out,
        "\notel-ta COMMAND --help lists the flags of a command. Exit codes: 0 done, 1 the input "
        "has faults,\n"
        "2 wrong usage, 3 cannot run. Results go to standard output, faults to standard error.\n");
}

/* ---- commands */

static int fail_usage(FILE *errout, const char *what, const char *word, const char *nearest)
{
    fprintf(errout, "otel-ta: %s '%s'", what, word);
    if (nearest != NULL) {
        fprintf(errout, "; did you mean '%s'?", nearest);
    }
    fprintf(errout, "\nTry 'otel-ta --help'.\n");
    return EXIT_USAGE;
}

/* Finds the command that argv begins with: the longest match of one or two words. Returns how many
 * words it has, 0 when there is none, -1 when the first word is no command. */
static int find_command(int argc, char **argv, enum command *out)
{
    int best = argc > 1 && argv[1][0] != '-' ? -1 : 0;

    for (size_t i = 0; i < COUNT(commands) && best != 0; i++) {
        const char *space = strchr(commands[i].words, ' ');
        size_t first =
            space == NULL ? strlen(commands[i].words) : (size_t)(space - commands[i].words);
        if (strlen(argv[1]) != first || strncmp(argv[1], commands[i].words, first) != 0) {
            continue;
        }
        if (space == NULL || (argc > 2 && strcmp(argv[2], space + 1) == 0)) {
            *out = commands[i].command;
            return space == NULL ? 1 : 2;
        }
    }
    return best;
}

/* The first word of commands that have two. */
static bool is_group(const char *word)
{
    return strcmp(word, "check") == 0 || strcmp(word, "certs") == 0;
}

static int fail_command(int argc, char **argv, FILE *errout)
{
    const char *known[COUNT(commands) + 1] = { NULL };
    size_t n = 0;
    AUTO_STR typed =
        argc > 2 && argv[2][0] != '-' ? mem_printf("%s %s", argv[1], argv[2]) : mem_strdup(argv[1]);
    const char *word = typed;

    for (size_t i = 0; i < COUNT(commands); i++) {
        known[n++] = commands[i].words;
    }
    const char *nearest = walk_nearest(span_of(typed), known);
    if (nearest == NULL) {
        word = argv[1];
        nearest = walk_nearest(span_of(argv[1]), known);
    }
    if (is_group(argv[1])) {
        fprintf(errout, "otel-ta: '%s' needs one of:", argv[1]);
        for (size_t i = 0; i < COUNT(commands); i++) {
            if (strncmp(commands[i].words, argv[1], strlen(argv[1])) == 0) {
                fprintf(errout, " '%s'", commands[i].words);
            }
        }
        fprintf(errout, "\n");
        return EXIT_USAGE;
    }
    return fail_usage(errout, "unknown command", word, nearest);
}

/* ---- flags */

static int fail_flag(const struct options *o, const char *arg, FILE *errout)
{
    const char *known[COUNT(flags) + 1] = { NULL };
    size_t n = 0;
    size_t len = strcspn(arg, "=");

    for (size_t i = 0; i < COUNT(flags); i++) {
        if ((flags[i].commands & FOR(o->command)) != 0) {
            known[n++] = flags[i].name;
        }
    }
    const char *nearest = len > 2 ? walk_nearest(span_make(arg + 2, len - 2), known) : NULL;
    fprintf(errout, "otel-ta %s: unknown flag '%.*s'", command_row(o->command)->words, (int)len,
            arg);
    if (nearest != NULL) {
        fprintf(errout, "; did you mean '--%s'?", nearest);
    }
    fprintf(errout, "\nTry 'otel-ta %s --help'.\n", command_row(o->command)->words);
    return EXIT_USAGE;
}

static int fail_value(const struct flag_row *row, const char *value, const char *expected,
                      FILE *errout)
{
    fprintf(errout, "otel-ta: --%s: '%s' is not %s\n", row->name, value, expected);
    return EXIT_USAGE;
}

static int read_bool(const struct flag_row *row, const char *value, bool *out, FILE *errout)
{
    if (value == NULL || strcmp(value, "true") == 0 || strcmp(value, "1") == 0) {
        *out = true;
    } else if (strcmp(value, "false") == 0 || strcmp(value, "0") == 0) {
        *out = false;
    } else {
        return fail_value(row, value, "true or false", errout);
    }
    return 0;
}

static int read_collectors(struct options *o, const struct flag_row *row, const char *value,
                           FILE *errout)
{
    char *end = NULL;

    if (isdigit((unsigned char)value[0])) {
        unsigned long n = strtoul(value, &end, 10);
        if (*end == '\0') {
            if (n > LIMIT_COLLECTORS) {
                return fail_value(row, value, "a number up to 65534", errout);
            }
            o->collector_count = n;
            return 0;
        }
    }
    for (const char *p = value; *p != '\0';) {
        size_t len = strcspn(p, ",");
        if (len > 0) {
            *vec_push(&o->collectors) = span_make(p, len);
        }
        p += len + (p[len] == ',' ? 1 : 0);
    }
    return o->collectors.n > 0 ? 0 : fail_value(row, value, "a list of names or a number", errout);
}

static void read_names(struct options *o, const char *value)
{
    for (const char *p = value; *p != '\0';) {
        size_t len = strcspn(p, ",");
        if (len > 0) {
            *vec_push(&o->tls_names) = arena_strndup(&o->arena, p, len);
        }
        p += len + (p[len] == ',' ? 1 : 0);
    }
}

static int read_log_level(const struct flag_row *row, const char *value, FILE *errout)
{
    enum log_level level = LOG_INFO;

    if (!log_level_from(span_of(value), &level)) {
        return fail_value(row, value, "error, warn, info or debug", errout);
    }
    log_set_level(level);
    return 0;
}

static int read_log_format(const struct flag_row *row, const char *value, FILE *errout)
{
    enum log_format format = LOG_JSON;
    struct span name = row->id == FLAG_ZAP_ENCODER && strcmp(value, "console") == 0
                           ? SPAN_LIT("pretty")
                           : span_of(value);

    if (!log_format_from(name, &format)) {
        return fail_value(row, value, "json, logfmt or pretty", errout);
    }
    log_set_format(format);
    return 0;
}

static int read_duration(const struct flag_row *row, const char *value, int64_t *out_ms,
                         FILE *errout)
{
    return duration_parse(span_of(value), out_ms, NULL) == 0
               ? 0
               : fail_value(row, value, "a duration such as 30s", errout);
}

static int read_word(const struct flag_row *row, const char *value, const char *no, const char *yes,
                     bool *out, FILE *errout)
{
    *out = strcmp(value, yes) == 0;
    if (!*out && strcmp(value, no) != 0) {
        AUTO_STR expected = mem_printf("%s or %s", no, yes);
        return fail_value(row, value, expected, errout);
    }
    return 0;
}

/* Where a flag's text goes when it needs no further reading; NULL for the others. */
static const char **text_field(struct options *o, enum flag_id id)
{
    const struct {
        enum flag_id id;
        const char **field;
    } fields[] = {
        { FLAG_CONFIG_FILE, &o->config_file },
        { FLAG_LISTEN, &o->listen },
        { FLAG_WEBHOOK_LISTEN, &o->webhook_listen },
        { FLAG_CERT_DIR, &o->cert_dir },
        { FLAG_TLS_CERT, &o->tls_cert_file },
        { FLAG_TLS_KEY, &o->tls_key_file },
        { FLAG_WEBHOOK_CLIENT_CA, &o->webhook_client_ca },
        { FLAG_STRATEGY, &o->strategy },
        { FLAG_SHARED_HOST, &o->shared_host },
        { FLAG_OUTPUT, &o->output },
        { FLAG_JOB, &o->job },
        { FLAG_TARGET, &o->target },
        { FLAG_KUBECONFIG, &o->kubeconfig },
        { FLAG_HTTPS_LISTEN, &o->https_listen },
        { FLAG_HTTPS_CA, &o->https_ca_file },
        { FLAG_HTTPS_CERT, &o->https_cert_file },
        { FLAG_HTTPS_KEY, &o->https_key_file },
    };

    for (size_t i = 0; i < COUNT(fields); i++) {
        if (fields[i].id == id) {
            return fields[i].field;
        }
    }
    return NULL;
}

static int read_threads(struct options *o, const struct flag_row *row, const char *value,
                        FILE *errout)
{
    char *end = NULL;
    unsigned long n = strtoul(value, &end, 10);

    if (*end != '\0' || end == value || n == 0 || n > 256) {
        return fail_value(row, value, "a number from 1 to 256", errout);
    }
    o->threads = (unsigned)n;
    return 0;
}

static int apply_flag(struct options *o, const struct flag_row *row, const char *value,
                      FILE *errout)
{
    switch (row->id) {
    case FLAG_FILENAME:
        *vec_push(&o->filenames) = value;
        return 0;
    case FLAG_COLLECTORS:
        return read_collectors(o, row, value, errout);
    case FLAG_ID_EXPR:
        o->collector_id_expr = value;
        return strpbrk(value, "&#\"\\ \t\r\n") == NULL && value[0] != '\0'
                   ? 0
                   : fail_value(row, value,
                                "a text that can stand in a URL (no blank, quote, & or #)", errout);
    case FLAG_TLS_SAN:
        read_names(o, value);
        return 0;
    case FLAG_TLS_MIN:
        return read_word(row, value, "1.2", "1.3", &o->is_tls13, errout);
    case FLAG_CH_VERSION:
        return read_word(row, value, "v1", "v0", &o->is_consistent_v0, errout);
    case FLAG_REWRITE_STYLE:
        return read_word(row, value, "inline", "target-allocator", &o->is_block_style, errout);
    case FLAG_URL_STYLE:
        return wire_style_from(span_of(value), &o->url_style)
                   ? 0
                   : fail_value(row, value, "documented, qualified or shared", errout);
    case FLAG_LOG_LEVEL:
    case FLAG_ZAP_LEVEL:
        return read_log_level(row, value, errout);
    case FLAG_LOG_FORMAT:
    case FLAG_ZAP_ENCODER:
        return read_log_format(row, value, errout);
    case FLAG_TIMEOUT:
        return read_duration(row, value, &o->timeout_ms, errout);
    case FLAG_SHUTDOWN_DELAY:
        return read_duration(row, value, &o->shutdown_delay_ms, errout);
    case FLAG_THREADS:
        return read_threads(o, row, value, errout);
    case FLAG_HTTPS:
        o->has_enable_https = true;
        return read_bool(row, value, &o->enable_https, errout);
    case FLAG_PROMETHEUS_CR:
        o->has_enable_prometheus_cr = true;
        return read_bool(row, value, &o->enable_prometheus_cr, errout);
    case FLAG_INSECURE_SECRETS:
        o->has_insecure_secrets = true;
        return read_bool(row, value, &o->insecure_secrets, errout);
    case FLAG_ZAP_DEVEL:
        log_set_level(LOG_DEBUG);
        log_set_format(LOG_PRETTY);
        return 0;
    default: {
        const char **field = text_field(o, row->id);
        if (field != NULL) {
            *field = value;
        }
        return 0;
    }
    }
}

static const struct flag_row *flag_row(const struct options *o, int id)
{
    for (size_t i = 0; i < COUNT(flags); i++) {
        if ((int)flags[i].id == id && (flags[i].commands & FOR(o->command)) != 0) {
            return &flags[i];
        }
    }
    return NULL;
}

/* The flags of this command as getopt_long wants them: others are unknown. */
static void fill_long_options(const struct options *o, struct option *out)
{
    size_t n = 0;

    for (size_t i = 0; i < COUNT(flags); i++) {
        if ((flags[i].commands & FOR(o->command)) != 0) {
            out[n++] = (struct option){ flags[i].name, flags[i].has_arg, NULL, (int)flags[i].id };
        }
    }
    out[n] = (struct option){ NULL, 0, NULL, 0 };
}

/* 'at' is the word that is being read. */
static int take_flag(struct options *o, int id, char **argv, int at, FILE *errout)
{
    if (id == '?') {
        return fail_flag(o, argv[optind - 1 > at ? optind - 1 : at], errout);
    }
    if (id == ':') {
        fprintf(errout, "otel-ta: flag '%s' needs a value\n", argv[optind - 1]);
        return EXIT_USAGE;
    }
    const struct flag_row *row = flag_row(o, id);
    if (row == NULL) {
        return fail_flag(o, argv[at], errout);
    }
    if (id == FLAG_HELP || id == FLAG_VERSION) {
        o->help_about = o->command;
        o->command = id == FLAG_HELP ? COMMAND_HELP : COMMAND_VERSION;
        return 0;
    }
    return apply_flag(o, row, optarg, errout);
}

static int parse_flags(struct options *o, int argc, char **argv, FILE *errout)
{
    struct option long_options[COUNT(flags) + 1];

    fill_long_options(o, long_options);
    opterr = 0;
    optind = 0; /* glibc: start anew */
    for (;;) {
        int at = optind == 0 ? 1 : optind;
        /* NOLINTNEXTLINE(concurrency-mt-unsafe): before there are other threads */
        int id = getopt_long(argc, argv, ":f:o:h", long_options, NULL);
        if (id == -1) {
            break;
        }
        id = id == 'f' ? FLAG_FILENAME : id == 'o' ? FLAG_OUTPUT : id == 'h' ? FLAG_HELP : id;
        int rc = take_flag(o, id, argv, at, errout);
        if (rc != 0 || id == FLAG_HELP || id == FLAG_VERSION) {
            return rc;
        }
    }
    for (int i = optind; i < argc; i++) {
        *vec_push(&o->arguments) = argv[i];
    }
    return 0;
}

/* ---- whole */

static int check_combination(const struct options *o, FILE *errout)
{
    const char *fault = NULL;
    bool takes_files = (o->command == COMMAND_REWRITE || o->command == COMMAND_RESTORE ||
                        o->command == COMMAND_VALIDATE);

    if (takes_files && o->filenames.n == 0) {
        fault = "give at least one -f FILE ('-' is standard input)";
    } else if ((o->command == COMMAND_ALLOCATE || o->command == COMMAND_EXPLAIN) &&
               o->filenames.n == 0 && o->config_file == NULL) {
        fault = "give at least one -f FILE, or --config-file";
    } else if (o->command == COMMAND_CHECK_CONFIG && o->arguments.n == 0) {
        fault = "give at least one FILE";
    } else if (o->command == COMMAND_CHECK_SD && o->arguments.n != 2) {
        fault = "give FILE and JOB";
    } else if ((o->tls_cert_file == NULL) != (o->tls_key_file == NULL)) {
        fault = "--tls-cert-file and --tls-key-file go together";
    } else if (o->tls_cert_file != NULL && o->cert_dir != NULL) {
        fault = "--cert-dir and --tls-cert-file exclude each other";
    } else if (o->filenames.n > 0 && o->config_file != NULL) {
        fault = "-f and --config-file exclude each other";
    } else if (o->command != COMMAND_CHECK_CONFIG && o->command != COMMAND_CHECK_SD &&
               o->command != COMMAND_HELP && o->arguments.n > 0) {
        return fail_usage(errout, "unexpected argument", o->arguments.v[0], NULL);
    }
    if (fault != NULL) {
        fprintf(errout, "otel-ta %s: %s\nTry 'otel-ta %s --help'.\n",
                command_row(o->command)->words, fault, command_row(o->command)->words);
        return EXIT_USAGE;
    }
    return 0;
}

static void set_default_names(struct options *o)
{
    const char *ns = o->collector_namespace == NULL ? "otel-ta" : o->collector_namespace;

    if (o->shared_host == NULL) {
        o->shared_host = arena_printf(&o->arena, "otel-ta.%s.svc:80", ns);
    }
    if (o->tls_names.n == 0) {
        *vec_push(&o->tls_names) = arena_printf(&o->arena, "otel-ta.%s.svc", ns);
        *vec_push(&o->tls_names) = "otel-ta";
        *vec_push(&o->tls_names) = arena_printf(&o->arena, "otel-ta.%s", ns);
        *vec_push(&o->tls_names) = arena_printf(&o->arena, "otel-ta.%s.svc.cluster.local", ns);
        *vec_push(&o->tls_names) = "localhost";
        *vec_push(&o->tls_names) = "127.0.0.1";
        *vec_push(&o->tls_names) = "::1";
    }
}

static void read_environment(struct options *o)
{
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): before there are other threads */
    const char *secrets = getenv("ALLOW_INSECURE_AUTH_SECRETS");

    /* NOLINTNEXTLINE(concurrency-mt-unsafe): as above */
    o->collector_namespace = getenv("OTELCOL_NAMESPACE");
    if (secrets != NULL && strcmp(secrets, "true") == 0) {
        o->has_insecure_secrets = true;
        o->insecure_secrets = true;
    }
}

/* "help", "help rewrite", "help certs ca", "--help". */
static int parse_help(struct options *o, int argc, char **argv, FILE *errout)
{
    o->command = COMMAND_HELP;
    o->help_about = COMMAND_HELP;
    if (argc < 2 || argv[1][0] == '-') {
        return 0;
    }
    return find_command(argc, argv, &o->help_about) > 0 || is_group(argv[1])
               ? 0
               : fail_command(argc, argv, errout);
}

int options_parse(int argc, char **argv, struct options *out, FILE *errout)
{
    memset(out, 0, sizeof(*out));
    arena_init(&out->arena);
    out->collector_id_expr = WIRE_DEFAULT_COLLECTOR_ID;
    out->timeout_ms = 30000;
    out->shutdown_delay_ms = -1;
    read_environment(out);

    int words = find_command(argc, argv, &out->command);
    if (words < 0) {
        bool is_help = argc > 2 && (strcmp(argv[2], "--help") == 0 || strcmp(argv[2], "-h") == 0);
        return is_help && is_group(argv[1]) ? parse_help(out, 1, argv, errout)
                                            : fail_command(argc, argv, errout);
    }
    if (out->command == COMMAND_HELP ||
        (words == 0 && argc > 1 &&
         (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0))) {
        return parse_help(out, argc - words, argv + words, errout);
    }
    int rc = parse_flags(out, argc - words, argv + words, errout);
    if (rc == 0 && out->command != COMMAND_HELP && out->command != COMMAND_VERSION) {
        rc = check_combination(out, errout);
    }
    set_default_names(out);
    return rc;
}

void options_fini(struct options *o)
{
    vec_fini(&o->filenames);
    vec_fini(&o->arguments);
    vec_fini(&o->collectors);
    vec_fini(&o->tls_names);
    arena_fini(&o->arena);
}
