#include "allocator/prom/regex.h"

#include "allocator/base/buf.h"
#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "allocator/prom/re2_shim.h"
#include "allocator/prom/regex_plan.h"
#include "tests/check.h"

#include <ctype.h>
#include <stdio.h>

/* ---- whole-subject matches and groups, as Go's regexp answers for ^(?s:…)$ */

static void test_match(void)
{
    static const struct {
        const char *pattern, *subject;
        bool is_match;
        const char *groups; /* "<1>|<2>", "-" for one that took no part */
    } t[] = {
        { "", "", true, "" },
        { "", "a", false, "" },
        { "a", "a", true, "" },
        { "a", "ab", false, "" },
        { "a", "ba", false, "" },
        { ".*", "a\nb", true, "" },
        { "(.*)", "a\nb", true, "a\nb" },
        { "(.+)", "", false, "" },
        { "(.+)", "\n", true, "\n" },
        { "(?-s).*", "a\nb", false, "" },
        { "a|b", "b", true, "" },
        { "a|b", "c", false, "" },
        { "a|", "", true, "" },
        { "(a|b)", "b", true, "b" },
        { "__meta_kubernetes_pod_label_(.+)", "__meta_kubernetes_pod_label_app", true, "app" },
        { "__meta_kubernetes_pod_label_(.+)", "__meta_kubernetes_pod_label_", false, "" },
        { "([^:]+)(?::\\d+)?;(\\d+)", "10.0.0.1:8080;9102", true, "10.0.0.1|9102" },
        { "([^:]+)(?::\\d+)?;(\\d+)", "10.0.0.1;9102", true, "10.0.0.1|9102" },
        { "([^:]+)(?::\\d+)?;(\\d+)", "10.0.0.1:8080;", false, "" },
        { "(.+?)(:\\d+)?", "host:80", true, "host|:80" },
        { "(.+?)(:\\d+)?", "host", true, "host|-" },
        { ".*-(metrics|http)", "a-b-http", true, "http" },
        { "(.*)-(.*)", "a-b-c", true, "a-b|c" },
        { "(.*?)-(.*)", "a-b-c", true, "a|b-c" },
        { "([^/]+)/([^/]+)", "ns/name", true, "ns|name" },
        { "([a-z]+)-?([0-9]*)", "abc-", true, "abc|" },
        { "(a)?b", "b", true, "-" },
        { "(a)?(b)?c", "bc", true, "-|b" },
        { "(?:x(y))?z", "z", true, "-" },
        { "(foo.*|bar)", "foobar", true, "foobar" },
        { "(foo|foobar)(.*)", "foobar", true, "foo|bar" },
        { "^a$", "a", true, "" },
        { "^a|b$", "b", true, "" },
        { "^(a|b)$", "a", true, "a" },
        { "a\\.b", "a.b", true, "" },
        { "a\\.b", "axb", false, "" },
        { "a.b",
          "a\xc3\xa9"
          "b",
          true, "" },
        { "(.)(.)", "\xc3\xa9x", true, "\xc3\xa9|x" },
        { "(.)(.*)", "\xe2\x82\xac\xf0\x9f\x98\x80", true, "\xe2\x82\xac|\xf0\x9f\x98\x80" },
        { "([^x]+)x", "\xc3\xa9x", true, "\xc3\xa9" },
        { "[[:alpha:]]+", "abc", true, "" },
        { "(?i)ABC", "abc", true, "" },
        { "\\pL+", "\xc3\xa9", true, "" },
        { "\\w+", "\xc3\xa9", false, "" },
        { "\\s", "\v", false, "" },
        { "a{2,3}", "aaa", true, "" },
        { "a{2,3}", "aaaa", false, "" },
        { "\\Qa.b\\E", "a.b", true, "" },
        { "\\Q(?<\\E", "(?<", true, "" },
        { "(?P<first>a)(?<second>b)", "ab", true, "a|b" },
        { "[(?<]+", "(?<", true, "" },
        { "[[:alpha:](?<]+", "a(?<", true, "" },
        { "[[:alpha:]]+(?<x>.)", "ab1", true, "1" },
        { "[[:](?<x>a)", ":a", true, "a" }, /* no script's name: the class ends at the first ] */
        { "[[a](?<x>b)", "[b", true, "b" },
        { "[](?<]+", "](?<", true, "" },
        { "[](?<[:digit:]]+", "](?<1", true, "" },
        { "[^](?<[:digit:]]+", "a", true, "" },
        { "[^](?<[:digit:]]+", "]", false, "" },
        { "[\\](?<[:digit:]]+", "](?<1", true, "" },
        { "[^](?<]+", "a", true, "" },
        { "[^](?<]+", "]", false, "" },
        { "[\\](?<]+", "](?<", true, "" },
        { "\\Qa(?<\\E(?<x>b)", "a(?<b", true, "b" },
        { "\\((?<x>b)", "(b", true, "b" },
        { "$(SHARD);|.+;.+", "7;true", true, "-" },
        { "$(SHARD);|.+;.+", "7;", false, "" },
        { "a)|(b", "ax", true, "-" }, /* escapes the anchors, as in Prometheus */
        { "a)|(b", "xb", true, "b" },
        { "a)|(b", "xbx", false, "" },
        { "(a+)+$", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!", false, "" },
        { "(.*)(.*)(.*)(.*)(.*)x",
          "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy", false,
          "" },
    };
    for (size_t i = 0; i < COUNT(t); i++) {
        AUTO(regex) re = NULL;
        struct err err = { 0 };
        is_int(regex_compile(check_at_edge(span_of(t[i].pattern)), NULL, &re, &err), 0,
               "'%s' compiles (%s)", t[i].pattern, err.text);
        struct regex_match m = { .n_groups = 3 };
        bool is_match = regex_match(re, span_of(t[i].subject), &m);
        is_int(is_match, t[i].is_match, "match %zu", i);
        is_int(regex_match(re, span_of(t[i].subject), NULL), t[i].is_match, "'%s' without groups",
               t[i].pattern);
        char groups[128] = "";
        size_t n_wanted = t[i].groups[0] == '\0' ? 0 : strchr(t[i].groups, '|') == NULL ? 1 : 2;
        for (size_t g = 1; is_match && g <= n_wanted; g++) {
            size_t len = strlen(groups);
            (void)snprintf(groups + len, sizeof(groups) - len, "%s%.*s", g > 1 ? "|" : "",
                           m.group[g].p == NULL ? 1 : (int)m.group[g].len,
                           m.group[g].p == NULL ? "-" : m.group[g].p);
        }
        is_str(groups, t[i].groups, "groups of '%s' on '%s'", t[i].pattern, t[i].subject);
    }
}

static void test_faults(void)
{
    static const struct {
        const char *pattern;
        int rc;
        const char *text;
    } t[] = {
        { "(", ERR_INVALID, "error parsing regexp: missing closing ): `^(?s:()$`" },
        { ")", ERR_INVALID, "error parsing regexp: unexpected ): `^(?s:))$`" },
        { "*", ERR_INVALID, "error parsing regexp: missing argument to repetition operator: `*`" },
        { "a**", ERR_INVALID, "error parsing regexp: invalid nested repetition operator: `**`" },
        { "[b-a]", ERR_INVALID, "error parsing regexp: invalid character class range: `b-a`" },
        { "[a", ERR_INVALID, "error parsing regexp: missing closing ]: `[a)$`" },
        { "a{1001}", ERR_INVALID, "error parsing regexp: invalid repeat count: `{1001}`" },
        { "\\8", ERR_INVALID, "error parsing regexp: invalid escape sequence: `\\8`" },
        { "\\C", ERR_INVALID, "error parsing regexp: invalid escape sequence: `\\C`" },
        { "(?=a)", ERR_INVALID, "error parsing regexp: invalid or unsupported Perl syntax: `(?=`" },
        { "(?<=a)", ERR_INVALID,
          "error parsing regexp: invalid or unsupported Perl syntax: `(?<`" },
        { "\xff", ERR_INVALID, "error parsing regexp: invalid UTF-8: `^(?s:\xff)$`" },
        { "((a{100}){100}){100}", ERR_INVALID, NULL },
        { "(\\pL{500}){2}", ERR_TOO_BIG, NULL },
    };
    for (size_t i = 0; i < COUNT(t); i++) {
        struct regex *re = NULL;
        struct err err = { 0 };
        is_int(regex_compile(check_at_edge(span_of(t[i].pattern)), NULL, &re, &err), t[i].rc,
               "'%s' is refused (%s)", t[i].pattern, err.text);
        ok(re == NULL, "nothing came out of '%s'", t[i].pattern);
        if (t[i].text != NULL) {
            is_str(err.text, t[i].text, "sentence for '%s'", t[i].pattern);
        }
    }
    char *big = mem_alloc(LIMIT_REGEX_BYTES + 1);
    memset(big, 'a', LIMIT_REGEX_BYTES + 1);
    AUTO(regex) re = NULL;
    is_int(regex_compile(span_make(big, LIMIT_REGEX_BYTES + 1), NULL, &re, NULL), ERR_TOO_BIG,
           "too long");
    is_int(regex_compile(span_make(big, LIMIT_REGEX_BYTES), NULL, &re, NULL), 0,
           "as long as allowed");
    ok(regex_match(re, span_make(big, LIMIT_REGEX_BYTES), NULL), "and it matches itself");
    mem_free(big);
}

static void test_templates(void)
{
    static const struct {
        const char *pattern, *subject, *text, *want;
        size_t n_groups;
    } t[] = {
        { "(.*)", "v", "$1", "v", 2 },
        { "(.*)", "v", "${1}", "v", 2 },
        { "(.*)", "v", "$0", "v", 1 },
        { "(.*)", "v", "plain", "plain", 0 },
        { "(.*)", "v", "", "", 0 },
        { "(.*)", "v", "a$1b", "a", 0 }, /* the group "1b" does not exist */
        { "(.*)", "v", "a${1}b", "avb", 2 },
        { "(.*)", "v", "$1-$1", "v-v", 2 },
        { "(.*)", "v", "$$1", "$1", 0 },
        { "(.*)", "v", "$$$1", "$v", 2 },
        { "(.*)", "v", "$", "$", 0 },
        { "(.*)", "v", "${", "${", 0 },
        { "(.*)", "v", "${}", "${}", 0 },
        { "(.*)", "v", "${1", "${1", 0 },
        { "(.*)", "v", "$-", "$-", 0 },
        { "(.*)", "v", "$-$1", "$-v", 2 },
        { "(.*)", "v", "$2", "", 0 },
        { "(.*)", "v", "$01", "", 0 },
        { "(.*)", "v", "$00", "", 0 },
        { "(.*)", "v", "$99999999999", "", 0 },
        { "(.*)", "v", "a $", "a $", 0 },
        { "(.*)", "v", "${1}\xc3\xa9", "v\xc3\xa9", 2 },
        { "(.*)", "v", "$1\xc3\xa9", "", 0 }, /* é is a letter: the name goes on */
        { "(.*)", "v", "$1\xe2\x82\xac", "v\xe2\x82\xac", 2 }, /* the euro sign is none */
        { "(.*)", "v", "$1\xd9\xa3", "", 0 },                  /* an Arabic digit is a digit */
        { "(?P<first>.)(?<second>.)", "ab", "$second${first}$third", "ba", 3 },
        { "(?P<first>.)(?<second>.)", "ab", "$2$1", "ba", 3 },
        { "(?P<n>a)(?<n>b)", "ab", "$n", "a",
          3 }, /* a name may come twice: the first that took part */
        { "(?P<n>a)?(?<n>b)", "b", "$n", "b", 3 },
        { "(a)?(b)", "b", "[$1$2]", "[b]", 3 },
        { "(a)?(b)", "b", "$1", "", 2 },
    };
    for (size_t i = 0; i < COUNT(t); i++) {
        AUTO(regex) re = NULL;
        struct arena arena;
        const struct regex_template *template = NULL;
        arena_init(&arena);
        is_int(regex_compile(span_of(t[i].pattern), NULL, &re, NULL), 0, "compiles");
        is_int(
            regex_template_compile(re, check_at_edge(span_of(t[i].text)), &arena, &template, NULL),
            0, "template");
        is_int(regex_template_groups(template), t[i].n_groups, "groups for '%s'", t[i].text);
        struct regex_match m = { .n_groups = t[i].n_groups };
        ok(regex_match(re, span_of(t[i].subject), m.n_groups == 0 ? NULL : &m), "matches");
        struct span got = regex_template_expand(template, &m, &arena);
        is_span(got, span_of(t[i].want), "'%s' of '%s'", t[i].text, t[i].subject);
        is_int(regex_template_size(template, &m), got.len, "size of '%s'", t[i].text);
        arena_fini(&arena);
    }
}

static void test_replace_all(void)
{
    static const struct {
        const char *pattern, *subject, *text, *want; /* NULL: no match */
    } t[] = {
        { "x_(.+)", "x_y", "$1", "y" },
        { "x_(.+)", "x", "$1", NULL },
        { ".*", "", "a$0", "a" },
        { "a)|(b", "axb", "<$0>", "<a>x<b>" },
        { "a)|(b", "axc", "<$0$1>", "<a>xc" },
        { "a)|(b", "c", "<$0>", NULL },
        { "a*)|(x*", "aaxx", "-", "--" },
        { "x*)|(a*", "xba", "-", "-b-" },
        { "(?<n>a))|((?P<m>b)", "ab", "[${n}|${m}]", "[a|][|b]" },
    };
    for (size_t i = 0; i < COUNT(t); i++) {
        AUTO(regex) re = NULL;
        AUTO_BUF got;
        struct arena arena;
        const struct regex_template *template = NULL;
        arena_init(&arena);
        buf_init(&got, KIB);
        is_int(regex_compile(span_of(t[i].pattern), NULL, &re, NULL), 0, "compiles");
        is_int(
            regex_template_compile(re, check_at_edge(span_of(t[i].text)), &arena, &template, NULL),
            0, "template");
        is_int(regex_replace_all(re, template, span_of(t[i].subject), &got), t[i].want != NULL,
               "'%s' on '%s'", t[i].pattern, t[i].subject);
        if (t[i].want != NULL) {
            is_span(buf_span(&got), span_of(t[i].want), "'%s' in '%s'", t[i].pattern, t[i].subject);
        }
        arena_fini(&arena);
    }
}

static void test_many_groups(void)
{
    AUTO_BUF pattern;
    buf_init(&pattern, 4 * KIB);
    for (int i = 0; i < 70; i++) {
        buf_add_str(&pattern, "(a)");
    }
    AUTO(regex) re = NULL;
    struct arena arena;
    const struct regex_template *template = NULL;
    struct err err = { 0 };
    char subject[71];
    memset(subject, 'a', 70);
    arena_init(&arena);
    is_int(regex_compile(buf_span(&pattern), NULL, &re, NULL), 0, "70 groups compile");
    ok(regex_match(re, span_make(subject, 70), NULL), "and match");
    is_int(regex_template_compile(re, SPAN_LIT("$63"), &arena, &template, &err), 0,
           "the last that can be used");
    is_int(regex_template_compile(re, SPAN_LIT("$64"), &arena, &template, &err), ERR_UNSUPPORTED,
           "one too many");
    is_int(regex_template_compile(re, SPAN_LIT("$71"), &arena, &template, &err), 0,
           "one that does not exist is empty");
    arena_fini(&arena);
}

/* ---- the planner against RE2, on patterns made at random from what configurations use */

static uint64_t random_state = 20;

static size_t below(size_t n)
{
    random_state = random_state * 6364136223846793005ULL + 1442695040888963407ULL;
    return (size_t)(random_state >> 33) % n;
}

static void random_pattern(struct buf *out)
{
    static const char *const atoms[] = {
        "a",         "b",          "ab",
        "\\.",       ".",          ".*",
        ".+",        ".*?",        ".+?",
        "(.*)",      "(.+)",       "(.+?)",
        "a*",        "b?",         "[ab]",
        "[^a]+",     "[^b]*",      "\\d+",
        "\\w+",      "(\\w+)",     "(a|b)",
        "(?:a|ab)",  "(a|ab|)",    "(?:a)?",
        "(b)?",      "(?:a(b*))?", "(a.)?",
        "\xc3\xa9",  "[a-c]?",     "(?:.b)",
        "x??",       "|",          "|",
        "\\s",       "\\D",        "(\\S*)",
        "[-a]",      "[a-]",       "[]a]+",
        "[^]a]",     "(",          ")",
        "^",         "$",          "{1}",
        "a{2}",      "(?:",        "\\-",
        "[\\d.]+",   "[\\.\\-b]",  "(([ab])(.))?",
        "(?:(a)|b)", "*",          "?",
        "+",
    };
    for (size_t n = 1 + below(6); n > 0; n--) {
        buf_add_str(out, atoms[below(COUNT(atoms))]);
    }
}

static void random_subject(struct buf *out)
{
    static const char *const parts[] = { "a",        "b",  "ab", "c",  ".",  "1", "-",
                                         "\xc3\xa9", "\n", "",   "aa", "_x", "]" };
    for (size_t n = below(7); n > 0; n--) {
        buf_add_str(out, parts[below(COUNT(parts))]);
    }
}

static bool agree(const struct regex_plan *plan, const struct re2_shim *re2, struct span subject)
{
    struct span a[8];
    struct span b[8];
    size_t n = regex_plan_groups(plan) + 1;
    n = n > 8 ? 8 : n;
    enum plan_outcome outcome = regex_plan_match(plan, subject, a, n);
    bool is_match = re2_shim_match(re2, subject, 0, b, n);
    if (outcome == PLAN_GAVE_UP) {
        return !regex_plan_is_complete(plan);
    }
    if ((outcome == PLAN_MATCH) != is_match) {
        return false;
    }
    for (size_t g = 0; is_match && g < n; g++) {
        if ((a[g].p == NULL) != (b[g].p == NULL) ||
            (a[g].p != NULL && (a[g].p != b[g].p || a[g].len != b[g].len))) {
            return false;
        }
    }
    return true;
}

static void test_plan_equals_re2(void)
{
    size_t n_planned = 0;
    size_t n_wrong = 0;
    size_t n_accepted_wrongly = 0;
    for (int i = 0; i < 60000; i++) {
        struct buf pattern;
        struct buf whole;
        struct arena arena;
        char error[256];
        bool is_too_big;
        buf_init(&pattern, KIB);
        buf_init(&whole, KIB);
        arena_init(&arena);
        random_pattern(&pattern);
        const struct regex_plan *plan = regex_plan_new(buf_span(&pattern), &arena);
        if (plan != NULL) {
            n_planned++;
            buf_addf(&whole, "^(?s:%.*s)$", SPAN_ARG(buf_span(&pattern)));
            struct re2_shim *re2 = re2_shim_new(buf_span(&whole), (int64_t)LIMIT_REGEX_MEMORY,
                                                error, sizeof(error), &is_too_big);
            if (re2 == NULL || re2_shim_groups(re2) != regex_plan_groups(plan)) {
                check_note("'%s' is planned, but RE2 says: %s", pattern.p,
                           re2 == NULL ? error : "other groups");
                n_accepted_wrongly++;
            }
            for (int k = 0; re2 != NULL && k < 12; k++) {
                struct buf subject;
                buf_init(&subject, KIB);
                random_subject(&subject);
                if (!agree(plan, re2, span_make(subject.p == NULL ? "" : subject.p, subject.len))) {
                    check_note("'%s' on '%s'", pattern.p, subject.p == NULL ? "" : subject.p);
                    n_wrong++;
                }
                buf_fini(&subject);
            }
            re2_shim_free(re2);
        }
        arena_fini(&arena);
        buf_fini(&whole);
        buf_fini(&pattern);
    }
    is_int(n_accepted_wrongly, 0, "no pattern is planned that RE2 refuses");
    is_int(n_wrong, 0, "plan and RE2 agree on matches and groups");
    ok(n_planned > 10000, "%zu patterns were planned", n_planned);
}

/* ---- lists of words, which are a hash set, against RE2 */

static void random_word(struct buf *out)
{
    static const char *const parts[] = {
        "a", "b", "ab", "aa", "k", "S", "1", "\xc3\xa9", "\xc3\x89"
    };

    for (size_t n = below(9) == 0 ? 0 : 1 + below(4); n > 0; n--) {
        buf_add_str(out, parts[below(COUNT(parts))]);
    }
}

/* 'words' gets them apart, one after the other with a NUL after each. */
static void random_words(struct buf *pattern, struct buf *words, size_t n)
{
    static const char *const forms[][2] = {
        { "", "" },          { "(", ")" },          { "(?:", ")" },    { "^", "$" },
        { "^(", ")$" },      { "^(?:", ")$" },      { "(", ");true" }, { "a(", ")(b)" },
        { "(", ")b?" },      { "(?:", ")([ab]*)" }, { "(", ")?" },     { "(x)?(", ")" },
        { "(?i)", "" },      { "(?i:", ")" },       { "(?s)", "" },    { "(?is)(", ")" },
        { "(", "|a.*)" },    { "", "|[ab]+|b|ab" }, { "(b*|", ")" },   { "(", ")|(a)" },
        { "(?:(", ")|b.)" }, { "((", "))" },        { "|", "" },       { "", "|" },
    };
    const char *const *form = forms[below(COUNT(forms))];

    buf_add_str(pattern, form[0]);
    for (size_t i = 0; i < n; i++) {
        size_t from = words->len;
        random_word(words);
        buf_add_str(pattern, i == 0 ? "" : "|");
        buf_add_span(pattern, span_from(buf_span(words), from));
        buf_add_char(words, '\0');
    }
    buf_add_str(pattern, form[1]);
}

/* One of the words, or what stands close to one. */
static void word_subject(const struct buf *words, struct buf *out)
{
    static const char *const around[] = {
        "", "", "", "", "a", "b", ";true", "x", "\xc3\xa9", "ab"
    };
    size_t at = below(words->len);

    while (at > 0 && words->p[at - 1] != '\0') {
        at--;
    }
    buf_add_str(out, around[below(COUNT(around))]);
    buf_add_str(out, words->p + at);
    buf_add_str(out, around[below(COUNT(around))]);
    for (size_t i = 0; below(8) == 0 && i < out->len; i++) { /* the other case */
        char letter = (char)(out->p[i] | 0x20);
        out->p[i] = letter >= 'a' && letter <= 'z' ? (char)(out->p[i] ^ 0x20) : out->p[i];
    }
}

static bool same_answer(const struct regex *re, const struct re2_shim *re2, struct span subject)
{
    struct regex_match m = { .n_groups = 4 };
    struct span b[4];
    bool is_match = re2_shim_match(re2, subject, 0, b, 4);

    if (regex_match(re, subject, &m) != is_match || regex_match(re, subject, NULL) != is_match) {
        return false;
    }
    for (size_t g = 0; is_match && g < 4; g++) {
        if ((m.group[g].p == NULL) != (b[g].p == NULL) || !span_eq(m.group[g], b[g])) {
            return false;
        }
    }
    return true;
}

static void check_word_list(size_t n_words, size_t *n_matches, size_t *n_wrong)
{
    AUTO_BUF pattern, words, whole;
    struct regex *re = NULL;
    char error[256];
    bool is_too_big;

    buf_init(&pattern, 4 * KIB);
    buf_init(&words, 4 * KIB);
    buf_init(&whole, 4 * KIB);
    random_words(&pattern, &words, n_words);
    buf_addf(&whole, "^(?s:%s)$", pattern.p);
    struct re2_shim *re2 = re2_shim_new(buf_span(&whole), (int64_t)LIMIT_REGEX_MEMORY, error,
                                        sizeof(error), &is_too_big);
    bool is_both = regex_compile(buf_span(&pattern), NULL, &re, NULL) == 0 && re2 != NULL;
    *n_wrong += is_both ? 0 : 1;
    for (int k = 0; is_both && k < 40; k++) {
        AUTO_BUF subject;
        buf_init(&subject, KIB);
        word_subject(&words, &subject);
        struct span s = span_make(subject.p == NULL ? "" : subject.p, subject.len);
        *n_matches += regex_match(re, s, NULL) ? 1 : 0;
        if (!same_answer(re, re2, s)) {
            check_note("'%s' on '%.*s'", pattern.p, SPAN_ARG(s));
            *n_wrong += 1;
        }
    }
    re2_shim_free(re2);
    regex_free(&re);
}

static void test_words_equal_re2(void)
{
    size_t n_matches = 0, n_wrong = 0;

    for (int i = 0; i < 4000; i++) {
        check_word_list(1 + below(i % 4 == 0 ? 120 : 14), &n_matches, &n_wrong);
    }
    is_int(n_wrong, 0, "lists of words say what RE2 says, groups too");
    ok(n_matches > 20000 && n_matches < 140000, "%zu of 160000 subjects match", n_matches);
}

/* More lengths than are worth a look-up each; and many words that are all the same. */
static void test_odd_word_lists(void)
{
    struct regex *re = NULL;
    AUTO_BUF pattern;

    buf_init(&pattern, LIMIT_REGEX_BYTES);
    for (int len = 1; len <= 100; len++) {
        buf_addf(&pattern, "%s%0*d", len == 1 ? "" : "|", len, 7);
    }
    is_int(regex_compile(buf_span(&pattern), NULL, &re, NULL), 0, "100 words of 100 lengths");
    ok(regex_match(re, SPAN_LIT("0000000000000000000000000000007"), NULL), "one of them");
    ok(!regex_match(re, SPAN_LIT("0000000000000000000000000000008"), NULL), "none of them");
    regex_free(&re);
    buf_clear(&pattern);
    for (int i = 0; i < 8000; i++) {
        buf_add_str(&pattern, "a|");
    }
    is_int(regex_compile(buf_span(&pattern), NULL, &re, NULL), 0, "one word 8,000 times");
    ok(regex_match(re, SPAN_LIT("a"), NULL) && regex_match(re, SPAN_LIT(""), NULL) &&
           !regex_match(re, SPAN_LIT("aa"), NULL),
       "it matches, and nothing at the end, and no other");
    regex_free(&re);
}

/* Real patterns that must not need RE2: this is what makes relabeling fast. */
static void test_planned(void)
{
    static const struct {
        const char *pattern;
        bool is_planned, is_complete, is_any;
    } t[] = {
        { "(.*)", true, true, true },
        { ".*", true, true, true },
        { "true", true, true, false },
        { "(.+)", true, true, false },
        { "https?", true, true, false },
        { "default;kubernetes;https", true, true, false },
        { "__meta_kubernetes_service_label_(.+)", true, true, false },
        { "kube-state-metrics|node-exporter", true, true, false },
        { "Pending|Succeeded|Failed|Completed", true, true, false },
        { "(Succeeded|Failed)", true, true, false },
        { "([^:]+)(?::\\d+)?;(\\d+)", true, false, false },
        { "(.*)-(.*)", true, false, false },
        { "(.+)\\.svc", true, true, false },
        { "(?i)x", false, false, false },
        { "(?P<x>a)", false, false, false },
        { "a{3}", false, false, false },
        { "\\s", true, true, false },
        { "\\w+", true, true, false },
        { "\\d*", true, true, false },
        { "\\S+", true, true, false },
        { "\\W", true, true, false },
        { "\\D?", true, true, false },
        { "\\.", true, true, false },
        { "\\z", false, false, false },
        { "\\", false, false, false },
        { "[\\s]", true, true, false },
        { "[\\w.-]+", true, true, false },
        { "[-a]", true, true, false },
        { "[a-c-e]", false, false, false },
        { "[\\d-a]", false, false, false },
        { "[a-\\d]", false, false, false },
        { "[c-a]", false, false, false },
        { "[a-a]", true, true, false },
        { "[]a]", true, true, false },
        { "[[a]", false, false, false },
        { "[a[]", false, false, false },
        { "[a-[]", false, false, false },
        { "[[:alpha:]]", false, false, false },
        { "[\xc3\xa9]", false, false, false },
        { "[a", false, false, false },
        { "[", false, false, false },
        { "[\\.]", true, true, false },
        { "[\\x]", false, false, false },
        { "a??", true, true, false },
        { "a*?", true, true, false },
        { "a*+", false, false, false },
        { ".*{2}", false, false, false },
        { "\xc3\xa9", true, true, false },
        { "\xc3\xa9*", false, false, false },
        { "(a)?", true, false, false },
        { "(a)?b?", true, false, false },
        { "(a|b)(c|d)", true, false, false },
        { "(a|b)", true, true, false },
        { "(a)*", false, false, false },
        { "(a)?*", false, false, false },
        { "(a|b*)", true, true, false },
        { "(?:a|b)", true, true, false },
        { "(?:.*)", true, true, true },
        { "((.*))", true, true, false },
        { "(.*?)", true, true, true },
        { "(.*)|a", true, true, false },
        { "a|(.*)", true, true, false },
        { "^a$", true, true, false },
        { "^*", false, false, false },
        { "a$b", false, false, false },
        { "^a|b$", true, true, false },
        { "(^a)", true, true, false },
        { "b(^a)", false, false, false },
        { "(a)(.$)", false, false, false },
        { "b((((.))))", true, true, false },
        { "b(((((.)))))", false, false, false },
        { "b(((((a)))))", true, true, false },
        { "b((((((a))))))", false, false, false },
        { "(((.+)))", true, true, false },
        { "a)", false, false, false },
        { "(a", false, false, false },
    };
    for (size_t i = 0; i < COUNT(t); i++) {
        struct arena arena;
        arena_init(&arena);
        const struct regex_plan *plan =
            regex_plan_new(check_at_edge(span_of(t[i].pattern)), &arena);
        is_int(plan != NULL, t[i].is_planned, "'%s' has a plan", t[i].pattern);
        is_int(plan != NULL && regex_plan_is_complete(plan), t[i].is_complete, "'%s' is complete",
               t[i].pattern);
        is_int(plan != NULL && regex_plan_is_any(plan), t[i].is_any, "'%s' matches anything",
               t[i].pattern);
        arena_fini(&arena);
    }
}

/* Which escapes are planned: those of ASCII punctuation and of the classes, in a class and alone.
 */
static void test_escapes(void)
{
    size_t n_wrong = 0;

    for (int c = 1; c < 256; c++) {
        bool is_known = c < 0x80 && (ispunct(c) || strchr("dDsSwW", c) != NULL);
        bool is_member = c < 0x80 && (ispunct(c) || strchr("dsw", c) != NULL);
        const char alone[] = { '\\', (char)c }, inside[] = { '[', '\\', (char)c, ']' };
        struct arena arena;
        arena_init(&arena);
        n_wrong += (regex_plan_new(span_make(alone, 2), &arena) != NULL) != is_known;
        n_wrong += (regex_plan_new(span_make(inside, 4), &arena) != NULL) != is_member;
        arena_fini(&arena);
    }
    is_int(n_wrong, 0, "escapes are planned or left to RE2");
}

/* A template ends where its text does, whatever stands after it. */
static void test_part_of_a_text(void)
{
    AUTO(regex) re = NULL;
    struct arena arena;
    const struct regex_template *t = NULL;
    struct regex_match m = { .n_groups = 2 };

    arena_init(&arena);
    is_int(regex_compile(SPAN_LIT("(.)"), NULL, &re, NULL), 0, "a pattern");
    ok(regex_match(re, SPAN_LIT("x"), &m), "a match");
    is_int(regex_template_compile(re, span_make("$12", 2), &arena, &t, NULL), 0, "a template");
    is_span(regex_template_expand(t, &m, &arena), SPAN_LIT("x"), "is $1, not $12");
    is_int(regex_template_compile(re, span_make("${1}", 3), &arena, &t, NULL), 0, "cut");
    is_span(regex_template_expand(t, &m, &arena), SPAN_LIT("${1"), "is malformed");
    arena_fini(&arena);
}

/* A subject whose length makes a plan's choices multiply is left to RE2; one with a single choice
 * is decided, however long it is. */
static void test_budget(void)
{
    static const struct {
        const char *pattern;
        enum plan_outcome outcome;
    } t[] = {
        { "(.*)(.*)(.*)(.*)x", PLAN_GAVE_UP }, { "(.*)-(.*)", PLAN_NO_MATCH },
        { "(.*)yx", PLAN_NO_MATCH },           { "(.+)", PLAN_MATCH },
        { "[xyz]*?z", PLAN_NO_MATCH },         { "([a-y]*)(y|x|yy)?z", PLAN_NO_MATCH },
    };
    enum { N = 100000 };
    AUTO_STR subject = mem_alloc(N + 1);

    memset(subject, 'y', N);
    subject[N] = '\0';
    for (size_t i = 0; i < COUNT(t); i++) {
        struct arena arena;
        arena_init(&arena);
        const struct regex_plan *plan =
            regex_plan_new(check_at_edge(span_of(t[i].pattern)), &arena);
        ok(plan != NULL, "'%s' has a plan", t[i].pattern);
        if (plan != NULL) {
            is_int(regex_plan_match(plan, span_of(subject), NULL, 0), t[i].outcome,
                   "'%s' on %d bytes", t[i].pattern, N);
        }
        arena_fini(&arena);
    }
}

int main(void)
{
    test_budget();
    test_escapes();
    test_part_of_a_text();
    test_match();
    test_faults();
    test_templates();
    test_replace_all();
    test_many_groups();
    test_planned();
    test_plan_equals_re2();
    test_words_equal_re2();
    test_odd_word_lists();
    return check_done();
}
