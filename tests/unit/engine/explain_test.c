/* What a trace says is what the allocator does: after any history of events the owners of all
 * traces are those on whose pages the targets are, for every strategy; and each step is told. */
#define LOG_MODULE "test"
#include "allocator/engine/explain.h"

#include "allocator/base/log.h"
#include "tests/check.h"
#include "tests/unit/engine/state_world.h"

#include <stdlib.h>

/* ---- whose a target is */

struct told {
    VEC(char *) owners; /* "JOB ADDRESS COLLECTOR" of each target that somebody has */
    size_t n, n_kept, n_dropped, n_invalid, n_served, n_unassigned;
    bool is_orderly;
    VEC(struct twin { /* of one job: identities, and the address that is served */
                      uint64_t identity;
                      char *address;
    })
    heads;
    const struct scrapejob *job;
};

static void forget_heads(struct told *told)
{
    vec_each(&told->heads, h) {
        mem_free(h->address);
    }
    vec_clear(&told->heads);
}

static const struct twin *find_head(const struct told *told, uint64_t identity)
{
    vec_each(&told->heads, h) {
        if (h->identity == identity) {
            return h;
        }
    }
    return NULL;
}

static void note_kept(struct told *told, const struct explain_target *t)
{
    const struct twin *head = find_head(told, t->verdict.identity);

    told->n_kept++;
    told->n_served += t->is_served;
    if (!t->is_served) { /* somebody before it is */
        told->is_orderly &= head != NULL && span_is(t->served, head->address);
        return;
    }
    told->is_orderly &= head == NULL && span_eq(t->served, t->address);
    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): there is room */
    *vec_push(&told->heads) =
        (struct twin){ t->verdict.identity, mem_strndup(t->address.p, t->address.len) };
    told->n_unassigned += t->owner.len == 0;
    if (t->owner.len > 0) {
        *vec_push(&told->owners) = mem_printf("%.*s %.*s %.*s", SPAN_ARG(t->job->name),
                                              SPAN_ARG(t->address), SPAN_ARG(t->owner));
    }
}

static void note_target(void *arg, const struct explain_target *t)
{
    struct told *told = arg;

    if (t->job != told->job) {
        forget_heads(told);
        told->job = t->job;
    }
    told->n++;
    told->n_dropped += t->verdict.kind == VERDICT_DROPPED;
    told->n_invalid += t->verdict.kind == VERDICT_INVALID;
    if (t->verdict.kind == VERDICT_KEPT) {
        note_kept(told, t);
    }
    if (t->verdict.kind == VERDICT_DROPPED) {
        told->is_orderly &=
            t->n_steps == t->verdict.rule + 1 && t->steps[t->n_steps - 1].outcome == RELABEL_DROP;
    }
}

/* The addresses on one page. */
static void list_page(struct told *out, const char *job, const char *page, struct span collector)
{
    static const char mark[] = "{\"targets\":[\"";

    for (const char *at = page; (at = strstr(at, mark)) != NULL;) {
        at += sizeof(mark) - 1;
        *vec_push(&out->owners) =
            mem_printf("%s %.*s %.*s", job, (int)strcspn(at, "\""), at, SPAN_ARG(collector));
    }
}

