#include "allocator/prom/regex_plan.h"

#include "allocator/base/mem.h"
#include "allocator/base/utf8.h"
#include "allocator/base/vec.h"
#include "allocator/prom/regex_step.h"

#define BRANCH_STEPS_MAX 64 /* steps of one alternative: bounds the depth of recursion */
#define PLAN_STEPS_MAX 8192
#define GROUP_DEPTH_MAX 4
/* A plan within these, with at most one choice in each alternative, is cheap on any subject. */
#define CHEAP_RUNS_MAX 8
#define CHEAP_PATTERN_MAX 512

/* ---- sets */

static void set_add(struct byteset *set, unsigned char c)
{
    set->bits[c / 64] |= 1ULL << (c % 64);
}

static void set_add_range(struct byteset *set, unsigned char lo, unsigned char hi)
{
    for (unsigned c = lo; c <= hi; c++) {
        set_add(set, (unsigned char)c);
    }
}

static void set_invert(struct byteset *set)
{
    for (size_t i = 0; i < 4; i++) {
        set->bits[i] = ~set->bits[i];
    }
}

/* \d \w \s and their opposites; ASCII only, and \s without the vertical tab, as in RE2. */
static bool set_add_escape(struct byteset *set, char c)
{
    switch (c) {
    case 'd':
        set_add_range(set, '0', '9');
        return true;
    case 'w':
        set_add_range(set, '0', '9');
        set_add_range(set, 'A', 'Z');
        set_add_range(set, 'a', 'z');
        set_add(set, '_');
        return true;
    case 's':
        set_add_range(set, '\t', '\n');
        set_add_range(set, '\f', '\r');
        set_add(set, ' ');
        return true;
    default:
        return false;
    }
}

/* ---- parsing */

struct planner {
    struct span s;
    size_t at;
    struct arena *arena;
    char *text; /* room for all literals: as many bytes as the pattern has */
    size_t text_len;
    VEC(struct step) steps;
    VEC(uint32_t) branches;
    VEC(struct span) words; /* of the alternatives before this one, when they are nothing else */
    size_t word_step;       /* of the first of them */
    size_t branch_begin;    /* first step of the alternative being read */
    size_t literal_begin;   /* literals from this step on may still grow */
    size_t n_groups;
    size_t n_runs; /* of any length */
    bool is_complete;
};

static char peek(const struct planner *p)
{
    return p->at < p->s.len ? p->s.p[p->at] : '\0';
}

static bool at_end(const struct planner *p)
{
    return p->at >= p->s.len;
}

static bool take(struct planner *p, char c)
{
    if (at_end(p) || p->s.p[p->at] != c) {
        return false;
    }
    p->at++;
    return true;
}

static bool is_punctuation(char c)
{
    return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') ||
           (c >= '{' && c <= '~');
}

static bool is_meta(char c)
{
    return c != '\0' && strchr("\\.+*?()|[]{}^$", c) != NULL;
}

/* One literal code point, plain or as an escaped punctuation mark; its bytes are in '*out'.
 * Consumes only on success. */
static bool take_char(struct planner *p, struct span *out)
{
    struct span rest = span_from(p->s, p->at);
    if (rest.len >= 2 && rest.p[0] == '\\' && is_punctuation(rest.p[1])) {
        *out = span_make(rest.p + 1, 1);
        p->at += 2;
        return true;
    }
    if (rest.len == 0 || is_meta(rest.p[0]) || rest.p[0] == '\0') {
        return false;
    }
    uint32_t rune;
    size_t size = utf8_decode(rest, &rune);
    if (size == 1 && rune >= 0x80) {
        return false;
    }
    *out = span_make(rest.p, size);
    p->at += size;
    return true;
}

static struct step *add_step(struct planner *p, enum op op)
{
    struct step *step = vec_push(&p->steps);
    *step = (struct step){ .op = op };
    return step;
}

static void add_literal(struct planner *p, struct span bytes)
{
    char *to = p->text + p->text_len;
    memcpy(to, bytes.p, bytes.len);
    p->text_len += bytes.len;
    struct step *last = p->steps.n > p->literal_begin ? &p->steps.v[p->steps.n - 1] : NULL;
    if (last != NULL && last->op == OP_LITERAL) {
        last->literal.len += bytes.len;
        return;
    }
    add_step(p, OP_LITERAL)->literal = span_make(to, bytes.len);
}

