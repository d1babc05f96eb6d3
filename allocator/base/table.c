#include "allocator/base/table.h"

#include "allocator/base/mem.h"

#include <assert.h>

void table_init(struct table *t)
{
    *t = (struct table){ 0 };
}

static void resize(struct table *t, size_t n_slots)
{
    struct table_node **slots = mem_array(n_slots, sizeof(struct table_node *));

    for (size_t i = 0; i < t->n_slots; i++) {
        for (struct table_node *node = t->slots[i], *next = NULL; node != NULL; node = next) {
            next = node->next;
            struct table_node **slot = &slots[node->hash & (n_slots - 1)];
            node->next = *slot;
            *slot = node;
        }
    }
    mem_free((void *)t->slots);
    t->slots = slots;
    t->n_slots = n_slots;
}

void table_put(struct table *t, struct table_node *node, uint64_t hash)
{
    if (t->n >= t->n_slots) {
        resize(t, t->n_slots == 0 ? 4 : t->n_slots * 2);
    }
    struct table_node **slot = &t->slots[hash & (t->n_slots - 1)];
    node->hash = hash;
    node->next = *slot;
    *slot = node;
    t->n++;
}

struct table_node *table_find(const struct table *t, uint64_t hash, table_match_fn *match,
                              const void *key)
{
    struct table_node *node = t->n == 0 ? NULL : t->slots[hash & (t->n_slots - 1)];

    while (node != NULL && (node->hash != hash || !match(node, key))) {
        node = node->next;
    }
    return node;
}

void table_del(struct table *t, struct table_node *node)
{
    struct table_node **link = &t->slots[node->hash & (t->n_slots - 1)];

    while (*link != node) {
        assert(*link != NULL);
        link = &(*link)->next;
    }
    *link = node->next;
    node->next = NULL;
    t->n--;
}

struct table_node *table_next(const struct table *t, const struct table_node *prev)
{
    size_t i = 0;

    if (prev != NULL) {
        if (prev->next != NULL) {
            return prev->next;
        }
        i = (prev->hash & (t->n_slots - 1)) + 1;
    }
    for (; i < t->n_slots; i++) {
        if (t->slots[i] != NULL) {
            return t->slots[i];
        }
    }
    return NULL;
}

void table_fini(struct table *t)
{
    mem_free((void *)t->slots);
    table_init(t);
}
