#include "allocator/kube/selector.h"

#include "tests/check.h"

/* Which texts are good was seen with Prometheus 3.16, that is with Kubernetes' own parsers. */
static void test_labels(void)
{
    static const char *const good[] = { "",           "a",
                                        "a=b",        "a==b",
                                        "a!=b",       "a=",
                                        "a==",        "a in (b)",
                                        "a in (b,c)", "a in ()",
                                        "a in (,)",   "a in (b,)",
                                        "a in (,b)",  "a notin (b)",
                                        "!a",         "! a",
                                        "a,b",        "a=b,c in (d,e),!f",
                                        "a > 1",      "a>1",
                                        "x/y",        "x/y=z",
                                        "a_b=c.d",    "a = b , c = d",
                                        " a=b ",      "a.b/c_d in (E.f)",
                                        "a--b/c",     "1/2",
                                        "in",         "in in (in)",
                                        "notin",      "a,in=b",
                                        " ",          " a ",
                                        "a<1",        "a=b_c-d.e",
                                        "a.1/b",      "1.a/b",
                                        "A",          "a in(b)",
                                        "a notin(b)", "a\t=\nb" };
    static const char *const bad[] = {
        "a in b",     "!",          "a,",      "a,,b",    ",a",       "a b",
        "a=b c",      "a<x",        "a>",      "/y",      "x/",       "a=-b",
        "a=b-",       "a in (b c)", "a=b=c",   "a in (b", "(a)",      "a!b",
        "-a",         "a in (b)c",  "a;b",     "a=\"b\"", "a=b/c",    "A.b/c_d in (E.f)",
        "a..b/c",     ".a/b",       "a./b",    "a-/b",    "-a/b",     "a-.b/c",
        "a.-b/c",     "a_b/c",      "a in",    "a===b",   "a!==b",    "a=!b",
        "a=(b)",      "a>-",        "a>-1",    "a>1-",    "a>1x",     "a>x1",
        "a> ",        "a>,b",       "a=b.",    "a_",      "_a",       "a.",
        "a/_b",       "a/b/",       "a/b/c",   "a//b",    "a in b)",  "a in ((b)",
        "a in (b=c)", "a in (-b)",  "a in (b", "a in (",  "a in (b,", "a notin b",
        "!a=b",       "! ",         "!,a",     "!(a)",    "a!",       "a=b,",
        "a=b, ",      "=b",         "=",       "!=b",     "a b,c",    "-a=b",
        "a>1>2"
    };

    for (size_t i = 0; i < COUNT(good); i++) {
        struct err err = { 0 };
        is_int(selector_check_labels(check_at_edge(span_of(good[i])), &err), 0, "'%s' %s", good[i],
               err.text);
    }
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct err err = { 0 };
        is_int(selector_check_labels(check_at_edge(span_of(bad[i])), &err), ERR_INVALID, "'%s'",
               bad[i]);
        ok(err.text[0] != '\0', "says why: %s", err.text);
    }
}

static void test_fields(void)
{
    static const char *const good[] = {
        "",        "a=b",     "a==b",   "a!=b",  "a=",   "=b",       "a=b,c=d",
        "a\\=b",   "a=b\\,c", ",",      "a=b,",  "a=!b", "a=b\\\\",  "a\\,b=c",
        "a=b\\=c", "!=",      "==b",    "=",     "a!=",  "a=b,,c=d", "a=b\\\\,c=d",
        "a!=\\=",  "a==\\=",  "a=\\\\", "a\\!=b"
    };
    static const char *const bad[] = { "a",         "a=b,c",  "a=b=c",  "a=b\\",  "a=b\\x",
                                       "a!=b!=c",   "a=b==c", "a!b",    "a===b",  "a=b,c=d\\",
                                       "a=b\\,c=d", "a=\\x",  "a!=\\x", "a==\\x", "a!==b",
                                       "a=b\\\\,c", "a!=\\",  "a=\\",   "a\\,b",  "!" };

    for (size_t i = 0; i < COUNT(good); i++) {
        struct err err = { 0 };
        is_int(selector_check_fields(check_at_edge(span_of(good[i])), &err), 0, "'%s' %s", good[i],
               err.text);
    }
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct err err = { 0 };
        is_int(selector_check_fields(check_at_edge(span_of(bad[i])), &err), ERR_INVALID, "'%s'",
               bad[i]);
        ok(err.text[0] != '\0', "says why: %s", err.text);
    }
}

int main(void)
{
    test_labels();
    test_fields();
    return check_done();
}
