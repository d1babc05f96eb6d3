/* The question of 'promtool check config': would every target that stands in the configuration be
 * scraped, or be dropped by a rule? Prometheus itself loads the configuration all the same and
 * leaves such a target out. Source: cmd/promtool/main.go (checkTargetGroupsForScrapeConfig).
 * Threads: as the strpool. */
#ifndef OTEL_TA_SCRAPE_TARGETCHECK_H
#define OTEL_TA_SCRAPE_TARGETCHECK_H

#include "allocator/scrape/scrapejob.h"

/* A fault at each target of the static_configs of 'config', the scrape config that 'job' was
 * parsed from, that its rules leave unusable. 'f' stands at the scrape config. Targets are judged
 * in 'lb', of the pool of the job, with its arena. */
void targetcheck_statics(const struct scrapejob *job, const struct node *config,
                         enum fault_severity severity, struct label_builder *lb, struct faults *f);

#endif
