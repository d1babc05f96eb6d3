#include "allocator/codec/zlib.h"

#include <assert.h>
#include <libdeflate.h>

enum form { FORM_ZLIB, FORM_GZIP };

static void pack(struct span s, int level, enum form form, struct buf *out)
{
    struct libdeflate_compressor *c = libdeflate_alloc_compressor(level);

    assert(c != NULL); /* a wrong level, or no memory */
    bool is_zlib = form == FORM_ZLIB;
    size_t bound = is_zlib ? libdeflate_zlib_compress_bound(c, s.len)
                           : libdeflate_gzip_compress_bound(c, s.len);
    size_t left = out->max - out->len;
    size_t room = bound < left ? bound : left;
    char *to = buf_reserve(out, room);
    size_t n = to == NULL ? 0
               : is_zlib  ? libdeflate_zlib_compress(c, s.p, s.len, to, room)
                          : libdeflate_gzip_compress(c, s.p, s.len, to, room);
    libdeflate_free_compressor(c);
    if (n == 0) {
        (void)buf_reserve(out, SIZE_MAX); /* what came out does not fit: the error sticks */
        return;
    }
    out->len += n;
    out->p[out->len] = '\0';
}

void zlib_deflate(struct span s, int level, struct buf *out)
{
    pack(s, level, FORM_ZLIB, out);
}

void zlib_deflate_gzip(struct span s, int level, struct buf *out)
{
    pack(s, level, FORM_GZIP, out);
}

int zlib_inflate(struct span s, struct buf *out, struct err *err)
{
    size_t room = out->max - out->len;
    char *to = buf_reserve(out, room);
    size_t n_in = 0, n_out = 0;

    if (to == NULL) {
        return err_set(err, ERR_TOO_BIG, "zlib: no room is left");
    }
    struct libdeflate_decompressor *d = libdeflate_alloc_decompressor();
    assert(d != NULL); /* no memory */
    enum libdeflate_result rc =
        libdeflate_zlib_decompress_ex(d, s.p, s.len, to, room, &n_in, &n_out);
    libdeflate_free_decompressor(d);
    if (rc == LIBDEFLATE_INSUFFICIENT_SPACE) {
        return err_set(err, ERR_TOO_BIG, "zlib: inflates to more than %zu bytes", out->max);
    }
    if (rc != LIBDEFLATE_SUCCESS || n_in != s.len) {
        return err_set(err, ERR_INVALID, "zlib: not a complete zlib stream");
    }
    out->len += n_out;
    out->p[out->len] = '\0';
    return 0;
}
