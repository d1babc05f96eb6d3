#include "allocator/codec/jsonscan.h"

#include <assert.h>
#include <stdio.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

enum state {
    WANT_VALUE,        /* a value must come */
    WANT_VALUE_OR_END, /* behind '[' */
    WANT_KEY_OR_END,   /* behind '{' */
    WANT_KEY,          /* behind ',' in an object */
    WANT_COLON,
    WANT_COMMA_OR_END,
    WANT_NOTHING,      /* the value is complete */
    BROKEN,
};

/* ---- life */

void jsonscan_init(struct jsonscan *s, unsigned max_depth)
{
    assert(max_depth <= LIMIT_SKIP_DEPTH);
    s->p = s->end = s->piece = NULL;
    s->piece_offset = 0;
    s->is_last = false;
    s->depth = 0;
    s->max_depth = max_depth;
    s->state = WANT_VALUE;
    s->is_carrying = s->is_carry_done = s->is_skipping = false;
    s->skip_depth = 0;
    s->error[0] = '\0';
    buf_init(&s->carry, LIMIT_SD_BODY);
}

void jsonscan_feed(struct jsonscan *s, struct span piece)
{
    s->piece_offset += (uint64_t)(s->end - s->piece);
    s->piece = s->p = piece.p;
    s->end = piece.p + piece.len;
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

static uint64_t offset_of(const struct jsonscan *s, const char *p)
{
    return s->piece_offset + (uint64_t)(p - s->piece);
}

static enum json_event fault(struct jsonscan *s, const char *what)
{
    if (s->state != BROKEN) {
        snprintf(s->error, sizeof(s->error), "offset %llu: %s", (unsigned long long)offset_of(s, s->p), what);
        s->state = BROKEN;
    }
    return JSON_FAULT;
}

/* ---- nesting */

static bool is_in_object(const struct jsonscan *s)
{
    unsigned i = s->depth - 1;
    return (s->stack[i / 64] >> (i % 64) & 1) != 0;
}

static bool push(struct jsonscan *s, bool is_object)
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

static void after_value(struct jsonscan *s)
{
    s->state = s->depth == 0 ? WANT_NOTHING : WANT_COMMA_OR_END;
}

/* ---- strings */

/* The first byte at or behind 'p' that is a quote, a backslash or a control character; 'end' when there is none. */
static const char *find_special(const char *p, const char *end)
{
#if defined(__SSE2__)
    const __m128i quote = _mm_set1_epi8('"'), backslash = _mm_set1_epi8('\\'), control = _mm_set1_epi8(0x1f);
    while (end - p >= 16) {
        __m128i x = _mm_loadu_si128((const __m128i *)(const void *)p);
        __m128i hit = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(x, quote), _mm_cmpeq_epi8(x, backslash)),
                                   _mm_cmpeq_epi8(_mm_max_epu8(x, control), control));
        unsigned mask = (unsigned)_mm_movemask_epi8(hit);
        if (mask != 0) {
            return p + __builtin_ctz(mask);
        }
        p += 16;
    }
#endif
    while (p < end && *p != '"' && *p != '\\' && (unsigned char)*p > 0x1f) {
        p++;
    }
    return p;
}

/* Advances to the closing quote. '*io_in_escape': the byte at 'p' is the one behind a backslash. Returns NULL on a control
 * character; 'end' when the quote is not in this piece. */
static const char *find_quote(const char *p, const char *end, bool *io_has_escapes, bool *io_in_escape)
{
    for (;;) {
        if (*io_in_escape) {
            if (p == end) {
                return end;
            }
            p++;
            *io_in_escape = false;
        }
        p = find_special(p, end);
        if (p == end || *p == '"') {
            return p;
        }
        if (*p != '\\') {
            return NULL;
        }
        *io_has_escapes = true;
        *io_in_escape = true;
        p++;
    }
}

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool escapes_are_valid(struct span raw)
{
    for (size_t i = 0; i < raw.len; i++) {
        if (raw.p[i] != '\\') {
            continue;
        }
        i++;
        if (i >= raw.len || strchr("\"\\/bfnrtu", raw.p[i]) == NULL || raw.p[i] == '\0') {
            return false;
        }
        if (raw.p[i] == 'u') {
            for (size_t k = 1; k <= 4; k++) {
                if (i + k >= raw.len || !is_hex(raw.p[i + k])) {
                    return false;
                }
            }
            i += 4;
        }
    }
    return true;
}

