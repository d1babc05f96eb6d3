/* A borrowed run of bytes (pointer, length), passed by value. Never owns, never NUL-terminated by
 * right. Threads: any. */
#ifndef OTEL_TA_BASE_SPAN_H
#define OTEL_TA_BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

struct span {
    const char *p;
    size_t len;
};

/* For printf("%.*s", SPAN_ARG(s)). */
#define SPAN_ARG(s) (int)(s).len, (s).p
#define SPAN_LIT(literal) ((struct span){ (literal), sizeof(literal) - 1 })

static inline struct span span_of(const char *s)
{
    return (struct span){ s, s == NULL ? 0 : strlen(s) };
}
static inline struct span span_make(const char *p, size_t len)
{
    return (struct span){ p, len };
}
/* The same pointer is a usual case, and costs nothing. */
static inline bool span_eq(struct span a, struct span b)
{
    /* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): what has a length has bytes */
    return a.len == b.len && (a.p == b.p || a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}
static inline bool span_is(struct span a, const char *s)
{
    return span_eq(a, span_of(s));
}
/* Whatever the case of ASCII letters: names in HTTP, words of a configuration. */
static inline bool span_is_nocase(struct span a, const char *s)
{
    return a.len == strlen(s) && (a.len == 0 || strncasecmp(a.p, s, a.len) == 0);
}
/* Is it one of 'words', which end with NULL? */
static inline bool span_is_one_of(struct span a, const char *const *words)
{
    while (*words != NULL && !span_is(a, *words)) {
        words++;
    }
    return *words != NULL;
}

/* Byte order, shorter first on a common prefix: the order of every sorted output. */
static inline int span_cmp(struct span a, struct span b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int c = n == 0 ? 0 : memcmp(a.p, b.p, n);
    return c != 0 ? c : (a.len > b.len) - (a.len < b.len);
}
/* Where 'what', a few bytes, begins first; SIZE_MAX: nowhere. For texts and words as short as those
 * of documents: memmem() takes longer to start than this to end. */
static inline size_t span_find(struct span s, const char *what)
{
    size_t len = strlen(what);

    for (size_t at = 0; at < s.len && s.len - at >= len; at++) {
        const char *p = (const char *)memchr(s.p + at, what[0], s.len - at - len + 1);
        if (p == NULL) {
            return SIZE_MAX;
        }
        at = (size_t)(p - s.p);
        if (memcmp(p, what, len) == 0) {
            return at;
        }
    }
    return SIZE_MAX;
}
static inline bool span_has_prefix(struct span s, const char *prefix)
{
    size_t n = strlen(prefix);
    return s.len >= n && memcmp(s.p, prefix, n) == 0;
}
static inline bool span_has_suffix(struct span s, const char *suffix)
{
    size_t n = strlen(suffix);
    return s.len >= n && memcmp(s.p + s.len - n, suffix, n) == 0;
}
/* Are all bytes below 0x80? Eight at a time: texts are long. */
static inline bool span_is_ascii(struct span s)
{
    uint64_t all = 0;
    size_t i = 0;

    for (; i + 8 <= s.len; i += 8) {
        uint64_t word;
        memcpy(&word, s.p + i, 8);
        all |= word;
    }
    for (; i < s.len; i++) {
        all |= (unsigned char)s.p[i];
    }
    return (all & 0x8080808080808080ULL) == 0;
}
/* The part of 's' from byte 'from' on (empty when past the end). */
static inline struct span span_from(struct span s, size_t from)
{
    if (s.p == NULL) {
        return s; /* arithmetic on NULL is undefined, even by 0 */
    }
    return from >= s.len ? (struct span){ s.p + s.len, 0 }
                         : (struct span){ s.p + from, s.len - from };
}
/* Without white space (of ASCII) at both ends. */
static inline struct span span_trim(struct span s)
{
    static const char space[] = " \t\r\n\v\f";

    while (s.len > 0 && memchr(space, s.p[s.len - 1], sizeof(space) - 1) != NULL) {
        s.len--;
    }
    while (s.len > 0 && memchr(space, s.p[0], sizeof(space) - 1) != NULL) {
        s = span_from(s, 1);
    }
    return s;
}

#endif
