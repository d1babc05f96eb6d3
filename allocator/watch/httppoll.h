/* The carrier of URLs: asks each at its interval (polling.h), the whole exchange limited to the
 * interval, and takes 200 with a body of the type that was asked for. Source: Prometheus
 * discovery/http/http.go. Threads: the watcher's. */
#ifndef OTEL_TA_WATCH_HTTPPOLL_H
#define OTEL_TA_WATCH_HTTPPOLL_H

#include "allocator/client/client.h"
#include "allocator/watch/source.h"

/* Freed before 'client' is. */
struct carrier_source *httppoll_new(struct http_client *client);

#endif
