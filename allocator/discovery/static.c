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

static void add_targets(const struct node *targets, struct sd_batch *out)
{
    for (size_t i = 0; targets != NULL && i < targets->n; i++) {
        struct span address = { NULL, 0 };
        (void)node_as_text(targets->items[i], &address); /* null: empty */
        sd_batch_target(out, address);
    }
}

static int digest(const struct provider_input *in, struct sd_batch *out, struct err *err)
{
    const struct node *groups = in->section->entry;

    (void)err;
    for (size_t i = 0; i < groups->n; i++) {
        sd_batch_begin(out);
        add_targets(schema_list(groups->items[i], "targets"), out);
        add_labels(node_get(groups->items[i], "labels"), out);
        sd_batch_end(out);
    }
    return 0;
}

const struct provider_ops provider_static = { .name = "static", .digest = digest };
