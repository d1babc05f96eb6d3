#include "allocator/base/utf8.h"

#include "allocator/base/err.h"
#include "allocator/base/mem.h"
#include "tests/check.h"

/* Every code point there is: written, it is read again, and is as long as it should be. */
static void test_all(void)
{
    size_t n_wrong = 0;

    for (uint32_t rune = 0; rune <= 0x10ffff; rune++) {
        char text[UTF8_MAX_SIZE];
        uint32_t back = 0;
        if (rune == 0xd800) {
            rune = 0xe000;
        }
        size_t want = rune < 0x80 ? 1 : rune < 0x800 ? 2 : rune < 0x10000 ? 3 : 4;
        size_t size = utf8_put(rune, text);
        n_wrong += size != want || utf8_size(text, size) != size ||
                   utf8_decode(span_make(text, size), &back) != size || back != rune ||
                   !utf8_is_valid(span_make(text, size)) ||
                   (size > 1 && utf8_size(text, size - 1) != 0);
    }
    is_int((int64_t)n_wrong, 0, "all code points");
    is_int((int64_t)utf8_put(UTF8_REPLACEMENT, (char[UTF8_MAX_SIZE]){ 0 }), 3, "U+FFFD");
}

static void test_invalid(void)
{
    static const char *const t[] = {
        "\x80", /* a tail alone */
        "\xbf",
        "\xc3", /* cut */
        "\xe2\x82",
        "\xf0\x9f\x98", /* the same */
        "\xc0\x80",
        "\xc1\xbf", /* overlong */
        "\xe0\x9f\xbf",
        "\xf0\x8f\xbf\xbf",
        "\xed\xa0\x80",
        "\xed\xbf\xbf", /* surrogates */
        "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80",
        "\xff",
        "\xfe",
        "\xc3(",
        "\xe2(\xa1",
        "\xe2\x82(",
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        struct span s = span_of(t[i]);
        uint32_t rune = 0;
        is_int((int64_t)utf8_size(s.p, s.len), 0, "%zu: no size", i);
        is_int((int64_t)utf8_decode(s, &rune), 1, "%zu: one byte", i);
        is_int(rune, UTF8_REPLACEMENT, "%zu: U+FFFD", i);
        AUTO_STR text = mem_printf("eight or more: %s", t[i]);
        ok(!utf8_is_valid(span_of(text)), "%zu: invalid after others", i);
    }
    ok(utf8_is_valid(SPAN_LIT("")) && utf8_is_valid(SPAN_LIT("\0a\xc3\xa9")), "valid");
}

int main(void)
{
    test_all();
    test_invalid();
    return check_done();
}
