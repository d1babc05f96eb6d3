/* Tenants come, change and go one by one, in any order: what is published is what a new state
 * publishes that is told only how things stand now. */
#define LOG_MODULE "test"
#include "allocator/engine/state.h"

#include "allocator/base/container.h"
#include "allocator/base/log.h"
#include "tests/check.h"
#include "tests/unit/engine/side.h"
#include "tests/unit/engine/state_bodies.h"

/* ---- tenants */

#define N_TENANTS 4

struct spec { /* of one Collector */
    bool is_there;
    unsigned strategy, n_collectors, targets, jobs; /* jobs: bits */
    bool is_block;
};

static const char *const names[N_TENANTS] = { "a", "b", "c", "d" };

static void write_cr(unsigned i, const struct spec *s, struct buf *out)
{
    static const char *const known[] = { "consistent-hashing", "rendezvous", "bounded-rendezvous" };

    buf_addf(out,
             "apiVersion: opentelemetry.io/v1beta1\nkind: OpenTelemetryCollector\n"
             "metadata: {name: %s, namespace: n}\nspec:\n  targetAllocator: {enabled: true, "
             "allocationStrategy: %s, prometheusCR: {enabled: %s}}\n"
             "  config: {receivers: {prometheus: {config: {scrape_configs: [",
             names[i], known[s->strategy], s->is_block ? "true" : "false");
    if ((s->jobs & 1) != 0) {
        buf_addf(out, "{job_name: s, static_configs: [{targets: [x%u, y%u, z]}]}, ", s->targets,
                 s->targets);
    }
    if ((s->jobs & 2) != 0) {
        buf_addf(out,
                 "{job_name: f, file_sd_configs: [{files: [/f0.json]}], relabel_configs: "
                 "[{target_label: t, replacement: 'r%u'}]}, ",
                 s->targets);
    }
    if ((s->jobs & 4) != 0) {
        buf_addf(out,
                 "{job_name: g, file_sd_configs: [{files: [/f0.json]}, {files: [/f%u.json]}]}, ",
                 s->targets);
    }
    buf_add_str(out, "]}}}}\n");
}

static struct tenant *make_tenant(unsigned i, const struct spec *s)
{
    const struct tenants_options none = { 0 };
    struct tenants_source source = { .kind = TENANTS_MANIFEST };
    struct tenants tenants;
    struct faults faults;
    AUTO_BUF text;

    buf_init(&text, MIB);
    write_cr(i, s, &text);
    source.text = text.p;
    source.len = text.len;
    faults_init(&faults);
    if (tenants_load(&source, 1, &none, &faults, &tenants) < 0 || tenants.n != 1) {
        ok(false, "a tenant: %.*s", SPAN_ARG(buf_span(&text)));
        exit(check_done());
    }
    struct tenant *t = tenants.v[0];
    tenants.n = 0;
    tenants_fini(&tenants);
    faults_fini(&faults);
    return t;
}

static void put_tenant(struct side *s, unsigned i, const struct spec *spec)
{
    role_enter(engine);
    struct tenant *t = make_tenant(i, spec);
    struct err err = { 0 };

    if (state_put_tenant(s->state, &t, &err) < 0) {
        ok(false, "%s", err.text);
    }
}

static void put_collectors(struct side *s, unsigned i, unsigned n)
{
    struct collectorlist list;

    collectorlist_init(&list);
    collectorlist_number(&list, names[i], n);
    state_put_collectors(s->state, SPAN_LIT("n"), span_of(names[i]), &list);
}

static void drop(struct side *s, unsigned i)
{
    state_drop_tenant(s->state, SPAN_LIT("n"), span_of(names[i]));
    put_collectors(s, i, 0);
}

/* ---- the watcher's part */

static void answer_wants(struct side *s)
{
    for (struct mail *mail = mailbox_drain(s->wants), *next; mail != NULL; mail = next) {
        next = mail->next;
        uint64_t id = mail->kind == WATCHER_WANT_ADD
                          ? CONTAINER_OF(mail, struct want, mail)->id
                          : CONTAINER_OF(mail, struct want_change, mail)->id;
        if (mail->kind != WATCHER_WANT_CANCEL) {
            tell(s, id, ARRIVAL_OK, 0, "[{\"targets\":[\"f:1\",\"g:1\",\"h:1\"]}]");
            tell(s, id, ARRIVAL_SETTLED, 0, NULL);
        }
        mail->dispose(mail);
    }
}

