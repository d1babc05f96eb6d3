#include "allocator/codec/zlib.h"

#include <assert.h>
#include <limits.h>
#include <zlib.h>

#include "allocator/base/mem.h"

/* zlib reports lack of memory as an error of its own; here it ends the program as everywhere. */
static voidpf allocate(voidpf unused, uInt n, uInt size)
{
    (void)unused;
    return mem_array(n, size);
}

static void release(voidpf unused, voidpf p)
{
    (void)unused;
    mem_free(p);
}

/* zlib counts its input in 32 bits. */
static void refill(z_stream *z, struct span *left)
{
    if (z->avail_in == 0 && left->len > 0) {
        uInt n = left->len > UINT_MAX ? UINT_MAX : (uInt)left->len;
        z->next_in = (Bytef *)(uintptr_t)left->p;
        z->avail_in = n;
        *left = span_from(*left, n);
    }
}

#define CHUNK 16384

void zlib_deflate(struct span s, int level, struct buf *out)
{
    z_stream z = { .zalloc = allocate, .zfree = release };
    unsigned char chunk[CHUNK];
    int rc = deflateInit(&z, level);

    assert(rc == Z_OK);
    while (rc == Z_OK && buf_error(out) == 0) {
        refill(&z, &s);
        z.next_out = chunk;
        z.avail_out = sizeof(chunk);
        rc = deflate(&z, s.len == 0 ? Z_FINISH : Z_NO_FLUSH);
        buf_add(out, chunk, sizeof(chunk) - z.avail_out);
    }
    assert(rc == Z_STREAM_END || buf_error(out) != 0);
    deflateEnd(&z);
}

int zlib_inflate(struct span s, struct buf *out, struct err *err)
{
    z_stream z = { .zalloc = allocate, .zfree = release };
    unsigned char chunk[CHUNK];
    int rc = inflateInit(&z);

    assert(rc == Z_OK);
    while (rc == Z_OK && buf_error(out) == 0) {
        refill(&z, &s);
        z.next_out = chunk;
        z.avail_out = sizeof(chunk);
        rc = inflate(&z, Z_NO_FLUSH);
        buf_add(out, chunk, sizeof(chunk) - z.avail_out);
    }
    bool is_whole = rc == Z_STREAM_END && z.avail_in == 0 && s.len == 0;
    inflateEnd(&z);
    if (buf_error(out) != 0) {
        return err_set(err, ERR_TOO_BIG, "zlib: inflates to more than %zu bytes", out->max);
    }
    return is_whole ? 0 : err_set(err, ERR_INVALID, "zlib: not a complete zlib stream");
}
