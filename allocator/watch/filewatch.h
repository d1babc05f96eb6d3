/* The file_sd sections: finds the files of their patterns, reads those that changed, tells the
 * engine, unless the bytes are the same. An event re-reads the one file it names; what events
 * cannot tell (a swapped link, a network file system, a folder that came late) is found by looking
 * at every file again at the refresh interval. Failure semantics: what cannot be read stays as it
 * was; what is gone is reported gone. A folder that cannot be listed to its end hides nothing that
 * is known: each file of it is looked at by its name. Threads: the watcher's. */
#ifndef OTEL_TA_WATCH_FILEWATCH_H
#define OTEL_TA_WATCH_FILEWATCH_H

#include "allocator/base/mailbox.h"
#include "allocator/discovery/want.h"
#include "allocator/watch/dirwatch.h"

struct filewatch;

/* 'max_files': of one want; more are not read, and what is known by then stays. */
struct filewatch *filewatch_new(struct dirwatch *dirs, size_t max_files);
void filewatch_connect(struct filewatch *f, struct mailbox *engine);
/* Moves 'want'; reads everything of it at once. */
void filewatch_add(struct filewatch *f, struct want *want, int64_t now_ms) ON(watcher);
/* These ignore ids that are not here. */
void filewatch_again(struct filewatch *f, uint64_t id, int64_t now_ms) ON(watcher);
/* A file that comes again is news even when its bytes are the same. */
void filewatch_retell(struct filewatch *f, uint64_t id) ON(watcher);
void filewatch_drop(struct filewatch *f, uint64_t id) ON(watcher);
int64_t filewatch_deadline_ms(const struct filewatch *f);
void filewatch_tick(struct filewatch *f, int64_t now_ms) ON(watcher);
void filewatch_free(struct filewatch **f) ON(watcher);

#endif
