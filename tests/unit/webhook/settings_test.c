#include "webhook/settings.h"

#include "allocator/base/mem.h"
#include "tests/check.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_WORDS = 16 };

struct load {
    char *words;
    struct options o;
    struct settings s;
    struct configuration config;
    int code;
    char *errors;
    size_t n_errors;
};

static void open_load(struct load *l, const char *text)
{
    char *argv[MAX_WORDS + 1] = { (char *)(uintptr_t) "otel-ta" };
    int argc = 1;

    *l = (struct load){ .words = mem_strdup(text) };
    for (char *state = NULL, *word = strtok_r(l->words, " ", &state);
         word != NULL && argc < MAX_WORDS; word = strtok_r(NULL, " ", &state)) {
        argv[argc++] = word;
    }
    FILE *errout = open_memstream(&l->errors, &l->n_errors);
    is_int(options_parse(argc, argv, &l->o, errout), 0, "'%s' can be parsed", text);
    l->code = settings_load(&l->o, &l->s, &l->config, errout);
    fclose(errout);
}

static void close_load(struct load *l)
{
    configuration_fini(&l->config);
    settings_fini(&l->s);
    options_fini(&l->o);
    free(l->errors);
    mem_free(l->words);
}

static void put(const char *name, const char *text)
{
    FILE *f = fopen(name, "w");

    if (f == NULL || fputs(text, f) < 0 || fclose(f) != 0) {
        abort();
    }
}

static const char *shown(const char *text)
{
    return text == NULL ? "-" : text;
}

/* defaults < file < environment < flags */
static void test_merge(void)
{
    static const struct {
        const char *words;
        const char *want; /* mode listen webhook https secrets delay threads */
    } t[] = {
        { "serve", "0 :8080 :9443 - 0 15000 0" },
        { "serve --webhook-listen off --threads 3", "0 :8080 - - 0 15000 3" },
        { "serve -f cr.yaml", "1 :8080 :9443 - 0 0 0" },
        { "serve -f cr.yaml --shutdown-delay 2s --listen :1", "1 :1 :9443 - 0 2000 0" },
        { "serve --config-file plain.yaml --collectors a", "2 :8080 - - 0 15000 0" },
        { "serve --config-file plain.yaml --collectors a --webhook-listen :5",
          "2 :8080 :5 - 0 15000 0" },
        { "serve --config-file full.yaml --collectors a", "2 :81 - :82 1 15000 0" },
        { "serve --config-file full.yaml --collectors a --listen :1 --listen-addr-https :2",
          "2 :1 - :2 1 15000 0" },
        { "serve --config-file full.yaml --collectors a --enable-https-server=false "
          "--allow-insecure-auth-secrets=false",
          "2 :81 - - 0 15000 0" },
        { "serve --enable-https-server --https-ca-file a --https-tls-cert-file c "
          "--https-tls-key-file k",
          "0 :8080 :9443 :8443 0 15000 0" },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        struct load l;
        open_load(&l, t[i].words);
        is_int(l.code, EXIT_OK, "'%s': settings (%s)", t[i].words, l.errors);
        AUTO_STR got = mem_printf("%d %s %s %s %d %d %u", (int)l.s.mode, l.s.listen,
                                  shown(l.s.webhook_listen), shown(l.s.https_listen),
                                  l.s.secrets_over_http, (int)l.s.shutdown_delay_ms, l.s.threads);
        is_str(got, t[i].want, "'%s'", t[i].words);
        close_load(&l);
    }
}

static void test_file(void)
{
    struct load l;

    open_load(&l, "serve --config-file full.yaml --collectors a --https-ca-file mine");
    is_str(l.s.https_certs.client_ca_file, "mine", "a flag wins over the file");
    is_str(l.s.https_certs.cert_file, "crt", "what no flag says is the file's");
    is_str(l.s.https_certs.key_file, "key", "that too");
    is_int(l.config.watched.n, 1, "one file is watched");
    is_str(l.config.watched.v[0], "full.yaml", "this one");
    close_load(&l);
    open_load(&l, "serve -f cr.yaml -f -");
    is_int(l.config.watched.n, 1, "standard input is not watched");
    is_span(buf_span(&l.s.standard_input), SPAN_LIT("from a pipe"), "but kept");
    close_load(&l);
}

#define SELECTOR(value) "collector_selector: {matchlabels: {a: " value "}, matchexpressions: []}\n"

