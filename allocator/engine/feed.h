/* What one sender has told the engine about tenants: a list that is read again as a whole is told
 * as what differs from the last one. Holds keys, no configuration. Threads: the sender's. */
#ifndef OTEL_TA_ENGINE_FEED_H
#define OTEL_TA_ENGINE_FEED_H

#include "allocator/base/vec.h"
#include "allocator/engine/tenantmail.h"
#include "allocator/tenant/tenants.h"

struct feed_row { /* what was told of one tenant */
    char *ns, *name;
    char *file; /* where it came from */
    uint64_t key[2], collectors_key[2];
};

struct feed {
    struct mailbox *engine;
    VEC(struct feed_row) rows; /* by namespace and name */
    bool has_gaps;             /* some were told last */
};

void feed_init(struct feed *f, struct mailbox *engine);
/* These are all tenants there are. Tells the engine what is new, changed or gone since the last
 * time, tenant by tenant, what is missing because of a fault, and that this was all. What is
 * missing and was told some time stays as it is. Empties 'tenants'; the number told about. */
size_t feed_tell(struct feed *f, struct tenants *tenants);
/* The same piece by piece, for whoever knows what has changed; in force with feed_complete().
 * 'file' of the tenant is what gaps call it by. Empties '*tenant'; false: that was told before. */
bool feed_put(struct feed *f, struct tenant **tenant);
bool feed_drop(struct feed *f, struct span ns, struct span name);
bool feed_put_gaps(struct feed *f, struct gaps *gaps); /* all there are; moves them */
void feed_complete(struct feed *f);
/* A tenant that was told has these collectors now; nothing when it was not, or has them. Moves
 * '*list'; true when there was something to tell. */
bool feed_tell_collectors(struct feed *f, struct span ns, struct span name,
                          struct collectorlist *list);
/* The engine refused the tenant: the next time it is told about again. */
void feed_forget(struct feed *f, struct span ns, struct span name);
void feed_fini(struct feed *f);

#endif
