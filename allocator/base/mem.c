#include "allocator/base/mem.h"

#include <malloc.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

__attribute__((noreturn, cold)) static void out_of_memory(void)
{
    static const char line[] = "otel-ta: out of memory\n";
    ssize_t n = write(STDERR_FILENO, line, sizeof(line) - 1);
    (void)n; /* nothing left to do about it */
    abort();
}

static void *check(void *p)
{
    if (p == NULL) {
        out_of_memory();
    }
    return p;
}

void *mem_alloc(size_t size)
{
    return check(malloc(size == 0 ? 1 : size));
}

void *mem_zalloc(size_t size)
{
    return check(calloc(1, size == 0 ? 1 : size));
}

void *mem_array(size_t n, size_t size)
{
    return check(calloc(n == 0 ? 1 : n, size == 0 ? 1 : size));
}

void *mem_realloc(void *p, size_t size)
{
    return check(realloc(p, size == 0 ? 1 : size));
}

char *mem_strdup(const char *s)
{
    return mem_strndup(s, strlen(s));
}

char *mem_strndup(const char *s, size_t size)
{
    char *copy = mem_alloc(size + 1);
    if (size > 0) {
        memcpy(copy, s, size);
    }
    copy[size] = '\0';
    return copy;
}

char *mem_printf(const char *fmt, ...)
{
    char *text = NULL;
    va_list ap;

    va_start(ap, fmt);
    int n = vasprintf(&text, fmt, ap);
    va_end(ap);
    return n < 0 ? check(NULL) : text;
}

void mem_free(void *p)
{
    free(p);
}

size_t mem_size(const void *p)
{
    return malloc_usable_size((void *)(uintptr_t)p);
}

struct span mem_dup_span(struct span s)
{
    return span_make(mem_strndup(s.p, s.len), s.len);
}

void mem_free_span(struct span *s)
{
    mem_free((char *)(uintptr_t)s->p); /* ours: const for those who read it */
    *s = (struct span){ 0 };
}

void mem_free_str(char **p)
{
    mem_free(*p);
    *p = NULL;
}

void mem_close_fd(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
    }
    *fd = -1;
}
