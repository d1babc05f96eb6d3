#include "allocator/serve/gzip.h"

#include <zlib.h>

#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "tests/check.h"

static void test_accept(void)
{
    static const struct {
        const char *header;
        bool want;
    } t[] = {
        { "", false },
        { "gzip", true },
        { "GZIP", true },
        { "identity", false },
        { "deflate, gzip", true },
        { "gzip;q=0", false },
        { "gzip; q=0.0", false },
        { "gzip;q=0.5", true },
        { "*", true },
        { "*;q=0", false },
        { "br;q=1.0, gzip;q=0.8, *;q=0.1", true },
        { "gzip;q=0, *", false },
        { "x-gzip", true },
        { "gzipped", false },
        { ",,", false },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        is_int(gzip_is_accepted(span_of(t[i].header)), t[i].want, "Accept-Encoding: '%s'",
               t[i].header);
    }
}

static void round_trip(struct span in)
{
    AUTO_BUF packed;
    char *out = mem_alloc(in.len + 1);
    z_stream z = { 0 };

    buf_init(&packed, 64 * MIB);
    gzip_compress(in, &packed);
    is_int(buf_error(&packed), 0, "packed %zu bytes into %zu", in.len, packed.len);
    inflateInit2(&z, 15 + 16);
    z.next_in = (Bytef *)packed.p;
    z.avail_in = (uInt)packed.len;
    z.next_out = (Bytef *)out;
    z.avail_out = (uInt)in.len + 1;
    is_int(inflate(&z, Z_FINISH), Z_STREAM_END, "one member, complete");
    is_int(z.total_out, in.len, "same size");
    ok(in.len == 0 || memcmp(out, in.p, in.len) == 0, "same bytes");
    inflateEnd(&z);
    mem_free(out);
}

int main(void)
{
    char *big = mem_alloc(3 * MIB + 7);

    for (size_t i = 0; i < 3 * MIB + 7; i++) {
        big[i] = (char)(i * 2654435761u >> 24);
    }
    test_accept();
    round_trip(SPAN_LIT(""));
    round_trip(SPAN_LIT("{}"));
    round_trip((struct span){ big, MIB });
    round_trip((struct span){ big, 3 * MIB + 7 });
    mem_free(big);
    return check_done();
}
