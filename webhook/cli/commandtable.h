/* The commands: one row each, with the words, the help that is made of them and the function that
 * does the work. Immutable. Threads: any. */
#ifndef OTEL_TA_WEBHOOK_CLI_COMMANDTABLE_H
#define OTEL_TA_WEBHOOK_CLI_COMMANDTABLE_H

#include "webhook/cli/command.h"

enum { N_COMMAND_ROWS = COMMAND_HELP + 1 };

struct command_row {
    const char *group; /* heading in the overview, over this row and those after it; or NULL */
    const char *words; /* as typed */
    const char *arguments;
    const char *help;
    const char *more;    /* further sentences, or NULL */
    const char *example; /* lines */
    command_run *run;    /* NULL: 'serve', which stands a floor higher */
    size_t max_arguments;
    bool takes_files; /* arguments are files as those of -f, and standard input will do */
    /* Says what must be there and is not; NULL when it is. A row without: nothing must be. */
    const char *(*find_missing)(const struct options *o);
    bool is_terse; /* what the parts say in passing is not a result: the log has warnings only */
};

extern const struct command_row command_rows[N_COMMAND_ROWS]; /* by enum command */

#endif
