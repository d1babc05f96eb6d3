/* Watches small files for somebody else (the keeper: configuration, certificates) and rings when
 * their content changed and then was quiet for a second, so that a half-written set is not acted
 * upon; three seconds after the first change it rings in any case, so that a file which is written
 * all the time holds up nobody. Content is compared, also every ten seconds without any event, for
 * file systems that tell nothing. Cost: a file is read when it has an event, and no more than once
 * a second then, however often it is written. Threads: the watcher's. */
#ifndef OTEL_TA_WATCH_FILEALARM_H
#define OTEL_TA_WATCH_FILEALARM_H

#include "allocator/watch/dirwatch.h"

struct filealarm;

struct filealarm *filealarm_new(struct dirwatch *dirs);
/* Replaces the list, where a path that ends in '/' is a folder, whose content is the names in it
 * but for those that begin with a dot; 'fd' is an eventfd of the caller. It rings once even when
 * nothing changes from now on: the caller has read the files before they were watched, and has to
 * look once after. */
void filealarm_set(struct filealarm *f, char *const *paths, size_t n, int fd, int64_t now_ms)
    ON(watcher);
int64_t filealarm_deadline_ms(const struct filealarm *f);
void filealarm_tick(struct filealarm *f, int64_t now_ms) ON(watcher);
void filealarm_free(struct filealarm **f) ON(watcher);

#endif
