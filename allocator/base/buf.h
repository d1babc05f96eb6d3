/* Growing bytes with a hard cap given at birth and a sticky error: append freely, look at
 * buf_error() once. After an error nothing more is appended and the content is unspecified.
 * Threads: a buf belongs to one thread. */
#ifndef OTEL_TA_BASE_BUF_H
#define OTEL_TA_BASE_BUF_H

#include "allocator/base/arena.h"
#include "allocator/base/err.h"
#include "allocator/base/span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
    char *p; /* NULL until the first byte; always NUL-terminated after 'len' when not NULL */
    size_t len;
    size_t cap;
    size_t max;
    int error;           /* 0 or ERR_TOO_BIG */
    struct arena *arena; /* whose memory it uses; NULL: its own */
    bool is_secret;      /* memory is overwritten before it is given back */
};

void buf_init(struct buf *b, size_t max);
/* In memory of 'arena', so its bytes live as long as that. Growing wastes what was outgrown unless
 * nothing else was allocated meanwhile. Not for buf_take(). */
void buf_init_in(struct buf *b, struct arena *arena, size_t max);
/* For keys: neither growing nor buf_fini() leaves a copy behind. */
void buf_init_secret(struct buf *b, size_t max);
void buf_add(struct buf *b, const void *p, size_t len);
void buf_add_span(struct buf *b, struct span s);
void buf_add_str(struct buf *b, const char *s);
void buf_add_char(struct buf *b, char c);
void buf_addf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* A JSON string with quotes: escapes ", \, controls; invalid UTF-8 bytes become U+FFFD; < > & stay.
 */
void buf_add_json(struct buf *b, struct span s);
/* The bytes as UTF-8: each invalid byte becomes U+FFFD. */
void buf_add_utf8(struct buf *b, struct span s);
/* The bytes for a terminal: UTF-8 with every control (also DEL, C1 and what turns the direction of
 * writing) escaped as in JSON. */
void buf_add_visible(struct buf *b, struct span s);
/* Room for 'len' more bytes; returns where to write, or NULL on error. Does not change len. */
char *buf_reserve(struct buf *b, size_t len);
static inline struct span buf_span(const struct buf *b)
{
    return (struct span){ b->p, b->len };
}
int buf_error(const struct buf *b);
/* Moves the bytes to the caller (mem_free) and leaves an empty buffer; "" when nothing was added.
 */
char *buf_take(struct buf *b, size_t *out_len);
void buf_clear(struct buf *b); /* len 0, error 0, keeps the memory */
void buf_fini(struct buf *b);

#define AUTO_BUF __attribute__((cleanup(buf_fini))) struct buf

#endif
