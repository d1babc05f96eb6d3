/* A Prometheus configuration from anybody: checked strictly and leniently; every job that passes
 * can be rendered. */
#include "allocator/base/limits.h"
#include "allocator/codec/yamldoc.h"
#include "allocator/scrape/promconfig.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void parse(const struct node *root, bool strict)
{
    struct scrape_options options = { .strict = strict, .unescape_dollars = !strict };
    struct scrapejobs jobs = { 0 };
    struct strpool pool;
    struct faults f;

    if (!strict) {
        options.filter = SCRAPE_FILTER_NONE;
    }
    faults_init(&f);
    strpool_init(&pool);
    promconfig_parse(root, &options, &pool, &f, &jobs);
    for (size_t i = 0; i < jobs.n; i++) {
        scrapejob_settle(jobs.v[i]);
    }
    scrapejobs_fini(&jobs);
    strpool_fini(&pool);
    faults_fini(&f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct node *root = NULL;
    struct arena arena;

    arena_init(&arena);
    if (yamldoc_parse(span_make((const char *)data, size), &arena, &root, NULL) == 0) {
        parse(root, true);
        parse(root, false);
    }
    arena_fini(&arena);
    return 0;
}
