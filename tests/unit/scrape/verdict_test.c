#include "allocator/scrape/verdict.h"

#include "allocator/base/limits.h"
#include "tests/check.h"

struct fixture {
    struct strpool pool;
    struct arena arena;
    struct label_builder lb;
    struct faults faults;
    struct label seeds[6];
    struct scrapejob job;
};

static const char *const seed_texts[][2] = {
    { "__metrics_path__", "/metrics" }, { "__param_q", "one" },          { "__scheme__", "http" },
    { "__scrape_interval__", "1m" },    { "__scrape_timeout__", "10s" }, { "job", "j" },
};

static struct node *json(struct fixture *x, const char *text)
{
    struct node *node = NULL;
    char *copy = arena_strndup(&x->arena, text, strlen(text));
    for (char *p = copy; *p != '\0'; p++) {
        *p = *p == '\'' ? '"' : *p;
    }
    ok(node_from_json(span_of(copy), 0, &x->arena, &node, NULL) == 0, "test input is JSON");
    return node;
}

static void setup(struct fixture *x, const char *rules)
{
    *x = (struct fixture){ 0 };
    strpool_init(&x->pool);
    arena_init(&x->arena);
    label_builder_init(&x->lb, &x->pool, &x->arena);
    faults_init(&x->faults);
    for (size_t i = 0; i < COUNT(seed_texts); i++) {
        x->seeds[i] = (struct label){ strpool_intern(&x->pool, span_of(seed_texts[i][0])),
                                      span_of(seed_texts[i][1]) };
    }
    x->job.name = SPAN_LIT("j");
    x->job.seeds = x->seeds;
    x->job.n_seeds = COUNT(seed_texts);
    x->job.rules = relabel_compile(json(x, rules), NAME_UTF8, true, NULL, &x->faults);
    ok(x->job.rules != NULL, "rules compile: %s", x->faults.n > 0 ? x->faults.v[0].text : "");
}

static void teardown(struct fixture *x)
{
    relabel_free(&x->job.rules);
    faults_fini(&x->faults);
    label_builder_fini(&x->lb);
    arena_fini(&x->arena);
    strpool_fini(&x->pool);
}

static struct verdict reach(struct fixture *x, const char *labels)
{
    const struct node *map = json(x, labels);
    struct verdict v;
    label_builder_clear(&x->lb);
    for (size_t i = 0; i < map->n; i++) {
        label_builder_set(&x->lb, strpool_intern(&x->pool, map->pairs[i].key->text),
                          map->pairs[i].value->text);
    }
    verdict_reach(&x->job, &x->lb, &v);
    return v;
}

static struct span get(struct fixture *x, const char *name)
{
    return label_builder_get(&x->lb, strpool_intern(&x->pool, span_of(name)));
}

static void test_seeds(void)
{
    struct fixture x;
    setup(&x, "[]");
    is_int(reach(&x, "{'__address__':'a:1','__scheme__':'https','__meta_x':'y'}").kind,
           VERDICT_KEPT, "kept");
    is_int(x.lb.n, 9, "seeds and instance are there, and meta labels still");
    is_span(get(&x, "__scheme__"), SPAN_LIT("https"), "what the target has is not replaced");
    is_span(get(&x, "job"), SPAN_LIT("j"), "what it has not is seeded");
    is_span(get(&x, "__param_q"), SPAN_LIT("one"), "parameters too");
    is_span(get(&x, "instance"), SPAN_LIT("a:1"), "instance is the address by default");
    is_int(reach(&x, "{'__address__':'a:1','instance':'i'}").kind, VERDICT_KEPT, "kept");
    is_span(get(&x, "instance"), SPAN_LIT("i"), "an instance of its own stays");
    teardown(&x);
}

