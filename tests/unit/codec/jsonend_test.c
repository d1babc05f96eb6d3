/* Where a value ends, whatever the pieces: compared with the scanner, which sees it whole. */
#include "allocator/codec/jsonend.h"

#include "allocator/base/mem.h"
#include "allocator/codec/jsonscan.h"
#include "tests/check.h"

static const char *const values[] = {
    "{}",
    "[]",
    "{\"a\":1}",
    "[[[[]]],{},[{}]]",
    "{\"a\":\"}\",\"b\":\"\\\"}\",\"c\":\"\\\\\"}",
    "{\"\\\\\\\"{[\":[\"]]]\",\"\\\\\"]}",
    /* NOLINTNEXTLINE(bugprone-suspicious-missing-comma): one text */
    "{\"long\":\"0123456789012345678901234567890123456789012345678901234567890123456789012345678\\"
    "\\\\\"}]\",\"more\":[{\"x\":\"0123456789012345678901234567890123456789012345678901234567890\"}"
    "],"
    "\"end\":\"\\u007b\\\\\"}",
};

static void test_every_split(void)
{
    for (size_t i = 0; i < COUNT(values); i++) {
        AUTO_STR text = mem_printf("%s,{\"next\":1}", values[i]);
        size_t want = strlen(values[i]);
        for (size_t split = 0; split <= want; split++) {
            struct span first = check_at_edge(span_make(text, split));
            struct jsonend e;
            jsonend_init(&e);
            size_t n = jsonend_feed(&e, first);
            is_int(n, split, "%s: all of %zu bytes", values[i], split);
            is_int(e.is_found, split == want, "it ends at its end");
            n += jsonend_feed(&e, span_from(span_of(text), split));
            is_int(n, want, "and no later");
            ok(e.is_found, "it has ended");
            is_int(jsonend_feed(&e, SPAN_LIT("}")), 0, "nothing more is taken");
        }
    }
}

static void test_byte_by_byte(void)
{
    for (size_t i = 0; i < COUNT(values); i++) {
        struct jsonend e;
        size_t n = 0;
        jsonend_init(&e);
        for (const char *p = values[i]; *p != '\0'; p++) {
            n += jsonend_feed(&e, check_at_edge(span_make(p, 1)));
        }
        ok(e.is_found && n == strlen(values[i]), "%s", values[i]);
    }
}

static void test_depth(void)
{
    AUTO_STR text = mem_zalloc(2 * LIMIT_SKIP_DEPTH + 3);
    struct jsonend e;

    memset(text, '[', LIMIT_SKIP_DEPTH);
    memset(text + LIMIT_SKIP_DEPTH, ']', LIMIT_SKIP_DEPTH);
    jsonend_init(&e);
    is_int(jsonend_feed(&e, span_of(text)), 2 * LIMIT_SKIP_DEPTH, "as deep as may be");
    ok(e.is_found && !e.is_too_deep, "is found");
    jsonend_init(&e);
    (void)jsonend_feed(&e, SPAN_LIT("["));
    (void)jsonend_feed(&e, span_of(text));
    (void)jsonend_feed(&e, SPAN_LIT("]"));
    ok(!e.is_found && e.is_too_deep, "one more is too deep");
}

int main(void)
{
    test_every_split();
    test_byte_by_byte();
    test_depth();
    return check_done();
}
