/* static_configs: the groups stand in the configuration itself. */
#include "allocator/discovery/provider.h"

static void add_labels(const struct node *labels, struct sd_batch *out)
{
    if (labels == NULL || labels->type != NODE_MAP) {
        return;
    }
    for (size_t i = 0; i < labels->n; i++) {
        struct span name, value = SPAN_LIT("");
        if (node_as_text(labels->pairs[i].key, &name)) {
            node_as_text(labels->pairs[i].value, &value); /* null: empty */
            sd_batch_label(out, strpool_intern(out->pool, name), value);
        }
    }
}

static int digest(const struct provider_input *in, struct sd_batch *out, struct err *err)
{
    (void)err;
    for (size_t i = 0; i < in->section->statics.n_groups; i++) {
        const struct sd_static_group *group = &in->section->statics.groups[i];
        sd_batch_begin(out);
        for (size_t k = 0; k < group->n_targets; k++) {
            sd_batch_target(out, group->targets[k]);
        }
        add_labels(group->labels, out);
        sd_batch_end(out);
    }
    return 0;
}

const struct provider_ops provider_static = {
    .mechanism = SD_STATIC,
    .name = "static",
    .digest = digest,
};
