/* Allocation that never returns NULL: without memory it logs one line and aborts.
 * Therefore nothing a peer sends may size an allocation without a cap from limits.h.
 * Threads: any. */
#ifndef OTEL_TA_BASE_MEM_H
#define OTEL_TA_BASE_MEM_H

#include "allocator/base/span.h"

#include <stddef.h>

void *mem_alloc(size_t size) __attribute__((malloc, returns_nonnull, alloc_size(1)));
void *mem_zalloc(size_t size) __attribute__((malloc, returns_nonnull, alloc_size(1)));
/* n * size with an overflow check; zeroed. */
void *mem_array(size_t n, size_t size) __attribute__((malloc, returns_nonnull, alloc_size(1, 2)));
void *mem_realloc(void *p, size_t size) __attribute__((returns_nonnull, alloc_size(2)));
char *mem_strdup(const char *s) __attribute__((malloc, returns_nonnull));
char *mem_strndup(const char *s, size_t size) __attribute__((malloc, returns_nonnull));
/* printf into a new string that the caller frees. */
char *mem_printf(const char *fmt, ...)
    __attribute__((malloc, returns_nonnull, format(printf, 1, 2)));
/* free(); exists so that ownership is visible beside mem_alloc(). NULL is fine. */
void mem_free(void *p);
/* Bytes that a block of mem_alloc() and the like takes. */
size_t mem_size(const void *p);

/* A text that somebody owns as a span: a copy, NUL-terminated, and its end, which leaves an empty
 * one. */
struct span mem_dup_span(struct span s);
void mem_free_span(struct span *s);

/* AUTO(thing) declares a 'struct thing *' that is released by thing_free(&p) when it leaves scope.
 * AUTO_STR declares a 'char *' that is freed. Every x_free(struct x **) accepts NULL and sets NULL.
 */
#define AUTO(type) __attribute__((cleanup(type##_free))) struct type *
#define AUTO_STR __attribute__((cleanup(mem_free_str))) char *
#define AUTO_FD __attribute__((cleanup(mem_close_fd))) int
void mem_free_str(char **p);
/* Closes *fd when it is >= 0 and sets it to -1. */
void mem_close_fd(int *fd);

#endif
