/* What one section of kubernetes_sd_configs sees: the objects of its role and those they are joined
 * with, and which of them must be digested anew when something changes. Whatever a digest looks up,
 * found or not, is remembered; a change of it touches exactly the objects that had asked. Pure.
 *
 * Every source is digested once for all who share the section, whatever they make of it.
 *
 * Source: Prometheus discovery/kubernetes. Differences: there a pod's change does not reach the
 * endpoints that it belongs to before something else happens to them; here it does at once.
 * Threads: a join, its replicas and the batch belong to one thread. */
#ifndef OTEL_TA_DISCOVERY_ROLEJOIN_H
#define OTEL_TA_DISCOVERY_ROLEJOIN_H

#include "allocator/discovery/role.h"
#include "allocator/kube/replica.h"

struct rolejoin;

struct rolejoin_hooks {
    /* A source has other targets now: 'in' is to be digested, and is good only during the call.
     * NULL: the object is gone, its targets with it. 'name': "pod/shop/web-0". */
    void (*changed)(void *arg, struct span name, const struct role_input *in);
    void *arg;
};

/* 'parts' are the collections that the section may look at, each of one kind; borrowed. */
struct rolejoin *rolejoin_new(const struct role_ops *role, struct role_attach attach,
                              const struct replica *const *parts, size_t n_parts);
/* The object 'key' of part 'part' has changed (replica_hooks). */
void rolejoin_touch(struct rolejoin *j, size_t part, struct span key);
/* All of its parts are known: before that nobody can say what targets there are. */
bool rolejoin_is_ready(const struct rolejoin *j);
/* Once it is ready: tells what was touched. */
void rolejoin_flush(struct rolejoin *j, const struct rolejoin_hooks *hooks);
/* For one who joins: every source there is, touched or not. */
void rolejoin_tell_all(struct rolejoin *j, const struct rolejoin_hooks *hooks);
/* The same in the order of their names, to one who only looks. */
void rolejoin_show_all(struct rolejoin *j, const struct rolejoin_hooks *hooks);
size_t rolejoin_count(const struct rolejoin *j); /* its sources */
void rolejoin_free(struct rolejoin **j);

#endif
