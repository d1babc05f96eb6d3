/* Where a URL leads: scheme, host and port. Threads: any. */
#ifndef OTEL_TA_CLIENT_PLACE_H
#define OTEL_TA_CLIENT_PLACE_H

#include "allocator/client/libcurl.h"

#include <stdbool.h>

struct place {
    char *scheme, *host, *port; /* libcurl's */
};

/* False when one of them is missing; to be ended all the same. */
bool place_of(const struct libcurl *lib, CURLU *u, struct place *out);
void place_fini(const struct libcurl *lib, struct place *p);
/* Whether what is meant for 'from' may go to 'to': the same place, or the same host by https
 * instead of http. */
bool place_keeps_secrets(const struct place *from, const struct place *to);
/* What Go never asks a proxy of the environment for. */
bool place_is_loopback(const struct place *p);

#endif
