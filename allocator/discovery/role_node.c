/* role: node. A target for each node: its kubelet. */
#include "allocator/discovery/rolelabels.h"

static const char *const address_types[] = { "InternalIP",  "InternalDNS",  "ExternalIP",
                                             "ExternalDNS", "LegacyHostIP", "Hostname" };

static const struct object_node_address *first_of(const struct object_node *node, struct span type)
{
    for (size_t i = 0; i < node->addresses.n; i++) {
        if (span_eq(node->addresses.v[i].type, type)) {
            return &node->addresses.v[i];
        }
    }
    return NULL;
}

static const struct object_node_address *best_address(const struct object_node *node)
{
    for (size_t i = 0; i < sizeof(address_types) / sizeof(address_types[0]); i++) {
        const struct object_node_address *a = first_of(node, span_of(address_types[i]));
        if (a != NULL) {
            return a;
        }
    }
    return NULL;
}

static void put_node(struct sd_batch *b, const struct object_node *node,
                     const struct object_node_address *address)
{
    struct role_labels l;
    struct span port = node->kubelet_port.p == NULL ? SPAN_LIT("0") : node->kubelet_port;

    role_labels_init(&l, b);
    role_labels_add_meta(&l, "node", &node->meta);
    role_labels_add(&l, "node_provider_id", node->provider_id);
    for (size_t i = 0; i < node->conditions.n; i++) {
        role_labels_add_made(&l, "node_condition_", role_lower(b, node->conditions.v[i].type),
                             role_lower(b, node->conditions.v[i].status));
    }
    for (size_t i = 0; i < node->addresses.n; i++) {
        const struct object_node_address *a = &node->addresses.v[i];
        if (first_of(node, a->type) == a) {
            role_labels_add_made(&l, "node_address_", a->type, a->address);
        }
    }
    sd_batch_begin(b);
    role_labels_put(&l);
    sd_batch_label(b, strpool_intern(b->pool, SPAN_LIT("instance")), node->meta.name);
    sd_batch_target(b, role_address(b, address->address, port));
    (void)sd_batch_end(b);
    role_labels_fini(&l);
}

static int digest(const struct role_input *in, struct sd_batch *out, struct err *err)
{
    struct object_node node;
    int rc = object_view(OBJECT_NODE, in->object, &out->arena, &node, err);

    if (rc < 0) {
        return rc;
    }
    const struct object_node_address *address = best_address(&node);
    if (address == NULL) {
        return err_set(err, ERR_NOT_FOUND, "the node has no address");
    }
    put_node(out, &node, address);
    return 0;
}

const struct role_ops role_node = {
    .name = "node",
    .source_prefix = "node/",
    .kind = OBJECT_NODE,
    .digest = digest,
};
