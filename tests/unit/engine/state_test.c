/* The incremental path against its twin: after any history of events a state publishes the very
 * bytes that a new state publishes which is shown only how things stand now. */
#define LOG_MODULE "test"
#include "allocator/engine/state.h"

#include "allocator/base/container.h"
#include "allocator/base/limits.h"
#include "allocator/base/log.h"
#include "allocator/base/mem.h"
#include "allocator/base/metric.h"
#include "allocator/base/vec.h"
#include "tests/check.h"
#include "tests/unit/engine/side.h"
#include "tests/unit/engine/state_world.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- comparison */

/* Every kept target has one owner, or is counted as having none. */
static bool is_complete(const struct side *s)
{
    struct state_counts counts;
    size_t n_pages = 0, n_rows = 0;

    state_count(s->state, &counts);
    for (size_t i = 0; i < shown(s)->n_jobs; i++) {
        const struct page_row *row = shown(s)->rows[i];
        n_rows += row->n_targets;
        for (size_t k = 0; k < row->n; k++) {
            n_pages += row->pages[k]->n_targets;
        }
    }
    return n_rows == counts.n_served && n_pages + counts.n_unassigned == counts.n_served;
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static struct span trimmed(struct span s)
{
    while (s.len > 0 && strchr("[],\n ", s.p[s.len - 1]) != NULL) {
        s.len--;
    }
    while (s.len > 0 && strchr("[],\n ", s.p[0]) != NULL) {
        s = span_from(s, 1);
    }
    return s;
}

/* All targets of a job as sorted texts: what is kept, whoever has it. */
static void kept_text(const struct snapshot *s, size_t job, struct buf *out)
{
    const struct page_row *row = s->rows[job];
    VEC(char *) targets = { 0 };
    AUTO_BUF text;

    buf_init(&text, MIB);
    for (size_t k = 0; k < row->n; k++) {
        buf_clear(&text);
        add_page(row->pages[k], &text);
        for (char *p = text.p, *next; text.len > 0 && p != NULL && *p != '\0'; p = next) {
            next = strstr(p + 2, "{\"targets\"");
            struct span t = trimmed(span_make(p, next == NULL ? strlen(p) : (size_t)(next - p)));
            *vec_push(&targets) = mem_strndup(t.p, t.len);
        }
    }
    if (targets.n > 1) {
        qsort(targets.v, targets.n, sizeof(char *), compare_texts);
    }
    buf_clear(out);
    buf_addf(out, "%zu targets\n", row->n_targets);
    vec_each(&targets, t) {
        buf_addf(out, "%s\n", *t);
        mem_free(*t);
    }
    vec_fini(&targets);
}

static bool equals_twin(const struct side *s, const struct world *w)
{
    text_fn *text = strcmp(w->strategy, "least-weighted") == 0 ? kept_text : job_text;
    struct side twin;

    side_init(&twin);
    configure(&twin, w);
    publish(&twin);
    bool is_same = is_same_snapshot(s->current, twin.current, text);
    side_fini(&twin);
    return is_same;
}

/* ---- histories */

/* Reloads that follow each other faster than discovery answers. */
static void change_often(struct side *s, struct world *w)
{
    for (unsigned i = chance(4); i > 0; i--) {
        const struct world before = *w;
        change_world(w);
        configure_unanswered(s, w);
        if (chance(2) == 0) {
            publish(s);
        }
        if (chance(2) == 0) {
            change_file(s);
            publish(s);
        }
        if (chance(3) == 0) {
            *w = before;
        }
    }
}

static bool run_history(uint64_t from_seed, int n_events)
{
    struct world w = { .n_collectors = 3,
                       .strategy = "consistent-hashing",
                       .jobs = (1 << N_JOBS) - 1,
                       .rules = { 0, 1, 2, 3, 1, 0, 2 } };
    struct side s;
    bool is_good = true;

    seed = from_seed;
    for (int i = 0; i < N_FILES; i++) {
        mem_free(files[i]);
        files[i] = chance(3) == 0 ? NULL : write_body(i);
    }
    side_init(&s);
    configure(&s, &w);
    publish(&s);
    for (int i = 0; is_good && i < n_events; i++) {
        if (chance(8) == 0) {
            change_often(&s, &w);
            change_world(&w);
            configure(&s, &w);
        } else {
            change_file(&s);
        }
        if (chance(3) == 0) {
            continue; /* several events, one publication */
        }
        publish(&s);
        is_good = is_complete(&s) && equals_twin(&s, &w);
        if (!is_good) {
            check_note("seed %llu, event %d, complete %d", (unsigned long long)from_seed, i,
                       is_complete(&s));
        }
    }
    side_fini(&s);
    return is_good;
}

static void test_histories(void)
{
    for (unsigned i = 0; i < 40; i++) {
        if (!run_history(i * 7919 + 1, 60)) {
            ok(false, "history %u", i);
            return;
        }
    }
    ok(true, "40 histories of 60 events: each snapshot is that of a state which saw only the end");
}

/* ---- single rules */

static void test_served_form(void)
{
    struct world w = {
        .n_collectors = 1, .strategy = "consistent-hashing", .jobs = 1, .rules = { 1 }
    };
    struct side s;
    AUTO_BUF page;

    clear_files();
    files[0] = mem_strdup("[{\"targets\":[\"b:1\",\"a:1\"],\"labels\":{\"z\":\"\",\"__address__\":"
                          "\"no\",\"k\":\"\\u003cq\\\"\",\"drop\":\"vA2\"}},"
                          "{\"targets\":[\"gone:1\"],\"labels\":{\"drop\":\"vA1\"}}]");
    side_init(&s);
    configure(&s, &w);
    publish(&s);
    buf_init(&page, MIB);
    add_page(shown(&s)->rows[0]->pages[0], &page);
    is_json(buf_span(&page),
            span_of("[{\"targets\":[\"a:1\"],\"labels\":{\"__address__\":\"a:1\",\"__meta_"
                    "filepath\":\"/f0.json\",\"drop\":\"vA2\",\"k\":\"<q\\\"\","
                    "\"z\":\"\"}},{\"targets\":[\"b:1\"],\"labels\":{\"__address__\":\"b:1\",\"__"
                    "meta_filepath\":\"/f0.json\",\"drop\":\"vA2\","
                    "\"k\":\"<q\\\"\",\"z\":\"\"}}]"),
            "discovered labels, before relabeling, empty values kept, the target's own address");
    is_int(shown(&s)->rows[0]->n_targets, 2, "the dropped target does not count");
    side_fini(&s);
}

static void test_sync(void)
{
    role_enter(engine);
    struct world w = { .n_collectors = 2, .strategy = "consistent-hashing", .jobs = 1 };
    struct side s;

    clear_files();
    files[0] = mem_strdup("[{\"targets\":[\"a:1\"]}]");
    side_init(&s);
    publish(&s);
    ok(s.current == NULL, "nothing is published before there is a configuration");
    struct mailbox *wants = s.wants; /* keep the answers back */
    struct mail *kept = NULL;
    struct tenants_source source = { .kind = TENANTS_DROPIN };
    struct tenants_options options = { .collector_count = 1 };
    struct tenants tenants;
    struct faults faults;
    AUTO_BUF text;
    buf_init(&text, MIB);
    write_config(&w, &text);
    source.text = text.p;
    source.len = text.len;
    faults_init(&faults);
    is_int(tenants_load(&source, 1, &options, &faults, &tenants), 0, "configuration read");
    is_int(state_configure(s.state, &tenants, 1000, NULL), 0, "configuration taken");
    faults_fini(&faults);
    publish(&s);
    ok(s.current != NULL && !shown(&s)->is_synced, "before the first answers the snapshot says so");
    ok(!state_has_news(s.state), "and there is nothing more to say");
    is_int(state_deadline_ms(s.state), 31000, "patience is 30 seconds");
    kept = mailbox_drain(wants);
    for (struct mail *mail = kept, *next; mail != NULL; mail = next) {
        next = mail->next;
        uint64_t id = CONTAINER_OF(mail, struct want, mail)->id;
        tell(&s, id, ARRIVAL_FAILED, 0, NULL);
        if (next == NULL) {
            break;
        }
        tell(&s, id, ARRIVAL_SETTLED, 0, NULL);
    }
    publish(&s);
    ok(!shown(&s)->is_synced, "one of two sections is not enough");
    state_tick(s.state, 31000);
    publish(&s);
    ok(shown(&s)->is_synced, "patience ends");
    for (struct mail *mail = kept, *next; mail != NULL; mail = next) {
        next = mail->next;
        mail->dispose(mail);
    }
    side_fini(&s);
}

static void test_unchanged(void)
{
    struct world w = { .n_collectors = 2, .strategy = "consistent-hashing", .jobs = 3 };
    struct side s;

    clear_files();
    files[0] =
        mem_strdup("[{\"targets\":[\"a:1\"],\"labels\":{\"env\":\"x\"}},{\"targets\":[\"b:1\"]}]");
    side_init(&s);
    configure(&s, &w);
    publish(&s);
    const struct snapshot *first = s.current;
    vec_each(&s.listeners, l) {
        show_file(&s, l, 0);
    }
    publish(&s);
    ok(s.current == first, "the same content again publishes nothing");
    configure(&s, &w);
    publish(&s);
    ok(s.current == first, "the same configuration again publishes nothing");
    const struct page_row *row = shown(&s)->rows[1];
    mem_free(files[0]);
    files[0] =
        mem_strdup("[{\"targets\":[\"a:1\"],\"labels\":{\"env\":\"y\"}},{\"targets\":[\"b:1\"]}]");
    show_file(&s, &s.listeners.v[0], 0);
    publish(&s);
    ok(s.current != first && page_has(&s, 0, "\"env\":\"y\""), "one changed label is published");
    ok(shown(&s)->rows[1] == row, "the row of the other job is shared");
    side_fini(&s);
}

/* ---- reloads before discovery answers */

#define TARGET(address, drop) "[{\"targets\":[\"" address "\"],\"labels\":{\"drop\":\"" drop "\"}}]"

static void change_first_file(struct side *s, const char *body)
{
    mem_free(files[0]);
    files[0] = mem_strdup(body);
    vec_each(&s->listeners, l) {
        show_file(s, l, 0);
    }
    publish(s);
}

static void begin_reloads(struct side *s, const struct world *w)
{
    clear_files();
    files[0] = mem_strdup(TARGET("a:1", "vA1"));
    side_init(s);
    configure(s, w);
    publish(s);
}

#define META(address, meta) "{\"targets\":[\"" address "\"],\"labels\":{\"__meta_z\":\"" meta "\"}}"

/* Which of several with one identity is served goes by their places now, not as they were. */
static void test_one_identity(void)
{
    struct world w = { .n_collectors = 1, .strategy = "consistent-hashing", .jobs = 1 };
    struct side s;

    begin_reloads(&s, &w);
    change_first_file(&s, "[" META("a:1", "first") "," META("a:1", "second") "]");
    ok(page_has(&s, 0, "first") && !page_has(&s, 0, "second"), "of one identity the first");
    change_first_file(
        &s, "[" META("b:1", "new") "," META("a:1", "second") "," META("a:1", "first") "]");
    ok(page_has(&s, 0, "second") && !page_has(&s, 0, "first"), "also when one is as it was");
    side_fini(&s);
}

static void test_new_job_waits_alone(void)
{
    struct world w = { .n_collectors = 1, .strategy = "consistent-hashing", .jobs = 1 };
    struct side s;

    begin_reloads(&s, &w);
    const struct page_row *row = shown(&s)->rows[0];
    w.jobs = 5;
    configure_unanswered(&s, &w);
    publish(&s);
    is_int(shown(&s)->n_jobs, 2, "a new job is there at once");
    ok(shown(&s)->is_synced && shown(&s)->rows[0] == row, "the old one is as it was");
    ok(shown(&s)->rows[1] == NULL, "the new one has no row, though one of its sections is static");
    ok(!state_has_news(s.state), "nothing more to say");
    change_first_file(&s, TARGET("b:1", "vA1"));
    ok(page_has(&s, 0, "b:1"), "changes of the old job are published meanwhile");
    ok(shown(&s)->rows[1] == NULL, "still no row");
    w.n_collectors = 3;
    configure_unanswered(&s, &w);
    publish(&s);
    is_int(collectors_of(shown(&s), 0), 3, "so are new collectors");
    ok(shown(&s)->rows[1] == NULL, "still no row");
    answer_wants(&s);
    publish(&s);
    ok(shown(&s)->rows[1] != NULL && page_has(&s, 1, "a:1"), "it is published when it has answers");
    side_fini(&s);
}

static void configure_changed(struct side *s, const char *strategy, const char *files_text,
                              unsigned n_collectors)
{
    AUTO_STR text = mem_printf("allocation_strategy: %s\nconfig: {scrape_configs: [{job_name: j, "
                               "file_sd_configs: [{files: [%s]}]}]}",
                               strategy, files_text);

    configure_text(s, text, n_collectors);
    publish(s);
}

/* It asks for something that nobody has asked for. */
static void test_changed_job_is_served_as_before(void)
{
    struct side s;

    clear_files();
    files[0] = mem_strdup(TARGET("a:1", "vA1"));
    side_init(&s);
    configure_changed(&s, "consistent-hashing", "/f0.json", 2);
    answer_wants(&s);
    publish(&s);
    configure_changed(&s, "consistent-hashing", "/f0.json, /f4.json", 2);
    ok(page_has(&s, 0, "a:1"), "a changed job keeps its targets");
    change_first_file(&s, TARGET("b:1", "vA1"));
    ok(page_has(&s, 0, "b:1") && !page_has(&s, 0, "a:1"), "and follows its sources");
    configure_changed(&s, "consistent-hashing", "/f0.json, /f5.json", 1);
    is_int(collectors_of(shown(&s), 0), 1, "changed again, with fewer collectors");
    ok(page_has(&s, 0, "b:1"), "the oldest is served still");
    configure_changed(&s, "rendezvous", "/f0.json, /f5.json", 1);
    ok(page_has(&s, 0, "b:1"), "even by another strategy");
    configure_changed(&s, "rendezvous", "/f0.json", 1);
    change_first_file(&s, TARGET("c:1", "vA2"));
    ok(page_has(&s, 0, "c:1"), "changed back: it goes on as if nothing had been");
    side_fini(&s);
}

static size_t count_wants(struct side *s)
{
    size_t n = 0;

    for (struct mail *mail = mailbox_drain(s->wants), *next; mail != NULL; mail = next) {
        next = mail->next;
        n++;
        mail->dispose(mail);
    }
    return n;
}

#define JOINS(name, rules)                                                                         \
    "  - {job_name: " name ", file_sd_configs: [{files: [/f0.json]}], relabel_configs: [" rules    \
    "]}\n"
#define DROP(value) "{source_labels: [__meta_z], regex: " value ", action: drop}"

static void configure_joining(struct side *s, const char *jobs)
{
    AUTO_STR text = mem_printf("config:\n  scrape_configs:\n%s", jobs);

    configure_text(s, text, 1);
    publish(s);
}

/* Where the source is known, whoever joins needs no answer. */
static void test_known_is_served(void)
{
    struct side s;

    clear_files();
    files[0] = mem_strdup("[" META("a:1", "1") "," META("a:1", "2") "," META("a:1", "3") "]");
    side_init(&s);
    configure_joining(&s, JOINS("a", DROP("1")));
    answer_wants(&s);
    publish(&s);
    ok(page_has(&s, 0, "\"2\""), "the first is dropped");
    configure_joining(&s, JOINS("a", DROP("2")));
    ok(page_has(&s, 0, "\"1\"") && !page_has(&s, 0, "\"2\""),
       "other rules count at once, and what was dropped has its place again");
    configure_joining(&s, JOINS("a", DROP("2")) JOINS("b", "") JOINS("c", DROP("1|2")));
    ok(page_has(&s, 1, "\"1\"") && page_has(&s, 2, "\"3\""), "whoever asks for the same is served");
    configure_joining(&s, JOINS("b", DROP("1")) JOINS("c", DROP("1|2")));
    configure_joining(&s, JOINS("b", DROP("3")) JOINS("c", DROP("1|3")) JOINS("d", DROP("1|2")));
    ok(page_has(&s, 0, "\"1\"") && page_has(&s, 1, "\"2\"") && page_has(&s, 2, "\"3\""),
       "also of what several share, after the first one has gone");
    is_int(count_wants(&s), 0, "nothing is read again");
    change_first_file(&s, "[" META("d:1", "4") "]");
    ok(page_has(&s, 0, "d:1") && page_has(&s, 1, "d:1") && page_has(&s, 2, "d:1"),
       "a new reading reaches all");
    side_fini(&s);
}

#define POLLS(name, refresh)                                                                       \
    "  - {job_name: " name ", http_sd_configs: [{url: 'http://h/', refresh_interval: " refresh     \
    "}]}\n"

/* Nobody answers: what was known by another section that asks the same address, for whoever asks
 * in that way now. */
static void test_silence_after_change(void)
{
    struct side s;

    side_init(&s);
    configure_joining(&s, POLLS("a", "30s"));
    struct arrival *a = arrival_new(1, ARRIVAL_OK, "http://h/");
    a->body = mem_strdup(TARGET("a:1", "vA1"));
    a->body_len = strlen(a->body);
    state_arrive(s.state, a);
    arrival_free(&a);
    tell(&s, 1, ARRIVAL_SETTLED, 0, NULL);
    publish(&s);
    configure_joining(&s, POLLS("a", "60s") POLLS("b", "60s"));
    is_int(count_wants(&s), 2, "another section is asked, once");
    ok(page_has(&s, 0, "a:1"), "the job is served as before");
    ok(shown(&s)->rows[1] == NULL, "the new one waits");
    state_tick(s.state, 30000);
    publish(&s);
    ok(page_has(&s, 0, "a:1"), "patience ends: what it had");
    ok(page_has(&s, 1, "a:1"), "and who asks for the same has that too");
    side_fini(&s);
}

/* What nobody waited for any more is not an answer to whoever asked after that. */
static void test_late_answer(void)
{
    struct world w = { .n_collectors = 1, .strategy = "consistent-hashing", .jobs = 1 };
    struct side s;

    begin_reloads(&s, &w);
    w.rules[0] = 2;
    configure_unanswered(&s, &w);
    state_tick(s.state, 30000);
    publish(&s);
    ok(page_has(&s, 0, "a:1"), "patience ends: known targets");
    w.rules[0] = 0;
    configure_unanswered(&s, &w);
    tell(&s, 1, ARRIVAL_SETTLED, 0, NULL);
    tell(&s, 2, ARRIVAL_SETTLED, 0, NULL);
    publish(&s);
    ok(page_has(&s, 0, "a:1"), "the end of that reading is not the end of the next one");
    change_first_file(&s, TARGET("b:1", "vA1"));
    tell(&s, 1, ARRIVAL_SETTLED, 0, NULL);
    tell(&s, 2, ARRIVAL_SETTLED, 0, NULL);
    publish(&s);
    ok(page_has(&s, 0, "b:1") && !page_has(&s, 0, "a:1"), "which comes");
    side_fini(&s);
}

static void test_waiting_job_lets_go(void)
{
    struct world w = { .n_collectors = 1, .strategy = "consistent-hashing", .jobs = 1 };
    struct side s;

    begin_reloads(&s, &w);
    w.rules[0] = 1;
    configure_unanswered(&s, &w);
    change_first_file(&s, TARGET("b:1", "vA2"));
    change_first_file(&s, TARGET("c:1", "vA2"));
    change_first_file(&s, TARGET("d:1", "vA2")); /* the memory of b:1 is free now */
    answer_wants(&s);
    publish(&s);
    ok(page_has(&s, 0, "d:1") && !page_has(&s, 0, "b:1"), "a job that waited has what is there");
    side_fini(&s);
}

/* Nothing is rendered before every section was tried once, but directories are published. */
static void test_changes_before_sync(void)
{
    struct world w = { .n_collectors = 1, .strategy = "consistent-hashing", .jobs = 1 };
    struct side s;

    side_init(&s);
    configure_unanswered(&s, &w);
    publish(&s);
    tell(&s, 1, ARRIVAL_OK, 0, TARGET("a:1", "vA2"));
    tell(&s, 1, ARRIVAL_OK, 0, TARGET("b:1", "vA2"));
    w.n_collectors = 2;
    configure_unanswered(&s, &w);
    publish(&s); /* the memory of a:1 is free now */
    ok(!shown(&s)->is_synced && shown(&s)->rows[0] == NULL, "a reload before the first answers");
    tell(&s, 1, ARRIVAL_OK, 0, TARGET("c:1", "vA2"));
    tell(&s, 1, ARRIVAL_SETTLED, 0, NULL);
    tell(&s, 2, ARRIVAL_SETTLED, 0, NULL);
    publish(&s);
    ok(page_has(&s, 0, "c:1") && !page_has(&s, 0, "b:1") && !page_has(&s, 0, "a:1"),
       "what is shown then is what is there");
    side_fini(&s);
}

/* ---- several tenants */

static void test_unknown_strategy(void)
{
    role_enter(engine);
    struct tenant *tenant = tenant_new(SPAN_LIT(""), SPAN_LIT("x"));
    struct state *state = state_new(NULL);
    struct err err = { 0 };

    tenant->strategy = SPAN_LIT("best");
    is_int(state_put_tenant(state, &tenant, &err), ERR_NOT_FOUND, "an unknown strategy is refused");
    ok(tenant != NULL, "the tenant is the caller's");
    ok(strstr(err.text, "least-weighted") != NULL, "known ones are named: %s", err.text);
    state_complete(state, 0);
    struct state_counts counts;
    state_count(state, &counts);
    is_int(counts.n_jobs, 0, "and nothing has changed");
    tenant_free(&tenant);
    state_free(&state);
}

int main(void)
{
    log_set_level(LOG_ERROR);
    test_served_form();
    test_sync();
    test_unchanged();
    test_one_identity();
    test_new_job_waits_alone();
    test_changed_job_is_served_as_before();
    test_known_is_served();
    test_silence_after_change();
    test_late_answer();
    test_waiting_job_lets_go();
    test_changes_before_sync();
    test_unknown_strategy();
    test_histories();
    clear_files();
    return check_done();
}