/* Who the collectors are in drop-in mode. */
static void test_pods(void)
{
    static const struct {
        const char *yaml, *words;
        const char
            *want; /* are_followed namespace selector grace cluster; else a part of the fault */
        int code;
    } t[] = {
        { "collector_namespace: n\n" SELECTOR("b"), " --kubeconfig kc", "1 n a=b 30000 kc", 0 },
        { "collector_namespace: n\ncollector_not_ready_grace_period: 1m\n" SELECTOR("b"),
          " --kubeconfig-path kc", "1 n a=b 60000 kc", 0 },
        { "kube_config_file_path: kc\ncollector_namespace: n\ncollector_selector: {}\n", "",
          "1 n  30000 kc", 0 },
        { "kube_config_file_path: kc\ncollector_namespace: n\n" SELECTOR("b"),
          " --kubeconfig other", "1 n a=b 30000 other", 0 },
        { "kube_config_file_path: kc\n" SELECTOR("b"), " --collectors x", "0  a=b 30000 kc", 0 },
        { "kube_config_file_path: gone\n" SELECTOR("b"), " --collectors x", "0  a=b 30000 -", 0 },
        { "kube_config_file_path: gone\n" SELECTOR("b"), "",
          "finding collector pods needs a cluster", EXIT_FAULTS },
        { "collector_namespace: n\n", " --kubeconfig kc", "0 n  30000 kc", 0 },
        { SELECTOR("b"), " --kubeconfig kc", "collector namespace must be set", EXIT_FAULTS },
        { SELECTOR("'b,c'"), " --kubeconfig kc", "\"b,c\" is not a valid label value",
          EXIT_FAULTS },
        { SELECTOR("b"), " --kubeconfig plugin",
          "plugin: its user is let in by the program 'aws', and serve runs no programs",
          EXIT_FAULTS },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        AUTO_STR text = mem_printf("%sconfig: {scrape_configs: [{job_name: j}]}\n", t[i].yaml);
        AUTO_STR words = mem_printf("serve --config-file pods.yaml%s", t[i].words);
        struct load l;
        put("pods.yaml", text);
        open_load(&l, words);
        is_int(l.code, t[i].code, "row %zu: %s", i, l.errors);
        if (l.code == EXIT_OK) {
            AUTO_STR got = mem_printf("%d %s %s %d %s", l.s.pods.are_followed, l.s.pods.namespace,
                                      l.s.pods.selector, (int)l.s.pods.grace_ms,
                                      shown(l.s.watcher.kubeconfig));
            is_str(got, t[i].want, "row %zu", i);
        } else {
            ok(strstr(l.errors, t[i].want) != NULL, "row %zu says '%s': %s", i, t[i].want,
               l.errors);
        }
        close_load(&l);
    }
}

static void test_refusals(void)
{
    static const struct {
        const char *words;
        int code;
        const char *want;
    } t[] = {
        { "serve --enable-prometheus-cr-watcher", EXIT_USAGE,
          "otel-ta serve: --enable-prometheus-cr-watcher needs the Kubernetes client" },
        { "serve --enable-https-server --https-ca-file a", EXIT_USAGE,
          "otel-ta serve: the HTTPS listener needs --https-ca-file, --https-tls-cert-file and" },
        { "serve --enable-https-server --https-ca-file a --https-tls-cert-file c", EXIT_USAGE,
          "otel-ta serve: the HTTPS listener needs " },
        { "serve --enable-https-server --https-ca-file a --https-tls-key-file k", EXIT_USAGE,
          "otel-ta serve: the HTTPS listener needs " },
        { "serve --enable-https-server --https-tls-cert-file c --https-tls-key-file k", EXIT_USAGE,
          "otel-ta serve: the HTTPS listener needs " },
        { "serve -f - -f gone.yaml", EXIT_CANNOT, "otel-ta: gone.yaml: " },
        { "serve --config-file gone.yaml", EXIT_CANNOT, "otel-ta: gone.yaml: " },
        { "serve --config-file torn.yaml", EXIT_FAULTS, "torn.yaml" },
        { "serve --config-file wrong.yaml", EXIT_FAULTS, "wrong.yaml:1: " },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        struct load l;
        open_load(&l, t[i].words);
        is_int(l.code, t[i].code, "'%s' is refused", t[i].words);
        ok(strncmp(l.errors, t[i].want, strlen(t[i].want)) == 0, "'%s': says '%s': %s", t[i].words,
           t[i].want, l.errors);
        close_load(&l);
    }
}

/* ---- what a reload cannot change */

/* What is logged when the file says 'text' now; the caller's. */
static char *warning_of(const struct settings *s, const char *text)
{
    FILE *said = tmpfile();
    int kept = dup(STDERR_FILENO);
    char *line = mem_zalloc(4096);
    struct configuration now;

    put("changed.yaml", text);
    configuration_init(&now);
    configuration_read(&now, &s->files, true);
    if (said == NULL || kept < 0 || now.n_unreadable > 0 || !configuration_parse(&now) ||
        dup2(fileno(said), STDERR_FILENO) < 0) {
        abort();
    }
    settings_warn_restart(s, &now);
    dup2(kept, STDERR_FILENO);
    close(kept);
    rewind(said);
    line[fread(line, 1, 4095, said)] = '\0';
    fclose(said);
    configuration_fini(&now);
    return line;
}

#define JOBS "config: {scrape_configs: [{job_name: j}]}\n"
#define HTTPS(listen, ca, crt, key)                                                                \
    "https: {enabled: true, listen_addr: '" listen "', ca_file_path: " ca                          \
    ", tls_cert_file_path: " crt ", tls_key_file_path: " key "}\n" JOBS
