#include "allocator/codec/spanmap.h"

#include "tests/check.h"

#include <stdio.h>

static void test_keys(void)
{
    const char *things = "abc";
    struct spanmap m;

    spanmap_init(&m, NULL);
    ok(!spanmap_has(&m, SPAN_LIT("x")) && spanmap_get_in(&m, SPAN_LIT(""), SPAN_LIT("x")) == NULL,
       "empty");
    ok(spanmap_put(&m, SPAN_LIT("x"), things), "a key");
    ok(!spanmap_put(&m, SPAN_LIT("x"), things + 1), "the same again");
    ok(spanmap_get_in(&m, SPAN_LIT(""), SPAN_LIT("x")) == things, "the first one stays");
    ok(spanmap_put(&m, SPAN_LIT(""), things + 2), "the empty text is a key");
    ok(!spanmap_put(&m, span_make(NULL, 0), NULL), "whatever it points at");
    ok(spanmap_put(&m, SPAN_LIT("set"), NULL), "a key of nothing");
    ok(spanmap_get_in(&m, SPAN_LIT(""), SPAN_LIT("set")) == NULL &&
           spanmap_has(&m, SPAN_LIT("set")),
       "is there");
    spanmap_fini(&m);
}

static void test_scopes(void)
{
    static const struct {
        struct span scope, key;
    } t[] = {
        { SPAN_LIT("a"), SPAN_LIT("bc") }, { SPAN_LIT("ab"), SPAN_LIT("c") },
        { SPAN_LIT("c"), SPAN_LIT("ab") }, { SPAN_LIT(""), SPAN_LIT("abc") },
        { SPAN_LIT("abc"), SPAN_LIT("") }, { SPAN_LIT("abc"), SPAN_LIT("abc") },
    };
    struct arena arena;
    struct spanmap m;

    arena_init(&arena);
    spanmap_init(&m, &arena);
    for (size_t i = 0; i < COUNT(t); i++) {
        ok(spanmap_put_in(&m, t[i].scope, t[i].key, &t[i]), "'%s' in '%s'", t[i].key.p,
           t[i].scope.p);
    }
    for (size_t i = 0; i < COUNT(t); i++) {
        ok(!spanmap_put_in(&m, t[i].scope, t[i].key, NULL), "once only");
        ok(spanmap_get_in(&m, t[i].scope, t[i].key) == &t[i], "and found");
    }
    ok(spanmap_get_in(&m, SPAN_LIT(""), SPAN_LIT("abc")) == &t[3], "no scope is the empty one");
    ok(spanmap_get_in(&m, SPAN_LIT("bc"), SPAN_LIT("a")) == NULL, "scope and key do not swap");
    spanmap_fini(&m);
    arena_fini(&arena);
}

static void test_many(void)
{
    enum { N = 20000 };
    static char names[N][8];
    struct spanmap m;
    size_t n_put = 0, n_found = 0;

    spanmap_init(&m, NULL);
    for (size_t i = 0; i < N; i++) {
        (void)snprintf(names[i], sizeof(names[i]), "k%zu", i);
        n_put += spanmap_put(&m, span_of(names[i]), names[i]);
    }
    for (size_t i = 0; i < N; i++) {
        n_found += spanmap_get_in(&m, SPAN_LIT(""), span_of(names[i])) == names[i];
    }
    is_int(n_put, N, "%d keys", N);
    is_int(n_found, N, "all found");
    ok(!spanmap_has(&m, SPAN_LIT("k20000")), "and no other");
    spanmap_fini(&m);
}

int main(void)
{
    test_keys();
    test_scopes();
    test_many();
    return check_done();
}
