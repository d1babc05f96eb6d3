#include "allocator/engine/tail.h"

#include "allocator/base/container.h"
#include "allocator/base/hash.h"
#include "allocator/base/mem.h"

void tails_init(struct tails *t, struct publisher *publisher)
{
    table_init(&t->table);
    t->publisher = publisher;
    t->used_bytes = 0;
    t->most_bytes = SIZE_MAX;
}

static bool is_text(const struct table_node *node, const void *key)
{
    const struct tail *tail = CONTAINER_OF(node, struct tail, node);
    return span_eq(span_make(tail->text, tail->len), *(const struct span *)key);
}

bool tails_have(const struct tails *t, struct span text)
{
    return table_find(&t->table, hash_fast(text), is_text, &text) != NULL;
}

struct tail *tails_intern(struct tails *t, struct span text)
{
    uint64_t hash = hash_fast(text);
    struct table_node *node = table_find(&t->table, hash, is_text, &text);

    if (node != NULL) {
        return CONTAINER_OF(node, struct tail, node);
    }
    struct tail *tail = mem_alloc(sizeof(*tail) + text.len);
    tail->n_refs = 0;
    tail->len = (uint32_t)text.len;
    memcpy(tail->text, text.p, text.len);
    table_put(&t->table, &tail->node, hash);
    t->used_bytes += tail_weight(text.len);
    return tail;
}

void tails_unref(struct tails *t, struct tail *tail)
{
    if (--tail->n_refs == 0) {
        table_del(&t->table, &tail->node);
        t->used_bytes -= tail_weight(tail->len);
        publisher_retire(t->publisher, tail, mem_size(tail), mem_free);
    }
}

void tails_fini(struct tails *t)
{
    struct table_node *node = table_next(&t->table, NULL);

    while (node != NULL) {
        struct table_node *next = table_next(&t->table, node);
        mem_free(CONTAINER_OF(node, struct tail, node));
        node = next;
    }
    table_fini(&t->table);
}
