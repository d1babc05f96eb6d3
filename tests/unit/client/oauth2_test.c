/* What an answer of a token endpoint is worth. That one is asked for: client_test. */
#include "allocator/client/oauth2.h"

#include "allocator/base/arena.h"
#include "tests/check.h"

#define FORM "application/x-www-form-urlencoded"

static void test_tokens(void)
{
    static const struct {
        const char *type, *body, *want; /* NULL: refused */
        int64_t expires;
    } t[] = {
        { "application/json", "{\"access_token\":\"a\"}", "Bearer a", 0 },
        { "application/json",
          "{\"access_token\":\"a\",\"token_type\":\"MAC\",\"expires_in\":\"60\"}", "MAC a", 60 },
        { "application/json;charset=utf-8",
          "{\"access_token\":\"a\",\"token_type\":\"DPoP\",\"expires_in\":1.5e3}", "DPoP a", 1500 },
        { "", "{\"access_token\":\"a\",\"token_type\":\"bEARER\"}", "Bearer a", 0 },
        { "", "{\"access_token\":\"a\",\"token_type\":\"basic\"}", "Basic a", 0 },
        { "", "{\"access_token\":\"a\",\"token_type\":\"\"}", "Bearer a", 0 },
        { "", "{\"access_token\":\" \"}", "Bearer  ", 0 },
        /* seconds that no clock can count are for good */
        { "", "{\"access_token\":\"a\",\"expires_in\":1}", "Bearer a", 1 },
        { "", "{\"access_token\":\"a\",\"expires_in\":0}", "Bearer a", 0 },
        { "", "{\"access_token\":\"a\",\"expires_in\":-1}", "Bearer a", 0 },
        { "", "{\"access_token\":\"a\",\"expires_in\":2147483646}", "Bearer a", 2147483646 },
        { "", "{\"access_token\":\"a\",\"expires_in\":2147483647}", "Bearer a", 0 },
        { "", "{\"access_token\":\"a\",\"expires_in\":52e80}", "Bearer a", 0 },
        { "", "{\"access_token\":\"a\",\"expires_in\":null}", "Bearer a", 0 },
        { FORM, "access_token=a%20b&token_type=bearer&expires_in=7", "Bearer a b", 7 },
        { FORM, "access_token=a&expires_in=", "Bearer a", 0 },
        /* which types are a form, whatever their case and parameters; all others are JSON */
        { "text/plain", "access_token=a", "Bearer a", 0 },
        { "text/plain; x", "access_token=a", "Bearer a", 0 },
        { "text/plain x", "access_token=a", "Bearer a", 0 },
        { "Text/PLAIN;", "access_token=a", "Bearer a", 0 },
        { "application/X-www-form-urlencoded;charset=utf-8", "access_token=a", "Bearer a", 0 },
        { "text/plainx", "access_token=a", NULL, 0 },
        { "text/plain,", "access_token=a", NULL, 0 },
        { "text/plai", "access_token=a", NULL, 0 },
        { "text/html", "access_token=a", NULL, 0 },
        { FORM "x", "access_token=a", NULL, 0 },
        { "", "access_token=a", NULL, 0 },
        { "text/plain", "{\"access_token\":\"a\"}", NULL, 0 },
        { FORM, "{\"access_token\":\"a\"}", NULL, 0 },
        /* no token, or one that would write headers of its own */
        { "application/json", "{\"access_token\":\"\"}", NULL, 0 },
        { "application/json", "{\"access_token\":1}", NULL, 0 },
        { "application/json", "{}", NULL, 0 },
        { "application/json", "{\"access_token\":\"a\\r\\nX: 1\"}", NULL, 0 },
        { "application/json", "{\"access_token\":\"a\\u001f\"}", NULL, 0 },
        { "application/json", "{\"access_token\":\"a\",\"token_type\":\"x\\n\"}", NULL, 0 },
        { "text/plain", "access_token=a&token_type=%0aX:", NULL, 0 },
        { "application/json", "[]", NULL, 0 },
        { "", "", NULL, 0 },
        { "text/plain", "", NULL, 0 },
        { "text/plain", "access_token=%zz", NULL, 0 },
        { "text/plain", "access_token=a&token_type=%", NULL, 0 },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        struct arena arena;
        struct span got = { 0 };
        int64_t expires = 0;
        struct err err = { 0 };

        arena_init(&arena);
        is_int(oauth2_parse_token(span_of(t[i].type), span_of(t[i].body), &arena, &got, &expires,
                                  &err),
               t[i].want == NULL ? ERR_INVALID : 0, "'%s' of type '%s'", t[i].body, t[i].type);
        if (t[i].want != NULL) {
            is_span(got, span_of(t[i].want), "  header");
            is_int(expires, t[i].expires, "  seconds");
        }
        arena_fini(&arena);
    }
}

static void test_refusals(void)
{
    static const struct {
        const char *type, *body, *why; /* or how it begins */
    } t[] = {
        { "", "[]", "cannot parse json: not an object" },
        { "", "1", "cannot parse json: '[' or '{' expected near '1'" },
        { "", "{", "cannot parse json: string or '}' expected near end of file" },
        { "", "{}", "server response missing access_token" },
        { FORM, "a=b", "server response missing access_token" },
        { FORM, "access_token=%zz", "invalid URL escape \"%zz\"" },
        { "", "{\"access_token\":\"\\n\"}", "server response holds control characters" },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        struct arena arena;
        struct span got = SPAN_LIT("untouched");
        int64_t expires = 0;
        struct err err = { 0 };
        arena_init(&arena);
        is_int(oauth2_parse_token(span_of(t[i].type), span_of(t[i].body), &arena, &got, &expires,
                                  &err),
               ERR_INVALID, "'%s' is refused", t[i].body);
        is_str(err.text, t[i].why, "  and why");
        is_span(got, SPAN_LIT("untouched"), "  and gives nothing");
        arena_fini(&arena);
    }
}

int main(void)
{
    test_tokens();
    test_refusals();
    return check_done();
}
