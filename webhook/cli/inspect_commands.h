/* The four commands behind inspect_run(), one file each, and what they share.
 * Threads: main thread. */
#ifndef OTEL_TA_WEBHOOK_CLI_INSPECT_COMMANDS_H
#define OTEL_TA_WEBHOOK_CLI_INSPECT_COMMANDS_H

#include "webhook/cli/findings.h"
#include "webhook/cli/inspect_input.h"

int inspect_config(const struct options *o);
int inspect_service_discovery(const struct options *o);
int inspect_allocate(const struct options *o);
int inspect_explain(const struct options *o);

/* The files that -f and --config-file name. */
struct inspect_paths {
    const char *const *v;
    size_t n;
};
struct inspect_paths inspect_paths(const struct options *o);

/* Says what of the findings is missing. */
void inspect_report_gaps(const struct scrapejob *job, const struct findings *f);

#endif
