/* Keeps up with one collection of objects of an API server: all pods, the Services of a namespace,
 * what a selector picks. A machine without clock, socket or thread: a carrier
 * (watch/kubewatch.c) makes the requests it asks for and tells it what came, and gets what became
 * known as batches (objectbatch.h).
 *
 * The collection is listed once and watched from that version on; a watch that ends is taken up
 * where it stood; what cannot be taken up is listed again, and only the differences are told.
 * Nothing known is ever lost to a failure. Objects are not kept: of each only its name and a mark
 * of its state (objectindex.h), and of a list only the object that is being read.
 *
 * Source: client-go tools/cache/reflector.go. Differences: reflectorstep.c. Threads: a reflector
 * belongs to one thread. */
#ifndef OTEL_TA_KUBE_REFLECTOR_H
#define OTEL_TA_KUBE_REFLECTOR_H

#include "allocator/kube/objectbatch.h"
#include "allocator/kube/reflectorstep.h"

struct reflector_want {
    struct span group;          /* empty: the core's */
    struct span version;        /* "v1" */
    struct span resource, kind; /* "pods", "Pod" */
    struct span namespace;      /* empty: all */
    struct span label_selector, field_selector;
    bool is_metadata; /* only metadata is read: half of the bytes, a fifth of the server's work */
};

struct reflector_options {
    size_t max_object_bytes, max_list_bytes;
    unsigned page_items; /* a list of the newest state comes in pages of so many; 0: whole */
    uint64_t seed;       /* of all chance */
};

struct reflector;

/* Copies all of 'want'. The first request is due at once. */
struct reflector *reflector_new(const struct reflector_want *want,
                                const struct reflector_options *options);
void reflector_free(struct reflector **r);

/* ---- what it wants done */

struct reflector_request { /* texts live until the next call of reflector_next() */
    enum reflector_stage stage;
    struct span target; /* path and query, to be put behind the server's URL */
    struct span accept;
    int64_t timeout_ms; /* of the whole exchange */
    bool is_watch;      /* by a connection of its own, made now: it may be silent for long */
    bool wants_gzip;
    bool renews_credentials; /* the last ones were refused */
};

/* When reflector_next() has something; INT64_MAX while a request is under way. */
int64_t reflector_deadline_ms(const struct reflector *r);
/* True: make this request, and tell how it goes by the three functions below. */
bool reflector_next(struct reflector *r, int64_t now_ms, struct reflector_request *out);

/* ---- what came of it */

enum transfer_end {
    TRANSFER_COMPLETE,
    TRANSFER_CUT,     /* by whatever: the peer, the time-out */
    TRANSFER_REFUSED, /* no connection came about */
    TRANSFER_STOPPED, /* by the carrier, because it was told to */
};

/* The status is known, before the first piece. 'retry_after_s': 0 when not said. */
void reflector_head(struct reflector *r, int status, int retry_after_s);
/* Some bytes of the body, decoded. False: stop the transfer. */
bool reflector_piece(struct reflector *r, struct span piece) MUST_USE;
/* It is over. 'why' (NULL: nothing to say) is for people. */
void reflector_end(struct reflector *r, enum transfer_end end, const char *why, int64_t now_ms);

/* ---- what is known */

/* All that became known since the last call; NULL: nothing. To be called after each piece of some
 * size, and after reflector_end(). */
struct objectbatch *reflector_take(struct reflector *r);
/* Bytes that the next batch would have. */
size_t reflector_pending_bytes(const struct reflector *r);
/* Somebody joins: the collection is listed and told from the beginning. True: stop the transfer
 * that is under way. */
bool reflector_refresh(struct reflector *r, int64_t now_ms) MUST_USE;
/* What it waits for may have come (a connection to its server, a resource that was not there): the
 * next request is due now. */
void reflector_hurry(struct reflector *r, int64_t now_ms);

/* ---- how it goes */

enum reflector_state {
    REFLECTOR_STARTING,
    REFLECTOR_FOLLOWING, /* all is well */
    REFLECTOR_FAILING,   /* and it is tried again; what is known stays */
    REFLECTOR_ABSENT,    /* there is no such resource: known, and empty */
    REFLECTOR_FORBIDDEN,
    REFLECTOR_REJECTED, /* the server does not understand what is asked */
};
const char *reflector_state_name(enum reflector_state state);

struct reflector_report {
    enum reflector_state state;
    bool is_synced;      /* the whole collection was known at some time */
    bool waits_for_host; /* there is no connection to the server */
    const char *problem; /* "" when there is none; borrowed, until the next end or head */
    const char *oddity;  /* something of a kind that came for the first time and was passed over;
                            NULL: none since the last report */
    unsigned n_changes;  /* of state and problem, so far */
    size_t n_objects;
    uint64_t n_lists, n_watches, n_events, n_failures; /* so far */
};
void reflector_report(struct reflector *r, struct reflector_report *out);

#endif
