/* role: service. A target for each port. */
#include "allocator/discovery/rolelabels.h"

/* The addresses of the status, else the one that was asked for. */
static struct span balancer_ips(const struct object_service *s, struct arena *arena)
{
    struct span all = { "", 0 };

    for (size_t i = 0; i < s->ingress.n; i++) {
        struct span ip = s->ingress.v[i].ip;
        if (ip.len > 0) {
            all = all.len == 0
                      ? ip
                      : span_of(arena_printf(arena, "%.*s,%.*s", SPAN_ARG(all), SPAN_ARG(ip)));
        }
    }
    return all.len > 0 ? all : s->load_balancer_ip;
}

static void add_type(struct role_labels *l, const struct object_service *s)
{
    role_labels_add(l, "service_type", s->type);
    if (span_is(s->type, "ExternalName")) {
        role_labels_add(l, "service_external_name", s->external_name);
        return;
    }
    role_labels_add(l, "service_cluster_ip", s->cluster_ip);
    if (span_is(s->type, "LoadBalancer")) {
        role_labels_add(l, "service_loadbalancer_ip", balancer_ips(s, &l->batch->arena));
    }
}

static void put_ports(const struct role_labels *l, const struct object_service *s)
{
    struct sd_batch *b = l->batch;
    struct span host = span_of(arena_printf(&b->arena, "%.*s.%.*s.svc", SPAN_ARG(s->meta.name),
                                            SPAN_ARG(s->meta.namespace)));

    for (size_t i = 0; i < s->ports.n; i++) {
        const struct object_port *port = &s->ports.v[i];
        sd_batch_begin(b);
        role_labels_put(l);
        role_put(b, "service_port_name", port->name);
        role_put(b, "service_port_number", port->number);
        role_put(b, "service_port_protocol", port->protocol);
        sd_batch_target(b, role_address(b, host, port->number));
        (void)sd_batch_end(b);
    }
}

static int digest(const struct role_input *in, struct sd_batch *out, struct err *err)
{
    struct role_labels l;
    struct object_service s;
    int rc = object_view(OBJECT_SERVICE, in->object, &out->arena, &s, err);

    if (rc < 0) {
        return rc;
    }
    role_labels_init(&l, out);
    role_labels_add(&l, "namespace", s.meta.namespace);
    role_labels_add_meta(&l, "service", &s.meta);
    add_type(&l, &s);
    rc = role_labels_add_namespace(&l, in, s.meta.namespace, err);
    if (rc == 0) {
        put_ports(&l, &s);
    }
    role_labels_fini(&l);
    return rc;
}

const struct role_ops role_service = {
    .name = "service",
    .source_prefix = "svc/",
    .kind = OBJECT_SERVICE,
    .attached = role_attached_namespace,
    .digest = digest,
};
