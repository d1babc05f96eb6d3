#include "allocator/http/gather.h"

#include "allocator/base/mem.h"

enum { KEPT_BUFFERS = 32 };

struct gather_buffer { /* what an unused buffer begins with */
    struct gather_buffer *next;
};

char *gather_take(struct gather_pool *pool)
{
    struct gather_buffer *buffer = pool->free;

    if (buffer == NULL) {
        return mem_alloc(GATHER_BYTES);
    }
    pool->free = buffer->next;
    pool->n_free--;
    return (char *)buffer;
}

void gather_give(struct gather_pool *pool, char *buffer)
{
    struct gather_buffer *unused = (struct gather_buffer *)(void *)buffer;

    if (pool->n_free == KEPT_BUFFERS) {
        mem_free(buffer);
        return;
    }
    unused->next = pool->free;
    pool->free = unused;
    pool->n_free++;
}

void gather_fini(struct gather_pool *pool)
{
    while (pool->free != NULL) {
        mem_free(gather_take(pool));
    }
}

size_t gather_fill(struct exchange_pieces *rest, size_t *offset, char *buffer)
{
    size_t len = 0;

    while (len < GATHER_BYTES && gather_is_left(rest)) {
        size_t left = rest->v->iov_len - *offset;
        size_t take = left < GATHER_BYTES - len ? left : GATHER_BYTES - len;

        memcpy(buffer + len, (const char *)rest->v->iov_base + *offset, take);
        len += take;
        *offset += take;
        if (*offset == rest->v->iov_len) {
            *offset = 0;
            rest->v++;
            rest->n--;
        }
    }
    return len;
}
