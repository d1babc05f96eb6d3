#include "allocator/base/span.h"

#include "allocator/base/vec.h"
#include "tests/check.h"

static void test_compare(void)
{
    static const char *const sorted[] = {
        "", "a", "aa", "ab", "b", "b\x01", "\x7f", "\x80", "\xff"
    };

    for (size_t i = 0; i < COUNT(sorted); i++) {
        for (size_t k = 0; k < COUNT(sorted); k++) {
            int want = (i > k) - (i < k);
            int got = span_cmp(span_of(sorted[i]), span_of(sorted[k]));
            if ((got > 0) - (got < 0) != want ||
                span_eq(span_of(sorted[i]), span_of(sorted[k])) != (want == 0)) {
                ok(false, "order of words %zu and %zu", i, k);
            }
        }
    }
    ok(span_cmp(SPAN_LIT("a\0b"), SPAN_LIT("a\0c")) < 0, "NUL does not end a span");
    ok(span_eq(span_of(NULL), SPAN_LIT("")), "NULL is an empty span");
    ok(span_is(SPAN_LIT("abc"), "abc") && !span_is(SPAN_LIT("abc"), "ab"), "span_is");
}

static void test_parts(void)
{
    struct span s = SPAN_LIT("__meta_x");

    ok(span_has_prefix(s, "__meta_") && span_has_prefix(s, "") && !span_has_prefix(s, "__meta_xy"),
       "span_has_prefix");
    ok(span_has_suffix(s, "_x") && span_has_suffix(s, "") && !span_has_suffix(s, "a__meta_x"),
       "span_has_suffix");
    is_span(span_from(s, 7), SPAN_LIT("x"), "span_from");
    is_int(span_from(s, 8).len, 0, "span_from at the end");
    is_int(span_from(s, 9).len, 0, "span_from past the end");
    is_int(span_from(span_of(NULL), 0).len, 0, "span_from of nothing");
}

static void test_words(void)
{
    static const char *const trimmed[][2] = {
        { "", "" }, { " ", "" }, { "a", "a" }, { " \t\r\n\v\f a b \n", "a b" }, { "\ra", "a" },
    };

    for (size_t i = 0; i < COUNT(trimmed); i++) {
        is_span(span_trim(span_of(trimmed[i][0])), span_of(trimmed[i][1]), "trim %zu", i);
    }
    is_int(span_trim(SPAN_LIT(" \0 ")).len, 1, "a NUL is no white space");
    is_int(span_trim((struct span){ NULL, 0 }).len, 0, "nothing to trim");
    ok(span_is_nocase(SPAN_LIT("GZip"), "gzip") && span_is_nocase(SPAN_LIT(""), ""), "any case");
    ok(!span_is_nocase(SPAN_LIT("gzi"), "gzip") && !span_is_nocase(SPAN_LIT("gzipp"), "gzip"),
       "as long");
    ok(span_is_nocase((struct span){ NULL, 0 }, ""), "nothing is the empty word");
}

static void test_vec(void)
{
    VEC(int) numbers = { 0 };
    int sum = 0;

    vec_each(&numbers, it) {
        sum += *it;
    }
    is_int(sum, 0, "an empty vec has no items");
    for (int i = 1; i <= 100; i++) {
        *vec_push(&numbers) = i;
    }
    vec_each(&numbers, it) {
        sum += *it;
    }
    is_int(sum, 5050, "vec_each sees each item once");
    is_int(numbers.n, 100, "as many as were pushed");
    vec_clear(&numbers);
    is_int(numbers.n, 0, "vec_clear");
    vec_fini(&numbers);
    ok(numbers.v == NULL, "vec_fini");
}

static void test_ascii(void)
{
    char text[20];

    memset(text, 0x7f, sizeof(text));
    for (size_t len = 0; len <= sizeof(text); len++) {
        ok(span_is_ascii(span_make(text, len)), "%zu bytes of ASCII", len);
    }
    for (size_t i = 0; i < sizeof(text); i++) {
        text[i] = (char)0x80;
        ok(!span_is_ascii(span_make(text, sizeof(text))) && span_is_ascii(span_make(text, i)),
           "byte %zu is none", i);
        text[i] = 'x';
    }
    ok(span_is_ascii(span_make(NULL, 0)), "no bytes");
}

static void test_find(void)
{
    static const struct {
        const char *text, *what;
        size_t at;
    } t[] = {
        { "a${b}", "${", 1 },       { "${", "${", 0 },
        { "$", "${", SIZE_MAX },    { "$$$a", "${", SIZE_MAX },
        { "$$${", "${", 2 },        { "", "a", SIZE_MAX },
        { "aab", "aab", 0 },        { "aaab", "aab", 1 },
        { "aaa", "aab", SIZE_MAX }, { "b", "b", 0 },
        { "abcb", "b", 1 },         { "ab", "abc", SIZE_MAX },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        ok(span_find(span_of(t[i].text), t[i].what) == t[i].at, "'%s' in '%s'", t[i].what,
           t[i].text);
    }
    ok(span_find(span_of(NULL), "a") == SIZE_MAX, "nothing in nothing");
    ok(span_find(span_make("a${", 2), "${") == SIZE_MAX, "nothing past the end");
}

int main(void)
{
    test_compare();
    test_find();
    test_parts();
    test_words();
    test_vec();
    test_ascii();
    return check_done();
}
