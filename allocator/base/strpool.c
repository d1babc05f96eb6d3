#include "allocator/base/strpool.h"

#include "allocator/base/container.h"
#include "allocator/base/hash.h"
#include "allocator/base/mem.h"

void strpool_init(struct strpool *pool)
{
    table_init(&pool->table);
    pool->bytes = 0;
}

static bool matches(const struct table_node *node, const void *key)
{
    const struct str *s = CONTAINER_OF(node, struct str, node);
    return span_eq(str_span(s), *(const struct span *)key);
}

struct str *strpool_intern(struct strpool *pool, struct span s)
{
    uint64_t hash = hash_fast(s);
    struct table_node *node = table_find(&pool->table, hash, matches, &s);

    if (node != NULL) {
        return CONTAINER_OF(node, struct str, node);
    }
    struct str *str = mem_alloc(sizeof(*str) + s.len + 1);
    str->pins = 0;
    str->len = (uint32_t)s.len;
    str->is_meta = span_has_prefix(s, "__meta_");
    if (s.len > 0) {
        memcpy(str->text, s.p, s.len);
    }
    str->text[s.len] = '\0';
    table_put(&pool->table, &str->node, hash);
    pool->bytes += sizeof(*str) + s.len + 1;
    return str;
}

static void drop(struct strpool *pool, bool even_pinned)
{
    struct table_node *node = table_next(&pool->table, NULL);

    while (node != NULL) {
        struct table_node *next = table_next(&pool->table, node);
        struct str *s = CONTAINER_OF(node, struct str, node);
        if (even_pinned || s->pins == 0) {
            table_del(&pool->table, node);
            pool->bytes -= sizeof(*s) + s->len + 1;
            mem_free(s);
        }
        node = next;
    }
}

void strpool_sweep(struct strpool *pool)
{
    drop(pool, false);
}

void strpool_fini(struct strpool *pool)
{
    drop(pool, true);
    table_fini(&pool->table);
}
