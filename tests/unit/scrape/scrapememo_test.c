#include "allocator/scrape/scrapememo.h"

#include "allocator/codec/yamldoc.h"
#include "allocator/scrape/promconfig.h"
#include "tests/check.h"

struct fixture {
    struct arena arena;
    struct faults f;
    struct strpool pool;
    struct scrapememo memo;
    struct scrapejobs before, after;
};

static void parse(struct fixture *x, const struct scrape_options *common, const char *yaml,
                  struct scrapejobs *out)
{
    struct scrape_options options = *common;
    struct node *root = NULL;

    options.memo = &x->memo;
    is_int(yamldoc_parse(span_of(yaml), &x->arena, &root, NULL), 0, "yaml");
    promconfig_parse(root, &options, &x->pool, &x->f, out);
}

#define JOB "{job_name: a, static_configs: [{targets: [x, '8']}], params: {k: [v]}}"
#define LIST(jobs) "scrape_configs: [" jobs "]"

static void test_what_makes_another_job(void)
{
    static const struct {
        const char *yaml, *what;
        struct scrape_options options;
        bool is_same;
    } t[] = {
        { LIST(JOB), "the same text", { 0 }, true },
        { "# x\n" LIST("\n  " JOB), "the same in another place", { 0 }, true },
        { LIST("{job_name: z}, " JOB), "behind another job", { 0 }, true },
        { LIST("{job_name: a, static_configs: [{targets: [x, 8]}], params: {k: [v]}}"),
          "a scalar without its quotes",
          { 0 },
          false },
        { LIST("{job_name: a, static_configs: [{targets: [x, '8', 9]}], params: {k: [v]}}"),
          "one more item",
          { 0 },
          false },
        { LIST("{job_name: a, static_configs: [{targets: [x, '8']}], params: {k: [v, '']}}"),
          "an empty item",
          { 0 },
          false },
        { "global: {scrape_interval: 7s}\n" LIST(JOB), "another global", { 0 }, false },
        { LIST(JOB), "another folder", { .base_dir = SPAN_LIT("/x") }, false },
        { LIST(JOB), "another receiver", { .receiver = SPAN_LIT("prometheus/2") }, false },
        { LIST(JOB), "another filter", { .filter = SCRAPE_FILTER_NONE }, false },
        { LIST(JOB), "dollars", { .unescape_dollars = true }, false },
        { LIST(JOB), "sharding", { .disable_sharding = true }, false },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        struct fixture x = { 0 };
        arena_init(&x.arena);
        faults_init(&x.f);
        strpool_init(&x.pool);
        scrapememo_init(&x.memo);
        parse(&x, &(struct scrape_options){ 0 }, LIST(JOB), &x.before);
        parse(&x, &t[i].options, t[i].yaml, &x.after);
        ok(x.before.n == 1 && x.after.n > 0, "%s: parsed", t[i].what);
        ok((x.before.v[0] == x.after.v[x.after.n - 1]) == t[i].is_same, "%s: %s job", t[i].what,
           t[i].is_same ? "the same" : "another");
        scrapejob_settle(x.before.v[0]);
        scrapejobs_fini(&x.before);
        is_span(x.after.v[x.after.n - 1]->name, SPAN_LIT("a"), "it outlives its first user");
        scrapejobs_fini(&x.after);
        parse(&x, &(struct scrape_options){ 0 }, LIST(JOB), &x.before);
        ok(x.before.n == 1 && x.before.v[0]->config != NULL, "and not its last");
        scrapejobs_fini(&x.before);
        scrapememo_fini(&x.memo);
        strpool_fini(&x.pool);
        faults_fini(&x.f);
        arena_fini(&x.arena);
    }
}

static void test_texts(void)
{
    struct fixture x = { 0 };

    arena_init(&x.arena);
    faults_init(&x.f);
    strpool_init(&x.pool);
    scrapememo_init(&x.memo);
    parse(&x, &(struct scrape_options){ 0 },
          LIST("{job_name: a}, {job_name: b, basic_auth: {username: u, password: p}}"), &x.before);
    is_int(x.before.n, 2, "two jobs");
    for (size_t i = 0; i < x.before.n; i++) {
        scrapejob_settle(x.before.v[i]);
        scrapejob_settle(x.before.v[i]);
    }
    const struct scrapejob *plain = x.before.v[0], *secret = x.before.v[1];
    ok(strstr(secret->text, "{\"password\":\"p\",\"username\":\"u\"}") != NULL, "a text");
    ok(strstr(secret->text_masked, "{\"password\":\"<secret>\",\"username\":\"u\"}") != NULL,
       "and one without the secrets");
    ok(plain->text == plain->text_masked, "one text where there are none");
    scrapejobs_fini(&x.before);
    scrapememo_fini(&x.memo);
    strpool_fini(&x.pool);
    faults_fini(&x.f);
    arena_fini(&x.arena);
}

int main(void)
{
    test_what_makes_another_job();
    test_texts();
    return check_done();
}
