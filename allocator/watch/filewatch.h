/* The carrier of files: finds those of the patterns that are asked for, reads those that changed,
 * tells the engine, unless the bytes are the same. An event re-reads the one file it names; what
 * events cannot tell (a swapped link, a network file system, a folder that came late) is found by
 * looking at every file again at the refresh interval. Failure semantics: what cannot be read stays
 * as it was; what is gone is reported gone. A folder that cannot be listed to its end hides nothing
 * that is known: each file of it is looked at by its name. A pattern that nothing matches in a
 * folder that is there is an answer (none); a folder that was never there, and a file without
 * wildcards that was never there, are not (ARRIVAL_BLIND): who writes them has not come yet.
 * Threads: the watcher's. */
#ifndef OTEL_TA_WATCH_FILEWATCH_H
#define OTEL_TA_WATCH_FILEWATCH_H

#include "allocator/watch/dirwatch.h"
#include "allocator/watch/source.h"

/* 'max_files': of one want; more are not read, and what is known by then stays. Freed before 'dirs'
 * is. */
struct carrier_source *filewatch_new(struct dirwatch *dirs, size_t max_files);

#endif
