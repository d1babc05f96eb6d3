#include "allocator/client/addressguard.h"

#include "allocator/base/err.h"

#include <string.h>

#include <arpa/inet.h>
#include <netinet/in.h>

struct prefix {
    uint32_t bits, mask;
};

static bool is_own4(uint32_t address)
{
    static const struct prefix own[] = {
        { 0x00000000, 0xff000000 }, /* 0.0.0.0/8: this host */
        { 0x7f000000, 0xff000000 }, /* 127.0.0.0/8 */
        { 0xa9fe0000, 0xffff0000 }, /* 169.254.0.0/16 */
        { 0xe0000000, 0xe0000000 }, /* 224.0.0.0/3: multicast, reserved, broadcast */
    };

    for (size_t i = 0; i < COUNT(own); i++) {
        if ((address & own[i].mask) == own[i].bits) {
            return true;
        }
    }
    return false;
}

static uint32_t last4(const struct in6_addr *address)
{
    uint32_t bits;

    memcpy(&bits, &address->s6_addr[12], sizeof(bits));
    return ntohl(bits);
}

static bool is_own6(const struct in6_addr *a)
{
    static const unsigned char nat64[12] = { 0x00, 0x64, 0xff, 0x9b };
    static const unsigned char metadata[16] = { 0xfd, 0x00, 0x0e, 0xc2, [14] = 0x02, [15] = 0x54 };
    bool is_link_local = a->s6_addr[0] == 0xfe && (a->s6_addr[1] & 0xc0) == 0x80;

    if (IN6_IS_ADDR_V4MAPPED(a) || memcmp(a->s6_addr, nat64, sizeof(nat64)) == 0) {
        return is_own4(last4(a));
    }
    if (IN6_IS_ADDR_V4COMPAT(a)) { /* also :: and ::1, which are none */
        return true;
    }
    return IN6_IS_ADDR_UNSPECIFIED(a) || IN6_IS_ADDR_LOOPBACK(a) || is_link_local ||
           a->s6_addr[0] == 0xff || memcmp(a->s6_addr, metadata, sizeof(metadata)) == 0;
}

bool addressguard_allows(const struct sockaddr *address)
{
    struct sockaddr_in four;
    struct sockaddr_in6 six;

    if (address->sa_family == AF_INET) {
        memcpy(&four, address, sizeof(four));
        return !is_own4(ntohl(four.sin_addr.s_addr));
    }
    if (address->sa_family == AF_INET6) {
        memcpy(&six, address, sizeof(six));
        return !is_own6(&six.sin6_addr);
    }
    return false;
}
