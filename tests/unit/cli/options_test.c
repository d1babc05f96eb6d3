#include "webhook/cli/options.h"

#include "allocator/base/buf.h"
#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "tests/check.h"
#include "webhook/cli/commandtable.h"
#include "webhook/cli/optiontable.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_WORDS = 16 };

/* One command line, taken apart at its blanks ("" is a word of nothing), and what came of it. */
struct line {
    char *words;
    char *argv[MAX_WORDS + 1];
    struct options o;
    int code;
    char *errors;
    size_t n_errors;
};

static void open_line(struct line *l, const char *text)
{
    int argc = 1;

    *l = (struct line){ .words = mem_strdup(text), .argv = { (char *)(uintptr_t) "otel-ta" } };
    for (char *state = NULL, *word = strtok_r(l->words, " ", &state);
         word != NULL && argc < MAX_WORDS; word = strtok_r(NULL, " ", &state)) {
        l->argv[argc++] = strcmp(word, "\"\"") == 0 ? (char *)(uintptr_t) "" : word;
    }
    FILE *errout = open_memstream(&l->errors, &l->n_errors);
    l->code = options_parse(argc, l->argv, &l->o, errout);
    fclose(errout);
}

static void close_line(struct line *l)
{
    options_fini(&l->o);
    free(l->errors);
    mem_free(l->words);
}

/* ---- what is not as it is without flags */

static void show_text(struct buf *out, const char *name, const char *text)
{
    if (text != NULL) {
        buf_addf(out, " %s=%s", name, text);
    }
}

static void show_texts(struct buf *out, const char *name, const flag_texts *texts)
{
    for (size_t i = 0; i < texts->n; i++) {
        buf_addf(out, "%s%s", i > 0 ? "," : "", i > 0 ? "" : name);
        buf_addf(out, "%s%s", i > 0 ? "" : "=", texts->v[i]);
    }
}

static void show_number(struct buf *out, const char *name, int64_t n, int64_t otherwise)
{
    if (n != otherwise) {
        buf_addf(out, " %s=%lld", name, (long long)n);
    }
}

static void show_switch(struct buf *out, const char *name, const struct flag_switch *s)
{
    if (s->is_given) {
        buf_addf(out, " %s=%s", name, s->is_on ? "on" : "off");
    }
}

static void show_serving(const struct options *o, struct buf *out)
{
    show_text(out, "listen", o->serve.listen);
    show_text(out, "webhook_listen", o->serve.webhook_listen);
    show_text(out, "cert_dir", o->certs.dir);
    show_text(out, "tls_cert_file", o->certs.cert_file);
    show_text(out, "tls_key_file", o->certs.key_file);
    show_text(out, "webhook_client_ca", o->certs.client_ca_file);
    show_number(out, "tls13", o->serve.is_tls13, 0);
    show_number(out, "shutdown_delay", o->serve.shutdown_delay_ms, -1);
    show_number(out, "threads", o->serve.threads, 0);
    show_number(out, "memory_limit", (int64_t)o->serve.memory_limit, 0);
    show_text(out, "kubeconfig", o->watcher.kubeconfig);
    show_text(out, "https_listen", o->serve.https_listen);
    show_text(out, "https_ca_file", o->serve.https_ca_file);
    show_text(out, "https_cert_file", o->serve.https_cert_file);
    show_text(out, "https_key_file", o->serve.https_key_file);
    show_switch(out, "https", &o->serve.enable_https);
    show_switch(out, "prometheus_cr", &o->serve.enable_prometheus_cr);
    show_switch(out, "secrets", &o->serve.insecure_secrets);
    if (strcmp(o->tls_names.v[0], "otel-ta.otel-ta.svc") != 0) {
        show_texts(out, " names", &o->tls_names);
    }
}

