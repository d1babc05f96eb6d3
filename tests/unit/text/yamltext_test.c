/* How a text is written in each form: plain where no reader can take it for something else, in
 * single quotes where all of it can be shown, escaped where it cannot. */
#include "allocator/base/limits.h"
#include "tests/check.h"
#include "webhook/text/yamltext.h"

struct sample {
    const char *text, *block, *flow; /* flow NULL: as in a block */
};

static const struct sample samples[] = {
    { "word", "word", NULL },
    { "aZ_/.-+()*=%~@$?&:;9", "aZ_/.-+()*=%~@$?&:;9", NULL },
    { "_x", "_x", NULL },
    { "/x", "/x", NULL },
    { "a{b}", "a{b}", "'a{b}'" },
    /* What a reader of YAML takes for something else. */
    { "", "''", NULL },
    { "0", "'0'", NULL },
    { "{a}", "'{a}'", NULL },
    { "a:", "'a:'", NULL },
    { "a b", "'a b'", NULL },
    { "a#", "'a#'", NULL },
    { "a,", "'a,'", NULL },
    { "Null", "'Null'", NULL },
    { "YES", "'YES'", NULL },
    { "n", "'n'", NULL },
    { "nn", "nn", NULL },
    /* Quotes */
    { "it's", "'it''s'", NULL },
    { "'", "''''", NULL },
    { "\"\\", "'\"\\'", NULL },
    { "a\n\"\\", "\"a\\n\\\"\\\\\"", NULL },
    /* The borders of what can be shown: controls, the C1 set, separators, marks of byte order. */
    { "a\x1f", "\"a\\u001f\"", NULL },
    { "a\x7e", "a~", NULL },
    { "a\x7f", "\"a\\u007f\"", NULL },
    { "\xc2\x80", "\"\\u0080\"", NULL },
    { "\xc2\x9f", "\"\\u009f\"", NULL },
    { "\xc2\xa0", "'\xc2\xa0'", NULL },
    { "\xc3\x80", "'\xc3\x80'", NULL },
    { "\xe2\x80\xa7", "'\xe2\x80\xa7'", NULL },
    { "\xe2\x80\xa8", "\"\\u2028\"", NULL },
    { "\xe2\x80\xa9", "\"\\u2029\"", NULL },
    { "\xe2\x80\xaa", "'\xe2\x80\xaa'", NULL },
    { "\xe2\x81\xa8", "'\xe2\x81\xa8'", NULL },
    { "\xe3\x80\xa8", "'\xe3\x80\xa8'", NULL },
    { "\xef\xba\xbf", "'\xef\xba\xbf'", NULL },
    { "\xef\xbb\xbf", "\"\\ufeff\"", NULL },
    { "\xf0\x9f\x98\x80", "'\xf0\x9f\x98\x80'", NULL },
    /* Once something has to be escaped, only that is. */
    { "\x01\xc2\xa0\xf0\x9f\x98\x80\xe2\x80\xa8 z", "\"\\u0001\xc2\xa0\xf0\x9f\x98\x80\\u2028 z\"",
      NULL },
    { "\n\xc3\xa9\xdf\xbf\xe0\xa0\x80", "\"\\n\xc3\xa9\xdf\xbf\xe0\xa0\x80\"", NULL },
};

static void is_written(struct span text, enum yamltext_form form, const char *want,
                       const char *what)
{
    AUTO_BUF out = { 0 };

    buf_init(&out, MIB);
    yamltext_scalar(check_at_edge(text), form, &out);
    is_span(buf_span(&out), span_of(want), "%s: %s", what, want);
}

int main(void)
{
    for (size_t i = 0; i < COUNT(samples); i++) {
        const struct sample *s = &samples[i];
        is_written(span_of(s->text), YAMLTEXT_BLOCK, s->block, "in a block");
        is_written(span_of(s->text), YAMLTEXT_FLOW, s->flow == NULL ? s->block : s->flow,
                   "in flow");
    }
    is_written(SPAN_LIT("word"), YAMLTEXT_JSON, "\"word\"", "as JSON");
    is_written(SPAN_LIT("word"), YAMLTEXT_JSON_COMPACT, "\"word\"", "as compact JSON");
    is_written(SPAN_LIT("a\0b"), YAMLTEXT_BLOCK, "\"a\\u0000b\"", "with a NUL byte");
    return check_done();
}
