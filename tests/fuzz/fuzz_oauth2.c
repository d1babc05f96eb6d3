/* What a token endpoint answers: never more than one header line comes out of it. The first byte
 * picks the type. */
#include "allocator/client/oauth2.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span body = { (const char *)data, size }, got = { 0 };
    bool is_form = size > 0 && data[0] == '&';
    int64_t expires_in_s = 0;
    struct arena arena;
    struct err err;

    arena_init(&arena);
    if (oauth2_parse_token(is_form ? SPAN_LIT("text/plain") : SPAN_LIT("application/json"), body,
                           &arena, &got, &expires_in_s, &err) == 0) {
        for (size_t i = 0; i < got.len; i++) {
            if ((unsigned char)got.p[i] < ' ') {
                abort();
            }
        }
        if (got.len == 0) {
            abort();
        }
    }
    arena_fini(&arena);
    return 0;
}