static void show(const struct options *o, struct buf *out)
{
    show_texts(out, " f", &o->filenames);
    show_texts(out, " arguments", &o->arguments);
    for (size_t i = 0; i < o->collectors.list.n; i++) {
        buf_addf(out, " collector=%.*s@%.*s", SPAN_ARG(o->collectors.list.v[i].name),
                 SPAN_ARG(o->collectors.list.v[i].node));
    }
    show_number(out, "collectors", (int64_t)o->collectors.count, 0);
    show_text(out, "config_file", o->config_file);
    show_serving(o, out);
    show_text(out, "strategy", o->tenants.strategy.len == 0 ? NULL : o->tenants.strategy.p);
    show_number(out, "v0", o->tenants.is_v0, 0);
    if (!span_is(o->rewrite.collector_id_expr, "${POD_NAME}")) {
        show_text(out, "id", o->rewrite.collector_id_expr.p);
    }
    if (!span_is(o->rewrite.shared_host, "otel-ta.otel-ta.svc:80")) {
        show_text(out, "shared_host", o->rewrite.shared_host.p);
    }
    show_number(out, "url_style", o->rewrite.style, WIRE_DOCUMENTED);
    show_number(out, "block", o->rewrite.is_block_style, 0);
    show_number(out, "output", o->output, OUTPUT_DEFAULT);
    show_text(out, "job", o->explain.job);
    show_text(out, "target", o->explain.target);
    show_switch(out, "summary", &o->explain.summary);
    show_switch(out, "dropped", &o->explain.dropped);
    show_switch(out, "show_defaults", &o->explain.show_defaults);
    show_number(out, "timeout", o->timeout_ms, 30000);
    show_number(out, "level", o->log.level.is_given ? (int)o->log.level.value : -1, -1);
    show_number(out, "format", o->log.format.is_given ? (int)o->log.format.value : -1, -1);
}

/* ---- flags that are right */

static void test_values(void)
{
    static const struct {
        const char *words, *want;
    } t[] = {
        { "", "" },
        { "serve", "" },
        { "serve -f a -fb --filename=c --filename d", " f=a,b,c,d" },
        { "serve --collectors a,b@n", " collector=a@ collector=b@n" },
        { "serve --collectors a,b --collectors 3", " collectors=3" },
        { "serve --collectors 3 --collectors c", " collector=c@" },
        { "serve --collectors 65534", " collectors=65534" },
        { "serve --config-file c", " config_file=c" },
        { "allocate --config-file c", " config_file=c" },
        { "--listen :1", " listen=:1" },
        { "serve --listen-addr=:2", " listen=:2" },
        { "serve --listen :1 --listen :2", " listen=:2" },
        { "serve --thr 3", " threads=3" },
        { "serve --memory-limit 3GiB", " memory_limit=3221225472" },
        { "serve --memory-limit=64Mi", " memory_limit=67108864" },
        { "serve --webhook-listen off", " webhook_listen=off" },
        { "serve --cert-dir d", " cert_dir=d" },
        { "certs ca --cert-dir d", " cert_dir=d" },
        { "certs show --tls-cert-file c --tls-key-file k", " tls_cert_file=c tls_key_file=k" },
        { "serve --tls-san a,,b --tls-san c,", " names=a,b,c" },
        { "serve --tls-min-version 1.3", " tls13=1" },
        { "serve --tls-min-version 1.3 --tls-min-version 1.2", "" },
        { "serve --webhook-client-ca ca", " webhook_client_ca=ca" },
        { "serve --strategy per-node", " strategy=per-node" },
        { "serve --consistent-hashing-version v0", " v0=1" },
        { "serve --consistent-hashing-version v1", "" },
        { "serve --collector-id-expr $X", " id=$X" },
        { "serve --url-style shared", " url_style=2" },
        { "serve --url-style qualified", " url_style=1" },
        { "serve --url-style documented", "" },
        { "serve --shared-host h:1", " shared_host=h:1" },
        { "serve --rewrite-style target-allocator", " block=1" },
        { "serve --rewrite-style inline", "" },
        { "rewrite -f a -o yaml", " f=a output=1" },
        { "rewrite -f a -ojson", " f=a output=2" },
        { "rewrite -f a -o=json", " f=a output=2" },
        { "rewrite -f a --output diff", " f=a output=3" },
        { "restore -f a -o json-patch", " f=a output=4" },
        { "allocate -f a -o json", " f=a output=2" },
        { "allocate -f a -o json -o table", " f=a" },
        { "explain -f a --job j --target t:1", " f=a job=j target=t:1" },
        { "explain -f a --summary --dropped --show-defaults=false",
          " f=a summary=on dropped=on show_defaults=off" },
        { "check service-discovery f j --timeout 1m30s", " arguments=f,j timeout=90000" },
        { "check config a b c", " arguments=a,b,c" },
        { "check config a -- -b", " arguments=a,-b" },
        { "serve --shutdown-delay 0s", " shutdown_delay=0" },
        { "serve --threads 256", " threads=256" },
        { "serve --enable-https-server", " https=on" },
        { "serve --enable-https-server=false", " https=off" },
        { "serve --enable-https-server=1 --enable-https-server=0", " https=off" },
        { "serve --listen-addr-https :3 --https-ca-file a --https-tls-cert-file c "
          "--https-tls-key-file k",
          " https_listen=:3 https_ca_file=a https_cert_file=c https_key_file=k" },
        { "serve --allow-insecure-auth-secrets", " secrets=on" },
        { "serve --enable-prometheus-cr-watcher=true", " prometheus_cr=on" },
        { "serve --kubeconfig-path k", " kubeconfig=k" },
        { "serve --log-level error --log-format logfmt", " level=0 format=1" },
        { "rewrite -f a --log-level debug --log-format json", " f=a level=3 format=0" },
        { "serve --zap-log-level PANIC", " level=0" },
        { "serve --zap-log-level Warn", " level=1" },
        { "serve --zap-log-level 7", " level=3" },
        { "serve --zap-encoder console", " format=2" },
        { "serve --zap-encoder json", " format=0" },
        { "serve --zap-devel", " level=3 format=2" },
        { "serve --zap-devel=false", "" },
        { "serve --zap-stacktrace-level x --zap-time-encoding y", "" },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        struct line l;
        AUTO_BUF got;
        buf_init(&got, MIB);
        open_line(&l, t[i].words);
        is_int(l.code, EXIT_OK, "'%s' is fine", t[i].words);
        is_str(l.errors, "", "'%s': no fault", t[i].words);
        show(&l.o, &got);
        is_span(buf_span(&got), span_of(t[i].want), "'%s'", t[i].words);
        close_line(&l);
    }
}

