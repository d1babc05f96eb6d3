#include "allocator/base/limits.h"
#include "allocator/codec/urlform.h"
#include "tests/check.h"

static void test_escape(void)
{
    static const struct {
        struct span plain, escaped;
    } t[] = {
        { SPAN_LIT(""), SPAN_LIT("") },
        { SPAN_LIT("AZaz09-_.~"), SPAN_LIT("AZaz09-_.~") },
        { SPAN_LIT("a b"), SPAN_LIT("a+b") },
        { SPAN_LIT("a+b"), SPAN_LIT("a%2Bb") },
        { SPAN_LIT("serviceMonitor/ns/name/0"), SPAN_LIT("serviceMonitor%2Fns%2Fname%2F0") },
        { SPAN_LIT("!*'();:@&=+$,/?#[]"),
          SPAN_LIT("%21%2A%27%28%29%3B%3A%40%26%3D%2B%24%2C%2F%3F%23%5B%5D") },
        { SPAN_LIT("100%"), SPAN_LIT("100%25") },
        { SPAN_LIT("é中😀"), SPAN_LIT("%C3%A9%E4%B8%AD%F0%9F%98%80") },
        { SPAN_LIT("\0\x7f\xff"), SPAN_LIT("%00%7F%FF") },
        { SPAN_LIT("{\"^|`\\}<>"), SPAN_LIT("%7B%22%5E%7C%60%5C%7D%3C%3E") },
    };
    struct arena arena;

    arena_init(&arena);
    for (size_t i = 0; i < COUNT(t); i++) {
        struct span back;
        AUTO_BUF out;
        buf_init(&out, 512);
        buf_add_str(&out, ">");
        urlform_escape(t[i].plain, &out);
        is_span(span_from(buf_span(&out), 1), t[i].escaped, "escaped %zu", i);
        is_int(urlform_unescape(t[i].escaped, &arena, &back, NULL), 0, "unescaped %zu", i);
        is_span(back, t[i].plain, "unescaped %zu", i);
    }
    AUTO_BUF small;
    buf_init(&small, 2);
    urlform_escape(SPAN_LIT("/"), &small);
    is_int(buf_error(&small), ERR_TOO_BIG, "past the cap");
    buf_clear(&small);
    urlform_escape(SPAN_LIT("ab"), &small);
    is_int(buf_error(&small), 0, "just in the cap");
    arena_fini(&arena);
}

static void test_all_bytes(void)
{
    struct arena arena;
    char all[256];
    struct span back;
    AUTO_BUF out;

    for (int i = 0; i < 256; i++) {
        all[i] = (char)i;
    }
    arena_init(&arena);
    buf_init(&out, KIB);
    urlform_escape(span_make(all, sizeof(all)), &out);
    is_int(urlform_unescape(buf_span(&out), &arena, &back, NULL), 0, "every byte");
    ok(span_eq(back, span_make(all, sizeof(all))), "comes back");
    arena_fini(&arena);
}

static void test_unescape(void)
{
    static const struct {
        const char *raw, *plain; /* NULL: refused */
    } t[] = {
        { "a%2fb", "a/b" }, { "a%2Fb", "a/b" },   { "%252F", "%2F" },    { "a+b%20c", "a b c" },
        { "%61%62", "ab" }, { "plain", "plain" }, { "%E4%B8%AD", "中" }, { "%", NULL },
        { "%2", NULL },     { "%zz", NULL },      { "%2g", NULL },       { "a%", NULL },
        { "%%41", NULL },   { "% 1", NULL },      { "%+1", NULL },       { "%2\xc3\xa9", NULL },
    };
    struct arena arena;

    arena_init(&arena);
    for (size_t i = 0; i < COUNT(t); i++) {
        struct span out = SPAN_LIT("untouched");
        struct err err = { 0 };
        int rc = urlform_unescape(check_at_edge(span_of(t[i].raw)), &arena, &out, &err);
        is_int(rc, t[i].plain == NULL ? ERR_INVALID : 0, "%s", t[i].raw);
        is_span(out, t[i].plain == NULL ? SPAN_LIT("untouched") : span_of(t[i].plain), "%s",
                t[i].raw);
    }
    struct err err = { 0 };
    struct span out;
    is_int(urlform_unescape(SPAN_LIT("ab%zzcd"), &arena, &out, &err), ERR_INVALID, "a bad escape");
    is_str(err.text, "invalid URL escape \"%zz\"", "is shown");
    static const char same[] = "nothing-to-do";
    ok(urlform_unescape(span_of(same), &arena, &out, NULL) == 0 && out.p == same,
       "nothing to decode: the same bytes");
    arena_fini(&arena);
}

static void test_query(void)
{
    static const struct {
        const char *query, *name, *value; /* NULL: absent */
    } t[] = {
        { "collector_id=c-0", "collector_id", "c-0" },
        { "a=1&collector_id=c%2D0&b=2", "collector_id", "c%2D0" },
        { "collector_id=", "collector_id", "" },
        { "collector_id", "collector_id", "" },
        { "collector_id=a=b", "collector_id", "a=b" },
        { "collector_id=1&collector_id=2", "collector_id", "1" },
        { "xcollector_id=1", "collector_id", NULL },
        { "collector_idx=1", "collector_id", NULL },
        { "collector_i=1", "collector_id", NULL },
        { "", "collector_id", NULL },
        { "&&&", "collector_id", NULL },
        { "&a=1&&b=2&", "b", "2" },
        { "=x&a", "a", "" },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        struct span value = SPAN_LIT("untouched");
        bool is_there = urlform_query(check_at_edge(span_of(t[i].query)), t[i].name, &value);
        is_int(is_there, t[i].value != NULL, "'%s' in '%s'", t[i].name, t[i].query);
        is_span(value, t[i].value == NULL ? SPAN_LIT("untouched") : span_of(t[i].value),
                "its value");
    }
    struct span value;
    ok(!urlform_query(span_make(NULL, 0), "a", &value), "no query at all");
}

int main(void)
{
    test_escape();
    test_all_bytes();
    test_unescape();
    test_query();
    return check_done();
}
