/* What a credential plugin prints: what is taken has a token without line breaks or a certificate
 * with its key. */
#include "allocator/kube/execcredential.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct execcredential c;
    struct arena arena;

    arena_init(&arena);
    if (execcredential_read((struct span){ (const char *)data, size },
                            SPAN_LIT("client.authentication.k8s.io/v1"), &arena, &c, NULL) == 0) {
        if ((c.token.len == 0 && c.cert_pem.len == 0) ||
            (c.cert_pem.len > 0) != (c.key_pem.len > 0) || c.expires_ms < 0 ||
            (c.token.len > 0 && (memchr(c.token.p, '\n', c.token.len) != NULL ||
                                 memchr(c.token.p, '\r', c.token.len) != NULL))) {
            abort();
        }
    }
    arena_fini(&arena);
    return 0;
}
