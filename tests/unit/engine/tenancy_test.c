/* Tenants of one state as manifests say them: their jobs, collectors, metrics and pages. */
#define LOG_MODULE "test"
#include "allocator/engine/state.h"

#include "allocator/base/log.h"
#include "allocator/base/metric.h"
#include "tests/check.h"
#include "tests/unit/engine/side.h"
#include "tests/unit/engine/state_bodies.h"
#include "tests/unit/engine/state_files.h"

#define CR(name, more)                                                                             \
    "---\napiVersion: opentelemetry.io/v1beta1\nkind: OpenTelemetryCollector\nmetadata: "          \
    "{name: " name "}\nspec:\n  replicas: 2\n  targetAllocator: {enabled: true}\n  config: "       \
    "{receivers: {prometheus: "                                                                    \
    "{config: {scrape_configs: [" more                                                             \
    "{job_name: j, file_sd_configs: [{files: [/f0.json]}]}]}}}}\n"

static int load_manifests(struct side *s, const char *text)
{
    role_enter(engine);
    struct tenants_source source = { .kind = TENANTS_MANIFEST,
                                     .text = (char *)(uintptr_t)text,
                                     .len = strlen(text) };
    const struct tenants_options options = { 0 };
    struct tenants tenants;
    struct faults faults;
    faults_init(&faults);
    int rc = tenants_load(&source, 1, &options, &faults, &tenants);
    if (rc == 0) {
        rc = state_configure(s->state, &tenants, 0, NULL);
    }
    faults_fini(&faults);
    answer_wants(s);
    publish(s);
    return rc;
}

static void configure_manifests(struct side *s, const char *text)
{
    is_int(load_manifests(s, text), 0, "manifests taken");
}

static void test_tenants(void)
{
    struct side s;
    struct state_counts counts;

    clear_files();
    files[0] = mem_strdup("[{\"targets\":[\"a:1\"]},{\"targets\":[\"b:1\"]}]");
    side_init(&s);
    configure_manifests(&s, CR("b", "") CR("a", ""));
    is_int(s.listeners.n, 1, "equal sections of two CRs are one want");
    is_int(shown(&s)->n_jobs, 2, "two CRs, a job each");
    is_int(shown(&s)->rows[0]->n_targets, 2, "both have the targets");
    is_int(shown(&s)->rows[1]->n_targets, 2, "both");
    const struct page_row *row = shown(&s)->rows[1]; /* of "b": tenants stand in name order */
    configure_manifests(&s,
                        CR("b", "") CR("a", "{job_name: k, static_configs: [{targets: [x]}]}, "));
    is_int(shown(&s)->n_jobs, 3, "one more job for a");
    ok(shown(&s)->rows[2] == row, "b is as it was");
    configure_manifests(&s, CR("b", ""));
    is_int(shown(&s)->n_jobs, 1, "a is gone");
    ok(shown(&s)->rows[0] == row, "b is as it was");
    configure_manifests(&s, "apiVersion: opentelemetry.io/v1beta1\nkind: OpenTelemetryCollector\n"
                            "metadata: {name: b}\nspec: {config: {receivers: {}}}\n");
    is_int(shown(&s)->n_jobs, 0, "nothing is left");
    is_int(s.listeners.n, 0, "and nothing is wanted");
    state_count(s.state, &counts);
    is_int(counts.n_served, 0, "no target");
    side_fini(&s);
}

/* One would take the place of the other, unsaid. */
static void test_twin_tenants(void)
{
    struct side s;
    struct err err = { 0 };
    struct tenants twins = { 0 };

    clear_files();
    side_init(&s);
    configure_manifests(&s, CR("a", ""));
    size_t n_jobs = shown(&s)->n_jobs;
    role_enter(engine);
    *vec_push(&twins) = tenant_new(SPAN_LIT("n"), SPAN_LIT("x"));
    *vec_push(&twins) = tenant_new(SPAN_LIT("n"), SPAN_LIT("y"));
    *vec_push(&twins) = tenant_new(SPAN_LIT("n"), SPAN_LIT("x"));
    is_int(state_configure(s.state, &twins, 0, &err), ERR_INVALID, "two tenants of one key");
    ok(strstr(err.text, "'x' is defined twice") != NULL, "are refused: %s", err.text);
    is_int(twins.n, 3, "and stay the caller's");
    tenants_fini(&twins);
    publish(&s);
    is_int(shown(&s)->n_jobs, n_jobs, "what was there is as it was");
    side_fini(&s);
}

