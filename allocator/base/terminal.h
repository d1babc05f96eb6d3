/* What a person reads: whether it may have colours, and text that does nothing to a screen. Names
 * and values come from documents, files and peers; an escape sequence in one would be obeyed, a
 * line break would forge a line of ours. Threads: any; the choice is made before there are others.
 */
#ifndef OTEL_TA_BASE_TERMINAL_H
#define OTEL_TA_BASE_TERMINAL_H

#include "allocator/base/err.h"
#include "allocator/base/span.h"

#include <stdbool.h>
#include <stdio.h>

enum terminal_colour {
    COLOUR_AUTO, /* on a terminal, unless the environment has NO_COLOR (no-color.org) or TERM=dumb
                  */
    COLOUR_ALWAYS,
    COLOUR_NEVER,
};

/* For all of the process: what --color says. Reads the environment, once. */
void terminal_set_colour(enum terminal_colour choice);
/* May what is written to descriptor 'fd' have colours? -1: no descriptor, no. */
bool terminal_has_colour(int fd);

/* One line, which is ended here: whatever in it would end it, move the cursor or turn the direction
 * of writing is escaped (buf_add_visible). */
void terminal_line(FILE *out, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* A text of several lines that is escaped likewise, JSON for example: its own line breaks stay. */
void terminal_text(FILE *out, struct span text);
/* 's' as it can stand in a line; the caller frees it. */
char *terminal_name(struct span s);

#endif
