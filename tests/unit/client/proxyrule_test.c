#include "allocator/client/proxyrule.h"

#include "tests/check.h"

#include <stdio.h>

int main(void)
{
    static const struct {
        const char *no_proxy, *host, *port;
        bool excepts;
    } t[] = {
        { "", "h", "80", false },
        { "", "localhost", "80", true },
        { "", "127.9.9.9", "80", true },
        { "", "[::1]", "80", true },
        { "*", "h", "80", true },
        { " a , * ", "h", "80", true },
        { "example.com", "example.com", "80", true },
        { "example.com", "a.Example.COM", "80", true },
        { "EXAMPLE.com", "example.com", "80", true },
        { "example.com", "badexample.com", "80", false },
        { "example.com", "com", "80", false },
        { ".example.com", "a.example.com", "80", true },
        { ".example.com", "example.com", "80", false },
        { "*.example.com", "a.example.com", "80", true },
        { "*.example.com", "example.com", "80", false },
        { "example.com:8080", "example.com", "8080", true },
        { "example.com:8080", "a.example.com", "8080", true },
        { "example.com:8080", "example.com", "80", false },
        { ":8080", "example.com", "8080", false },
        { "a,,b", "b", "80", true },
        { "a,,b", "c", "80", false },
        { ",", "", "80", false },
        { "10.0.0.0/8", "10.1.2.3", "80", true },
        { "10.0.0.0/8", "11.1.2.3", "80", false },
        { "10.0.0.0/8", "a10.1.2.3", "80", false },
        { "10.1.2.0/23", "10.1.3.255", "80", true },
        { "10.1.2.0/23", "10.1.4.0", "80", false },
        { "10.1.2.3/32", "10.1.2.3", "80", true },
        { "0.0.0.0/0", "10.1.2.3", "80", true },
        { "10.0.0.0/33", "10.1.2.3", "80", false },
        { "10.0.0.0/", "10.1.2.3", "80", false },
        { "10.0.0.0/x", "10.0.0.0", "80", false },
        { "fd00::/8", "[fd12::1]", "80", true },
        { "fd00::/8", "[fe12::1]", "80", false },
        { "10.0.0.0/8", "[fd12::1]", "80", false },
        { "10.1.2.3", "10.1.2.3", "80", true },
        { "10.1.2.3", "10.1.2.30", "80", false },
        { "10.1.2.3:81", "10.1.2.3", "81", true },
        { "10.1.2.3:81", "10.1.2.3", "80", false },
        { "fd12::1", "[fd12:0::1]", "80", true },
        { "[fd12::1]:81", "[fd12::1]", "81", true },
        { "[fd12::1]:81", "[fd12::1]", "80", false },
        { "1.2.3.4.5.6.7.8.9.10.11.12.13.14.15.16.17.18.19.20.21.22.23", "10.1.2.3", "80", false },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        char scheme[] = "http", host[64], port[8];
        const struct origin to = { scheme, host, port };
        snprintf(host, sizeof(host), "%s", t[i].host);
        snprintf(port, sizeof(port), "%s", t[i].port);
        is_int(proxyrule_excepts(span_of(t[i].no_proxy), &to), t[i].excepts, "'%s': %s:%s",
               t[i].no_proxy, t[i].host, t[i].port);
    }
    return check_done();
}
