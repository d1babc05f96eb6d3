#include "allocator/discovery/provider.h"

const struct provider_ops *provider_find(const struct sdconfig *section)
{
    for (const struct provider_row *row = providers; row->section != NULL; row++) {
        if (strcmp(row->section, section->section) == 0) {
            return row->ops;
        }
    }
    return NULL;
}

void provider_plan(const struct sdconfig *section, struct arena *arena, struct ask *out)
{
    const struct provider_ops *ops = provider_find(section);

    *out = (struct ask){ .carrier = ops->carrier,
                         .refresh_ms = section->refresh_ms < 1 ? 1 : section->refresh_ms };
    if (ops->plan != NULL) {
        ops->plan(section, arena, out);
    }
}

void provider_key(const struct sdconfig *section, struct buf *out)
{
    const struct provider_ops *ops = provider_find(section);
    struct arena arena;
    struct ask ask;

    if (ops == NULL || ops->carrier == CARRIER_NONE) {
        return;
    }
    arena_init(&arena);
    provider_plan(section, &arena, &ask);
    buf_addf(out, "%s.", ops->name);
    ask_key(&ask, out);
    arena_fini(&arena);
}
