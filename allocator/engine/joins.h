/* What stands between the wants of kubernetes_sd_configs sections and the watcher: the collections
 * that they ask for, each asked once and kept once however many sections look at it
 * (kube/replica.h), and for each different section what it makes of them (discovery/rolejoin.h).
 * Toward the wants it is a carrier: it is given asks of CARRIER_JOIN and answers with sources and a
 * settlement; toward the watcher it is somebody with wants of CARRIER_KUBE.
 *
 *   join      known not all    known all
 *   added     waits            is told: all sources, settled
 *   refreshed waits            the same, once more
 *   objects   waits; with the  sources that are concerned
 *             last: all
 *             sources, settled
 *
 * A collection that cannot be read keeps its sections waiting; what was known of it once stays.
 * Nothing is told before joins_work(), so that whoever asks can first write down that he did.
 * Threads: the engine's. */
#ifndef OTEL_TA_ENGINE_JOINS_H
#define OTEL_TA_ENGINE_JOINS_H

#include "allocator/discovery/kubernetes.h"
#include "allocator/discovery/objectarrival.h"
#include "allocator/discovery/rolejoin.h"
#include "allocator/discovery/want.h"

struct joins_hooks {
    /* A source of the want has changed; 'in' NULL: is gone. */
    void (*source)(void *arg, uint64_t want, struct span name, const struct role_input *in);
    /* Everything that the want asks for was told; as often as it was asked. */
    void (*settled)(void *arg, uint64_t want);
    /* For the watcher: moved. */
    void (*post)(void *arg, struct mail *mail);
    void *arg;
};

struct joins {
    struct table joins, collections; /* by id; by key of the ask */
    struct table by_want;            /* collections again, by id of their want */
    struct joins_hooks hooks;
    VEC(uint64_t) due; /* joins that have something to tell */
};

void joins_init(struct joins *j, const struct joins_hooks *hooks);
/* 'want' is an id of wants.h, of which '*last_id' is the last one given out: collections get ids
 * from there. */
void joins_add(struct joins *j, uint64_t want, const struct sdconfig *section,
               const struct ask *ask, uint64_t *last_id);
void joins_refresh(struct joins *j, uint64_t want);
void joins_cancel(struct joins *j, uint64_t want);
/* Of a want of theirs; others are not looked at. */
void joins_arrive(struct joins *j, const struct object_arrival *a);
/* Tells what is to be told. */
void joins_work(struct joins *j);
/* Every source of the want that was told, by name, once more, to somebody who only looks. */
void joins_show(const struct joins *j, uint64_t want,
                void (*fn)(void *arg, struct span name, const struct role_input *in), void *arg);
void joins_fini(struct joins *j);

#endif
