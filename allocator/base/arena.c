#include "allocator/base/arena.h"

#include "allocator/base/mem.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#define CHUNK_MIN ((size_t)4096)
#define CHUNK_SMALL ((size_t)240)
#define CHUNK_MAX ((size_t)1024 * 1024)

struct arena_chunk {
    struct arena_chunk *next;
    size_t size; /* of data */
    _Alignas(16) char data[];
};

void arena_init(struct arena *a)
{
    *a = (struct arena){ 0 };
}

void arena_init_small(struct arena *a)
{
    *a = (struct arena){ .least = CHUNK_SMALL };
}

static void add_chunk(struct arena *a, size_t size)
{
    struct arena_chunk *chunk = mem_alloc(sizeof(*chunk) + size);

    chunk->next = a->chunks;
    chunk->size = size;
    a->chunks = chunk;
    a->next = chunk->data;
    a->end = chunk->data + size;
    a->used_bytes += size;
}

/* A chunk at least as big as all before it together (up to CHUNK_MAX), so that their number stays
 * small. */
static void grow(struct arena *a, size_t need)
{
    size_t least = a->least == 0 ? CHUNK_MIN : a->least;
    size_t size = a->used_bytes < least       ? least
                  : a->used_bytes > CHUNK_MAX ? CHUNK_MAX
                                              : a->used_bytes;

    add_chunk(a, size < need ? need : size);
}

void *arena_alloc_new(struct arena *a, size_t size)
{
    grow(a, size);
    char *p = a->next;
    a->next = p + size;
    return p;
}

void *arena_zalloc(struct arena *a, size_t size)
{
    void *p = arena_alloc(a, size);
    memset(p, 0, size);
    return p;
}

char *arena_bytes(struct arena *a, size_t size)
{
    if (a->next == NULL || (size_t)(a->end - a->next) < size) {
        grow(a, size);
    }
    char *p = a->next;
    a->next += size;
    return p;
}

char *arena_strndup(struct arena *a, const char *s, size_t size)
{
    char *copy = arena_bytes(a, size + 1);
    if (size > 0) {
        memcpy(copy, s, size);
    }
    copy[size] = '\0';
    return copy;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    size_t size = n < 0 ? 0 : (size_t)n;
    char *text = arena_bytes(a, size + 1);
    va_start(ap, fmt);
    vsnprintf(text, size + 1, fmt, ap);
    va_end(ap);
    return text;
}

struct span arena_span(struct arena *a, struct span s)
{
    return span_make(arena_strndup(a, s.p, s.len), s.len);
}

void arena_reset(struct arena *a)
{
    struct arena_chunk *keep = a->chunks;

    if (keep == NULL) {
        return;
    }
    for (struct arena_chunk *c = keep->next, *next = NULL; c != NULL; c = next) {
        next = c->next;
        mem_free(c);
    }
    keep->next = NULL;
    a->next = keep->data;
    a->end = keep->data + keep->size;
    a->used_bytes = keep->size;
}

void arena_recycle(struct arena *a, size_t most)
{
    size_t had = a->used_bytes;

    if (a->chunks != NULL && a->chunks->next == NULL && had <= most) {
        arena_reset(a);
        return;
    }
    arena_fini(a);
    if (had > 0 && had <= most) {
        add_chunk(a, had);
    }
}

char *arena_regrow(struct arena *a, char *p, size_t size, size_t used, size_t new_size)
{
    if (p != NULL && p + size == a->next && (size_t)(a->end - p) >= new_size) {
        a->next = p + new_size;
        return p;
    }
    char *copy = arena_bytes(a, new_size);
    if (p != NULL) {
        memcpy(copy, p, used);
    }
    return copy;
}

void arena_fini(struct arena *a)
{
    arena_reset(a);
    mem_free(a->chunks);
    *a = (struct arena){ .least = a->least };
}
