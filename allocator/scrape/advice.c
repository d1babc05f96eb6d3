#include "allocator/scrape/advice.h"

#include "allocator/base/mem.h"
#include "allocator/scrape/schema.h"
#include "allocator/scrape/sdconfig.h"

static void warn(const struct node *map, const char *key, struct faults *f, const char *text)
{
    faults_add_at(f, FAULT_WARNING, node_get(map, key)->line, key, "%s", text);
}

static void look_at_scheme(const struct node *job, struct faults *f)
{
    struct span scheme = schema_text(job, "scheme");

    if (scheme.len > 0 && !span_is(scheme, "http") && !span_is(scheme, "https")) {
        AUTO_STR text = mem_printf("\"%.*s\" is neither http nor https", SPAN_ARG(scheme));
        warn(job, "scheme", f, text);
    }
}

static void look_at_limit(const struct node *job, struct faults *f)
{
    int64_t limit = 0;

    if (node_as_int(node_get(job, "target_limit"), &limit) && limit > 0) {
        warn(job, "target_limit", f,
             "counts in each collector separately once the targets are shared out");
    }
}

/* ---- rules */

static bool is_action(const struct node *rule, const char *action)
{
    return span_is_nocase(schema_text(rule, "action"), action);
}

static bool drops_all(const struct node *rule)
{
    struct span regex = schema_text(rule, "regex");

    return is_action(rule, "drop") &&
           (node_get(rule, "regex") == NULL || span_is(regex, ".*") || span_is(regex, "(.*)"));
}

static void look_at_rules(const struct node *job, const char *key, struct faults *f)
{
    const struct node *rules = schema_list(job, key);
    size_t mark = faults_push(f, "%s", key);
    size_t last = SIZE_MAX; /* the rule that drops all */

    for (size_t i = 0; rules != NULL && i < rules->n; i++) {
        const struct node *rule = rules->items[i];
        size_t inner = faults_push_index(f, i);
        int64_t modulus = 0;
        if (!is_action(rule, "hashmod") && node_as_int(node_get(rule, "modulus"), &modulus) &&
            modulus > 0) {
            warn(rule, "modulus", f, "is used by action hashmod only");
        }
        if (last != SIZE_MAX && i == last + 1) {
            faults_add(f, FAULT_WARNING, rule->line, "is never reached: %s[%zu] drops everything",
                       key, last);
        }
        faults_pop(f, inner);
        last = last == SIZE_MAX && drops_all(rule) ? i : last;
    }
    faults_pop(f, mark);
}

/* ---- Kubernetes */

static bool has_choice(const struct node *rules)
{
    static const char *const actions[] = { "keep", "drop", "keepequal", "dropequal" };

    for (size_t i = 0; rules != NULL && i < rules->n; i++) {
        for (size_t k = 0; k < COUNT(actions); k++) {
            if (is_action(rules->items[i], actions[k])) {
                return true;
            }
        }
    }
    return false;
}

/* Of nodes all are meant, often; of anything else hardly ever. */
static void look_at_kubernetes(const struct node *job, struct faults *f)
{
    const struct node *list = schema_list(job, "kubernetes_sd_configs");

    if (list == NULL || has_choice(schema_list(job, "relabel_configs"))) {
        return;
    }
    size_t mark = faults_push(f, "kubernetes_sd_configs");
    for (size_t i = 0; i < list->n; i++) {
        struct span role = schema_text(list->items[i], "role");
        const struct node *selectors = schema_list(list->items[i], "selectors");
        size_t inner = faults_push_index(f, i);
        if (role.len > 0 && !span_is(role, "node") && (selectors == NULL || selectors->n == 0)) {
            faults_add(
                f, FAULT_WARNING, list->items[i]->line,
                "every %.*s becomes a target: there is no selector, and no rule keeps or drops any",
                SPAN_ARG(role));
        }
        faults_pop(f, inner);
    }
    faults_pop(f, mark);
}

/* Unless it is there for others: in a file of jobs that is imported, for example. */
static void look_at_sections(const struct node *job, struct faults *f)
{
    for (size_t i = 0; sdconfig_sections[i] != NULL; i++) {
        if (node_get(job, sdconfig_sections[i]) != NULL) {
            return;
        }
    }
    faults_add(f, FAULT_WARNING, job->line, "job '%.*s' has nothing to discover",
               SPAN_ARG(schema_text(job, "job_name")));
}

void advice_give(const struct node *job, struct faults *f)
{
    look_at_sections(job, f);
    look_at_scheme(job, f);
    look_at_limit(job, f);
    look_at_rules(job, "relabel_configs", f);
    look_at_rules(job, "metric_relabel_configs", f);
    look_at_kubernetes(job, f);
}
