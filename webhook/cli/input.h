/* Files for the commands that look: a Prometheus configuration, upstream's targetallocator.yaml
 * or Collector manifests, told apart by what they contain, read into tenants. Threads: main thread.
 */
#ifndef OTEL_TA_WEBHOOK_CLI_INPUT_H
#define OTEL_TA_WEBHOOK_CLI_INPUT_H

#include "allocator/tenant/tenants.h"
#include "webhook/cli/options.h"

#include <stdio.h>

enum input_kind { INPUT_MANIFEST, INPUT_DROPIN, INPUT_PROMETHEUS };

struct input {
    struct strpool pool; /* of all jobs */
    struct tenants tenants;
    enum input_kind kind; /* of the last file */
};

/* The files that -f, or --config-file, names. */
struct input_paths {
    const char *const *v;
    size_t n;
};
struct input_paths input_paths(const struct options *o);

const char *input_name(enum input_kind kind);
/* Reads 'paths' ("-": standard input). Prometheus configurations are read as Prometheus reads them,
 * strictly, and become one tenant without name. Faults, warnings included, go to 'errout'. Returns
 * an exit code; only on EXIT_OK there is something to release. */
int input_load(const struct tenants_options *options, struct input_paths paths, struct input *out,
               FILE *errout);
/* There is not one job in it: says why, a line for each reason, after 'head'. */
void input_report_jobless(const struct input *s, const char *head, FILE *errout);
/* Is there a job of that name that stays with the collectors (why, was said when it was read)? Then
 * says that there is nothing to see, after 'head'. */
bool input_report_left(const struct input *s, const char *job, const char *head, FILE *errout);
void input_fini(struct input *s);

#endif
