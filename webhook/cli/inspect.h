/* The commands that look without serving: 'check config', 'check service-discovery', 'allocate',
 * 'explain'. They run the server's own code: the same readers, the same discovery, the same engine
 * state. Results go to standard output, faults to standard error. Threads: main thread; a watcher
 * thread while discovery runs. */
#ifndef OTEL_TA_WEBHOOK_CLI_INSPECT_H
#define OTEL_TA_WEBHOOK_CLI_INSPECT_H

#include "webhook/cli/options.h"

/* Runs the command of 'o', one of these four; returns the exit code. */
int inspect_run(const struct options *o);

#endif
