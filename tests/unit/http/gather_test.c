#include "allocator/http/gather.h"

#include "allocator/base/mem.h"
#include "tests/check.h"

/* Pieces of odd sizes come out as the same bytes, in full buffers. */
static void test_fill(size_t n, size_t step)
{
    struct iovec *v = mem_array(n + 1, sizeof(*v));
    size_t bytes = 0, at = 0, offset = 0, n_bad = 0;

    for (size_t i = 0; i < n; i++) {
        v[i].iov_len = 1 + i * step % 200000;
        bytes += v[i].iov_len;
    }
    char *all = mem_alloc(bytes + 1);
    for (size_t i = 0; i < bytes; i++) {
        all[i] = (char)(i * 7 + i / 251);
    }
    for (size_t i = 0; i < n; at += v[i].iov_len, i++) {
        v[i].iov_base = all + at;
    }
    struct exchange_pieces rest = { .v = v, .n = n, .bytes = bytes };
    struct gather_pool pool = { 0 };
    char *buffer = gather_take(&pool);

    for (at = 0; rest.n > 0;) {
        size_t len = gather_fill(&rest, &offset, buffer);
        n_bad += memcmp(buffer, all + at, len) != 0;
        n_bad += rest.n > 0 && len != GATHER_BYTES;
        at += len;
    }
    is_int(at, bytes, "%zu pieces: all bytes", n);
    is_int(n_bad, 0, "  the right ones, in full buffers");
    is_int(gather_fill(&rest, &offset, buffer), 0, "  and then nothing");
    gather_give(&pool, buffer);
    ok(gather_take(&pool) == buffer, "  a buffer is used again");
    gather_give(&pool, buffer);
    gather_fini(&pool);
    mem_free(all);
    mem_free(v);
}

/* Pieces, then runs: all of them, in order. */
static void test_runs(void)
{
    static char text[] = "abcdefgh";
    struct exchange_run *runs[3];
    struct iovec first = { text, 1 };
    struct gather_pool pool = { 0 };
    size_t offset = 0;

    for (size_t i = 0; i < COUNT(runs); i++) {
        runs[i] = mem_alloc(sizeof(*runs[i]) + 2 * sizeof(struct iovec));
        runs[i]->n = i == 0 ? 1 : 2;
        runs[i]->v[0] = (struct iovec){ text + 1 + 2 * i, 1 };
        runs[i]->v[1] = (struct iovec){ text + 2 + 2 * i, 1 };
    }
    struct exchange_pieces rest = {
        .v = &first, .n = 1, .runs = (const struct exchange_run *const *)runs, .n_runs = COUNT(runs)
    };
    char *buffer = gather_take(&pool);
    size_t len = gather_fill(&rest, &offset, buffer);
    is_span(span_make(buffer, len), SPAN_LIT("abdefg"), "pieces and runs");
    ok(!gather_is_left(&rest), "  and nothing is left");
    gather_give(&pool, buffer);
    gather_fini(&pool);
    for (size_t i = 0; i < COUNT(runs); i++) {
        mem_free(runs[i]);
    }
}

int main(void)
{
    char *taken[100];
    struct gather_pool pool = { 0 };

    test_fill(0, 0);
    test_fill(1, 0);
    test_fill(3, 65535);
    test_fill(70, 9973);
    test_fill(4000, 31);
    test_runs();
    for (size_t i = 0; i < COUNT(taken); i++) {
        taken[i] = gather_take(&pool);
    }
    for (size_t i = 0; i < COUNT(taken); i++) {
        gather_give(&pool, taken[i]);
    }
    ok(pool.n_free < COUNT(taken), "not every buffer of a burst is kept");
    gather_fini(&pool);
    is_int(pool.n_free, 0, "all are freed in the end");
    return check_done();
}