static void complete(struct side *s)
{
    role_enter(engine);
    state_complete(s->state, 0);
    answer_wants(s);
    publish(s);
}

/* ---- comparison */

static void write_snapshot(const struct snapshot *s, struct buf *out)
{
    AUTO_BUF job;

    buf_init(out, MIB);
    buf_init(&job, MIB);
    buf_addf(out, "%zu jobs, %s\n", s->n_jobs, s->is_synced ? "synced" : "not synced");
    for (size_t i = 0; i < s->n_jobs; i++) {
        const struct directory_view *view =
            directory_view(s->directory, directory_job_tenant(s->directory, i));
        buf_addf(out, "%.*s\n%.*s\n", SPAN_ARG(view->jobs.plain), SPAN_ARG(view->configs.plain));
        job_text(s, i, &job);
        buf_add_span(out, buf_span(&job));
        buf_add_char(out, '\n');
    }
    buf_add_char(out, '\0');
}

static bool is_same(const struct side *a, const struct side *b)
{
    AUTO_BUF x, y;

    write_snapshot(shown(a), &x);
    write_snapshot(shown(b), &y);
    if (strcmp(x.p, y.p) != 0) {
        check_note("got %s\n# want %s", x.p, y.p);
        return false;
    }
    return true;
}

/* A new state that is told only of what is there. */
static bool equals_twin(const struct side *s, const struct spec *specs)
{
    struct side twin;

    side_init(&twin);
    for (unsigned i = 0; i < N_TENANTS; i++) {
        if (specs[i].is_there) {
            put_tenant(&twin, i, &specs[i]);
            put_collectors(&twin, i, specs[i].n_collectors);
        }
    }
    complete(&twin);
    bool same = is_same(s, &twin);
    side_fini(&twin);
    return same;
}

/* ---- tests */

/* Six mails about three tenants, in every third of their orders; and each in force by itself. */
static void test_order(void)
{
    static const struct spec specs[N_TENANTS] = { { true, 0, 3, 0, 7, false },
                                                  { true, 1, 2, 0, 7, true },
                                                  { true, 2, 3, 1, 6, false } };
    bool are_same = true;

    for (unsigned order = 0; are_same && order < 720; order += 3) {
        unsigned left[6] = { 0, 1, 2, 3, 4, 5 }, n = 6;
        struct side together, apart;
        side_init(&together);
        side_init(&apart);
        for (unsigned k = order; n > 0; k /= n + 1) {
            unsigned at = k % n, what = left[at];
            left[at] = left[--n];
            for (int is_apart = 0; is_apart <= 1; is_apart++) {
                struct side *s = is_apart ? &apart : &together;
                if (what < 3) {
                    put_tenant(s, what, &specs[what]);
                } else {
                    put_collectors(s, what - 3, specs[what - 3].n_collectors);
                }
            }
            complete(&apart);
        }
        complete(&together);
        are_same = equals_twin(&together, specs) && equals_twin(&apart, specs);
        side_fini(&together);
        side_fini(&apart);
    }
    ok(are_same, "the order of mails does not matter, nor whether they come together");
}

static void test_batch(void)
{
    role_enter(engine);
    const struct spec one = { true, 0, 2, 0, 1, false }, two = { true, 0, 2, 0, 3, false };
    struct side s;

    side_init(&s);
    put_tenant(&s, 0, &two);
    put_collectors(&s, 0, 2);
    publish(&s);
    ok(s.current == NULL, "nothing is published before the first configuration is complete");
    put_tenant(&s, 1, &one);
    put_collectors(&s, 1, 2);
    complete(&s);
    is_int(shown(&s)->n_jobs, 3, "then all of it is");
    ok(shown(&s)->is_synced, "synced");
    const struct snapshot *before = s.current;
    put_tenant(&s, 0, &one); /* job f moves from a to b */
    publish(&s);
    ok(s.current == before, "half of a change is not seen");
    put_tenant(&s, 1, &two);
    complete(&s);
    is_int(shown(&s)->n_jobs, 3, "a job that moves is there once");
    put_tenant(&s, 0, &one);
    put_tenant(&s, 1, &two);
    before = s.current;
    complete(&s);
    ok(s.current == before, "what is told again changes nothing");
    side_fini(&s);
}

