/* An intrusive hash table: the caller embeds 'struct table_node', computes the hash, compares the
 * key. Iteration order may never reach any output. Threads: a table belongs to one thread. */
#ifndef OTEL_TA_BASE_TABLE_H
#define OTEL_TA_BASE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct table_node {
    struct table_node *next;
    uint64_t hash;
};

struct table {
    struct table_node **slots; /* n_slots is a power of two; NULL while empty */
    size_t n_slots;
    size_t n;
};

typedef bool table_match_fn(const struct table_node *node, const void *key);

void table_init(struct table *t);
/* Does not look for an equal key; find first. */
void table_put(struct table *t, struct table_node *node, uint64_t hash);
struct table_node *table_find(const struct table *t, uint64_t hash, table_match_fn *match,
                              const void *key);
/* 'node' must be in the table. */
void table_del(struct table *t, struct table_node *node);
/* First node when 'prev' is NULL, else the next; NULL at the end. The returned node may be deleted
 * only after the following one was fetched. */
struct table_node *table_next(const struct table *t, const struct table_node *prev);
void table_fini(struct table *t); /* the slots only; nodes are the caller's */

#endif
