/* Trees that differ in one place from others, which stay as they are. */
#include "allocator/codec/nodeedit.h"

#include "allocator/base/limits.h"
#include "tests/check.h"

static struct node *parse(const char *text, struct arena *arena)
{
    struct node *n = NULL;

    is_int(node_from_json(span_of(text), 0, arena, &n, NULL), 0, "%s", text);
    return n;
}

/* As canonical JSON. */
static void is_written(const struct node *got, const char *want, const char *what)
{
    AUTO_BUF json = { 0 };

    buf_init(&json, MIB);
    node_write_json(got, &json);
    is_span(buf_span(&json), span_of(want), "%s", what);
}

static void test_member(void)
{
    static const struct {
        const char *map, *value, *want; /* map NULL: none; value NULL: taken out */
    } t[] = {
        { NULL, "1", "{\"k\":1}" },
        { NULL, NULL, "{}" },
        { "[1]", "1", "{\"k\":1}" },
        { "{}", "1", "{\"k\":1}" },
        { "{}", NULL, "{}" },
        { "{\"a\":0}", "1", "{\"a\":0,\"k\":1}" },
        { "{\"a\":0}", NULL, "{\"a\":0}" },
        { "{\"k\":0}", "1", "{\"k\":1}" },
        { "{\"k\":0}", NULL, "{}" },
        { "{\"a\":0,\"k\":0,\"z\":0}", "{\"x\":[]}", "{\"a\":0,\"k\":{\"x\":[]},\"z\":0}" },
        { "{\"a\":0,\"k\":0,\"z\":0}", NULL, "{\"a\":0,\"z\":0}" },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        struct arena arena;
        arena_init(&arena);
        const struct node *map = t[i].map == NULL ? NULL : parse(t[i].map, &arena);
        const struct node *value = t[i].value == NULL ? NULL : parse(t[i].value, &arena);
        is_written(nodeedit_member(&arena, map, SPAN_LIT("k"), value), t[i].want, "a member");
        if (map != NULL) {
            is_written(map, t[i].map, "the other tree is as it was");
        }
        arena_fini(&arena);
    }
}

/* A member keeps its place and its key; a new one comes last. */
static void test_order(void)
{
    struct arena arena;

    arena_init(&arena);
    const struct node *map = parse("{\"z\":1,\"k\":2,\"a\":3}", &arena), *one = parse("1", &arena);
    const struct node *changed = nodeedit_member(&arena, map, SPAN_LIT("k"), one);
    ok(changed->pairs[1].value == one && changed->pairs[1].key == map->pairs[1].key,
       "in its place");
    const struct node *longer = nodeedit_member(&arena, map, SPAN_LIT("b"), one);
    ok(longer->n == 4 && longer->pairs[3].value == one, "at the end");
    is_span(longer->pairs[3].key->text, SPAN_LIT("b"), "by its name");
    arena_fini(&arena);
}

static void test_replace(void)
{
    static const char text[] = "{\"a\":[1,{\"b\":[2,3]},4],\"c\":5}";
    struct arena arena;

    arena_init(&arena);
    const struct node *root = parse(text, &arena), *nine = parse("9", &arena);
    const struct node *list = node_get(root, "a"), *map = list->items[1];
    const struct node *inner = node_get(map, "b");
    const struct {
        const struct node *old;
        const char *want;
    } t[] = {
        { root, "9" },
        { list, "{\"a\":9,\"c\":5}" },
        { list->items[0], "{\"a\":[9,{\"b\":[2,3]},4],\"c\":5}" },
        { map, "{\"a\":[1,9,4],\"c\":5}" },
        { inner, "{\"a\":[1,{\"b\":9},4],\"c\":5}" },
        { inner->items[0], "{\"a\":[1,{\"b\":[9,3]},4],\"c\":5}" },
        { inner->items[1], "{\"a\":[1,{\"b\":[2,9]},4],\"c\":5}" },
        { list->items[2], "{\"a\":[1,{\"b\":[2,3]},9],\"c\":5}" },
        { node_get(root, "c"), "{\"a\":[1,{\"b\":[2,3]},4],\"c\":9}" },
    };
    for (size_t i = 0; i < COUNT(t); i++) {
        is_written(nodeedit_replace(&arena, root, t[i].old, nine), t[i].want, "another value");
        is_written(root, text, "the tree is as it was");
    }
    ok(nodeedit_replace(&arena, root, nine, list) == root, "what is not there changes nothing");
    ok(nodeedit_replace(&arena, NULL, nine, list) == NULL, "nor is nothing changed");
    arena_fini(&arena);
}

static void test_makers(void)
{
    struct arena arena;

    arena_init(&arena);
    struct node *text = nodeedit_text(&arena, SPAN_LIT("a\"b"));
    struct node *items[] = { text, text };
    is_written(text, "\"a\\\"b\"", "a text");
    is_written(nodeedit_list(&arena, items, 2), "[\"a\\\"b\",\"a\\\"b\"]", "a list");
    is_written(nodeedit_list(&arena, NULL, 0), "[]", "an empty one");
    is_written(nodeedit_map(&arena, NULL, 0), "{}", "an empty map");
    is_written(nodeedit_single(&arena, SPAN_LIT("k"), text), "{\"k\":\"a\\\"b\"}", "one member");
    arena_fini(&arena);
}

int main(void)
{
    test_member();
    test_order();
    test_replace();
    test_makers();
    return check_done();
}
