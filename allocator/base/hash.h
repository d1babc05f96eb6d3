/* The only door to xxHash and MD5.
 * Threads: any; no state outside the arguments. */
#ifndef OTEL_TA_BASE_HASH_H
#define OTEL_TA_BASE_HASH_H

#include "allocator/base/span.h"

#include <stdint.h>

/* XXH64, seed 0: the hash of upstream's identities and rings; may leave the process. */
uint64_t hash64(struct span s);

/* XXH64 in pieces. */
struct hash64_state {
    _Alignas(16) unsigned char opaque[96];
};
void hash64_begin(struct hash64_state *st);
void hash64_add(struct hash64_state *st, struct span s);
uint64_t hash64_end(const struct hash64_state *st);

/* XXH3: for tables and change detection inside the process. Another one in each process, so that
 * nobody can choose names that meet in one slot. */
uint64_t hash_fast(struct span s);

/* The last eight bytes of MD5(s), big-endian: what the relabel action hashmod takes the modulus of.
 */
uint64_t hash_md5_tail(struct span s);

/* A good 64-bit finaliser (bijective), for combining hashes. */
static inline uint64_t hash_mix(uint64_t x)
{
    x ^= x >> 30;
    x *= 0xbf58476d1ce4e5b9ULL;
    x ^= x >> 27;
    x *= 0x94d049bb133111ebULL;
    return x ^ (x >> 31);
}

#endif