/* Keeps what there is of a token and asks for more. */
static enum json_event carry(struct jsonscan *s, const char *from)
{
    if (s->is_last) {
        return fault(s, "text ends within a value");
    }
    if (!s->is_carrying) {
        s->carry_begin = offset_of(s, from);
        s->is_carrying = true;
        buf_clear(&s->carry);
    }
    buf_add(&s->carry, from, (size_t)(s->end - from));
    s->p = s->end;
    return buf_error(&s->carry) != 0 ? fault(s, "value too long") : JSON_MORE;
}

/* A string; s->p is at its quote, or at the continuation of one that began in an earlier piece. */
static enum json_event scan_string(struct jsonscan *s, enum json_event event, struct json_token *out)
{
    bool has_escapes = s->is_carrying && s->carry_has_escapes;
    bool in_escape = s->is_carrying && s->carry_ends_in_escape;
    const char *from = s->p;
    const char *quote = find_quote(s->is_carrying ? s->p : s->p + 1, s->end, &has_escapes, &in_escape);

    if (quote == NULL) {
        return fault(s, "control character in a string");
    }
    if (quote == s->end) {
        s->carry_has_escapes = has_escapes;
        s->carry_ends_in_escape = in_escape;
        return carry(s, from);
    }
    out->begin = s->is_carrying ? s->carry_begin : offset_of(s, from);
    if (s->is_carrying) {
        buf_add(&s->carry, from, (size_t)(quote - from));
        s->is_carrying = false;
        if (buf_error(&s->carry) != 0) {
            return fault(s, "value too long");
        }
        out->raw = span_make(s->carry.p + 1, s->carry.len - 1);
    } else {
        out->raw = span_make(from + 1, (size_t)(quote - from - 1));
    }
    if (has_escapes && !escapes_are_valid(out->raw)) {
        return fault(s, "invalid escape in a string");
    }
    s->p = quote + 1;
    out->end = offset_of(s, s->p);
    out->has_escapes = has_escapes;
    out->event = event;
    if (event == JSON_KEY) {
        s->state = WANT_COLON;
    } else {
        after_value(s);
    }
    return event;
}

/* ---- numbers and words */

static bool is_word_byte(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '+' || c == '.';
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
    if (span_is(w, "true")) {
        return JSON_TRUE_VALUE;
    }
    if (span_is(w, "false")) {
        return JSON_FALSE_VALUE;
    }
    if (span_is(w, "null")) {
        return JSON_NULL_VALUE;
    }
    return is_number(w) ? JSON_NUMBER : JSON_FAULT;
}

static enum json_event scan_word(struct jsonscan *s, struct json_token *out)
{
    const char *from = s->p, *p = s->p;

    while (p < s->end && is_word_byte(*p)) {
        p++;
    }
    if (p == s->end && !s->is_last) {
        return carry(s, from);
    }
    out->begin = s->is_carrying ? s->carry_begin : offset_of(s, from);
    if (s->is_carrying) {
        buf_add(&s->carry, from, (size_t)(p - from));
        s->is_carrying = false;
        out->raw = buf_span(&s->carry);
    } else {
        out->raw = span_make(from, (size_t)(p - from));
    }
    out->event = out->raw.len == 0 ? JSON_FAULT : word_event(out->raw);
    if (out->event == JSON_FAULT) {
        return fault(s, "expected a value");
    }
    s->p = p;
    out->end = offset_of(s, p);
    out->has_escapes = false;
    after_value(s);
    return out->event;
}

/* ---- tokens */