static void test_unchanged(void)
{
    const struct spec two = { true, 0, 2, 0, 3, false };
    struct spec changed = two;
    struct side s;

    side_init(&s);
    for (unsigned i = 0; i < 2; i++) {
        put_tenant(&s, i, &two);
        put_collectors(&s, i, 2);
    }
    complete(&s);
    const struct page_row *rows[4];
    for (unsigned i = 0; i < 4; i++) {
        rows[i] = shown(&s)->rows[i];
    }
    changed.jobs = 7;
    put_tenant(&s, 0, &changed);
    complete(&s);
    is_int(shown(&s)->n_jobs, 5, "one job more");
    ok(shown(&s)->rows[0] == rows[0] && shown(&s)->rows[1] == rows[1],
       "the other jobs of its tenant are as they were");
    ok(shown(&s)->rows[3] == rows[2] && shown(&s)->rows[4] == rows[3], "so are the other tenants");
    side_fini(&s);
}

static void test_collectors_wait(void)
{
    const struct spec one = { true, 0, 2, 0, 1, false };
    struct side s;
    struct state_counts counts;

    side_init(&s);
    put_collectors(&s, 0, 2);
    complete(&s);
    is_int(shown(&s)->n_jobs, 0, "collectors without a tenant");
    put_tenant(&s, 0, &one);
    complete(&s);
    state_count(s.state, &counts);
    is_int(counts.n_unassigned, 0, "have their targets when it comes");
    is_int(counts.n_served, 3, "all of them");
    state_drop_tenant(s.state, SPAN_LIT("n"), SPAN_LIT("a"));
    complete(&s);
    is_int(shown(&s)->n_jobs, 0, "it goes");
    put_tenant(&s, 0, &one);
    complete(&s);
    state_count(s.state, &counts);
    is_int(counts.n_unassigned, 0, "and finds them when it comes back");
    drop(&s, 0);
    complete(&s);
    put_tenant(&s, 0, &one);
    complete(&s);
    state_count(s.state, &counts);
    is_int(counts.n_unassigned, 3, "unless they have gone too");
    side_fini(&s);
}

static void change_one(struct side *s, struct spec *specs)
{
    unsigned i = chance(N_TENANTS);
    struct spec *spec = &specs[i];

    if (spec->is_there && chance(4) == 0) {
        spec->is_there = false;
        drop(s, i);
        return;
    }
    bool is_new = !spec->is_there;
    spec->is_there = true;
    if (is_new || chance(2) == 0) {
        spec->n_collectors = chance(4);
        put_collectors(s, i, spec->n_collectors);
    }
    if (is_new || chance(3) > 0) {
        *spec = (struct spec){ true,      chance(3), spec->n_collectors,
                               chance(3), chance(8), chance(4) == 0 };
        put_tenant(s, i, spec);
    }
}

static void test_histories(void)
{
    bool are_same = true;

    for (unsigned history = 0; are_same && history < 40; history++) {
        struct spec specs[N_TENANTS] = { 0 };
        struct side s;
        seed = history;
        side_init(&s);
        for (unsigned step = 0; are_same && step < 25; step++) {
            for (unsigned n = chance(3) + 1; n > 0; n--) {
                change_one(&s, specs);
            }
            complete(&s);
            are_same = equals_twin(&s, specs);
            if (!are_same) {
                check_note("history %u, step %u", history, step);
            }
        }
        side_fini(&s);
    }
    ok(are_same, "after any history of tenants the pages are those of a new start");
}

int main(void)
{
    log_set_level(LOG_ERROR);
    test_order();
    test_batch();
    test_unchanged();
    test_collectors_wait();
    test_histories();
    return check_done();
}
