/* Makes snapshots, and frees what no reader can reach any more.
 *
 * Reclamation: parts (pages, page rows, directories, tails of targets) carry no count of their
 * own. When the engine drops a part from the state, it hands it to publisher_retire(); it is freed
 * once every snapshot older than the next published one is released. So nothing is freed on a
 * serving thread and a pinned request keeps all it needs.
 *
 * Threads: the engine's. */
#ifndef OTEL_TA_SERVE_PUBLISHER_H
#define OTEL_TA_SERVE_PUBLISHER_H

#include "allocator/base/thread.h"
#include "allocator/serve/snapshot.h"

struct publisher;
struct publisher *publisher_new(void);
/* Makes the next snapshot from 'rows' (array of n_jobs pointers, copied), makes it current, returns
 * it with one reference for the caller to hand out (or put). The publisher keeps its own. */
const struct snapshot *publisher_publish(struct publisher *p, const struct directory *d,
                                         const struct page_row *const *rows, size_t n_jobs,
                                         bool is_synced) ON(engine);
/* 'part', which takes so many bytes, is no longer in the state: free_fn(part) runs when no older
 * snapshot lives. NULL: nothing. */
void publisher_retire(struct publisher *p, void *part, size_t bytes, void (*free_fn)(void *part))
    ON(engine);
/* Frees what can be freed; returns how many snapshots live (1 = only the current one). Cheap; call
 * it often. */
size_t publisher_reap(struct publisher *p) ON(engine);
/* When old snapshots hold more than LIMIT_PINNED_…: readers of this sequence and of older ones
 * should end, so that half of that is held; else 0. */
uint64_t publisher_crowding(const struct publisher *p) ON(engine);
/* What a reader still pins is never freed then, nor what it shows: a connection that does not close
 * at the end of the process keeps its answer. */
void publisher_free(struct publisher **p);

#endif
