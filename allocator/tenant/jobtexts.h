/* The texts of the scrape configs of one file, as hashes: when the file is read again, only jobs
 * whose text is another one have to be. Knows files with one list of scrape configs in block style,
 * that mean one Collector, and in which there is nothing to complain of; all others, and all that
 * is not quite certain, are read as a whole. How it is certain: a list item begins at a dash in the
 * column of the list, so the lines that begin so are at least the items; as many lines as jobs are
 * exactly these. A text that is well formed alone means the same wherever it stands in its list,
 * if no anchor is in it. Pure. Threads: one at a time. */
#ifndef OTEL_TA_TENANT_JOBTEXTS_H
#define OTEL_TA_TENANT_JOBTEXTS_H

#include "allocator/base/vec.h"
#include "allocator/tenant/tenants.h"

struct jobtext {
    uint64_t hash[2];
    struct scrapejob *job; /* what it means, as scrapejob_remember() has it; NULL: not known */
};

struct jobtexts {              /* nothing is known while it is zero */
    VEC(struct jobtext) rows;  /* in the order of the file */
    uint64_t head[2], tail[2]; /* of what is before and after the list */
    size_t head_len, tail_len, indent;
};

/* 'text' means 'tenants', whose jobs have their keys, and 'faults' are all faults there were. What
 * was known is forgotten. */
void jobtexts_learn(struct jobtexts *m, struct span text, const struct tenants *tenants,
                    const struct faults *faults);
/* The same file with the jobs alone that are not known, at least one, and in '*out' which are,
 * in the order of 'text'. False: it must be read as a whole. */
bool jobtexts_reduce(const struct jobtexts *m, struct span text, struct buf *out_text,
                     struct jobtexts *out);
/* 'tenants' is what the reduced text means: the jobs that it lacks come back, as what is remembered
 * of them. False: 'text' must be read as a whole; 'tenants' is then to be thrown away. */
bool jobtexts_restore(const struct jobtexts *reduced, struct tenants *tenants,
                      const struct faults *faults);
void jobtexts_fini(struct jobtexts *m);

#endif
