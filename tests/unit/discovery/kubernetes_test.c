/* What a section of kubernetes_sd_configs asks an API server for. */
#include "allocator/discovery/kubernetes.h"

#include "allocator/base/limits.h"
#include "allocator/codec/yamldoc.h"
#include "allocator/discovery/provider.h"
#include "tests/check.h"

static struct arena arena;
static struct sdconfig section;

/* "pods", "pods@ns" or "pods@(own)", with "*" for metadata only and [labels|fields]. */
static struct span plan(const char *yaml)
{
    struct node *entry = NULL;
    struct ask ask;
    struct buf out;

    ok(yamldoc_parse(arena_span(&arena, span_of(yaml)), &arena, &entry, NULL) == 0, "%s", yaml);
    section = (struct sdconfig){ .section = "kubernetes_sd_configs", .entry = entry };
    provider_plan(&section, &arena, &ask);
    is_int(ask.carrier, CARRIER_JOIN, "collections are joined");
    buf_init(&out, 1 << 16);
    for (size_t i = 0; i < ask.join.n_collections; i++) {
        const struct ask_kube *c = &ask.join.collections[i];
        buf_addf(&out, "%s%.*s%s%.*s%s", i == 0 ? "" : " ", SPAN_ARG(c->resource),
                 c->group.len > 0 ? "." : "", SPAN_ARG(c->group), c->is_metadata ? "*" : "");
        if (c->is_own_namespace || c->namespace.len > 0) {
            buf_addf(&out, "@%.*s%s", SPAN_ARG(c->namespace), c->is_own_namespace ? "(own)" : "");
        }
        if (c->label_selector.len + c->field_selector.len > 0) {
            buf_addf(&out, "[%.*s|%.*s]", SPAN_ARG(c->label_selector), SPAN_ARG(c->field_selector));
        }
    }
    struct span text = arena_span(&arena, buf_span(&out));
    buf_fini(&out);
    return text;
}

static bool has_one_key(const char *one, const char *other)
{
    struct buf a, b;

    buf_init(&a, 1 << 16);
    buf_init(&b, 1 << 16);
    (void)plan(one);
    provider_key(&section, &a);
    (void)plan(other);
    provider_key(&section, &b);
    bool is_equal = span_eq(buf_span(&a), buf_span(&b));
    buf_fini(&a);
    buf_fini(&b);
    return is_equal;
}

int main(void)
{
    arena_init(&arena);
    is_span(plan("{role: node}"), SPAN_LIT("nodes"), "nodes");
    is_span(plan("{role: node, namespaces: {names: [a]}, attach_metadata: {namespace: true}}"),
            SPAN_LIT("nodes"), "nodes have no namespace");
    is_span(plan("{role: pod}"), SPAN_LIT("pods"), "pods");
    is_span(plan("{role: pod, attach_metadata: {node: true, namespace: true, deployment: true, "
                 "job: true, cronjob: true}}"),
            SPAN_LIT("nodes* namespaces* pods replicasets.apps* jobs.batch*"),
            "what is attached, and of that metadata");
    is_span(plan("{role: pod, attach_metadata: {cronjob: true}}"), SPAN_LIT("pods jobs.batch*"),
            "a cron job is found by its job");
    is_span(plan("{role: service, attach_metadata: {node: true, namespace: true}}"),
            SPAN_LIT("namespaces* services"), "a service has no node");
    is_span(plan("{role: ingress}"), SPAN_LIT("ingresses.networking.k8s.io"), "ingresses");
    is_span(plan("{role: endpoints}"), SPAN_LIT("pods services endpoints"), "endpoints");
    is_span(plan("{role: endpointslice, namespaces: {own_namespace: true, names: [b, a, b]}}"),
            SPAN_LIT("pods@(own) pods@b pods@a services@(own) services@b services@a "
                     "endpointslices.discovery.k8s.io@(own) endpointslices.discovery.k8s.io@b "
                     "endpointslices.discovery.k8s.io@a"),
            "a collection for each namespace, once");
    is_span(plan("{role: pod, attach_metadata: {node: true, namespace: true}, namespaces: {names: "
                 "[a]}, selectors: [{role: node, label: z=1}, {role: pod, field: f=2}]}"),
            SPAN_LIT("nodes*[z=1|] namespaces* pods@a[|f=2]"), "selectors go with their role");

    ok(has_one_key("{role: pod}", "{selectors: [], role: pod}"), "one question, one key");
    ok(!has_one_key("{role: pod}", "{role: pod, namespaces: {names: [a]}}"), "by namespace");
    ok(!has_one_key("{role: endpoints}", "{role: endpoints, attach_metadata: {node: true}}"),
       "by what is attached");
    ok(!has_one_key("{role: pod, attach_metadata: {job: true}}",
                    "{role: pod, attach_metadata: {cronjob: true}}"),
       "also when the same is asked for");
    ok(!has_one_key("{role: pod}", "{role: pod, kubeconfig_file: /k}"), "by server");
    ok(!has_one_key("{role: pod, api_server: 'http://a'}",
                    "{role: pod, api_server: 'http://a', tls_config: {server_name: b}}"),
       "by how it is reached");
    arena_fini(&arena);
    return check_done();
}
