/* Thousands of generated Collectors: the rewrite is idempotent, deterministic, reversible to the
 * byte, and changes no line that is not part of a discovery section. */
#include "tests/check.h"
#include "tests/unit/webhook/collectorgen.h"
#include "tests/unit/webhook/oracle.h"

#ifndef PER_FORM
#define PER_FORM 800
#endif

static const char *const form_names[] = { "object", "literal", "double-quoted",
                                          "double-quoted and folded", "single-quoted" };

static bool is_section_line(struct span line)
{
    static const char *const words[] = { "sdmark",
                                         "static_configs:",
                                         "_sd_configs:",
                                         "targetallocator:80/",
                                         (WIRE_ANNOTATION ":"),
                                         "annotations" };

    for (size_t i = 0; i < COUNT(words); i++) {
        if (memmem(line.p, line.len, words[i], strlen(words[i])) != NULL) {
            return true;
        }
    }
    return false;
}

static void add_other_lines(struct span text, struct buf *out)
{
    for (size_t i = 0; i < text.len;) {
        const char *nl = memchr(text.p + i, '\n', text.len - i);
        size_t end = nl == NULL ? text.len : (size_t)(nl - text.p) + 1;
        struct span line = span_make(text.p + i, end - i);
        if (!is_section_line(line)) {
            buf_add_span(out, line);
        }
        i = end;
    }
}

static bool keeps_other_lines(struct span before, struct span after)
{
    AUTO_BUF a, b;

    buf_init(&a, 4 * MIB);
    buf_init(&b, 4 * MIB);
    add_other_lines(before, &a);
    add_other_lines(after, &b);
    return span_eq(buf_span(&a), buf_span(&b));
}

static void check_form(enum gen_form form)
{
    unsigned n_good = 0, n_refused = 0, n_broken = 0, n_lines = 0;
    struct oracle o;

    oracle_init(&o);
    for (unsigned seed = 1; seed <= PER_FORM; seed++) {
        struct gen g = { .state = 0x9e3779b97f4a7c15ULL * (seed + form * 7919) };
        AUTO_BUF text;
        buf_init(&text, MIB);
        gen_collector(&g, form, &text);
        if (seed % 10 == 0) {
            gen_crlf(&text);
        }
        enum oracle_result result = oracle_check(&o, buf_span(&text));
        n_good += result == ORACLE_GOOD ? 1 : 0;
        n_refused += result == ORACLE_REFUSED ? 1 : 0;
        bool is_broken = result == ORACLE_BROKEN || result == ORACLE_UNCHANGED;
        bool has_lost = result == ORACLE_GOOD && !g.has_flow &&
                        (form == GEN_OBJECT || form == GEN_LITERAL) &&
                        !keeps_other_lines(buf_span(&text), o.result);
        n_lines += has_lost ? 1 : 0;
        if ((is_broken || has_lost) && ++n_broken <= 2) {
            check_note("%s, seed %u: %s\n%s\n--- becomes\n%.*s", form_names[form], seed,
                       has_lost ? "lines lost" : o.why, text.p, SPAN_ARG(o.result));
        }
        if (result == ORACLE_REFUSED && n_refused == 1) {
            check_note("%s, seed %u, refused: %s", form_names[form], seed, o.why);
        }
    }
    is_int(n_broken, 0, "%s: all properties hold", form_names[form]);
    is_int(n_lines, 0, "%s: no other line is touched", form_names[form]);
    ok(n_good >= PER_FORM * 9 / 10, "%s: nearly all are rewritten (%u of %u, %u refused)",
       form_names[form], n_good, (unsigned)PER_FORM, n_refused);
    oracle_fini(&o);
}

int main(void)
{
    for (unsigned form = 0; form < GEN_FORMS; form++) {
        check_form((enum gen_form)form);
    }
    return check_done();
}
