#include "allocator/base/buf.h"

#include "allocator/base/mem.h"
#include "allocator/base/utf8.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

void buf_init(struct buf *b, size_t max)
{
    *b = (struct buf){ .max = max };
}

void buf_init_in(struct buf *b, struct arena *arena, size_t max)
{
    *b = (struct buf){ .max = max, .arena = arena };
}

void buf_init_secret(struct buf *b, size_t max)
{
    *b = (struct buf){ .max = max, .is_secret = true };
}

/* realloc() that leaves no copy behind. */
static char *move_secret(struct buf *b, size_t cap)
{
    char *p = mem_alloc(cap);

    if (b->p != NULL) {
        memcpy(p, b->p, b->len + 1);
        explicit_bzero(b->p, b->cap);
        mem_free(b->p);
    }
    return p;
}

static __attribute__((noinline)) char *grow(struct buf *b, size_t len)
{
    if (b->error != 0) {
        return NULL;
    }
    if (len > b->max || b->len > b->max - len) {
        b->error = ERR_TOO_BIG;
        return NULL;
    }
    if (b->p == NULL || b->cap - b->len < len + 1) {
        size_t need = b->len + len + 1;
        size_t cap = b->cap == 0 ? 64 : b->cap * 2;
        if (cap < need) {
            cap = need;
        }
        if (cap > b->max + 1 && need <= b->max + 1) {
            cap = b->max + 1;
        }
        b->p = b->arena != NULL ? arena_regrow(b->arena, b->p, b->cap, b->len, cap)
               : b->is_secret   ? move_secret(b, cap)
                                : mem_realloc(b->p, cap);
        b->cap = cap;
    }
    return b->p + b->len;
}

/* Nearly always there is room: 'cap' is 0 before there is memory, and never more than 'max' + 1. */
static inline char *reserve(struct buf *b, size_t len)
{
    return b->error == 0 && b->cap - b->len > len ? b->p + b->len : grow(b, len);
}

char *buf_reserve(struct buf *b, size_t len)
{
    return reserve(b, len);
}

static inline void add(struct buf *b, const void *p, size_t len)
{
    char *to = reserve(b, len);

    if (to != NULL) {
        if (len > 0) {
            memcpy(to, p, len);
        }
        b->len += len;
        b->p[b->len] = '\0';
    }
}

void buf_add(struct buf *b, const void *p, size_t len)
{
    add(b, p, len);
}

void buf_add_span(struct buf *b, struct span s)
{
    add(b, s.p, s.len);
}

void buf_add_str(struct buf *b, const char *s)
{
    add(b, s, strlen(s));
}

void buf_add_char(struct buf *b, char c)
{
    char *to = reserve(b, 1);

    if (to != NULL) {
        to[0] = c;
        to[1] = '\0';
        b->len++;
    }
}

void buf_addf(struct buf *b, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    char *to = n < 0 ? NULL : buf_reserve(b, (size_t)n);
    if (to != NULL) {
        va_start(ap, fmt);
        vsnprintf(to, (size_t)n + 1, fmt, ap);
        va_end(ap);
        b->len += (size_t)n;
    }
}

void buf_add_utf8(struct buf *b, struct span s)
{
    size_t start = 0, i = 0;

    while (i < s.len) {
        size_t n = utf8_size(s.p + i, s.len - i);
        if (n > 0) {
            i += n;
            continue;
        }
        buf_add(b, s.p + start, i - start);
        buf_add_str(b, UTF8_REPLACEMENT_TEXT);
        start = ++i;
    }
    if (i > start) {
        buf_add(b, s.p + start, i - start);
    }
}

static void add_escape(struct buf *b, unsigned char c)
{
    static const char short_escapes[] = "\"\"\\\\\bb\ff\nn\rr\tt";

    for (const char *e = short_escapes; *e != '\0'; e += 2) {
        if ((unsigned char)e[0] == c) {
            const char text[2] = { '\\', e[1] };
            buf_add(b, text, 2);
            return;
        }
    }
    buf_addf(b, "\\u%04x", c);
}

/* The code point at 'p', if it is a control of two or three bytes: C1, or one that ends a line or
 * turns the direction of writing (Unicode's property Bidi_Control). */
static unsigned wide_control(const unsigned char *p, size_t len)
{
    static const unsigned ranges[][2] = {
        { 0x80, 0x9f }, { 0x61c, 0x61c }, { 0x200e, 0x200f }, { 0x2028, 0x202e }, { 0x2066, 0x2069 }
    };
    unsigned c = 0;

    if (len == 2) {
        c = ((unsigned)p[0] & 0x1f) * 64 + ((unsigned)p[1] & 0x3f);
    } else if (len == 3) {
        c = ((unsigned)p[0] & 0xf) * 4096 + ((unsigned)p[1] & 0x3f) * 64 + ((unsigned)p[2] & 0x3f);
    }
    for (size_t i = 0; i < COUNT(ranges); i++) {
        if (c >= ranges[i][0] && c <= ranges[i][1]) {
            return c;
        }
    }
    return 0;
}

