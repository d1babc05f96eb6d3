/* role: endpointslice. A target for each address and port, and for the ports of its pods that are
 * not among them. */
#include "allocator/discovery/rolepods.h"

struct work {
    const struct role_input *in;
    struct sd_batch *batch;
    struct role_labels common;
    struct role_pods pods;
};

static struct span service_name(const struct object_meta *meta)
{
    for (size_t i = meta->labels.n; i-- > 0;) {
        if (span_is(meta->labels.v[i].name, "kubernetes.io/service-name")) {
            return meta->labels.v[i].value;
        }
    }
    return SPAN_LIT("");
}

/* A service of two families has slices of both for the same pods; the first family counts. */
static bool is_second_family(const struct object_endpointslice *slice,
                             const struct object_service *service)
{
    return (span_is(service->ip_family_policy, "PreferDualStack") ||
            span_is(service->ip_family_policy, "RequireDualStack")) &&
           service->ip_families.n > 0 && !span_eq(slice->address_type, service->ip_families.v[0]);
}

static int add_common(struct work *w, const struct object_endpointslice *slice, bool *out_is_second,
                      struct err *err)
{
    const struct object_meta *meta = &slice->meta;
    struct object_service service;

    memset(&service, 0, sizeof(service));
    role_labels_add(&w->common, "namespace", meta->namespace);
    role_labels_add(&w->common, "endpointslice_address_type", slice->address_type);
    role_labels_add_meta(&w->common, "endpointslice", meta);
    int rc = role_labels_add_service(&w->common, w->in, meta->namespace, service_name(meta),
                                     &service, err);
    *out_is_second = is_second_family(slice, &service);
    return rc < 0 ? rc : role_labels_add_namespace(&w->common, w->in, meta->namespace, err);
}

/* When it is there, also when it is empty. */
static void put_there(struct sd_batch *b, const char *name, struct span value)
{
    if (value.p != NULL) {
        role_put(b, name, value);
    }
}

static void put_endpoint(struct sd_batch *b, const struct object_endpoint *e)
{
    put_there(b, "endpointslice_endpoint_conditions_ready", e->ready);
    put_there(b, "endpointslice_endpoint_conditions_serving", e->serving);
    put_there(b, "endpointslice_endpoint_conditions_terminating", e->terminating);
    put_there(b, "endpointslice_endpoint_hostname", e->hostname);
    put_there(b, "endpointslice_endpoint_node_name", e->node_name);
    put_there(b, "endpointslice_endpoint_zone", e->zone);
    if (e->has_target) {
        role_put(b, "endpointslice_address_target_kind", e->target.kind);
        role_put(b, "endpointslice_address_target_name", e->target.name);
    }
    for (size_t i = 0; i < e->topology.n; i++) {
        const struct object_pair *pair = &e->topology.v[i];
        role_put_made(b, "endpointslice_endpoint_topology_", pair->name, pair->value);
        role_put_made(b, "endpointslice_endpoint_topology_present_", pair->name, SPAN_LIT("true"));
    }
}

static int put_address(struct work *w, struct span address, const struct object_endpoint *e,
                       const struct object_port *port, struct err *err)
{
    struct sd_batch *b = w->batch;
    struct role_pod *pod = NULL;
    bool is_node = e->has_target && span_is(e->target.kind, "Node");
    int rc;

    sd_batch_begin(b);
    role_labels_put(&w->common);
    put_there(b, "endpointslice_port_name", port->name);
    put_there(b, "endpointslice_port_protocol", port->protocol);
    put_there(b, "endpointslice_port", port->number);
    put_there(b, "endpointslice_port_app_protocol", port->app_protocol);
    put_endpoint(b, e);
    if ((rc = role_put_node(b, w->in, is_node ? e->target.name : e->node_name, err)) < 0 ||
        (rc = role_pods_find(&w->pods, &e->target, &pod, err)) < 0) {
        return rc;
    }
    if (pod != NULL) {
        role_pods_put(&w->pods, pod, port->number, (struct span){ NULL, 0 });
    }
    sd_batch_target(b, role_address(b, address, port->number));
    (void)sd_batch_end(b);
    return 0;
}

static int put_endpoints(struct work *w, const struct object_endpointslice *slice, struct err *err)
{
    int rc = 0;

    for (size_t i = 0; i < slice->endpoints.n; i++) {
        const struct object_endpoint *e = &slice->endpoints.v[i];
        for (size_t k = 0; k < slice->ports.n; k++) {
            for (size_t a = 0; rc == 0 && a < e->addresses.n; a++) {
                rc = put_address(w, e->addresses.v[a], e, &slice->ports.v[k], err);
            }
        }
    }
    return rc;
}

static int digest(const struct role_input *in, struct sd_batch *out, struct err *err)
{
    struct work w = { .in = in, .batch = out };
    struct object_endpointslice slice;
    bool is_second = false;
    int rc = object_view(OBJECT_ENDPOINTSLICE, in->object, &out->arena, &slice, err);

    if (rc < 0) {
        return rc;
    }
    role_labels_init(&w.common, out);
    role_pods_init(&w.pods, in, out);
    rc = add_common(&w, &slice, &is_second, err);
    if (rc == 0 && !is_second) {
        rc = put_endpoints(&w, &slice, err);
        if (rc == 0) {
            role_pods_put_rest(&w.pods, &w.common);
        }
    }
    role_pods_fini(&w.pods);
    role_labels_fini(&w.common);
    return rc;
}

const struct role_ops role_endpointslice = {
    .name = "endpointslice",
    .source_prefix = "endpointslice/",
    .kind = OBJECT_ENDPOINTSLICE,
    .joined = 1U << OBJECT_SERVICE | 1U << OBJECT_POD,
    .attached = role_attached,
    .digest = digest,
};