#define TWO_RECEIVERS(receivers)                                                                   \
    "apiVersion: opentelemetry.io/v1beta1\nkind: OpenTelemetryCollector\nmetadata: {name: x}\n"    \
    "spec:\n  replicas: 3\n  targetAllocator: {enabled: true, allocationStrategy: "                \
    "bounded-rendezvous}\n  config:\n    receivers:\n" receivers
#define RECEIVER(name)                                                                             \
    "      " name ": {config: {scrape_configs: [{job_name: j, file_sd_configs: [{files: "          \
    "[/f0.json]}]}]}}\n"

/* Targets that differ in nothing but their receiver: which of two moves to another collector must
 * not depend on who was there first, or replicas disagree. */
static void test_twins_of_receivers(void)
{
    bool is_same = true;

    for (unsigned n = 1; is_same && n < 40; n++) {
        struct side s, twin;
        AUTO_BUF body;

        buf_init(&body, MIB);
        for (unsigned i = 0; i < n; i++) {
            buf_addf(&body, "%s{\"targets\":[\"10.0.0.%u:80\"]}", i == 0 ? "[" : ",", i);
        }
        buf_add_char(&body, ']');
        clear_files();
        files[0] = mem_strndup(body.p, body.len);
        side_init(&s);
        (void)load_manifests(&s, TWO_RECEIVERS(RECEIVER("prometheus/b")));
        (void)load_manifests(&s, TWO_RECEIVERS(RECEIVER("prometheus/a") RECEIVER("prometheus/b")));
        side_init(&twin);
        (void)load_manifests(&twin,
                             TWO_RECEIVERS(RECEIVER("prometheus/a") RECEIVER("prometheus/b")));
        is_same = is_same_snapshot(s.current, twin.current, job_text);
        side_fini(&s);
        side_fini(&twin);
    }
    ok(is_same, "targets that only their receivers tell apart have the owners they always have");
}

static bool metrics_have(const char *text)
{
    AUTO_BUF page;

    buf_init(&page, MIB);
    metric_render(&page);
    return strstr(page.p, text) != NULL;
}

#define PER_COLLECTOR(name) "targets_per_collector{collector_name=\"" name "\","

static void test_metrics_of_tenants(void)
{
    struct side s;

    clear_files();
    files[0] = mem_strdup("[{\"targets\":[\"a:1\"]}]");
    side_init(&s);
    configure_manifests(&s, CR("c, namespace: x", ""));
    ok(metrics_have(PER_COLLECTOR("c-collector-0")), "one CR: upstream's form");
    configure_manifests(&s, CR("c, namespace: x", "") CR("c, namespace: y", ""));
    ok(metrics_have(PER_COLLECTOR("x/c/c-collector-0")) &&
           metrics_have(PER_COLLECTOR("y/c/c-collector-0")),
       "collectors of one name in two namespaces have a series each");
    ok(metrics_have("_targets{job_name=\"y/c/j\"}"), "as their jobs have");
    ok(!metrics_have(PER_COLLECTOR("c-collector-0")), "and none is left that could be either's");
    configure_manifests(&s, CR("c, namespace: y", ""));
    ok(metrics_have(PER_COLLECTOR("c-collector-0")) && !metrics_have("\"y/c/"), "alone again");
    side_fini(&s);
    ok(!metrics_have(PER_COLLECTOR("c-collector-0")), "nothing stays behind");
}

static void put_collectors(struct side *s, const char *texts)
{
    role_enter(engine);
    struct collectorlist list;
    struct err err = { 0 };

    collectorlist_init(&list);
    is_int(collectorlist_parse(&list, span_of(texts), &err), 0, "collectors %s", texts);
    state_put_collectors(s->state, SPAN_LIT("x"), SPAN_LIT("c"), &list);
    state_complete(s->state, 0);
}

static void tell_collectors(struct side *s, const char *texts)
{
    put_collectors(s, texts);
    publish(s);
}

/* A collector that goes takes its series along, wherever its name stands; the others keep theirs.
 */
