/* Which addresses are this host's own, in whatever way they are written. */
#include "allocator/client/addressguard.h"

#include "allocator/base/err.h"
#include "tests/check.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/un.h>

static bool is_allowed(const char *text)
{
    struct sockaddr_storage place = { 0 };
    struct sockaddr_in four = { .sin_family = AF_INET };
    struct sockaddr_in6 six = { .sin6_family = AF_INET6 };

    if (inet_pton(AF_INET, text, &four.sin_addr) == 1) {
        memcpy(&place, &four, sizeof(four));
    } else if (inet_pton(AF_INET6, text, &six.sin6_addr) == 1) {
        memcpy(&place, &six, sizeof(six));
    } else {
        ok(false, "%s is an address", text);
    }
    return addressguard_allows((const struct sockaddr *)&place);
}

int main(void)
{
    static const char *const own[] = {
        "127.0.0.1",
        "127.255.255.255",
        "0.0.0.0",
        "0.1.2.3",
        "169.254.169.254",
        "169.254.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fe80::1",
        "febf::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "::127.0.0.1",
        "64:ff9b::169.254.169.254",
        "64:ff9b::127.0.0.1",
        "fd00:ec2::254",
    };
    static const char *const others[] = {
        "10.0.0.1",    "192.168.1.1", "172.16.0.1",      "126.255.255.255",   "128.0.0.1",
        "169.253.1.1", "169.255.1.1", "223.255.255.255", "1.0.0.0",           "2001:db8::1",
        "fd00::1",     "fec0::1",     "::ffff:10.0.0.1", "64:ff9b::10.0.0.1", "fd00:ec2::253",
    };
    const struct sockaddr_un local = { .sun_family = AF_UNIX, .sun_path = "/run/x" };

    for (size_t i = 0; i < COUNT(own); i++) {
        ok(!is_allowed(own[i]), "%s is this host's own", own[i]);
    }
    for (size_t i = 0; i < COUNT(others); i++) {
        ok(is_allowed(others[i]), "%s is somebody else's", others[i]);
    }
    ok(!addressguard_allows((const struct sockaddr *)&local),
       "a socket in the file system is none");
    return check_done();
}
