#include "allocator/base/utf8.h"

size_t utf8_size(const char *text, size_t left)
{
    const unsigned char *p = (const unsigned char *)text;

    if (p[0] < 0x80) {
        return 1;
    }
    if (p[0] < 0xc2 || p[0] > 0xf4) {
        return 0;
    }
    size_t n = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    if (n > left) {
        return 0;
    }
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    bool is_overlong = (p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xf0 && p[1] < 0x90);
    bool is_surrogate = p[0] == 0xed && p[1] > 0x9f;
    bool is_beyond = p[0] == 0xf4 && p[1] > 0x8f;
    return is_overlong || is_surrogate || is_beyond ? 0 : n;
}

size_t utf8_decode(struct span s, uint32_t *out_rune)
{
    size_t size = utf8_size(s.p, s.len);
    unsigned char first = (unsigned char)s.p[0];

    if (size <= 1) {
        *out_rune = size == 0 ? UTF8_REPLACEMENT : first;
        return 1;
    }
    uint32_t rune = first & (0x7fU >> size);
    for (size_t i = 1; i < size; i++) {
        rune = rune << 6 | ((unsigned char)s.p[i] & 0x3fU);
    }
    *out_rune = rune;
    return size;
}

size_t utf8_put(uint32_t rune, char *to)
{
    if (rune < 0x80) {
        to[0] = (char)rune;
        return 1;
    }
    if (rune < 0x800) {
        to[0] = (char)(0xc0 | rune >> 6);
        to[1] = (char)(0x80 | (rune & 0x3f));
        return 2;
    }
    if (rune < 0x10000) {
        to[0] = (char)(0xe0 | rune >> 12);
        to[1] = (char)(0x80 | (rune >> 6 & 0x3f));
        to[2] = (char)(0x80 | (rune & 0x3f));
        return 3;
    }
    to[0] = (char)(0xf0 | rune >> 18);
    to[1] = (char)(0x80 | (rune >> 12 & 0x3f));
    to[2] = (char)(0x80 | (rune >> 6 & 0x3f));
    to[3] = (char)(0x80 | (rune & 0x3f));
    return 4;
}

bool utf8_is_valid(struct span s)
{
    size_t i = 0;

    while (i < s.len) {
        uint64_t word;
        if (s.len - i >= sizeof(word)) {
            memcpy(&word, s.p + i, sizeof(word));
            if ((word & 0x8080808080808080ULL) == 0) {
                i += sizeof(word);
                continue;
            }
        }
        size_t size = utf8_size(s.p + i, s.len - i);
        if (size == 0) {
            return false;
        }
        i += size;
    }
    return true;
}
