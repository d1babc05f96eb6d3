/* A reflector from inside, for its own files: stages (reflector.c), the text of requests
 * (reflector_ask.c), what is read (reflector_read.c and the others). Threads: a reflector belongs
 * to one thread.
 */
#ifndef OTEL_TA_KUBE_REFLECTOR_STATE_H
#define OTEL_TA_KUBE_REFLECTOR_STATE_H

#include "allocator/kube/listframe.h"
#include "allocator/kube/objectindex.h"
#include "allocator/kube/reflector.h"
#include "allocator/kube/status.h"

struct reflector {
    struct arena arena; /* of 'want' */
    struct reflector_want want;
    struct reflector_options options;
    struct reflectorpace pace;
    struct objectindex index;
    struct objectdraft draft;

    enum reflector_stage stage; /* under way, or due */
    bool is_running;
    int64_t due_ms;
    bool renews_credentials;

    struct buf last;    /* the version that is known; empty: none */
    bool is_unset;      /* it is worth nothing: the next list asks for the newest state */
    bool has_no_pages;  /* a page failed: the next list comes whole */
    int64_t checked_ms; /* the server had heard of 'last' */
    int64_t lost_ms;    /* since when there is no connection; INT64_MAX: there is */

    /* The list under way, which may be of several pages. */
    bool is_whole_wanted, is_whole; /* the next one, this one leaves nothing out */
    bool has_begun;                 /* OBJECTS_BEGIN was told */
    struct buf list_version, next_page;

    /* The transfer under way. */
    int64_t began_ms;
    int status; /* 0: none yet */
    int retry_after_s;
    size_t n_bytes;
    size_t n_lines; /* of a watch, that brought something */
    struct listframe frame;
    struct buf said; /* the body of anything but a list or a watch */
    int decided;     /* an outcome; -1: it is still open */

    struct buf target;
    enum reflector_state state;
    char problem[512];
    unsigned n_changes, n_failures_in_row;
    const char *oddity;
    unsigned oddities; /* bits: of which kind there was one */
    bool is_synced;
    uint64_t n_lists, n_watches, n_events, n_failures;
};

#define REFLECTOR_MAX_DEPTH 64 /* of what is not an object */

struct reflector_known { /* of an object whose text is about to move */
    struct arena arena;
    struct span key, version;
    struct objectmark mark;
};

/* ---- reflector_ask.c */
void reflector_ask_write(struct reflector *r, struct reflector_request *out);

/* ---- reflector_tell.c: news, good and bad */
/* What people are told when this goes wrong. */
void reflector_say(struct reflector *r, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Both are false: the transfer is to be stopped, with this outcome. */
bool reflector_give_up(struct reflector *r, enum reflector_outcome outcome);
bool reflector_cannot_read(struct reflector *r, const char *why);
/* 'out' is to be ended with arena_fini(). */
void reflector_know(struct reflector_known *k, const struct objecthead *head);
void reflector_tell_begin(struct reflector *r); /* of a list, if that was not told */
/* An object, the last 'len' bytes of the draft: a row, if it is news. */
void reflector_tell(struct reflector *r, const struct objecthead *head, size_t len, bool is_list);

/* ---- reflector_list.c */
bool reflector_list_piece(struct reflector *r, struct span piece);
enum reflector_outcome reflector_list_end(struct reflector *r);
/* The list counts, or never was. */
void reflector_list_commit(struct reflector *r);
void reflector_list_abort(struct reflector *r);

/* ---- reflector_watch.c */
bool reflector_watch_piece(struct reflector *r, struct span piece);

/* ---- reflector_read.c: answers of every kind */
void reflector_read_begin(struct reflector *r);
bool reflector_read_piece(struct reflector *r, struct span piece);
/* A complete answer with status 200 has come; or one of another status. */
enum reflector_outcome reflector_read_end(struct reflector *r);
enum reflector_outcome reflector_read_refusal(struct reflector *r);

#endif
