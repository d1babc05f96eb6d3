#include "allocator/prom/relabel_names.h"

#include "allocator/base/container.h"
#include "allocator/base/limits.h"
#include "allocator/base/mem.h"

#include <assert.h>
#include <stdlib.h>

static void forget(struct shape_fact *fact)
{
    struct relabel_names *names = CONTAINER_OF(fact, struct relabel_names, fact);

    for (size_t i = 0; names->mapped != NULL && i < fact->n; i++) {
        if (names->mapped[i] != NULL) {
            strpool_unpin(names->mapped[i]);
        }
    }
}

/* In one block with its array, nothing decided. */
static struct relabel_names *new_names(const struct relabel_program *p,
                                       const struct label_builder *lb)
{
    bool is_map = p->action == RELABEL_LABELMAP;
    size_t size = lb->n * (is_map ? sizeof(struct str *) : sizeof(bool));
    struct relabel_names *names = mem_zalloc(sizeof(*names) + size);

    names->fact =
        (struct shape_fact){ .owner = p->number, .shape = lb->shape, .n = lb->n, .forget = forget };
    names->is_append = true;
    names->mapped = is_map ? (struct str **)(void *)(names + 1) : NULL;
    names->is_removed = is_map ? NULL : (bool *)(void *)(names + 1);
    return names;
}

/* False when the names that come out are more than a target may cost. */
static bool map_name(const struct relabel_program *p, struct label_builder *lb, struct span name,
                     struct str **out)
{
    AUTO_BUF mapped;
    buf_init(&mapped, LIMIT_RELABEL_BYTES);
    if (!regex_replace_all(p->regex, p->replacement, name, &mapped)) {
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
static void resolve_name(struct relabel_names *names, const struct label_builder *lb,
                         const struct use *uses, size_t n)
{
    const struct use *winner = NULL;
    for (size_t i = 0; i < n; i++) {
        if (!uses[i].is_mapped) {
            names->is_append = names->is_append && n == 1;
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
            strpool_unpin(names->mapped[loser->index]);
            names->mapped[loser->index] = NULL;
            names->n_decided--;
        }
    }
}

/* Labels that are mapped to one name, or to a name that is there already: the sequence would
 * matter. */
static void resolve_collisions(struct relabel_names *names, const struct label_builder *lb)
{
    size_t n = 0;
    struct use *uses = mem_array(2 * lb->n + 1, sizeof(*uses));
    for (size_t i = 0; i < lb->n; i++) {
        uses[n++] = (struct use){ lb->v[i].name, i, false };
        if (names->mapped[i] != NULL) {
            uses[n++] = (struct use){ names->mapped[i], i, true };
        }
    }
    qsort(uses, n, sizeof(*uses), use_cmp);
    for (size_t begin = 0, end = 0; begin < n; begin = end) {
        while (end < n && uses[end].name == uses[begin].name) {
            end++;
        }
        resolve_name(names, lb, uses + begin, end - begin);
    }
    mem_free(uses);
}

static bool learn_mapped(const struct relabel_program *p, struct label_builder *lb,
                         struct relabel_names *names)
{
    assert(names->mapped != NULL);
    for (size_t i = 0; i < lb->n; i++) {
        if (!map_name(p, lb, str_span(lb->v[i].name), &names->mapped[i])) {
            return false;
        }
        names->n_decided += names->mapped[i] != NULL ? 1 : 0;
    }
    if (names->n_decided > 0) {
        resolve_collisions(names, lb);
    }
    return true;
}

static void learn_removed(const struct relabel_program *p, const struct label_builder *lb,
                          struct relabel_names *names)
{
    assert(names->is_removed != NULL);
    for (size_t i = 0; i < lb->n; i++) {
        bool is_match = p->is_any || regex_match(p->regex, str_span(lb->v[i].name), NULL);
        names->is_removed[i] = is_match == (p->action == RELABEL_LABELDROP);
        names->n_decided += names->is_removed[i] ? 1 : 0;
    }
}

static const struct relabel_names *learn(const struct relabel_program *p, struct label_builder *lb)
{
    struct relabel_names *names = new_names(p, lb);

    if (p->action != RELABEL_LABELMAP) {
        learn_removed(p, lb, names);
    } else if (!learn_mapped(p, lb, names)) {
        forget(&names->fact);
        mem_free(names);
        return NULL;
    }
    shapememory_put(&lb->memory, &names->fact);
    return names;
}

const struct relabel_names *relabel_names_decide(const struct relabel_program *p,
                                                 struct label_builder *lb)
{
    struct shape_fact *fact = shapememory_find(&lb->memory, p->number, lb->shape, lb->n);

    return fact == NULL ? learn(p, lb) : CONTAINER_OF(fact, struct relabel_names, fact);
}
