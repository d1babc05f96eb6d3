/* 'otel-ta serve': builds watcher, engine, HTTP server and webhook, connects them, and is then the
 * main thread: signals, certificates, reloads, orderly stop. SIGTERM/SIGINT: readiness goes away,
 * the listeners stay for the shutdown delay, requests under way finish; a second signal stops at
 * once. SIGHUP: reload of configuration and certificates. Threads: main thread. */
#ifndef OTEL_TA_WEBHOOK_KEEPER_H
#define OTEL_TA_WEBHOOK_KEEPER_H

#include "webhook/settings.h"

/* Runs until told to stop; returns the exit code. 'config' is what it begins with; it is emptied as
 * soon as the engine was told. */
int keeper_run(const struct settings *s, struct configuration *config);

#endif