static void list_pages(const struct side *s, const struct world *w, struct told *out)
{
    const struct snapshot *now = shown(s);
    size_t n = 0, row = 0;
    AUTO_BUF page;

    buf_init(&page, MIB);
    for (unsigned i = 0; i < N_JOBS; i++) {
        if ((w->jobs >> i & 1) == 0) {
            continue;
        }
        AUTO_STR job = mem_printf("job%u", i);
        const struct span *names = directory_collectors(now->directory, 0, &n);
        for (size_t k = 0; k < n; k++) {
            buf_clear(&page);
            add_page(page_row_find(now->rows[row], directory_seats(now->directory, 0)[k]), &page);
            buf_add_char(&page, '\0');
            list_page(out, job, page.p, names[k]);
        }
        row++;
    }
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void sort_owners(struct told *told)
{
    if (told->owners.n > 1) {
        qsort(told->owners.v, told->owners.n, sizeof(char *), compare_texts);
    }
}

static void free_told(struct told *told)
{
    forget_heads(told);
    vec_fini(&told->heads);
    vec_each(&told->owners, text) {
        mem_free(*text);
    }
    vec_fini(&told->owners);
}

static bool are_same_owners(const struct told *a, const struct told *b)
{
    for (size_t i = 0; i < a->owners.n && i < b->owners.n; i++) {
        if (strcmp(a->owners.v[i], b->owners.v[i]) != 0) {
            check_note("trace '%s', page '%s'", a->owners.v[i], b->owners.v[i]);
            return false;
        }
    }
    return a->owners.n == b->owners.n;
}

static const struct explain_question everything = { .ns = { "", 0 }, .name = { "", 0 } };

static bool is_told_right(const struct side *s, const struct world *w)
{
    role_enter(engine);
    struct told traced = { .is_orderly = true }, served = { 0 };
    struct state_counts counts;

    explain_targets(s->explain, &everything, note_target, &traced);
    list_pages(s, w, &served);
    state_count(s->state, &counts);
    sort_owners(&traced);
    sort_owners(&served);
    bool is_right = are_same_owners(&traced, &served) && traced.is_orderly &&
                    traced.n == counts.n_discovered && traced.n_kept == counts.n_kept &&
                    traced.n_dropped == counts.n_dropped && traced.n_invalid == counts.n_invalid &&
                    traced.n_served == counts.n_served &&
                    traced.n_unassigned == counts.n_unassigned;
    free_told(&traced);
    free_told(&served);
    return is_right;
}

static bool run_history(const char *strategy, uint64_t from_seed, int n_events)
{
    struct world w = {
        .n_collectors = 3, .strategy = strategy, .jobs = 63, .rules = { 0, 1, 2, 3 }
    };
    struct side s;
    bool is_good = true;

    seed = from_seed;
    for (int i = 0; i < N_FILES; i++) {
        mem_free(files[i]);
        files[i] = chance(3) == 0 ? NULL : write_body(i);
    }
    side_init(&s);
    s.explain = explain_new(s.state);
    configure(&s, &w);
    publish(&s);
    for (int i = 0; is_good && i < n_events; i++) {
        if (chance(6) == 0) {
            change_world(&w);
            configure(&s, &w);
        } else {
            change_file(&s);
        }
        publish(&s);
        is_good = is_told_right(&s, &w);
        if (!is_good) {
            check_note("strategy %s, seed %llu, event %d", strategy, (unsigned long long)from_seed,
                       i);
        }
    }
    side_fini(&s);
    return is_good;
}

static void test_histories(void)
{
    static const char *const known[] = { "consistent-hashing", "rendezvous", "bounded-rendezvous",
                                         "per-node", "least-weighted" };

    for (unsigned i = 0; i < 8 * COUNT(known); i++) {
        if (!run_history(known[i % COUNT(known)], i * 104729 + 3, 40)) {
            ok(false, "history %u", i);
            return;
        }
    }
    ok(true, "40 histories of 40 events: what is traced is what is on the pages");
}

/* ---- step by step */

static void write_target(void *arg, const struct explain_target *t)
{
    struct buf *out = arg;
    static const char *const kinds[] = { "kept", "dropped", "invalid" };

    buf_addf(out, "%.*s %.*s of %.*s %s[%zu] ends as %.*s\n", SPAN_ARG(t->job->name),
             SPAN_ARG(t->address), SPAN_ARG(t->source), t->section->section, t->section->index,
             SPAN_ARG(t->final_address));
    for (size_t i = 0; i < t->n_labels; i++) {
        buf_addf(out, " %s=%.*s", t->labels[i].name->text, SPAN_ARG(t->labels[i].value));
    }
    buf_addf(out, "\n %zu seeds", t->n_seeds);
    for (size_t i = 0; i < t->n_steps; i++) {
        const struct explain_step *step = &t->steps[i];
        buf_addf(out, "\n %zu %.8s%s%s%s", step->rule, step->description,
                 step->outcome == RELABEL_DROP ? " drops" : "", step->idle == NULL ? "" : " ",
                 step->idle == NULL ? "" : step->idle);
        for (size_t k = 0; k < step->n_changes; k++) {
            const struct explain_change *c = &step->changes[k];
            buf_addf(out, " %s:%.*s>%.*s", c->name->text, SPAN_ARG(c->before), SPAN_ARG(c->after));
        }
    }
    buf_addf(out, "\n %s %s%.*s%s%.*s %s/%zu\n", kinds[t->verdict.kind],
             t->verdict.reason == NULL ? "" : t->verdict.reason, SPAN_ARG(t->served),
             t->is_served ? "!" : "", SPAN_ARG(t->owner), t->strategy, t->n_collectors);
}

/* A state with one file source and one static section, and nothing to wait for. */
static void start(struct side *s, const char *rules)
{
    AUTO_STR text = mem_printf("config:\n  scrape_configs:\n"
                               "  - job_name: a\n%s"
                               "    static_configs: [{targets: [s:1], labels: {x: y}}]\n"
                               "    file_sd_configs: [{files: [/f0.json]}]\n"
                               "  - job_name: b\n"
                               "    file_sd_configs: [{files: [/f0.json]}]\n",
                               rules);

    side_init(s);
    s->explain = explain_new(s->state);
    configure_text(s, text, 1);
    answer_wants(s);
    publish(s);
}

static void ask(const struct side *s, const char *job, const char *target, struct buf *out)
{
    role_enter(engine);
    const struct explain_question q = { { "", 0 }, { "", 0 }, span_of(job), span_of(target) };

    buf_clear(out);
    explain_targets(s->explain, &q, write_target, out);
    buf_add_char(out, '\0');
}

static void test_steps(void)
{
    struct side s;
    AUTO_BUF out;

    buf_init(&out, MIB);
    clear_files();
    files[0] = mem_strdup("[{\"targets\":[\"f:1\",\"\"],\"labels\":{\"e\":\"\",\"x\":\"z\"}}]");
    start(&s, "    relabel_configs:\n"
              "    - {source_labels: [__address__], regex: 's:(.*)', target_label: __address__, "
              "replacement: 't:$1'}\n"
              "    - {regex: x, action: labeldrop}\n"
              "    - {target_label: n, replacement: v}\n"
              "    - {source_labels: [__address__], regex: 'f:1', action: drop}\n");
    ask(&s, "a", NULL, &out);
    is_str(out.p,
           "a s:1 of  static_configs[0] ends as t:1\n"
           " __address__=s:1 x=y\n"
           " 8 seeds\n 0 replace  __address__:s:1>t:1\n 1 labeldro x:y>\n 2 replace  n:>v\n"
           " 3 drop [__ did not match\n"
           " kept s:1!c0 consistent-hashing/1\n"
           "a f:1 of /f0.json file_sd_configs[0] ends as f:1\n"
           " __address__=f:1 __meta_filepath=/f0.json e= x=z\n"
           " 8 seeds\n 0 replace  did not match\n 1 labeldro x:z>\n 2 replace  n:>v\n"
           " 3 drop [__ drops\n"
           " dropped  consistent-hashing/1\n"
           "a  of /f0.json file_sd_configs[0] ends as \n"
           " __address__= __meta_filepath=/f0.json e= x=z\n"
           " 8 seeds\n 0 replace  did not match\n 1 labeldro x:z>\n 2 replace  n:>v\n"
           " 3 drop [__ did not match\n"
           " invalid no address consistent-hashing/1\n",
           "static and found, each step, kept, dropped and invalid");
    ask(&s, NULL, "t:1", &out);
    ok(strstr(out.p, "a s:1 of ") == out.p && strstr(out.p, "f:1") == NULL,
       "one is found by what becomes of its address");
    ask(&s, NULL, "f:1", &out);
    ok(strstr(out.p, "a f:1") == out.p && strstr(out.p, "\nb f:1") != NULL &&
           strstr(out.p, "s:1") == NULL,
       "or by the address it had, in all jobs");
    ask(&s, "b", "s:1", &out);
    is_str(out.p, "", "not in another job");
    side_fini(&s);
}

/* ---- what came of it */

static void write_job(void *arg, const struct explain_job *j)
{
    buf_addf(arg, "%.*s: %zu failed, %zu missing", SPAN_ARG(j->job->name), j->n_failed,
             j->n_missing);
    for (size_t i = 0; i < j->n_faults; i++) {
        buf_addf(arg, ", %s", j->faults[i]);
    }
    buf_add_str(arg, "\n");
}

static void ask_jobs(const struct side *s, struct buf *out)
{
    role_enter(engine);
    buf_clear(out);
    explain_jobs(s->explain, SPAN_LIT(""), SPAN_LIT(""), write_job, out);
    buf_add_char(out, '\0');
}

static void test_gaps(void)
{
    struct side s;
    AUTO_BUF out;

    buf_init(&out, MIB);
    clear_files();
    files[0] = mem_strdup("[{\"targets\":[\"f:1\"]}]");
    start(&s, "");
    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): there are listeners */
    uint64_t id = s.listeners.v[0].id;
    ask_jobs(&s, &out);
    is_str(out.p, "a: 0 failed, 0 missing\nb: 0 failed, 0 missing\n", "nothing is missing");
    tell(&s, id, ARRIVAL_FAILED, 0, NULL);
    ask_jobs(&s, &out);
    is_str(out.p, "a: 1 failed, 0 missing\nb: 1 failed, 0 missing\n", "a source that fails");
    tell(&s, id, ARRIVAL_OK, 0, "[{");
    ask_jobs(&s, &out);
    is_str(out.p,
           "a: 0 failed, 0 missing, /f0.json: offset 2: the text ends too early\n"
           "b: 0 failed, 0 missing, /f0.json: offset 2: the text ends too early\n",
           "one that cannot be read");
    ask(&s, "b", NULL, &out);
    ok(strstr(out.p, "b f:1 of /f0.json") == out.p, "what it had before is still there");
    tell(&s, id, ARRIVAL_OK, 0, "[{\"targets\":[\"g:1\"]}]");
    ask(&s, "b", NULL, &out);
    ok(strstr(out.p, "b g:1 of /f0.json") == out.p, "until there is something else");
    ask_jobs(&s, &out);
    is_str(out.p, "a: 0 failed, 0 missing\nb: 0 failed, 0 missing\n", "and nothing is missing");
    tell(&s, id, ARRIVAL_VANISHED, 0, NULL);
    ask(&s, "b", NULL, &out);
    is_str(out.p, "", "what vanished is not told of");
    side_fini(&s);
}

