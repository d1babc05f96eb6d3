#include "allocator/prom/regex_step.h"

struct attempt {
    struct span s;
    struct span *group;
    size_t n_groups;                  /* wanted */
    size_t open[PLAN_GROUPS_MAX + 1]; /* where a group began */
    size_t budget;
};

/* NOLINTBEGIN(misc-no-recursion): a branch has BRANCH_STEPS_MAX steps */
static bool try_from(struct attempt *a, const struct step *step, size_t at);

/* The end of the code point at 'at' when the class holds it, else 'at'. */
static inline size_t run_one(const struct attempt *a, const struct step *run, size_t at)
{
    if (at >= a->s.len || !byteset_has(&run->run->set, (unsigned char)a->s.p[at])) {
        return at;
    }
    at++;
    if ((unsigned char)a->s.p[at - 1] >= 0xc0) {
        while (at < a->s.len && ((unsigned char)a->s.p[at] & 0xc0) == 0x80) {
            at++;
        }
    }
    return at;
}

/* How far the run can go. */
static size_t run_extent(const struct attempt *a, const struct step *run, size_t at)
{
    if (byteset_is_all(&run->run->set)) {
        return a->s.len;
    }
    while (at < a->s.len && byteset_has(&run->run->set, (unsigned char)a->s.p[at])) {
        at++;
    }
    return at;
}

static bool next_fits(const struct attempt *a, const struct step *run, size_t at)
{
    return at < a->s.len ? byteset_has(&run->run->follow, (unsigned char)a->s.p[at]) : run->may_end;
}

static bool is_boundary(const struct attempt *a, size_t at)
{
    return at >= a->s.len || ((unsigned char)a->s.p[at] & 0xc0) != 0x80;
}

static bool spend(struct attempt *a, size_t steps)
{
    a->budget = steps < a->budget ? a->budget - steps : 0;
    return a->budget > 0;
}

static bool try_run(struct attempt *a, const struct step *run, size_t at)
{
    size_t one = run_one(a, run, at);
    if (one == at) {
        return run->is_optional && try_from(a, run + 1, at);
    }
    size_t lo = run->is_optional ? at : one;
    size_t hi = run->is_many ? run_extent(a, run, one) : one;
    if (!spend(a, hi - lo)) {
        return false;
    }
    for (size_t i = 0; i <= hi - lo; i++) {
        size_t end = run->is_lazy ? lo + i : hi - i;
        if (!is_boundary(a, end) || !next_fits(a, run, end)) {
            continue;
        }
        if (try_from(a, run + 1, end)) {
            return true;
        }
        if (a->budget == 0) {
            return false;
        }
    }
    return false;
}

static bool starts_with(const struct attempt *a, size_t at, struct span word)
{
    return a->s.len - at >= word.len && memcmp(a->s.p + at, word.p, word.len) == 0;
}

static bool try_hashed_words(struct attempt *a, const struct step *step, size_t at)
{
    const struct regex_words *w = step->words;
    struct span rest = span_from(a->s, at);
    uint16_t found[WORDS_LENGTHS_MAX] __attribute__((uninitialized));

    if (w->rest_len != SIZE_MAX) {
        size_t len = rest.len - w->rest_len; /* only a word of this length can lead to the end */
        return rest.len >= w->rest_len &&
               regex_words_find(w, span_make(rest.p, len)) != WORDS_NONE &&
               try_from(a, step + 1, at + len);
    }
    size_t n = regex_words_prefixes(w, rest, found);
    for (size_t i = 0; i < n && a->budget > 0; i++) {
        if (try_from(a, step + 1, at + w->v[found[i]].len)) {
            return true;
        }
    }
    return false;
}

static bool try_words(struct attempt *a, const struct step *step, size_t at)
{
    const struct regex_words *w = step->words;

    if (w->slots != NULL) {
        return try_hashed_words(a, step, at);
    }
    for (size_t i = 0; i < w->n && a->budget > 0; i++) {
        if (starts_with(a, at, w->v[i]) && try_from(a, step + 1, at + w->v[i].len)) {
            return true;
        }
    }
    return false;
}

static bool try_option(struct attempt *a, const struct step *step, size_t at)
{
    if (try_from(a, step + 1, at)) {
        return true;
    }
    for (size_t g = step->first_group; g < step->end_group && g < a->n_groups; g++) {
        a->group[g] = span_make(NULL, 0);
    }
    return try_from(a, step + 1 + step->n, at);
}

static bool try_from(struct attempt *a, const struct step *step, size_t at)
{
    for (; a->budget > 0; step++) {
        a->budget--;
        switch (step->op) {
        case OP_LITERAL:
            if (!spend(a, step->literal.len / 64) || !starts_with(a, at, step->literal)) {
                return false;
            }
            at += step->literal.len;
            break;
        case OP_OPEN:
            a->open[step->n] = at;
            break;
        case OP_CLOSE:
            if (step->n < a->n_groups) {
                a->group[step->n] = span_make(a->s.p + a->open[step->n], at - a->open[step->n]);
            }
            break;
        case OP_RUN:
            return try_run(a, step, at);
        case OP_WORDS:
            return try_words(a, step, at);
        case OP_OPTION:
            return try_option(a, step, at);
        case OP_END:
            return at == a->s.len;
        }
    }
    return false;
}
/* NOLINTEND(misc-no-recursion) */

enum plan_outcome regex_plan_match(const struct regex_plan *plan, struct span subject,
                                   struct span *group, size_t n_groups)
{
    /* A group is opened before it is closed; clearing the array would cost more than most matches.
     */
    struct attempt a __attribute__((uninitialized));
    a.s = subject;
    a.group = group;
    a.n_groups = n_groups;
    a.budget = plan->is_complete ? SIZE_MAX : 1024 + 32 * subject.len;
    for (size_t i = 0; i < plan->n_branches; i++) {
        for (size_t g = 1; g < n_groups; g++) {
            group[g] = span_make(NULL, 0);
        }
        if (try_from(&a, plan->steps + plan->branches[i], 0)) {
            if (n_groups > 0) {
                group[0] = subject;
            }
            return PLAN_MATCH;
        }
        if (a.budget == 0) {
            return PLAN_GAVE_UP;
        }
    }
    return PLAN_NO_MATCH;
}
