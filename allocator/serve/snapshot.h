/* What the serving threads read: an immutable index of response bodies. The engine builds it,
 * publishes it, and frees what is no longer reachable; a serving thread only ever holds a counted
 * reference to a snapshot.
 *
 * Reclamation: parts (pages, page rows, directories, fragments of targets) carry no count of their
 * own. When the engine drops a part from the state, it hands it to publisher_retire(); it is freed
 * once every snapshot older than the next published one is released. So nothing is freed on a
 * serving thread and a pinned request keeps all it needs.
 *
 * Threads: build, publish, retire, reap on the engine; snapshot_get/put and all reads anywhere. */
#ifndef OTEL_TA_SERVE_SNAPSHOT_H
#define OTEL_TA_SERVE_SNAPSHOT_H

#include "allocator/base/arena.h"
#include "allocator/base/ref.h"
#include "allocator/base/span.h"
#include "allocator/base/thread.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

/* ---- page: one response body for (job, collector): '[' parts joined by ',' ']' as pieces ready
 * for writev. A part is one target as JSON in two pieces: its own bytes and a tail it shares with
 * targets that look alike. */
struct page_part {
    struct span
        own; /* ,{"targets":["a:1"],"labels":{"__address__":"a:1","own":"x"   — starts with ',' */
    struct span
        shared; /* ,"k":"v","l":"w"}}                                           — ends with "}}" */
};
struct page {
    size_t n_targets;
    size_t bytes;
    size_t n_pieces;
    struct iovec pieces[]; /* borrow the bytes of the parts */
};
struct page *page_new(const struct page_part *parts, size_t n);
void page_free(struct page *page);

/* ---- row: the pages of one job, by collector index of its tenant. NULL page = nothing assigned:
 * "[]". */
struct page_row {
    size_t n_collectors;
    size_t n_targets; /* kept, assigned or not */
    const struct page *pages[];
};

/* ---- directory: who exists. Rebuilt only when jobs, collectors or configurations change. */
struct directory_tenant { /* one Collector CR; drop-in mode has one with empty names */
    struct span ns, name;
    const struct span *collectors; /* sorted by name */
    size_t n_collectors;
    const struct span *addresses; /* of the same; NULL or empty: not known */
};
struct directory_job {
    size_t tenant;
    struct span receiver; /* "prometheus" or empty = default */
    struct span name;
    struct span config, config_masked; /* JSON of the complete scrape config; empty: not listed */
};
struct directory;
/* Copies everything; jobs in any order; the order of rows in a snapshot is the order given here.
 * Also renders the bodies of /jobs and /scrape_configs (sorted by name; plain and gzip; for all
 * tenants and for each). */
struct directory *directory_new(const struct directory_tenant *tenants, size_t n_tenants,
                                const struct directory_job *jobs, size_t n_jobs);
void directory_free(struct directory *d);

/* ---- snapshot */
struct snapshot {
    struct ref ref;
    uint64_t sequence;
    bool is_synced; /* every job had its first result: before that /jobs/… answers 503 */
    const struct directory *directory;
    size_t n_jobs;
    const struct page_row *rows[]; /* by job; NULL: it had no first result yet, answer 503 */
};
void snapshot_get(const struct snapshot *s);
void snapshot_put(const struct snapshot *s); /* never frees: the publisher reaps */

/* ---- publisher (engine) */
struct publisher;
struct publisher *publisher_new(void);
/* Makes the next snapshot from 'rows' (array of n_jobs pointers, copied), makes it current, returns
 * it with one reference for the caller to hand out (or put). The publisher keeps its own. */
const struct snapshot *publisher_publish(struct publisher *p, const struct directory *d,
                                         const struct page_row *const *rows, size_t n_jobs,
                                         bool is_synced) ON(engine);
/* 'part' is no longer in the state: free_fn(part) runs when no older snapshot lives. */
void publisher_retire(struct publisher *p, void *part, void (*free_fn)(void *part)) ON(engine);
/* Frees what can be freed; returns how many snapshots live (1 = only the current one). Cheap; call
 * it often. */
size_t publisher_reap(struct publisher *p) ON(engine);
/* What a reader still pins is never freed then, nor what it shows: a connection that does not close
 * at the end of the process keeps its answer. */
void publisher_free(struct publisher **p);

#endif
