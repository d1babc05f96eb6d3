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

    *out = (struct ask){ .refresh_ms = section->refresh_ms < 1 ? 1 : section->refresh_ms };
    if (ops != NULL && ops->plan != NULL) {
        out->carrier = ops->carrier;
        ops->plan(section, arena, out);
    }
}

void provider_key(const struct sdconfig *section, struct buf *out)
{
    struct arena arena;
    struct ask ask;

    arena_init(&arena);
    provider_plan(section, &arena, &ask);
    if (ask.carrier != CARRIER_NONE) {
        buf_addf(out, "%s.", section->section);
        ask_key(&ask, out);
    }
    arena_fini(&arena);
}
