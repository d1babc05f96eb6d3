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

/* Long texts are encoded many bytes at a time; decoding goes one by one. */
static void test_long(void)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    AUTO_BUF plain, encoded, again;
    uint64_t rnd = 1;
    size_t n_bad = 0;

    buf_init(&plain, 256);
    buf_init(&encoded, 512);
    buf_init(&again, 256);
    for (size_t size = 0; size < 256; size++) {
        buf_clear(&encoded);
        buf_clear(&again);
        base64_encode(buf_span(&plain), &encoded);
        n_bad += encoded.len != (size + 2) / 3 * 4 ||
                 base64_decode(buf_span(&encoded), &again, NULL) < 0 ||
                 !span_eq(buf_span(&again), buf_span(&plain));
        rnd = rnd * 6364136223846793005ULL + 1442695040888963407ULL;
        buf_add_char(&plain, (char)(rnd >> 56));
    }
    is_int(n_bad, 0, "texts of all sizes come back");
    buf_clear(&encoded);
    buf_clear(&again);
    is_int(base64_decode(span_of(alphabet), &again, NULL), 0, "every digit");
    base64_encode(buf_span(&again), &encoded);
    is_span(buf_span(&encoded), span_of(alphabet), "comes back");
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

int main(void)
{
    test_base64();
    test_long();
    test_base64_faults();
    return check_done();
}
