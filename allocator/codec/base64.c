#include "allocator/codec/base64.h"

#include <stdint.h>
#include <string.h>
#if defined(__x86_64__)
#include <tmmintrin.h>
#endif

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

#if defined(__x86_64__)
/* Twelve bytes at a time, for as long as sixteen can be read; returns how many were taken. After W.
 * Mula, D. Lemire: Faster Base64 Encoding and Decoding using AVX2 Instructions (2018). */
__attribute__((target("ssse3"))) static size_t encode_twelves(struct span s, char *to)
{
    const __m128i spread = _mm_set_epi8(10, 11, 9, 10, 7, 8, 6, 7, 4, 5, 3, 4, 1, 2, 0, 1);
    /* What is added to a value of 6 bits, by the kind of its character: a-z, ten digits, +, /, A-Z.
     */
    const __m128i shift =
        _mm_setr_epi8('a' - 26, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52,
                      '0' - 52, '0' - 52, '0' - 52, '0' - 52, '+' - 62, '/' - 63, 'A', 0, 0);
    size_t i = 0;

    for (; i + 16 <= s.len; i += 12, to += 16) {
        const __m128i in =
            _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(const void *)(s.p + i)), spread);
        const __m128i high = _mm_mulhi_epu16(_mm_and_si128(in, _mm_set1_epi32(0x0fc0fc00)),
                                             _mm_set1_epi32(0x04000040));
        const __m128i low = _mm_mullo_epi16(_mm_and_si128(in, _mm_set1_epi32(0x003f03f0)),
                                            _mm_set1_epi32(0x01000010));
        const __m128i six = _mm_or_si128(high, low);
        const __m128i is_upper = _mm_cmpgt_epi8(_mm_set1_epi8(26), six);
        const __m128i kind = _mm_or_si128(_mm_subs_epu8(six, _mm_set1_epi8(51)),
                                          _mm_and_si128(is_upper, _mm_set1_epi8(13)));
        _mm_storeu_si128((__m128i *)(void *)to, _mm_add_epi8(six, _mm_shuffle_epi8(shift, kind)));
    }
    return i;
}

static size_t encode_many(struct span s, char *to)
{
    return __builtin_cpu_supports("ssse3") ? encode_twelves(s, to) : 0;
}
#else
static size_t encode_many(struct span s, char *to)
{
    (void)s;
    (void)to;
    return 0;
}
#endif

void base64_encode(struct span s, struct buf *out)
{
    const unsigned char *p = (const unsigned char *)s.p;
    char *to = buf_reserve(out, (s.len + 2) / 3 * 4);

    if (to == NULL) {
        return;
    }
    char *start = to;
    size_t i = encode_many(s, to);
    to += i / 3 * 4;
    for (; i + 3 <= s.len; i += 3) {
        uint32_t x = (uint32_t)p[i] << 16 | (uint32_t)p[i + 1] << 8 | p[i + 2];
        *to++ = alphabet[x >> 18];
        *to++ = alphabet[x >> 12 & 63];
        *to++ = alphabet[x >> 6 & 63];
        *to++ = alphabet[x & 63];
    }
    if (i < s.len) {
        uint32_t x = (uint32_t)p[i] << 16 | (i + 1 < s.len ? (uint32_t)p[i + 1] << 8 : 0);
        *to++ = alphabet[x >> 18];
        *to++ = alphabet[x >> 12 & 63];
        *to++ = i + 1 < s.len ? alphabet[x >> 6 & 63] : '=';
        *to++ = '=';
    }
    *to = '\0';
    out->len += (size_t)(to - start);
}

static int digit(char c)
{
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }
    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }
    if (c >= '0' && c <= '9') {
        return c - '0' + 52;
    }
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* The 24 bits of four characters, of which the last 'n_pad' count as zero; or minus one minus the
 * index of the bad character. */
static int decode_four(const char *p, size_t n_pad)
{
    int x = 0;

    for (int k = 0; k < 4; k++) {
        int d = (size_t)k >= 4 - n_pad ? 0 : digit(p[k]);
        if (d < 0) {
            return -1 - k;
        }
        x = x << 6 | d;
    }
    return x;
}

int base64_decode(struct span s, struct buf *out, struct err *err)
{
    if (s.len % 4 != 0) {
        return err_set(err, ERR_INVALID, "base64: the length is not a multiple of four");
    }
    size_t n_pad = s.len > 0 && s.p[s.len - 1] == '=' ? (s.p[s.len - 2] == '=' ? 2 : 1) : 0;
    size_t size = s.len / 4 * 3 - n_pad, n = 0;
    char *to = buf_reserve(out, size);
    if (to == NULL) {
        return err_set(err, ERR_TOO_BIG, "base64: more than %zu bytes", out->max);
    }
    for (size_t i = 0; i < s.len; i += 4) {
        size_t pad = i + 4 == s.len ? n_pad : 0;
        int x = decode_four(s.p + i, pad);
        if (x < 0) {
            return err_set(err, ERR_INVALID, "base64: bad character at byte %zu",
                           i + (size_t)(-1 - x));
        }
        if (((unsigned)x & ((1U << 8 * pad) - 1)) != 0) {
            return err_set(err, ERR_INVALID, "base64: bits after the end");
        }
        const char bytes[3] = { (char)(x >> 16), (char)(x >> 8 & 0xff), (char)(x & 0xff) };
        memcpy(to + n, bytes, 3 - pad);
        n += 3 - pad;
    }
    to[size] = '\0';
    out->len += size;
    return 0;
}