static void test_metrics_of_collectors(void)
{
    static const char *const lists[] = { "b@v,d@v,f@v", "d@v,f@v", "b@v,d@v,f@v", "b@v,f@v",
                                         "b@v,d@v",     "a@v,z@v", "m@v",         "a@v,b@v,m@v" };
    static const char names[] = "abdfmz";
    struct side s;

    clear_files();
    files[0] = mem_strdup("[{\"targets\":[\"a:1\",\"b:1\",\"c:1\"]}]");
    side_init(&s);
    configure_manifests(&s, CR("c, namespace: x", ""));
    for (size_t i = 0; i < COUNT(lists); i++) {
        tell_collectors(&s, lists[i]);
        for (const char *name = names; *name != '\0'; name++) {
            AUTO_STR series = mem_printf(PER_COLLECTOR("%c"), *name);
            AUTO_STR listed = mem_printf("%c@", *name);
            is_int(metrics_have(series), strstr(lists[i], listed) != NULL, "series of %c with %s",
                   *name, lists[i]);
        }
    }
    side_fini(&s);
}

/* A collector that comes and goes between two publications leaves no trace. */
static void test_unchanged_pages(void)
{
    struct side s;

    clear_files();
    files[0] = mem_strdup("[{\"targets\":[\"a:1\",\"b:1\",\"c:1\"]}]");
    side_init(&s);
    configure_manifests(&s, CR("c, namespace: x", ""));
    tell_collectors(&s, "b@v");
    const struct page_row *row = shown(&s)->rows[0];
    put_collectors(&s, "a@v,b@v,c@v");
    put_collectors(&s, "b@v");
    publish(&s);
    ok(shown(&s)->rows[0] == row, "the pages are the same");
    side_fini(&s);
}

static size_t owner_of(const struct side *s, const char *target)
{
    const uint32_t *seats = directory_seats(shown(s)->directory, 0);
    size_t n = collectors_of(shown(s), 0), k = 0;

    for (; k < n; k++) {
        AUTO_BUF page;
        buf_init(&page, MIB);
        add_page(page_row_find(shown(s)->rows[0], seats[k]), &page);
        buf_add_char(&page, '\0');
        if (strstr(page.p, target) != NULL) {
            break;
        }
    }
    return k;
}

/* The file holds those of a:1 to f:1 that the collector has, or all; x:1 too, or not. */
static void fill_file(struct side *s, int file, size_t owner, bool with_x)
{
    AUTO_BUF body;

    buf_init(&body, MIB);
    buf_add_str(&body, "[");
    for (const char *c = "abcdef"; *c != '\0'; c++) {
        char target[] = { *c, ':', '1', '\0' };
        if (owner == SIZE_MAX || owner_of(s, target) == owner) {
            buf_addf(&body, "{\"targets\":[\"%s\"]},", target);
        }
    }
    buf_addf(&body, "{\"targets\":[%s]}]", with_x ? "\"x:1\"" : "");
    mem_free(files[file]);
    files[file] = mem_strndup(body.p, body.len);
}

/* Of two files that hold one target the first is served. When it is there no more, the second is,
 * by the same collector, though another would have had more room. */
static void test_heir_keeps_owner(void)
{
    struct side s;

    clear_files();
    files[1] = mem_strdup("[{\"targets\":[\"x:1\"]}]");
    side_init(&s);
    fill_file(&s, 0, SIZE_MAX, true);
    configure_manifests(&s, "apiVersion: opentelemetry.io/v1beta1\nkind: OpenTelemetryCollector\n"
                            "metadata: {name: x}\nspec:\n  replicas: 2\n  targetAllocator: "
                            "{enabled: true, allocationStrategy: least-weighted}\n  config: "
                            "{receivers: {prometheus: {config: {scrape_configs: [{job_name: j, "
                            "file_sd_configs: [{files: ['/f*.json']}]}]}}}}\n");
    size_t owner = owner_of(&s, "x:1");
    ok(owner < 2 && page_has(&s, 0, "/f0.json"), "one of two has it, out of the first file");
    fill_file(&s, 0, owner, true);
    show_file(&s, &s.listeners.v[0], 0);
    publish(&s);
    is_int(owner_of(&s, "x:1"), owner, "the other has less and less");
    fill_file(&s, 0, owner, false);
    show_file(&s, &s.listeners.v[0], 0);
    publish(&s);
    ok(page_has(&s, 0, "/f1.json"), "it is served out of the second");
    is_int(owner_of(&s, "x:1"), owner, "by the one that had it");
    side_fini(&s);
}

int main(void)
{
    log_set_level(LOG_ERROR);
    test_tenants();
    test_twin_tenants();
    test_twins_of_receivers();
    test_metrics_of_tenants();
    test_metrics_of_collectors();
    test_unchanged_pages();
    test_heir_keeps_owner();
    clear_files();
    return check_done();
}
