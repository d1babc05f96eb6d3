/* 64 bytes of JSON as bits, one a byte: for whoever looks for the end of a value without looking at
 * its tokens. Private to this folder. Threads: any. */
#ifndef OTEL_TA_CODEC_JSONBLOCK_H
#define OTEL_TA_CODEC_JSONBLOCK_H

#include <stdbool.h>
#include <stdint.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/* At -O2 compilers call what runs once a block, which costs half of the speed. */
#define JSONBLOCK_INLINE inline __attribute__((always_inline))

struct jsonblock {
    uint64_t quotes, backslashes, brackets;
};

#if defined(__SSE2__)
static JSONBLOCK_INLINE struct jsonblock jsonblock_look_at_16(const char *p, unsigned at)
{
    const __m128i quote = _mm_set1_epi8('"'), backslash = _mm_set1_epi8('\\');
    const __m128i open = _mm_set1_epi8('{'), close = _mm_set1_epi8('}');
    const __m128i x = _mm_loadu_si128((const __m128i *)(const void *)(p + at));
    /* '[' becomes '{', ']' becomes '}' */
    const __m128i folded = _mm_or_si128(x, _mm_set1_epi8(0x20));
    const __m128i bracket =
        _mm_or_si128(_mm_cmpeq_epi8(folded, open), _mm_cmpeq_epi8(folded, close));

    return (struct jsonblock){
        (uint64_t)(unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(x, quote)) << at,
        (uint64_t)(unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(x, backslash)) << at,
        (uint64_t)(unsigned)_mm_movemask_epi8(bracket) << at,
    };
}

static JSONBLOCK_INLINE struct jsonblock jsonblock_look_at(const char *p)
{
    const struct jsonblock a = jsonblock_look_at_16(p, 0), b = jsonblock_look_at_16(p, 16);
    const struct jsonblock c = jsonblock_look_at_16(p, 32), d = jsonblock_look_at_16(p, 48);

    return (struct jsonblock){
        a.quotes | b.quotes | c.quotes | d.quotes,
        a.backslashes | b.backslashes | c.backslashes | d.backslashes,
        a.brackets | b.brackets | c.brackets | d.brackets,
    };
}
#else
static inline struct jsonblock jsonblock_look_at(const char *p)
{
    struct jsonblock b = { 0, 0, 0 };

    for (unsigned i = 0; i < 64; i++) {
        char folded = (char)(p[i] | 0x20);
        b.quotes |= (uint64_t)(p[i] == '"') << i;
        b.backslashes |= (uint64_t)(p[i] == '\\') << i;
        b.brackets |= (uint64_t)(folded == '{' || folded == '}') << i;
    }
    return b;
}
#endif

/* Bit i of the result is the parity of bits 0…i. */
static inline uint64_t jsonblock_prefix_parity(uint64_t x)
{
    x ^= x << 1;
    x ^= x << 2;
    x ^= x << 4;
    x ^= x << 8;
    x ^= x << 16;
    return x ^ x << 32;
}

/* The bytes after a backslash that is not itself after one. */
static inline uint64_t jsonblock_escaped(uint64_t backslashes, bool is_first_escaped)
{
    uint64_t escaped = is_first_escaped ? 1 : 0;

    backslashes &= ~escaped;
    while (backslashes != 0) {
        uint64_t lowest = backslashes & (0 - backslashes);
        escaped |= lowest << 1;
        backslashes &= ~(lowest | lowest << 1);
    }
    return escaped;
}

static inline bool jsonblock_ends_in_escape(uint64_t backslashes, uint64_t escaped, unsigned n)
{
    return ((backslashes & ~escaped) >> (n - 1) & 1) != 0;
}

/* Where one block ends and the next begins. */
struct jsonblock_seam {
    bool in_string, in_escape;
};

/* The brackets of a block of which 'n' bytes count that are in no string. */
static JSONBLOCK_INLINE uint64_t jsonblock_brackets(const char *block, unsigned n,
                                                    struct jsonblock_seam *seam)
{
    struct jsonblock b = jsonblock_look_at(block);

    if (b.backslashes != 0 || seam->in_escape) {
        uint64_t escaped = jsonblock_escaped(b.backslashes, seam->in_escape);
        seam->in_escape = jsonblock_ends_in_escape(b.backslashes, escaped, n);
        b.quotes &= ~escaped;
    }
    uint64_t inside = jsonblock_prefix_parity(b.quotes) ^ (seam->in_string ? ~(uint64_t)0 : 0);
    seam->in_string = inside >> 63 != 0;
    return b.brackets & ~inside;
}

#endif
