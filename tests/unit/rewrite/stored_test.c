/* What the annotation keeps of each receiver: what was taken out or replaced, and nothing else;
 * with it every Collector comes back to the byte. */
#include "allocator/base/mem.h"
#include "tests/check.h"
#include "tests/unit/rewrite/oracle.h"

#define HEAD                                                                                       \
    "apiVersion: opentelemetry.io/v1beta1\nkind: OpenTelemetryCollector\nmetadata:\n  name: "      \
    "shop\n"                                                                                       \
    "spec:\n  mode: statefulset\n  targetAllocator:\n    enabled: true\n"
#define CR "    prometheusCR: {enabled: true}\n"
#define RECEIVERS "  config:\n    receivers:\n"
#define JOB "{job_name: a, static_configs: [{targets: [x]}]}"
#define SECTIONS "{\"static_configs\":[{\"targets\":[\"x\"]}]}"

static const struct {
    const char *text, *receivers; /* in the annotation; NULL: nothing is changed */
    bool is_block_style;
} samples[] = {
    { HEAD RECEIVERS "      otlp: {}\n", NULL, false },
    { HEAD RECEIVERS "      prometheus:\n", NULL, false },
    { HEAD RECEIVERS "      prometheus: {config: }\n", NULL, false },
    { HEAD RECEIVERS "      prometheus: {config: {scrape_configs: }}\n", NULL, false },
    { HEAD RECEIVERS "      prometheus: {config: {scrape_configs: []}}\n", NULL, false },
    { HEAD RECEIVERS "      prometheus: {config: {scrape_configs: []}}\n",
      "{\"prometheus\":{\"jobs\":{},\"target_allocator\":null}}", true },
    { HEAD RECEIVERS "      prometheus: {config: {scrape_configs: [" JOB "]}}\n",
      "{\"prometheus\":{\"jobs\":{\"a\":" SECTIONS "}}}", false },
    { HEAD RECEIVERS "      prometheus: {config: {scrape_configs: [{job_name: p}, " JOB "]}}\n",
      "{\"prometheus\":{\"jobs\":{\"a\":" SECTIONS "}}}", false },
    /* receivers of which nothing is kept are not mentioned, wherever they stand */
    { HEAD RECEIVERS "      prometheus/2: {config: {scrape_configs: [" JOB "]}}\n"
                     "      otlp: {}\n"
                     "      prometheus/3: {config: {scrape_configs: [{job_name: p}]}}\n"
                     "      prometheus/1: {config: {scrape_configs: []}}\n"
                     "      prometheus: {config: {scrape_configs: "
                     "[{job_name: b, static_configs: []}]}}\n",
      "{\"prometheus\":{\"jobs\":{\"b\":{\"static_configs\":[]}}},"
      "\"prometheus/2\":{\"jobs\":{\"a\":" SECTIONS "}}}",
      false },
    /* jobs are sorted */
    { HEAD RECEIVERS
      "      prometheus: {config: {scrape_configs: [{job_name: b, static_configs: []},"
      " " JOB "]}}\n",
      "{\"prometheus\":{\"jobs\":{\"a\":" SECTIONS ",\"b\":{\"static_configs\":[]}}}}", false },
    /* a block: where there was none, and where there was one, with or without a job */
    { HEAD CR RECEIVERS "      prometheus: {config: {scrape_configs: []}}\n",
      "{\"prometheus\":{\"jobs\":{},\"target_allocator\":null}}", false },
    { HEAD CR RECEIVERS "      prometheus:\n        target_allocator:\n          interval: 1s\n"
                        "          extra: 1\n",
      "{\"prometheus\":{\"jobs\":{},\"target_allocator\":{\"interval\":\"1s\"}}}", false },
    { HEAD CR RECEIVERS "      prometheus:\n        target_allocator: {extra: 1}\n",
      "{\"prometheus\":{\"jobs\":{},\"target_allocator\":{}}}", false },
    { HEAD CR RECEIVERS "      prometheus:\n        target_allocator: {extra: 1}\n"
                        "        config: {scrape_configs: [" JOB "]}\n",
      "{\"prometheus\":{\"jobs\":{\"a\":" SECTIONS "},\"target_allocator\":{}}}", false },
    /* the block goes into one receiver: the plain one, or the first */
    { HEAD CR RECEIVERS "      prometheus/1: {config: {scrape_configs: []}}\n"
                        "      prometheus: {config: {scrape_configs: []}}\n",
      "{\"prometheus\":{\"jobs\":{},\"target_allocator\":null}}", false },
    { HEAD CR RECEIVERS "      otlp: {}\n      prometheus/2: {config: {scrape_configs: []}}\n"
                        "      prometheus/1: {config: {scrape_configs: []}}\n",
      "{\"prometheus/2\":{\"jobs\":{},\"target_allocator\":null}}", false },
    { HEAD CR RECEIVERS "      otlp: {}\n", NULL, false },
    /* upstream's style: the whole list */
    { HEAD RECEIVERS "      prometheus: {config: {scrape_configs: [{job_name: p}, " JOB "]}}\n",
      "{\"prometheus\":{\"jobs\":{},\"scrape_configs\":[{\"job_name\":\"p\"},{\"job_name\":\"a\","
      "\"static_configs\":[{\"targets\":[\"x\"]}]}],\"target_allocator\":null}}",
      true },
};

static void check_sample(size_t i)
{
    struct span text = span_of(samples[i].text), result = { "", 0 }, back = { "", 0 };
    struct oracle o;
    struct node *root = NULL, *annotation = NULL;
    struct span canonical;
    struct collector c;
    size_t n = 0;
    AUTO_BUF got = { 0 };

    oracle_init(&o);
    o.options.is_block_style = samples[i].is_block_style;
    buf_init(&got, MIB);
    is_int(oracle_run(&o, text, false, &result, &n), 0, "%zu: rewritten %s", i, o.why);
    is_int(n, samples[i].receivers != NULL, "  changed?");
    is_int(yamldoc_parse(result, &o.arena, &root, NULL), 0, "  can be read");
    collector_read(root, &c);
    is_int(collector_annotation(&c, &o.arena, &annotation, &canonical, NULL), 0, "  annotation");
    if (samples[i].receivers == NULL) {
        ok(annotation == NULL, "  none");
        is_span(result, text, "  not a byte is changed");
    } else {
        node_write_json(node_get(annotation, "receivers"), &got);
        is_span(buf_span(&got), span_of(samples[i].receivers), "  keeps");
    }
    is_int(oracle_run(&o, result, true, &back, &n), 0, "  restored %s", o.why);
    is_span(back, text, "  to the byte");
    struct rewrite_options way = o.options, other = o.options;
    other.is_block_style = !way.is_block_style;
    is_int(oracle_check(&o, text), samples[i].receivers == NULL ? ORACLE_UNCHANGED : ORACLE_GOOD,
           "  again and again %s", o.why);
    is_int(oracle_changes_way(&o, text, &way, &other), ORACLE_GOOD, "  and in another way %s",
           o.why);
    oracle_fini(&o);
}

int main(void)
{
    for (size_t i = 0; i < COUNT(samples); i++) {
        check_sample(i);
    }
    return check_done();
}
