/* What has a fault goes on as it was, or is known and has no row. */
#define LOG_MODULE "test"
#include "allocator/engine/roster.h"

#include "allocator/base/log.h"
#include "tests/unit/engine/side.h"

#include <string.h>

#define JOB(name, target) "{job_name: " name ", static_configs: [{targets: ['" target "']}]}"
#define BAD(name) "{job_name: " name ", scrape_interval: x}"
#define CR(name, jobs)                                                                             \
    "---\napiVersion: opentelemetry.io/v1beta1\nkind: OpenTelemetryCollector\nmetadata: "          \
    "{name: " name ", namespace: n}\nspec:\n  targetAllocator: {enabled: true}\n"                  \
    "  config: {receivers: {prometheus: {config: {scrape_configs: [" jobs "]}}}}\n"

/* The manifests are these now, and 'is_first': nothing was before. */
static void configure(struct side *s, const char *text)
{
    role_enter(engine);
    const struct tenants_options sound = { .keeps_sound = true };
    struct tenants_source source = { .kind = TENANTS_MANIFEST,
                                     .path = (char *)(uintptr_t) "x.yaml",
                                     .text = (char *)(uintptr_t)text,
                                     .len = strlen(text) };
    struct tenants tenants;
    struct faults faults;
    struct err err = { 0 };

    faults_init(&faults);
    is_int(tenants_load(&source, 1, &sound, &faults, &tenants), 0, "loaded");
    state_put_gaps(s->state, &tenants.gaps);
    vec_each(&tenants, t) {
        state_put_collectors(s->state, (*t)->ns, (*t)->name, &(*t)->collectors);
        is_int(state_put_tenant(s->state, t, &err), 0, "taken");
    }
    tenants_fini(&tenants);
    faults_fini(&faults);
    state_complete(s->state, 0);
    publish(s);
}

/* The job's row by name: -1: unknown; 0: it has none; else the number of its targets and 1. */
static int row_of(const struct side *s, const char *job)
{
    const struct directory *d = shown(s)->directory;

    for (size_t i = 0; i < directory_n_jobs(d); i++) {
        if (span_is(directory_job_name(d, i).name, job)) {
            const struct page_row *row = shown(s)->rows[i];
            ok((row == NULL) == (directory_job_fault(d, i).len > 0), "%s: a reason, or a row", job);
            return row == NULL ? 0 : (int)row->n_targets + 1;
        }
    }
    return -1;
}

static bool says(const struct side *s, const char *text)
{
    struct span gaps = directory_gaps(shown(s)->directory);
    return gaps.len > 0 && memmem(gaps.p, gaps.len, text, strlen(text)) != NULL;
}

static void test_jobs(void)
{
    struct side s;

    side_init(&s);
    configure(&s, CR("a", JOB("good", "g:1") ", " BAD("bad") ", " BAD("bad")));
    is_int(row_of(&s, "good"), 2, "a good job");
    is_int(row_of(&s, "bad"), 0, "a bad one is known");
    is_int(directory_n_jobs(shown(&s)->directory), 2, "once");
    ok(says(&s, "[-]job n/a: prometheus: bad: "), "and named");
    configure(&s, CR("a", JOB("good", "g:1") ", " JOB("bad", "b:1")));
    is_int(row_of(&s, "bad"), 2, "mended");
    is_int(directory_gaps(shown(&s)->directory).len, 0, "nothing is missing");
    configure(&s, CR("a", JOB("good", "g:2") ", " BAD("bad")));
    ok(page_has(&s, 0, "g:2"), "bad again: its neighbour changes");
    is_int(row_of(&s, "bad"), 2, "it goes on");
    ok(says(&s, "bad (goes on as it was): "), "which is said");
    configure(&s, CR("a", JOB("good", "g:2") ", " BAD("bad")) CR("b", JOB("x", "x:1")));
    is_int(row_of(&s, "bad"), 2, "and goes on when something else changes");
    configure(&s, CR("a", JOB("good", "g:2") ", {scrape_interval: x}"));
    is_int(row_of(&s, "bad"), -1, "taken out: gone");
    ok(directory_may_have_more(shown(&s)->directory, 0), "a bad job without a name could be any");
    ok(says(&s, "(without a name): "), "and is told as such");
    side_fini(&s);
}

/* A name that comes to be given twice: the first one has it, as at start. */
static void test_twice(void)
{
    struct side s;

    side_init(&s);
    configure(&s, CR("a", JOB("good", "g:1") ", " JOB("other", "o:1")));
    configure(&s, CR("a", JOB("good", "g:2") ", " JOB("good", "g:3") ", " JOB("other", "o:1")));
    is_int(directory_n_jobs(shown(&s)->directory), 2, "one job of that name");
    is_int(row_of(&s, "good"), 2, "it is known");
    ok(page_has(&s, 0, "g:2") && !page_has(&s, 0, "g:1"), "as the first one says");
    ok(says(&s, "[-]job n/a: prometheus: good"), "and the other is named");
    configure(&s, CR("a", JOB("good", "g:2") ", " JOB("other", "o:1")));
    is_int(directory_gaps(shown(&s)->directory).len, 0, "mended");
    side_fini(&s);
}

static void test_collectors(void)
{
    struct side s;

    side_init(&s);
    configure(&s, CR("a", JOB("x", "x:1")) CR("b", "], global: ["));
    const struct directory *d = shown(&s)->directory;
    is_int(directory_n_tenants(d), 2, "one Collector has a fault, and is known");
    ok(directory_tenant_fault(d, 0).len == 0 && directory_tenant_fault(d, 1).len > 0, "with it");
    ok(directory_may_have_more(d, 1) == false && says(&s, "[-]collector n/b: "), "it is named");
    configure(&s, CR("b", JOB("why", "y:1")) CR("a", JOB("x", "x:1")));
    is_int(row_of(&s, "why"), 2, "mended");
    configure(&s, CR("b", "], global: [") CR("a", JOB("x", "x:2")));
    d = shown(&s)->directory;
    is_int(row_of(&s, "why"), 2, "bad again: it goes on");
    is_int(directory_tenant_fault(d, 1).len, 0, "and answers as if nothing were");
    ok(says(&s, "[-]collector n/b: "), "but is named");
    configure(&s, CR("a", JOB("x", "x:2")) "---\n]\n");
    ok(directory_has_unread_file(shown(&s)->directory), "a part of a file is not understood");
    ok(says(&s, "[-]file x.yaml: "), "which is named");
    side_fini(&s);
}

int main(void)
{
    log_set_level(LOG_ERROR);
    test_jobs();
    test_twice();
    test_collectors();
    return check_done();
}
