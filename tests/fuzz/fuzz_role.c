/* Objects of a cluster: the cut of a cut is the same cut, it has the same targets as the whole, and
 * no object makes a role stumble. The first byte says which role; whatever is looked up is the
 * whole object. */
#include "allocator/base/limits.h"
#include "allocator/discovery/role.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool is_true)
{
    if (!is_true) {
        abort();
    }
}

static bool find(const void *arg, enum object_kind kind, struct span ns, struct span name,
                 struct span *out_text)
{
    (void)kind, (void)ns, (void)name;
    *out_text = *(const struct span *)arg;
    return true;
}

static int digest(const struct role_ops *role, struct span object, const struct span *others,
                  struct sd_batch *batch)
{
    const struct role_input in = { object, { true, true, true, true, true }, { find, others } };

    sd_batch_reset(batch);
    return role->digest(&in, batch, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct strpool pool;
    struct sd_batch batch;
    struct buf cut, again;

    if (size == 0) {
        return 0;
    }
    const struct role_ops *role = roles[data[0] % 6];
    struct span text = { (const char *)data + 1, size - 1 };
    strpool_init(&pool);
    sd_batch_init(&batch, &pool);
    buf_init(&cut, LIMIT_SD_BODY);
    buf_init(&again, LIMIT_SD_BODY);
    int rc = digest(role, text, &text, &batch);
    size_t n_targets = batch.n_targets;
    if (object_cut(role->kind, text, &cut, NULL) == 0) {
        require(object_cut(role->kind, buf_span(&cut), &again, NULL) == 0);
        require(span_eq(buf_span(&cut), buf_span(&again)));
        if (rc == 0) {
            require(digest(role, buf_span(&cut), &text, &batch) == 0);
            require(n_targets == batch.n_targets);
        }
    } else {
        require(rc < 0);
    }
    buf_fini(&again);
    buf_fini(&cut);
    sd_batch_fini(&batch);
    strpool_fini(&pool);
    return 0;
}
