#include "allocator/discovery/rolepods.h"

/* ---- containers */

bool role_container_at(const struct object_pod *pod, size_t i, struct role_container *out)
{
    out->is_init = i >= pod->containers.n;
    if (!out->is_init) {
        out->is = &pod->containers.v[i];
        return true;
    }
    i -= pod->containers.n;
    if (i >= pod->init_containers.n) {
        return false;
    }
    out->is = &pod->init_containers.v[i];
    return true;
}

void role_put_container(struct sd_batch *b, const struct role_container *c,
                        const struct object_port *port, struct span protocol)
{
    role_put(b, "pod_container_name", c->is->name);
    role_put(b, "pod_container_image", c->is->image);
    role_put(b, "pod_container_init", c->is_init ? SPAN_LIT("true") : SPAN_LIT("false"));
    if (port != NULL) {
        role_put(b, "pod_container_port_name", port->name);
        role_put(b, "pod_container_port_number", port->number);
        role_put(b, "pod_container_port_protocol", protocol);
    }
}

/* ---- labels of a pod */

static struct span readiness(const struct object_pod *pod)
{
    for (size_t i = 0; i < pod->conditions.n; i++) {
        if (span_is(pod->conditions.v[i].type, "Ready")) {
            return pod->conditions.v[i].status;
        }
    }
    return SPAN_LIT("unknown");
}

/* Who is in control of the pod's controller, if that is of 'kind'. */
static int find_grandparent(const struct role_input *in, struct arena *arena,
                            const struct object_pod *pod, enum object_kind kind,
                            const struct object_owner **out, struct err *err)
{
    const struct object_owner *owner = object_controller(&pod->meta);
    struct object_bare parent;
    struct span text;

    *out = NULL;
    if (!in->world.find(in->world.arg, kind, pod->meta.namespace, owner->name, &text)) {
        return 0;
    }
    int rc = object_view(kind, text, arena, &parent, err);
    if (rc < 0) {
        return err_wrap(err, rc, "%.*s %.*s", SPAN_ARG(owner->kind), SPAN_ARG(owner->name));
    }
    *out = object_controller(&parent.meta);
    return 0;
}

static int add_owners(struct role_labels *l, const struct role_input *in,
                      const struct object_pod *pod, struct err *err)
{
    const struct object_owner *owner = object_controller(&pod->meta), *above = NULL;
    int rc = 0;

    if (owner == NULL) {
        return 0;
    }
    role_labels_add_given(l, "pod_controller_kind", owner->kind);
    role_labels_add_given(l, "pod_controller_name", owner->name);
    if (in->attach.deployment && span_is(owner->kind, "ReplicaSet")) {
        rc = find_grandparent(in, &l->batch->arena, pod, OBJECT_REPLICASET, &above, err);
        if (above != NULL && span_is(above->kind, "Deployment")) {
            role_labels_add(l, "pod_deployment_name", above->name);
        }
    }
    if (!span_is(owner->kind, "Job")) {
        return rc;
    }
    if (in->attach.job) {
        role_labels_add(l, "pod_job_name", owner->name);
    }
    if (in->attach.cronjob) {
        rc = find_grandparent(in, &l->batch->arena, pod, OBJECT_JOB, &above, err);
        if (above != NULL && span_is(above->kind, "CronJob")) {
            role_labels_add(l, "pod_cronjob_name", above->name);
        }
    }
    return rc;
}

int role_labels_add_pod(struct role_labels *l, const struct role_input *in,
                        const struct object_pod *pod, struct err *err)
{
    role_labels_add_meta(l, "pod", &pod->meta);
    role_labels_add(l, "pod_ip", pod->ip);
    role_labels_add(l, "pod_host_ip", pod->host_ip);
    role_labels_add(l, "pod_uid", pod->meta.uid);
    role_labels_add(l, "pod_node_name", pod->node_name);
    role_labels_add(l, "pod_phase", pod->phase);
    role_labels_add(l, "pod_ready", role_lower(l->batch, readiness(pod)));
    return add_owners(l, in, pod, err);
}