static void test_missing(void)
{
    struct side s;
    AUTO_BUF out;

    buf_init(&out, MIB);
    side_init(&s);
    s.explain = explain_new(s.state);
    configure_text(
        &s,
        "config:\n  scrape_configs:\n"
        "  - job_name: a\n    file_sd_configs: [{files: [/f0.json]}, {files: [/f1.json]}]\n"
        "  - job_name: b\n    static_configs: [{targets: [b:1]}]\n",
        1);
    ask_jobs(&s, &out);
    is_str(out.p, "a: 0 failed, 2 missing\nb: 0 failed, 0 missing\n", "sections without an answer");
    state_tick(s.state, INT64_MAX);
    ask_jobs(&s, &out);
    is_str(out.p, "a: 0 failed, 2 missing\nb: 0 failed, 0 missing\n", "in time");
    tell(&s, 99, ARRIVAL_OK, 0, "[{\"targets\":[\"g:1\"]}]");
    ask(&s, NULL, NULL, &out);
    ok(strstr(out.p, "b b:1 of ") == out.p && strstr(out.p, "g:1") == NULL,
       "what nobody asked for is not told of");
    side_fini(&s);
}

/* ---- objects of a cluster, which the state has itself */

#define POD(name, ip)                                                                              \
    "{\"metadata\":{\"name\":\"" name                                                              \
    "\",\"namespace\":\"n\"},\"spec\":{\"containers\":[{\"name\":"                                 \
    "\"c\",\"ports\":[{\"containerPort\":80}]}]},\"status\":{\"podIP\":\"" ip "\"}}"

