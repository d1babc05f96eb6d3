/* Thousands of generated Collectors: the rewrite is idempotent, deterministic, reversible to the
 * byte, and changes no line that is not part of a discovery section. */
#include "tests/check.h"

#include "tests/unit/rewrite/collectorgen.h"
#include "tests/unit/rewrite/oracle.h"
#include <assert.h>

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

    assert(form < GEN_FORMS);
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
        /* Jobs with a mechanism that is not built in are left alone. */
        bool has_left = strstr(text.p, "dns_sd_configs") != NULL;
        bool is_broken = result == ORACLE_BROKEN || (result == ORACLE_UNCHANGED && !has_left);
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
    ok(n_good >= PER_FORM * 3 / 4, "%s: most are rewritten (%u of %u, %u refused)",
       form_names[form], n_good, (unsigned)PER_FORM, n_refused);
    oracle_fini(&o);
}

/* ---- a second rewrite, in another way or under another name */

#define ID SPAN_LIT(WIRE_DEFAULT_COLLECTOR_ID)
static const struct rewrite_options ways[] = {
    { .collector_id_expr = ID },
    { .collector_id_expr = ID, .is_block_style = true },
    { .collector_id_expr = ID, .style = WIRE_QUALIFIED },
    { .collector_id_expr = SPAN_LIT("${env:HOSTNAME}") },
    { .collector_id_expr = ID, .style = WIRE_SHARED, .shared_host = SPAN_LIT("otel-ta.x.svc:80") },
};

/* 'text' under another name. */
static void rename_collector(struct span text, struct buf *out)
{
    const char *at = memmem(text.p, text.len, "name: made-", 11);
    size_t begin = (size_t)(at - text.p), end = begin + 11;

    while (end < text.len && text.p[end] >= '0' && text.p[end] <= '9') {
        end++;
    }
    buf_clear(out);
    buf_add(out, text.p, begin);
    buf_add_str(out, "name: another-and-longer");
    buf_add_span(out, span_from(text, end));
}

static bool survives_rename(struct oracle *o, struct span x)
{
    AUTO_BUF renamed, want;
    struct span y, again, back;
    size_t n;

    buf_init(&renamed, 4 * MIB);
    buf_init(&want, 4 * MIB);
    o->options = ways[0];
    if (oracle_run(o, x, false, &y, &n) < 0) {
        return true;
    }
    rename_collector(x, &want);
    rename_collector(y, &renamed);
    if (oracle_run(o, buf_span(&renamed), false, &again, &n) < 0 ||
        oracle_run(o, again, true, &back, &n) < 0) {
        return oracle_fail(o, "cannot be rewritten under another name");
    }
    o->result = back;
    return span_eq(back, buf_span(&want)) ||
           oracle_fail(o, "renamed, the restored text is not the original one");
}

static void check_second_rewrite(enum gen_form form)
{
    unsigned n_good = 0, n_broken = 0, n_lost = 0, n = PER_FORM / 8;
    struct oracle o;

    oracle_init(&o);
    for (unsigned seed = 1; seed <= n; seed++) {
        struct gen g = { .state = 0x2545f4914f6cdd1dULL * (seed + form * 104729) };
        unsigned a = gen_below(&g, COUNT(ways)),
                 b = (a + 1 + gen_below(&g, COUNT(ways) - 1)) % COUNT(ways);
        AUTO_BUF text;
        buf_init(&text, MIB);
        gen_collector(&g, form, &text);
        if (seed % 10 == 0) {
            gen_crlf(&text);
        }
        arena_reset(&o.arena);
        enum oracle_result result = oracle_changes_way(&o, buf_span(&text), &ways[a], &ways[b]);
        n_good += result == ORACLE_GOOD ? 1 : 0;
        if (result == ORACLE_BROKEN && ++n_broken <= 2) {
            check_note("%s, seed %u, way %u, then %u: %s\n%s\n--- becomes\n%.*s", form_names[form],
                       seed, a, b, o.why, text.p, SPAN_ARG(o.result));
        }
        if (!survives_rename(&o, buf_span(&text)) && ++n_lost <= 2) {
            check_note("%s, seed %u: %s\n%s\n--- becomes\n%.*s", form_names[form], seed, o.why,
                       text.p, SPAN_ARG(o.result));
        }
    }
    is_int(n_broken, 0, "%s: another way of rewriting", form_names[form]);
    ok(n_good >= n * 9 / 10, "%s: nearly all can be rewritten in other ways (%u of %u)",
       form_names[form], n_good, n);
    is_int(n_lost, 0, "%s: another name", form_names[form]);
    oracle_fini(&o);
}

int main(void)
{
    for (unsigned form = 0; form < GEN_FORMS; form++) {
        check_second_rewrite((enum gen_form)form);
    }
    for (unsigned form = 0; form < GEN_FORMS; form++) {
        check_form((enum gen_form)form);
    }
    return check_done();
}
