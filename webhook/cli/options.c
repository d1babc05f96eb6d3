#include "webhook/cli/options.h"

#include "allocator/base/mem.h"
#include "allocator/base/terminal.h"
#include "allocator/codec/walk.h"
#include "allocator/kube/configplace.h"
#include "webhook/cli/commandtable.h"
#include "webhook/cli/filelist.h"
#include "webhook/cli/optiontable.h"

#include <getopt.h>
#include <stdlib.h>

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

    AUTO_STR hint = c->nearest == NULL ? NULL
                                       : mem_printf("; did you mean '%s%s'?",
                                                    c->prefix == NULL ? "" : c->prefix, c->nearest);

    terminal_line(errout, "otel-ta%s%s: %s '%.*s'%s%s%s", blank, command, c->what,
                  SPAN_ARG(c->word), c->rest == NULL ? "" : " ", c->rest == NULL ? "" : c->rest,
                  hint == NULL ? "" : hint);
    fprintf(errout, "Try 'otel-ta%s%s --help'.\n", blank, command);
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
 * words it has, 0 when there is none, -1 when the first word is not a command. */
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
    size_t len = strlen(word);

    for (size_t i = 0; i < N_COMMAND_ROWS; i++) {
        const char *words = command_rows[i].words;
        if (strncmp(words, word, len) == 0 && words[len] == ' ') {
            return true;
        }
    }
    return false;
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

