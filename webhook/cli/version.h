/* Which program this is. The host knows it from its build (webhook/buildinfo.h); commands are told.
 * No text in it has a character that JSON would have to escape. Immutable. Threads: any. */
#ifndef OTEL_TA_WEBHOOK_CLI_VERSION_H
#define OTEL_TA_WEBHOOK_CLI_VERSION_H

#include <stdbool.h>

struct version_of_library {
    const char *name, *number;
};

struct version {
    const char *number;                         /* "0.1.0" */
    const char *commit;                         /* its first 12 digits; "": not known */
    bool is_dirty;                              /* git saw files that are not as in that commit */
    const char *compiler;                       /* "gcc 12.2.0" */
    const struct version_of_library *libraries; /* that it was built with; the last has no name */
};

#endif
