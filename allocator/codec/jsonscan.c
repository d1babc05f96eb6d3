#include "allocator/codec/jsonscan.h"

#include <assert.h>
#include <stdio.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/* For the few functions that run once a token: at -O2 compilers call them instead, which costs half
 * of the speed. */
#define ALWAYS_INLINE inline __attribute__((always_inline))

enum state {
    WANT_VALUE,        /* a value must come */
    WANT_VALUE_OR_END, /* behind '[' */
    WANT_KEY,          /* behind ',' in an object */
    WANT_KEY_OR_END,   /* behind '{' */
    WANT_COLON,
    WANT_COMMA_OR_END,
    WANT_NOTHING, /* the value is complete */
    BROKEN,
};

/* ---- life */

void jsonscan_init(struct jsonscan *s, unsigned max_depth)
{
    assert(max_depth <= LIMIT_SKIP_DEPTH);
    /* The stack is written before it is read. */
    memset(s, 0, offsetof(struct jsonscan, stack));
    s->max_depth = max_depth;
    s->state = WANT_VALUE;
    buf_init(&s->carry, LIMIT_DOCUMENT_BYTES);
}

void jsonscan_feed(struct jsonscan *s, struct span piece)
{
    assert(s->p == s->end || s->state == BROKEN);
    s->piece_offset += (uint64_t)(s->end - s->piece);
    s->piece = s->p = piece.p == NULL ? "" : piece.p;
    s->end = s->piece + piece.len;
}

void jsonscan_finish(struct jsonscan *s)
{
    s->is_last = true;
}

void jsonscan_whole(struct jsonscan *s, struct span text, unsigned max_depth)
{
    jsonscan_init(s, max_depth);
    jsonscan_feed(s, text);
    jsonscan_finish(s);
}

void jsonscan_fini(struct jsonscan *s)
{
    buf_fini(&s->carry);
}

const char *jsonscan_error(const struct jsonscan *s)
{
    return s->error;
}

static inline uint64_t offset_of(const struct jsonscan *s, const char *p)
{
    return s->piece_offset + (uint64_t)(p - s->piece);
}

__attribute__((cold)) static enum json_event fault_at(struct jsonscan *s, uint64_t offset,
                                                      const char *what)
{
    s->state = BROKEN;
    s->is_carrying = s->is_skipping = false;
    snprintf(s->error, sizeof(s->error), "offset %llu: %s", (unsigned long long)offset, what);
    return JSON_FAULT;
}

__attribute__((cold)) static enum json_event fault(struct jsonscan *s, const char *what)
{
    return fault_at(s, offset_of(s, s->p), what);
}

/* ---- nesting */

static inline bool is_in_object(const struct jsonscan *s)
{
    unsigned i = s->depth - 1;
    return (s->stack[i / 64] >> (i % 64) & 1) != 0;
}

static inline bool push(struct jsonscan *s, bool is_object)
{
    if (s->depth == s->max_depth) {
        return false;
    }
    uint64_t bit = (uint64_t)1 << (s->depth % 64);
    uint64_t *word = &s->stack[s->depth / 64];
    *word = is_object ? *word | bit : *word & ~bit;
    s->depth++;
    return true;
}

static inline void after_value(struct jsonscan *s)
{
    s->state = s->depth == 0 ? WANT_NOTHING : WANT_COMMA_OR_END;
}

/* ---- strings */

/* The first byte at or behind 'p' that is a quote, a backslash or a control character; 'end' when
 * there is none. */