/* One member of a bracketed class: an escape, a character, or a range. */
static bool parse_class_member(struct planner *p, struct byteset *set)
{
    char c = peek(p);
    if (c == '[' || (unsigned char)c >= 0x80 || at_end(p)) {
        return false;
    }
    p->at++;
    if (c == '\\') {
        char escaped = peek(p);
        p->at++;
        if (set_add_escape(set, escaped)) {
            return peek(p) != '-' || (p->at + 1 < p->s.len && p->s.p[p->at + 1] == ']');
        }
        if (!is_punctuation(escaped)) {
            return false;
        }
        c = escaped;
    }
    bool is_range = peek(p) == '-' && p->at + 1 < p->s.len && p->s.p[p->at + 1] != ']';
    if (!is_range) {
        set_add(set, (unsigned char)c);
        return true;
    }
    p->at++;
    char hi = peek(p);
    p->at++;
    if (hi == '\\' || hi == '[' || (unsigned char)hi >= 0x80 || hi < c) {
        return false;
    }
    set_add_range(set, (unsigned char)c, (unsigned char)hi);
    return true;
}

static bool parse_class(struct planner *p, struct byteset *set)
{
    bool is_negated = take(p, '^');
    bool is_first = true;
    while (is_first || peek(p) != ']') {
        /* A minus sign in the middle is only clear as a range; first or last it is itself. */
        bool is_edge = is_first || (p->at + 1 < p->s.len && p->s.p[p->at + 1] == ']');
        if (at_end(p) || (peek(p) == '-' && !is_edge) || !parse_class_member(p, set)) {
            return false;
        }
        is_first = false;
    }
    p->at++;
    if (is_negated) {
        set_invert(set);
    }
    return true;
}

/* A class that is not a literal: . \d [a-z] … Consumes only on success or when the whole plan fails
 * anyway. */
static bool parse_set(struct planner *p, struct byteset *set)
{
    if (take(p, '.')) {
        set_invert(set);
        return true;
    }
    if (take(p, '[')) {
        return parse_class(p, set);
    }
    if (p->at + 1 >= p->s.len || !take(p, '\\')) {
        return false;
    }
    char c = peek(p);
    p->at++;
    if (set_add_escape(set, c)) {
        return true;
    }
    if (set_add_escape(set, (char)(c | 0x20))) { /* the capital letter: the opposite */
        set_invert(set);
        return true;
    }
    return false;
}

static bool is_quantifier(char c)
{
    return c == '*' || c == '+' || c == '?' || c == '{';
}

/* The quantifier after a class; false when it is one that is left to RE2. */
static bool parse_quantifier(struct planner *p, struct step *run)
{
    char c = peek(p);
    if (!is_quantifier(c)) {
        return true;
    }
    if (c == '{') {
        return false;
    }
    p->at++;
    run->is_optional = c != '+';
    run->is_many = c != '?';
    run->is_lazy = take(p, '?');
    return !is_quantifier(peek(p));
}

static bool parse_atom(struct planner *p)
{
    struct byteset set = { { 0 } };
    struct span c;
    if (take_char(p, &c)) {
        if (!is_quantifier(peek(p))) {
            add_literal(p, c);
            return true;
        }
        if (c.len != 1) {
            return false;
        }
        set_add(&set, (unsigned char)c.p[0]);
    } else if (!parse_set(p, &set)) {
        return false;
    }
    struct step *run = add_step(p, OP_RUN);
    run->run = arena_zalloc(p->arena, sizeof(*run->run));
    run->run->set = set;
    return parse_quantifier(p, run);
}

/* literal|literal|…) : the inside of a group, when it is nothing but that. */
static bool parse_words(struct planner *p)
{
    VEC(struct span) words = { 0 };
    bool is_good = true;
    do {
        struct span word = { p->text + p->text_len, 0 };
        struct span c;
        while (is_good && take_char(p, &c)) {
            is_good = !is_quantifier(peek(p));
            memcpy(p->text + p->text_len, c.p, c.len);
            p->text_len += c.len;
            word.len += c.len;
        }
        *vec_push(&words) = word;
    } while (is_good && take(p, '|'));
    is_good = is_good && take(p, ')');
    if (is_good) {
        add_step(p, OP_WORDS)->words = regex_words_new(words.v, words.n, p->arena);
    }
    vec_fini(&words);
    return is_good;
}

/* NOLINTBEGIN(misc-no-recursion): groups nest GROUP_DEPTH_MAX deep */
static bool parse_sequence(struct planner *p, unsigned depth, bool is_whole);

static bool parse_group_inside(struct planner *p, unsigned depth)
{
    size_t at = p->at;
    size_t text_len = p->text_len;
    if (parse_words(p)) {
        return true;
    }
    p->at = at;
    p->text_len = text_len;
    return depth < GROUP_DEPTH_MAX && parse_sequence(p, depth + 1, false) && take(p, ')');
}

