/* What a target is written as, and which of its labels it shares. */
#include "allocator/engine/render.h"

#include "allocator/base/limits.h"
#include "allocator/discovery/targetgroup.h"
#include "tests/check.h"

#include <stdio.h>

static struct strpool pool;
static struct sd_batch batch;
static struct render render;

static void begin(const char *json)
{
    struct err err = { 0 };

    sd_batch_reset(&batch);
    is_int(targetgroup_parse_json(span_of(json), NULL, &batch, &err), 0, "%s", json);
    render_init(&render, &batch);
}

static const struct sd_group *group(size_t i)
{
    return &batch.groups.v[i];
}

/* Every byte at every place of a text of more than two words is written as JSON writes it. */
static void test_bytes(void)
{
    enum { LEN = 18 };
    struct span name = SPAN_LIT("k");

    for (size_t len = 1; len <= LEN; len++) {
        bool is_same = true;
        for (size_t at = 0; at < len; at++) {
            for (int c = 0; c < 256; c++) {
                char text[LEN];
                AUTO_BUF want;
                memset(text, 'a', sizeof(text));
                text[at] = (char)c;
                sd_batch_reset(&batch);
                sd_batch_begin(&batch);
                sd_batch_target(&batch, SPAN_LIT("h"));
                sd_batch_label(&batch, strpool_intern(&pool, name), span_make(text, len));
                (void)sd_batch_end(&batch);
                render_init(&render, &batch);
                buf_init(&want, KIB);
                buf_add_str(&want, ",\"k\":");
                buf_add_json(&want, span_make(text, len));
                buf_add_str(&want, "}}");
                is_same &= span_eq(render_tail(&render, group(0))->text, buf_span(&want));
                render_fini(&render);
            }
        }
        ok(is_same, "texts of %zu bytes", len);
    }
}

static void test_own(void)
{
    static const struct {
        const char *labels, *want; /* of a target that shares nothing */
    } t[] = {
        { "", ",{\"targets\":[\"h:1\"],\"labels\":{\"__address__\":\"h:1\"" },
        { ",\"labels\":{\"a\":\"1\"}",
          ",{\"targets\":[\"h:1\"],\"labels\":{\"__address__\":\"h:1\",\"a\":\"1\"" },
        { ",\"labels\":{\"Z\":\"1\",\"__a\":\"2\",\"__b\":\"\\\"\",\"a\":\"\"}",
          ",{\"targets\":[\"h:1\"],\"labels\":{\"Z\":\"1\",\"__a\":\"2\",\"__address__\":\"h:1\","
          "\"__b\":\"\\\"\",\"a\":\"\"" },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        char body[512];
        /* One group each with another value of everything: nothing is worth sharing. */
        snprintf(body, sizeof(body),
                 "[{\"targets\":[\"x\"],\"labels\":{\"Z\":\"-\",\"__a\":\"-\",\"__b\":\"-\",\"a\":"
                 "\"-\"}},{\"targets\":[\"h:1\"]%s}]",
                 t[i].labels);
        begin(body);
        for (int again = 0; again < 2; again++) {
            is_span(render_own(&render, group(1), SPAN_LIT("h:1")), span_of(t[i].want), "own part");
        }
        render_fini(&render);
    }
    begin("[{\"targets\":[\"\\\"\"]}]");
    is_span(render_own(&render, group(0), group(0)->targets[0]),
            SPAN_LIT(",{\"targets\":[\"\\\"\"],\"labels\":{\"__address__\":\"\\\"\""),
            "an address that is escaped");
    render_fini(&render);
}

/* Columns that change least are shared, while all of them change at most once in four targets. */
static void test_shared(void)
{
#define G(targets, x, y) "{\"targets\":[" targets "],\"labels\":{\"x\":\"" x "\",\"y\":\"" y "\"}}"
    static const struct {
        const char *body, *tail;
    } t[] = {
        { "[" G("\"a\"", "1", "1") "," G("\"a\"", "1", "1") "]", ",\"x\":\"1\",\"y\":\"1\"}}" },
        { "[" G("\"a\"", "1", "1") "," G("\"a\"", "1", "2") "]", ",\"x\":\"1\"}}" },
        { "[" G("\"a\",\"b\"", "1", "1") "," G("\"a\"", "2", "1") "]", ",\"y\":\"1\"}}" },
        { "[" G("\"a\",\"b\"", "1", "1") "," G("\"a\",\"b\"", "1", "2") "]",
          ",\"x\":\"1\",\"y\":\"1\"}}" },
        { "[" G("\"a\",\"b\"", "1", "1") "," G("\"a\",\"b\"", "2", "2") "]", ",\"x\":\"1\"}}" },
        { "[" G("\"a\",\"b\",\"c\",\"d\"", "1", "1") "," G("\"a\",\"b\"", "2",
                                                           "2") "," G("\"a\",\"b\"", "3", "2") "]",
          ",\"y\":\"1\"}}" },
        { "[" G("\"a\",\"b\"", "1", "1") "," G("\"a\",\"b\"", "2", "2") "," G(
              "\"a\",\"b\"", "2", "2") "," G("\"a\",\"b\"", "2", "2") "]",
          ",\"x\":\"1\",\"y\":\"1\"}}" },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        begin(t[i].body);
        struct render_tail *tail = render_tail(&render, group(0));
        is_span(tail->text, span_of(t[i].tail), "tail %zu", i);
        ok(tail->kept == NULL, "nobody has it");
        ok(render_tail(&render, group(0)) == tail, "again");
        render_fini(&render);
    }
}

/* The tail of a group is written anew only when something in it differs from that of the last group
 * of its shape, whatever stands between. */
static void test_same_tail(void)
{
    struct tail first, other;

    begin(
        "[" G("\"a\",\"b\",\"c\",\"d\"", "1", "1") "," G("\"a\",\"b\",\"c\",\"d\"", "1", "1") "," G(
            "\"a\",\"b\",\"c\",\"d\"", "1",
            "2") ",{\"targets\":[\"a\",\"b\",\"c\",\"d\"],"
                 "\"labels\":{\"x\":\"1\"}}," G("\"a\",\"b\",\"c\",\"d\"", "1",
                                                "2") ",{\"targets\":[\"a\",\"b\",\"c\",\"d\"],"
                                                     "\"labels\":{\"x\":\"1\"}}]");
    render_tail(&render, group(0))->kept = &first;
    is_span(render.column_json[0], SPAN_LIT("\"x\":"), "a name is kept as it was written");
    struct render_tail *tail = render_tail(&render, group(1));
    is_span(tail->text, SPAN_LIT(",\"x\":\"1\",\"y\":\"1\"}}"), "x, y");
    ok(tail->kept == &first, "the second is like it");
    tail = render_tail(&render, group(2));
    is_span(tail->text, SPAN_LIT(",\"x\":\"1\",\"y\":\"2\"}}"), "y");
    ok(tail->kept == NULL, "the third is not");
    tail->kept = &first;
    tail = render_tail(&render, group(3));
    is_span(tail->text, SPAN_LIT(",\"x\":\"1\"}}"), "no y");
    ok(tail->kept == NULL, "nor is one of another shape");
    tail->kept = &other;
    ok(render_tail(&render, group(4))->kept == &first, "the fourth of its shape is like the third");
    ok(render_tail(&render, group(5))->kept == &other, "and so is the second of the other");
    render_fini(&render);
}

int main(void)
{
    strpool_init(&pool);
    sd_batch_init(&batch, &pool);
    test_bytes();
    test_own();
    test_shared();
    test_same_tail();
    sd_batch_fini(&batch);
    strpool_fini(&pool);
    return check_done();
}