static ALWAYS_INLINE const char *find_special(const char *p, const char *end)
{
#if defined(__SSE2__)
    const __m128i quote = _mm_set1_epi8('"'), backslash = _mm_set1_epi8('\\');
    const __m128i control = _mm_set1_epi8(0x1f);
    for (; end - p >= 16; p += 16) {
        __m128i x = _mm_loadu_si128((const __m128i *)(const void *)p);
        __m128i hit = _mm_or_si128(_mm_cmpeq_epi8(x, quote), _mm_cmpeq_epi8(x, backslash));
        hit = _mm_or_si128(hit, _mm_cmpeq_epi8(_mm_max_epu8(x, control), control));
        unsigned mask = (unsigned)_mm_movemask_epi8(hit);
        if (mask != 0) {
            return p + __builtin_ctz(mask);
        }
    }
#else
    /* Eight bytes at a time: a zero byte in y is found by (y - 0x01…) & ~y & 0x80…; a false hit
     * can only lie behind a true one, and the loop below looks at each byte anyway. */
    const uint64_t ones = 0x0101010101010101ULL, high = 0x8080808080808080ULL;
    for (; end - p >= 8; p += 8) {
        uint64_t x, quote, backslash;
        memcpy(&x, p, 8);
        quote = x ^ (ones * '"');
        backslash = x ^ (ones * '\\');
        if ((((quote - ones) & ~quote) | ((backslash - ones) & ~backslash) |
             ((x - ones * 0x20) & ~x)) &
            high) {
            break;
        }
    }
#endif
    while (p < end && *p != '"' && *p != '\\' && (unsigned char)*p > 0x1f) {
        p++;
    }
    return p;
}

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Looks at the escape that begins at the backslash 'p', of which 'n' bytes are there: its length
 * (2 or 6) when it is valid, 0 when bytes are missing, or minus the index of the first wrong byte.
 */
static inline int escape_length(const char *p, size_t n)
{
    if (n < 2) {
        return 0;
    }
    switch (p[1]) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
        return 2;
    case 'u':
        break;
    default:
        return -1;
    }
    for (int i = 2; i < 6; i++) {
        if ((size_t)i == n) {
            return 0;
        }
        if (!is_hex(p[i])) {
            return -i;
        }
    }
    return 6;
}

static const char control_in_string[] = "control character in a string";
static const char bad_escape[] = "invalid escape in a string";
static const char cut_string[] = "the text ends within a string";

struct string_end {
    const char *p; /* the closing quote; or the place of the fault; or where 'end' cuts off an
                    * escape (else 'end') */
    bool has_escapes;
    bool is_closed;
    const char *what; /* the fault, or NULL */
};

static ALWAYS_INLINE struct string_end find_quote(const char *p, const char *end)
{
    struct string_end e = { p, false, false, NULL };

    for (;;) {
        e.p = find_special(e.p, end);
        if (e.p == end) {
            return e;
        }
        if (*e.p == '"') {
            e.is_closed = true;
            return e;
        }
        if (*e.p != '\\') {
            e.what = control_in_string;
            return e;
        }
        e.has_escapes = true;
        int n = escape_length(e.p, (size_t)(end - e.p));
        if (n == 0) {
            return e;
        }
        if (n < 0) {
            e.p -= n;
            e.what = bad_escape;
            return e;
        }
        e.p += n;
    }
}

/* Keeps [from, end of piece) of a token and asks for more. */
static enum json_event carry_on(struct jsonscan *s, const char *from)
{
    if (!s->is_carrying) {
        s->is_carrying = true;
        s->carry_begin = offset_of(s, from);
        s->carry_has_escapes = false;
        s->carry_cut = 0;
        buf_clear(&s->carry);
    }
    buf_add(&s->carry, from, (size_t)(s->end - from));
    s->p = s->end;
    return buf_error(&s->carry) != 0 ? fault(s, "value too long") : JSON_MORE;
}

static ALWAYS_INLINE enum json_event end_string(struct jsonscan *s, enum json_event event)
{
    /* What nearly always follows is taken off now: the next call finds the next token at once. */
    if (event == JSON_KEY) {
        s->state = WANT_COLON;
        if (s->p < s->end && *s->p == ':') {
            s->p++;
            s->state = WANT_VALUE;
        }
        return event;
    }
    if (s->depth > 0 && s->p < s->end && *s->p == ',') {
        s->p++;
        s->state = is_in_object(s) ? WANT_KEY : WANT_VALUE;
        return event;
    }
    after_value(s);
    return event;
}

/* A string that begins at s->p. */
static ALWAYS_INLINE enum json_event scan_string(struct jsonscan *s, enum json_event event,
                                                 struct json_token *out)
{
    const char *from = s->p;
    const struct string_end e = find_quote(from + 1, s->end);

    if (e.what != NULL) {
        return fault_at(s, offset_of(s, e.p), e.what);
    }
    if (!e.is_closed) {
        if (s->is_last) {
            return fault_at(s, offset_of(s, s->end), cut_string);
        }
        enum json_event more = carry_on(s, from);
        s->carry_has_escapes = e.has_escapes;
        s->carry_cut = (unsigned)(s->end - e.p);
        return more;
    }
    out->event = event;
    out->has_escapes = e.has_escapes;
    out->raw = span_make(from + 1, (size_t)(e.p - from - 1));
    out->begin = offset_of(s, from);
    out->end = offset_of(s, e.p + 1);
    s->p = e.p + 1;
    return end_string(s, event);
}

