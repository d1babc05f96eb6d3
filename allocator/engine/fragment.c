#include "allocator/engine/fragment.h"

#include "allocator/base/hash.h"
#include "allocator/base/mem.h"

void fragments_init(struct fragments *f, struct publisher *publisher)
{
    table_init(&f->table);
    f->publisher = publisher;
}

static bool is_text(const struct table_node *node, const void *key)
{
    const struct fragment *fragment = (const struct fragment *)(const void *)node;
    return span_eq(span_make(fragment->text, fragment->len), *(const struct span *)key);
}

struct fragment *fragments_intern(struct fragments *f, struct span text)
{
    uint64_t hash = hash_fast(text);
    struct table_node *node = table_find(&f->table, hash, is_text, &text);

    if (node != NULL) {
        return TABLE_ITEM(node, struct fragment, node);
    }
    struct fragment *fragment = mem_alloc(sizeof(*fragment) + text.len);
    fragment->n_refs = 0;
    fragment->len = (uint32_t)text.len;
    memcpy(fragment->text, text.p, text.len);
    table_put(&f->table, &fragment->node, hash);
    return fragment;
}

void fragments_unref(struct fragments *f, struct fragment *fragment)
{
    if (--fragment->n_refs == 0) {
        table_del(&f->table, &fragment->node);
        publisher_retire(f->publisher, fragment, mem_free);
    }
}

void fragments_fini(struct fragments *f)
{
    struct table_node *node = table_next(&f->table, NULL);

    while (node != NULL) {
        struct table_node *next = table_next(&f->table, node);
        mem_free(TABLE_ITEM(node, struct fragment, node));
        node = next;
    }
    table_fini(&f->table);
}
