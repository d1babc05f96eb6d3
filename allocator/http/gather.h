/* Joins the pieces of an answer in a buffer, part by part, and keeps such buffers for the next
 * answer. Threads: a pool belongs to one serving thread. */
#ifndef OTEL_TA_HTTP_GATHER_H
#define OTEL_TA_HTTP_GATHER_H

#include "allocator/http/exchange.h"

/* Bounds what is encrypted into memory at once, and what a slow reader holds. */
#define GATHER_BYTES ((size_t)64 * 1024)

struct gather_pool {
    struct gather_buffer *free;
    unsigned n_free;
};

/* A buffer of GATHER_BYTES. */
char *gather_take(struct gather_pool *pool);
void gather_give(struct gather_pool *pool, char *buffer);
void gather_fini(struct gather_pool *pool);

/* Whether something is left; then 'v' has some of it. */
static inline bool gather_is_left(struct exchange_pieces *rest)
{
    if (rest->n == 0 && rest->n_runs > 0) {
        rest->v = rest->runs[0]->v;
        rest->n = rest->runs[0]->n;
        rest->runs++;
        rest->n_runs--;
    }
    return rest->n > 0;
}
/* Copies as much as fits; '*rest' and '*offset' (into its first piece) advance past it. Returns
 * how much. */
size_t gather_fill(struct exchange_pieces *rest, size_t *offset, char *buffer);

#endif
