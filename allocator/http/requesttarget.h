/* What stands after the method of a request line, in its parts.
 * Threads: any. */
#ifndef OTEL_TA_HTTP_REQUESTTARGET_H
#define OTEL_TA_HTTP_REQUESTTARGET_H

#include "allocator/base/span.h"

struct requesttarget {
    struct span path;  /* before '?', undecoded */
    struct span query; /* after it, undecoded; empty when none */
    struct span host;
};

/* Takes "/path?query", and the absolute form "http://host/path?query" that proxies send: its host
 * goes before the Host header. Everything else ("*") is a path. The parts borrow from the
 * arguments. */
struct requesttarget requesttarget_split(struct span raw, struct span host_header);

#endif
