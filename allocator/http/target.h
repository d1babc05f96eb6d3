/* What stands behind the method of a request line, in its parts.
 * Threads: any. */
#ifndef OTEL_TA_HTTP_TARGET_H
#define OTEL_TA_HTTP_TARGET_H

#include "allocator/base/span.h"

struct target {
    struct span path;  /* before '?', undecoded */
    struct span query; /* behind it, undecoded; empty when none */
    struct span host;
};

/* Takes "/path?query", and the absolute form "http://host/path?query" that proxies send: its host
 * goes before the Host header. Everything else ("*") is a path. The parts borrow from the
 * arguments. */
struct target target_split(struct span raw, struct span host_header);

#endif
