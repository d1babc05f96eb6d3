/* Who is at the other end of a connection, as text and as something that can be counted.
 * Pure. Threads: any. */
#ifndef OTEL_TA_HTTP_PEER_H
#define OTEL_TA_HTTP_PEER_H

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdint.h>

struct peer {
    /* IPv6, or IPv4 mapped into it. Of IPv6 the first half only: the other half costs its owner
     * nothing, so that he could be 2^64 peers. */
    uint8_t party[16];
};

/* All zeros when the family is neither. */
struct peer peer_of(const struct sockaddr *address);
bool peer_is_same(const struct peer *a, const struct peer *b);
/* "10.0.0.1" or "::1", without port, in 'out'; NULL when the family is neither. */
const char *peer_text(const struct sockaddr *address, char out[INET6_ADDRSTRLEN]);

#endif
