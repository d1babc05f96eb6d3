#include "allocator/prom/relabel_config.h"

#include "allocator/codec/walk.h"

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

const char *relabel_action_name(enum relabel_action action)
{
    return action_names[action];
}

bool relabel_config_has_default_regex(const struct relabel_config *c)
{
    return span_is(c->regex, DEFAULT_REGEX);
}

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

static void read_sources(struct relabel_config *c, struct arena *arena, struct faults *f)
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

static bool read_action(struct relabel_config *c, struct faults *f)
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

bool relabel_config_read(const struct node *rule, bool strict, struct arena *arena,
                         struct faults *f, struct relabel_config *out)
{
    size_t n_errors = f->n_errors;
    *out = (struct relabel_config){
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

bool relabel_config_has_dollar(struct span s)
{
    return s.len > 0 && memchr(s.p, '$', s.len) != NULL;
}

static bool is_template_valid(struct span s, enum name_scheme scheme)
{
    return scheme == NAME_LEGACY ? is_legacy_template(s) : label_name_is_valid(s, scheme);
}

static void check_target(const struct relabel_config *c, enum name_scheme scheme, struct faults *f)
{
    const char *action = relabel_action_name(c->action);
    if (c->target.len == 0) {
        walk_fault(c->node, "target_label", f,
                   "relabel configuration for %s action requires 'target_label' value", action);
        return;
    }
    bool is_template = c->action == RELABEL_REPLACE && relabel_config_has_dollar(c->target);
    if (is_template ? !is_template_valid(c->target, scheme)
                    : !label_name_is_valid(c->target, scheme)) {
        walk_fault(c->node, "target_label", f, "\"%.*s\" is invalid 'target_label' for %s action",
                   SPAN_ARG(c->target), action);
    }
}

/* Reports each of these fields that is not at its default, because 'action' takes only 'wanted'. */
static void check_nothing_else(const struct relabel_config *c, bool takes_target, struct faults *f)
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
                       relabel_action_name(c->action), wanted);
        }
    }
}

void relabel_config_check(const struct relabel_config *c, enum name_scheme scheme, struct faults *f)
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
                       relabel_action_name(c->action));
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