/* ---- the pods that endpoints point to */

void role_pods_init(struct role_pods *p, const struct role_input *in, struct sd_batch *batch)
{
    memset(p, 0, sizeof(*p));
    p->in = in;
    p->batch = batch;
    spanmap_init(&p->by_name, &batch->arena);
}

int role_pods_find(struct role_pods *p, const struct object_ref *target, struct role_pod **out,
                   struct err *err)
{
    struct span text;

    *out = NULL;
    if (!span_is(target->kind, "Pod")) {
        return 0;
    }
    struct role_pod *known =
        (void *)(uintptr_t)spanmap_get_in(&p->by_name, target->namespace, target->name);
    if (known != NULL) {
        *out = known;
        return 0;
    }
    if (!p->in->world.find(p->in->world.arg, OBJECT_POD, target->namespace, target->name, &text)) {
        return 0;
    }
    struct role_pod *pod = arena_zalloc(&p->batch->arena, sizeof(*pod));
    *vec_push(&p->v) = pod;
    role_labels_init(&pod->labels, p->batch);
    int rc = object_view(OBJECT_POD, text, &p->batch->arena, &pod->pod, err);
    if (rc == 0) {
        rc = role_labels_add_pod(&pod->labels, p->in, &pod->pod, err);
    }
    if (rc < 0) {
        return err_wrap(err, rc, "pod %.*s/%.*s", SPAN_ARG(target->namespace),
                        SPAN_ARG(target->name));
    }
    (void)spanmap_put_in(&p->by_name, target->namespace, target->name, pod);
    *out = pod;
    return 0;
}

static const struct object_port *find_port(const struct object_container *c, struct span number)
{
    for (size_t i = 0; i < c->ports.n; i++) {
        if (span_eq(c->ports.v[i].number, number)) {
            return &c->ports.v[i];
        }
    }
    return NULL;
}

void role_pods_put(struct role_pods *p, struct role_pod *pod, struct span number,
                   struct span protocol)
{
    struct role_container c;

    role_labels_put(&pod->labels);
    if (number.p == NULL) {
        return;
    }
    for (size_t i = 0; role_container_at(&pod->pod, i, &c); i++) {
        const struct object_port *port = find_port(c.is, number);
        if (port != NULL) { /* of several the last one counts */
            role_put_container(p->batch, &c, port, protocol.p != NULL ? protocol : port->protocol);
        }
    }
    *vec_push(&pod->ports) = number;
}

static bool was_had(const struct role_pod *pod, struct span number)
{
    for (size_t i = 0; i < pod->ports.n; i++) {
        if (span_eq(pod->ports.v[i], number)) {
            return true;
        }
    }
    return false;
}

static void put_rest_of(struct role_pods *p, const struct role_pod *pod,
                        const struct role_labels *common)
{
    struct sd_batch *b = p->batch;
    struct role_container c;

    for (size_t i = 0; pod->pod.ip.len > 0 && role_container_at(&pod->pod, i, &c); i++) {
        for (size_t k = 0; k < c.is->ports.n; k++) {
            const struct object_port *port = &c.is->ports.v[k];
            if (was_had(pod, port->number)) {
                continue;
            }
            sd_batch_begin(b);
            role_labels_put(common);
            role_labels_put(&pod->labels);
            role_put_container(b, &c, port, port->protocol);
            sd_batch_target(b, role_address(b, pod->pod.ip, port->number));
            (void)sd_batch_end(b);
        }
    }
}

void role_pods_put_rest(struct role_pods *p, const struct role_labels *common)
{
    vec_each(&p->v, pod) {
        put_rest_of(p, *pod, common);
    }
}

void role_pods_fini(struct role_pods *p)
{
    vec_each(&p->v, pod) {
        role_labels_fini(&(*pod)->labels);
        vec_fini(&(*pod)->ports);
    }
    vec_fini(&p->v);
    spanmap_fini(&p->by_name);
}