/* Completes the escape that the end of the last piece cut off. JSON_TEXT: done. */
static enum json_event resume_escape(struct jsonscan *s)
{
    while (s->carry_cut > 0) {
        if (s->p == s->end) {
            return s->is_last ? fault(s, cut_string) : JSON_MORE;
        }
        buf_add_char(&s->carry, *s->p);
        if (buf_error(&s->carry) != 0) {
            return fault(s, "value too long");
        }
        s->carry_cut++;
        int n = escape_length(s->carry.p + s->carry.len - s->carry_cut, s->carry_cut);
        if (n < 0) {
            return fault(s, bad_escape);
        }
        s->carry_cut = n > 0 ? 0 : s->carry_cut;
        s->p++;
    }
    return JSON_TEXT;
}

static enum json_event resume_string(struct jsonscan *s, struct json_token *out)
{
    enum json_event event =
        s->state == WANT_KEY || s->state == WANT_KEY_OR_END ? JSON_KEY : JSON_TEXT;
    enum json_event escape = resume_escape(s);

    if (escape != JSON_TEXT) {
        return escape;
    }
    const struct string_end e = find_quote(s->p, s->end);
    if (e.what != NULL) {
        return fault_at(s, offset_of(s, e.p), e.what);
    }
    s->carry_has_escapes = s->carry_has_escapes || e.has_escapes;
    if (!e.is_closed) {
        if (s->is_last) {
            return fault_at(s, offset_of(s, s->end), cut_string);
        }
        s->carry_cut = (unsigned)(s->end - e.p);
        return carry_on(s, s->p);
    }
    buf_add(&s->carry, s->p, (size_t)(e.p - s->p));
    if (buf_error(&s->carry) != 0) {
        return fault(s, "value too long");
    }
    s->is_carrying = false;
    s->p = e.p + 1;
    out->event = event;
    out->has_escapes = s->carry_has_escapes;
    out->raw = span_make(s->carry.p + 1, s->carry.len - 1);
    out->begin = s->carry_begin;
    out->end = offset_of(s, s->p);
    return end_string(s, event);
}

/* ---- numbers and words */

static bool is_word_byte(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '+' || c == '.';
}

static const char *digits(const char *p, const char *end)
{
    while (p < end && *p >= '0' && *p <= '9') {
        p++;
    }
    return p;
}

static bool is_number(struct span w)
{
    const char *p = w.p, *end = w.p + w.len;

    p += p < end && *p == '-' ? 1 : 0;
    const char *first = p;
    p = digits(p, end);
    if (p == first || (*first == '0' && p - first > 1)) {
        return false;
    }
    if (p < end && *p == '.') {
        const char *from = ++p;
        p = digits(p, end);
        if (p == from) {
            return false;
        }
    }
    if (p < end && (*p == 'e' || *p == 'E')) {
        p++;
        p += p < end && (*p == '+' || *p == '-') ? 1 : 0;
        const char *from = p;
        p = digits(p, end);
        if (p == from) {
            return false;
        }
    }
    return p == end;
}

static enum json_event word_event(struct span w)
{
    if (is_number(w)) {
        return JSON_NUMBER;
    }
    if (span_is(w, "true")) {
        return JSON_TRUE_VALUE;
    }
    if (span_is(w, "false")) {
        return JSON_FALSE_VALUE;
    }
    return span_is(w, "null") ? JSON_NULL_VALUE : JSON_FAULT;
}

static enum json_event scan_word(struct jsonscan *s, struct json_token *out)
{
    const char *from = s->p, *p = s->p;

    while (p < s->end && is_word_byte(*p)) {
        p++;
    }
    if (p == s->end && !s->is_last) {
        return carry_on(s, from);
    }
    out->begin = s->is_carrying ? s->carry_begin : offset_of(s, from);
    out->end = offset_of(s, p);
    out->raw = span_make(from, (size_t)(p - from));
    out->has_escapes = false;
    if (s->is_carrying) {
        buf_add(&s->carry, from, (size_t)(p - from));
        if (buf_error(&s->carry) != 0) {
            return fault(s, "value too long");
        }
        out->raw = buf_span(&s->carry);
        s->is_carrying = false;
    }
    out->event = word_event(out->raw);
    if (out->event == JSON_FAULT) {
        return fault_at(s, out->begin, "expected a value");
    }
    s->p = p;
    after_value(s);
    return out->event;
}

