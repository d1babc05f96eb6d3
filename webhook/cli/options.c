#include "webhook/cli/options.h"

#include "allocator/base/limits.h"
#include "allocator/codec/walk.h"
#include "allocator/shard/strategy.h"
#include "webhook/cli/commandtable.h"
#include "webhook/cli/flagvalue.h"
#include "webhook/cli/optiontable.h"

#include <getopt.h>
#include <stdlib.h>
#include <strings.h>

/* ---- faults */

/* "otel-ta COMMAND: WHAT 'WORD' REST; did you mean 'PREFIX NEAREST'?", and where to read on. */
struct complaint {
    const char *command; /* NULL: the line has none yet */
    const char *what;
    struct span word;
    const char *rest;             /* NULL: nothing */
    const char *prefix, *nearest; /* nearest: NULL when nothing is near */
};

static int complain(const struct complaint *c, FILE *errout)
{
    const char *blank = c->command == NULL ? "" : " ";
    const char *command = c->command == NULL ? "" : c->command;

    fprintf(errout, "otel-ta%s%s: %s '%.*s'%s%s", blank, command, c->what, SPAN_ARG(c->word),
            c->rest == NULL ? "" : " ", c->rest == NULL ? "" : c->rest);
    if (c->nearest != NULL) {
        fprintf(errout, "; did you mean '%s%s'?", c->prefix == NULL ? "" : c->prefix, c->nearest);
    }
    fprintf(errout, "\nTry 'otel-ta%s%s --help'.\n", blank, command);
    return EXIT_USAGE;
}

static int fail_argument(enum command command, const char *word, FILE *errout)
{
    const struct complaint c = { .command = command_rows[command].words,
                                 .what = "unexpected argument",
                                 .word = span_of(word) };
    return complain(&c, errout);
}

static int fail_combination(enum command command, const char *text, FILE *errout)
{
    const char *words = command_rows[command].words;

    fprintf(errout, "otel-ta %s: %s\nTry 'otel-ta %s --help'.\n", words, text, words);
    return EXIT_USAGE;
}

/* ---- commands */

/* Finds the command that argv begins with: the longest match of one or two words. Returns how many
 * words it has, 0 when there is none, -1 when the first word is no command. */
