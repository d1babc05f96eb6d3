#include "allocator/base/hash.h"
#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "allocator/prom/lettercase.h"
#include "allocator/prom/relabel.h"
#include "allocator/prom/relabel_names.h"
#include "allocator/prom/relabel_rule.h"

/* ---- values */

static char *put(char *to, struct span s)
{
    if (s.len > 0) {
        memcpy(to, s.p, s.len);
    }
    return to + s.len;
}

/* The source labels joined by the separator. With one label it is the label's value itself; else
 * the bytes are in the builder's scratch, or in the arena when they are many, and what outlives the
 * rule has to be copied out of the scratch. False when the joined text is more than a target may
 * cost. */
static bool join(const struct relabel_rule *rule, struct label_builder *lb, struct span *out)
{
    if (rule->program->n_sources <= 1) {
        *out =
            rule->program->n_sources == 0 ? SPAN_LIT("") : label_place_get(&rule->sources[0], lb);
        return true;
    }
    size_t size = (rule->program->n_sources - 1) * rule->program->separator.len;
    for (size_t i = 0; i < rule->program->n_sources; i++) {
        size += label_place_get(&rule->sources[i], lb).len;
    }
    char *text = lb->scratch;
    if (size > LABEL_SCRATCH_BYTES) {
        if (!label_builder_charge(lb, size)) {
            return false;
        }
        text = arena_bytes(lb->arena, size);
    }
    char *at = text;
    for (size_t i = 0; i < rule->program->n_sources; i++) {
        at = put(at, i == 0 ? SPAN_LIT("") : rule->program->separator);
        at = put(at, label_place_get(&rule->sources[i], lb));
    }
    *out = span_make(text, size);
    return true;
}

/* Makes 's' live as long as the builder's arena. */
static bool keep_bytes(struct label_builder *lb, struct span *s)
{
    uintptr_t at = (uintptr_t)s->p;
    uintptr_t scratch = (uintptr_t)lb->scratch;
    if (s->len == 0 || at < scratch || at >= scratch + LABEL_SCRATCH_BYTES) {
        return true;
    }
    if (!label_builder_charge(lb, s->len)) {
        return false;
    }
    *s = arena_span(lb->arena, *s);
    return true;
}

static bool expand(const struct regex_template *t, const struct regex_match *m,
                   struct label_builder *lb, struct span *out)
{
    if (!label_builder_charge(lb, regex_template_size(t, m))) {
        return false;
    }
    *out = regex_template_expand(t, m, lb->arena);
    return keep_bytes(lb, out);
}

/* ---- one value in, one label out */

static bool matches(const struct relabel_rule *rule, struct span value, struct regex_match *m)
{
    m->n_groups = rule->program->n_groups;
    if (!rule->program->is_any) {
        return regex_match(rule->program->regex, value, rule->program->n_groups == 0 ? NULL : m);
    }
    m->group[0] = m->group[1] =
        value; /* of more groups there are none, and no template asks for them */
    return true;
}

static void run_replace(struct relabel *set, struct relabel_rule *rule, struct label_builder *lb)
{
    /* Clearing it would cost more than most matches. */
    struct regex_match m __attribute__((uninitialized));
    struct span joined;
    struct span value;
    if (!join(rule, lb, &joined) || !matches(rule, joined, &m) ||
        !expand(rule->program->replacement, &m, lb, &value)) {
        return;
    }
    if (rule->program->has_plain_target) {
        label_place_set(rule->target, lb, value);
        return;
    }
    struct span name;
    if (expand(rule->program->target_template, &m, lb, &name) &&
        label_name_is_valid(name, set->scheme)) {
        label_builder_set(lb, strpool_intern(lb->pool, name), value);
    }
}

#define DECIMAL_MAX 20

static struct span decimal(uint64_t n, struct arena *arena)
{
    char digits[DECIMAL_MAX];
    size_t at = sizeof(digits);
    do {
        digits[--at] = (char)('0' + n % 10);
        n /= 10;
    } while (n > 0);
    return arena_span(arena, span_make(digits + at, sizeof(digits) - at));
}

static void run_hashmod(struct relabel_rule *rule, struct label_builder *lb)
{
    struct span joined;
    if (join(rule, lb, &joined) && label_builder_charge(lb, DECIMAL_MAX)) {
        label_place_set(rule->target, lb,
                        decimal(hash_md5_tail(joined) % rule->program->modulus, lb->arena));
    }
}

static void run_lettercase(struct relabel_rule *rule, struct label_builder *lb, enum lettercase to)
{
    struct span joined;
    if (!join(rule, lb, &joined) || !label_builder_charge(lb, lettercase_bound(joined))) {
        return;
    }
    struct span value = lettercase_map(joined, to, lb->arena);
    if (keep_bytes(lb, &value)) {
        label_place_set(rule->target, lb, value);
    }
}

static bool value_matches(const struct relabel_rule *rule, struct label_builder *lb)
{
    struct span joined;
    return join(rule, lb, &joined) &&
           (rule->program->is_any || regex_match(rule->program->regex, joined, NULL));
}

static bool value_equals_target(struct relabel_rule *rule, struct label_builder *lb)
{
    struct span joined;
    return join(rule, lb, &joined) && span_eq(joined, label_place_get(rule->target, lb));
}

