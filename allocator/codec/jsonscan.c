#include "allocator/codec/jsonscan.h"

#include <assert.h>
#include <stdio.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "allocator/codec/jsonscan_state.h"

/* ---- life */

void jsonscan_init(struct jsonscan *s, struct span text, unsigned max_depth)
{
    assert(max_depth <= LIMIT_SKIP_DEPTH);
    /* The stack is written before it is read. */
    memset(s, 0, offsetof(struct jsonscan, stack));
    s->max_depth = max_depth;
    s->state = WANT_VALUE;
    s->text = s->p = text.p == NULL ? "" : text.p;
    s->end = s->text + text.len;
}

const char *jsonscan_error(const struct jsonscan *s)
{
    return s->error;
}

uint64_t jsonscan_fault_offset(const struct jsonscan *s)
{
    return s->fault_offset;
}

__attribute__((cold)) enum json_event jsonscan_fault(struct jsonscan *s, uint64_t offset,
                                                     const char *what)
{
    s->state = BROKEN;
    s->fault_offset = offset;
    snprintf(s->error, sizeof(s->error), "offset %llu: %s", (unsigned long long)offset, what);
    return JSON_FAULT;
}

__attribute__((cold)) static enum json_event fault(struct jsonscan *s, const char *what)
{
    return jsonscan_fault(s, offset_of(s, s->p), what);
}

/* ---- strings */

/* The first byte at or after 'p' that is a quote, a backslash or a control character; 'end' when
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
     * can only lie after a true one, and the loop below looks at each byte anyway. */
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

struct string_end {
    const char *p; /* the closing quote, or the place of the fault */
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
        return jsonscan_fault(s, offset_of(s, e.p), e.what);
    }
    if (!e.is_closed) {
        return jsonscan_fault(s, offset_of(s, s->end), JSONSCAN_CUT_STRING);
    }
    out->event = event;
    out->has_escapes = e.has_escapes;
    out->raw = span_make(from + 1, (size_t)(e.p - from - 1));
    out->begin = offset_of(s, from);
    out->end = offset_of(s, e.p + 1);
    s->p = e.p + 1;
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

bool jsonscan_is_number(struct span w)
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
    if (jsonscan_is_number(w)) {
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
    out->begin = offset_of(s, from);
    out->end = offset_of(s, p);
    out->raw = span_make(from, (size_t)(p - from));
    out->has_escapes = false;
    out->event = word_event(out->raw);
    if (out->event == JSON_FAULT) {
        return jsonscan_fault(s, out->begin, "expected a value");
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
    return s->state == WANT_NOTHING ? JSON_DONE : fault(s, "the text ends too early");
}

static ALWAYS_INLINE enum json_event scan_key(struct jsonscan *s, struct json_token *out)
{
    if (*s->p == '"') {
        return scan_string(s, JSON_KEY, out);
    }
    if (*s->p == '}' && s->state == WANT_KEY_OR_END) {
        return close_bracket(s, out);
    }
    return fault(s, s->state == WANT_KEY ? "expected a key" : "expected a key or '}'");
}

/* GO_ON: it was a comma. */
static inline enum json_event scan_comma(struct jsonscan *s, struct json_token *out)
{
    bool is_object = is_in_object(s);

    if (*s->p == ',') {
        s->p++;
        s->state = is_object ? WANT_KEY : WANT_VALUE;
        return GO_ON;
    }
    if (*s->p == (is_object ? '}' : ']')) {
        return close_bracket(s, out);
    }
    return fault(s, is_object ? "expected ',' or '}'" : "expected ',' or ']'");
}

/* GO_ON: it was a colon. */
static inline enum json_event scan_colon(struct jsonscan *s)
{
    if (*s->p != ':') {
        return fault(s, "expected ':'");
    }
    s->p++;
    s->state = WANT_VALUE;
    return GO_ON;
}

/* What stands at s->p, which is not white space. */
static ALWAYS_INLINE enum json_event scan_one(struct jsonscan *s, struct json_token *out)
{
    switch ((enum state)s->state) {
    case WANT_KEY:
    case WANT_KEY_OR_END:
        return scan_key(s, out);
    case WANT_VALUE_OR_END:
        return *s->p == ']' ? close_bracket(s, out) : scan_value(s, out);
    case WANT_VALUE:
        return scan_value(s, out);
    case WANT_COLON:
        return scan_colon(s);
    case WANT_COMMA_OR_END:
        return scan_comma(s, out);
    case WANT_NOTHING:
        return fault(s, "bytes after the value");
    case BROKEN:
        break;
    }
    return JSON_FAULT;
}

enum json_event jsonscan_next(struct jsonscan *s, struct json_token *out)
{
    enum json_event e;

    do {
        s->p = skip_space(s->p, s->end);
        if (s->p == s->end) {
            return at_end(s);
        }
        e = scan_one(s, out);
    } while (e == GO_ON);
    return e;
}
