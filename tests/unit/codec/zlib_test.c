#include "allocator/base/limits.h"
#include "allocator/codec/zlib.h"
#include "tests/check.h"

#include <zlib.h>

static void fill(struct buf *out, size_t size, bool is_random)
{
    uint64_t rnd = size + 1;

    for (size_t i = 0; i < size; i++) {
        rnd ^= rnd << 13;
        rnd ^= rnd >> 7;
        rnd ^= rnd << 17;
        buf_add_char(out, is_random ? (char)(rnd >> 30) : "abc "[i % 4]);
    }
}

static void test_round_trip(void)
{
    static const size_t sizes[] = { 0, 1, 100, 16383, 16384, 16385, 300000 };

    for (size_t i = 0; i < 2 * COUNT(sizes); i++) {
        AUTO_BUF plain, packed, again;
        buf_init(&plain, MIB);
        buf_init(&packed, MIB);
        buf_init(&again, sizes[i / 2]);
        fill(&plain, sizes[i / 2], i % 2 == 0);
        zlib_deflate(buf_span(&plain), 1 + (int)(i % 9), &packed);
        is_int(zlib_inflate(buf_span(&packed), &again, NULL), 0,
               "%zu bytes, into a buffer of that size", plain.len);
        ok(span_eq(buf_span(&plain), buf_span(&again)), "come back");
        if (packed.len > 1) {
            buf_clear(&again);
            ok(zlib_inflate(span_make(packed.p, packed.len - 1), &again, NULL) < 0,
               "cut short, and no room to spare");
            buf_clear(&again);
            again.max = MIB;
            is_int(zlib_inflate(span_make(packed.p, packed.len - 1), &again, NULL), ERR_INVALID,
                   "cut short");
        }
        buf_clear(&again);
        again.max = MIB;
        buf_add_char(&packed, 'x');
        is_int(zlib_inflate(buf_span(&packed), &again, NULL), ERR_INVALID,
               "with a byte after the end");
    }
}

/* zlib wrote the annotations of older versions, at levels 1 and 6, and others may read ours. */
static void test_zlib_itself(void)
{
    AUTO_BUF plain, theirs, ours, again;

    buf_init(&plain, MIB);
    buf_init(&theirs, MIB);
    buf_init(&ours, MIB);
    buf_init(&again, MIB);
    for (int i = 0; i < 5000; i++) {
        buf_addf(&plain, "{\"job-%d\":{\"targets\":[\"10.0.%d.1:9100\"]}},", i, i % 256);
    }
    for (int level = 0; level <= 9; level++) {
        uLongf size = compressBound(plain.len);
        buf_clear(&theirs);
        buf_clear(&again);
        int rc = compress2((Bytef *)buf_reserve(&theirs, size), &size, (const Bytef *)plain.p,
                           plain.len, level);
        is_int(rc, Z_OK, "zlib packs %zu bytes into %lu, level %d", plain.len, size, level);
        is_int(zlib_inflate(span_make(theirs.p, size), &again, NULL), 0, "inflated");
        ok(span_eq(buf_span(&again), buf_span(&plain)), "to the same bytes");
    }
    for (int level = 1; level <= 9; level++) {
        uLongf size = plain.len;
        buf_clear(&ours);
        buf_clear(&again);
        zlib_deflate(buf_span(&plain), level, &ours);
        int rc =
            uncompress((Bytef *)buf_reserve(&again, size), &size, (const Bytef *)ours.p, ours.len);
        is_int(rc, Z_OK, "zlib inflates our %zu bytes of level %d", ours.len, level);
        ok(span_eq(span_make(again.p, size), buf_span(&plain)), "to the same bytes");
    }
}

static void test_faults(void)
{
    AUTO_BUF plain, packed, out;
    struct err err = { 0 };

    buf_init(&plain, 64 * MIB);
    buf_init(&packed, MIB);
    buf_init(&out, LIMIT_ANNOTATION_DECODED);
    for (size_t i = 0; i < 8 * MIB; i++) {
        buf_add_char(&plain, 'a');
    }
    zlib_deflate(buf_span(&plain), 6, &packed);
    is_int(zlib_inflate(buf_span(&packed), &out, &err), ERR_TOO_BIG, "a bomb of %zu bytes: %s",
           packed.len, err.text);
    ok(out.cap <= LIMIT_ANNOTATION_DECODED + 1, "it did not get the memory");
    AUTO_BUF full;
    buf_init(&full, 4);
    buf_add_str(&full, "four");
    is_int(zlib_inflate(buf_span(&packed), &full, NULL), ERR_TOO_BIG, "nor does a full buffer");
    buf_clear(&out);
    is_int(zlib_inflate(SPAN_LIT(""), &out, NULL), ERR_INVALID, "nothing is no stream");
    is_int(zlib_inflate(SPAN_LIT("not a stream"), &out, NULL), ERR_INVALID, "neither is text");
    packed.p[packed.len - 1] = (char)(packed.p[packed.len - 1] + 1);
    out.max = 64 * MIB;
    is_int(zlib_inflate(buf_span(&packed), &out, NULL), ERR_INVALID, "the checksum counts");
    AUTO_BUF small;
    buf_init(&small, 8);
    zlib_deflate(SPAN_LIT("some text that does not fit"), 6, &small);
    is_int(buf_error(&small), ERR_TOO_BIG, "deflating past the cap");
    buf_clear(&small);
    small.max = 30;
    zlib_deflate(SPAN_LIT("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"), 6,
                 &small);
    is_int(buf_error(&small), 0, "only what comes out must fit");
}

int main(void)
{
    test_round_trip();
    test_zlib_itself();
    test_faults();
    return check_done();
}
