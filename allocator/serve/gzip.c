#include "allocator/serve/gzip.h"

#include "allocator/codec/zlib.h"

#include <strings.h>

/* Bodies are made on the engine thread: near the best ratio at a third of the time. */
#define LEVEL 4

void gzip_compress(struct span in, struct buf *out)
{
    zlib_deflate_gzip(in, LEVEL, out);
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
