/* Go's path/filepath as configuration files use it, on Unix.
 * Threads: any. */
#ifndef OTEL_TA_SCRAPE_PATHTEXT_H
#define OTEL_TA_SCRAPE_PATHTEXT_H

#include "allocator/base/arena.h"

/* filepath.Join(base, path) of a relative 'path', so also cleaned ("a/./b/../c" is "a/c"). 'path'
 * itself when it is absolute or empty, or when 'base' is empty. Memory of 'arena'. */
struct span pathtext_join(struct span base, struct span path, struct arena *arena);
/* The folder of 'path': "." when it names none. Borrowed. */
struct span pathtext_dir(struct span path);

#endif
