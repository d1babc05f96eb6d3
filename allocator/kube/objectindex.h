/* Which objects of a collection there are, and in which state each was last told: all that a
 * reflector remembers of them. A list that comes in is noted aside and counts only when it is
 * committed; what it did not have is gone then. Threads: an index belongs to one thread. */
#ifndef OTEL_TA_KUBE_OBJECTINDEX_H
#define OTEL_TA_KUBE_OBJECTINDEX_H

#include "allocator/base/table.h"
#include "allocator/kube/objecthead.h"

/* A state of an object. */
struct objectmark {
    uint64_t uid;     /* hash */
    uint64_t version; /* its number, or a hash of what is none */
    bool is_ordered;  /* it is a number: of two, the greater one is later */
};

struct objectindex {
    struct table table;
    size_t n;      /* known objects */
    uint32_t list; /* number of the list under way; those of earlier ones are smaller */
    bool is_listing;
    size_t bytes; /* of all entries */
};

enum objectindex_news {
    OBJECT_IS_SAME,  /* this very state is known */
    OBJECT_IS_OLDER, /* a later one is */
    OBJECT_IS_NEW,   /* there was none of that name */
    OBJECT_IS_CHANGED,
    OBJECT_IS_REPLACED, /* another object had that name */
};

struct objectmark objectmark_of(const struct objecthead *head);

void objectindex_init(struct objectindex *x);
/* An object is there, in this state. 'key': "namespace/name", or "name". While a list is under way
 * the news are in comparison with what was known before it; a list is the truth, so nothing in it
 * is older. */
enum objectindex_news objectindex_note(struct objectindex *x, struct span key,
                                       struct objectmark mark);
/* An object is no more, this was its last state. False when it was not known, or something later
 * is. Not while a list is under way. */
bool objectindex_remove(struct objectindex *x, struct span key, struct objectmark last);

void objectindex_begin_list(struct objectindex *x);
/* Calls 'gone' for each object that the list did not have. */
void objectindex_commit(struct objectindex *x, void (*gone)(void *arg, struct span key), void *arg);
/* As if it had never begun. */
void objectindex_abort(struct objectindex *x);
void objectindex_fini(struct objectindex *x);

#endif
