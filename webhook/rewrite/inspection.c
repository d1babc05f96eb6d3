#include "webhook/rewrite/inspection.h"

#include "allocator/tenant/receivers.h"

static void read_jobs(const struct collector *c, const struct rewrite_options *options,
                      struct faults *f, struct inspection *out)
{
    const struct receivers_options how = {
        .scrape = { .strict = true, .thorough = true, .check_only = true },
        .takable = options->takable,
    };
    struct scrapejobs jobs = { .v = NULL };
    struct left_jobs left = { .v = NULL };
    struct strpool pool;

    strpool_init(&pool);
    if (receivers_jobs(c, &how, &pool, f, &jobs, &left)) {
        out->n_jobs += jobs.n;
        out->n_left += left.n;
    }
    left_jobs_fini(&left);
    scrapejobs_fini(&jobs);
    strpool_fini(&pool);
}

void inspection_make(const struct node *root, const struct rewrite_options *options,
                     enum fault_severity worst, struct faults *f, struct inspection *out)
{
    struct collector c;
    size_t from = f->n;

    collector_read(root, &c);
    collector_check(&c, f);
    read_jobs(&c, options, f, out);
    if (worst == FAULT_WARNING) {
        faults_demote(f, from);
    }
    faults_drop_repeats(f, from);
}

void inspection_of_all(const struct node *root, const struct rewrite_options *options,
                       enum fault_severity worst, struct faults *f, struct inspection *out)
{
    const struct node *collector;

    for (size_t at = 0; (collector = collector_next(root, &at)) != NULL;) {
        size_t mark = collector_push(root, at, f);
        inspection_make(collector, options, worst, f, out);
        faults_pop(f, mark);
    }
}
