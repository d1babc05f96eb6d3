/* Why a document comes out of 'rewrite' or 'restore' as it went in: said on standard error, so that
 * doing nothing is not silent. Threads: main thread. */
#ifndef OTEL_TA_WEBHOOK_CLI_LEFT_H
#define OTEL_TA_WEBHOOK_CLI_LEFT_H

#include "webhook/cli/filewalk.h"
#include "webhook/rewrite/manifest.h"

/* Of each Collector in the document that 'm' did not change: "file:line: left as it is: Collector
 * ns/name …". Nothing about one of which a warning says it. */
void left_report(const struct filewalk_document *d, const struct manifest *m, bool is_restore,
                 struct arena *arena, FILE *errout);
/* A document of a file without any Collector: what it is instead. Nothing about an empty one among
 * others. */
void left_report_foreign(const struct filewalk_document *d, FILE *errout);

#endif
