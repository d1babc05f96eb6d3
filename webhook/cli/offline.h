/* The commands 'rewrite', 'restore' and 'validate': manifests in, manifests (or a diff, or a patch)
 * out, with the code of the webhook. Documents that are no OpenTelemetryCollector pass byte for
 * byte, also those that hold what we do not support. When anything is wrong, nothing is written to
 * 'out', and every fault goes to 'errout' as "file:line: path: text". Threads: main thread. */
#ifndef OTEL_TA_WEBHOOK_CLI_OFFLINE_H
#define OTEL_TA_WEBHOOK_CLI_OFFLINE_H

#include "webhook/cli/options.h"
#include "webhook/rewrite/plan.h"

#include <stdio.h>

struct offline_options {
    const char *const *filenames; /* "-" is standard input */
    size_t n_filenames;
    enum output output; /* OUTPUT_DEFAULT: the form of the input */
    struct rewrite_options rewrite;
    bool has_colour; /* 'out' is a terminal */
};

/* Each returns an exit code: 0, 1 (faults), 3 (a file cannot be read or written). */
int offline_rewrite(const struct offline_options *o, FILE *out, FILE *errout);
int offline_restore(const struct offline_options *o, FILE *out, FILE *errout);
int offline_validate(const struct offline_options *o, FILE *out, FILE *errout);

/* The command of 'o', on the standard streams. */
int offline_run(const struct options *o);

#endif
