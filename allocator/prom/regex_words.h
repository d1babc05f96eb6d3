/* The words of an alternation of literals, a|b|c: which of them is the beginning of a text. From
 * WORDS_HASHED words on they are a hash set, so that a list of hundreds costs what one costs.
 * Private to regex_plan*.c. Threads: immutable once made; may be shared. */
#ifndef OTEL_TA_PROM_REGEX_WORDS_H
#define OTEL_TA_PROM_REGEX_WORDS_H

#include "allocator/base/arena.h"

#include <stdbool.h>
#include <stdint.h>

#define WORDS_HASHED ((size_t)8)
#define WORDS_NONE SIZE_MAX

struct regex_words {
    const struct span *v; /* in the order of preference; may be empty, may come again */
    size_t n;
    uint16_t
        *slots;     /* open addressing: index + 1, 0 = free; NULL: few words, or too many lengths */
    size_t n_slots; /* a power of two */
    uint16_t *lengths; /* that words have, each once */
    size_t n_lengths;
    size_t rest_len; /* what must follow a word has so many bytes; SIZE_MAX: that varies */
};

/* Copies the array, not the bytes. Memory is of the arena. */
struct regex_words *regex_words_new(const struct span *v, size_t n, struct arena *arena);
/* The first word that is equal; WORDS_NONE: none is. Only where there are 'slots'. */
size_t regex_words_find(const struct regex_words *w, struct span text);
/* The words that 'text' begins with, in the order of preference: at most one of each length. Only
 * where there are 'slots'; room for WORDS_LENGTHS_MAX. */
#define WORDS_LENGTHS_MAX 64
size_t regex_words_prefixes(const struct regex_words *w, struct span text, uint16_t *out);

#endif
