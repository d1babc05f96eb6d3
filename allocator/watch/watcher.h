/* The outward-I/O thread: turns wants into file watches, reads and HTTP polls, and posts what
 * arrives. One inotify instance for the process; events are matched to files. Keeps no discovered
 * objects. Threads: start and stop from the keeper. */
#ifndef OTEL_TA_WATCH_WATCHER_H
#define OTEL_TA_WATCH_WATCHER_H

#include "allocator/base/err.h"
#include "allocator/base/mailbox.h"
#include "allocator/discovery/ask.h"

struct watcher;

struct watcher_options {
    const char *kubeconfig; /* named by the operator; NULL: as the environment says */
    bool is_sandboxed;      /* nothing can be run: its exec plugin is refused */
    bool is_guarded; /* what wants ask over HTTP is not this host's own (client/addressguard.h) */
    const char *user_agent; /* "otel-ta/1.2.3", to API servers */
};
/* Texts are borrowed for as long as it lives. */
int watcher_start(const struct watcher_options *options, struct watcher **out,
                  struct err *err) MUST_USE;
/* Where the engine posts its wants (discovery/want.h). */
struct mailbox *watcher_mailbox(struct watcher *w);
/* Connects it to the engine: arrivals go there. Before the first want. NULL: nobody reads them any
 * more, and nobody posts wants. */
void watcher_connect(struct watcher *w, struct mailbox *engine);
/* Watches files of the keeper (configuration, certificates): 'fd' (an eventfd) is written when one
 * of 'paths' changed and was then quiet for a second; also polled every 10 s by content hash.
 * Replaces the previous list. */
void watcher_watch_files(struct watcher *w, const char *const *paths, size_t n, int fd);
/* Follows a collection for somebody else than the engine: 'to', the same for all, gets object
 * arrivals (discovery/objectarrival.h) with this 'id', and must be there until it has stopped.
 * 'ask' is copied. */
void watcher_follow(struct watcher *w, uint64_t id, const struct ask_kube *ask, struct mailbox *to);
/* While the engine it is connected to still runs: each lets go of the other. */
void watcher_stop(struct watcher **w);

#endif
