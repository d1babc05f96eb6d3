/* What a Prometheus configuration says about the server beside scraping: alerting, remote write and
 * read, storage, tracing, OTLP, runtime. Checked as Prometheus checks it, and used by nobody here.
 * Source: config.go of Prometheus 3.16, with sigv4 and azuread. Not checked: what stands in rule
 * files, the form of Azure's ids, addresses of alertmanagers after relabeling. Threads: any. */
#ifndef OTEL_TA_SCRAPE_PROMSERVER_H
#define OTEL_TA_SCRAPE_PROMSERVER_H

#include "allocator/prom/labels.h"
#include "allocator/scrape/schema.h"

/* Members of the file. */
extern const struct schema_field promserver_runtime[], promserver_alerting[], promserver_storage[],
    promserver_tracing[], promserver_write[], promserver_read[], promserver_otlp[];

struct promserver_options {
    enum name_scheme scheme;
    bool strict;
    struct span base_dir; /* of rule_files that are named in full and must be there; p == NULL: they
                             are not looked for */
};

/* The rules about several members at once, about relabeling and about discovery: those that the
 * tables above do not say. 'f' stands at 'root', the file, whose table has been checked. */
void promserver_check(const struct node *root, const struct promserver_options *options,
                      struct strpool *pool, struct faults *f);

#endif
