#include "allocator/client/proxyrule.h"

#include <arpa/inet.h>
#include <stdlib.h>

enum { IP_BYTES = 16 };

struct place {
    struct span host; /* without brackets */
    const char *port;
    bool is_ip;
    unsigned char ip[IP_BYTES]; /* IPv4 as IPv6 has it */
};

/* ---- addresses */

static bool parse_ip(struct span text, unsigned char out[IP_BYTES], bool *out_is_v4)
{
    static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };
    char copy[INET6_ADDRSTRLEN];

    if (text.len == 0 || text.len >= sizeof(copy)) {
        return false;
    }
    memcpy(copy, text.p, text.len);
    copy[text.len] = '\0';
    *out_is_v4 = memchr(copy, ':', text.len) == NULL;
    if (*out_is_v4) {
        memcpy(out, mapped, sizeof(mapped));
        return inet_pton(AF_INET, copy, out + sizeof(mapped)) == 1;
    }
    return inet_pton(AF_INET6, copy, out) == 1;
}

static bool has_prefix(const unsigned char ip[IP_BYTES], const unsigned char net[IP_BYTES],
                       unsigned n_bits)
{
    unsigned n_bytes = n_bits / 8, rest = n_bits % 8;
    unsigned mask = 0xffu << (8 - rest) & 0xffu;

    return memcmp(ip, net, n_bytes) == 0 &&
           (rest == 0 || ((ip[n_bytes] ^ net[n_bytes]) & mask) == 0);
}

/* True when 'entry' is a network; 'out' says whether the place is in it. */
static bool is_network(struct span entry, const struct place *to, bool *out)
{
    const char *slash = entry.len == 0 ? NULL : memchr(entry.p, '/', entry.len);
    unsigned char net[IP_BYTES];
    bool is_v4;

    if (slash == NULL || !parse_ip(span_make(entry.p, (size_t)(slash - entry.p)), net, &is_v4)) {
        return false;
    }
    struct span digits = span_from(entry, (size_t)(slash - entry.p) + 1);
    unsigned n_bits = 0;
    for (size_t i = 0; i < digits.len; i++) {
        if (digits.p[i] < '0' || digits.p[i] > '9' || n_bits > 128) {
            return false;
        }
        n_bits = n_bits * 10 + (unsigned)(digits.p[i] - '0');
    }
    if (digits.len == 0 || n_bits > (is_v4 ? 32 : 128)) {
        return false;
    }
    *out = to->is_ip && has_prefix(to->ip, net, n_bits + (is_v4 ? 96 : 0));
    return true;
}

/* ---- one entry */

/* "host:port", "[host]:port" → host and port; false when it has no port, or two colons. */
static bool split_port(struct span entry, struct span *out_host, struct span *out_port)
{
    const char *colon = entry.len == 0 ? NULL : memrchr(entry.p, ':', entry.len);

    if (colon == NULL) {
        return false;
    }
    struct span host = span_make(entry.p, (size_t)(colon - entry.p));
    bool has_brackets = host.len > 1 && host.p[0] == '[' && host.p[host.len - 1] == ']';
    if (!has_brackets && host.len > 0 && memchr(host.p, ':', host.len) != NULL) {
        return false;
    }
    *out_host = has_brackets ? span_make(host.p + 1, host.len - 2) : host;
    *out_port = span_from(entry, host.len + 1);
    return true;
}

static bool ends_with_nocase(struct span s, struct span end)
{
    return s.len >= end.len &&
           (end.len == 0 || strncasecmp(s.p + s.len - end.len, end.p, end.len) == 0);
}

static bool matches_name(struct span name, struct span host)
{
    if (span_has_prefix(name, "*.")) {
        name = span_from(name, 1);
    }
    if (name.p[0] == '.') {
        return ends_with_nocase(host, name);
    }
    return ends_with_nocase(host, name) &&
           (host.len == name.len || host.p[host.len - name.len - 1] == '.');
}

static bool matches(struct span entry, const struct place *to)
{
    struct span host = entry, port = { "", 0 };
    unsigned char ip[IP_BYTES];
    bool is_in = false, is_v4;

    if (span_is(entry, "*")) {
        return true;
    }
    if (is_network(entry, to, &is_in)) {
        return is_in;
    }
    if (!split_port(entry, &host, &port)) {
        host = entry;
        port = SPAN_LIT("");
    }
    if (host.len == 0 || (port.len > 0 && !span_is(port, to->port))) {
        return false;
    }
    if (parse_ip(host, ip, &is_v4)) {
        return to->is_ip && memcmp(ip, to->ip, IP_BYTES) == 0;
    }
    return matches_name(host, to->host);
}

bool proxyrule_excepts(struct span no_proxy, const struct origin *to)
{
    struct place place = { .host = span_of(to->host), .port = to->port };
    bool is_v4;

    if (origin_is_loopback(to)) {
        return true;
    }
    if (place.host.len > 1 && place.host.p[0] == '[') {
        place.host = span_make(place.host.p + 1, place.host.len - 2);
    }
    place.is_ip = parse_ip(place.host, place.ip, &is_v4);
    while (no_proxy.len > 0) {
        const char *comma = memchr(no_proxy.p, ',', no_proxy.len);
        size_t len = comma == NULL ? no_proxy.len : (size_t)(comma - no_proxy.p);
        struct span entry = span_trim(span_make(no_proxy.p, len));
        if (entry.len > 0 && matches(entry, &place)) {
            return true;
        }
        no_proxy = span_from(no_proxy, comma == NULL ? len : len + 1);
    }
    return false;
}
