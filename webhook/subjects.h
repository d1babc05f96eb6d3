/* Files for the commands of inspect.h: a Prometheus configuration, upstream's targetallocator.yaml
 * or Collector manifests, told apart by what they contain, read into tenants. Threads: main thread.
 */
#ifndef OTEL_TA_WEBHOOK_SUBJECTS_H
#define OTEL_TA_WEBHOOK_SUBJECTS_H

#include "allocator/discovery/jobs.h"
#include "webhook/options.h"

#include <stdio.h>

enum subjects_kind { SUBJECTS_MANIFEST, SUBJECTS_DROPIN, SUBJECTS_PROMETHEUS };

struct subjects {
    struct strpool pool;
    struct tenants tenants;
};

const char *subjects_kind_name(enum subjects_kind kind);
/* Reads 'paths' ("-": standard input). Prometheus configurations are read as Prometheus reads them,
 * strictly, and become one tenant without name. Faults, warnings included, go to 'errout'. Returns
 * an exit code; only on EXIT_OK there is something to release. */
int subjects_load_tenants(const struct options *o, const char *const *paths, size_t n,
                          struct strpool *pool, struct tenants *out, FILE *errout);
/* The same with a pool of its own. '*out_kind' (may be NULL) is the kind of the last file. */
int subjects_load(const struct options *o, const char *const *paths, size_t n, struct subjects *out,
                  enum subjects_kind *out_kind, FILE *errout);
void subjects_fini(struct subjects *s);

#endif
