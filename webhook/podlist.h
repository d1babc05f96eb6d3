/* The collectors of drop-in mode where they are pods: follows them (watch/watcher.h), and says who
 * they are, once that is known, and when it changes. Threads: the keeper's. */
#ifndef OTEL_TA_WEBHOOK_PODLIST_H
#define OTEL_TA_WEBHOOK_PODLIST_H

#include "allocator/tenant/collectorfollow.h"
#include "allocator/tenant/tenants.h"
#include "allocator/watch/watcher.h"

struct podlist {
    bool is_on; /* else everything is known, and never changes */
    struct mailbox *box;
    struct collectorfollow follow;
    int64_t due_ms; /* INT64_MAX: only when something is told */
};

void podlist_init(struct podlist *p);
/* From now on pods are collectors. 'ask' is borrowed for the call. */
void podlist_start(struct podlist *p, const struct ask_kube *ask, int64_t grace_ms,
                   struct watcher *watcher);
/* To be polled; -1: nothing comes. */
int podlist_fd(const struct podlist *p);
/* How long the keeper may wait, at most 'most_ms'. */
int podlist_wait_ms(const struct podlist *p, int most_ms, int64_t now_ms);
/* Takes what was told, and what has become due. */
void podlist_turn(struct podlist *p, int64_t now_ms, int64_t wall_ms);
bool podlist_is_known(const struct podlist *p);
/* Who they are, as of the last turn; '*out' is empty. */
void podlist_get(const struct podlist *p, struct collectorlist *out);
/* They are the collectors of all of 'tenants'. */
void podlist_put(const struct podlist *p, struct tenants *tenants);
/* After the watcher has stopped. */
void podlist_fini(struct podlist *p);

#endif
