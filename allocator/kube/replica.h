/* The objects of one collection as they are known, each as its cut (kube/object.h): what batches
 * (kube/objectbatch.h) tell, taken together. A list counts with its commit; what it brings is kept
 * aside until then, as cuts, so that a list never needs more room than what it is about. Pure.
 * Threads: a replica belongs to one thread. */
#ifndef OTEL_TA_KUBE_REPLICA_H
#define OTEL_TA_KUBE_REPLICA_H

#include "allocator/base/table.h"
#include "allocator/base/vec.h"
#include "allocator/kube/object.h"
#include "allocator/kube/objectbatch.h"

struct replica_object;

struct replica {
    enum object_kind kind;
    struct table objects; /* of struct replica_object */
    bool is_known;        /* a list was committed: what is not here is not there */
    bool is_listing;
    VEC(struct replica_object *) aside; /* of the list that is under way, in order */
    size_t size_bytes;                  /* of all cuts and keys */
    struct buf cut;                     /* of the object that is being taken */
    struct arena arena;
};

struct replica_hooks {
    /* Another cut than before, or none any more; the replica has it. 'key' as in the batch. */
    void (*changed)(void *arg, struct span key);
    /* The object cannot be read, and stays as it was. */
    void (*unreadable)(void *arg, struct span key, const struct err *err);
    void *arg;
};

void replica_init(struct replica *r, enum object_kind kind);
/* 'batch' is borrowed. */
void replica_take(struct replica *r, const struct objectbatch *batch,
                  const struct replica_hooks *hooks);
/* The cut, which lives until the next batch; false: there is no such object. */
bool replica_find(const struct replica *r, struct span key, struct span *out_cut);
/* In no particular order. */
void replica_each(const struct replica *r, void (*fn)(void *arg, struct span key, struct span cut),
                  void *arg);
void replica_fini(struct replica *r);

#endif