/* ---- tokens */

static inline enum json_event bracket(struct jsonscan *s, enum json_event event,
                                      struct json_token *out)
{
    out->event = event;
    out->has_escapes = false;
    out->raw = span_make(s->p, 1);
    out->begin = offset_of(s, s->p);
    out->end = out->begin + 1;
    s->p++;
    return event;
}

static inline enum json_event open_bracket(struct jsonscan *s, bool is_object,
                                           struct json_token *out)
{
    if (!push(s, is_object)) {
        return fault(s, "nested too deeply");
    }
    s->state = is_object ? WANT_KEY_OR_END : WANT_VALUE_OR_END;
    s->skip_begin = offset_of(s, s->p);
    return bracket(s, is_object ? JSON_BEGIN_OBJECT : JSON_BEGIN_ARRAY, out);
}

static enum json_event close_bracket(struct jsonscan *s, struct json_token *out)
{
    bool is_object = is_in_object(s);

    s->depth--;
    after_value(s);
    return bracket(s, is_object ? JSON_END_OBJECT : JSON_END_ARRAY, out);
}

static ALWAYS_INLINE enum json_event scan_value(struct jsonscan *s, struct json_token *out)
{
    switch (*s->p) {
    case '"':
        return scan_string(s, JSON_TEXT, out);
    case '{':
        return open_bracket(s, true, out);
    case '[':
        return open_bracket(s, false, out);
    default:
        return scan_word(s, out);
    }
}

static inline const char *skip_space(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t')) {
        p++;
    }
    return p;
}

static enum json_event at_end(struct jsonscan *s)
{
    if (s->state == BROKEN) {
        return JSON_FAULT;
    }
    if (!s->is_last) {
        return JSON_MORE;
    }
    return s->state == WANT_NOTHING ? JSON_DONE : fault(s, "the text ends too early");
}

static enum json_event resume(struct jsonscan *s, struct json_token *out)
{
    if (s->p == s->end && !s->is_last) {
        return JSON_MORE;
    }
    return s->carry.p[0] == '"' ? resume_string(s, out) : scan_word(s, out);
}

enum json_event jsonscan_next(struct jsonscan *s, struct json_token *out)
{
    assert(!s->is_skipping);
    if (s->is_carrying) {
        return resume(s, out);
    }
    for (;;) {
        s->p = skip_space(s->p, s->end);
        if (s->p == s->end) {
            return at_end(s);
        }
        char c = *s->p;
        switch ((enum state)s->state) {
        case WANT_KEY_OR_END:
            if (c == '}') {
                return close_bracket(s, out);
            }
            return c == '"' ? scan_string(s, JSON_KEY, out) : fault(s, "expected a key or '}'");
        case WANT_KEY:
            return c == '"' ? scan_string(s, JSON_KEY, out) : fault(s, "expected a key");
        case WANT_VALUE_OR_END:
            return c == ']' ? close_bracket(s, out) : scan_value(s, out);
        case WANT_VALUE:
            return scan_value(s, out);
        case WANT_COLON:
            if (c != ':') {
                return fault(s, "expected ':'");
            }
            s->p++;
            s->state = WANT_VALUE;
            break;
        case WANT_COMMA_OR_END:
            if (c == (is_in_object(s) ? '}' : ']')) {
                return close_bracket(s, out);
            }
            if (c != ',') {
                return fault(s, is_in_object(s) ? "expected ',' or '}'" : "expected ',' or ']'");
            }
            s->p++;
            s->state = is_in_object(s) ? WANT_KEY : WANT_VALUE;
            break;
        case WANT_NOTHING:
            return fault(s, "bytes behind the value");
        case BROKEN:
            return JSON_FAULT;
        }
    }
}

/* ---- skipping: 64 bytes at a time, one bit a byte */

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

/* The bytes behind a backslash that is not itself behind one. */
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

