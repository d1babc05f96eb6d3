#include "allocator/base/arena.h"

#include "tests/check.h"

#include <stdint.h>
#include <string.h>

static void test_alignment(struct arena *a)
{
    bool is_aligned = true;

    for (size_t size = 0; size < 100; size++) {
        char *p = arena_alloc(a, size);
        is_aligned = is_aligned && (uintptr_t)p % 16 == 0;
        memset(p, (int)size, size);
        (void)arena_bytes(a, 1);
    }
    ok(is_aligned, "arena_alloc is aligned, also after odd sizes");
    char *first = arena_bytes(a, 3);
    char *second = arena_bytes(a, 3);
    ok(second == first + 3, "arena_bytes leaves no gap");
}

static void test_many(struct arena *a)
{
    enum { N = 20000 };
    static unsigned *numbers[N];
    bool is_intact = true;

    for (unsigned i = 0; i < N; i++) {
        numbers[i] = arena_alloc(a, sizeof(unsigned) * (1 + i % 7));
        for (unsigned k = 0; k < 1 + i % 7; k++) {
            numbers[i][k] = i;
        }
    }
    for (unsigned i = 0; i < N; i++) {
        for (unsigned k = 0; k < 1 + i % 7; k++) {
            is_intact = is_intact && numbers[i][k] == i;
        }
    }
    ok(is_intact, "allocations do not overlap");
    char *big = arena_zalloc(a, (size_t)5 * 1024 * 1024);
    ok(big[0] == 0 && big[(size_t)5 * 1024 * 1024 - 1] == 0,
       "more than a chunk in one piece, zeroed");
}

static void test_text(struct arena *a)
{
    struct span s = arena_span(a, SPAN_LIT("span"));

    is_str(arena_strndup(a, "abcdef", 3), "abc", "arena_strndup");
    is_str(arena_strndup(a, NULL, 0), "", "arena_strndup of nothing");
    is_str(arena_printf(a, "%s:%d", "host", 80), "host:80", "arena_printf");
    is_span(s, SPAN_LIT("span"), "arena_span");
    is_int(s.p[s.len], 0, "with a NUL after it");
}

static void test_recycle(void)
{
    struct arena a;

    arena_init(&a);
    arena_recycle(&a, 100000);
    is_int(a.used_bytes, 0, "nothing recycled is nothing");
    for (int i = 0; i < 100; i++) {
        (void)arena_alloc(&a, 500);
    }
    size_t used = a.used_bytes;
    arena_recycle(&a, 100000);
    is_int(a.used_bytes, used, "a recycled arena keeps all it had");
    char *p = arena_alloc(&a, used);
    is_int(a.used_bytes, used, "in one piece");
    arena_recycle(&a, 100000);
    ok(arena_alloc(&a, used) == p, "and the same again");
    (void)arena_alloc(&a, 200000);
    arena_recycle(&a, 100000);
    is_int(a.used_bytes, 0, "more than wanted is given back");
    arena_fini(&a);
}

static void test_regrow(void)
{
    struct arena a;

    arena_init(&a);
    char *p = arena_regrow(&a, NULL, 0, 0, 4);
    memcpy(p, "abc", 4);
    ok(arena_regrow(&a, p, 4, 4, 100) == p, "the newest grows where it is");
    char *other = arena_bytes(&a, 8);
    memcpy(other, "1234567", 8);
    char *moved = arena_regrow(&a, p, 100, 4, 200);
    ok(moved != p, "what has something after it moves");
    is_str(moved, "abc", "with its bytes");
    char *big = arena_regrow(&a, moved, 200, 4, 100000);
    is_str(big, "abc", "also into the next chunk");
    is_str(other, "1234567", "and nothing else is touched");
    arena_fini(&a);
}

static void test_small(void)
{
    struct arena a;

    arena_init_small(&a);
    (void)arena_alloc(&a, 16);
    ok(a.used_bytes < 512, "the first chunk is small: %zu bytes", a.used_bytes);
    (void)arena_alloc(&a, 100000);
    arena_fini(&a);
    (void)arena_alloc(&a, 16);
    ok(a.used_bytes < 512, "and it stays a small one");
    arena_fini(&a);
}

int main(void)
{
    test_small();
    struct arena a;

    arena_init(&a);
    arena_reset(&a);
    is_int(a.used_bytes, 0, "an empty arena holds nothing");
    test_alignment(&a);
    test_many(&a);
    test_text(&a);
    size_t used = a.used_bytes;
    arena_reset(&a);
    ok(a.used_bytes > 0 && a.used_bytes < used, "a reset keeps one chunk");
    used = a.used_bytes;
    (void)arena_alloc(&a, used / 2);
    is_int(a.used_bytes, used, "which is used again");
    test_text(&a);
    arena_fini(&a);
    is_int(a.used_bytes, 0, "arena_fini keeps nothing");
    test_recycle();
    test_regrow();
    return check_done();
}