static void test_commands(void)
{
    static const struct {
        const char *words;
        enum command command, about;
    } t[] = {
        { "", COMMAND_SERVE, 0 },
        { "check config f", COMMAND_CHECK_CONFIG, 0 },
        { "version", COMMAND_VERSION, 0 },
        { "--version", COMMAND_VERSION, 0 },
        { "serve --version", COMMAND_VERSION, 0 },
        { "help", COMMAND_HELP, COMMAND_HELP },
        { "-h", COMMAND_HELP, COMMAND_HELP },
        { "--help", COMMAND_HELP, COMMAND_HELP },
        { "help --help", COMMAND_HELP, COMMAND_HELP },
        { "help certs", COMMAND_HELP, COMMAND_HELP },
        { "certs --help", COMMAND_HELP, COMMAND_HELP },
        { "check -h", COMMAND_HELP, COMMAND_HELP },
        { "help certs rotate", COMMAND_HELP, COMMAND_CERTS_ROTATE },
        { "certs rotate --help", COMMAND_HELP, COMMAND_CERTS_ROTATE },
        { "rewrite -h", COMMAND_HELP, COMMAND_REWRITE },
        { "rewrite -f a --help --unknown", COMMAND_HELP, COMMAND_REWRITE },
        { "serve --tls-cert-file c --help", COMMAND_HELP, COMMAND_SERVE },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        struct line l;
        open_line(&l, t[i].words);
        is_int(l.code, EXIT_OK, "'%s' is fine: %s", t[i].words, l.errors);
        is_int(l.o.command, t[i].command, "'%s': the command", t[i].words);
        if (t[i].command == COMMAND_HELP) {
            is_int(l.o.help_about, t[i].about, "'%s': help about this", t[i].words);
        }
        close_line(&l);
    }
}

/* ---- and wrong */