/* Follows the brackets of one block at s->p; moves s->p behind the one that ends the skipping. */
static enum json_event follow(struct jsonscan *s, const char *block, uint64_t brackets)
{
    while (brackets != 0) {
        unsigned i = (unsigned)__builtin_ctzll(brackets);
        char c = block[i];
        brackets &= brackets - 1;
        if (c == '{' || c == '[') {
            if (!push(s, c == '{')) {
                return fault_at(s, offset_of(s, s->p + i), "nested too deeply");
            }
            continue;
        }
        bool is_object = is_in_object(s);
        if (c != (is_object ? '}' : ']')) {
            return fault_at(s, offset_of(s, s->p + i), "brackets do not match");
        }
        if (--s->depth == s->skip_until) {
            s->p += i + 1;
            s->is_skipping = false;
            after_value(s);
            return is_object ? JSON_END_OBJECT : JSON_END_ARRAY;
        }
    }
    return JSON_MORE;
}

static ALWAYS_INLINE enum json_event skip_block(struct jsonscan *s, const char *block, unsigned n)
{
    struct block b = look_at(block);

    if (b.backslashes != 0 || s->skip_in_escape) {
        uint64_t escaped = escaped_bits(b.backslashes, s->skip_in_escape);
        s->skip_in_escape = backslash_ends(b.backslashes, escaped, n);
        b.quotes &= ~escaped;
    }
    uint64_t inside = prefix_parity(b.quotes) ^ (s->skip_in_string ? ~(uint64_t)0 : 0);
    s->skip_in_string = inside >> 63 != 0;
    b.brackets &= ~inside;
    return b.brackets == 0 ? JSON_MORE : follow(s, block, b.brackets);
}

static enum json_event skip_brackets(struct jsonscan *s)
{
    while (s->p < s->end) {
        size_t left = (size_t)(s->end - s->p);
        enum json_event e;
        if (left >= 64) {
            left = 64;
            e = skip_block(s, s->p, 64);
        } else {
            char tail[64];
            memset(tail, ' ', sizeof(tail));
            memcpy(tail, s->p, left);
            e = skip_block(s, tail, (unsigned)left);
        }
        if (e != JSON_MORE) {
            return e;
        }
        s->p += left;
    }
    if (s->is_last) {
        return fault(s, s->skip_in_string ? cut_string : "the text ends too early");
    }
    return JSON_MORE;
}

static void begin_skipping(struct jsonscan *s)
{
    s->is_skipping = true;
    s->skip_in_string = s->skip_in_escape = false;
    s->skip_until = s->depth - 1;
}

/* The bytes from 'begin' to 'end' (offsets), when all of them lie in this piece. */
static struct span bytes_of(const struct jsonscan *s, uint64_t begin, uint64_t end)
{
    if (begin < s->piece_offset) {
        return span_make(NULL, 0);
    }
    return span_make(s->piece + (begin - s->piece_offset), (size_t)(end - begin));
}

enum json_event jsonscan_skip(struct jsonscan *s, struct span *out_value)
{
    enum json_event e = JSON_MORE;
    struct json_token t = { .begin = 0 };

    if (!s->is_skipping && (s->state == WANT_KEY_OR_END || s->state == WANT_VALUE_OR_END)) {
        begin_skipping(s);
    } else if (!s->is_skipping) {
        e = jsonscan_next(s, &t);
        if (e == JSON_BEGIN_OBJECT || e == JSON_BEGIN_ARRAY) {
            begin_skipping(s);
        }
    }
    if (s->is_skipping) {
        e = skip_brackets(s);
        t.begin = s->skip_begin;
        t.end = offset_of(s, s->p);
    }
    if (out_value != NULL && e != JSON_MORE && e != JSON_FAULT && e != JSON_DONE) {
        *out_value = bytes_of(s, t.begin, t.end);
    }
    return e;
}

/* ---- decoding */

