/* RE2 match and Go template expansion as relabeling needs them, anchored as ^(?s:…)$ by text. The
 * only door to libre2 (re2_shim.cc). Most patterns of real configurations (literals, alternations
 * of literals, prefixes, (.*), (.+), short sequences of character classes) never reach RE2:
 * regex_plan.h matches them. Go syntax that this libre2 lacks, (?<name>…), is translated; \C is
 * refused. Threads: a compiled regex is immutable and may be shared. */
#ifndef OTEL_TA_PROM_REGEX_H
#define OTEL_TA_PROM_REGEX_H

#include "allocator/base/arena.h"
#include "allocator/base/buf.h"
#include "allocator/base/err.h"

#include <stdbool.h>

struct regex;

/* What somebody's patterns may still cost: a short text can make a program of a megabyte, and
 * making that takes 40 ms. Counted are the programs of RE2, each as REGEX_LEAST_COST at least. */
struct regex_budget {
    size_t memory_left; /* bytes of programs that are kept; who frees them may add them again */
    size_t work_left;   /* bytes of programs that are made */
};
#define REGEX_LEAST_COST ((size_t)2048)
/* Of one Collector, or of one file. */
struct regex_budget regex_budget_new(void);

/* ERR_INVALID with the sentence of Go's regexp, ERR_TOO_BIG past LIMIT_REGEX_* or past what is left
 * in 'budget' (NULL: no budget), from which the costs are taken. */
int regex_compile(struct span pattern, struct regex_budget *budget, struct regex **out,
                  struct err *err) MUST_USE;
void regex_free(struct regex **re); /* NULL-safe, sets NULL */
/* Takes from 'budget' (may be NULL) what compiling it would: for one more author of a pattern that
 * is compiled already. Errors as there. */
int regex_pay(const struct regex *re, struct regex_budget *budget, struct err *err) MUST_USE;
/* Bytes that it may take, with what RE2 remembers of matches. */
size_t regex_weight(const struct regex *re);

#define REGEX_MAX_GROUPS 64
struct regex_match {
    struct span
        group[REGEX_MAX_GROUPS]; /* p == NULL: did not participate; group 0 is the whole match */
    size_t n_groups; /* in: how many are wanted (the fewer the faster); including group 0 */
};

/* Does it match? 'm' may be NULL when no groups are needed (much cheaper); the groups wanted of it
 * are all written, also those that the pattern does not have. */
bool regex_match(const struct regex *re, struct span subject, struct regex_match *m);
/* True for .* and (.*): matches everything, group 1 is the subject. */
bool regex_is_any(const struct regex *re);

/* A template of Go's Regexp.Expand: $1, ${1}, $name, ${name}, $$; what is malformed stands for
 * itself, a group that does not exist is empty. Compiled for one regex; lives in the arena; 'text'
 * is borrowed. */
struct regex_template;
/* ERR_UNSUPPORTED when it refers to an existing group beyond the first REGEX_MAX_GROUPS. */
int regex_template_compile(const struct regex *re, struct span text, struct arena *arena,
                           const struct regex_template **out, struct err *err) MUST_USE;
/* How many groups a match must deliver for it: 0 when the template is plain text. */
size_t regex_template_groups(const struct regex_template *t);
/* Bytes that the expansion has. */
size_t regex_template_size(const struct regex_template *t, const struct regex_match *m);
/* The expansion: a borrowed part of the subject when the template is exactly one group, borrowed
 * text when it is plain, else memory of 'arena'. */
struct span regex_template_expand(const struct regex_template *t, const struct regex_match *m,
                                  struct arena *arena);

/* Go's ReplaceAllString, which labelmap uses: as expanding the one match, except where a pattern
 * like "a)|(b" escapes its anchors and matches parts. False when nothing matches; 'out' is then
 * unspecified. */
bool regex_replace_all(const struct regex *re, const struct regex_template *t, struct span subject,
                       struct buf *out);

#endif
