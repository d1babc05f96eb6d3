/* What a reflector must know of an object: which one it is, and which state of it. And the line of
 * a watch that brings one. Threads: any. */
#ifndef OTEL_TA_KUBE_OBJECTHEAD_H
#define OTEL_TA_KUBE_OBJECTHEAD_H

#include "allocator/base/err.h"
#include "allocator/base/span.h"

#include <stdbool.h>

struct objecthead {
    struct span kind; /* empty: not said, as in the items of most lists */
    struct span namespace, name, uid, version;
    /* The member metadata.managedFields with the comma that goes with it, in the object's text:
     * nobody reads it, and it is half of a pod. Empty: it has none. */
    struct span unread;
};

/* Reads 'text', one JSON object, up to the end of its metadata, or to its kind where that comes
 * later and 'wants_kind'. Spans are borrowed from 'text', raw: the API's names have no escapes, and
 * what has one is ERR_INVALID. A missing name is left to the caller. */
int objecthead_read(struct span text, bool wants_kind, struct objecthead *out,
                    struct err *err) MUST_USE;

struct watchline {
    struct span type; /* "ADDED", raw */
    struct span object;
};

/* One line of a watch: {"type":…,"object":{…}}, in any order and with anything beside; all of it is
 * JSON as far as its brackets and strings go. */
int watchline_read(struct span line, struct watchline *out, struct err *err) MUST_USE;

#endif