/* ---- rules over names */

/* New names take the values that the old ones have before the rule. */
static void run_labelmap(const struct relabel_rule *rule, struct label_builder *lb)
{
    const struct relabel_names *names = relabel_names_decide(rule->program, lb);
    size_t n = lb->n;

    if (names == NULL || names->n_decided == 0) {
        return;
    }
    if (names->is_append) {
        for (size_t i = 0; i < n; i++) {
            if (names->mapped[i] != NULL) {
                label_builder_append(lb, names->mapped[i], lb->v[i].value);
            }
        }
        return;
    }
    struct label *before = arena_alloc(lb->arena, n * sizeof(*before));
    memcpy(before, lb->v, n * sizeof(*before));
    for (size_t i = 0; i < n; i++) {
        if (names->mapped[i] != NULL) {
            label_builder_set(lb, names->mapped[i], before[i].value);
        }
    }
}

static void run_labeldrop(const struct relabel_rule *rule, struct label_builder *lb)
{
    const struct relabel_names *names = relabel_names_decide(rule->program, lb);

    if (names != NULL && names->n_decided > 0) {
        label_builder_remove(lb, names->is_removed);
    }
}

/* ---- running */

enum relabel_outcome relabel_run_one(struct relabel *set, size_t index, struct label_builder *lb)
{
    struct relabel_rule *rule = &set->rules[index];
    bool is_kept = true;
    if (set->pool != lb->pool) {
        relabel_bind(set, lb->pool);
    }
    switch (rule->program->action) {
    case RELABEL_REPLACE:
        run_replace(set, rule, lb);
        break;
    case RELABEL_ACTION_KEEP:
        is_kept = value_matches(rule, lb);
        break;
    case RELABEL_ACTION_DROP:
        is_kept = !value_matches(rule, lb);
        break;
    case RELABEL_KEEPEQUAL:
        is_kept = value_equals_target(rule, lb);
        break;
    case RELABEL_DROPEQUAL:
        is_kept = !value_equals_target(rule, lb);
        break;
    case RELABEL_HASHMOD:
        run_hashmod(rule, lb);
        break;
    case RELABEL_LABELMAP:
        run_labelmap(rule, lb);
        break;
    case RELABEL_LABELDROP:
    case RELABEL_LABELKEEP:
        run_labeldrop(rule, lb);
        break;
    case RELABEL_LOWERCASE:
        run_lettercase(rule, lb, LETTERCASE_LOWER);
        break;
    case RELABEL_UPPERCASE:
        run_lettercase(rule, lb, LETTERCASE_UPPER);
        break;
    }
    return is_kept || lb->is_overfull ? RELABEL_KEEP : RELABEL_DROP;
}

enum relabel_outcome relabel_run(struct relabel *set, struct label_builder *lb, size_t *out_rule)
{
    size_t n = set == NULL ? 0 : set->n;
    for (size_t i = 0; i < n && !lb->is_overfull; i++) {
        if (relabel_run_one(set, i, lb) == RELABEL_DROP) {
            if (out_rule != NULL) {
                *out_rule = i;
            }
            return RELABEL_DROP;
        }
    }
    return RELABEL_KEEP;
}

/* ---- what a rule did not do */

static const char *replace_idle(struct relabel *set, struct relabel_rule *rule,
                                struct label_builder *lb)
{
    struct regex_match m __attribute__((uninitialized));
    struct span joined;
    struct span name;

    if (!join(rule, lb, &joined) || !matches(rule, joined, &m)) {
        return "did not match";
    }
    if (!rule->program->has_plain_target && expand(rule->program->target_template, &m, lb, &name) &&
        !label_name_is_valid(name, set->scheme)) {
        return "matched, but the name is not one of a label";
    }
    return "matched, same value";
}

static const char *name_idle(struct relabel_rule *rule, struct label_builder *lb)
{
    if (rule->program->action == RELABEL_LABELKEEP) {
        return "every label name matched";
    }
    const struct relabel_names *names = relabel_names_decide(rule->program, lb);
    return names != NULL && names->n_decided > 0 ? "matched, same value" : "no label name matched";
}

static const char *idle(struct relabel *set, struct relabel_rule *rule, struct label_builder *lb)
{
    switch (rule->program->action) {
    case RELABEL_REPLACE:
        return replace_idle(set, rule, lb);
    case RELABEL_ACTION_KEEP:
        return "matched";
    case RELABEL_ACTION_DROP:
        return "did not match";
    case RELABEL_KEEPEQUAL:
        return "equal";
    case RELABEL_DROPEQUAL:
        return "not equal";
    case RELABEL_LABELMAP:
    case RELABEL_LABELDROP:
    case RELABEL_LABELKEEP:
        return name_idle(rule, lb);
    case RELABEL_HASHMOD:
    case RELABEL_LOWERCASE:
    case RELABEL_UPPERCASE:
        break;
    }
    return "same value";
}

const char *relabel_idle(struct relabel *set, size_t index, struct label_builder *lb)
{
    size_t produced_bytes = lb->produced_bytes;

    if (lb->is_overfull) {
        return "too much text or too many labels";
    }
    const char *text = idle(set, &set->rules[index], lb);
    lb->produced_bytes = produced_bytes;
    lb->is_overfull = false;
    return text;
}