static void test_refusals(void)
{
    static const struct {
        const char *words, *want; /* the beginning of what is said */
    } t[] = {
        { "serv", "otel-ta: unknown command 'serv'; did you mean 'serve'?\n"
                  "Try 'otel-ta --help'.\n" },
        { "xyz", "otel-ta: unknown command 'xyz'\n" },
        { "rewrite", "otel-ta rewrite: give at least one FILE or -f FILE ('-' is standard input)\n"
                     "Try 'otel-ta rewrite --help'.\n" },
        { "alocate f", "otel-ta: unknown command 'alocate f'; did you mean 'allocate'?\n" },
        { "cert ca", "otel-ta: unknown command 'cert ca'; did you mean 'certs ca'?\n" },
        { "check", "otel-ta: 'check' needs one of: 'check config' 'check service-discovery'\n" },
        { "check --timeout", "otel-ta: 'check' needs one of:" },
        { "check zzzzz", "otel-ta: 'check' needs one of:" },
        { "check confg", "otel-ta: unknown command 'check confg'; did you mean 'check config'?" },
        { "help xyz", "otel-ta: unknown command 'xyz'\n" },
        { "help serve x", "otel-ta help: unexpected argument 'x'\n" },
        { "serve --colectors 3",
          "otel-ta serve: unknown flag '--colectors'; did you mean '--collectors'?\n" },
        { "serve --nothing=like", "otel-ta serve: unknown flag '--nothing'\n" },
        { "serve -x", "otel-ta serve: unknown flag '-x'\n" },
        { "serve --=x", "otel-ta serve: unknown flag '--'\n" },
        { "serve --c", "otel-ta serve: unknown flag '--c'\n" },
        { "serve -o json", "otel-ta serve: unknown flag '-o'\n" },
        { "restore -f a -x json", "otel-ta restore: unknown flag '-x'\n" },
        { "rewrite -f", "otel-ta rewrite: flag '-f' needs a value\n" },
        { "rewrite --filename", "otel-ta rewrite: flag '--filename' needs a value\n" },
        { "rewrite --filename=", "otel-ta rewrite: flag '--filename' needs a value\n" },
        { "rewrite -f \"\"", "otel-ta rewrite: flag '--filename' needs a value\n" },
        { "serve --help=1", "otel-ta serve: flag '--help' takes no value\n" },
        { "version --version=1", "otel-ta version: flag '--version' takes no value\n" },
        { "serve x", "otel-ta serve: unexpected argument 'x'\n" },
        { "check service-discovery f", "otel-ta check service-discovery: give FILE and JOB\n" },
        { "check service-discovery f j k",
          "otel-ta check service-discovery: unexpected argument 'k'\n" },
        { "check config", "otel-ta check config: give at least one FILE\n" },
        { "explain", "otel-ta explain: give at least one FILE or -f FILE, or --config-file\n" },
        { "certs ca", "otel-ta certs ca: give --cert-dir DIR (or --tls-cert-file and" },
        { "serve --tls-cert-file c",
          "otel-ta serve: --tls-cert-file and --tls-key-file go together" },
        { "serve --tls-cert-file c --tls-key-file k --cert-dir d",
          "otel-ta serve: --cert-dir and --tls-cert-file exclude each other\n" },
        { "explain -f a --config-file c",
          "otel-ta explain: -f and --config-file exclude each other\n" },
        { "rewrite -f - -f -", "otel-ta rewrite: '-' is given twice" },
        { "check config - -", "otel-ta check config: '-' is given twice" },
        { "rewrite -f - -f a -f -", "otel-ta rewrite: '-' is given twice" },
        { "serve --collectors 0",
          "otel-ta serve: --collectors: '0' is not a number from 1 to 65534\n" },
        { "serve --collectors a,a",
          "otel-ta serve: --collectors: 'a,a' is not a list of different names" },
        { "serve --threads 0", "otel-ta serve: --threads: '0' is not a number from 1 to 256\n" },
        { "serve --threads 257", "otel-ta serve: --threads: '257' is not a number" },
        { "serve --threads +1", "otel-ta serve: --threads: '+1' is not a number" },
        { "serve --threads 1x", "otel-ta serve: --threads: '1x' is not a number" },
        { "serve --shutdown-delay 5",
          "otel-ta serve: --shutdown-delay: '5' is not a duration such as 30s\n" },
        { "serve --tls-san ,", "otel-ta serve: --tls-san: ',' is not a list of names\n" },
        { "serve --shared-host a&b", "otel-ta serve: --shared-host: 'a&b' is not a text that can" },
        { "serve --enable-https-server=yes",
          "otel-ta serve: --enable-https-server: 'yes' is not true or false\n" },
        { "serve --zap-devel=2", "otel-ta serve: --zap-devel: '2' is not true or false\n" },
        { "serve --zap-log-level 0", "otel-ta serve: --zap-log-level: '0' is not error, warn, " },
        { "serve --url-style shard",
          "otel-ta serve: --url-style: 'shard' is not documented, qualified or shared; did you "
          "mean 'shared'?\n" },
        { "serve --tls-min-version 1.1", "otel-ta serve: --tls-min-version: '1.1' is not 1.2 or" },
        { "version -o =json", "otel-ta version: --output: '=json' is not text or json" },
        { "rewrite -f a -o table", "otel-ta rewrite: --output: 'table' is not yaml, json, diff" },
        { "allocate -f a -o diff", "otel-ta allocate: --output: 'diff' is not table or json\n" },
        { "serve --strategy x", "otel-ta serve: --strategy: 'x' is not consistent-hashing, " },
        { "serve --log-format xml", "otel-ta serve: --log-format: 'xml' is not json, logfmt or" },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        struct line l;
        open_line(&l, t[i].words);
        is_int(l.code, EXIT_USAGE, "'%s' is refused", t[i].words);
        size_t len = strlen(t[i].want);
        is_span(span_make(l.errors, l.n_errors < len ? l.n_errors : len), span_of(t[i].want),
                "'%s': says why", t[i].words);
        close_line(&l);
    }
}

