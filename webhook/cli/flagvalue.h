/* The text after a flag → a value in its field. What cannot be read is refused with what could
 * stand there, and with the nearest of the words that could. Threads: main thread. */
#ifndef OTEL_TA_WEBHOOK_CLI_FLAGVALUE_H
#define OTEL_TA_WEBHOOK_CLI_FLAGVALUE_H

#include "allocator/base/arena.h"
#include "allocator/base/vec.h"

#include <stdio.h>

struct flag_row; /* optiontable.h */

struct flagvalue {
    const struct flag_row *row;
    const char *command; /* its words */
    const char *text;
    struct arena *arena; /* for what must outlive the call; 'text' does */
    FILE *errout;
};

/* The kinds of fields that have no type of their own. */
typedef VEC(const char *) flag_texts;
struct flag_switch {
    bool is_given, is_on;
};
struct flag_choice {
    bool is_given;
    unsigned value;
};

/* Prints "otel-ta COMMAND: --FLAG: 'TEXT' is not EXPECTED" and returns EXIT_USAGE. */
int flagvalue_refuse(const struct flagvalue *v, const char *expected);
/* A number of 'min' to 'max', or a refusal. */
int flagvalue_number(const struct flagvalue *v, size_t min, size_t max, size_t *out);

/* The words that can stand after the flag, one by one, then NULL; NULL at once: any text. */
const char *flagvalue_word_at(const struct flag_row *row, size_t i);

/* Reads into 'field', of the type that is said: returns 0, or refuses. */
typedef int flag_reader(const struct flagvalue *v, void *field);

extern flag_reader flagvalue_text;     /* const char *: any text */
extern flag_reader flagvalue_url_part; /* struct span: what can stand in a URL as it is */
extern flag_reader flagvalue_append;   /* flag_texts: one more of any text */
extern flag_reader flagvalue_names;    /* flag_texts: more, with a comma between two */
extern flag_reader flagvalue_switch;   /* struct flag_switch: true or false */
extern flag_reader flagvalue_duration; /* int64_t, in ms */
extern flag_reader flagvalue_bytes;    /* size_t: with a unit, 64 MiB at least */
extern flag_reader flagvalue_count;    /* unsigned: 1 to the row's max */
/* One of the row's words: its value, or the word itself. */
extern flag_reader flagvalue_choice; /* struct flag_choice */
extern flag_reader flagvalue_enum;   /* an enum */
extern flag_reader flagvalue_bool;   /* bool: the values are 0 and 1 */
extern flag_reader flagvalue_word;   /* struct span */

#endif
