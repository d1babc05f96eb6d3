#include "allocator/prom/relabel.h"

#include "allocator/base/mem.h"
#include "allocator/prom/relabel_rule.h"

/* ---- compiling */

static void compile_item(struct relabel *set, const struct node *node, bool strict,
                         struct regex_budget *budget, struct arena *scratch, struct faults *f)
{
    struct relabel_rule *rule = &set->rules[set->n++];
    if (node_is_null(node) || node->type != NODE_MAP) {
        faults_add(f, FAULT_ERROR, node == NULL ? 0 : node->line, "empty or null relabeling rule");
        return;
    }
    struct relabel_config c;
    if (relabel_config_read(node, strict, scratch, f, &c)) {
        relabel_config_check(&c, set->scheme, f);
        rule->program = relabel_program_get(&c, budget, f);
    }
}

struct relabel *relabel_compile(const struct node *rules, enum name_scheme scheme, bool strict,
                                struct regex_budget *budget, struct faults *f)
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
    struct relabel *set = mem_zalloc(sizeof(*set) + n * sizeof(set->rules[0]));
    set->scheme = scheme;
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

/* ---- places */

static bool has_target(const struct relabel_program *p)
{
    return p->target.len > 0;
}

static struct label_place *bind_place(struct label_place *place, struct strpool *pool,
                                      struct span name)
{
    label_place_init(place, strpool_intern(pool, name));
    strpool_pin(place->name);
    return place + 1;
}

void relabel_release(struct relabel *set)
{
    for (size_t i = 0; set->places != NULL && i < set->n; i++) {
        struct relabel_rule *rule = &set->rules[i];
        for (size_t k = 0; k < rule->program->n_sources; k++) {
            strpool_unpin(rule->sources[k].name);
        }
        if (rule->target != NULL) {
            strpool_unpin(rule->target->name);
        }
    }
    mem_free(set->places);
    set->places = NULL;
    set->pool = NULL;
}

void relabel_bind(struct relabel *set, struct strpool *pool)
{
    size_t n = 1;

    relabel_release(set);
    for (size_t i = 0; i < set->n; i++) {
        n += set->rules[i].program->n_sources + has_target(set->rules[i].program);
    }
    struct label_place *place = mem_array(n, sizeof(*place));
    set->places = place;
    set->pool = pool;
    for (size_t i = 0; i < set->n; i++) {
        struct relabel_rule *rule = &set->rules[i];
        rule->sources = place;
        for (size_t k = 0; k < rule->program->n_sources; k++) {
            place = bind_place(place, pool, rule->program->sources[k]);
        }
        rule->target = NULL;
        if (has_target(rule->program)) {
            rule->target = place;
            place = bind_place(place, pool, rule->program->target);
        }
    }
}

/* ---- questions */

size_t relabel_count(const struct relabel *set)
{
    return set == NULL ? 0 : set->n;
}

const char *relabel_describe(const struct relabel *set, size_t rule)
{
    return set->rules[rule].program->description;
}

static bool has_name(const struct relabel_program *p, struct span name)
{
    bool found = has_target(p) && span_eq(p->target, name);

    for (size_t i = 0; i < p->n_sources; i++) {
        found = found || span_eq(p->sources[i], name);
    }
    return found;
}

bool relabel_mentions(const struct relabel *set, const struct str *name)
{
    for (size_t i = 0; set != NULL && i < set->n; i++) {
        if (has_name(set->rules[i].program, str_span(name))) {
            return true;
        }
    }
    return false;
}

void relabel_free(struct relabel **set)
{
    if (*set == NULL) {
        return;
    }
    relabel_release(*set);
    for (size_t i = 0; i < (*set)->n; i++) {
        relabel_program_put((*set)->rules[i].program);
    }
    mem_free(*set);
    *set = NULL;
}
