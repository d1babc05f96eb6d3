#include "allocator/base/strpool.h"

#include "tests/check.h"

#include <stdio.h>

static void test_intern(struct strpool *pool)
{
    struct str *job = strpool_intern(pool, SPAN_LIT("job"));
    struct str *meta = strpool_intern(pool, SPAN_LIT("__meta_x"));
    struct str *empty = strpool_intern(pool, span_of(NULL));
    struct str *nul = strpool_intern(pool, SPAN_LIT("job\0"));

    ok(strpool_intern(pool, SPAN_LIT("job")) == job, "equal strings are the same pointer");
    ok(nul != job && nul->len == 4, "NUL is a byte like others");
    ok(strpool_intern(pool, SPAN_LIT("")) == empty, "the empty string");
    ok(meta->is_meta && !job->is_meta, "is_meta");
    is_str(job->text, "job", "the text ends with NUL");
    is_int(pool->table.n, 4, "four strings");
}

static void test_sweep(struct strpool *pool)
{
    struct str *kept = strpool_intern(pool, SPAN_LIT("kept"));

    strpool_pin(kept);
    for (int i = 0; i < 1000; i++) {
        char text[16];
        snprintf(text, sizeof(text), "word%d", i);
        strpool_intern(pool, span_of(text));
    }
    size_t bytes = pool->bytes;
    strpool_sweep(pool);
    is_int(pool->table.n, 1, "a sweep leaves what is pinned");
    ok(strpool_intern(pool, SPAN_LIT("kept")) == kept, "where it was");
    ok(pool->bytes < bytes && pool->bytes > 0, "and counts the bytes");
    strpool_unpin(kept);
    strpool_sweep(pool);
    is_int(pool->bytes, 0, "all gone");
}

int main(void)
{
    struct strpool pool;

    strpool_init(&pool);
    test_intern(&pool);
    test_sweep(&pool);
    strpool_pin(strpool_intern(&pool, SPAN_LIT("left over")));
    strpool_fini(&pool);
    is_int(pool.bytes, 0, "strpool_fini drops pinned ones, too");
    return check_done();
}