static void test_outcomes(void)
{
    static const struct {
        const char *rules, *labels;
        enum verdict_kind kind;
        size_t rule;
        const char *reason;
    } t[] = {
        { "[]", "{'__address__':'a'}", VERDICT_KEPT, 0, NULL }, /* no port is added */
        { "[]", "{}", VERDICT_INVALID, 0, "no address" },
        { "[]", "{'__address__':'http://a/b'}", VERDICT_INVALID, 0,
          "\"http://a/b\" is not a valid hostname" },
        { "[{'action':'keep'},{'source_labels':['job'],'regex':'j','action':'drop'}]",
          "{'__address__':'a'}", VERDICT_DROPPED, 1, NULL },
        { "[{'regex':'__.*','action':'labeldrop'}]", "{'__address__':'a'}", VERDICT_INVALID, 0,
          "no address" },
        { "[]", "{'__address__':'a','__scrape_interval__':'x'}", VERDICT_INVALID, 0,
          "error parsing scrape interval: not a valid duration string: \"x\"" },
        { "[]", "{'__address__':'a','__scrape_interval__':'0s'}", VERDICT_INVALID, 0,
          "scrape interval cannot be 0" },
        { "[]", "{'__address__':'a','__scrape_timeout__':'300y'}", VERDICT_INVALID, 0,
          "error parsing scrape timeout: duration out of range" },
        { "[]", "{'__address__':'a','__scrape_timeout__':'0'}", VERDICT_INVALID, 0,
          "scrape timeout cannot be 0" },
        { "[]", "{'__address__':'a','__scrape_interval__':'1s','__scrape_timeout__':'2s'}",
          VERDICT_INVALID, 0,
          "scrape timeout cannot be greater than scrape interval (\"2s\" > \"1s\")" },
        { "[]", "{'__address__':'a','__scrape_interval__':'5s'}", VERDICT_INVALID, 0,
          "scrape timeout cannot be greater than scrape interval (\"10s\" > \"5s\")" },
        { "[{'regex':'__scrape_interval__','action':'labeldrop'}]", "{'__address__':'a'}",
          VERDICT_INVALID, 0, "error parsing scrape interval: empty duration string" },
        { "[]", "{'__address__':'a','__scrape_interval__':'10s'}", VERDICT_KEPT, 0, NULL },
        { "[]", "{'__address__':'a','__scrape_native_histograms__':'T'}", VERDICT_KEPT, 0, NULL },
        { "[]", "{'__address__':'a','__scrape_native_histograms__':'yes'}", VERDICT_INVALID, 0,
          "error parsing __scrape_native_histograms__: strconv.ParseBool: parsing \"yes\": invalid "
          "syntax" },
        { "[{'target_label':'__always_scrape_classic_histograms__','replacement':'2'}]",
          "{'__address__':'a'}", VERDICT_INVALID, 0,
          "error parsing __always_scrape_classic_histograms__: strconv.ParseBool: parsing \"2\": "
          "invalid syntax" },
        { "[]", "{'__address__':'a','__meta_address__':'/'}", VERDICT_KEPT, 0, NULL },
    };
    for (size_t i = 0; i < COUNT(t); i++) {
        struct fixture x;
        setup(&x, t[i].rules);
        struct verdict v = reach(&x, t[i].labels);
        is_int(v.kind, t[i].kind, "%s with %s", t[i].labels, t[i].rules);
        is_int(v.kind == VERDICT_DROPPED ? v.rule : 0, t[i].rule, "rule");
        is_str(v.reason == NULL ? "" : v.reason, t[i].reason == NULL ? "" : t[i].reason, "reason");
        teardown(&x);
    }
}

static void test_bad_value(void)
{
    struct fixture x;
    struct verdict v;
    setup(&x, "[]");
    label_builder_set(&x.lb, strpool_intern(&x.pool, SPAN_LIT("__address__")), SPAN_LIT("a:1"));
    label_builder_set(&x.lb, strpool_intern(&x.pool, SPAN_LIT("l")), SPAN_LIT("\xff"));
    verdict_reach(&x.job, &x.lb, &v);
    is_int(v.kind, VERDICT_INVALID, "a value that is not UTF-8");
    is_str(v.reason, "invalid label value for \"l\"", "reason");
    teardown(&x);
}