static int find_command(int argc, char **argv, enum command *out)
{
    int best = argc > 1 && argv[1][0] != '-' ? -1 : 0;

    for (size_t i = 0; i < N_COMMAND_ROWS && best != 0; i++) {
        const char *space = strchr(command_rows[i].words, ' ');
        size_t first =
            space == NULL ? strlen(command_rows[i].words) : (size_t)(space - command_rows[i].words);
        if (strlen(argv[1]) != first || strncmp(argv[1], command_rows[i].words, first) != 0) {
            continue;
        }
        if (space == NULL || (argc > 2 && strcmp(argv[2], space + 1) == 0)) {
            *out = (enum command)i;
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

/* 'check' alone, or with a flag. */
static int fail_half(const char *group, FILE *errout)
{
    fprintf(errout, "otel-ta: '%s' needs one of:", group);
    for (size_t i = 0; i < N_COMMAND_ROWS; i++) {
        if (strncmp(command_rows[i].words, group, strlen(group)) == 0) {
            fprintf(errout, " '%s'", command_rows[i].words);
        }
    }
    fprintf(errout, "\n");
    return EXIT_USAGE;
}

/* Words that begin no command. Of two, the second is compared within its group only: 'check cofig'
 * is near 'check config', and not near everything that begins with 'check'. */
static int fail_command(int argc, char **argv, FILE *errout)
{
    const char *known[N_COMMAND_ROWS + 1] = { NULL };
    bool has_two = argc > 2 && argv[2][0] != '-';
    bool is_in_group = is_group(argv[1]);
    size_t n = 0, skip = is_in_group ? strlen(argv[1]) + 1 : 0;
    AUTO_STR typed = has_two ? mem_printf("%s %s", argv[1], argv[2]) : mem_strdup(argv[1]);
    struct complaint c = { .what = "unknown command", .word = span_of(typed) };
    AUTO_STR prefix = mem_printf("%s ", argv[1]);

    if (is_in_group && !has_two) {
        return fail_half(argv[1], errout);
    }
    for (size_t i = 0; i < N_COMMAND_ROWS; i++) {
        if (!is_in_group || strncmp(command_rows[i].words, prefix, skip) == 0) {
            known[n++] = command_rows[i].words + skip;
        }
    }
    c.nearest = walk_nearest(span_from(c.word, skip), known);
    if (is_in_group) {
        c.prefix = prefix;
        return c.nearest == NULL ? fail_half(argv[1], errout) : complain(&c, errout);
    }
    if (c.nearest == NULL) {
        c.word = span_of(argv[1]);
        c.nearest = walk_nearest(c.word, known);
    }
    return complain(&c, errout);
}

/* ---- flags */

static int fail_flag(const struct options *o, const char *arg, FILE *errout)
{
    const char *known[N_FLAG_ROWS + 1] = { NULL };
    size_t n = 0;
    size_t len = strcspn(arg, "=");
    struct complaint c = { .command = command_rows[o->command].words,
                           .what = "unknown flag",
                           .word = span_make(arg, len),
                           .prefix = "--" };

    for (size_t i = 0; i < N_FLAG_ROWS; i++) {
        if (flag_is_of(&flag_rows[i], o->command)) {
            known[n++] = flag_rows[i].name;
        }
    }
    c.nearest = len > 2 ? walk_nearest(span_from(c.word, 2), known) : NULL;
    return complain(&c, errout);
}

static int fail_value(const struct options *o, struct span flag, const char *rest, FILE *errout)
{
    const struct complaint c = {
        .command = command_rows[o->command].words, .what = "flag", .word = flag, .rest = rest
    };
    return complain(&c, errout);
}

static int read_collectors(struct options *o, const struct flagvalue *v)
{
    struct err err = { 0 };

    collectorlist_fini(&o->collectors); /* given twice, the last one counts */
    collectorlist_init(&o->collectors);
    o->collector_count = 0;
    if (v->text[strspn(v->text, "0123456789")] == '\0') {
        return flagvalue_number(v, 1, LIMIT_COLLECTORS, &o->collector_count);
    }
    if (collectorlist_parse(&o->collectors, span_of(v->text), &err) < 0) {
        return flagvalue_refuse(v, err.text);
    }
    return 0;
}

static int read_names(struct options *o, const struct flagvalue *v)
{
    for (const char *p = v->text; *p != '\0';) {
        size_t len = strcspn(p, ",");
        if (len > 0) {
            *vec_push(&o->tls_names) = arena_strndup(&o->arena, p, len);
        }
        p += len + (p[len] == ',' ? 1 : 0);
    }
    return o->tls_names.n > 0 ? 0 : flagvalue_refuse(v, "a list of names");
}

static int read_log_level(const struct flagvalue *v)
{
    static const char *const words[] = { "error", "warn", "info", "debug", NULL };
    enum log_level level = LOG_INFO;
    size_t i = 0;
    int rc = flagvalue_choice(v, words, &i);

    if (rc == 0 && log_level_from(span_of(words[i]), &level)) {
        log_set_level(level);
    }
    return rc;
}

/* As controller-runtime: any case, and a positive number is a degree of debugging. */
static int read_zap_level(const struct flagvalue *v)
{
    static const char *const words[] = { "error", "warn", "info", "debug", "panic", NULL };
    static const enum log_level levels[] = { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG, LOG_ERROR };
    size_t i = 0;

    if (v->text[0] >= '1' && v->text[0] <= '9' && v->text[strspn(v->text, "0123456789")] == '\0') {
        log_set_level(LOG_DEBUG);
        return 0;
    }
    while (words[i] != NULL && strcasecmp(v->text, words[i]) != 0) {
        i++;
    }
    if (words[i] == NULL) {
        return flagvalue_choice(v, words, &i);
    }
    log_set_level(levels[i]);
    return 0;
}

static int read_log_format(const struct flagvalue *v, bool is_zap)
{
    static const char *const words[] = { "json", "logfmt", "pretty", NULL };
    static const char *const zap_words[] = { "json", "console", NULL };
    enum log_format format = LOG_JSON;
    size_t i = 0;
    int rc = flagvalue_choice(v, is_zap ? zap_words : words, &i);

    if (rc == 0 && log_format_from(span_of(is_zap && i == 1 ? "pretty" : words[i]), &format)) {
        log_set_format(format);
    }
    return rc;
}

/* The first word is "no", the second "yes". */
static int read_word(const struct flagvalue *v, const char *no, const char *yes, bool *out)
{
    const char *const words[] = { no, yes, NULL };
    size_t i = 0;
    int rc = flagvalue_choice(v, words, &i);

    *out = i == 1;
    return rc;
}

static int read_url_style(const struct flagvalue *v, enum wire_style *out)
{
    static const char *const words[] = { "documented", "qualified", "shared", NULL };
    size_t i = 0;
    int rc = flagvalue_choice(v, words, &i);

    return rc != 0 || wire_style_from(span_of(words[i]), out) ? rc : EXIT_USAGE;
}

static int read_strategy(const struct flagvalue *v, const char **out)
{
    const char *words[16] = { NULL };
    size_t i = 0;

    while (i < COUNT(words) - 1 && strategies[i] != NULL) {
        words[i] = strategies[i]->name;
        i++;
    }
    int rc = flagvalue_choice(v, words, &i);
    *out = v->text;
    return rc;
}

static int read_output(const struct flagvalue *v, enum command command, enum output *out)
{
    static const char *const text[] = { "yaml", "json", "diff", "json-patch", NULL };
    static const enum output texts[] = { OUTPUT_YAML, OUTPUT_JSON, OUTPUT_DIFF, OUTPUT_JSON_PATCH };
    static const char *const table[] = { "table", "json", NULL };
    static const enum output tables[] = { OUTPUT_DEFAULT, OUTPUT_JSON };
    bool is_table = command == COMMAND_ALLOCATE;
    size_t i = 0;
    int rc = flagvalue_choice(v, is_table ? table : text, &i);

    *out = is_table ? tables[i] : texts[i];
    return rc;
}

static int read_zap_devel(const struct flagvalue *v)
{
    bool is_on = false;
    int rc = flagvalue_bool(v, &is_on);

    if (rc == 0 && is_on) {
        log_set_level(LOG_DEBUG);
        log_set_format(LOG_PRETTY);
    }
    return rc;
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

static int read_threads(struct options *o, const struct flagvalue *v)
{
    size_t n = 0;
    int rc = flagvalue_number(v, 1, 256, &n);

    o->threads = (unsigned)n;
    return rc;
}

/* What goes into rewritten URLs as it is. */
static int read_url_part(const struct flagvalue *v, const char **out)
{
    *out = v->text;
    return strpbrk(v->text, "&#\"\\ \t\r\n") == NULL
               ? 0
               : flagvalue_refuse(v, "a text that can stand in a URL (no blank, quote, & or #)");
}

static int apply_flag(struct options *o, const struct flag_row *row, const struct flagvalue *v)
{
    switch (row->id) {
    case FLAG_FILENAME:
        *vec_push(&o->filenames) = v->text;
        return 0;
    case FLAG_COLLECTORS:
        return read_collectors(o, v);
    case FLAG_ID_EXPR:
        return read_url_part(v, &o->collector_id_expr);
    case FLAG_SHARED_HOST:
        return read_url_part(v, &o->shared_host);
    case FLAG_STRATEGY:
        return read_strategy(v, &o->strategy);
    case FLAG_OUTPUT:
        return read_output(v, o->command, &o->output);
    case FLAG_TLS_SAN:
        return read_names(o, v);
    case FLAG_TLS_MIN:
        return read_word(v, "1.2", "1.3", &o->is_tls13);
    case FLAG_CH_VERSION:
        return read_word(v, "v1", "v0", &o->is_consistent_v0);
    case FLAG_REWRITE_STYLE:
        return read_word(v, "inline", "target-allocator", &o->is_block_style);
    case FLAG_URL_STYLE:
        return read_url_style(v, &o->url_style);
    case FLAG_LOG_LEVEL:
        return read_log_level(v);
    case FLAG_ZAP_LEVEL:
        return read_zap_level(v);
    case FLAG_LOG_FORMAT:
    case FLAG_ZAP_ENCODER:
        return read_log_format(v, row->id == FLAG_ZAP_ENCODER);
    case FLAG_TIMEOUT:
        return flagvalue_duration(v, &o->timeout_ms);
    case FLAG_SHUTDOWN_DELAY:
        return flagvalue_duration(v, &o->shutdown_delay_ms);
    case FLAG_THREADS:
        return read_threads(o, v);
    case FLAG_HTTPS:
        o->has_enable_https = true;
        return flagvalue_bool(v, &o->enable_https);
    case FLAG_PROMETHEUS_CR:
        o->has_enable_prometheus_cr = true;
        return flagvalue_bool(v, &o->enable_prometheus_cr);
    case FLAG_INSECURE_SECRETS:
        o->has_insecure_secrets = true;
        return flagvalue_bool(v, &o->insecure_secrets);
    case FLAG_ZAP_DEVEL:
        return read_zap_devel(v);
    default: {
        const char **field = text_field(o, row->id);
        if (field != NULL) {
            *field = v->text;
        }
        return 0;
    }
    }
}

static const struct flag_row *flag_row(const struct options *o, int id)
{
    for (size_t i = 0; i < N_FLAG_ROWS; i++) {
        if ((int)flag_rows[i].id == id && flag_is_of(&flag_rows[i], o->command)) {
            return &flag_rows[i];
        }
    }
    return NULL;
}

/* The flags of this command as getopt_long wants them: others are unknown. */
static void fill_long_options(const struct options *o, struct option *out)
{
    size_t n = 0;

    for (size_t i = 0; i < N_FLAG_ROWS; i++) {
        if (flag_is_of(&flag_rows[i], o->command)) {
            out[n++] = (struct option){ flag_rows[i].name, flag_rows[i].has_arg, NULL,
                                        (int)flag_rows[i].id };
        }
    }
    out[n] = (struct option){ NULL, 0, NULL, 0 };
}

/* What getopt refuses: 'at' is the word that is being read. */
static int fail_getopt(const struct options *o, int id, char **argv, int at, FILE *errout)
{
    const char *word = argv[optind - 1 > at ? optind - 1 : at];
    const struct flag_row *row = flag_row(o, optopt);

    if (id == ':') {
        return fail_value(o, span_of(argv[optind - 1]), "needs a value", errout);
    }
    return row != NULL && row->has_arg == no_argument
               ? fail_value(o, span_make(word, strcspn(word, "=")), "takes no value", errout)
               : fail_flag(o, word, errout);
}

static int take_flag(struct options *o, int id, char **argv, int at, FILE *errout)
{
    const struct flag_row *row = flag_row(o, id);

    if (id == '?' || id == ':') {
        return fail_getopt(o, id, argv, at, errout);
    }
    if (row == NULL) { /* -o of a command that has no --output */
        return fail_flag(o, argv[at], errout);
    }
    if (id == FLAG_HELP || id == FLAG_VERSION) {
        o->help_about = o->command;
        o->command = id == FLAG_HELP ? COMMAND_HELP : COMMAND_VERSION;
        return 0;
    }
    /* A flag whose value may be left out is a switch. */
    const struct flagvalue v = { command_rows[o->command].words, row->name,
                                 optarg == NULL ? "true" : optarg, errout };
    if (v.text[0] == '\0') {
        AUTO_STR flag = mem_printf("--%s", row->name);
        return fail_value(o, span_of(flag), "needs a value", errout);
    }
    return apply_flag(o, row, &v);
}

static int parse_flags(struct options *o, int argc, char **argv, FILE *errout)
{
    struct option long_options[N_FLAG_ROWS + 1];

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

/* Standard input can be read once. */
static size_t count_stdin(const struct options *o)
{
    size_t n = 0;

    vec_each(&o->filenames, name) {
        n += strcmp(*name, "-") == 0;
    }
    vec_each(&o->arguments, name) {
        n += strcmp(*name, "-") == 0;
    }
    return n;
}

static int check_combination(const struct options *o, FILE *errout)
{
    const struct command_row *row = &command_rows[o->command];
    const char *fault = row->find_missing == NULL ? NULL : row->find_missing(o);

    if (fault != NULL) {
        return fail_combination(o->command, fault, errout);
    }
    if (o->arguments.n > row->max_arguments) {
        return fail_argument(o->command, o->arguments.v[row->max_arguments], errout);
    }
    if (o->command == COMMAND_HELP || o->command == COMMAND_VERSION) {
        return 0; /* a flag: what stands before it does not matter */
    }
    if ((o->tls_cert_file == NULL) != (o->tls_key_file == NULL)) {
        fault = "--tls-cert-file and --tls-key-file go together";
    } else if (o->tls_cert_file != NULL && o->cert_dir != NULL) {
        fault = "--cert-dir and --tls-cert-file exclude each other";
    } else if (o->filenames.n > 0 && o->config_file != NULL) {
        fault = "-f and --config-file exclude each other";
    } else if (count_stdin(o) > 1) {
        fault = "'-' is there twice, but standard input can be read only once";
    }
    return fault == NULL ? 0 : fail_combination(o->command, fault, errout);
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

/* "help", "help rewrite", "help certs ca", "help certs", "--help". */
static int parse_help(struct options *o, int argc, char **argv, FILE *errout)
{
    o->command = COMMAND_HELP;
    o->help_about = COMMAND_HELP;
    if (argc < 2 || argv[1][0] == '-' || (argc == 2 && is_group(argv[1]))) {
        return 0;
    }
    int words = find_command(argc, argv, &o->help_about);
    if (words < 0) {
        return fail_command(argc, argv, errout);
    }
    return argc > words + 1 && argv[words + 1][0] != '-'
               ? fail_argument(COMMAND_HELP, argv[words + 1], errout)
               : 0;
}

static bool is_help_flag(int argc, char **argv)
{
    return argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0);
}

int options_parse(int argc, char **argv, struct options *out, FILE *errout)
{
    memset(out, 0, sizeof(*out));
    arena_init(&out->arena);
    collectorlist_init(&out->collectors);
    out->collector_id_expr = WIRE_DEFAULT_COLLECTOR_ID;
    out->timeout_ms = 30000;
    out->shutdown_delay_ms = -1;
    read_environment(out);

    int words = find_command(argc, argv, &out->command);
    if (words < 0) {
        return is_group(argv[1]) && is_help_flag(argc - 1, argv + 1)
                   ? parse_help(out, 1, argv, errout)
                   : fail_command(argc, argv, errout);
    }
    if (out->command == COMMAND_HELP || (words == 0 && is_help_flag(argc, argv))) {
        return parse_help(out, argc - words, argv + words, errout);
    }
    int rc = parse_flags(out, argc - words, argv + words, errout);
    if (rc == 0) {
        rc = check_combination(out, errout);
    }
    set_default_names(out);
    return rc;
}

void options_fini(struct options *o)
{
    vec_fini(&o->filenames);
    vec_fini(&o->arguments);
    collectorlist_fini(&o->collectors);
    vec_fini(&o->tls_names);
    arena_fini(&o->arena);
}
