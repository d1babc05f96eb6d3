/* Listening sockets of one address, one per serving thread, and how many threads are worth having.
 * Threads: any; no state. */
#ifndef OTEL_TA_HTTP_LISTEN_H
#define OTEL_TA_HTTP_LISTEN_H

#include "allocator/base/err.h"

/* Opens 'n' sockets (SO_REUSEPORT, non-blocking, listening) on 'address': "host:port", ":8080"
 * (every address, IPv4 and IPv6), "[::1]:0" (port 0 picks one, the same for all). A port that
 * anybody listens on already is an error. What they accept has a send buffer of LIMIT_SEND_BUFFER:
 * left to grow, it takes megabytes of each answer, in memory that no cache has seen. On failure all
 * 'fds' are -1 and 'err' says why, without the address. */
int listen_all(const char *address, unsigned n, int *fds, unsigned *out_port,
               struct err *err) MUST_USE;

enum { LISTEN_NAME_MAX = 64 };
/* What a socket is bound to: "127.0.0.1:8080", "[::]:8080" for every address. */
void listen_name(int fd, char out[LISTEN_NAME_MAX]);

/* The cores this process may use: affinity mask and cgroup quota, at least 1. */
unsigned listen_cores(void);
/* How many cores a cgroup's cpu.max lets a process use, rounded up: "150000 100000", so many us of
 * processor in so many us. UINT_MAX: as many as there are ("max 100000"), also where it says
 * something else. */
unsigned listen_quota(const char *cpu_max);

#endif
