/* The text behind a flag → a value. What cannot be read is refused with what could stand there, and
 * with the nearest of the words that could. Threads: main thread. */
#ifndef OTEL_TA_WEBHOOK_CLI_FLAGVALUE_H
#define OTEL_TA_WEBHOOK_CLI_FLAGVALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct flagvalue {
    const char *command; /* its words */
    const char *flag;    /* without the dashes */
    const char *text;
    FILE *errout;
};

/* Prints "otel-ta COMMAND: --FLAG: 'TEXT' is not EXPECTED" and returns EXIT_USAGE. */
int flagvalue_refuse(const struct flagvalue *v, const char *expected);

/* Each returns 0 and sets its output, or refuses. */
int flagvalue_bool(const struct flagvalue *v, bool *out);
int flagvalue_number(const struct flagvalue *v, size_t min, size_t max, size_t *out);
int flagvalue_duration(const struct flagvalue *v, int64_t *out_ms);
/* 'words' is NULL-terminated; gives the index. */
int flagvalue_choice(const struct flagvalue *v, const char *const *words, size_t *out);

#endif