/* Length of the valid UTF-8 sequence (RFC 3629) of more than one byte at 'p', or 0. */
static size_t utf8_length(const char *p, size_t left)
{
    const unsigned char *u = (const unsigned char *)p;

    if (u[0] < 0xc2 || u[0] > 0xf4) {
        return 0;
    }
    size_t n = u[0] < 0xe0 ? 2 : u[0] < 0xf0 ? 3 : 4;
    if (n > left) {
        return 0;
    }
    for (size_t i = 1; i < n; i++) {
        if ((u[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    bool is_overlong = (u[0] == 0xe0 && u[1] < 0xa0) || (u[0] == 0xf0 && u[1] < 0x90);
    bool is_surrogate = u[0] == 0xed && u[1] > 0x9f;
    bool is_beyond = u[0] == 0xf4 && u[1] > 0x8f;
    return is_overlong || is_surrogate || is_beyond ? 0 : n;
}

/* The first byte at or behind 'i' that is a backslash or no valid UTF-8. */
static size_t find_odd(struct span raw, size_t i)
{
    const uint64_t ones = 0x0101010101010101ULL, high = 0x8080808080808080ULL;

    while (i < raw.len) {
        uint64_t x;
        if (raw.len - i >= 8) {
            memcpy(&x, raw.p + i, 8);
            uint64_t backslash = x ^ (ones * '\\');
            if (((((backslash - ones) & ~backslash) | x) & high) == 0) {
                i += 8;
                continue;
            }
        }
        if (raw.p[i] == '\\') {
            return i;
        }
        size_t n = (unsigned char)raw.p[i] < 0x80 ? 1 : utf8_length(raw.p + i, raw.len - i);
        if (n == 0) {
            return i;
        }
        i += n;
    }
    return i;
}

bool jsonscan_is_literal(struct span raw)
{
    return find_odd(raw, 0) == raw.len;
}

static uint32_t hex4(const char *p)
{
    uint32_t v = 0;

    for (int i = 0; i < 4; i++) {
        unsigned char c = (unsigned char)p[i];
        v = v << 4 | (c <= '9' ? (uint32_t)c - '0' : ((uint32_t)c | 0x20) - 'a' + 10);
    }
    return v;
}

static size_t put_utf8(char *to, uint32_t c)
{
    if (c < 0x80) {
        to[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        to[0] = (char)(0xc0 | c >> 6);
        to[1] = (char)(0x80 | (c & 0x3f));
        return 2;
    }
    if (c < 0x10000) {
        to[0] = (char)(0xe0 | c >> 12);
        to[1] = (char)(0x80 | (c >> 6 & 0x3f));
        to[2] = (char)(0x80 | (c & 0x3f));
        return 3;
    }
    to[0] = (char)(0xf0 | c >> 18);
    to[1] = (char)(0x80 | (c >> 12 & 0x3f));
    to[2] = (char)(0x80 | (c >> 6 & 0x3f));
    to[3] = (char)(0x80 | (c & 0x3f));
    return 4;
}

/* The code point of the \u escape (or pair of them) at 'p'; '*out_size' is how many bytes it has.
 */
static uint32_t unicode_escape(const char *p, size_t left, size_t *out_size)
{
    uint32_t c = hex4(p + 2);

    *out_size = 6;
    if (c < 0xd800 || c > 0xdfff) {
        return c;
    }
    if (c < 0xdc00 && left >= 12 && p[6] == '\\' && p[7] == 'u') {
        uint32_t low = hex4(p + 8);
        if (low >= 0xdc00 && low <= 0xdfff) {
            *out_size = 12;
            return 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
        }
    }
    return 0xfffd;
}

/* Decodes what stands at 'p', a backslash or an invalid byte; returns how many bytes it takes. */
static size_t decode_odd(const char *p, size_t left, char *to, size_t *io_len)
{
    static const char from[] = "bfnrt", into[] = "\b\f\n\r\t";

    if (*p != '\\') {
        *io_len += put_utf8(to + *io_len, 0xfffd);
        return 1;
    }
    if (p[1] == 'u') {
        size_t size = 0;
        *io_len += put_utf8(to + *io_len, unicode_escape(p, left, &size));
        return size;
    }
    const char *hit = strchr(from, p[1]);
    to[(*io_len)++] = hit == NULL ? p[1] : into[hit - from];
    return 2;
}

struct span jsonscan_unescape(struct span raw, struct arena *arena)
{
    size_t i = find_odd(raw, 0);

    if (i == raw.len) {
        return arena_span(arena, raw);
    }
    /* An escape is never shorter than what it stands for; an invalid byte becomes three. */
    size_t n_invalid = 0;
    for (size_t k = i; k < raw.len; k = find_odd(raw, k)) {
        n_invalid += raw.p[k] != '\\';
        k += raw.p[k] == '\\' ? 2 : 1;
    }
    char *text = arena_bytes(arena, raw.len + 2 * n_invalid);
    size_t len = 0, copied = 0;
    while (i < raw.len) {
        memcpy(text + len, raw.p + copied, i - copied);
        len += i - copied;
        i += decode_odd(raw.p + i, raw.len - i, text, &len);
        copied = i;
        i = find_odd(raw, i);
    }
    memcpy(text + len, raw.p + copied, raw.len - copied);
    return span_make(text, len + raw.len - copied);
}
