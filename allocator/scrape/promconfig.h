/* A whole Prometheus configuration file: global, scrape_configs and scrape_config_files are read,
 * the rest is checked (promserver.h). Threads: as its strpool. */
#ifndef OTEL_TA_SCRAPE_PROMCONFIG_H
#define OTEL_TA_SCRAPE_PROMCONFIG_H

#include "allocator/scrape/scrapejob.h"

/* 'root' is the document; appends jobs. Reads scrape_config_files unless 'options->base_dir.p' is
 * NULL. */
void promconfig_parse(const struct node *root, const struct scrape_options *options,
                      struct strpool *pool, struct faults *f, struct scrapejobs *out);

#endif
