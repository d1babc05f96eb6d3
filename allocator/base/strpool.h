/* Each distinct string once, so that equality is pointer equality: for label names and other words
 * of low cardinality, never for values. Strings stay until strpool_sweep(), which drops all that
 * are not pinned; holders of unpinned strings (a batch being digested) must be gone by then.
 * Threads: a pool and its strings belong to one thread. */
#ifndef OTEL_TA_BASE_STRPOOL_H
#define OTEL_TA_BASE_STRPOOL_H

#include "allocator/base/span.h"
#include "allocator/base/table.h"

#include <stdint.h>

struct str {
    struct table_node node;
    uint32_t pins;
    uint32_t len;
    bool is_meta; /* starts with "__meta_" */
    char text[];  /* NUL-terminated */
};

struct strpool {
    struct table table;
    size_t bytes; /* of all strings, bookkeeping included */
};

void strpool_init(struct strpool *pool);
/* Never NULL. */
struct str *strpool_intern(struct strpool *pool, struct span s);
static inline void strpool_pin(struct str *s)
{
    s->pins++;
}
static inline void strpool_unpin(struct str *s)
{
    s->pins--;
}
void strpool_sweep(struct strpool *pool);
void strpool_fini(struct strpool *pool);
static inline struct span str_span(const struct str *s)
{
    return (struct span){ s->text, s->len };
}

#endif
