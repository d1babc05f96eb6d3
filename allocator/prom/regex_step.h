/* A plan as regex_plan.c makes it and regex_match.c executes it: the steps of each alternative one
 * after the other. Nobody else looks inside. Threads: as regex_plan.h. */
#ifndef OTEL_TA_PROM_REGEX_STEP_H
#define OTEL_TA_PROM_REGEX_STEP_H

#include "allocator/prom/regex_plan.h"
#include "allocator/prom/regex_words.h"

#define PLAN_GROUPS_MAX 63

enum op {
    OP_LITERAL, /* these bytes */
    OP_RUN,     /* code points of a class: one, at most one, any number, at least one */
    OP_WORDS,   /* one of these literals, the first that leads to a match */
    OP_OPTION,  /* the next 'n' steps, or else none of them */
    OP_OPEN,    /* a capturing group begins */
    OP_CLOSE,
    OP_END, /* the subject must end here */
};

struct byteset { /* bytes from 0x80 up are all in or all out: a class holds code points, not bytes
                  */
    uint64_t bits[4];
};

static inline bool byteset_has(const struct byteset *set, unsigned char c)
{
    return (set->bits[c / 64] >> (c % 64) & 1) != 0;
}

static inline bool byteset_is_all(const struct byteset *set)
{
    return (set->bits[0] & set->bits[1] & set->bits[2] & set->bits[3]) == UINT64_MAX;
}

struct run {
    struct byteset set;
    struct byteset follow; /* bytes that can come after it */
};

struct step {
    enum op op;
    bool is_optional, is_many, is_lazy; /* RUN */
    bool may_end;                       /* RUN: the subject may end after it */
    uint32_t n;                         /* OPTION: steps; OPEN, CLOSE: the group */
    uint16_t first_group, end_group;    /* OPTION: groups inside */
    union {
        struct span literal;
        struct run *run;
        struct regex_words *words;
    };
};

struct regex_plan {
    const struct step *steps;
    const uint32_t *branches; /* index of the first step of each alternative */
    size_t n_branches;
    size_t n_groups;
    bool is_complete;
};

#endif
