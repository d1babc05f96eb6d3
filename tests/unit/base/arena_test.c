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
    is_int(s.p[s.len], 0, "with a NUL behind it");
}

int main(void)
{
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
    return check_done();
}
