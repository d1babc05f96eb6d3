/* Items of a list while it streams in: the same in every split, and what is no list is said. */
#include "allocator/kube/listframe.h"

#include "allocator/base/mem.h"
#include "tests/check.h"

struct fixture {
    struct listframe f;
    struct buf out, items; /* the second: "item|item|" */
};

static void setup(struct fixture *x)
{
    listframe_init(&x->f, 100, 200);
    buf_init(&x->out, 1000);
    buf_init(&x->items, 10000);
}

static void teardown(struct fixture *x)
{
    listframe_fini(&x->f);
    buf_fini(&x->out);
    buf_fini(&x->items);
}

static enum listframe_event give(struct fixture *x, struct span piece)
{
    enum listframe_event e;

    while ((e = listframe_feed(&x->f, &piece, &x->out)) == LISTFRAME_ITEM) {
        buf_add(&x->items, x->out.p + x->out.len - x->f.item_len, x->f.item_len);
        buf_add_char(&x->items, '|');
        x->out.len -= x->f.item_len;
    }
    return e;
}

static void test_lists(void)
{
    static const struct {
        const char *text, *items, *around;
    } t[] = {
        { "{\"kind\":\"L\",\"items\":[{\"a\":1},{\"b\":\"]\"}],\"x\":{\"items\":[{}]}}\n",
          "{\"a\":1}|{\"b\":\"]\"}|", "{\"kind\":\"L\",\"items\":[],\"x\":{\"items\":[{}]}}" },
        { " {\n\"items\" : [ {} , {\"c\":[1]} ] } ", "{}|{\"c\":[1]}|", "{\n\"items\" : [] }" },
        { "{\"items\":[]}", "", "{\"items\":[]}" },
        { "{\"items\":null,\"a\":[1]}", "", "{\"items\":null,\"a\":[1]}" },
        { "{\"a\":\"items\",\"b\":[{}],\"\\\"items\":[1]}", "",
          "{\"a\":\"items\",\"b\":[{}],\"\\\"items\":[1]}" },
        { "{\"items\":1,\"b\":[2]}", "", "{\"items\":1,\"b\":[2]}" },
        { "{}", "", "{}" },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        size_t len = strlen(t[i].text);
        for (size_t split = 0; split <= len; split++) {
            struct fixture x;
            setup(&x);
            is_int(give(&x, check_at_edge(span_make(t[i].text, split))), LISTFRAME_MORE, "first");
            is_int(give(&x, span_make(t[i].text + split, len - split)), LISTFRAME_MORE, "rest");
            ok(listframe_is_complete(&x.f), "%s: is complete", t[i].text);
            is_span(buf_span(&x.items), span_of(t[i].items), "items");
            is_span(span_trim(buf_span(&x.f.around)), span_of(t[i].around), "what is around");
            teardown(&x);
        }
    }
}

/* No part of a list is a list. */
static void test_parts(void)
{
    static const char text[] = "{\"items\":[{\"a\":1},{}],\"metadata\":{\"x\":\"}\"}}";

    for (size_t n = 0; n < sizeof(text) - 1; n++) {
        struct fixture x;
        setup(&x);
        is_int(give(&x, span_make(text, n)), LISTFRAME_MORE, "%zu bytes", n);
        ok(!listframe_is_complete(&x.f), "are not all");
        teardown(&x);
    }
}

static void test_faults(void)
{
    static const struct {
        const char *text, *error;
    } t[] = {
        { "[]", "this is not a JSON object" },
        { "<html>", "this is not a JSON object" },
        { "null", "this is not a JSON object" },
        { "{\"items\":[1]}", "an item of the list is not an object" },
        { "{\"items\":[null]}", "an item of the list is not an object" },
        { "{\"items\":[[]]}", "an item of the list is not an object" },
        { "{\"items\":[{},]}", "an item of the list is not an object" },
        { "{\"items\":[,]}", "an item of the list is not an object" },
        { "{\"items\":[{}{}]}", "there is no comma between items of the list" },
        { "{\"items\":[{}}", "there is no comma between items of the list" },
        { "{} {", "something follows the list" },
        { "{}x", "something follows the list" },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        struct fixture x;
        setup(&x);
        is_int(give(&x, span_of(t[i].text)), LISTFRAME_FAULT, "%s", t[i].text);
        is_str(x.f.error, t[i].error, "says why");
        is_int(give(&x, SPAN_LIT("}")), LISTFRAME_FAULT, "for good");
        ok(!listframe_is_complete(&x.f), "is no list");
        teardown(&x);
    }
}

static void test_caps(void)
{
    static const char item[] = "{\"items\":[{\"a\":\"";
    struct fixture x;

    setup(&x);
    is_int(give(&x, SPAN_LIT(item)), LISTFRAME_MORE, "an item");
    unsigned n = 0;
    while (give(&x, SPAN_LIT("x")) == LISTFRAME_MORE) {
        n++;
    }
    is_int(n, 100 - 6, "of a hundred bytes at most");
    is_str(x.f.error, "an object is larger than the limit", "says why");
    teardown(&x);

    setup(&x);
    for (n = 0; give(&x, SPAN_LIT("{\"a\":")) == LISTFRAME_MORE; n++) {
    }
    is_int(n, 40, "two hundred bytes around at most");
    is_str(x.f.error, "what stands around the items is too long", "says why");
    teardown(&x);
}

int main(void)
{
    test_lists();
    test_parts();
    test_faults();
    test_caps();
    return check_done();
}
