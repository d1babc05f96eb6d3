/* What becomes of the targets of a source: which are kept, which of equals is served, and what is
 * counted, as one answer follows another. */
#define LOG_MODULE "test"
#include "allocator/base/log.h"
#include "allocator/base/metric.h"
#include "tests/unit/engine/side.h"

#include <string.h>

#define JOB(rules)                                                                                 \
    "config:\n  scrape_configs:\n  - job_name: j\n    file_sd_configs: [{files: [/f.json]}]\n"     \
    "    relabel_configs: [" rules "]\n"
#define GROUP(address, labels) "{\"targets\":[\"" address "\"],\"labels\":{" labels "}}"

static void answer(struct side *s, const char *body)
{
    tell(s, 1, ARRIVAL_OK, 1, body);
    tell(s, 1, ARRIVAL_SETTLED, 0, NULL);
    publish(s);
}

static void begin(struct side *s, const char *config, const char *body)
{
    side_init(s);
    configure_text(s, config, 1);
    answer(s, body);
}

/* The page of the one collector. */
static void is_page(const struct side *s, const char *want, const char *what)
{
    AUTO_BUF page = { 0 };
    const struct page_row *row = shown(s)->rows[0];

    buf_init(&page, MIB);
    if (row != NULL && row->n > 0) {
        add_page(row->pages[0], &page);
    } else {
        buf_add_str(&page, "[]");
    }
    is_json(buf_span(&page), span_of(want), "%s", what);
}

static long shown_number(const char *line)
{
    AUTO_BUF page = { 0 };

    buf_init(&page, 16 * MIB);
    metric_render(&page);
    const char *at = strstr(page.p, line);
    return at == NULL ? -1 : strtol(at + strlen(line), NULL, 10);
}

static void is_counted(long discovered, long dropped, long invalid, const char *what)
{
    is_int(shown_number("\nopentelemetry_allocator_targets{job_name=\"j\"} "), discovered,
           "%s: discovered", what);
    is_int(shown_number("\notel_ta_targets_dropped{job_name=\"j\"} "), dropped, "%s: dropped",
           what);
    is_int(shown_number("\notel_ta_targets_invalid{job_name=\"j\"} "), invalid, "%s: invalid",
           what);
}

/* Every target is kept, dropped or invalid, and counted as such after each answer. */
static void test_counts(void)
{
    static const struct {
        const char *body;
        long discovered, dropped, invalid;
    } t[] = {
        { "[" GROUP("a:1", "") "]", 1, 0, 0 },
        { "[" GROUP("a:1", "") "," GROUP("a:1", "") "]", 2, 0, 0 },
        { "[" GROUP("a:1", "") "," GROUP("b:1", "\"d\":\"1\"") "]", 2, 1, 0 },
        { "[" GROUP("b:1", "\"d\":\"1\"") "," GROUP("c:1", "\"d\":\"1\"") "]", 2, 2, 0 },
        { "[" GROUP("a/b", "") "," GROUP("c:1", "\"d\":\"1\"") "]", 2, 1, 1 },
        { "[" GROUP("a/b", "") "," GROUP("c/d", "") "]", 2, 0, 2 },
        { "[" GROUP("a:1", "") "," GROUP("c/d", "") "]", 2, 0, 1 },
        { "[]", 0, 0, 0 },
    };
    struct side s;

    begin(&s, JOB("{source_labels: [d], regex: '1', action: drop}"), t[0].body);
    for (size_t i = 0; i < COUNT(t); i++) {
        answer(&s, t[i].body);
        is_counted(t[i].discovered, t[i].dropped, t[i].invalid, t[i].body);
    }
    side_fini(&s);
}

/* Rules see the labels of discovery, which are served but make no target another one. */
static void test_meta_labels(void)
{
    static const char body[] = "[" GROUP("a:1", "\"__meta_z\":\"x\"") "," GROUP(
        "b:1", "\"__meta_z\":\"y\"") "," GROUP("a:1", "\"__meta_z\":\"other\"") "]";
    static const char a[] = "{\"targets\":[\"a:1\"],\"labels\":{\"__address__\":\"a:1\",\"__meta_"
                            "filepath\":\"/f1.json\",\"__meta_z\":\"x\"}}";
    struct side s;

    begin(&s, JOB("{source_labels: [__meta_z], regex: 'x|other', action: keep}"), body);
    AUTO_STR one = mem_printf("[%s]", a);
    is_page(&s, one, "what a rule keeps by such a label, the first of equals");
    side_fini(&s);
    begin(&s, JOB("{source_labels: [__meta_z], target_label: z}"), body);
    is_int(shown(&s)->rows[0]->n_targets, 3, "a label made of it makes others of them");
    side_fini(&s);
    begin(&s, JOB(""), body);
    is_int(shown(&s)->rows[0]->n_targets, 2, "without rules they are as many as addresses");
    side_fini(&s);
}

/* An answer that says the same in other bytes is no news. */
static void test_news(void)
{
    struct side s;

    begin(&s, JOB("{source_labels: [d], regex: '1', action: drop}"),
          "[" GROUP("a:1", "") "," GROUP("b:1", "\"d\":\"1\"") "]");
    is_page(&s, "[" GROUP("a:1", "\"__address__\":\"a:1\",\"__meta_filepath\":\"/f1.json\"") "]",
            "one of two is kept");
    const struct page_row *row = shown(&s)->rows[0];
    static const char *const same[] = {
        "[ " GROUP("a:1", "") " , " GROUP("b:1", "\"d\":\"1\"") "]",
        "[" GROUP("b:1", "\"d\":\"1\"") "," GROUP("a:1", "") "]",
        "[" GROUP("a:1", "") "," GROUP("b:1", "\"d\": \"1\"") ",{\"targets\":[]}]",
    };
    for (size_t i = 0; i < COUNT(same); i++) {
        answer(&s, same[i]);
        ok(shown(&s)->rows[0] == row, "the same targets, told differently: %s", same[i]);
    }
    side_fini(&s);
}

/* Twins come and go; the first that is there is served. */
static void test_twins(void)
{
    struct side s;

#define META(m) GROUP("a:1", "\"__meta_m\":\"" m "\"")
#define SERVED(m)                                                                                  \
    "[" GROUP("a:1", "\"__address__\":\"a:1\",\"__meta_filepath\":\"/f1.json\",\"__meta_m\":\"" m  \
                     "\"") "]"
    begin(&s, JOB(""), "[" META("1") "," META("2") "," META("3") "]");
    is_page(&s, SERVED("1"), "the first");
    answer(&s, "[" META("2") "," META("3") "]");
    is_page(&s, SERVED("2"), "the second, when the first is gone");
    answer(&s, "[" META("3") "," META("2") "]");
    is_page(&s, SERVED("3"), "whatever the order was");
    answer(&s, "[" META("0") "," META("3") "," META("2") "]");
    is_page(&s, SERVED("0"), "one that comes before all");
    answer(&s, "[" META("0") "]");
    is_page(&s, SERVED("0"), "the others go");
    answer(&s, "[]");
    is_page(&s, "[]", "and the last");
    answer(&s, "[" META("5") "]");
    is_page(&s, SERVED("5"), "and one comes again");
    side_fini(&s);
}

int main(void)
{
    log_set_level(LOG_ERROR);
    test_counts();
    test_meta_labels();
    test_news();
    test_twins();
    return check_done();
}
