/* Manifests from anybody: every document that is an OpenTelemetryCollector is read, and its jobs
 * with it. */
#include "allocator/codec/yamldoc.h"
#include "allocator/tenant/collectorcr.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_collector(const struct node *doc, struct arena *arena)
{
    const struct scrape_options options = { .strict = true };
    struct scrapejobs jobs = { 0 };
    struct collectorcr cr;
    struct strpool pool;
    struct faults f;

    faults_init(&f);
    strpool_init(&pool);
    if (collectorcr_parse(doc, arena, &f, &cr)) {
        collectorcr_jobs(&cr, &options, &pool, &f, &jobs);
    }
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
            read_collector(docs[i].root, &arena);
        }
    }
    arena_fini(&arena);
    return 0;
}