void buf_add_visible(struct buf *b, struct span s)
{
    const unsigned char *p = (const unsigned char *)s.p;

    for (size_t i = 0, n = 0; i < s.len; i += n) {
        n = utf8_size(s.p + i, s.len - i);
        unsigned control = n == 1 ? 0 : wide_control(p + i, n);
        if (n == 0) {
            buf_add_str(b, UTF8_REPLACEMENT_TEXT);
            n = 1;
        } else if (control != 0) {
            buf_addf(b, "\\u%04x", control);
        } else if (p[i] < 0x20 || p[i] == 0x7f) {
            add_escape(b, p[i]);
        } else {
            buf_add(b, s.p + i, n);
        }
    }
}

/* How many bytes from 'p' on are printable ASCII that JSON takes as it is. */
static size_t plain_run(const unsigned char *p, size_t left)
{
    size_t n = 0;

#if defined(__SSE2__)
    const __m128i quote = _mm_set1_epi8('"'), backslash = _mm_set1_epi8('\\');
    const __m128i control = _mm_set1_epi8(0x1f); /* above it, with sign: 0x20 to 0x7f */
    for (; left - n >= 16; n += 16) {
        __m128i x = _mm_loadu_si128((const __m128i *)(const void *)(p + n));
        __m128i odd = _mm_or_si128(_mm_cmpeq_epi8(x, quote), _mm_cmpeq_epi8(x, backslash));
        unsigned mask =
            (unsigned)_mm_movemask_epi8(_mm_andnot_si128(odd, _mm_cmpgt_epi8(x, control)));
        if (mask != 0xffff) {
            return n + (size_t)__builtin_ctz(~mask);
        }
    }
#endif
    while (left - n >= 8) {
        const uint64_t ones = 0x0101010101010101ULL, tops = 0x8080808080808080ULL;
        uint64_t w, odd;
        memcpy(&w, p + n, 8);
        uint64_t quotes = w ^ ones * '"', backslashes = w ^ ones * '\\';
        /* A byte below 0x20, a quote or a backslash borrows into its top bit; so may what follows
         * it. */
        odd = ((w - ones * 0x20) | (quotes - ones) | (backslashes - ones) | w) & tops;
        if (odd != 0) {
            break;
        }
        n += 8;
    }
    while (n < left && p[n] >= 0x20 && p[n] < 0x80 && p[n] != '"' && p[n] != '\\') {
        n++;
    }
    return n;
}

static void add_quoted(struct buf *b, struct span s)
{
    char *to = reserve(b, s.len + 2);

    if (to != NULL) {
        to[0] = '"';
        if (s.len > 0) {
            memcpy(to + 1, s.p, s.len);
        }
        to[s.len + 1] = '"';
        to[s.len + 2] = '\0';
        b->len += s.len + 2;
    }
}

void buf_add_json(struct buf *b, struct span s)
{
    const unsigned char *p = (const unsigned char *)s.p;
    size_t start = 0, i = plain_run(p, s.len);

    if (i == s.len) {
        add_quoted(b, s);
        return;
    }
    buf_add_char(b, '"');
    while (i < s.len) {
        i += plain_run(p + i, s.len - i);
        if (i == s.len) {
            break;
        }
        size_t n = p[i] < 0x80 ? 0 : utf8_size(s.p + i, s.len - i);
        if (n > 0) {
            i += n;
            continue;
        }
        buf_add(b, s.p + start, i - start);
        if (p[i] < 0x80) {
            add_escape(b, p[i]);
        } else {
            buf_add_str(b, UTF8_REPLACEMENT_TEXT);
        }
        start = ++i;
    }
    if (i > start) {
        buf_add(b, s.p + start, i - start);
    }
    buf_add_char(b, '"');
}

int buf_error(const struct buf *b)
{
    return b->error;
}

char *buf_take(struct buf *b, size_t *out_len)
{
    char *p = b->p == NULL ? mem_strdup("") : b->p;

    assert(b->arena == NULL);
    if (out_len != NULL) {
        *out_len = b->len;
    }
    buf_init(b, b->max);
    return p;
}

void buf_clear(struct buf *b)
{
    b->len = 0;
    b->error = 0;
    if (b->p != NULL) {
        b->p[0] = '\0';
    }
}

void buf_fini(struct buf *b)
{
    if (b->is_secret && b->p != NULL) {
        explicit_bzero(b->p, b->cap);
    }
    if (b->arena == NULL) {
        mem_free(b->p);
    }
    buf_init_in(b, b->arena, b->max);
}
