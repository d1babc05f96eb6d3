#include "allocator/tenant/tenant.h"

#include "allocator/base/mem.h"

struct tenant *tenant_new(struct span ns, struct span name)
{
    struct tenant *t = mem_zalloc(sizeof(*t));

    arena_init(&t->arena);
    strpool_init(&t->names);
    collectorlist_init(&t->collectors);
    t->ns = arena_span(&t->arena, ns);
    t->name = arena_span(&t->arena, name);
    t->file = t->service = t->strategy = t->fallback = SPAN_LIT("");
    return t;
}

void tenant_free(struct tenant **tenant)
{
    struct tenant *t = *tenant;

    if (t == NULL) {
        return;
    }
    scrapejobs_fini(&t->jobs);
    collectorlist_fini(&t->collectors);
    strpool_fini(&t->names);
    arena_fini(&t->arena);
    mem_free(t);
    *tenant = NULL;
}

int tenant_compare(struct span ns, struct span name, struct span other_ns, struct span other_name)
{
    int c = span_cmp(ns, other_ns);
    return c != 0 ? c : span_cmp(name, other_name);
}