static enum json_event bracket(struct jsonscan *s, enum json_event event, struct json_token *out)
{
    out->raw = span_make(s->p, 1);
    out->begin = offset_of(s, s->p);
    out->has_escapes = false;
    s->p++;
    out->end = offset_of(s, s->p);
    out->event = event;
    return event;
}

static enum json_event open_bracket(struct jsonscan *s, bool is_object, struct json_token *out)
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

static enum json_event scan_value(struct jsonscan *s, struct json_token *out)
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

static void skip_space(struct jsonscan *s)
{
    while (s->p < s->end && (*s->p == ' ' || *s->p == '\n' || *s->p == '\r' || *s->p == '\t')) {
        s->p++;
    }
}

static enum json_event at_end(struct jsonscan *s)
{
    if (!s->is_last) {
        return JSON_MORE;
    }
    return s->state == WANT_NOTHING ? JSON_DONE : fault(s, "text ends too early");
}

static enum json_event resume(struct jsonscan *s, struct json_token *out)
{
    bool is_string = s->carry.len > 0 && s->carry.p[0] == '"';
    if (s->p == s->end && !s->is_last) {
        return JSON_MORE;
    }
    if (!is_string) {
        return scan_word(s, out);
    }
    return scan_string(s, s->state == WANT_KEY || s->state == WANT_KEY_OR_END ? JSON_KEY : JSON_TEXT, out);
}

