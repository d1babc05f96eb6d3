/* role: endpoints. A target for each address and port, and for the ports of its pods that are not
 * among them. */
#include "allocator/discovery/rolepods.h"

struct work {
    const struct role_input *in;
    struct sd_batch *batch;
    struct role_labels common;
    struct role_pods pods;
};

static int add_common(struct work *w, const struct object_meta *meta, struct err *err)
{
    role_labels_add(&w->common, "namespace", meta->namespace);
    role_labels_add_meta(&w->common, "endpoints", meta);
    int rc = role_labels_add_service(&w->common, w->in, meta->namespace, meta->name, NULL, err);
    return rc < 0 ? rc : role_labels_add_namespace(&w->common, w->in, meta->namespace, err);
}

static int attach_node(struct work *w, const struct object_address *a, struct err *err)
{
    bool is_node = a->has_target && span_is(a->target.kind, "Node");

    return role_put_node(w->batch, w->in,
                         a->node_name.len > 0 ? a->node_name
                         : is_node            ? a->target.name
                                              : SPAN_LIT(""),
                         err);
}

static int put_address(struct work *w, const struct object_address *a,
                       const struct object_port *port, bool is_ready, struct err *err)
{
    struct sd_batch *b = w->batch;
    struct role_pod *pod = NULL;
    int rc;

    sd_batch_begin(b);
    role_labels_put(&w->common);
    role_put(b, "endpoint_port_name", port->name);
    role_put(b, "endpoint_port_protocol", port->protocol);
    role_put(b, "endpoint_ready", is_ready ? SPAN_LIT("true") : SPAN_LIT("false"));
    if (a->has_target) {
        role_put(b, "endpoint_address_target_kind", a->target.kind);
        role_put(b, "endpoint_address_target_name", a->target.name);
    }
    role_put_given(b, "endpoint_node_name", a->node_name);
    role_put_given(b, "endpoint_hostname", a->hostname);
    if ((rc = attach_node(w, a, err)) < 0 ||
        (rc = role_pods_find(&w->pods, &a->target, &pod, err)) < 0) {
        return rc;
    }
    if (pod != NULL) {
        role_pods_put(&w->pods, pod, port->number, port->protocol);
    }
    sd_batch_target(b, role_address(b, a->ip, port->number));
    (void)sd_batch_end(b);
    return 0;
}

static int put_addresses(struct work *w, const struct object_addresses *list,
                         const struct object_port *port, bool is_ready, struct err *err)
{
    for (size_t i = 0; i < list->n; i++) {
        int rc = put_address(w, &list->v[i], port, is_ready, err);
        if (rc < 0) {
            return rc;
        }
    }
    return 0;
}

static int put_subset(struct work *w, const struct object_subset *s, struct err *err)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < s->ports.n; i++) {
        rc = put_addresses(w, &s->ready, &s->ports.v[i], true, err);
        if (rc == 0) {
            rc = put_addresses(w, &s->not_ready, &s->ports.v[i], false, err);
        }
    }
    return rc;
}

static int digest(const struct role_input *in, struct sd_batch *out, struct err *err)
{
    struct work w = { .in = in, .batch = out };
    struct object_endpoints endpoints;
    int rc = object_view(OBJECT_ENDPOINTS, in->object, &out->arena, &endpoints, err);

    if (rc < 0) {
        return rc;
    }
    role_labels_init(&w.common, out);
    role_pods_init(&w.pods, in, out);
    rc = add_common(&w, &endpoints.meta, err);
    for (size_t i = 0; rc == 0 && i < endpoints.subsets.n; i++) {
        rc = put_subset(&w, &endpoints.subsets.v[i], err);
    }
    if (rc == 0) {
        role_pods_put_rest(&w.pods, &w.common);
    }
    role_pods_fini(&w.pods);
    role_labels_fini(&w.common);
    return rc;
}

const struct role_ops role_endpoints = {
    .name = "endpoints",
    .source_prefix = "endpoints/",
    .kind = OBJECT_ENDPOINTS,
    .joined = 1U << OBJECT_SERVICE | 1U << OBJECT_POD,
    .attached = role_attached,
    .digest = digest,
};
