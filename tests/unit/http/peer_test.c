/* Which addresses are one peer, and how they are written. */
#include "allocator/http/peer.h"

#include "tests/check.h"

static struct sockaddr_storage address(const char *text)
{
    struct sockaddr_storage s = { 0 };
    struct sockaddr_in *v4 = (void *)&s;
    struct sockaddr_in6 *v6 = (void *)&s;

    if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
        s.ss_family = AF_INET;
    } else if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1) {
        s.ss_family = AF_INET6;
    }
    return s;
}

int main(void)
{
    static const struct {
        const char *a, *b;
        bool is_same;
    } t[] = {
        { "10.0.0.1", "10.0.0.1", true },
        { "10.0.0.1", "::ffff:10.0.0.1", true },
        { "10.0.0.1", "10.0.0.2", false },
        { "::ffff:10.0.0.1", "::ffff:10.0.0.2", false },
        { "2001:db8:0:1::1", "2001:db8:0:1:ffff::2", true },
        { "2001:db8:0:1::1", "2001:db8:0:2::1", false },
        { "::1", "10.0.0.1", false },
    };
    static const char *const texts[][2] = { { "10.0.0.1", "10.0.0.1" },
                                            { "::ffff:10.0.0.1", "10.0.0.1" },
                                            { "::1", "::1" } };

    for (size_t i = 0; i < COUNT(t); i++) {
        struct sockaddr_storage a = address(t[i].a), b = address(t[i].b);
        struct peer pa = peer_of((const void *)&a), pb = peer_of((const void *)&b);
        is_int(peer_is_same(&pa, &pb), t[i].is_same, "%s and %s", t[i].a, t[i].b);
    }
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct sockaddr_storage a = address(texts[i][0]);
        char text[INET6_ADDRSTRLEN];
        is_str(peer_text((const void *)&a, text), texts[i][1], "text of %s", texts[i][0]);
    }
    struct sockaddr_storage none = { .ss_family = AF_UNIX };
    char text[INET6_ADDRSTRLEN];
    ok(peer_text((const void *)&none, text) == NULL, "no text of another family");
    return check_done();
}
