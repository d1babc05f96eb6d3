/* When our own certificates are renewed: a pure state machine. A new authority is published (in the
 * bundle that clients trust) before anything is signed with it, soaks, is switched to, and the old
 * one is retired once no leaf of it can be in use: stage → publish → soak → switch → retire. Every
 * step is idempotent, so a crash between two of them is harmless. Threads: any; pure. */
#ifndef OTEL_TA_CERTS_ROTATION_H
#define OTEL_TA_CERTS_ROTATION_H

#include <stdbool.h>
#include <stdint.h>

#define ROTATION_SOAK_SECONDS 3600LL
#define ROTATION_RETIRE_SECONDS (168LL * 3600) /* the longest life of a leaf */

struct rotation_facts {
    bool has_authority; /* current CA, readable, key included */
    bool is_authority_expired;
    bool is_early; /* an authority, or a time that was noted, is of the future: the clock was ahead
                      then, or is behind now */
    bool is_authority_due;   /* two thirds of its life are over */
    bool is_rotation_wanted; /* somebody asked for it */
    bool has_next;           /* staged and published */
    int64_t next_since_s;
    bool has_previous;
    int64_t previous_since_s; /* when it stopped being the current one */
    bool has_leaf; /* readable, signed by the current CA, for the right names, valid now */
    bool is_leaf_due;
};

enum rotation_step {
    ROTATION_REST,      /* nothing to do now */
    ROTATION_BOOTSTRAP, /* no usable authority: make one and use it at once */
    ROTATION_REDATE,    /* the same authorities, whose time begins now */
    ROTATION_STAGE,     /* make the next authority and publish current + next */
    ROTATION_SWITCH,    /* current becomes previous, next becomes current */
    ROTATION_RETIRE,    /* drop the previous authority from the bundle */
    ROTATION_ISSUE,     /* a new leaf from the current authority */
};

/* The next step; the caller carries it out, looks again, and so on until ROTATION_REST. */
enum rotation_step rotation_next(const struct rotation_facts *facts, int64_t now_s);
const char *rotation_step_name(enum rotation_step step);

#endif
