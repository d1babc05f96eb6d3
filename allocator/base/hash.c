#include "allocator/base/hash.h"

#include <assert.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

_Static_assert(sizeof(XXH64_state_t) <= sizeof(struct hash64_state),
               "hash64_state has room for XXH64's state");

uint64_t hash64(struct span s)
{
    return XXH64(s.p == NULL ? "" : s.p, s.len, 0);
}

void hash64_begin(struct hash64_state *st)
{
    XXH64_state_t state;

    XXH64_reset(&state, 0);
    memcpy(st->opaque, &state, sizeof(state));
}

void hash64_add(struct hash64_state *st, struct span s)
{
    XXH64_state_t state;

    if (s.len > 0) {
        memcpy(&state, st->opaque, sizeof(state));
        XXH64_update(&state, s.p, s.len);
        memcpy(st->opaque, &state, sizeof(state));
    }
}

uint64_t hash64_end(const struct hash64_state *st)
{
    XXH64_state_t state;

    memcpy(&state, st->opaque, sizeof(state));
    return XXH64_digest(&state);
}

/* Where the kernel put this program and its libraries: by chance, each time it starts. */
static inline uint64_t seed(void)
{
    return (uint64_t)(uintptr_t)&hash_fast + ((uint64_t)(uintptr_t)&malloc << 20);
}

uint64_t hash_fast(struct span s)
{
    return XXH3_64bits_withSeed(s.p == NULL ? "" : s.p, s.len, seed());
}

uint64_t hash_md5_tail(struct span s)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    uint64_t tail = 0;
    int ok = EVP_Digest(s.p == NULL ? "" : s.p, s.len, digest, &n, EVP_md5(), NULL);

    assert(ok == 1 && n == 16);
    (void)ok;
    for (unsigned i = n - 8; i < n; i++) {
        tail = tail << 8 | digest[i];
    }
    return tail;
}
