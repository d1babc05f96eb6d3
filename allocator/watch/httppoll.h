/* The http_sd sections: asks each URL at its interval, as Prometheus does (discovery/http/http.go):
 * no jitter, no back-off, the whole exchange limited to the interval, every failure keeps what is
 * known. Deviation: what has never answered is asked again after 1, 2, 4 … s, as long as that is
 * sooner, for whole jobs wait for it. A body that is the same as the last one is not passed on.
 * Threads: the watcher's. */
#ifndef OTEL_TA_WATCH_HTTPPOLL_H
#define OTEL_TA_WATCH_HTTPPOLL_H

#include "allocator/base/mailbox.h"
#include "allocator/client/client.h"
#include "allocator/discovery/want.h"

struct httppoll;

struct httppoll *httppoll_new(struct http_client *client);
void httppoll_connect(struct httppoll *p, struct mailbox *engine);
/* Moves 'want'; the first request starts at once. */
void httppoll_add(struct httppoll *p, struct want *want, int64_t now_ms) ON(watcher);
/* These ignore ids that are not here. */
void httppoll_again(struct httppoll *p, uint64_t id, int64_t now_ms) ON(watcher);
/* The next answer is passed on even when it is the same. */
void httppoll_retell(struct httppoll *p, uint64_t id) ON(watcher);
void httppoll_drop(struct httppoll *p, uint64_t id) ON(watcher);
int64_t httppoll_deadline_ms(const struct httppoll *p);
void httppoll_tick(struct httppoll *p, int64_t now_ms) ON(watcher);
void httppoll_free(struct httppoll **httppoll) ON(watcher);

#endif