static int fail_flag(struct options *o, const char *arg, FILE *errout)
{
    const char **known = arena_zalloc(&o->arena, (n_flag_rows + 1) * sizeof(*known));
    size_t n = 0, len = strcspn(arg, "=");
    struct complaint c = { .command = command_rows[o->command].words,
                           .what = "unknown flag",
                           .word = span_make(arg, len),
                           .prefix = "--" };

    for (size_t i = 0; i < n_flag_rows; i++) {
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

/* A flag without a letter is its place in the table to getopt_long(). */
enum { FIRST_ID = 256 };

static const struct flag_row *flag_row(const struct options *o, int id)
{
    for (size_t i = 0; i < n_flag_rows; i++) {
        const struct flag_row *row = &flag_rows[i];
        if (flag_is_of(row, o->command) &&
            (FIRST_ID + (int)i == id || (id != 0 && row->letter == id))) {
            return row;
        }
    }
    return NULL;
}

static int has_arg(const struct flag_row *row)
{
    return row->read == NULL     ? no_argument
           : flag_is_switch(row) ? optional_argument
                                 : required_argument;
}

/* The flags of this command as getopt_long wants them: others are unknown. */
static struct option *long_options(struct options *o)
{
    struct option *out = arena_zalloc(&o->arena, (n_flag_rows + 1) * sizeof(*out));
    size_t n = 0;

    for (size_t i = 0; i < n_flag_rows; i++) {
        if (flag_is_of(&flag_rows[i], o->command)) {
            out[n++] = (struct option){ flag_rows[i].name, has_arg(&flag_rows[i]), NULL,
                                        FIRST_ID + (int)i };
        }
    }
    return out;
}

static const char *short_options(struct options *o)
{
    char *out = arena_zalloc(&o->arena, 2 * n_flag_rows + 2);
    size_t n = 0;

    out[n++] = ':'; /* a value that is missing is told apart */
    for (size_t i = 0; i < n_flag_rows; i++) {
        if (flag_is_of(&flag_rows[i], o->command) && flag_rows[i].letter != '\0') {
            out[n++] = flag_rows[i].letter;
            if (has_arg(&flag_rows[i]) == required_argument) {
                out[n++] = ':';
            }
        }
    }
    return out;
}

/* What getopt refuses: 'at' is the word that is being read. */
static int fail_getopt(struct options *o, int id, char **argv, int at, FILE *errout)
{
    const char *word = argv[optind - 1 > at ? optind - 1 : at];
    const struct flag_row *row = flag_row(o, optopt);

    if (id == ':') {
        return fail_value(o, span_of(argv[optind - 1]), "needs a value", errout);
    }
    return row != NULL && has_arg(row) == no_argument
               ? fail_value(o, span_make(word, strcspn(word, "=")), "takes no value", errout)
               : fail_flag(o, word, errout);
}

static int read_value(struct options *o, const struct flag_row *row, const char *text, FILE *errout)
{
    const struct flagvalue v = { row, command_rows[o->command].words, text, &o->arena, errout };
    return row->read(&v, (char *)o + row->field);
}

static int read_flag(struct options *o, const struct flag_row *row, const char *text, FILE *errout)
{
    if (text[0] == '\0') {
        AUTO_STR flag = mem_printf("--%s", row->name);
        return fail_value(o, span_of(flag), "needs a value", errout);
    }
    return read_value(o, row, text, errout);
}

/* What getopt has read. A switch without a value is turned on; '-o=json' is what kubectl takes for
 * '-ojson'. */
static const char *value_of(int id, char **argv)
{
    bool is_attached = id < FIRST_ID && optarg != NULL && optarg != argv[optind - 1];

    return optarg == NULL ? "true" : is_attached && optarg[0] == '=' ? optarg + 1 : optarg;
}

static int parse_flags(struct options *o, int argc, char **argv, FILE *errout)
{
    const struct option *longs = long_options(o);
    const char *shorts = short_options(o);
    int rc = 0;

    opterr = 0;
    optind = 0; /* glibc: start anew */
    while (rc == 0) {
        int at = optind == 0 ? 1 : optind;
        /* NOLINTNEXTLINE(concurrency-mt-unsafe): before there are other threads */
        int id = getopt_long(argc, argv, shorts, longs, NULL);
        if (id == -1) {
            break;
        }
        const struct flag_row *row = id == '?' || id == ':' ? NULL : flag_row(o, id);
        if (row == NULL) {
            return fail_getopt(o, id, argv, at, errout);
        }
        if (row->read == NULL) {
            o->help_about = o->command;
            o->command = row->stands_for;
            return 0;
        }
        rc = read_flag(o, row, value_of(id, argv), errout);
    }
    bool are_files = command_rows[o->command].takes_files;
    for (int i = optind; rc == 0 && i < argc; i++) {
        *vec_push(are_files ? &o->filenames : &o->arguments) = argv[i];
    }
    return rc;
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
    if ((o->certs.cert_file == NULL) != (o->certs.key_file == NULL)) {
        fault = "--tls-cert-file and --tls-key-file go together";
    } else if (o->certs.cert_file != NULL && o->certs.dir != NULL) {
        fault = "--cert-dir and --tls-cert-file exclude each other";
    } else if (o->explain.summary.is_on && o->output == OUTPUT_JSON) {
        fault = "--summary and -o json exclude each other";
    } else if (o->filenames.n > 0 && o->config_file != NULL) {
        fault = "-f and --config-file exclude each other";
    } else if (count_stdin(o) > 1) {
        fault = "'-' is given twice, but standard input can be read only once";
    }
    return fault == NULL ? 0 : fail_combination(o->command, fault, errout);
}

/* Which files a command that takes some is about. */
static int find_files(struct options *o, FILE *errout)
{
    struct err err = { 0 };

    if (!command_rows[o->command].takes_files) {
        return 0;
    }
    if (o->filenames.n == 0 && o->config_file == NULL && filelist_has_stdin()) {
        *vec_push(&o->filenames) = "-";
    }
    if (filelist_expand(&o->filenames, o->is_recursive, &o->arena, &o->found, &err) < 0) {
        terminal_line(errout, "otel-ta: %s", err.text);
        return EXIT_CANNOT;
    }
    return 0;
}

static void set_default_names(struct options *o)
{
    const char *ns = o->collector_namespace == NULL ? "otel-ta" : o->collector_namespace;

    if (o->rewrite.shared_host.len == 0) {
        o->rewrite.shared_host = span_of(arena_printf(&o->arena, "otel-ta.%s.svc:80", ns));
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

/* Named, or around a process that discovers. What a file becomes elsewhere does not depend on where
 * it is looked at. */
static bool has_cluster(const struct options *o)
{
    struct kubeconfig_places places;

    kubeconfig_look_around(&places);
    return o->watcher.kubeconfig != NULL ||
           ((o->command == COMMAND_SERVE || o->command == COMMAND_CHECK_SD) &&
            kubeconfig_is_in_pod(&places));
}

/* What one household says and another needs, too. */
static void share(struct options *o)
{
    o->certs.names = o->tls_names.v;
    o->certs.n_names = o->tls_names.n;
    o->tenants.collectors = &o->collectors.list;
    o->tenants.collector_count = o->collectors.count;
    o->tenants.is_block_style = o->rewrite.is_block_style;
    o->tenants.advises = true;
    bool is_webhook_alone = o->command == COMMAND_SERVE && o->filenames.n == 0;
    bool leaves_files = o->file_jobs.is_given ? o->file_jobs.value == 1 : is_webhook_alone;
    o->tenants.leaves_files = o->rewrite.takable.leaves_files = leaves_files;
    o->rewrite.takable.strategy = o->tenants.strategy;
    o->rewrite.takable.fallback = o->tenants.fallback;
    o->tenants.has_cluster = has_cluster(o);
    o->rewrite.takable.has_cluster = o->tenants.has_cluster && !is_webhook_alone;
    o->rewrite.takable.is_block_style = o->rewrite.is_block_style;
}

/* As upstream: a switch is turned on by the word "true", and by no other. */
static void read_environment(struct options *o, FILE *errout)
{
    for (size_t i = 0; i < n_flag_rows; i++) {
        const struct flag_row *row = &flag_rows[i];
        /* NOLINTNEXTLINE(concurrency-mt-unsafe): before there are other threads */
        const char *text = row->environment == NULL ? NULL : getenv(row->environment);
        if (text != NULL && (!flag_is_switch(row) || strcmp(text, "true") == 0)) {
            (void)read_value(o, row, text, errout);
        }
    }
}

/* "help", "help rewrite", "help certs ca", "help certs", "--help". */
static int parse_help(struct options *o, int argc, char **argv, FILE *errout)
{
    o->command = COMMAND_HELP;
    o->help_about = COMMAND_HELP;
    if (argc < 2 || argv[1][0] == '-') {
        return 0;
    }
    if (is_group(argv[1]) && (argc == 2 || argv[2][0] == '-')) {
        o->help_group = argv[1];
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
    collectorlist_init(&out->collectors.list);
    out->rewrite.collector_id_expr = SPAN_LIT(WIRE_DEFAULT_COLLECTOR_ID);
    out->timeout_ms = 30000;
    out->tenants.strategy = SPAN_LIT("");
    out->tenants.fallback = SPAN_LIT("");
    out->serve.shutdown_delay_ms = -1;
    read_environment(out, errout);

    int words = find_command(argc, argv, &out->command);
    if (words < 0) {
        return is_group(argv[1]) && is_help_flag(argc - 1, argv + 1)
                   ? parse_help(out, argc, argv, errout)
                   : fail_command(argc, argv, errout);
    }
    out->is_implicit = words == 0;
    if (out->command == COMMAND_HELP || (words == 0 && is_help_flag(argc, argv))) {
        return parse_help(out, argc - words, argv + words, errout);
    }
    int rc = parse_flags(out, argc - words, argv + words, errout);
    if (rc == 0) {
        rc = find_files(out, errout);
    }
    if (rc == 0) {
        rc = check_combination(out, errout);
    }
    set_default_names(out);
    share(out);
    return rc;
}

void options_fini(struct options *o)
{
    vec_fini(&o->filenames);
    vec_fini(&o->found);
    vec_fini(&o->arguments);
    collectorlist_fini(&o->collectors.list);
    vec_fini(&o->tls_names);
    arena_fini(&o->arena);
}
