#include "allocator/codec/jsonindent.h"

#include "allocator/codec/node.h"
#include "tests/check.h"

static void test_layout(void)
{
    static const struct {
        const char *json, *want;
    } t[] = {
        { "", "" },
        { "  \n", "" },
        { "{}", "{}\n" },
        { "[ ]", "[]\n" },
        { "12", "12\n" },
        { "1\n\"a b\"\n", "1\n\"a b\"\n" },
        { "{\"a\": 1,\"b\":[1, 2.50,{}],\"c\":{\"d\":null}}\n",
          "{\n  \"a\": 1,\n  \"b\": [\n    1,\n    2.50,\n    {}\n  ],\n  \"c\": {\n    \"d\": "
          "null\n  }\n}\n" },
        { "{\"a\":1}\n{\"b\":2}\n", "{\n  \"a\": 1\n}\n{\n  \"b\": 2\n}\n" },
        { "{}{}", "{}\n{}\n" },
        { "\"{[,:]}\\\"\\\\\"", "\"{[,:]}\\\"\\\\\"\n" },
        { "\"\xe2\x80\xae\xc2\x9b\x7f\"", "\"\\u202e\\u009b\\u007f\"\n" },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        AUTO_BUF got, again;
        buf_init(&got, 1000);
        buf_init(&again, 1000);
        jsonindent_write(span_of(t[i].json), &got);
        is_span(got.len == 0 ? SPAN_LIT("") : buf_span(&got), span_of(t[i].want), "'%s'",
                t[i].json);
        jsonindent_write(buf_span(&got), &again);
        is_span(again.len == 0 ? SPAN_LIT("") : buf_span(&again), span_of(t[i].want),
                "'%s': and again", t[i].json);
    }
}

/* The same value: every byte beyond what a string escapes is white space. */
static void test_same(void)
{
    static const char json[] =
        "{\"k\\u0041\":[true,false,null,-1.5e+10,\"x\\ny\",[[],[{}]]],\"\":{}}";
    struct arena arena;
    struct node *before = NULL, *after = NULL;
    AUTO_BUF got;

    arena_init(&arena);
    buf_init(&got, 1000);
    jsonindent_write(SPAN_LIT(json), &got);
    ok(node_from_json(SPAN_LIT(json), 0, &arena, &before, NULL) == 0 &&
           node_from_json(buf_span(&got), 0, &arena, &after, NULL) == 0 &&
           node_equal(before, after),
       "it is the same value");
    arena_fini(&arena);
}

int main(void)
{
    test_layout();
    test_same();
    return check_done();
}
