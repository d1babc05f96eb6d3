#include "allocator/tenant/jobindex.h"

void jobindex_init(struct jobindex *index, struct arena *arena)
{
    spanmap_init(&index->jobs, arena);
}

const struct node *jobindex_find(const struct jobindex *index, struct span receiver,
                                 struct span job)
{
    return spanmap_get_in(&index->jobs, receiver, job);
}

bool jobindex_add(struct jobindex *index, struct span receiver, struct span job,
                  const struct node *node)
{
    return spanmap_put_in(&index->jobs, receiver, job, node);
}

void jobindex_add_annotation(struct jobindex *index, const struct node *annotation)
{
    const struct node *receivers = node_get(annotation, "receivers");

    if (receivers == NULL || receivers->type != NODE_MAP) {
        return;
    }
    for (size_t r = 0; r < receivers->n; r++) {
        const struct node *jobs = node_get(receivers->pairs[r].value, "jobs");
        for (size_t i = 0; jobs != NULL && jobs->type == NODE_MAP && i < jobs->n; i++) {
            if (jobs->pairs[i].value->type == NODE_MAP) {
                (void)jobindex_add(index, receivers->pairs[r].key->text, jobs->pairs[i].key->text,
                                   jobs->pairs[i].value);
            }
        }
    }
}

void jobindex_fini(struct jobindex *index)
{
    spanmap_fini(&index->jobs);
}
