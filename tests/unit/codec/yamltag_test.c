#include "allocator/codec/yamltag.h"

#include "allocator/base/mem.h"
#include "tests/check.h"

#define CORE "tag:yaml.org,2002:"

static void test_kinds(void)
{
    static const struct {
        const char *text;
        enum yamltag_kind kind;
    } t[] = {
        { "", YAMLTAG_NULL },
        { "~", YAMLTAG_NULL },
        { "NULL", YAMLTAG_NULL },
        { "nULL", YAMLTAG_TEXT },
        { "y", YAMLTAG_BOOL },
        { "Off", YAMLTAG_BOOL },
        { "oFF", YAMLTAG_TEXT },
        { "0", YAMLTAG_INT },
        { "-0x1F", YAMLTAG_INT },
        { "0o17", YAMLTAG_INT },
        { "017", YAMLTAG_INT },
        { "08", YAMLTAG_FLOAT },
        { "0b101", YAMLTAG_INT },
        { "1_000", YAMLTAG_INT },
        { "_1", YAMLTAG_TEXT },
        { "1:30", YAMLTAG_TEXT },
        { "1.5", YAMLTAG_FLOAT },
        { ".5", YAMLTAG_FLOAT },
        { "._5", YAMLTAG_TEXT },
        { ".5_0", YAMLTAG_TEXT },
        { "1_0.5", YAMLTAG_FLOAT },
        { "1e3", YAMLTAG_FLOAT },
        { ".", YAMLTAG_TEXT },
        { "1e400", YAMLTAG_TEXT },
        { "-.inf", YAMLTAG_FLOAT },
        { ".NaN", YAMLTAG_FLOAT },
        { ".INf", YAMLTAG_TEXT },
        { "inf", YAMLTAG_TEXT },
        { "5x", YAMLTAG_TEXT },
        { "-", YAMLTAG_TEXT },
        { "18446744073709551615", YAMLTAG_INT },
        { "18446744073709551616", YAMLTAG_FLOAT },
        { "-9223372036854775808", YAMLTAG_INT },
        { "-9223372036854775809", YAMLTAG_FLOAT },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        is_int(yamltag_kind_of(span_of(t[i].text)), t[i].kind, "'%s'", t[i].text);
    }
}

static void test_tags(void)
{
    static const struct {
        const char *tag, *text;
        enum node_style style, want_style; /* as it stands there, and as what it is read */
        const char *want;                  /* its text; or of a failure why */
    } t[] = {
        { CORE "str", "5", NODE_PLAIN, NODE_DOUBLE, "5" },
        { CORE "str", "5", NODE_SINGLE, NODE_SINGLE, "5" },
        { CORE "int", "5", NODE_SINGLE, NODE_PLAIN, "5" },
        { CORE "int", "0x1F", NODE_LITERAL, NODE_PLAIN, "0x1F" },
        { CORE "int", "1.0", NODE_PLAIN, NODE_PLAIN, "!cannot decode !!float `1.0` as a !!int" },
        { CORE "int", "", NODE_SINGLE, NODE_PLAIN, "!cannot decode !!null `` as a !!int" },
        { CORE "float", "5", NODE_DOUBLE, NODE_PLAIN, "5" },
        { CORE "float", "x", NODE_PLAIN, NODE_PLAIN, "!cannot decode !!str `x` as a !!float" },
        { CORE "bool", "yes", NODE_DOUBLE, NODE_PLAIN, "yes" },
        { CORE "bool", "1", NODE_PLAIN, NODE_PLAIN, "!cannot decode !!int `1` as a !!bool" },
        { CORE "null", "null", NODE_DOUBLE, NODE_PLAIN, "null" },
        { CORE "null", "true", NODE_PLAIN, NODE_PLAIN, "!cannot decode !!bool `true` as a !!null" },
        { CORE "binary", "YWJj", NODE_PLAIN, NODE_DOUBLE, "abc" },
        { CORE "binary", "YW\nJj\r\n", NODE_LITERAL, NODE_DOUBLE, "abc" },
        { CORE "binary", "", NODE_SINGLE, NODE_DOUBLE, "" },
        { CORE "binary", "YWJ", NODE_PLAIN, NODE_PLAIN,
          "!!!binary value contains invalid base64 data" },
        { CORE "binary", "/w==", NODE_PLAIN, NODE_PLAIN,
          "!the bytes of a !!binary value are not UTF-8, which is not supported" },
        { CORE "timestamp", "2001-01-01", NODE_PLAIN, NODE_DOUBLE, "2001-01-01" },
        { CORE "timestamp", "x", NODE_PLAIN, NODE_PLAIN,
          "!cannot decode !!str `x` as a !!timestamp" },
        { CORE "merge", "<<", NODE_SINGLE, NODE_PLAIN, "<<" },
        { CORE "merge", "x", NODE_PLAIN, NODE_DOUBLE, "x" },
        { CORE "map", "5", NODE_PLAIN, NODE_DOUBLE, "5" },
        { CORE "foo", "5", NODE_PLAIN, NODE_DOUBLE, "5" },
        { "!", "5", NODE_PLAIN, NODE_DOUBLE, "5" },
        { "!int", "5", NODE_PLAIN, NODE_DOUBLE, "5" },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        struct node n = { .type = NODE_SCALAR, .style = t[i].style, .text = span_of(t[i].text) };
        struct arena arena;
        const char *why = NULL;

        arena_init(&arena);
        int rc = yamltag_apply(&n, t[i].tag, &arena, &why);
        if (rc < 0) {
            AUTO_STR said = mem_printf("!%s", why);
            is_str(said, t[i].want, "%s '%s': refused", t[i].tag, t[i].text);
        } else {
            is_span(n.text, span_of(t[i].want), "%s '%s': text", t[i].tag, t[i].text);
            is_int(n.style, t[i].want_style, "%s '%s': style", t[i].tag, t[i].text);
        }
        arena_fini(&arena);
    }
}

int main(void)
{
    test_kinds();
    test_tags();
    return check_done();
}
