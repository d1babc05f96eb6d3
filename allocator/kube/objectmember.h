/* What a view of a kind shows (kube/object.h), as tables: what a member is called, and where in the
 * struct it goes. A member that is not in a table is not in a cut. Threads: immutable. */
#ifndef OTEL_TA_KUBE_OBJECTMEMBER_H
#define OTEL_TA_KUBE_OBJECTMEMBER_H

#include "allocator/kube/object.h"

enum object_shape {
    OBJECT_TEXT,   /* struct span */
    OBJECT_NUMBER, /* struct span: its characters */
    OBJECT_TRUTH,  /* struct span: "true", "false" */
    OBJECT_TEXTS,  /* struct object_texts */
    OBJECT_MAP,    /* struct object_pairs: name → text */
    OBJECT_JSON,   /* struct span: whatever it is, as it is written */
    OBJECT_PART,   /* an object whose members are told by 'inner' */
    OBJECT_ITEMS,  /* struct object_items: a list of such objects, each a struct of 'item_size' */
};

struct object_member {
    const char *name; /* NULL ends a table */
    enum object_shape shape;
    size_t offset; /* of the place in the struct; of OBJECT_PART: of the struct that 'inner' is
                      about */
    const struct object_member *inner;
    size_t item_size;
    size_t presence; /* OBJECT_PART: offset + 1 of the bool that says it is there; 0: nobody asks */
};

/* What every list in object.h looks like; to be copied in and out. */
struct object_items {
    void *v;
    size_t n;
};

struct object_type {
    const struct object_member *members;
    size_t size; /* of the struct */
};
extern const struct object_type object_types[OBJECT_N_ALL_KINDS];

#endif
