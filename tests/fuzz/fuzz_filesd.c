/* A file_sd YAML file in any bytes, and the patterns that find files: the first line is a pattern,
 * matched against the rest as a name and as text. */
#include "allocator/base/limits.h"
#include "allocator/discovery/pathglob.h"
#include "allocator/discovery/targetgroup.h"

#include <assert.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_paths(struct span pattern, struct span name)
{
    AUTO_BUF once;
    AUTO_BUF twice;

    (void)pathglob_match(pattern, name);
    assert(pathglob_has_meta(pattern) || pathglob_match(pattern, pattern));
    buf_init(&once, LIMIT_SD_BODY);
    buf_init(&twice, LIMIT_SD_BODY);
    pathglob_clean(name, &once);
    pathglob_clean(buf_span(&once), &twice);
    assert(span_eq(buf_span(&once), buf_span(&twice)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct targetgroup_origin origin = { "__meta_filepath", SPAN_LIT("/sd/x.yml") };
    struct span all = span_make((const char *)data, size);
    const char *end = memchr(data, '\n', size);
    struct strpool pool;
    struct sd_batch batch;
    struct err err;

    strpool_init(&pool);
    sd_batch_init(&batch, &pool);
    if (targetgroup_parse_yaml(all, &origin, &batch, &err) == 0) {
        size_t n = 0;
        vec_each(&batch.groups, g) {
            assert(g->n_targets > 0);
            n += g->n_targets;
        }
        assert(n == batch.n_targets);
    }
    sd_batch_fini(&batch);
    strpool_fini(&pool);
    if (end != NULL) {
        size_t n = (size_t)(end - (const char *)data);
        check_paths(span_make(all.p, n), span_from(all, n + 1));
    }
    return 0;
}
