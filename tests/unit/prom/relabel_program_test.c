#include "allocator/prom/relabel_program.h"

#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "allocator/base/thread.h"
#include "tests/check.h"

struct fixture {
    struct arena arena;
    struct faults faults;
};

static void setup(struct fixture *x)
{
    arena_init(&x->arena);
    faults_init(&x->faults);
}

static void teardown(struct fixture *x)
{
    faults_fini(&x->faults);
    arena_fini(&x->arena);
}

/* "regex": a rule that keeps targets by it. ' stands for ". */
static void read_rule(struct fixture *x, const char *text, struct relabel_config *out)
{
    struct node *node = NULL;
    struct err err = { 0 };
    char *json = arena_strndup(&x->arena, text, strlen(text));

    for (char *p = json; *p != '\0'; p++) {
        *p = *p == '\'' ? '"' : *p;
    }
    if (node_from_json(span_of(json), 0, &x->arena, &node, &err) < 0 ||
        !relabel_config_read(node, true, &x->arena, &x->faults, out)) {
        check_note("'%s': %s", text, err.text);
    }
}

static struct relabel_program *get(struct fixture *x, const char *text, struct regex_budget *budget)
{
    struct relabel_config c = { 0 };

    read_rule(x, text, &c);
    return relabel_program_get(&c, budget, &x->faults);
}

static void test_equal_text(void)
{
    static const char rule[] = "{'source_labels':['a','b'],'regex':'x(.*)','target_label':'c'}";
    static const char *const others[] = {
        "{'source_labels':['a','b'],'regex':'x(.+)','target_label':'c'}",
        "{'source_labels':['a','b'],'regex':'x(.*)','target_label':'d'}",
        "{'source_labels':['a'],'regex':'x(.*)','target_label':'c'}",
        "{'source_labels':['ab'],'regex':'x(.*)','target_label':'c'}",
        "{'source_labels':['a','b'],'regex':'x(.*)','target_label':'c','separator':''}",
        "{'source_labels':['a','b'],'regex':'x(.*)','target_label':'c','replacement':'$2'}",
        "{'source_labels':['a','b'],'regex':'x(.*)','action':'keep','target_label':'c'}",
        "{'source_labels':['a','b'],'action':'hashmod','modulus':2,'target_label':'c'}",
        "{'source_labels':['a','b'],'action':'hashmod','modulus':3,'target_label':'c'}",
    };
    struct relabel_program *all[COUNT(others)];
    struct fixture x;

    setup(&x);
    struct relabel_program *first = get(&x, rule, NULL);
    struct relabel_program *second = get(&x, rule, NULL);
    ok(first != NULL && first == second, "equal text is one program");
    struct relabel_program *spelled =
        get(&x,
            "{'target_label':'c','separator':';','action':'Replace','regex':'x(.*)',"
            "'replacement':'$1','source_labels':['a','b']}",
            NULL);
    ok(first == spelled, "also with the defaults written down, in another order");
    for (size_t i = 0; i < COUNT(others); i++) {
        all[i] = get(&x, others[i], NULL);
        bool is_new = all[i] != NULL && all[i] != first;
        for (size_t k = 0; k < i; k++) {
            is_new = is_new && all[k] != all[i];
        }
        ok(is_new, "another program: %s", others[i]);
    }
    is_str(first->description, "replace [a;b] =~ x(.*) -> c := \"$1\"", "described");
    for (size_t i = 0; i < COUNT(others); i++) {
        relabel_program_put(all[i]);
    }
    relabel_program_put(spelled);
    relabel_program_put(second);
    relabel_program_put(first);
    relabel_program_put(NULL);
    is_int(x.faults.n, 0, "no faults");
    teardown(&x);
}

static void test_stays(void)
{
    static const char rule[] = "{'source_labels':['stays'],'regex':'a.*b.*c','action':'keep'}";
    struct relabel_program_counts before, after;
    struct fixture x;

    setup(&x);
    before = relabel_program_count();
    struct relabel_program *p = get(&x, rule, NULL);
    after = relabel_program_count();
    is_int(after.n_used, before.n_used + 1, "one more is used");
    relabel_program_put(p);
    after = relabel_program_count();
    is_int(after.n_used, before.n_used, "nobody has it");
    is_int(after.n_idle, before.n_idle + 1, "and it is still there");
    ok(after.idle_bytes >= before.idle_bytes + 64 * KIB, "with what RE2 may take for it");
    struct relabel_program *again = get(&x, rule, NULL);
    ok(again == p, "who wants it next has the same");
    is_int(relabel_program_count().idle_bytes, before.idle_bytes, "it is not idle any more");
    relabel_program_put(again);
    teardown(&x);
}

/* Somebody writes rule after rule: what nobody has is bounded, what somebody has stays. */
static void test_bounded(void)
{
    struct relabel_program_counts before = relabel_program_count();
    struct fixture x;
    size_t most = 0, most_bytes = 0;

    setup(&x);
    struct relabel_program *held = get(&x, "{'regex':'held','action':'keep'}", NULL);
    struct relabel_program *oldest = get(&x, "{'regex':'oldest','action':'keep'}", NULL);
    relabel_program_put(oldest);
    for (size_t i = 0; i < 3 * LIMIT_PROGRAMS_IDLE; i++) {
        char rule[128];
        snprintf(rule, sizeof(rule), "{'regex':'%s%zu','action':'keep'}",
                 i % 16 == 0 ? "a.*b.*" : "word-", i);
        relabel_program_put(get(&x, rule, NULL));
        struct relabel_program_counts now = relabel_program_count();
        most = now.n_idle > most ? now.n_idle : most;
        most_bytes = now.idle_bytes > most_bytes ? now.idle_bytes : most_bytes;
    }
    ok(most <= LIMIT_PROGRAMS_IDLE, "at most %zu were idle", most);
    ok(most_bytes <= LIMIT_PROGRAMS_IDLE_BYTES, "of at most %zu bytes", most_bytes);
    is_int(relabel_program_count().n_used, before.n_used + 1, "one is used");
    struct relabel_program *found = get(&x, "{'regex':'held','action':'keep'}", NULL);
    ok(found == held, "and it is the one that is held");
    relabel_program_put(found);
    relabel_program_put(held);
    teardown(&x);
}

