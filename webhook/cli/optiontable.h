/* The flags of the command line, one row each: what it is called, whose it is, how its text is read
 * and into which field of struct options. Help, completions and manual are made of the same rows.
 * Immutable. Threads: any. */
#ifndef OTEL_TA_WEBHOOK_CLI_OPTIONTABLE_H
#define OTEL_TA_WEBHOOK_CLI_OPTIONTABLE_H

#include "webhook/cli/options.h"

struct flag_word {
    const char *word; /* NULL ends a list */
    unsigned value;
};

enum { FLAG_WORDS_MAX = 15 };

/* Under which heading the help lists it. */
enum flag_group {
    FLAG_OWN, /* of the command */
    FLAG_LISTENERS,
    FLAG_CERTIFICATES,
    FLAG_ALLOCATION,
    FLAG_REWRITING,
    FLAG_UPSTREAM,
    FLAG_GENERAL,
    N_FLAG_GROUPS,
};

struct flag_row {
    const char *name;
    char letter;       /* as -f; 0: none */
    uint32_t commands; /* a bit each, see flag_is_of(); 0: no flag, the environment alone */
    const char *value; /* what the help calls it; "": a switch, whose value may be left out; NULL:
                          an alias, which the help does not show */
    const char *help;
    flag_reader *read; /* NULL: the flag stands for a command and takes no value */
    size_t field;      /* offset in struct options */
    enum command stands_for;
    const struct flag_word *words;    /* that can stand there, or … */
    const char *(*word_at)(size_t i); /* … who knows them; NULL, NULL: any text */
    unsigned max;                     /* of flagvalue_count() */
    const char *environment;          /* this variable says it, too; a flag wins */
    enum flag_group group;
};

/* A name can stand for different flags of different commands. */
extern const struct flag_row flag_rows[];
extern const size_t n_flag_rows;

extern const char *const flag_group_names[N_FLAG_GROUPS];

bool flag_is_of(const struct flag_row *row, enum command command);
bool flag_is_of_all(const struct flag_row *row);
bool flag_is_switch(const struct flag_row *row);

#endif
