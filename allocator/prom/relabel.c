#include "allocator/prom/relabel.h"

#include "allocator/base/buf.h"
#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "allocator/codec/walk.h"
#include "allocator/prom/relabel_names.h"
#include "allocator/prom/relabel_rule.h"

#define DEFAULT_SEPARATOR ";"
#define DEFAULT_REGEX "(.*)"
#define DEFAULT_REPLACEMENT "$1"

static const char *const action_names[] = {
    [RELABEL_REPLACE] = "replace",     [RELABEL_ACTION_KEEP] = "keep",
    [RELABEL_ACTION_DROP] = "drop",    [RELABEL_KEEPEQUAL] = "keepequal",
    [RELABEL_DROPEQUAL] = "dropequal", [RELABEL_HASHMOD] = "hashmod",
    [RELABEL_LABELMAP] = "labelmap",   [RELABEL_LABELDROP] = "labeldrop",
    [RELABEL_LABELKEEP] = "labelkeep", [RELABEL_LOWERCASE] = "lowercase",
    [RELABEL_UPPERCASE] = "uppercase", NULL,
};

static const char *const fields[] = { "source_labels", "separator",   "regex",  "modulus",
                                      "target_label",  "replacement", "action", NULL };

/* The rule as it is written, defaults filled in. */
struct config {
    const struct node *node;
    bool has_sources; /* also when the list is empty */
    struct span *sources;
    size_t n_sources;
    struct span separator;
    bool has_regex;
    struct span regex;
    uint64_t modulus;
    struct span target;
    struct span replacement;
    enum relabel_action action;
};

/* ---- reading */

/* A text field that is there but null is empty, not the default. */
static bool read_text(const struct node *rule, const char *field, struct faults *f,
                      struct span *out)
{
    const struct node *node = node_get(rule, field);
    if (node == NULL) {
        return false;
    }
    if (node_is_null(node)) {
        *out = SPAN_LIT("");
        return true;
    }
    return walk_text(rule, field, f, out);
}

static void read_sources(struct config *c, struct arena *arena, struct faults *f)
{
    c->has_sources = walk_texts(c->node, "source_labels", f, arena, &c->sources, &c->n_sources);
    for (size_t i = 0; i < c->n_sources; i++) {
        if (!label_name_is_valid(c->sources[i], NAME_UTF8)) {
            size_t mark = faults_push(f, "source_labels");
            (void)faults_push_index(f, i);
            faults_add(f, FAULT_ERROR, c->node->line, "\"%.*s\" is not a valid label name",
                       SPAN_ARG(c->sources[i]));
            faults_pop(f, mark);
        }
    }
}

static bool read_action(struct config *c, struct faults *f)
{
    struct span text = SPAN_LIT("replace");
    char lower[16] = "";
    (void)read_text(c->node, "action", f, &text);
    if (text.len == 0) {
        walk_fault(c->node, "action", f, "relabel action cannot be empty");
        return false;
    }
    for (size_t i = 0; i < text.len && text.len < sizeof(lower); i++) {
        char letter = text.p[i];
        lower[i] = letter >= 'A' && letter <= 'Z' ? (char)(letter + 32) : letter;
    }
    for (size_t i = 0; action_names[i] != NULL; i++) {
        if (strcmp(action_names[i], lower) == 0) {
            c->action = (enum relabel_action)i;
            return true;
        }
    }
    const char *nearest = walk_nearest(span_of(lower), action_names);
    walk_fault(c->node, "action", f, "unknown relabel action \"%.*s\"%s%s%s", SPAN_ARG(text),
               nearest == NULL ? "" : "; did you mean '", nearest == NULL ? "" : nearest,
               nearest == NULL ? "" : "'?");
    return false;
}

static bool read_config(const struct node *rule, bool strict, struct arena *arena, struct faults *f,
                        struct config *out)
{
    size_t n_errors = f->n_errors;
    *out = (struct config){
        .node = rule,
        .separator = SPAN_LIT(DEFAULT_SEPARATOR),
        .regex = SPAN_LIT(DEFAULT_REGEX),
        .target = SPAN_LIT(""),
        .replacement = SPAN_LIT(DEFAULT_REPLACEMENT),
    };
    walk_unknown(rule, fields, strict ? FAULT_ERROR : FAULT_WARNING, f);
    read_sources(out, arena, f);
    (void)read_text(rule, "separator", f, &out->separator);
    out->has_regex = read_text(rule, "regex", f, &out->regex);
    (void)walk_uint(rule, "modulus", f, &out->modulus);
    (void)read_text(rule, "target_label", f, &out->target);
    (void)read_text(rule, "replacement", f, &out->replacement);
    return read_action(out, f) && f->n_errors == n_errors;
}

