/* The Collectors of a cluster, and the pods of each, as they are watched (watch/watcher.h): tells
 * the feed which tenants there are, one by one as they change. Of a Collector counts what its
 * author says and what a rewrite has left in its annotation; one with a fault costs itself and
 * keeps what it had. In force with the first whole list of both; before that nothing is known,
 * which is not empty: unless the API server says that it will not tell, which is told as a gap.
 *
 *  stage \ told of Collectors | a list, events        | will not tell          | goes on
 *  waiting                    | known                 | refused: a gap, empty  | –
 *  refused                    | known, no gap         | (another reason)       | –
 *  known                      | what changed          | what is known stays    | –
 *  … and 'waiting' lasts until pods are known, too, or are refused: then nobody has collectors.
 * A kind that was known and is not there has to be away for half a minute: an API server that
 * starts, or takes up another definition, knows none of them for a moment. A cluster that has no
 * v1beta1 is asked for v1alpha1; as soon as it has, that counts.
 *
 * Cost: a Collector that changes is read; one whose pods change is told its list. Threads: the
 * keeper's. */
#ifndef OTEL_TA_WEBHOOK_CLUSTERLIST_H
#define OTEL_TA_WEBHOOK_CLUSTERLIST_H

#include "allocator/engine/feed.h"
#include "allocator/kube/reflector.h"
#include "allocator/tenant/podgroups.h"
#include "allocator/watch/watcher.h"

struct cluster_row;

/* What is followed: the ids of arrivals. */
enum clusterlist_what {
    CLUSTERLIST_COLLECTORS, /* v1beta1 */
    CLUSTERLIST_OLD_COLLECTORS,
    CLUSTERLIST_PODS,
    CLUSTERLIST_N,
};

struct clusterlist_collection { /* how one of them goes */
    enum reflector_state state;
    bool is_absent; /* it was, and is not followed since: what is known of it is nothing */
    char *problem;  /* owned */
};

struct clusterlist {
    bool is_on; /* else there is no cluster, and nothing comes */
    struct tenants_options options;
    struct feed *feed;
    struct mailbox *box;
    struct watcher *watcher; /* or NULL */
    struct span namespace;
    struct replica collectors[CLUSTERLIST_PODS]; /* by version */
    enum clusterlist_what version;               /* that counts */
    bool asks_old;                               /* v1alpha1, too */
    int64_t absent_ms; /* since when there is neither; INT64_MAX: there is */
    struct podgroups pods;
    struct clusterlist_collection of[CLUSTERLIST_N];
    struct table by_key;   /* struct cluster_row, by "namespace/name" */
    struct table by_group; /* and by that of its pods */
    VEC(struct cluster_row *) dirty;
    size_t weight; /* of the jobs of all */
    bool is_told;  /* once */
    bool has_new_gaps;
};

void clusterlist_init(struct clusterlist *c);
/* 'options' are copied, 'feed', 'namespace' ("" for all) and 'watcher' borrowed. */
void clusterlist_start(struct clusterlist *c, const struct tenants_options *options,
                       struct span namespace, struct feed *feed, struct watcher *watcher);
/* The same without a watcher: whoever posts to 'box' plays it. */
void clusterlist_open(struct clusterlist *c, const struct tenants_options *options,
                      struct feed *feed);
/* To be polled; -1: nothing comes. */
int clusterlist_fd(const struct clusterlist *c);
/* How long the keeper may wait, at most 'most_ms'. */
int clusterlist_wait_ms(const struct clusterlist *c, int most_ms, int64_t now_ms);
/* Takes what was told, and what has become due; tells the feed. */
void clusterlist_turn(struct clusterlist *c, int64_t now_ms, int64_t wall_ms);
/* After the watcher has stopped. */
void clusterlist_fini(struct clusterlist *c);

#endif
