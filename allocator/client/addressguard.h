/* Which addresses a request may reach that somebody asked for who does not own this process:
 * everything but what is this host's own or its link's, where there is no wall around the process:
 * loopback, link-local (the cloud's metadata), the unspecified address, multicast; also as they are
 * written in IPv6 (mapped, NAT64, the metadata address of AWS). Names are resolved before: what is
 * checked is what is connected to. Pure. Threads: any. */
#ifndef OTEL_TA_CLIENT_ADDRESSGUARD_H
#define OTEL_TA_CLIENT_ADDRESSGUARD_H

#include <stdbool.h>
#include <sys/socket.h>

bool addressguard_allows(const struct sockaddr *address);

#endif
