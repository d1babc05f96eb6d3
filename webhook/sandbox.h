/* What 'serve' gives up once it runs: new privileges, core dumps (keys lie in memory), being
 * traced, and every system call that starts programs, mounts, traces, loads code into the kernel or
 * changes namespaces (they then fail with EPERM). Threads: main thread, after all others have
 * started; the filter covers them all. */
#ifndef OTEL_TA_WEBHOOK_SANDBOX_H
#define OTEL_TA_WEBHOOK_SANDBOX_H

#include "allocator/base/err.h"

/* ERR_IO when the kernel refuses; what was given up until then stays given up. */
int sandbox_enter(struct err *err) MUST_USE;

#endif
