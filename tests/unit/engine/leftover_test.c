#include "allocator/engine/leftover.h"

#include "allocator/base/limits.h"
#include "tests/check.h"

#include <stdio.h>
#include <string.h>

static size_t bytes_of(const struct leftover *l)
{
    size_t n = 0;

    vec_each(&l->chunks, c) {
        n += c->len;
    }
    return n;
}

static void append(void *arg, struct span own, struct span tail)
{
    buf_add_span(arg, own);
    buf_add_span(arg, tail);
}

/* 'n' targets, whose tails change every 'run'. */
static void test_round(size_t n, size_t run, size_t most_bytes)
{
    struct leftover *l = leftover_new(false);
    AUTO_BUF want, got;

    buf_init(&want, 64 * MIB);
    buf_init(&got, 64 * MIB);
    for (size_t i = 0; i < n; i++) {
        char own[128], tail[128];
        (void)snprintf(own, sizeof(own),
                       ",{\"targets\":[\"10.0.0.%zu:80\"],\"labels\":{\"i\":\"%zu\"", i, i);
        (void)snprintf(tail, sizeof(tail), ",\"zone\":\"z%zu\",\"team\":\"x\"}}", i / run);
        leftover_add(l, span_of(own), span_of(tail));
        buf_add_str(&want, own);
        buf_add_str(&want, tail);
    }
    leftover_close(l);
    leftover_each(l, append, &got);
    ok(span_eq(buf_span(&got), buf_span(&want)), "%zu targets, tails of %zu: all come back", n,
       run);
    ok(bytes_of(l) <= most_bytes, "in %zu bytes of %zu", bytes_of(l), want.len);
    struct leftover *other = leftover_ref(l);
    leftover_unref(&l);
    buf_clear(&got);
    leftover_each(other, append, &got);
    ok(l == NULL && span_eq(buf_span(&got), buf_span(&want)), "another user has them on");
    leftover_unref(&other);
    leftover_unref(&l); /* once more is fine */
}

/* One target that is larger than a chunk, and bytes that do not pack. */
static void test_large(void)
{
    struct leftover *l = leftover_new(false);
    AUTO_BUF own, want, got;
    uint32_t x = 1;

    buf_init(&own, MIB);
    buf_init(&want, MIB);
    buf_init(&got, MIB);
    for (size_t i = 0; i < 200 * KIB; i++) {
        x = x * 1664525 + 1013904223;
        buf_add_char(&own, (char)(x >> 24));
    }
    leftover_add(l, buf_span(&own), SPAN_LIT("}}"));
    leftover_add(l, SPAN_LIT(",{small"), SPAN_LIT("}}"));
    leftover_close(l);
    buf_add_span(&want, buf_span(&own));
    buf_add_str(&want, "}},{small}}");
    leftover_each(l, append, &got);
    ok(span_eq(buf_span(&got), buf_span(&want)), "more than a chunk, of bytes that do not pack");
    leftover_unref(&l);
}

int main(void)
{
    struct leftover *none = leftover_new(false);
    AUTO_BUF out;

    buf_init(&out, KIB);
    leftover_close(none);
    leftover_each(none, append, &out);
    is_int(out.len, 0, "nothing");
    leftover_unref(&none);
    test_round(1, 1, 200);
    test_round(3, 2, 400);
    test_round(60, 7, 8000);
    test_round(5000, 1, 160000);
    test_round(5000, 4, 120000);
    test_round(50000, 1000, 700000);
    test_large();
    return check_done();
}
