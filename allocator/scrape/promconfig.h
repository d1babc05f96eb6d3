/* A whole Prometheus configuration file (global, scrape_configs, scrape_config_files; the rest is
 * known and skipped). Threads: as its strpool. */
#ifndef OTEL_TA_SCRAPE_PROMCONFIG_H
#define OTEL_TA_SCRAPE_PROMCONFIG_H

#include "allocator/scrape/scrapejob.h"

/* 'root' is the document; appends jobs. Reads scrape_config_files unless 'options->base_dir.p' is
 * NULL. */
void promconfig_parse(const struct node *root, const struct scrape_options *options,
                      struct strpool *pool, struct faults *f, struct scrapejobs *out);

#endif
