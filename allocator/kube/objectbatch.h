/* What became known of a collection of objects, in order: the words between a reflector and those
 * who read what it watches. This is the contract for consumers.
 *
 * Between OBJECTS_BEGIN and OBJECTS_COMMIT stands a list: its events are to be noted aside, and
 * count, all at once, with the commit; with OBJECTS_DROP they never were. Nothing of a list is
 * known before its commit, and what is known meanwhile stays. Outside of a list each event counts
 * at once. A batch may end anywhere, also within a list; lists do not nest.
 *
 * A list has only what differs from what was told before: an object that is not mentioned is as it
 * was, and one that is no more is OBJECT_GONE, before the commit. After a commit the consumer knows
 * the whole collection (an empty one too). A consumer that joins is served by a list that leaves
 * nothing out (and may say of something that it is gone which he never knew); the others get it as
 * well, and may tell by 'version' that they know it all.
 *
 * When an object takes the name of another (other uid), OBJECT_GONE comes before OBJECT_SET.
 *
 * Ownership: counted, immutable once taken. Threads: any. */
#ifndef OTEL_TA_KUBE_OBJECTBATCH_H
#define OTEL_TA_KUBE_OBJECTBATCH_H

#include "allocator/base/buf.h"
#include "allocator/base/ref.h"
#include "allocator/base/vec.h"

enum objectevent_kind {
    OBJECT_SET,  /* it is there, and this is it */
    OBJECT_GONE, /* it is no more */
    OBJECTS_BEGIN,
    OBJECTS_COMMIT,
    OBJECTS_DROP,
};

struct objectevent {
    enum objectevent_kind kind;
    struct span key;     /* "namespace/name", or "name" where there are no namespaces; else empty */
    struct span version; /* of OBJECT_SET: resourceVersion, to be compared for equality */
    /* Of OBJECT_SET: the JSON object as the server wrote it, but for metadata.managedFields.
     * Strings and brackets are whole; its grammar has not been checked: a consumer whose scanner
     * finds a fault keeps what it knew of that key. In lists of built-in kinds an object has
     * neither kind nor apiVersion. */
    struct span object;
};

struct objectbatch;

size_t objectbatch_count(const struct objectbatch *b);
struct objectevent objectbatch_at(const struct objectbatch *b, size_t i); /* borrowed */
struct objectbatch *objectbatch_ref(struct objectbatch *b);
void objectbatch_free(struct objectbatch **b); /* gives one reference back */

/* ---- for reflectors: a batch that is being written */

struct objectrow {
    enum objectevent_kind kind;
    uint32_t object_len, key_len, version_len;
    size_t at; /* in the text: object, key, version */
};

struct objectdraft {
    struct buf text; /* of the rows, and behind them what is being read */
    size_t used;     /* bytes of 'text' that rows have */
    VEC(struct objectrow) rows;
};

void objectdraft_init(struct objectdraft *d, size_t max_bytes);
/* A row without object and key; what is being read stays behind the rows. */
void objectdraft_mark(struct objectdraft *d, enum objectevent_kind kind);
/* The object's bytes are the last 'object_len' of 'text' (0: none); the others are copied, and may
 * not stand in 'text' themselves. */
void objectdraft_add(struct objectdraft *d, enum objectevent_kind kind, size_t object_len,
                     struct span key, struct span version);
/* An OBJECT_GONE and an OBJECT_SET of the same key. */
void objectdraft_replace(struct objectdraft *d, size_t object_len, struct span key,
                         struct span version);
/* What was read behind the rows was nothing. */
void objectdraft_forget_rest(struct objectdraft *d);
/* All rows as a batch; NULL when there are none. What is being read stays. */
struct objectbatch *objectdraft_take(struct objectdraft *d);
void objectdraft_fini(struct objectdraft *d);

#endif
