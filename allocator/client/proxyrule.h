/* Where no proxy is asked, although there is one: no_proxy as Go reads it (config.useProxy of
 * golang.org/x/net/http/httpproxy), which libcurl reads in another way. A list with commas:
 * addresses and networks, names (example.com is that and all below it, .example.com or
 * *.example.com only what is below), either with a port, or * for all. Loopback needs no entry.
 * Deviation: names are compared as they are written, not as IDNA has them. Threads: any. */
#ifndef OTEL_TA_CLIENT_PROXYRULE_H
#define OTEL_TA_CLIENT_PROXYRULE_H

#include "allocator/base/span.h"
#include "allocator/client/origin.h"

bool proxyrule_excepts(struct span no_proxy, const struct origin *to);

#endif