static uint64_t take_want(struct side *s)
{
    uint64_t id = 0;

    for (struct mail *mail = mailbox_drain(s->wants), *next; mail != NULL; mail = next) {
        next = mail->next;
        id = mail->kind == WATCHER_WANT_ADD ? CONTAINER_OF(mail, struct want, mail)->id : id;
        mail->dispose(mail);
    }
    return id;
}

static void put_pod(struct objectdraft *draft, const char *key, const char *pod)
{
    buf_add_str(&draft->text, pod);
    objectdraft_add(draft, OBJECT_SET, strlen(pod), span_of(key), SPAN_LIT("1"));
}

static void test_objects(void)
{
    role_enter(engine);
    const struct reflector_report report = { .state = REFLECTOR_FOLLOWING, .problem = "" };
    struct objectdraft draft;
    struct side s;
    AUTO_BUF out;

    buf_init(&out, MIB);
    objectdraft_init(&draft, MIB);
    side_init(&s);
    s.explain = explain_new(s.state);
    configure_text(&s,
                   "config:\n  scrape_configs:\n"
                   "  - {job_name: a, kubernetes_sd_configs: [{role: pod}]}\n"
                   "  - {job_name: b, kubernetes_sd_configs: [{role: pod}], relabel_configs: "
                   "[{action: keep, source_labels: [__meta_kubernetes_pod_name], regex: x}]}\n"
                   "filter_strategy: relabel-config\n",
                   1);
    uint64_t want = take_want(&s);
    ask(&s, NULL, NULL, &out);
    is_str(out.p, "", "before a cluster has answered there is nothing to tell");
    objectdraft_mark(&draft, OBJECTS_BEGIN);
    put_pod(&draft, "n/y", POD("y", "1.1.1.2"));
    put_pod(&draft, "n/x", POD("x", "1.1.1.1"));
    objectdraft_mark(&draft, OBJECTS_COMMIT);
    AUTO(objectbatch) batch = objectdraft_take(&draft);
    struct object_arrival *a = object_arrival_new(want, batch, &report);
    state_take_objects(s.state, a);
    a->mail.dispose(&a->mail);
    publish(&s);
    ask(&s, "a", NULL, &out);
    const char *x = strstr(out.p, "a 1.1.1.1:80 of pod/n/x kubernetes_sd_configs[0]");
    const char *y = strstr(out.p, "a 1.1.1.2:80 of pod/n/y kubernetes_sd_configs[0]");
    ok(x == out.p && y > x, "both pods, by name: %s", out.p);
    ok(strstr(out.p, " kept 1.1.1.2:80!c0 ") != NULL, "each with its owner");
    ask(&s, "b", NULL, &out);
    ok(strstr(out.p, " kept 1.1.1.1:80!c0 ") != NULL,
       "the other job has the one that its rule keeps");
    ok(strstr(out.p, " 0 keep [__ drops\n dropped ") != NULL, "and drops the other");
    ask_jobs(&s, &out);
    is_str(out.p, "a: 0 failed, 0 missing\nb: 0 failed, 0 missing\n", "nothing is missing");
    objectdraft_fini(&draft);
    side_fini(&s);
}

int main(void)
{
    log_set_level(LOG_ERROR);
    test_steps();
    test_gaps();
    test_missing();
    test_objects();
    test_histories();
    clear_files();
    return check_done();
}