/* ---- the table */

/* Every flag is known to its commands, and to no other. */
static void test_owners(void)
{
    for (size_t i = 0; i < n_flag_rows; i++) {
        for (size_t c = 0; c < N_COMMAND_ROWS; c++) {
            struct line l;
            bool is_known = false;
            for (size_t k = 0; k < n_flag_rows; k++) {
                is_known |= strcmp(flag_rows[k].name, flag_rows[i].name) == 0 &&
                            flag_is_of(&flag_rows[k], (enum command)c);
            }
            if (flag_rows[i].commands == 0 || c == COMMAND_HELP) {
                continue;
            }
            AUTO_STR text = mem_printf("%s --%s=?", command_rows[c].words, flag_rows[i].name);
            open_line(&l, text);
            is_int(strstr(l.errors, "unknown flag") == NULL, is_known, "%s", text);
            close_line(&l);
        }
    }
}

/* What the help says can stand there can. */
static void test_words(void)
{
    for (size_t i = 0; i < n_flag_rows; i++) {
        const struct flag_row *row = &flag_rows[i];
        for (size_t k = 0; flagvalue_word_at(row, k) != NULL && row->help != NULL; k++) {
            const char *help =
                row->value != NULL && strchr(row->value, '|') != NULL ? row->value : row->help;
            ok(k < FLAG_WORDS_MAX, "--%s: the words have room", row->name);
            ok(strstr(help, flagvalue_word_at(row, k)) != NULL || strncmp(row->name, "zap", 3) == 0,
               "--%s: '%s' is in the help", row->name, flagvalue_word_at(row, k));
        }
    }
}

/* ---- environment */

static void test_environment(void)
{
    struct line l;

    setenv("OTELCOL_NAMESPACE", "space", 1);
    setenv("ALLOW_INSECURE_AUTH_SECRETS", "true", 1);
    open_line(&l, "serve");
    is_str(l.o.rewrite.shared_host.p, "otel-ta.space.svc:80", "the namespace is part of our name");
    is_str(l.o.tls_names.v[0], "otel-ta.space.svc", "and of the certificate's");
    ok(l.o.serve.insecure_secrets.is_given && l.o.serve.insecure_secrets.is_on,
       "secrets are allowed");
    close_line(&l);

    open_line(&l, "serve --allow-insecure-auth-secrets=false --shared-host h --tls-san n");
    ok(l.o.serve.insecure_secrets.is_given && !l.o.serve.insecure_secrets.is_on, "a flag wins");
    is_str(l.o.rewrite.shared_host.p, "h", "a flag wins over the name we would have");
    is_int(l.o.tls_names.n, 1, "and over those of the certificate");
    close_line(&l);

    setenv("ALLOW_INSECURE_AUTH_SECRETS", "1", 1);
    open_line(&l, "serve");
    ok(!l.o.serve.insecure_secrets.is_given, "only the word 'true' allows secrets");
    close_line(&l);
    unsetenv("OTELCOL_NAMESPACE");
    unsetenv("ALLOW_INSECURE_AUTH_SECRETS");
}

/* The help spells out words that another table has: all of them, the default one first. */
static void test_help_of_words(void)
{
    for (size_t i = 0; i < n_flag_rows; i++) {
        const struct flag_row *row = &flag_rows[i];
        AUTO_BUF words;
        buf_init(&words, KIB);
        for (size_t k = 0; row->word_at != NULL && row->word_at(k) != NULL; k++) {
            buf_addf(&words, "%s%s%s", k == 0 ? "" : ", ", row->word_at(k),
                     k == 0 ? " (default)" : "");
        }
        if (words.len > 0 && strcmp(row->name, "fallback-strategy") != 0) {
            ok(span_is(buf_span(&words), row->help), "--%s: %s", row->name, row->help);
        }
    }
}

int main(void)
{
    if (freopen("/dev/null", "r", stdin) == NULL) { /* a pipe would be a file to read */
        abort();
    }
    unsetenv("OTELCOL_NAMESPACE");
    unsetenv("ALLOW_INSECURE_AUTH_SECRETS");
    test_values();
    test_commands();
    test_refusals();
    test_owners();
    test_words();
    test_environment();
    test_help_of_words();
    return check_done();
}
