#include "allocator/serve/gzip.h"

#include <assert.h>
#include <strings.h>
#include <zlib.h>

enum {
    LEVEL =
        4, /* bodies are made on the engine thread: near the best ratio at a third of the time */
    WINDOW_GZIP = 15 + 16,
    MEMORY = 8,
    INPUT_STEP = 1 << 20, /* zlib counts in unsigned int */
};

void gzip_compress(struct span in, struct buf *out)
{
    z_stream z = { 0 };
    int rc = deflateInit2(&z, LEVEL, Z_DEFLATED, WINDOW_GZIP, MEMORY, Z_DEFAULT_STRATEGY);

    assert(rc == Z_OK); /* wrong parameters or no memory */
    do {
        if (z.avail_in == 0 && in.len > 0) {
            size_t step = in.len < INPUT_STEP ? in.len : INPUT_STEP;
            z.next_in = (Bytef *)(uintptr_t)in.p;
            z.avail_in = (uInt)step;
            in = span_from(in, step);
        }
        unsigned char chunk[16384];
        z.next_out = chunk;
        z.avail_out = sizeof(chunk);
        rc = deflate(&z, in.len == 0 ? Z_FINISH : Z_NO_FLUSH);
        buf_add(out, chunk, sizeof(chunk) - z.avail_out);
    } while (rc != Z_STREAM_END);
    deflateEnd(&z);
}

/* "q=0", "q=0.000": refused. */
static bool is_zero_weight(struct span parameter)
{
    parameter = span_trim(parameter);
    if (parameter.len < 3 || strncasecmp(parameter.p, "q=", 2) != 0) {
        return false;
    }
    for (size_t i = 2; i < parameter.len; i++) {
        if (parameter.p[i] != '0' && parameter.p[i] != '.') {
            return false;
        }
    }
    return true;
}

static struct span cut_at(struct span *rest, char stop)
{
    const char *at = memchr(rest->p, stop, rest->len);
    struct span before = { rest->p, at == NULL ? rest->len : (size_t)(at - rest->p) };

    *rest = span_from(*rest, before.len + 1);
    return before;
}

bool gzip_is_accepted(struct span accept_encoding)
{
    bool any = false;

    while (accept_encoding.len > 0) {
        struct span weight = cut_at(&accept_encoding, ',');
        struct span coding = span_trim(cut_at(&weight, ';'));

        if (span_is_nocase(coding, "gzip") || span_is_nocase(coding, "x-gzip")) {
            return !is_zero_weight(weight);
        }
        any |= span_is_nocase(coding, "*") && !is_zero_weight(weight);
    }
    return any;
}
