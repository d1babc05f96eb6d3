/* kubernetes_sd_configs: which collections a section asks for, and what an object of its role means
 * (role.h). Source: Prometheus discovery/kubernetes/kubernetes.go. Differences: of namespaces,
 * replica sets and jobs, and of nodes that are only attached, nothing but metadata is asked for. */
#include "allocator/discovery/kubernetes.h"

#include "allocator/discovery/provider.h"

static const struct resource {
    const char *kind, *group, *resource;
    const char *role; /* that selectors name it by; NULL: none */
    bool is_cluster_wide, is_metadata;
} resources[OBJECT_N_KINDS] = {
    [OBJECT_NODE] = { "Node", "", "nodes", "node", true, false },
    [OBJECT_NAMESPACE] = { "Namespace", "", "namespaces", NULL, true, true },
    [OBJECT_POD] = { "Pod", "", "pods", "pod", false, false },
    [OBJECT_SERVICE] = { "Service", "", "services", "service", false, false },
    [OBJECT_ENDPOINTS] = { "Endpoints", "", "endpoints", "endpoints", false, false },
    [OBJECT_ENDPOINTSLICE] = { "EndpointSlice", "discovery.k8s.io", "endpointslices",
                               "endpointslice", false, false },
    [OBJECT_INGRESS] = { "Ingress", "networking.k8s.io", "ingresses", "ingress", false, false },
    [OBJECT_REPLICASET] = { "ReplicaSet", "apps", "replicasets", NULL, false, true },
    [OBJECT_JOB] = { "Job", "batch", "jobs", NULL, false, true },
};

enum object_kind kubernetes_kind(struct span kind)
{
    int i = 0;

    while (i + 1 < OBJECT_N_KINDS && !span_is(kind, resources[i].kind)) {
        i++;
    }
    return (enum object_kind)i;
}

/* ---- the section */

static const struct role_ops *section_role(const struct sdconfig *section)
{
    return role_find(schema_text(section->entry, "role"));
}

void kubernetes_read(const struct sdconfig *section, struct kubernetes_section *out)
{
    const struct node *attach = node_get(section->entry, "attach_metadata");

    out->role = section_role(section);
    out->attach = (struct role_attach){ .node = node_is_true(attach, "node"),
                                        .namespace = node_is_true(attach, "namespace"),
                                        .deployment = node_is_true(attach, "deployment"),
                                        .job = node_is_true(attach, "job"),
                                        .cronjob = node_is_true(attach, "cronjob") };
}

/* ---- what is asked */

struct planning {
    const struct node *entry;
    struct ask_kube server; /* where all of it is asked */
    struct arena *arena;
    VEC(struct ask_kube) found;
};

static void select_objects(const struct planning *p, const struct resource *r, struct ask_kube *ask)
{
    const struct node *list = schema_list(p->entry, "selectors");

    for (size_t i = 0; list != NULL && r->role != NULL && i < list->n; i++) {
        if (span_is(schema_text(list->items[i], "role"), r->role)) {
            ask->label_selector = schema_text(list->items[i], "label");
            ask->field_selector = schema_text(list->items[i], "field");
        }
    }
}

static void add_collection(struct planning *p, const struct resource *r, bool is_metadata,
                           struct span ns, bool is_own)
{
    struct ask_kube *ask = vec_push(&p->found);

    *ask = p->server;
    ask->group = span_of(r->group);
    ask->version = SPAN_LIT("v1");
    ask->resource = span_of(r->resource);
    ask->kind = span_of(r->kind);
    ask->namespace = ns;
    ask->is_own_namespace = is_own;
    ask->is_metadata = is_metadata;
    select_objects(p, r, ask);
}

static bool is_named_before(const struct node *names, size_t i)
{
    for (size_t k = 0; k < i; k++) {
        if (node_equal(names->items[k], names->items[i])) {
            return true;
        }
    }
    return false;
}

static void add_kind(struct planning *p, enum object_kind kind, bool is_role)
{
    const struct resource *r = &resources[kind];
    bool is_metadata = r->is_metadata || (kind == OBJECT_NODE && !is_role);
    const struct node *space = node_get(p->entry, "namespaces");
    const struct node *names = schema_list(space, "names");
    bool has_own = node_is_true(space, "own_namespace");
    size_t n = names == NULL ? 0 : names->n;

    if (r->is_cluster_wide || (n == 0 && !has_own)) {
        add_collection(p, r, is_metadata, SPAN_LIT(""), false);
        return;
    }
    if (has_own) {
        add_collection(p, r, is_metadata, SPAN_LIT(""), true);
    }
    for (size_t i = 0; i < n; i++) {
        struct span name = { "", 0 };
        if (node_as_text(names->items[i], &name) && !is_named_before(names, i)) {
            add_collection(p, r, is_metadata, name, false);
        }
    }
}

static void find_server(struct planning *p)
{
    p->server.kubeconfig_file = schema_text(p->entry, "kubeconfig_file");
    p->server.api_server = schema_text(p->entry, "api_server");
    if (p->server.api_server.len > 0) {
        p->server.client = arena_alloc(p->arena, sizeof(*p->server.client));
        httpconfig_read(p->entry, p->arena, p->server.client);
    }
}

static void plan(const struct sdconfig *section, struct arena *arena, struct ask *out)
{
    struct planning p = { .entry = section->entry, .arena = arena };
    struct kubernetes_section s;

    kubernetes_read(section, &s);
    find_server(&p);
    unsigned attached = s.role->attached == NULL ? 0 : s.role->attached(s.attach);
    for (unsigned kind = 0; kind < OBJECT_N_KINDS; kind++) {
        bool is_role = kind == (unsigned)s.role->kind;
        if (is_role || ((s.role->joined | attached) & 1U << kind) != 0) {
            add_kind(&p, (enum object_kind)kind, is_role);
        }
    }
    out->refresh_ms = 1; /* nothing is asked again */
    out->digest_by = span_of(arena_printf(arena, "%s.%d%d%d%d%d", s.role->name, s.attach.node,
                                          s.attach.namespace, s.attach.deployment, s.attach.job,
                                          s.attach.cronjob));
    out->join.n_collections = p.found.n;
    out->join.collections = arena_alloc(arena, p.found.n * sizeof(*p.found.v));
    memcpy(out->join.collections, p.found.v, p.found.n * sizeof(*p.found.v));
    vec_fini(&p.found);
}

static int digest(const struct provider_input *in, struct sd_batch *out, struct err *err)
{
    return section_role(in->section)->digest(in->object, out, err);
}

const struct provider_ops provider_kubernetes = {
    .name = "kubernetes",
    .carrier = CARRIER_JOIN,
    .failures = METRIC_NONE,
    .plan = plan,
    .digest = digest,
};
