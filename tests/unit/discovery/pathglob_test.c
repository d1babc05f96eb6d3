#include "allocator/discovery/pathglob.h"

#include "allocator/base/limits.h"
#include "tests/check.h"

static void test_match(void)
{
    static const struct {
        const char *pattern, *name;
        bool is_match;
    } m[] = {
        /* the table of Go's own documentation and tests, where it applies */
        { "abc", "abc", true },
        { "*", "abc", true },
        { "*c", "abc", true },
        { "a*", "a", true },
        { "a*", "abc", true },
        { "a*", "ab/c", false },
        { "a*/b", "abc/b", true },
        { "a*/b", "a/c/b", false },
        { "a*b*c*d*e*/f", "axbxcxdxe/f", true },
        { "a*b?c*x", "abxbbxdbxebxczzx", true },
        { "a*b?c*x", "abxbbxdbxebxczzy", false },
        { "ab[c]", "abc", true },
        { "ab[b-d]", "abc", true },
        { "ab[e-g]", "abc", false },
        { "ab[^c]", "abc", false },
        { "ab[^b-d]", "abc", false },
        { "ab[^e-g]", "abc", true },
        { "a\\*b", "a*b", true },
        { "a\\*b", "ab", false },
        { "a?b",
          "a\xe2\x98\xba"
          "b",
          true },
        { "a[^a]b",
          "a\xe2\x98\xba"
          "b",
          true },
        { "a???b",
          "a\xe2\x98\xba"
          "b",
          false },
        { "[a-\xce\xb6]*", "\xce\xb1", true },
        { "*[a-\xce\xb6]", "A", false },
        { "a?b", "a/b", false },
        { "a*b", "a/b", false },
        { "[\\]a]", "]", true },
        { "[\\-]", "-", true },
        { "[x\\-]", "z", false },
        { "[]a]", "]", false },
        { "[-]", "-", false },
        { "[a", "a", false },
        { "[^", "a", false },
        { "*x", "xxx", true },
        { ".*", ".hidden", true },
        { "*", ".hidden", true },
        { "", "", true },
        { "", "a", false },
        { "*.json", "a.json", true },
        { "*.json", "a.json~", false },
        { "**", "ab", true },
        { "a**c", "abbc", true },
    };

    for (size_t i = 0; i < COUNT(m); i++) {
        const struct span pattern = span_of(m[i].pattern), name = span_of(m[i].name);
        is_int(pathglob_match(check_at_edge(pattern), name), m[i].is_match, "'%.*s' on '%.*s'",
               SPAN_ARG(pattern), SPAN_ARG(name));
        is_int(pathglob_match(pattern, check_at_edge(name)), m[i].is_match,
               "and at the edge of what may be read");
    }
}

static void test_clean(void)
{
    static const struct {
        const char *path, *clean;
    } c[] = {
        { "", "." },          { "abc", "abc" },       { "a/b", "a/b" },
        { "/", "/" },         { "//a//b/", "/a/b" },  { "./a", "a" },
        { "a/./b/.", "a/b" }, { "a/../b", "b" },      { "../a", "../a" },
        { "/../a", "/a" },    { "a/../..", ".." },    { "../../x", "../../x" },
        { "/..", "/" },       { "a/b/../../c", "c" }, { "./..", ".." },
    };

    for (size_t i = 0; i < COUNT(c); i++) {
        AUTO_BUF out;
        buf_init(&out, MIB);
        pathglob_clean(check_at_edge(span_of(c[i].path)), &out);
        is_span(buf_span(&out), span_of(c[i].clean), "clean '%s'", c[i].path);
    }
}

static void test_split(void)
{
    static const struct {
        const char *path, *dir, *base;
    } s[] = { { "a/b", "a", "b" },
              { "b", ".", "b" },
              { "/b", "/", "b" },
              { "/a/b/*.json", "/a/b", "*.json" },
              { "a/", "a", "" } };

    for (size_t i = 0; i < COUNT(s); i++) {
        struct span dir, base;
        pathglob_split(span_of(s[i].path), &dir, &base);
        is_span(dir, span_of(s[i].dir), "folder of '%s'", s[i].path);
        is_span(base, span_of(s[i].base), "name of '%s'", s[i].path);
    }
}

int main(void)
{
    test_match();
    test_clean();
    test_split();
    return check_done();
}
