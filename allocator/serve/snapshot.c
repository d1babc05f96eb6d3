#include "allocator/serve/snapshot.h"

#include <assert.h>

void snapshot_get(const struct snapshot *s)
{
    ref_get(&((struct snapshot *)(uintptr_t)s)->ref);
}

void snapshot_put(const struct snapshot *s)
{
    bool was_last = ref_put(&((struct snapshot *)(uintptr_t)s)->ref);

    assert(!was_last); /* the publisher holds one until it reaps */
    (void)was_last;
}
