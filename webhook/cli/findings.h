/* What the file_sd files of a job hold now, each looked at once; found by the watcher, as the
 * server finds them. Threads: main thread. */
#ifndef OTEL_TA_WEBHOOK_CLI_FINDINGS_H
#define OTEL_TA_WEBHOOK_CLI_FINDINGS_H

#include "allocator/discovery/batch.h"
#include "allocator/discovery/want.h"
#include "allocator/scrape/scrapejob.h"

#include <stdio.h>

struct finding { /* one source of one section */
    size_t section;
    struct arrival *arrival;
};

struct findings {
    VEC(struct finding) list; /* by section, then source */
    size_t n_failed;          /* sources that could not be read */
    size_t n_missing;         /* sections without an answer in time */
};

/* ERR_* only when discovery cannot run at all. */
int findings_discover_once(const struct scrapejob *job, int64_t timeout_ms, struct findings *out,
                           struct err *err) MUST_USE;
/* Digests one of them into 'batch' (reset). */
int findings_digest(const struct scrapejob *job, const struct finding *f, struct sd_batch *batch,
                    struct err *err) MUST_USE;
/* Says on 'errout' what of a job is missing: sections that are not run, and so many sources that
 * could not be read, and sections without an answer. */
void findings_report_gaps(const struct scrapejob *job, size_t n_failed, size_t n_missing,
                          FILE *errout);
void findings_fini(struct findings *f);

#endif
