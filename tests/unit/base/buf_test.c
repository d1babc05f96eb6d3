#include "allocator/base/buf.h"

#include "allocator/base/mem.h"
#include "tests/check.h"

#include <string.h>

static void test_json(void)
{
    static const struct {
        struct span in;
        const char *want;
    } t[] = {
        { SPAN_LIT(""), "\"\"" },
        { { NULL, 0 }, "\"\"" },
        { SPAN_LIT("plain </&>"), "\"plain </&>\"" },
        { SPAN_LIT("\"\\\b\f\n\r\t"), "\"\\\"\\\\\\b\\f\\n\\r\\t\"" },
        { SPAN_LIT("\0\x01\x1f\x7f"), "\"\\u0000\\u0001\\u001f\x7f\"" },
        { SPAN_LIT("é€😀"), "\"é€😀\"" },
        { SPAN_LIT("\xff"), "\"\xef\xbf\xbd\"" },
        { SPAN_LIT("a\x80z"), "\"a\xef\xbf\xbdz\"" },             /* lone continuation */
        { SPAN_LIT("\xc3"), "\"\xef\xbf\xbd\"" },                 /* cut short */
        { SPAN_LIT("\xe2\x82"), "\"\xef\xbf\xbd\xef\xbf\xbd\"" }, /* cut short */
        { SPAN_LIT("\xc0\xaf"), "\"\xef\xbf\xbd\xef\xbf\xbd\"" }, /* overlong */
        { SPAN_LIT("\xe0\x80\xaf"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" }, /* overlong */
        { SPAN_LIT("\xed\xa0\x80"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" }, /* surrogate */
        { SPAN_LIT("\xf4\x90\x80\x80"),
          "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" }, /* > U+10FFFF */
        { SPAN_LIT("\xf4\x8f\xbf\xbf"), "\"\xf4\x8f\xbf\xbf\"" },
    };
    for (size_t i = 0; i < COUNT(t); i++) {
        AUTO_BUF b;
        buf_init(&b, 1000);
        buf_add_json(&b, t[i].in);
        is_span(buf_span(&b), span_of(t[i].want), "JSON string %zu", i);
        buf_clear(&b);
        buf_add_utf8(&b, t[i].in);
        ok(t[i].in.len == 0 || b.len >= t[i].in.len, "UTF-8 of string %zu is not shorter", i);
    }
}

static void test_utf8(void)
{
    AUTO_BUF b;

    buf_init(&b, 100);
    buf_add_utf8(&b, SPAN_LIT("a\xff\"\né\xc3"));
    is_span(buf_span(&b), SPAN_LIT("a\xef\xbf\xbd\"\né\xef\xbf\xbd"),
            "buf_add_utf8 replaces and escapes nothing");
}

static void test_visible(void)
{
    AUTO_BUF b;

    buf_init(&b, 1000);
    buf_add_visible(&b, SPAN_LIT("a\"\\ é€😀\xc2\xa0"));
    is_span(buf_span(&b), SPAN_LIT("a\"\\ é€😀\xc2\xa0"), "what can be seen stays");
    buf_clear(&b);
    buf_add_visible(
        &b, SPAN_LIT("\x1b[1m\n\0\x7f\xc2\x80\xc2\x9f\xe2\x80\xae\xe2\x81\xa9\xe2\x81\xaa\xff"));
    is_span(
        buf_span(&b),
        SPAN_LIT("\\u001b[1m\\n\\u0000\\u007f\\u0080\\u009f\\u202e\\u2069\xe2\x81\xaa\xef\xbf\xbd"),
        "what a terminal obeys does not");
    buf_clear(&b);
    buf_add_visible(&b,
                    SPAN_LIT("\xd8\x9b\xd8\x9c\xe2\x80\x8d\xe2\x80\x8e\xe2\x80\x8f\xe2\x80\x90"));
    is_span(buf_span(&b), SPAN_LIT("\xd8\x9b\\u061c\xe2\x80\x8d\\u200e\\u200f\xe2\x80\x90"),
            "marks of direction among their neighbours");
}

static void test_cap(void)
{
    AUTO_BUF b;

    buf_init(&b, 10);
    buf_add_str(&b, "0123456789");
    is_int(buf_error(&b), 0, "as much as fits");
    is_int(strlen(b.p), 10, "and a NUL after it");
    buf_add(&b, NULL, 0);
    is_int(buf_error(&b), 0, "nothing fits always");
    buf_add_char(&b, 'x');
    is_int(buf_error(&b), ERR_TOO_BIG, "one more does not");
    ok(buf_reserve(&b, 0) == NULL, "the error sticks");
    buf_addf(&b, "%d", 1);
    is_int(b.len, 10, "nothing is added after it");
    buf_clear(&b);
    buf_addf(&b, "%s", "0123456789");
    is_int(buf_error(&b), 0, "buf_clear forgets it");
    buf_clear(&b);
    buf_addf(&b, "%s", "0123456789a");
    is_int(buf_error(&b), ERR_TOO_BIG, "buf_addf minds the cap");
    ok(buf_reserve(&b, SIZE_MAX) == NULL, "so does buf_reserve");
}

static void test_growth(void)
{
    AUTO_BUF b;
    bool is_intact = true;

    buf_init(&b, 100000);
    for (int i = 0; i < 20000; i++) {
        buf_addf(&b, "%05d", i);
    }
    is_int(buf_error(&b), 0, "100000 bytes in pieces");
    for (int i = 0; i < 20000; i++) {
        char text[16];
        snprintf(text, sizeof(text), "%05d", i);
        is_intact = is_intact && memcmp(b.p + (size_t)i * 5, text, 5) == 0;
    }
    ok(is_intact, "are all there");
    char *to = buf_reserve(&b, 0);
    ok(to == b.p + b.len, "buf_reserve says where to write");
}

static void test_take(void)
{
    struct buf b;
    size_t len = 99;

    buf_init(&b, 10);
    AUTO_STR nothing = buf_take(&b, &len);
    is_str(nothing, "", "taking nothing gives an empty string");
    is_int(len, 0, "of length 0");
    buf_add_span(&b, SPAN_LIT("ab\0c"));
    AUTO_STR bytes = buf_take(&b, &len);
    is_span(span_make(bytes, len), SPAN_LIT("ab\0c"), "buf_take moves the bytes");
    ok(b.p == NULL && b.len == 0, "and leaves an empty buffer");
    buf_add_str(&b, "again");
    is_span(buf_span(&b), SPAN_LIT("again"), "that can be used again");
    buf_fini(&b);
    buf_fini(&b);
}

static void test_arena(void)
{
    struct arena arena;
    struct buf a, b;

    arena_init(&arena);
    buf_init_in(&a, &arena, 10000);
    buf_init_in(&b, &arena, 10000);
    for (int i = 0; i < 1000; i++) {
        buf_addf(&a, "%d,", i);
        buf_add_char(&b, 'b');
    }
    ok(buf_error(&a) == 0 && a.len == 3890, "two grow in one arena");
    ok(span_has_suffix(buf_span(&a), "998,999,"), "and keep what they hold");
    ok(b.len == 1000 && b.p[0] == 'b' && b.p[999] == 'b' && b.p[1000] == '\0', "each its own");
    buf_fini(&a);
    ok(b.p[500] == 'b', "the end of one is nothing to the other");
    arena_fini(&arena);
}

/* That nothing stays behind is seen from outside: tests/integration/hostile-neighbour.t. */
static void test_secret(void)
{
    struct buf b;

    buf_init_secret(&b, 1000);
    for (int i = 0; i < 100; i++) {
        buf_add_str(&b, "0123456789");
    }
    is_int(b.len, 1000, "a secret buffer grows like another");
    is_int(memcmp(b.p + 990, "0123456789", 11), 0, "and keeps what it has");
    buf_add_char(&b, 'x');
    is_int(buf_error(&b), ERR_TOO_BIG, "up to its cap");
    buf_fini(&b);
    ok(b.p == NULL && b.len == 0, "and is gone");
}

int main(void)
{
    test_arena();
    test_secret();
    test_json();
    test_utf8();
    test_visible();
    test_cap();
    test_growth();
    test_take();
    return check_done();
}
