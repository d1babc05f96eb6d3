#include "allocator/http/peer.h"

#include <string.h>

static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

struct peer peer_of(const struct sockaddr *address)
{
    const struct sockaddr_in *v4 = (const void *)address;
    const struct sockaddr_in6 *v6 = (const void *)address;
    struct peer p = { 0 };

    if (address->sa_family == AF_INET) {
        memcpy(p.party, mapped, sizeof(mapped));
        memcpy(p.party + 12, &v4->sin_addr, 4);
    } else if (address->sa_family == AF_INET6) {
        memcpy(p.party, &v6->sin6_addr, IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr) ? 16 : 8);
    }
    return p;
}

bool peer_is_same(const struct peer *a, const struct peer *b)
{
    return memcmp(a->party, b->party, sizeof(a->party)) == 0;
}

const char *peer_text(const struct sockaddr *address, char out[INET6_ADDRSTRLEN])
{
    const struct sockaddr_in *v4 = (const void *)address;
    const struct sockaddr_in6 *v6 = (const void *)address;

    if (address->sa_family == AF_INET) {
        return inet_ntop(AF_INET, &v4->sin_addr, out, INET6_ADDRSTRLEN);
    }
    if (address->sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
        return inet_ntop(AF_INET, &v6->sin6_addr.s6_addr[12], out, INET6_ADDRSTRLEN);
    }
    if (address->sa_family == AF_INET6) {
        return inet_ntop(AF_INET6, &v6->sin6_addr, out, INET6_ADDRSTRLEN);
    }
    return NULL;
}
