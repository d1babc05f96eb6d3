/* Changes in directories, by one inotify instance for the process. A subscriber names a directory
 * and, if it cares for one file only, its name; events are matched to subscribers by a look-up. A
 * directory that cannot be watched (it is not there yet, or the system has no watches left) is
 * looked at every few seconds instead, and watched as soon as it can be. Threads: the watcher's. */
#ifndef OTEL_TA_WATCH_DIRWATCH_H
#define OTEL_TA_WATCH_DIRWATCH_H

#include "allocator/base/span.h"
#include "allocator/base/thread.h"

#include <stdint.h>

struct dirwatch;
struct dirwatch_sub;

enum dirwatch_event {
    DIRWATCH_READY,   /* this name: complete now (renamed into place, or closed after writing) */
    DIRWATCH_TOUCHED, /* this name: being written, created, or gone; may not be the end of it */
    DIRWATCH_UNSURE,  /* anything in the directory may be different: look yourself ('name' is empty)
                       */
};
/* Runs on the watcher. Must not add or remove subscribers. */
typedef void dirwatch_fn(void *arg, enum dirwatch_event event, struct span name);

struct dirwatch *dirwatch_new(void);
/* 'name' empty: every name is told. */
struct dirwatch_sub *dirwatch_add(struct dirwatch *d, struct span dir, struct span name,
                                  dirwatch_fn *fn, void *arg) ON(watcher);
void dirwatch_remove(struct dirwatch *d, struct dirwatch_sub **sub) ON(watcher);
/* The path may lead to another directory than when it was first watched: watches that one then, and
 * tells every subscriber of the path that it is unsure, this one too. */
void dirwatch_renew(struct dirwatch *d, const struct dirwatch_sub *sub) ON(watcher);
int dirwatch_fd(const struct dirwatch *d); /* -1: no inotify */
void dirwatch_read(struct dirwatch *d) ON(watcher);
/* When dirwatch_tick() is due; INT64_MAX: never. */
int64_t dirwatch_deadline_ms(const struct dirwatch *d);
void dirwatch_tick(struct dirwatch *d, int64_t now_ms) ON(watcher);
void dirwatch_free(struct dirwatch **d);

#endif
