/* 'serve' in a child of the test: what it logs, what it answers, how it reloads and how it ends. */
#include "webhook/keeper.h"

#include "allocator/base/clock.h"
#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "tests/check.h"
#include "tests/fake/apiserver.h"

#include <netinet/in.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_WORDS = 24, PATIENCE_MS = 60000 };

struct child {
    pid_t pid;
    int errors; /* what it writes there */
    struct buf said;
    size_t seen; /* up to here it was looked at */
};

/* What happens between the reading of the configuration and its use; NULL: nothing. */
static void (*meanwhile)(void);

static _Noreturn void serve(const char *text)
{
    char *argv[MAX_WORDS + 1] = { (char *)(uintptr_t) "otel-ta" };
    char *words = mem_strdup(text);
    int argc = 1;
    struct options o;
    struct settings settings;
    struct configuration config;

    for (char *state = NULL, *word = strtok_r(words, " ", &state); word != NULL && argc < MAX_WORDS;
         word = strtok_r(NULL, " ", &state)) {
        argv[argc++] = word;
    }
    int code = options_parse(argc, argv, &o, stderr);
    if (code == EXIT_OK) {
        code = settings_load(&o, &settings, &config, stderr);
        if (meanwhile != NULL) {
            meanwhile();
        }
        code = code == EXIT_OK ? keeper_run(&settings, &config) : code;
        configuration_fini(&config);
        settings_fini(&settings);
    }
    options_fini(&o);
    mem_free(words);
    exit(code); /* not _exit: what the coverage build counted is written */
}

static void start(struct child *c, const char *words)
{
    int ends[2];

    fflush(NULL);
    if (pipe(ends) != 0 || (c->pid = fork()) < 0) {
        abort();
    }
    if (c->pid == 0) {
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        close(ends[1]);
        serve(words);
    }
    close(ends[1]);
    c->errors = ends[0];
    c->seen = 0;
    buf_init(&c->said, 16 * MIB);
}

/* More of what it says; false when it says no more. */
static bool listen_on(struct child *c, int64_t end_ms)
{
    struct pollfd fd = { c->errors, POLLIN, 0 };
    int64_t left_ms = end_ms - clock_mono_ms();

    if (left_ms <= 0 || poll(&fd, 1, (int)left_ms) <= 0) {
        return false;
    }
    char *to = buf_reserve(&c->said, 4096);
    ssize_t n = read(c->errors, to, 4096);
    c->said.len += n > 0 ? (size_t)n : 0;
    c->said.p[c->said.len] = '\0';
    return n > 0;
}

/* The place after 'part' in what was said since the last time, or NULL. */
static const char *expect(struct child *c, const char *part)
{
    int64_t end_ms = clock_mono_ms() + PATIENCE_MS;
    const char *at = NULL;

    do {
        at = c->said.p == NULL ? NULL : strstr(c->said.p + c->seen, part);
    } while (at == NULL && listen_on(c, end_ms));
    if (!ok(at != NULL, "it says '%s'", part)) {
        check_note("it said: %s", c->said.p == NULL ? "" : c->said.p + c->seen);
        return NULL;
    }
    c->seen = (size_t)(at - c->said.p) + strlen(part);
    return c->said.p + c->seen;
}

static void expect_end(struct child *c, int code)
{
    int status = 0;

    while (listen_on(c, clock_mono_ms() + PATIENCE_MS)) {
    }
    is_int(waitpid(c->pid, &status, 0), c->pid, "it has ended");
    ok(WIFEXITED(status), "by itself: status %#x", (unsigned)status);
    is_int(WEXITSTATUS(status), code, "with this code: %s", c->said.p == NULL ? "" : c->said.p);
    close(c->errors);
    buf_fini(&c->said);
}

/* ---- asking it */

