/* Who is served, a job or the one that was there before it. A job that was configured anew waits
 * for the first answers of what it discovers; until then the same job as it was before goes on, is
 * kept up to date and served, and then hands over. Pure: no clock, no I/O, no target.
 * Threads: the engine's. */
#ifndef OTEL_TA_ENGINE_HANDOVER_H
#define OTEL_TA_ENGINE_HANDOVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct job;

enum handover_stage {
    HANDOVER_READY, /* could be served; nobody has seen it yet */
    HANDOVER_WAITS, /* a section is open: it waits for its first answer */
    HANDOVER_MUTE,  /* none is, but one has never answered, and there is no target: an empty list
                       would be a guess that takes targets away */
    HANDOVER_SHOWN, /* is served, and stays so: what was shown once is shown on */
};

enum handover_event {
    HANDOVER_ASKED,    /* a section more is open */
    HANDOVER_ANSWERED, /* a section less is, it has settled */
    HANDOVER_EXPIRED,  /* a section less is, without an answer */
    HANDOVER_LATE,     /* one that expired has answered */
    HANDOVER_GAINED,   /* it has targets */
    HANDOVER_EMPTY,    /* it has none */
    HANDOVER_PUBLISHED /* its pages were made: only of one that is served */
};

struct handover { /* zeroed: of a job alone that asks nothing */
    enum handover_stage stage;
    size_t n_open, n_expired; /* sections */
    bool has_targets;
    struct job *from; /* owned by the job; what is served until this one can be, or NULL */
    struct job *to;   /* the job that has it as 'from', or NULL */
};

/* The only way to another stage. */
void handover_note(struct handover *h, enum handover_event event);
bool handover_is_served(const struct handover *h);

/* Whose pages are shown for 'j': its own, those of the one before it, or nobody's (NULL). */
struct job *handover_served(struct job *j);
/* The job in whose place 'j' is served, or 'j' itself. */
struct job *handover_last(struct job *j);
/* '*place' is about to be replaced: whoever is served there, and leaves it; NULL when nobody is. */
struct job *handover_leave(struct job **place);
/* 'from' (may be NULL) is served until 'j' is. */
void handover_begin(struct job *j, struct job *from);
/* Parts the two; the one before, or NULL when there is none, is the caller's. */
struct job *handover_end(struct job *j);

#endif
