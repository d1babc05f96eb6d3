#include "allocator/tenant/jobadvice.h"

#include "allocator/base/mem.h"
#include "allocator/codec/yamldoc.h"
#include "tests/check.h"

#include <string.h>

static bool needs_nodes;

/* The faults about 'job', one a line. */
static char *advice(const char *text, bool is_taken)
{
    struct node *job = NULL;
    struct arena arena;
    struct faults f;
    char *all = mem_strdup("");

    arena_init(&arena);
    faults_init(&f);
    is_int(yamldoc_parse(span_of(text), &arena, &job, NULL), 0, "%s", text);
    const struct jobadvice about = { SPAN_LIT("j"), is_taken, needs_nodes };
    jobadvice_give(job, &about, &f);
    for (size_t i = 0; i < f.n; i++) {
        char *more = mem_printf("%s%s: %s\n", all, f.v[i].path, f.v[i].text);
        mem_free(all);
        all = more;
    }
    is_int(f.n_errors, 0, "warnings only");
    faults_fini(&f);
    arena_fini(&arena);
    return all;
}

static void test_own_addresses(void)
{
    static const struct {
        const char *target;
        bool is_own;
    } t[] = {
        { "0.0.0.0:8888", true },
        { "0.0.0.0", true },
        { "127.0.0.1:1", true },
        { "127.5.5.5:1", true },
        { "localhost:1", true },
        { "LocalHost", true },
        { "localhost.:1", true },
        { "a.localhost:1", true },
        { "ip6-localhost:1", true },
        { "[::1]:1", true },
        { "[::]:1", true },
        { "[0:0:0:0:0:0:0:1]:1", true },
        { "[::ffff:127.0.0.1]:1", true },
        { "[::1%lo]:1", true },
        { "::1", true },
        { "http://localhost:8080/metrics", true },
        { "localhost.example:1", false },
        { "mylocalhost:1", false },
        { "128.0.0.1:1", false },
        { "0.0.0.1:1", false },
        { "[fe80::1]:1", false },
        { "127.0.0.1.example", false },
        { "a:1", false },
        { "", false },
        { "[", false },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        AUTO_STR job = mem_printf("static_configs: [{targets: ['a:1']}, {targets: ['b:1', '%s']}]",
                                  t[i].target);
        AUTO_STR said = advice(job, true);
        is_int(strstr(said, "static_configs[1].targets[1]: job 'j': ") != NULL, t[i].is_own,
               "is '%s' each collector itself? %s", t[i].target, said);
    }
    AUTO_STR left = advice("static_configs: [{targets: ['localhost:1']}]", false);
    is_str(left, "", "of a job that stays with them it is meant");
    AUTO_STR twice = advice("static_configs: [{targets: ['localhost:1', 'localhost:2']}]", true);
    ok(strstr(twice, "localhost:1 means each collector itself; otel-ta/local-jobs") != NULL &&
           strstr(twice, "localhost:2") == NULL,
       "once is enough: %s", twice);
}

static void test_flaws(void)
{
    AUTO_STR said = advice("relabel_configs: [{replacement: '${1}:9100'}, {replacement: '$${1}'}, "
                           "{replacement: '$1'}, {replacement: '${env:A}'}]",
                           true);
    is_str(said,
           "relabel_configs[0].replacement: job 'j': ${1} names no variable, collectors since "
           "0.104 do not start: $${1} is meant\n",
           "a group of a pattern, not an expression");
    AUTO_STR elsewhere = advice("metric_relabel_configs: [{replacement: 'a${2}b'}]", false);
    ok(strstr(elsewhere, "${2} names no variable") != NULL, "wherever it stands: %s", elsewhere);
    AUTO_STR scalar = advice("'${file:/x}'", true);
    is_str(scalar, "", "not a mapping");
}

static void test_nodes(void)
{
    static const struct {
        const char *job;
        bool is_said;
    } t[] = {
        { "static_configs: [{targets: ['a:1']}]", true },
        { "static_configs: [{targets: []}]", false },
        { "static_configs: [{targets: ['a:1'], labels: {__meta_kubernetes_pod_node_name: n}}]",
          false },
        { "static_configs: [{targets: ['a:1'], labels: {__meta_kubernetes_node_name: n}}, "
          "{targets: ['b:1']}]",
          true },
        { "http_sd_configs: [{url: 'http://x/'}]", false },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        needs_nodes = true;
        AUTO_STR said = advice(t[i].job, true);
        is_int(strstr(said, "per-node gives them to nobody") != NULL, t[i].is_said, "%s: %s",
               t[i].job, said);
        AUTO_STR left = advice(t[i].job, false);
        is_str(left, "", "collectors have their own");
        needs_nodes = false;
        AUTO_STR shared = advice(t[i].job, true);
        is_str(shared, "", "somebody gets them");
    }
}

int main(void)
{
    test_nodes();
    test_own_addresses();
    test_flaws();
    return check_done();
}