static void get(unsigned port, const char *path, struct buf *out)
{
    struct sockaddr_in to = { .sin_family = AF_INET,
                              .sin_port = htons((uint16_t)port),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    AUTO_FD fd = socket(AF_INET, SOCK_STREAM, 0);
    AUTO_STR request = mem_printf("GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", path);
    ssize_t n = 0;

    buf_clear(out);
    if (connect(fd, (const struct sockaddr *)&to, sizeof(to)) != 0 ||
        write(fd, request, strlen(request)) != (ssize_t)strlen(request)) {
        return;
    }
    do {
        char *to_here = buf_reserve(out, 4096);
        n = read(fd, to_here, 4096);
        out->len += n > 0 ? (size_t)n : 0;
        out->p[out->len] = '\0';
    } while (n > 0);
}

/* Asks until the answer has 'part': what was posted to the engine takes effect a little later. */
static void expect_answer(unsigned port, const char *path, const char *part)
{
    int64_t end_ms = clock_mono_ms() + PATIENCE_MS;
    bool is_there = false;
    AUTO_BUF answer;

    buf_init(&answer, MIB);
    while (!is_there && clock_mono_ms() < end_ms) {
        get(port, path, &answer);
        is_there = answer.p != NULL && strstr(answer.p, part) != NULL;
        if (!is_there) {
            poll(NULL, 0, 10);
        }
    }
    ok(is_there, "GET %s: %s", path, part);
}

/* The port of a listener, as the log says it. */
static unsigned expect_port(struct child *c, const char *listener)
{
    AUTO_STR part =
        mem_printf("\"listening\",\"listener\":\"%s\",\"address\":\"127.0.0.1:", listener);
    const char *number = expect(c, part);
    return number == NULL ? 0 : (unsigned)strtoul(number, NULL, 10);
}

/* Does a client without a certificate get through the handshake, with at most this version? */
static bool shakes_hands(unsigned port, int max_version)
{
    struct sockaddr_in to = { .sin_family = AF_INET,
                              .sin_port = htons((uint16_t)port),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    AUTO_FD fd = socket(AF_INET, SOCK_STREAM, 0);
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

    SSL_CTX_set_max_proto_version(ctx, max_version);
    SSL *ssl = SSL_new(ctx);
    SSL_set_fd(ssl, fd);
    bool is_done =
        connect(fd, (const struct sockaddr *)&to, sizeof(to)) == 0 && SSL_connect(ssl) == 1;
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    return is_done;
}

/* Nothing of what was said since byte 'from' has 'part'. */
static void is_unsaid(const struct child *c, size_t from, const char *part)
{
    AUTO_STR said = mem_strndup(c->said.p + from, c->seen - from);
    ok(strstr(said, part) == NULL, "it did not say '%s'", part);
}

/* ---- files */

static void put(const char *name, const char *text)
{
    AUTO_STR next = mem_printf("%s.new", name);
    FILE *f = fopen(next, "w");

    if (f == NULL || fputs(text, f) < 0 || fclose(f) != 0 || rename(next, name) != 0) {
        abort();
    }
}

static void put_collector(const char *job)
{
    AUTO_STR text = mem_printf("apiVersion: opentelemetry.io/v1beta1\n"
                               "kind: OpenTelemetryCollector\n"
                               "metadata: {name: shop, namespace: web}\n"
                               "spec:\n"
                               "  mode: statefulset\n"
                               "  targetAllocator: {enabled: true}\n"
                               "  config: {receivers: {prometheus: {config: {scrape_configs: [\n"
                               "    {job_name: %s, static_configs: [{targets: ['a:1']}]}]}}}}\n",
                               job);
    put("cr.yaml", text);
}

static void put_dropin(const char *address, const char *https)
{
    AUTO_STR text = mem_printf("listen_addr: '%s'\n%sconfig:\n  scrape_configs:\n"
                               "  - {job_name: d, static_configs: [{targets: ['d:1']}]}\n",
                               address, https);
    put("ta.yaml", text);
}

/* ---- tests */

static void test_local(void)
{
    struct child c;

    put_collector("one");
    start(&c, "serve -f cr.yaml --listen 127.0.0.1:0 --webhook-listen 127.0.0.1:0 --cert-dir . "
              "--threads 2");
    expect(&c, "\"certificate loaded\",\"listener\":\"webhook\"");
    unsigned port = expect_port(&c, "http");
    ok(expect_port(&c, "webhook") != 0, "the webhook has a port");
    expect(&c, "\"ready\"");
    expect_answer(port, "/jobs/one/targets?collector_id=shop-collector-0", "a:1");
    expect_answer(port, "/metrics", "otel_ta_config_reloads_total{result=\"success\"} 1");

    put_collector("two");
    kill(c.pid, SIGHUP);
    expect(&c, "\"configuration reloaded\"");
    expect_answer(port, "/jobs", "/jobs/two/targets");
    put("cr.yaml", "a: [");
    kill(c.pid, SIGHUP);
    expect(&c, "configuration not reloaded; the running one stays");
    expect_answer(port, "/jobs", "/jobs/two/targets");
    expect_answer(port, "/metrics", "otel_ta_config_reloads_total{result=\"failure\"}");
    put("authority.pem", "no key");
    kill(c.pid, SIGHUP);
    expect(&c, "certificate not reloaded; the old one stays in use");
    unlink("cr.yaml");
    kill(c.pid, SIGHUP);
    expect(&c, "configuration cannot be read");
    kill(c.pid, SIGTERM);
    expect(&c, "\"stopping\",\"signal\":\"SIGTERM\"");
    expect_end(&c, EXIT_OK);
}

static void edit_dropin(void)
{
    put_dropin("127.0.0.1:1", "");
}

/* An edit that comes before the file is watched. */
static void test_early_edit(void)
{
    struct child c;

    put_dropin("127.0.0.1:0", "");
    meanwhile = edit_dropin;
    start(&c, "serve --config-file ta.yaml --collectors a --shutdown-delay 0s");
    meanwhile = NULL;
    expect(&c, "\"ready\"");
    expect(&c, "\"configuration reloaded\"");
    kill(c.pid, SIGTERM);
    expect(&c, "\"stopping\",\"signal\":\"SIGTERM\"");
    expect_end(&c, EXIT_OK);
}

/* A file that is watched, settings that need a restart, and two signals to end it. */
static void test_dropin(void)
{
    struct child c;

    put_dropin("127.0.0.1:0", "");
    start(&c, "serve --config-file ta.yaml --collectors a --shutdown-delay 1h");
    unsigned port = expect_port(&c, "http");
    expect(&c, "\"ready\"");
    expect_answer(port, "/jobs/d/targets?collector_id=a", "d:1");
    put_dropin("127.0.0.1:1", "allow_insecure_auth_secrets: true\n"
                              "https: {enabled: true, listen_addr: ':2', ca_file_path: a,\n"
                              "  tls_cert_file_path: b, tls_key_file_path: c}\n");
    expect(&c, "settings changed that need a restart; those in use stay\",\"settings\":"
               "\"listen_addr, https.enabled, allow_insecure_auth_secrets\"");
    expect(&c, "\"configuration reloaded\"");
    size_t seen = c.seen;
    kill(c.pid, SIGHUP);
    expect(&c, "\"configuration reloaded\"");
    is_unsaid(&c, seen, "settings changed");
    kill(c.pid, SIGINT);
    expect(&c, "\"stopping in 1h; again stops at once\",\"signal\":\"SIGINT\"");
    expect_answer(port, "/readyz", "503");
    kill(c.pid, SIGHUP); /* is no signal to stop */
    expect_answer(port, "/readyz", "503");
    kill(c.pid, SIGTERM);
    expect(&c, "\"stopping at once\"");
    expect_end(&c, EXIT_OK);
}

#define PODS(version, items)                                                                       \
    "{\"kind\":\"PodList\",\"apiVersion\":\"v1\",\"metadata\":{\"resourceVersion\":\"" version     \
    "\"},\"items\":[" items "]}\n"
#define A_POD(type, name, version, ready)                                                          \
    "{" type "\"metadata\":{\"name\":\"" name "\",\"namespace\":\"n\",\"uid\":\"u-" name           \
    "\",\"resourceVersion\":\"" version "\"},\"spec\":{\"nodeName\":\"m\"},\"status\":{\"phase\":" \
    "\"Running\",\"conditions\":[{\"type\":\"Ready\",\"status\":\"" ready                          \
    "\",\"lastTransitionTime\":\"2001-01-01T00:00:00Z\"}]}}"
#define TYPE "\"kind\":\"Pod\",\"apiVersion\":\"v1\","
#define POD_EVENT(type, pod) "{\"type\":\"" type "\",\"object\":" pod "}\n"

/* Nobody has any targets, or none, before the pods are known. */
static void test_pods(void)
{
    struct apiserver server;
    struct child c;

    apiserver_start(&server, NULL);
    unsigned api_port = server.port;
    apiserver_close(&server);
    AUTO_STR kubeconfig =
        mem_printf("current-context: c\ncontexts: [{name: c, context: {cluster: k, user: u}}]\n"
                   "clusters: [{name: k, cluster: {server: 'http://127.0.0.1:%u'}}]\n"
                   "users: [{name: u, user: {token: t}}]\n",
                   api_port);
    put("kc", kubeconfig);
    put("ta.yaml",
        "listen_addr: '127.0.0.1:0'\ncollector_namespace: n\n"
        "collector_selector: {matchlabels: {a: b}, matchexpressions: []}\n"
        "config: {scrape_configs: [{job_name: d, static_configs: [{targets: ['d:1']}]}]}\n");
    start(&c, "serve --config-file ta.yaml --kubeconfig-path kc --shutdown-delay 0s");
    unsigned port = expect_port(&c, "http");
    expect(&c, "\"ready\"");
    expect(&c, "a Kubernetes resource cannot be followed");
    expect_answer(port, "/readyz", " 503 ");
    expect_answer(port, "/jobs/d/targets?collector_id=a", " 503 ");
    kill(c.pid, SIGHUP);
    expect(&c, "\"configuration reloaded\"");
    expect_answer(port, "/jobs/d/targets?collector_id=a", " 503 ");

    apiserver_answer(&server, "/namespaces/n/pods?", "200 OK", "",
                     PODS("10", A_POD("", "a", "1", "True")));
    apiserver_chunks(&server, "watch=1",
                     POD_EVENT("MODIFIED", A_POD(TYPE, "a", "11", "False"))
                         POD_EVENT("ADDED", A_POD(TYPE, "b", "12", "True")),
                     API_HOLD);
    apiserver_open(&server, api_port);
    expect_answer(port, "/jobs/d/targets?collector_id=b", "d:1");
    expect_answer(port, "/jobs/d/targets?collector_id=a", "\r\n\r\n[]");
    kill(c.pid, SIGTERM);
    expect(&c, "\"stopping\"");
    expect_end(&c, EXIT_OK);
    ok(apiserver_count(&server, "labelSelector=a%3Db") >= 2, "those of the selector are followed");
    apiserver_stop(&server);
}

static void test_https(void)
{
    struct child c;

    put_collector("one");
    unlink("tls.crt");
    unlink("tls.key");
    unlink("authority.pem");
    start(&c, "serve --listen 127.0.0.1:0 --webhook-listen 127.0.0.1:0 --cert-dir . "
              "--shutdown-delay 0s");
    expect(&c, "\"ready\"");
    kill(c.pid, SIGTERM);
    expect_end(&c, EXIT_OK);
    start(&c, "serve --listen 127.0.0.1:0 --webhook-listen 127.0.0.1:0 --shutdown-delay 0s "
              "--enable-https-server --listen-addr-https 127.0.0.1:0 --https-ca-file ca.crt "
              "--https-tls-cert-file tls.crt --https-tls-key-file tls.key");
    expect(&c, "the webhook's certificate authority lives in memory");
    expect(&c, "\"certificate loaded\",\"listener\":\"https\"");
    unsigned port = expect_port(&c, "http");
    ok(expect_port(&c, "https") != 0, "the second listener of the allocator has a port");
    expect(&c, "\"ready\"");
    expect_answer(port, "/livez", "200");
    kill(c.pid, SIGTERM);
    expect_end(&c, EXIT_OK);
}

/* Who may speak to the webhook, and how. */
static void test_handshakes(void)
{
    static const struct {
        const char *words;
        bool has_tls12; /* a client without a certificate gets through */
    } t[] = {
        { "", true },
        { " --tls-min-version 1.3", false },
        { " --webhook-client-ca ca.crt", false },
    };

    unlink("authority.pem");
    unlink("tls.crt");
    for (size_t i = 0; i < COUNT(t); i++) {
        struct child c;
        AUTO_STR words = mem_printf("serve --listen 127.0.0.1:0 --webhook-listen 127.0.0.1:0 "
                                    "--cert-dir . --shutdown-delay 0s%s",
                                    t[i].words);
        start(&c, words);
        unsigned port = expect_port(&c, "webhook");
        expect(&c, "\"ready\"");
        is_int(shakes_hands(port, TLS1_2_VERSION), t[i].has_tls12, "TLS 1.2 without certificate,%s",
               t[i].words);
        ok(strstr(c.said.p, "lives in memory") == NULL, "the authority is kept");
        kill(c.pid, SIGTERM);
        expect_end(&c, EXIT_OK);
    }
}

static void test_refusals(void)
{
    struct child c;
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof(at);
    AUTO_FD fd = socket(AF_INET, SOCK_STREAM, 0);

    if (bind(fd, (const struct sockaddr *)&at, len) != 0 || listen(fd, 1) != 0 ||
        getsockname(fd, (struct sockaddr *)&at, &len) != 0) {
        abort();
    }
    AUTO_STR words =
        mem_printf("serve --webhook-listen off --listen 127.0.0.1:%u", ntohs(at.sin_port));
    start(&c, words);
    expect(&c, "otel-ta: ");
    expect_end(&c, EXIT_CANNOT);
    start(&c, "serve --listen 127.0.0.1:0 --tls-cert-file gone --tls-key-file gone");
    expect(&c, "otel-ta: listener webhook: ");
    expect_end(&c, EXIT_CANNOT);
}

int main(void)
{
    AUTO_STR dir = check_folder("keeper");

    if (chdir(dir) != 0) {
        abort();
    }
    test_local();
    test_early_edit();
    test_dropin();
    test_pods();
    test_https();
    test_handshakes();
    test_refusals();
    AUTO_STR remove = mem_printf("rm -r %s", dir);
    ok(system(remove) == 0, "clean up");
    return check_done();
}
