/* Manifests from anybody: every document that is an OpenTelemetryCollector is read, and its jobs
 * with it. */
#include "allocator/codec/yamldoc.h"
#include "allocator/tenant/receivers.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_collector(const struct node *doc)
{
    const struct receivers_options options = { .scrape = { .strict = true },
                                               .takable = { .leaves_files = true } };
    struct scrapejobs jobs = { 0 };
    struct collector c;
    struct strpool pool;
    struct faults f;

    faults_init(&f);
    strpool_init(&pool);
    collector_read(doc, &c);
    collector_check(&c, &f);
    collector_report_mode(&c, &f);
    (void)receivers_jobs(&c, &options, &pool, &f, &jobs, NULL);
    scrapejobs_fini(&jobs);
    strpool_fini(&pool);
    faults_fini(&f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct yamldoc *docs = NULL;
    size_t n = 0;
    struct arena arena;

    arena_init(&arena);
    if (yamldoc_parse_all(span_make((const char *)data, size), &arena, &docs, &n, NULL) == 0) {
        for (size_t i = 0; i < n; i++) {
            const struct node *collector;
            for (size_t at = 0; (collector = collector_next(docs[i].root, &at)) != NULL;) {
                read_collector(collector);
            }
        }
    }
    arena_fini(&arena);
    return 0;
}