enum json_event jsonscan_next(struct jsonscan *s, struct json_token *out)
{
    if (s->state == BROKEN) {
        return JSON_FAULT;
    }
    if (s->is_carrying) {
        return resume(s, out);
    }
    for (;;) {
        skip_space(s);
        if (s->p == s->end) {
            return at_end(s);
        }
        char c = *s->p;
        switch ((enum state)s->state) {
        case WANT_VALUE_OR_END:
            return c == ']' ? close_bracket(s, out) : scan_value(s, out);
        case WANT_VALUE:
            return scan_value(s, out);
        case WANT_KEY_OR_END:
            if (c == '}') {
                return close_bracket(s, out);
            }
            return c == '"' ? scan_string(s, JSON_KEY, out) : fault(s, "expected a key or '}'");
        case WANT_KEY:
            return c == '"' ? scan_string(s, JSON_KEY, out) : fault(s, "expected a key");
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
                return fault(s, "expected ',' or the end of the list or object");
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

/* ---- skipping */

/* The first byte at or behind 'p' that is a quote or a bracket. */
static const char *find_structure(const char *p, const char *end)
{
#if defined(__SSE2__)
    const __m128i quote = _mm_set1_epi8('"'), open = _mm_set1_epi8('{'), close = _mm_set1_epi8('}'), fold = _mm_set1_epi8(0x20);
    while (end - p >= 16) {
        __m128i x = _mm_loadu_si128((const __m128i *)(const void *)p);
        __m128i folded = _mm_or_si128(x, fold); /* '[' becomes '{', ']' becomes '}' */
        __m128i hit = _mm_or_si128(_mm_cmpeq_epi8(x, quote), _mm_or_si128(_mm_cmpeq_epi8(folded, open), _mm_cmpeq_epi8(folded, close)));
        unsigned mask = (unsigned)_mm_movemask_epi8(hit);
        if (mask != 0) {
            return p + __builtin_ctz(mask);
        }
        p += 16;
    }
#endif
    while (p < end && *p != '"' && *p != '{' && *p != '}' && *p != '[' && *p != ']') {
        p++;
    }
    return p;
}

/* Skips to behind the bracket that closes depth 'until' + 1, in one piece. */
static enum json_event skip_brackets(struct jsonscan *s, unsigned until)
{
    for (;;) {
        s->p = find_structure(s->p, s->end);
        if (s->p == s->end) {
            return fault(s, "text ends too early");
        }
        char c = *s->p;
        if (c == '"') {
            bool has_escapes = false, in_escape = false;
            const char *quote = find_quote(s->p + 1, s->end, &has_escapes, &in_escape);
            if (quote == NULL || quote == s->end) {
                return fault(s, "string without end, or with a control character");
            }
            s->p = quote + 1;
        } else if (c == '{' || c == '[') {
            if (!push(s, c == '{')) {
                return fault(s, "nested too deeply");
            }
            s->p++;
        } else {
            bool is_object = is_in_object(s);
            if (c != (is_object ? '}' : ']')) {
                return fault(s, "brackets do not match");
            }
            s->p++;
            if (--s->depth == until) {
                after_value(s);
                return is_object ? JSON_END_OBJECT : JSON_END_ARRAY;
            }
        }
    }
}

/* Over several pieces: token by token. */
static enum json_event skip_tokens(struct jsonscan *s)
{
    struct json_token t;

    for (;;) {
        enum json_event e = jsonscan_next(s, &t);
        if (e == JSON_MORE || e == JSON_FAULT || e == JSON_DONE) {
            return e == JSON_DONE ? fault(s, "nothing to skip") : e;
        }
        if (s->depth == s->skip_depth && e != JSON_KEY) {
            s->is_skipping = false;
            return e;
        }
    }
}

enum json_event jsonscan_skip(struct jsonscan *s, struct span *out_value)
{
    struct json_token t = { .begin = 0 };
    bool is_whole = s->is_last && s->piece_offset == 0;
    bool is_behind_bracket = s->state == WANT_KEY_OR_END || s->state == WANT_VALUE_OR_END;

    if (s->is_skipping) {
        return skip_tokens(s);
    }
    if (!is_whole) {
        s->is_skipping = true;
        s->skip_depth = is_behind_bracket ? s->depth - 1 : s->depth;
        return skip_tokens(s);
    }
    const char *from = s->p - 1;
    enum json_event e = JSON_BEGIN_OBJECT;
    if (!is_behind_bracket) {
        e = jsonscan_next(s, &t);
        from = s->piece + t.begin;
    }
    if (e == JSON_BEGIN_OBJECT || e == JSON_BEGIN_ARRAY) {
        e = skip_brackets(s, s->depth - 1);
    }
    if (e != JSON_FAULT && out_value != NULL) {
        *out_value = span_make(from, (size_t)(s->p - from));
    }
    return e;
}

/* ---- escapes */

static unsigned hex4(const char *p)
{
    unsigned v = 0;
    for (int i = 0; i < 4; i++) {
        unsigned char c = (unsigned char)p[i];
        v = v << 4 | (c <= '9' ? (unsigned)c - '0' : ((unsigned)c | 0x20) - 'a' + 10);
    }
    return v;
}

static size_t put_utf8(char *to, unsigned c)
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

/* The code point of the \u escape(s) at 'i' (the backslash); '*out_len' is how many bytes of 'raw' it takes. */
static unsigned unicode_escape(struct span raw, size_t i, size_t *out_len)
{
    unsigned c = hex4(raw.p + i + 2);

    *out_len = 6;
    if (c < 0xd800 || c > 0xdfff) {
        return c;
    }
    if (c < 0xdc00 && i + 12 <= raw.len && raw.p[i + 6] == '\\' && raw.p[i + 7] == 'u') {
        unsigned low = hex4(raw.p + i + 8);
        if (low >= 0xdc00 && low <= 0xdfff) {
            *out_len = 12;
            return 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
        }
    }
    return 0xfffd;
}

struct span jsonscan_unescape(struct span raw, struct arena *arena)
{
    static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
    char *text = arena_bytes(arena, raw.len + 1); /* an escape is never shorter than what it stands for */
    size_t len = 0;

    for (size_t i = 0; i < raw.len;) {
        if (raw.p[i] != '\\') {
            text[len++] = raw.p[i++];
        } else if (raw.p[i + 1] == 'u') {
            size_t n = 0;
            unsigned c = unicode_escape(raw, i, &n);
            len += put_utf8(text + len, c);
            i += n;
        } else {
            const char *hit = strchr(from, raw.p[i + 1]);
            text[len++] = hit == NULL ? raw.p[i + 1] : to[hit - from];
            i += 2;
        }
    }
    return span_make(text, len);
}