/* A verdict does not depend on what somebody else has. */
static void test_pays_again(void)
{
    static const char rule[] = "{'regex':'(a|b)*c{20}.*x','action':'keep'}";
    struct fixture x;

    setup(&x);
    struct regex_budget first = regex_budget_new(), second = regex_budget_new();
    struct relabel_program *p = get(&x, rule, &first), *same = get(&x, rule, &second);
    ok(p != NULL && p == same, "one program");
    is_int(first.memory_left, second.memory_left, "paid for twice");
    is_int(first.work_left, second.work_left, "the work, too");
    ok(first.memory_left < regex_budget_new().memory_left, "it costs something");
    struct regex_budget poor = { .memory_left = 1, .work_left = regex_budget_new().work_left };
    ok(get(&x, rule, &poor) == NULL && x.faults.n_errors == 1, "not for who has too little left");
    struct regex_budget tired = { .memory_left = regex_budget_new().memory_left, .work_left = 0 };
    ok(get(&x, rule, &tired) == NULL && x.faults.n_errors == 2, "or has had enough work");
    relabel_program_put(same);
    relabel_program_put(p);
    teardown(&x);
}

/* The process has room for one more, not for two: what is there stays, what is idle makes room. */
static void test_process_cap(void)
{
    static const char first[] = "{'regex':'f.*i.*r.*st','action':'keep'}",
                      second[] = "{'regex':'s.*e.*c.*ond','action':'keep'}";
    struct fixture x;

    setup(&x);
    struct relabel_program_counts before = relabel_program_count();
    relabel_program_cap(before.bytes - before.idle_bytes + 100 * KIB);
    struct relabel_program *p = get(&x, first, NULL);
    ok(p != NULL, "room for one");
    ok(get(&x, second, NULL) == NULL && x.faults.n_errors == 1, "and not for another");
    ok(x.faults.n == 1 && strstr(x.faults.v[0].text, "all Collectors together") != NULL,
       "which is said: %s", x.faults.n == 1 ? x.faults.v[0].text : "");
    is_int(relabel_program_count().n_refused, before.n_refused + 1, "and counted");
    struct relabel_program *same = get(&x, first, NULL);
    ok(same == p, "what is there needs no room");
    is_int(relabel_program_count().n_used, before.n_used + 1, "nothing is left of the other");
    relabel_program_put(same);
    relabel_program_put(p);
    p = get(&x, second, NULL);
    ok(p != NULL && x.faults.n_errors == 1, "what is idle makes room");
    relabel_program_put(p);
    relabel_program_cap(LIMIT_REGEX_PROCESS);
    is_int(relabel_program_count().bytes,
           before.bytes - before.idle_bytes + relabel_program_count().idle_bytes, "counted");
    teardown(&x);
}

static void test_faults(void)
{
    struct fixture x;
    size_t n = relabel_program_count().n_used + relabel_program_count().n_idle;

    setup(&x);
    ok(get(&x, "{'regex':'(','action':'keep'}", NULL) == NULL, "no regex");
    ok(get(&x, "{'regex':'(','action':'keep'}", NULL) == NULL, "and still none");
    is_int(x.faults.n_errors, 2, "said each time");
    is_int(relabel_program_count().n_used + relabel_program_count().n_idle, n, "nothing is kept");
    teardown(&x);
}

/* Serving threads review while the keeper reads and the engine lets go. */
static void *play(void *arg)
{
    struct fixture x;
    size_t *n_missing = arg;

    setup(&x);
    for (size_t i = 0; i < 400; i++) {
        char rule[64];
        snprintf(rule, sizeof(rule), "{'regex':'(played|%zu).+','action':'keep'}", i % 7);
        struct relabel_program *p = get(&x, rule, NULL);
        *n_missing += p == NULL || !regex_match(p->regex, SPAN_LIT("played!"), NULL);
        relabel_program_put(p);
    }
    teardown(&x);
    return NULL;
}

static void test_threads(void)
{
    struct relabel_program_counts before = relabel_program_count();
    size_t n_missing[3] = { 0 };
    pthread_t threads[COUNT(n_missing)];

    for (size_t i = 0; i < COUNT(threads); i++) {
        is_int(thread_start(&threads[i], "player", play, &n_missing[i], NULL), 0, "a thread");
    }
    for (size_t i = 0; i < COUNT(threads); i++) {
        thread_join(threads[i]);
        is_int(n_missing[i], 0, "all its rules ran");
    }
    is_int(relabel_program_count().n_used, before.n_used, "and none is used any more");
}

int main(void)
{
    test_equal_text();
    test_stays();
    test_pays_again();
    test_faults();
    test_threads();
    test_bounded();
    test_process_cap();
    return check_done();
}
