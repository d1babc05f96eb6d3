/* Matching without RE2 for the patterns that configurations are made of: alternatives of short
 * sequences of literals, single character classes with * + ?, alternations of literals, and
 * optional groups. A plan is tried by backtracking in Perl's order of preference, which is the
 * order RE2 reports groups in; a step budget makes it give up before backtracking can become
 * expensive, and RE2 decides. A long list of words is a hash set. What the planner does not know
 * for sure, it leaves to RE2. Used by prom/regex.c alone. Threads: a plan is immutable and may be
 * shared. */
#ifndef OTEL_TA_PROM_REGEX_PLAN_H
#define OTEL_TA_PROM_REGEX_PLAN_H

#include "allocator/base/arena.h"

#include <stdbool.h>

struct regex_plan;

/* NULL when the pattern is not of this kind (or not valid at all). 'pattern' is not kept; the plan
 * lives in the arena. */
const struct regex_plan *regex_plan_new(struct span pattern, struct arena *arena);
size_t regex_plan_groups(const struct regex_plan *plan); /* group 0 not counted */
/* .* or (.*) */
bool regex_plan_is_any(const struct regex_plan *plan);
/* It can never run out of budget: no RE2 is needed beside it. */
bool regex_plan_is_complete(const struct regex_plan *plan);

enum plan_outcome { PLAN_MATCH, PLAN_NO_MATCH, PLAN_GAVE_UP };
/* 'group' (may be NULL when n_groups is 0) gets n_groups spans on a match; p == NULL where one took
 * no part. */
enum plan_outcome regex_plan_match(const struct regex_plan *plan, struct span subject,
                                   struct span *group, size_t n_groups);

#endif