/* After "(". A quantifier other than ? is left to RE2. */
static bool parse_group(struct planner *p, unsigned depth)
{
    size_t group = 0;
    if (take(p, '?')) {
        if (!take(p, ':')) {
            return false;
        }
    } else {
        group = ++p->n_groups;
    }
    size_t option = p->steps.n;
    add_step(p, OP_OPTION)->first_group = (uint16_t)(group > 0 ? group : p->n_groups + 1);
    if (group > 0) {
        add_step(p, OP_OPEN)->n = (uint32_t)group;
    }
    if (!parse_group_inside(p, depth)) {
        return false;
    }
    if (group > 0) {
        add_step(p, OP_CLOSE)->n = (uint32_t)group;
    }
    struct step *step = &p->steps.v[option];
    if (take(p, '?')) {
        step->n = (uint32_t)(p->steps.n - option - 1);
        step->end_group = (uint16_t)(p->n_groups + 1);
        p->literal_begin = p->steps.n;
        return !is_quantifier(peek(p));
    }
    p->steps.n--;
    p->literal_begin = p->steps.n;
    memmove(step, step + 1, (p->steps.n - option) * sizeof(*step));
    return !is_quantifier(peek(p));
}

/* Steps up to '|', ')' or the end. 'is_whole': nothing comes before or after, so ^ and $ at the
 * edges say nothing. */
static bool parse_sequence(struct planner *p, unsigned depth, bool is_whole)
{
    if (is_whole && take(p, '^') && is_quantifier(peek(p))) {
        return false;
    }
    while (!at_end(p) && peek(p) != '|' && peek(p) != ')') {
        if (is_whole && take(p, '$')) {
            return at_end(p) || peek(p) == '|' || peek(p) == ')';
        }
        bool is_good = take(p, '(') ? parse_group(p, depth) : parse_atom(p);
        if (!is_good || p->steps.n - p->branch_begin > BRANCH_STEPS_MAX) {
            return false;
        }
    }
    return true;
}
/* NOLINTEND(misc-no-recursion) */

/* NOLINTBEGIN(misc-no-recursion): options nest GROUP_DEPTH_MAX deep */
/* Adds the bytes that a match from 'step' on can begin with; '*may_end': it can also match nothing,
 * at the end. */
static void add_first(const struct step *step, struct byteset *first, bool *may_end)
{
    for (;; step++) {
        switch (step->op) {
        case OP_OPEN:
        case OP_CLOSE:
            break;
        case OP_LITERAL:
            set_add(first, (unsigned char)step->literal.p[0]);
            return;
        case OP_RUN:
            for (size_t i = 0; i < 4; i++) {
                first->bits[i] |= step->run->set.bits[i];
            }
            if (!step->is_optional) {
                return;
            }
            break;
        case OP_WORDS:
            *may_end = true; /* an empty word would need what follows: leave it to trying */
            memset(first, 0xff, sizeof(*first));
            return;
        case OP_OPTION:
            add_first(step + 1, first, may_end);
            step += step->n;
            break;
        case OP_END:
            *may_end = true;
            return;
        }
    }
}
/* NOLINTEND(misc-no-recursion) */

/* How many bytes must follow a word, when that is always the same. */
static size_t rest_len(const struct step *step)
{
    size_t len = 0;

    for (; step->op != OP_END; step++) {
        if (step->op == OP_LITERAL) {
            len += step->literal.len;
        } else if (step->op != OP_OPEN && step->op != OP_CLOSE) {
            return SIZE_MAX;
        }
    }
    return len;
}

/* What can follow each run, so that matching need not try every place. And: are there choices that
 * multiply? */
static void finish_branch(struct planner *p)
{
    struct step *steps = p->steps.v + p->branch_begin;
    size_t n = p->steps.n - p->branch_begin - 1;
    size_t n_choices = 0;
    for (size_t i = 0; i < n; i++) {
        bool is_choice = steps[i].op == OP_WORDS || steps[i].op == OP_OPTION;
        if (steps[i].op == OP_RUN) {
            is_choice = steps[i].is_many || steps[i].is_optional;
            p->n_runs += steps[i].is_many ? 1 : 0;
            add_first(&steps[i + 1], &steps[i].run->follow, &steps[i].may_end);
        }
        if (steps[i].op == OP_WORDS) {
            steps[i].words->rest_len = rest_len(&steps[i + 1]);
        }
        n_choices += is_choice ? 1 : 0;
    }
    p->is_complete = p->is_complete && n_choices <= 1;
}

/* ---- alternatives that are words */

/* The alternative being read is one literal, or nothing; group 'group' may be around it. */
static bool is_word(const struct planner *p, size_t group, struct span *out)
{
    const struct step *step = p->steps.v + p->branch_begin + (group > 0 ? 1 : 0);
    const struct step *end = p->steps.v + p->steps.n - (group > 0 ? 1 : 0) - 1;

    *out = step == end ? SPAN_LIT("") : step->literal;
    return step == end || (step + 1 == end && step->op == OP_LITERAL);
}

