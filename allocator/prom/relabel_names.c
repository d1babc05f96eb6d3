#include "allocator/prom/relabel_names.h"

#include "allocator/base/limits.h"
#include "allocator/base/mem.h"

#include <stdlib.h>

static void name_memory_clear(struct name_memory *memory)
{
    for (size_t i = 0; memory->mapped != NULL && i < memory->n; i++) {
        if (memory->mapped[i] != NULL) {
            strpool_unpin(memory->mapped[i]);
        }
    }
    memory->n = memory->n_decided = 0;
    memory->is_append = true;
    memory->is_valid = false;
}

void relabel_names_free(struct name_memory **memory)
{
    if (*memory != NULL) {
        name_memory_clear(*memory);
        mem_free((*memory)->mapped);
        mem_free((*memory)->is_removed);
        mem_free(*memory);
        *memory = NULL;
    }
}

/* False when the names that come out are more than a target may cost. */
static bool map_name(const struct relabel_rule *rule, struct label_builder *lb, struct span name,
                     struct str **out)
{
    AUTO_BUF mapped;
    buf_init(&mapped, LIMIT_RELABEL_BYTES);
    if (!regex_replace_all(rule->program->regex, rule->program->replacement, name, &mapped)) {
        return true;
    }
    if (buf_error(&mapped) != 0 || !label_builder_charge(lb, mapped.len)) {
        lb->is_overfull = true;
        return false;
    }
    *out = strpool_intern(lb->pool, mapped.p == NULL ? SPAN_LIT("") : buf_span(&mapped));
    strpool_pin(*out);
    return true;
}

struct use { /* of a name: by a label that has it, or by one that is mapped to it */
    const struct str *name;
    size_t index;
    bool is_mapped;
};

static int use_cmp(const void *a, const void *b)
{
    uintptr_t x = (uintptr_t)((const struct use *)a)->name;
    uintptr_t y = (uintptr_t)((const struct use *)b)->name;
    return (x > y) - (x < y);
}

/* All uses of one name. Of the labels that are mapped to it, the one with the greatest name wins.
 */
static void resolve_name(struct name_memory *memory, const struct label_builder *lb,
                         const struct use *uses, size_t n)
{
    const struct use *winner = NULL;
    for (size_t i = 0; i < n; i++) {
        if (!uses[i].is_mapped) {
            memory->is_append = memory->is_append && n == 1;
            continue;
        }
        const struct use *loser = winner;
        if (winner == NULL || span_cmp(str_span(lb->v[uses[i].index].name),
                                       str_span(lb->v[winner->index].name)) > 0) {
            winner = &uses[i];
        } else {
            loser = &uses[i];
        }
        if (loser != NULL) {
            strpool_unpin(memory->mapped[loser->index]);
            memory->mapped[loser->index] = NULL;
            memory->n_decided--;
        }
    }
}

/* Labels that are mapped to one name, or to a name that is there already: the sequence would
 * matter. */
static void resolve_collisions(struct name_memory *memory, const struct label_builder *lb)
{
    size_t n = 0;
    struct use *uses = mem_array(2 * memory->n + 1, sizeof(*uses));
    for (size_t i = 0; i < memory->n; i++) {
        uses[n++] = (struct use){ lb->v[i].name, i, false };
        if (memory->mapped[i] != NULL) {
            uses[n++] = (struct use){ memory->mapped[i], i, true };
        }
    }
    qsort(uses, n, sizeof(*uses), use_cmp);
    for (size_t begin = 0, end = 0; begin < n; begin = end) {
        while (end < n && uses[end].name == uses[begin].name) {
            end++;
        }
        resolve_name(memory, lb, uses + begin, end - begin);
    }
    mem_free(uses);
}

static void learn_mapped(struct relabel_rule *rule, struct label_builder *lb)
{
    struct name_memory *memory = rule->names;
    while (memory->n < lb->n) {
        struct str **mapped = &memory->mapped[memory->n];
        *mapped = NULL;
        if (!map_name(rule, lb, str_span(lb->v[memory->n].name), mapped)) {
            return;
        }
        memory->n++;
        memory->n_decided += *mapped != NULL ? 1 : 0;
    }
    if (memory->n_decided > 0) {
        resolve_collisions(memory, lb);
    }
}

static void learn_removed(struct relabel_rule *rule, const struct label_builder *lb)
{
    struct name_memory *memory = rule->names;
    for (; memory->n < lb->n; memory->n++) {
        struct span name = str_span(lb->v[memory->n].name);
        bool is_match = rule->program->is_any || regex_match(rule->program->regex, name, NULL);
        memory->is_removed[memory->n] = is_match == (rule->program->action == RELABEL_LABELDROP);
        memory->n_decided += memory->is_removed[memory->n] ? 1 : 0;
    }
}

bool relabel_names_learn(struct relabel_rule *rule, struct label_builder *lb)
{
    if (rule->names == NULL) {
        rule->names = mem_zalloc(sizeof(*rule->names));
    }
    struct name_memory *memory = rule->names;
    name_memory_clear(memory);
    if (memory->cap < lb->n) {
        memory->cap = lb->cap;
        if (rule->program->action == RELABEL_LABELMAP) {
            memory->mapped = mem_realloc(memory->mapped, memory->cap * sizeof(struct str *));
        } else {
            memory->is_removed = mem_realloc(memory->is_removed, memory->cap * sizeof(bool));
        }
    }
    if (rule->program->action == RELABEL_LABELMAP) {
        learn_mapped(rule, lb);
    } else {
        learn_removed(rule, lb);
    }
    memory->shape = lb->shape;
    memory->is_valid = memory->n == lb->n;
    return memory->is_valid;
}
