/* What --help prints, made of the tables of commands and flags: at most 80 columns. Pure but for
 * the writing. Threads: any. */
#ifndef OTEL_TA_WEBHOOK_CLI_HELP_H
#define OTEL_TA_WEBHOOK_CLI_HELP_H

#include <stdio.h>

struct command_row; /* commandtable.h */

/* One command, 'index' of the table: usage, an example, its flags under their headings. */
void help_command(const struct command_row *rows, size_t index, FILE *out);
/* The commands whose first word is 'first' ("certs"). */
void help_group(const struct command_row *rows, size_t n, const char *first, FILE *out);
/* All of them. */
void help_overview(const struct command_row *rows, size_t n, FILE *out);

#endif
