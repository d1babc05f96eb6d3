/* The origin of a URL (RFC 6454): scheme, host and port. Threads: any. */
#ifndef OTEL_TA_CLIENT_ORIGIN_H
#define OTEL_TA_CLIENT_ORIGIN_H

#include "allocator/client/libcurl.h"

#include <stdbool.h>

struct origin {
    char *scheme, *host, *port; /* libcurl's */
};

/* False when one of them is missing; to be ended all the same. */
bool origin_of(const struct libcurl *lib, CURLU *u, struct origin *out);
void origin_fini(const struct libcurl *lib, struct origin *p);
/* Whether what is meant for 'from' may go to 'to': the same origin, or the same host by https
 * instead of http. */
bool origin_keeps_secrets(const struct origin *from, const struct origin *to);
/* What Go never asks a proxy of the environment for. */
bool origin_is_loopback(const struct origin *p);

#endif
