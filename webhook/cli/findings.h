/* Discovery that runs until everything was looked at once: what the sections of a job hold now.
 * Uses the watcher, so that files are found and servers are asked as the server would. Threads:
 * main thread. */
#ifndef OTEL_TA_WEBHOOK_CLI_FINDINGS_H
#define OTEL_TA_WEBHOOK_CLI_FINDINGS_H

#include "allocator/discovery/batch.h"
#include "allocator/discovery/want.h"
#include "allocator/scrape/scrapejob.h"

#include <stdio.h>

struct finding { /* one source of one section */
    size_t section;
    struct arrival *arrival; /* NULL: static */
};

struct findings {
    VEC(struct finding) list; /* by section, then source */
    size_t n_failed;          /* sources that could not be read */
    size_t n_missing;         /* sections without an answer in time */
};

struct findings_options {
    int64_t timeout_ms;
    bool files_only; /* leave out every section but file_sd */
};

/* ERR_* only when discovery cannot run at all. */
int findings_discover_once(const struct scrapejob *job, const struct findings_options *options,
                           struct findings *out, struct err *err) MUST_USE;
/* Digests one of them into 'batch' (reset). */
int findings_digest(const struct scrapejob *job, const struct finding *f, struct sd_batch *batch,
                    struct err *err) MUST_USE;
/* Says on 'errout' what of a job is missing: sections that are not run, and so many sources that
 * could not be read, and sections without an answer. */
void findings_report_gaps(const struct scrapejob *job, size_t n_failed, size_t n_missing,
                          FILE *errout);
void findings_fini(struct findings *f);

#endif
