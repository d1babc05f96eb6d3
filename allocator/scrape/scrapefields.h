/* The tables of a scrape config, of the "global" block and of a whole Prometheus file.
 * Source: ScrapeConfig, GlobalConfig and Config of Prometheus 3.14 (a few members of 3.16 are known
 * as well). Threads: any. */
#ifndef OTEL_TA_SCRAPE_SCRAPEFIELDS_H
#define OTEL_TA_SCRAPE_SCRAPEFIELDS_H

#include "allocator/scrape/schema.h"

/* Relabeling rules are checked by relabel_compile(), service discovery by sdconfig_parse_all(). */
extern const struct schema_field scrapefields_job[];
/* Those members of a scrape config that may hold a secret. */
extern const struct schema_field scrapefields_secret[];
extern const struct schema_field scrapefields_global[];
extern const struct schema_field scrapefields_file[];

#endif
