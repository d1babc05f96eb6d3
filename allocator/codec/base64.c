#include "allocator/codec/base64.h"

#include <limits.h>
#include <stdint.h>
#include <zlib.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_encode(struct span s, struct buf *out)
{
    const unsigned char *p = (const unsigned char *)s.p;
    char *to = buf_reserve(out, (s.len + 2) / 3 * 4);

    if (to == NULL) {
        return;
    }
    char *start = to;
    size_t i = 0;
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

int base64_decode(struct span s, struct buf *out, struct err *err)
{
    if (s.len % 4 != 0) {
        return err_set(err, ERR_INVALID, "base64: length is not a multiple of four");
    }
    for (size_t i = 0; i < s.len; i += 4) {
        bool is_last = i + 4 == s.len;
        size_t pad = is_last && s.p[i + 3] == '=' ? (s.p[i + 2] == '=' ? 2 : 1) : 0;
        uint32_t x = 0;
        for (size_t k = 0; k < 4; k++) {
            int d = k >= 4 - pad ? 0 : digit(s.p[i + k]);
            if (d < 0) {
                return err_set(err, ERR_INVALID, "base64: bad character at byte %zu", i + k);
            }
            x = x << 6 | (uint32_t)d;
        }
        if ((pad == 1 && (x & 0xff) != 0) || (pad == 2 && (x & 0xffff) != 0)) {
            return err_set(err, ERR_INVALID, "base64: bits behind the end");
        }
        const char bytes[3] = { (char)(x >> 16), (char)(x >> 8 & 0xff), (char)(x & 0xff) };
        buf_add(out, bytes, 3 - pad);
    }
    return buf_error(out) == 0 ? 0
                               : err_set(err, ERR_TOO_BIG, "base64: more than %zu bytes", out->max);
}

void zlib_deflate(struct span s, struct buf *out)
{
    uLong bound = compressBound((uLong)s.len);
    char *to = buf_reserve(out, bound);
    uLongf len = bound;

    if (to != NULL && compress2((Bytef *)to, &len, (const Bytef *)s.p, (uLong)s.len, 6) == Z_OK) {
        out->len += len;
        out->p[out->len] = '\0';
    }
}

int zlib_inflate(struct span s, struct buf *out, struct err *err)
{
    z_stream z = { 0 };
    unsigned char chunk[16384];
    int rc = Z_OK;

    if (s.len > UINT_MAX || inflateInit(&z) != Z_OK) {
        return err_set(err, ERR_INVALID, "zlib: cannot start");
    }
    z.next_in = (Bytef *)(uintptr_t)s.p;
    z.avail_in = (uInt)s.len;
    while (rc == Z_OK && buf_error(out) == 0) {
        z.next_out = chunk;
        z.avail_out = sizeof(chunk);
        rc = inflate(&z, Z_NO_FLUSH);
        if (rc == Z_OK || rc == Z_STREAM_END) {
            buf_add(out, chunk, sizeof(chunk) - z.avail_out);
        }
    }
    bool is_whole = rc == Z_STREAM_END && z.avail_in == 0;
    inflateEnd(&z);
    if (buf_error(out) != 0) {
        return err_set(err, ERR_TOO_BIG, "zlib: inflates to more than %zu bytes", out->max);
    }
    return is_whole ? 0 : err_set(err, ERR_INVALID, "zlib: not a complete zlib stream");
}
