/* What a rule over label names (labelmap, labeldrop, labelkeep) decides about a builder, and the
 * memory of it: the names of the next target are mostly those of the last one. Private to relabel.c
 * and relabel_run.c. Threads: as relabel.h. */
#ifndef OTEL_TA_PROM_RELABEL_NAMES_H
#define OTEL_TA_PROM_RELABEL_NAMES_H

#include "allocator/prom/relabel_rule.h"

/* Decides anew. False when that is more than a target may cost. */
bool relabel_names_learn(struct relabel_rule *rule, struct label_builder *lb);
/* Makes sure that rule->names holds what the rule decides about the names of 'lb'. False when that
 * is more than a target may cost. */
static inline bool relabel_names_decide(struct relabel_rule *rule, struct label_builder *lb)
{
    const struct name_memory *memory = rule->names;
    return (memory != NULL && memory->is_valid && memory->shape == lb->shape &&
            memory->n == lb->n) ||
           relabel_names_learn(rule, lb);
}
void relabel_names_free(struct name_memory **memory);

#endif
