/* Skipping a value without looking at its tokens: 64 bytes at a time, one bit a byte. */
#include "allocator/codec/jsonscan.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "allocator/codec/jsonscan_state.h"

struct skipping {
    unsigned until; /* the depth to come back to */
    bool in_string, in_escape;
};

struct block {
    uint64_t quotes, backslashes, brackets;
};

#if defined(__SSE2__)
static ALWAYS_INLINE struct block look_at_16(const char *p, unsigned at)
{
    const __m128i quote = _mm_set1_epi8('"'), backslash = _mm_set1_epi8('\\');
    const __m128i open = _mm_set1_epi8('{'), close = _mm_set1_epi8('}');
    const __m128i x = _mm_loadu_si128((const __m128i *)(const void *)(p + at));
    /* '[' becomes '{', ']' becomes '}' */
    const __m128i folded = _mm_or_si128(x, _mm_set1_epi8(0x20));
    const __m128i bracket =
        _mm_or_si128(_mm_cmpeq_epi8(folded, open), _mm_cmpeq_epi8(folded, close));

    return (struct block){
        (uint64_t)(unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(x, quote)) << at,
        (uint64_t)(unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(x, backslash)) << at,
        (uint64_t)(unsigned)_mm_movemask_epi8(bracket) << at,
    };
}

static ALWAYS_INLINE struct block look_at(const char *p)
{
    const struct block a = look_at_16(p, 0), b = look_at_16(p, 16);
    const struct block c = look_at_16(p, 32), d = look_at_16(p, 48);

    return (struct block){
        a.quotes | b.quotes | c.quotes | d.quotes,
        a.backslashes | b.backslashes | c.backslashes | d.backslashes,
        a.brackets | b.brackets | c.brackets | d.brackets,
    };
}
#else
static struct block look_at(const char *p)
{
    struct block b = { 0, 0, 0 };

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
static inline uint64_t prefix_parity(uint64_t x)
{
    x ^= x << 1;
    x ^= x << 2;
    x ^= x << 4;
    x ^= x << 8;
    x ^= x << 16;
    return x ^ x << 32;
}

/* The bytes after a backslash that is not itself after one. */
static uint64_t escaped_bits(uint64_t backslashes, bool is_first_escaped)
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

static bool backslash_ends(uint64_t backslashes, uint64_t escaped, unsigned n)
{
    return ((backslashes & ~escaped) >> (n - 1) & 1) != 0;
}

/* Follows the brackets of one block at s->p; moves s->p past the one that ends the skipping. */
static enum json_event follow(struct jsonscan *s, unsigned until, const char *block,
                              uint64_t brackets)
{
    while (brackets != 0) {
        unsigned i = (unsigned)__builtin_ctzll(brackets);
        char c = block[i];
        brackets &= brackets - 1;
        if (c == '{' || c == '[') {
            if (!push(s, c == '{')) {
                return jsonscan_fault(s, offset_of(s, s->p + i), "nested too deeply");
            }
            continue;
        }
        bool is_object = is_in_object(s);
        if (c != (is_object ? '}' : ']')) {
            return jsonscan_fault(s, offset_of(s, s->p + i), "brackets do not match");
        }
        if (--s->depth == until) {
            s->p += i + 1;
            after_value(s);
            return is_object ? JSON_END_OBJECT : JSON_END_ARRAY;
        }
    }
    return GO_ON;
}

static ALWAYS_INLINE enum json_event skip_block(struct jsonscan *s, struct skipping *k,
                                                const char *block, unsigned n)
{
    struct block b = look_at(block);

    if (b.backslashes != 0 || k->in_escape) {
        uint64_t escaped = escaped_bits(b.backslashes, k->in_escape);
        k->in_escape = backslash_ends(b.backslashes, escaped, n);
        b.quotes &= ~escaped;
    }
    uint64_t inside = prefix_parity(b.quotes) ^ (k->in_string ? ~(uint64_t)0 : 0);
    k->in_string = inside >> 63 != 0;
    b.brackets &= ~inside;
    return b.brackets == 0 ? GO_ON : follow(s, k->until, block, b.brackets);
}

static enum json_event skip_brackets(struct jsonscan *s)
{
    struct skipping k = { .until = s->depth - 1 };

    while (s->p < s->end) {
        size_t left = (size_t)(s->end - s->p);
        enum json_event e;
        if (left >= 64) {
            left = 64;
            e = skip_block(s, &k, s->p, 64);
        } else {
            char tail[64];
            memset(tail, ' ', sizeof(tail));
            memcpy(tail, s->p, left);
            e = skip_block(s, &k, tail, (unsigned)left);
        }
        if (e != GO_ON) {
            return e;
        }
        s->p += left;
    }
    return jsonscan_fault(s, offset_of(s, s->p),
                          k.in_string ? JSONSCAN_CUT_STRING : "the text ends too early");
}

enum json_event jsonscan_skip(struct jsonscan *s, struct span *out_value)
{
    struct json_token t = { .begin = 0 };
    bool is_behind = s->state == WANT_KEY_OR_END || s->state == WANT_VALUE_OR_END; /* a bracket */
    enum json_event e = is_behind ? GO_ON : jsonscan_next(s, &t);

    if (is_behind || e == JSON_BEGIN_OBJECT || e == JSON_BEGIN_ARRAY) {
        t.begin = offset_of(s, s->p - 1);
        e = skip_brackets(s);
        t.end = offset_of(s, s->p);
    }
    if (out_value != NULL && e > JSON_FAULT) {
        *out_value = span_make(s->text + t.begin, (size_t)(t.end - t.begin));
    }
    return e;
}
