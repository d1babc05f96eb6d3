/* What reading tokens and skipping values share of the scanner's state. Private to this folder.
 * Threads: a scanner belongs to one thread. */
#ifndef OTEL_TA_CODEC_JSONSCAN_STATE_H
#define OTEL_TA_CODEC_JSONSCAN_STATE_H

#include "allocator/codec/jsonscan.h"

/* For the few functions that run once per token: at -O2 compilers call them instead, which costs
 * half of the speed. */
#define ALWAYS_INLINE inline __attribute__((always_inline))

enum state {
    WANT_VALUE,        /* a value must come */
    WANT_VALUE_OR_END, /* after '[' */
    WANT_KEY,          /* after ',' in an object */
    WANT_KEY_OR_END,   /* after '{' */
    WANT_COLON,
    WANT_COMMA_OR_END,
    WANT_NOTHING, /* the value is complete */
    BROKEN,
};

#define JSONSCAN_CUT_STRING "the text ends within a string"

/* Inside of the scanner: no event yet. */
#define GO_ON ((enum json_event)0)

/* Stops the scanner for good; returns JSON_FAULT. */
enum json_event jsonscan_fault(struct jsonscan *s, uint64_t offset, const char *what);

static inline uint64_t offset_of(const struct jsonscan *s, const char *p)
{
    return (uint64_t)(p - s->text);
}

static inline bool is_in_object(const struct jsonscan *s)
{
    unsigned i = s->depth - 1;
    return (s->stack[i / 64] >> (i % 64) & 1) != 0;
}

static inline bool push(struct jsonscan *s, bool is_object)
{
    if (s->depth == s->max_depth) {
        return false;
    }
    uint64_t bit = (uint64_t)1 << (s->depth % 64);
    uint64_t *word = &s->stack[s->depth / 64];
    *word = is_object ? *word | bit : *word & ~bit;
    s->depth++;
    return true;
}

static inline void after_value(struct jsonscan *s)
{
    s->state = s->depth == 0 ? WANT_NOTHING : WANT_COMMA_OR_END;
}

#endif
