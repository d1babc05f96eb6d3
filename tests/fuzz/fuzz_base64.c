/* Base64 and zlib streams: what is accepted is canonical, and what is made is accepted. */
#include "allocator/base/limits.h"
#include "allocator/codec/base64.h"
#include "allocator/codec/zlib.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool is_true)
{
    if (!is_true) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span text = span_make((const char *)data, size);
    AUTO_BUF a, b;

    buf_init(&a, MIB);
    buf_init(&b, MIB);
    if (base64_decode(text, &a, NULL) == 0) {
        base64_encode(buf_span(&a), &b);
        require(span_eq(buf_span(&b), text));
        buf_clear(&b);
        (void)!zlib_inflate(buf_span(&a), &b, NULL);
    }
    buf_clear(&a);
    buf_clear(&b);
    base64_encode(text, &a);
    require(base64_decode(buf_span(&a), &b, NULL) == 0 && span_eq(buf_span(&b), text));

    buf_clear(&a);
    buf_clear(&b);
    zlib_deflate(text, 1 + (int)(size % 9), &a);
    require(zlib_inflate(buf_span(&a), &b, NULL) == 0 && span_eq(buf_span(&b), text));
    buf_clear(&a);
    (void)!zlib_inflate(text, &a, NULL);
    return 0;
}
