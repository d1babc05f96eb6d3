/* The name of a scrape job, in two forms that must not be mixed up and so are two types: as it
 * stands in a Collector's configuration, where "$$" means "$", and as collectors read it, which is
 * the name that the allocator, its URLs and everybody else knows. The annotation keeps originals
 * under names as written; our URL names the job as it is read. Receivers have one form only:
 * collectors read keys as they are. Threads: any. */
#ifndef OTEL_TA_TENANT_JOBNAME_H
#define OTEL_TA_TENANT_JOBNAME_H

#include "allocator/base/arena.h"
#include "allocator/codec/node.h"

struct jobname_written {
    struct span text;
};

struct jobname_read {
    struct span text;
};

/* Borrows 'written', or is in the arena. */
struct jobname_read jobname_read(struct jobname_written written, struct arena *arena);
/* That of a job; false: it has none that is text. */
bool jobname_of(const struct node *job, struct jobname_written *out);
/* Is a name (NULL: none) read as it is spelled, whoever reads it? One that YAML takes for a number
 * or a truth becomes text again, by way of JSON or of a collector: 0x10 comes out as 16, yes as
 * true, 5 as 5. */
bool jobname_is_sure(const struct node *name);

#endif