static void close_branch(struct planner *p, size_t group)
{
    if (group > 0) {
        add_step(p, OP_CLOSE)->n = (uint32_t)group;
    }
    add_step(p, OP_END);
}

/* The alternatives that were words become one, where the first of them stands. */
static void end_words(struct planner *p)
{
    if (p->words.n > 1) {
        struct regex_words *words = regex_words_new(p->words.v, p->words.n, p->arena);
        words->rest_len = 0;
        p->steps.v[p->word_step].op = OP_WORDS;
        p->steps.v[p->word_step].words = words;
    }
    vec_clear(&p->words);
}

/* An alternative that is a word after another one is taken away again. */
static void collect_word(struct planner *p, size_t group)
{
    struct span word;
    bool is_first = p->words.n == 0;

    if (!is_word(p, group, &word) || (is_first && word.len == 0)) {
        end_words(p);
        return;
    }
    *vec_push(&p->words) = word;
    if (is_first) {
        p->word_step = p->branch_begin + (group > 0 ? 1 : 0);
    } else {
        p->steps.n = p->branch_begin;
        p->branches.n--;
    }
}

static bool parse_branch(struct planner *p, size_t group)
{
    p->branch_begin = p->literal_begin = p->steps.n;
    *vec_push(&p->branches) = (uint32_t)p->branch_begin;
    if (group > 0) {
        add_step(p, OP_OPEN)->n = (uint32_t)group;
    }
    if (!parse_sequence(p, 0, true) || p->steps.n > PLAN_STEPS_MAX) {
        return false;
    }
    close_branch(p, group);
    finish_branch(p);
    return true;
}

/* a|b|c, or the same inside one group around everything ('is_wrapped'). */
static bool parse_branches(struct planner *p, bool is_wrapped)
{
    size_t group = 0;
    if (is_wrapped) {
        if (!take(p, '(')) {
            return false;
        }
        if (take(p, '?')) {
            if (!take(p, ':')) {
                return false;
            }
        } else {
            group = ++p->n_groups;
        }
    }
    do {
        if (!parse_branch(p, group)) {
            return false;
        }
        collect_word(p, group);
    } while (take(p, '|'));
    end_words(p);
    return (!is_wrapped || take(p, ')')) && at_end(p) && p->n_groups <= PLAN_GROUPS_MAX;
}

static void planner_restart(struct planner *p)
{
    p->at = p->text_len = p->n_groups = p->n_runs = p->branch_begin = p->literal_begin = 0;
    p->is_complete = true;
    vec_clear(&p->steps);
    vec_clear(&p->branches);
    vec_clear(&p->words);
}

static const struct regex_plan *planner_result(struct planner *p)
{
    struct regex_plan *plan = arena_alloc(p->arena, sizeof(*plan));
    struct step *steps = arena_alloc(p->arena, p->steps.n * sizeof(*steps));
    uint32_t *branches = arena_alloc(p->arena, p->branches.n * sizeof(*branches));
    memcpy(steps, p->steps.v, p->steps.n * sizeof(*steps));
    memcpy(branches, p->branches.v, p->branches.n * sizeof(*branches));
    *plan = (struct regex_plan){
        .steps = steps,
        .branches = branches,
        .n_branches = p->branches.n,
        .n_groups = p->n_groups,
        .is_complete = p->is_complete && (p->n_runs == 0 || (p->n_runs <= CHEAP_RUNS_MAX &&
                                                             p->s.len <= CHEAP_PATTERN_MAX)),
    };
    return plan;
}

const struct regex_plan *regex_plan_new(struct span pattern, struct arena *arena)
{
    struct planner p = { .s = pattern,
                         .arena = arena,
                         .text = arena_bytes(arena, pattern.len + 1) };
    planner_restart(&p);
    bool is_good = parse_branches(&p, true);
    if (!is_good) {
        planner_restart(&p);
        is_good = parse_branches(&p, false);
    }
    const struct regex_plan *plan = is_good ? planner_result(&p) : NULL;
    vec_fini(&p.steps);
    vec_fini(&p.branches);
    vec_fini(&p.words);
    return plan;
}

size_t regex_plan_groups(const struct regex_plan *plan)
{
    return plan->n_groups;
}

bool regex_plan_is_complete(const struct regex_plan *plan)
{
    return plan->is_complete;
}

bool regex_plan_is_any(const struct regex_plan *plan)
{
    const struct step *step = plan->steps;
    bool has_group = step->op == OP_OPEN;
    step += has_group ? 1 : 0;
    if (plan->n_branches != 1 || step->op != OP_RUN || !byteset_is_all(&step->run->set) ||
        !step->is_many || !step->is_optional) {
        return false;
    }
    return has_group ? step[1].op == OP_CLOSE && step[2].op == OP_END : step[1].op == OP_END;
}
