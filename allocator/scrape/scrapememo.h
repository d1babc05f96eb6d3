/* Scrape jobs that are at work, by the document they were parsed from: a configuration that says
 * again what the last one said gets the same job, instead of another one like it. Holds no
 * reference: a job leaves when the last one who has it lets it go. Threads: that of the jobs. */
#ifndef OTEL_TA_SCRAPE_SCRAPEMEMO_H
#define OTEL_TA_SCRAPE_SCRAPEMEMO_H

#include "allocator/scrape/scrapejob.h"

struct scrapememo {
    struct table jobs;
    struct buf key; /* scratch */
};

/* Of all that a job comes from. */
struct scrapememo_key {
    uint64_t v[2];
    bool is_complete; /* false: too long to be looked at as a whole; finds nothing */
};

void scrapememo_init(struct scrapememo *m);
/* What the jobs of one list have in common. */
struct scrapememo_key scrapememo_base(struct scrapememo *m, const struct scrape_globals *globals,
                                      const struct scrape_options *options);
struct scrapememo_key scrapememo_key(struct scrapememo *m, const struct scrapememo_key *base,
                                     const struct node *job);
/* One more reference to the job, or NULL. */
struct scrapejob *scrapememo_take(const struct scrapememo *m, const struct scrapememo_key *key);
/* The job is found until it is freed. */
void scrapememo_put(struct scrapememo *m, const struct scrapememo_key *key, struct scrapejob *job);
/* Its jobs must be gone. */
void scrapememo_fini(struct scrapememo *m);

#endif
