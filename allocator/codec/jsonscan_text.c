/* Decoding of the strings that the scanner gives out raw. */
#include "allocator/codec/jsonscan.h"

#include "allocator/base/utf8.h"

/* The first byte at or after 'i' that is a backslash or not valid UTF-8. */
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
        size_t n = utf8_size(raw.p + i, raw.len - i);
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
    return UTF8_REPLACEMENT;
}

/* Decodes what stands at 'p', a backslash or an invalid byte; returns how many bytes it takes. */
static size_t decode_odd(const char *p, size_t left, char *to, size_t *io_len)
{
    static const char from[] = "bfnrt", into[] = "\b\f\n\r\t";

    if (*p != '\\') {
        *io_len += utf8_put(UTF8_REPLACEMENT, to + *io_len);
        return 1;
    }
    if (p[1] == 'u') {
        size_t size = 0;
        *io_len += utf8_put(unicode_escape(p, left, &size), to + *io_len);
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
