/* What of a configuration is not served since it has a fault: a whole file, or folder of files,
 * that cannot be read, or a Collector whose frame is broken. (A scrape job with a fault is told
 * with its Collector, scrape/scrapejob.h.) Whoever had what is missing keeps it. Threads: a list
 * belongs to one thread.
 */
#ifndef OTEL_TA_TENANT_GAP_H
#define OTEL_TA_TENANT_GAP_H

#include "allocator/base/vec.h"

#include <stdbool.h>

struct gap { /* texts are owned */
    char *file;
    char *ns, *name; /* of a Collector; NULL: whatever the file has */
    char *why;
};

struct gaps {
    struct gap *v;
    size_t n, cap;
};

/* Moves 'why'. */
void gaps_add_file(struct gaps *g, const char *file, char *why);
void gaps_add_collector(struct gaps *g, const char *file, struct span ns, struct span name,
                        char *why);
/* The Collector, which came from 'file', is among what is missing. */
bool gaps_cover(const struct gaps *g, const char *file, struct span ns, struct span name);
void gaps_fini(struct gaps *g);

#endif
