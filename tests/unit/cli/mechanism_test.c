/* The program with one more mechanism of service discovery: one file (tests/fake/eureka.h) and one
 * row, WITH_EUREKA. Nothing else of the program is told, and all of it knows: the reader, the
 * engine, the carriers, the commands. */
#include "tests/fake/eureka.h"

#include "allocator/base/limits.h"
#include "tests/check.h"
#include "tests/fake/rawserver.h"
#include "webhook/cli/commandtable.h"

#include <stdlib.h>
#include <unistd.h>

/* The two tables of the program are made of its rows and this one. */
#define WITH_EUREKA(M) MECHANISMS(M) M(eureka, "eureka_sd_configs")
const char *const mechanisms[] = { WITH_EUREKA(MECHANISM_SECTION) NULL };
const struct provider_row providers[] = { WITH_EUREKA(PROVIDER_ROW){ NULL, NULL } };

static void put(const char *name, const char *text)
{
    FILE *f = fopen(name, "we");

    if (f == NULL || fputs(text, f) < 0 || fclose(f) != 0) {
        abort();
    }
}

#define COLLECTOR                                                                                  \
    "apiVersion: opentelemetry.io/v1beta1\n"                                                       \
    "kind: OpenTelemetryCollector\n"                                                               \
    "metadata: {name: shop, namespace: web}\n"                                                     \
    "spec:\n"                                                                                      \
    "  mode: statefulset\n"                                                                        \
    "  targetAllocator: {enabled: true}\n"                                                         \
    "  config:\n"                                                                                  \
    "    receivers:\n"                                                                             \
    "      prometheus:\n"                                                                          \
    "        config:\n"                                                                            \
    "          scrape_configs:\n"

static void write_files(unsigned port)
{
    AUTO_STR jobs = mem_printf("- job_name: j\n"
                               "  eureka_sd_configs: [{server: 'http://127.0.0.1:%u'}]\n"
                               "  relabel_configs:\n"
                               "  - {source_labels: [__meta_eureka_app_name], target_label: app}\n",
                               port);
    AUTO_STR prometheus = mem_printf("scrape_configs:\n%s", jobs);
    AUTO_STR collector =
        mem_printf(COLLECTOR "          - job_name: j\n"
                             "            eureka_sd_configs: [{server: 'http://127.0.0.1:%u'}]\n"
                             "          - job_name: k\n"
                             "            vultr_sd_configs: [{}]\n",
                   port);

    put("prom.yml", prometheus);
    AUTO_STR dropin = mem_printf("config:\n  scrape_configs:\n"
                                 "  - job_name: j\n"
                                 "    eureka_sd_configs: [{server: 'http://127.0.0.1:%u'}]\n",
                                 port);

    put("cr.yaml", collector);
    put("ta.yaml", dropin);
    put("gap.yml", "scrape_configs:\n"
                   "- job_name: j\n"
                   "  eureka_sd_configs: [{server: 'http://h', tls_config: {ca_ref: x}}]\n");
    put("other.yml", "scrape_configs:\n"
                     "- job_name: j\n"
                     "  vultr_sd_configs: [{tls_config: {ca_ref: x}}]\n");
}

static void run(const char *words, struct span *out, struct span *errors)
{
    char *argv[8] = { (char *)(uintptr_t) "otel-ta" };
    AUTO_STR text = mem_strdup(words);
    char *out_text = NULL, *error_text = NULL;
    size_t n_out = 0, n_errors = 0;
    int argc = 1;
    struct options o;
    struct command_io io = { .out = open_memstream(&out_text, &n_out),
                             .errout = open_memstream(&error_text, &n_errors) };

    for (char *state = NULL, *word = strtok_r(text, " ", &state); word != NULL && argc < 7;
         word = strtok_r(NULL, " ", &state)) {
        argv[argc++] = word;
    }
    if (options_parse(argc, argv, &o, io.errout) == EXIT_OK) {
        command_rows[o.command].run(&o, &io);
    }
    options_fini(&o);
    fclose(io.out);
    fclose(io.errout);
    *out = span_make(out_text, n_out);
    *errors = span_make(error_text, n_errors);
}

static void forget(struct span *out, struct span *errors)
{
    free((char *)(uintptr_t)out->p);
    free((char *)(uintptr_t)errors->p);
}

static void has(struct span text, const char *part, const char *what)
{
    if (!ok(memmem(text.p, text.len, part, strlen(part)) != NULL, "%s", what)) {
        check_note("got: %.*s", SPAN_ARG(text));
    }
}

static void lacks(struct span text, const char *part, const char *what)
{
    if (!ok(memmem(text.p, text.len, part, strlen(part)) == NULL, "%s", what)) {
        check_note("got: %.*s", SPAN_ARG(text));
    }
}

/* A body that 'digest' refuses is a failed refresh of the mechanism, which counts nothing else. */
static void test_refused(void)
{
    struct rawserver server;
    struct span out, errors;
    AUTO_BUF metrics;

    rawserver_start(&server, SPAN_LIT("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nnonsense\n"));
    write_files(server.port);
    run("allocate -f cr.yaml", &out, &errors);
    buf_init(&metrics, MIB);
    metric_render(&metrics);
    has(buf_span(&metrics), "prometheus_sd_refresh_failures_total{mechanism=\"eureka\"", "counted");
    is_int((long)metric_value(METRIC_NONE), 0, "a row that names no counter of its own has none");
    is_int((long)metric_value(METRIC_TARGETS), 0, "nor that of another");
    forget(&out, &errors);
    rawserver_stop(&server);
}

int main(void)
{
    static const char *const files[] = { "prom.yml", "cr.yaml", "ta.yaml", "gap.yml", "other.yml" };
    AUTO_STR dir = check_folder("mechanism");
    struct rawserver server;
    struct span out, errors;

    if (chdir(dir) != 0) {
        abort();
    }
    rawserver_start(&server, SPAN_LIT("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
                                      "cart 10.0.0.1:80\nmail 10.0.0.2:80\n"));
    write_files(server.port);

    run("check config gap.yml", &out, &errors);
    has(errors, "is not supported for eureka_sd", "what the client cannot do is refused");
    forget(&out, &errors);
    run("check config other.yml", &out, &errors);
    lacks(errors, "is not supported", "only where it is run");
    forget(&out, &errors);
    run("rewrite -f cr.yaml", &out, &errors);
    has(errors, "cannot run vultr_sd_configs", "the rewriter knows what is not run");
    lacks(errors, "eureka", "and what is");
    forget(&out, &errors);
    run("check service-discovery prom.yml j", &out, &errors);
    has(out, "\"__meta_eureka_app_name\": \"cart\"", "discovered");
    has(out, "\"app\": \"mail\"", "relabeled");
    forget(&out, &errors);
    run("allocate -f cr.yaml", &out, &errors);
    has(out, "10.0.0.1:80", "asked, understood, allocated");
    has(out, "10.0.0.2:80", "all of it");
    lacks(errors, "eureka", "without a complaint");
    forget(&out, &errors);
    run("allocate -f ta.yaml --collectors a", &out, &errors);
    has(out, "10.0.0.1:80", "in drop-in mode, too");
    lacks(errors, "eureka", "without a complaint");
    forget(&out, &errors);

    rawserver_stop(&server);
    has(span_of(server.request), "GET /apps HTTP/1.1\r\n", "the path that the mechanism asks for");
    test_refused();
    for (size_t i = 0; i < COUNT(files); i++) {
        (void)unlink(files[i]);
    }
    (void)rmdir(dir);
    return check_done();
}