#define PODS(ns, value) "collector_namespace: " ns "\n" SELECTOR(value)
#define USUAL HTTPS(":82", "ca", "crt", "key")

static void test_restart(void)
{
    static const struct {
        const char *words, *before, *now;
        const char *want; /* the names, or NULL: nothing to warn of */
    } t[] = {
        { "", USUAL, USUAL, NULL },
        { "", USUAL, "listen_addr: ':83'\n" USUAL, "listen_addr" },
        { "", USUAL, HTTPS(":84", "ca", "crt", "key"), "https.listen_addr" },
        { "", USUAL, HTTPS(":82", "cb", "crt", "key"), "https.ca_file_path" },
        { "", USUAL, HTTPS(":82", "ca", "cru", "key"), "https.tls_cert_file_path" },
        { "", USUAL, HTTPS(":82", "ca", "crt", "kez"), "https.tls_key_file_path" },
        { "", USUAL, JOBS, "https.enabled" },
        { "", JOBS, USUAL, "https.enabled" },
        { "", JOBS, JOBS, NULL },
        { "", JOBS, "allow_insecure_auth_secrets: true\n" JOBS, "allow_insecure_auth_secrets" },
        { "", USUAL, "listen_addr: ':83'\n" HTTPS(":84", "ca", "crt", "key"),
          "listen_addr, https.listen_addr" },
        { "", PODS("n", "b") JOBS, PODS("n", "b") JOBS, NULL },
        { "", PODS("n", "b") JOBS, "collector_not_ready_grace_period: 1s\n" PODS("m", "c") JOBS,
          "collector_selector, collector_namespace, collector_not_ready_grace_period" },
        { "", PODS("n", "b") JOBS, "collector_namespace: n\n" JOBS, "collector_selector" },
        /* A flag wins before and after. */
        { " --listen :1", USUAL, "listen_addr: ':83'\n" USUAL, NULL },
        { " --enable-https-server=false", USUAL, JOBS, NULL },
        { " --https-ca-file mine", USUAL, HTTPS(":82", "cb", "crt", "key"), NULL },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        bool has_pods = strstr(t[i].before, "collector_selector") != NULL;
        AUTO_STR words = mem_printf("serve --config-file changed.yaml %s%s",
                                    has_pods ? "--kubeconfig kc" : "--collectors a", t[i].words);
        struct load l;
        put("changed.yaml", t[i].before);
        open_load(&l, words);
        is_int(l.code, EXIT_OK, "settings to change %s", l.errors);
        AUTO_STR said = warning_of(&l.s, t[i].now);
        AUTO_STR want =
            t[i].want == NULL ? mem_strdup("") : mem_printf("\"settings\":\"%s\"", t[i].want);
        ok(t[i].want == NULL ? said[0] == '\0' : strstr(said, want) != NULL,
           "row %zu: a restart is needed for: %s", i, shown(t[i].want));
        close_load(&l);
    }
}

#define KUBECONFIG(user)                                                                           \
    "current-context: c\ncontexts: [{name: c, context: {cluster: k, user: u}}]\n"                  \
    "clusters: [{name: k, cluster: {server: 'https://127.0.0.1:1'}}]\n"                            \
    "users: [{name: u, user: {" user "}}]\n"

/* What 'test_file' finds on standard input. */
static void fill_standard_input(void)
{
    int ends[2];

    if (pipe(ends) != 0 || write(ends[1], "from a pipe", 11) != 11 ||
        dup2(ends[0], STDIN_FILENO) != STDIN_FILENO) {
        abort();
    }
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
    AUTO_STR dir = check_folder("settings");

    if (chdir(dir) != 0) {
        abort();
    }
    put("cr.yaml",
        "apiVersion: opentelemetry.io/v1beta1\nkind: OpenTelemetryCollector\nmetadata: {name: a}\n"
        "spec: {mode: statefulset, targetAllocator: {enabled: true}, config: {receivers: {otlp: "
        "{}}}}\n");
    put("plain.yaml", "config: {scrape_configs: [{job_name: j}]}\n");
    put("full.yaml", "listen_addr: ':81'\nallow_insecure_auth_secrets: true\n"
                     "https: {enabled: true, listen_addr: ':82', ca_file_path: ca,\n"
                     "  tls_cert_file_path: crt, tls_key_file_path: key}\n"
                     "config: {scrape_configs: [{job_name: j}]}\n");
    put("torn.yaml", "a: [");
    put("wrong.yaml", "listen_addr: [1]\n");
    put("kc", KUBECONFIG("token: t"));
    put("plugin", KUBECONFIG("exec: {command: aws, apiVersion: client.authentication.k8s.io/v1, "
                             "interactiveMode: Never}"));
    fill_standard_input();
    test_merge();
    test_file();
    test_pods();
    test_refusals();
    test_restart();
    AUTO_STR remove = mem_printf("rm -r %s", dir);
    ok(system(remove) == 0, "clean up");
    return check_done();
}
