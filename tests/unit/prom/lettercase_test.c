#include "allocator/prom/lettercase.h"

#include "tests/check.h"

#include <stdio.h>
#include <stdlib.h>

static void test_map(void)
{
    static const struct {
        const char *in, *lower, *upper;
    } t[] = {
        { "", "", "" },
        { "abcXYZ-09_", "abcxyz-09_", "ABCXYZ-09_" },
        { "\xc3\xa9\xc3\x89", "\xc3\xa9\xc3\xa9", "\xc3\x89\xc3\x89" },
        { "\xc3\x9f", "\xc3\x9f", "\xc3\x9f" }, /* sharp s has no single capital */
        { "\xc4\xb0", "i", "\xc4\xb0" },        /* I with a dot */
        { "\xc4\xb1", "\xc4\xb1", "I" },        /* i without */
        { "\xc7\x85", "\xc7\x86", "\xc7\x84" }, /* a title-case digraph goes both ways */
        { "\xce\xa3\xcf\x82", "\xcf\x83\xcf\x82", "\xce\xa3\xce\xa3" }, /* final sigma */
        { "\xe1\xba\x9e", "\xc3\x9f", "\xe1\xba\x9e" },                 /* capital sharp s */
        { "\xe2\x84\xaa", "k", "\xe2\x84\xaa" },                        /* Kelvin */
        { "\xc8\xba", "\xe2\xb1\xa5", "\xc8\xba" },                     /* grows by a byte */
        { "\xf0\x90\x90\x80", "\xf0\x90\x90\xa8", "\xf0\x90\x90\x80" }, /* Deseret */
        { "\xe6\x97\xa5", "\xe6\x97\xa5", "\xe6\x97\xa5" },             /* no case at all */
        { "a\xff", "a\xef\xbf\xbd", "A\xef\xbf\xbd" },                  /* what is not UTF-8 */
    };
    for (size_t i = 0; i < COUNT(t); i++) {
        struct arena arena;
        arena_init(&arena);
        is_span(lettercase_map(span_of(t[i].in), LETTERCASE_LOWER, &arena), span_of(t[i].lower),
                "lower case %zu", i);
        is_span(lettercase_map(span_of(t[i].in), LETTERCASE_UPPER, &arena), span_of(t[i].upper),
                "upper case %zu", i);
        arena_fini(&arena);
    }
    struct arena arena;
    arena_init(&arena);
    struct span same = SPAN_LIT("same");
    ok(lettercase_map(same, LETTERCASE_LOWER, &arena).p == same.p,
       "nothing is copied when nothing changes");
    arena_fini(&arena);
}

static size_t encode(uint32_t rune, char *to)
{
    int n = rune < 0x80 ? 0 : rune < 0x800 ? 1 : rune < 0x10000 ? 2 : 3;
    static const unsigned char lead[] = { 0, 0xc0, 0xe0, 0xf0 };
    for (int i = n; i > 0; i--) {
        to[i] = (char)(0x80 | (rune & 0x3f));
        rune >>= 6;
    }
    to[0] = (char)(lead[n] | rune);
    return (size_t)n + 1;
}

/* Every code point against Perl's copy of the Unicode database. */
static void test_all_of_unicode(void)
{
    static const char script[] =
        "perl -CO -MUnicode::UCD=prop_invmap -e '"
        "my @m; for my $p (\"Simple_Lowercase_Mapping\", \"Simple_Uppercase_Mapping\") {"
        "  my ($from, $map) = prop_invmap($p); my %m;"
        "  for my $i (0 .. $#$from - 1) { next if $map->[$i] == 0;"
        "    $m{$_} = $map->[$i] + $_ - $from->[$i] for $from->[$i] .. $from->[$i + 1] - 1; }"
        "  push @m, \\%m; }"
        "for my $c (0 .. 0x10ffff) { next unless exists $m[0]{$c} || exists $m[1]{$c};"
        "  printf \"%u %u %u\\n\", $c, $m[0]{$c} // $c, $m[1]{$c} // $c; }'";
    FILE *perl = popen(script, "r");
    char line[64];
    size_t n = 0;
    size_t n_wrong = 0;
    struct arena arena;
    arena_init(&arena);
    while (perl != NULL && fgets(line, sizeof(line), perl) != NULL) {
        char *at = line;
        uint32_t rune = (uint32_t)strtoul(at, &at, 10);
        uint32_t lower = (uint32_t)strtoul(at, &at, 10);
        uint32_t upper = (uint32_t)strtoul(at, &at, 10);
        char from[4], to_lower[4], to_upper[4];
        struct span in = span_make(from, encode(rune, from));
        struct span want_lower = span_make(to_lower, encode(lower, to_lower));
        struct span want_upper = span_make(to_upper, encode(upper, to_upper));
        if (!span_eq(lettercase_map(in, LETTERCASE_LOWER, &arena), want_lower) ||
            !span_eq(lettercase_map(in, LETTERCASE_UPPER, &arena), want_upper)) {
            check_note("U+%04X", rune);
            n_wrong++;
        }
        n++;
    }
    ok(perl != NULL && pclose(perl) == 0, "perl knows Unicode");
    ok(n > 2700, "%zu code points have case", n);
    is_int(n_wrong, 0, "all mapped as the Unicode database says");
    arena_fini(&arena);
}

int main(void)
{
    test_map();
    test_all_of_unicode();
    return check_done();
}