/* ---- checking, in the words of Prometheus */

static bool is_word(char c)
{
    return c == '_' || (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

static size_t word_len(struct span s)
{
    size_t n = 0;
    while (n < s.len && is_word(s.p[n])) {
        n++;
    }
    return n;
}

/* The legacy rule for names with $: word characters, $word and ${word}, not starting with a digit.
 */
static bool is_legacy_template(struct span s)
{
    if (s.len == 0 || (s.p[0] >= '0' && s.p[0] <= '9')) {
        return false;
    }
    for (size_t i = 0; i < s.len;) {
        struct span rest = span_from(s, i);
        if (rest.p[0] != '$') {
            if (!is_word(rest.p[0])) {
                return false;
            }
            i++;
            continue;
        }
        bool has_brace = rest.len > 1 && rest.p[1] == '{';
        size_t begin = has_brace ? 2 : 1;
        size_t len = word_len(span_from(rest, begin));
        if (len == 0 || (has_brace && (begin + len >= rest.len || rest.p[begin + len] != '}'))) {
            return false;
        }
        i += begin + len + (has_brace ? 1 : 0);
    }
    return true;
}

static bool has_dollar(struct span s)
{
    return s.len > 0 && memchr(s.p, '$', s.len) != NULL;
}

static bool is_template_valid(struct span s, enum name_scheme scheme)
{
    return scheme == NAME_LEGACY ? is_legacy_template(s) : label_name_is_valid(s, scheme);
}

static void check_target(const struct config *c, enum name_scheme scheme, struct faults *f)
{
    const char *action = action_names[c->action];
    if (c->target.len == 0) {
        walk_fault(c->node, "target_label", f,
                   "relabel configuration for %s action requires 'target_label' value", action);
        return;
    }
    bool is_template = c->action == RELABEL_REPLACE && has_dollar(c->target);
    if (is_template ? !is_template_valid(c->target, scheme)
                    : !label_name_is_valid(c->target, scheme)) {
        walk_fault(c->node, "target_label", f, "\"%.*s\" is invalid 'target_label' for %s action",
                   SPAN_ARG(c->target), action);
    }
}

/* Reports each of these fields that is not at its default, because 'action' takes only 'wanted'. */
static void check_nothing_else(const struct config *c, bool takes_target, struct faults *f)
{
    const struct {
        const char *field;
        bool is_set;
    } t[] = {
        { "source_labels", !takes_target && c->has_sources },
        { "target_label", !takes_target && c->target.len > 0 },
        { "regex", takes_target && c->has_regex },
        { "modulus", c->modulus != 0 },
        { "separator", !span_is(c->separator, DEFAULT_SEPARATOR) },
        { "replacement", !span_is(c->replacement, DEFAULT_REPLACEMENT) },
    };
    const char *wanted = takes_target ? "'source_labels' and 'target_label'" : "'regex'";
    for (size_t i = 0; i < COUNT(t); i++) {
        if (t[i].is_set) {
            walk_fault(c->node, t[i].field, f, "%s action requires only %s, and no other fields",
                       action_names[c->action], wanted);
        }
    }
}

static void check(const struct config *c, enum name_scheme scheme, struct faults *f)
{
    switch (c->action) {
    case RELABEL_REPLACE:
        check_target(c, scheme, f);
        break;
    case RELABEL_HASHMOD:
        check_target(c, scheme, f);
        if (c->modulus == 0) {
            walk_fault(c->node, "modulus", f,
                       "relabel configuration for hashmod requires non-zero modulus");
        }
        break;
    case RELABEL_LOWERCASE:
    case RELABEL_UPPERCASE:
        check_target(c, scheme, f);
        if (!span_is(c->replacement, DEFAULT_REPLACEMENT)) {
            walk_fault(c->node, "replacement", f, "'replacement' can not be set for %s action",
                       action_names[c->action]);
        }
        break;
    case RELABEL_KEEPEQUAL:
    case RELABEL_DROPEQUAL:
        check_target(c, scheme, f);
        check_nothing_else(c, true, f);
        break;
    case RELABEL_LABELMAP:
        if (!is_template_valid(c->replacement, scheme)) {
            walk_fault(c->node, "replacement", f,
                       "\"%.*s\" is invalid 'replacement' for labelmap action",
                       SPAN_ARG(c->replacement));
        }
        break;
    case RELABEL_LABELDROP:
    case RELABEL_LABELKEEP:
        check_nothing_else(c, false, f);
        break;
    case RELABEL_ACTION_KEEP:
    case RELABEL_ACTION_DROP:
        break;
    }
}

/* ---- compiling */

static void place_init(struct label_place *place, struct relabel *set, struct span name)
{
    label_place_init(place, strpool_intern(set->pool, name));
    strpool_pin(place->name);
}

static const char *describe(const struct config *c, struct arena *arena)
{
    AUTO_BUF text;
    buf_init(&text, 4 * LIMIT_REGEX_BYTES);
    buf_add_str(&text, action_names[c->action]);
    bool takes_names = c->action == RELABEL_LABELMAP || c->action == RELABEL_LABELDROP ||
                       c->action == RELABEL_LABELKEEP;
    if (!takes_names && c->n_sources > 0) {
        buf_add_str(&text, " [");
        for (size_t i = 0; i < c->n_sources; i++) {
            buf_add_span(&text, i == 0 ? SPAN_LIT("") : c->separator);
            buf_add_span(&text, c->sources[i]);
        }
        buf_add_char(&text, ']');
    }
    bool is_conditional = c->action == RELABEL_REPLACE || c->action == RELABEL_ACTION_KEEP ||
                          c->action == RELABEL_ACTION_DROP;
    if (takes_names ||
        (is_conditional && (c->action != RELABEL_REPLACE || !span_is(c->regex, DEFAULT_REGEX)))) {
        buf_addf(&text, " =~ %.*s", SPAN_ARG(c->regex));
    }
    if (c->action == RELABEL_HASHMOD) {
        buf_addf(&text, " %% %llu", (unsigned long long)c->modulus);
    }
    if (c->action == RELABEL_REPLACE) {
        buf_addf(&text, " -> %.*s := \"%.*s\"", SPAN_ARG(c->target), SPAN_ARG(c->replacement));
    } else if (c->action == RELABEL_LABELMAP) {
        buf_addf(&text, " -> %.*s", SPAN_ARG(c->replacement));
    } else if (c->action == RELABEL_KEEPEQUAL || c->action == RELABEL_DROPEQUAL) {
        buf_addf(&text, " == %.*s", SPAN_ARG(c->target));
    } else if (c->target.len > 0 && !takes_names && !is_conditional) {
        buf_addf(&text, " -> %.*s", SPAN_ARG(c->target));
    }
    return buf_error(&text) != 0 ? action_names[c->action] : arena_strndup(arena, text.p, text.len);
}

/* The template in a field; NULL after a fault. */
static const struct regex_template *compile_template(struct relabel *set, const struct config *c,
                                                     const char *field, const struct regex *regex,
                                                     struct faults *f)
{
    struct err err;
    struct span text = strcmp(field, "replacement") == 0 ? c->replacement : c->target;
    const struct regex_template *template = NULL;
    if (regex_template_compile(regex, arena_span(&set->arena, text), &set->arena, &template, &err) <
        0) {
        walk_fault(c->node, field, f, "%s", err.text);
    }
    return template;
}

static size_t max(size_t a, size_t b)
{
    return a > b ? a : b;
}

static void compile_regex(struct relabel *set, const struct config *c, struct relabel_rule *rule,
                          struct regex_budget *budget, struct faults *f)
{
    struct err err;
    if (regex_compile(c->regex, budget, &rule->regex, &err) < 0) {
        walk_fault(c->node, "regex", f, "%s", err.text);
        return;
    }
    rule->is_any = regex_is_any(rule->regex);
    if (c->action == RELABEL_REPLACE || c->action == RELABEL_LABELMAP) {
        rule->replacement = compile_template(set, c, "replacement", rule->regex, f);
        rule->target_template = compile_template(set, c, "target_label", rule->regex, f);
        if (rule->replacement != NULL && rule->target_template != NULL) {
            rule->n_groups = max(regex_template_groups(rule->replacement),
                                 regex_template_groups(rule->target_template));
        }
    }
}

static void compile_rule(struct relabel *set, const struct config *c, struct relabel_rule *rule,
                         struct regex_budget *budget, struct faults *f)
{
    rule->action = c->action;
    rule->modulus = c->modulus;
    rule->separator = arena_span(&set->arena, c->separator);
    rule->sources = arena_zalloc(&set->arena, c->n_sources * sizeof(*rule->sources));
    for (size_t i = 0; i < c->n_sources; i++) {
        place_init(&rule->sources[rule->n_sources++], set, c->sources[i]);
    }
    rule->has_plain_target = c->action != RELABEL_REPLACE || !has_dollar(c->target);
    if (rule->has_plain_target && c->target.len > 0) {
        place_init(&rule->target, set, c->target);
    }
    compile_regex(set, c, rule, budget, f);
    rule->description = describe(c, &set->arena);
}

static void compile_item(struct relabel *set, const struct node *node, bool strict,
                         struct regex_budget *budget, struct arena *scratch, struct faults *f)
{
    struct relabel_rule *rule = &set->rules[set->n++];
    if (node_is_null(node) || node->type != NODE_MAP) {
        faults_add(f, FAULT_ERROR, node == NULL ? 0 : node->line, "empty or null relabeling rule");
        return;
    }
    struct config c;
    if (!read_config(node, strict, scratch, f, &c)) {
        return;
    }
    check(&c, set->scheme, f);
    compile_rule(set, &c, rule, budget, f);
}

struct relabel *relabel_compile(const struct node *rules, enum name_scheme scheme, bool strict,
                                struct strpool *pool, struct regex_budget *budget, struct faults *f)
{
    size_t n_errors = f->n_errors;
    size_t n = 0;
    if (!node_is_null(rules)) {
        if (rules->type != NODE_LIST) {
            faults_add(f, FAULT_ERROR, rules->line, "wanted a list, found %s",
                       node_type_name(rules));
            return NULL;
        }
        n = rules->n;
    }
    struct relabel *set = mem_zalloc(sizeof(*set));
    arena_init(&set->arena);
    set->pool = pool;
    set->scheme = scheme;
    set->match = arena_zalloc(&set->arena, sizeof(*set->match));
    set->rules = arena_zalloc(&set->arena, n * sizeof(*set->rules));
    struct arena scratch;
    arena_init(&scratch);
    for (size_t i = 0; i < n; i++) {
        size_t mark = faults_push_index(f, i);
        compile_item(set, rules->items[i], strict, budget, &scratch, f);
        faults_pop(f, mark);
    }
    arena_fini(&scratch);
    if (f->n_errors != n_errors) {
        relabel_free(&set);
    }
    return set;
}

static void adopt_place(struct label_place *place, struct strpool *pool)
{
    struct str *before = place->name;

    label_place_init(place, strpool_intern(pool, str_span(before)));
    strpool_pin(place->name);
    strpool_unpin(before);
}

void relabel_adopt(struct relabel *set, struct strpool *pool)
{
    set->pool = pool;
    for (size_t i = 0; i < set->n; i++) {
        struct relabel_rule *rule = &set->rules[i];
        for (size_t k = 0; k < rule->n_sources; k++) {
            adopt_place(&rule->sources[k], pool);
        }
        if (rule->target.name != NULL) {
            adopt_place(&rule->target, pool);
        }
        relabel_names_fini(&rule->names);
        rule->names = (struct name_memory){ 0 };
    }
}

size_t relabel_count(const struct relabel *set)
{
    return set == NULL ? 0 : set->n;
}

const char *relabel_describe(const struct relabel *set, size_t rule)
{
    return set->rules[rule].description;
}

void relabel_free(struct relabel **set)
{
    if (*set == NULL) {
        return;
    }
    for (size_t i = 0; i < (*set)->n; i++) {
        struct relabel_rule *rule = &(*set)->rules[i];
        for (size_t k = 0; k < rule->n_sources; k++) {
            strpool_unpin(rule->sources[k].name);
        }
        if (rule->target.name != NULL) {
            strpool_unpin(rule->target.name);
        }
        regex_free(&rule->regex);
        relabel_names_fini(&rule->names);
    }
    arena_fini(&(*set)->arena);
    mem_free(*set);
    *set = NULL;
}
