/* role: pod. A target for each port of each container, and one for a container without ports. */
#include "allocator/discovery/rolepods.h"

static struct span container_id(const struct object_pod *pod, const struct role_container *c)
{
    const struct object_container_statuses *list =
        c->is_init ? &pod->init_statuses : &pod->statuses;

    for (size_t i = 0; i < list->n; i++) {
        if (span_eq(list->v[i].name, c->is->name)) {
            return list->v[i].id;
        }
    }
    return SPAN_LIT("");
}

static void put_target(const struct role_labels *l, const struct object_pod *pod,
                       const struct role_container *c, const struct object_port *port)
{
    struct sd_batch *b = l->batch;

    sd_batch_begin(b);
    role_labels_put(l);
    role_put_container(b, c, port, port == NULL ? SPAN_LIT("") : port->protocol);
    role_put(b, "pod_container_id", container_id(pod, c));
    sd_batch_target(
        b, role_address(b, pod->ip, port == NULL ? (struct span){ NULL, 0 } : port->number));
    (void)sd_batch_end(b);
}

static void put_pod(const struct role_labels *l, const struct object_pod *pod)
{
    struct role_container c;

    for (size_t i = 0; role_container_at(pod, i, &c); i++) {
        for (size_t k = 0; k < c.is->ports.n; k++) {
            put_target(l, pod, &c, &c.is->ports.v[k]);
        }
        if (c.is->ports.n == 0) {
            put_target(l, pod, &c, NULL);
        }
    }
}

static int collect(struct role_labels *l, const struct role_input *in, const struct object_pod *pod,
                   bool *out_is_placed, struct err *err)
{
    int rc;

    role_labels_add(l, "namespace", pod->meta.namespace);
    if ((rc = role_labels_add_pod(l, in, pod, err)) < 0 ||
        (rc = role_labels_add_namespace(l, in, pod->meta.namespace, err)) < 0) {
        return rc;
    }
    *out_is_placed = true;
    return in->attach.node ? role_labels_add_node(l, in, pod->node_name, out_is_placed, err) : 0;
}

static int digest(const struct role_input *in, struct sd_batch *out, struct err *err)
{
    struct role_labels l;
    struct object_pod pod;
    bool is_placed = false;
    int rc = object_view(OBJECT_POD, in->object, &out->arena, &pod, err);

    if (rc < 0 || pod.ip.len == 0) {
        return rc;
    }
    role_labels_init(&l, out);
    rc = collect(&l, in, &pod, &is_placed, err);
    if (rc == 0 && is_placed) {
        put_pod(&l, &pod);
    }
    role_labels_fini(&l);
    return rc;
}

const struct role_ops role_pod = {
    .name = "pod",
    .source_prefix = "pod/",
    .kind = OBJECT_POD,
    .attached = role_attached,
    .digest = digest,
};
