/* What comes back of a want over CARRIER_KUBE: objects that became known, and how it goes. Instead
 * of arrivals, which it never has, and this is the contract for the mechanism that reads them.
 *
 * A want is one collection: a section that needs several (endpoints, and the pods behind them) has
 * several wants. Equal wants are served by one reflector, so the engine has one want for each and
 * keeps what it made of the objects: who joins later is served from that, and nothing is asked.
 *
 * 'batch' is read as objectbatch.h says, and by nobody else's rules: until the first commit the
 * collection is not known (not empty: its jobs have no answer), afterwards it is known for ever,
 * and failures only make it old. WATCHER_WANT_REFRESH makes a list come that leaves nothing out;
 * WATCHER_WANT_REDELIVER does nothing, for there is no body to be given again: what is unreadable
 * of one object costs that object, which stays as it was. ARRIVAL_SETTLED has no counterpart: a
 * want was tried once 'is_synced' or 'state' is not REFLECTOR_STARTING.
 *
 * 'state' and 'problem' go to /readyz?verbose, with the name of the resource. Threads: moved with a
 * mailbox. */
#ifndef OTEL_TA_DISCOVERY_OBJECTARRIVAL_H
#define OTEL_TA_DISCOVERY_OBJECTARRIVAL_H

#include "allocator/base/mailbox.h"
#include "allocator/kube/reflector.h"

struct object_arrival { /* ENGINE_OBJECTS */
    struct mail mail;
    uint64_t want;
    int64_t seen_us;           /* clock_mono_us() when the last bytes of it came */
    struct objectbatch *batch; /* NULL: only how it goes has changed */
    enum reflector_state state;
    char *problem; /* "" when there is none */
};

/* Takes a reference of 'batch' for itself. */
struct object_arrival *object_arrival_new(uint64_t want, struct objectbatch *batch,
                                          const struct reflector_report *report);
/* Moves it to the engine; without one ('engine' is NULL) it is freed. Rings no bell. */
void object_arrival_post(struct object_arrival *arrival, struct mailbox *engine);

#endif