static void test_overfull(void)
{
    struct fixture x;
    AUTO_BUF rules;
    buf_init(&rules, 64 * KIB);
    for (int i = 0; i < 14; i++) {
        buf_addf(&rules, "%s{'regex':'(.+)','replacement':'%d_$1','action':'labelmap'}",
                 i == 0 ? "[" : ",", i);
    }
    buf_add_char(&rules, ']');
    setup(&x, rules.p);
    struct verdict v = reach(&x, "{'__address__':'a'}");
    is_int(v.kind, VERDICT_INVALID, "rules that make too much");
    is_str(v.reason, "relabeling makes more than 4096 labels or 16777216 bytes", "reason");
    teardown(&x);
}

/* prometheus-operator shards with these rules; the shard is a variable that only the collector
 * knows. */
static void test_sharding(void)
{
    static const char rules[] = "[{'source_labels':['__address__','__tmp_hash'],'target_label':'__"
                                "tmp_hash','regex':'(.+);','replacement':'$1',"
                                "'action':'replace'},{'source_labels':['__tmp_hash'],'target_label'"
                                ":'__tmp_hash','modulus':3,'action':'hashmod'},"
                                "{'source_labels':['__tmp_hash','__tmp_disable_sharding'],'regex':'"
                                "$(SHARD);|.+;.+','action':'keep'}]";
    struct fixture x;
    setup(&x, rules);
    is_int(reach(&x, "{'__address__':'a:1'}").kind, VERDICT_DROPPED, "promtool drops");
    x.job.disable_sharding = true;
    is_int(reach(&x, "{'__address__':'a:1'}").kind, VERDICT_KEPT, "the allocator keeps");
    is_span(get(&x, "__tmp_disable_sharding"), SPAN_LIT(""), "and leaves no trace");
    is_int(reach(&x, "{'__address__':'a:1','__tmp_disable_sharding':'x'}").kind, VERDICT_KEPT,
           "whatever the target says");
    is_span(get(&x, "__tmp_disable_sharding"), SPAN_LIT(""), "no trace either");
    teardown(&x);
}

static void test_identity(void)
{
    struct fixture x;
    setup(&x, "[{'source_labels':['__meta_pod'],'target_label':'pod'},{'regex':'drop_.*','action':'"
              "labeldrop'}]");
    uint64_t a =
        reach(&x, "{'__address__':'a:1','__meta_pod':'p','__meta_x':'1','drop_me':'1'}").identity;
    uint64_t b =
        reach(&x, "{'__meta_x':'2','drop_me':'2','__meta_pod':'p','__address__':'a:1'}").identity;
    uint64_t c = reach(&x, "{'__address__':'a:1','__meta_pod':'q'}").identity;
    uint64_t d = reach(&x, "{'__address__':'a:1','__meta_pod':'p','instance':'a:1'}").identity;
    ok(a == b, "equal final labels are one target, whatever was discovered");
    ok(a != c, "different ones are two");
    ok(a == d, "an instance that says what it would be anyhow makes no difference");
    x.job.name = SPAN_LIT("other");
    ok(reach(&x, "{'__address__':'a:1','__meta_pod':'p'}").identity != a, "each job has its own");

    x.job.filter = SCRAPE_FILTER_NONE;
    struct verdict v = reach(&x, "{'__meta_pod':'p','drop_me':'1'}");
    is_int(v.kind, VERDICT_KEPT, "without filter everything is kept");
    is_int(x.lb.n, 2, "and nothing is changed");
    ok(v.identity == reach(&x, "{'__meta_pod':'q','drop_me':'1'}").identity,
       "identity leaves meta labels out");
    ok(v.identity != reach(&x, "{'__meta_pod':'q','drop_me':'2'}").identity,
       "and takes the others as discovered");
    teardown(&x);
}

int main(void)
{
    test_seeds();
    test_outcomes();
    test_bad_value();
    test_overfull();
    test_sharding();
    test_identity();
    return check_done();
}
