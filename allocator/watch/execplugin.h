/* A program that prints credentials, run when they are needed: never waited for, ended when it
 * takes too long. It gets our environment and its own additions, nothing to read from, our standard
 * error, a process group for itself. Threads: the watcher's. */
#ifndef OTEL_TA_WATCH_EXECPLUGIN_H
#define OTEL_TA_WATCH_EXECPLUGIN_H

#include "allocator/kube/execcredential.h"

#define EXECPLUGIN_TIMEOUT_MS 30000
#define EXECPLUGIN_POLL_MS 20

struct execplugin;

/* 'config' is borrowed for as long as the plugin lives. */
struct execplugin *execplugin_new(const struct kubeconfig *config);
/* Runs it if what it last said is no good any more, or looks after it while it runs; true: it runs,
 * come back after EXECPLUGIN_POLL_MS. 'mono_ms' and 'wall_ms' are now. */
bool execplugin_is_running(struct execplugin *p, int64_t mono_ms, int64_t wall_ms);
/* What it said, until the next call of execplugin_is_running() that runs it. ERR_* when it failed;
 * it is then run again when it is next looked after. */
int execplugin_credential(struct execplugin *p, struct execcredential *out,
                          struct err *err) MUST_USE;
/* What it said was refused. */
void execplugin_forget(struct execplugin *p);
void execplugin_free(struct execplugin **p); /* ends it if it runs */

#endif
