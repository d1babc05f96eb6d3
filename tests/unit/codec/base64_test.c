#include "allocator/base/limits.h"
#include "allocator/codec/base64.h"
#include "tests/check.h"

static void test_base64(void)
{
    static const struct {
        struct span plain, encoded;
    } t[] = {
        { SPAN_LIT(""), SPAN_LIT("") },
        { SPAN_LIT("f"), SPAN_LIT("Zg==") },
        { SPAN_LIT("fo"), SPAN_LIT("Zm8=") },
        { SPAN_LIT("foo"), SPAN_LIT("Zm9v") },
        { SPAN_LIT("foob"), SPAN_LIT("Zm9vYg==") },
        { SPAN_LIT("fooba"), SPAN_LIT("Zm9vYmE=") },
        { SPAN_LIT("foobar"), SPAN_LIT("Zm9vYmFy") },
        { SPAN_LIT("\xfb\xff\xbf\0"), SPAN_LIT("+/+/AA==") },
        { SPAN_LIT("\0\0\0"), SPAN_LIT("AAAA") },
        { SPAN_LIT("\xff\xff\xff"), SPAN_LIT("////") },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        AUTO_BUF out;
        buf_init(&out, 64);
        buf_add_str(&out, ">");
        base64_encode(t[i].plain, &out);
        is_span(span_from(buf_span(&out), 1), t[i].encoded, "encoded %zu", i);
        ok(out.p[0] == '>' && out.p[out.len] == '\0', "appended, and ended");
        buf_clear(&out);
        buf_add_str(&out, ">");
        is_int(base64_decode(t[i].encoded, &out, NULL), 0, "decoded %zu", i);
        is_span(span_from(buf_span(&out), 1), t[i].plain, "decoded %zu", i);
    }
}

static void test_base64_faults(void)
{
    static const char *const bad[] = {
        "Zg",   "Zg=",      "Zg===",    "Zh==",     "Zm9=", "====",    "=",
        "Z===", "Zg==Zg==", "Zm9v\n",   "Zm 9",     "Zm9-", "Zm9_",    "Zm\xc3\xa9",
        "Zg=v", "Zm=v",     "Zm9vZg=a", "Zm9v====", "=m9v", "AAA\x80",
    };

    for (size_t i = 0; i < COUNT(bad); i++) {
        struct err err = { 0 };
        AUTO_BUF out;
        buf_init(&out, 64);
        is_int(base64_decode(span_of(bad[i]), &out, &err), ERR_INVALID, "refused: %.20s: %s",
               bad[i], err.text);
        is_int(out.len, 0, "nothing was added");
    }
    AUTO_BUF small;
    buf_init(&small, 2);
    is_int(base64_decode(SPAN_LIT("Zm9v"), &small, NULL), ERR_TOO_BIG, "past the cap");
    buf_clear(&small);
    is_int(base64_decode(SPAN_LIT("Zm8="), &small, NULL), 0, "just in the cap");
    buf_clear(&small);
    base64_encode(SPAN_LIT("f"), &small);
    is_int(buf_error(&small), ERR_TOO_BIG, "encoding past the cap");
}

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

static void test_zlib(void)
{
    static const size_t sizes[] = { 0, 1, 100, 16383, 16384, 16385, 300000 };

    for (size_t i = 0; i < 2 * COUNT(sizes); i++) {
        AUTO_BUF plain, packed, again;
        buf_init(&plain, MIB);
        buf_init(&packed, MIB);
        buf_init(&again, sizes[i / 2]);
        fill(&plain, sizes[i / 2], i % 2 == 0);
        zlib_deflate(buf_span(&plain), &packed);
        is_int(zlib_inflate(buf_span(&packed), &again, NULL), 0,
               "%zu bytes, into a buffer of that size", plain.len);
        ok(span_eq(buf_span(&plain), buf_span(&again)), "come back");
        if (packed.len > 1) {
            buf_clear(&again);
            is_int(zlib_inflate(span_make(packed.p, packed.len - 1), &again, NULL), ERR_INVALID,
                   "cut short");
        }
        buf_clear(&again);
        again.max = MIB;
        buf_add_char(&packed, 'x');
        is_int(zlib_inflate(buf_span(&packed), &again, NULL), ERR_INVALID, "with a byte behind");
    }
}

static void test_zlib_faults(void)
{
    AUTO_BUF plain, packed, out;
    struct err err = { 0 };

    buf_init(&plain, 64 * MIB);
    buf_init(&packed, MIB);
    buf_init(&out, LIMIT_STASH_DECODED);
    for (size_t i = 0; i < 8 * MIB; i++) {
        buf_add_char(&plain, 'a');
    }
    zlib_deflate(buf_span(&plain), &packed);
    is_int(zlib_inflate(buf_span(&packed), &out, &err), ERR_TOO_BIG, "a bomb of %zu bytes: %s",
           packed.len, err.text);
    ok(out.cap <= LIMIT_STASH_DECODED + 1, "it did not get the memory");
    buf_clear(&out);
    is_int(zlib_inflate(SPAN_LIT(""), &out, NULL), ERR_INVALID, "nothing is no stream");
    is_int(zlib_inflate(SPAN_LIT("not a stream"), &out, NULL), ERR_INVALID, "neither is text");
    packed.p[packed.len - 1] = (char)(packed.p[packed.len - 1] + 1);
    out.max = 64 * MIB;
    is_int(zlib_inflate(buf_span(&packed), &out, NULL), ERR_INVALID, "the checksum counts");
    AUTO_BUF small;
    buf_init(&small, 8);
    zlib_deflate(SPAN_LIT("some text that does not fit"), &small);
    is_int(buf_error(&small), ERR_TOO_BIG, "deflating past the cap");
    buf_clear(&small);
    small.max = 30;
    zlib_deflate(SPAN_LIT("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
                 &small);
    is_int(buf_error(&small), 0, "only what comes out must fit");
}

int main(void)
{
    test_base64();
    test_base64_faults();
    test_zlib();
    test_zlib_faults();
    return check_done();
}
