/* What the recorded cluster (golden/kubernetes_test.c) does not have: objects that are odd, joined
 * with others that are missing or broken. */
#include "allocator/discovery/role.h"

#include "allocator/base/mem.h"
#include "tests/check.h"

static struct strpool pool;
static struct sd_batch batch;

struct other {
    enum object_kind kind;
    const char *ns, *name, *text;
};

static bool find(const void *arg, enum object_kind kind, struct span ns, struct span name,
                 struct span *out_text)
{
    for (const struct other *o = arg; o != NULL && o->text != NULL; o++) {
        if (o->kind == kind && span_is(ns, o->ns) && span_is(name, o->name)) {
            *out_text = span_of(o->text);
            return true;
        }
    }
    return false;
}

/* The error's text, or "". */
static const char *digest(const char *role, const char *text, struct role_attach attach,
                          const struct other *others)
{
    static struct err err;
    struct role_input in = { check_at_edge(span_of(text)), attach, { find, others } };

    err = (struct err){ 0 };
    sd_batch_reset(&batch);
    return role_find(span_of(role))->digest(&in, &batch, &err) == 0 ? "" : err.text;
}

/* Of target 'i', or "-". */
static struct span label(size_t i, const char *name)
{
    const struct sd_group *g = &batch.groups.v[i];

    for (uint32_t f = 0; f < g->shape->n; f++) {
        if (span_is(str_span(g->shape->fields[f].name), name)) {
            return g->values[f];
        }
    }
    return SPAN_LIT("-");
}

static struct span address(size_t i)
{
    return i < batch.groups.n ? batch.groups.v[i].targets[0] : SPAN_LIT("(none)");
}

static const struct role_attach nothing;
#define POD                                                                                        \
    "{\"metadata\":{\"name\":\"p\",\"namespace\":\"n\"%s},\"spec\":{\"nodeName\":\"w\","           \
    "\"containers\":[%s]},"                                                                        \
    "\"status\":{\"podIP\":\"fd00::1\"%s}}"

static void test_roles(void)
{
    ok(role_find(SPAN_LIT("Pod")) == NULL && role_find(SPAN_LIT("")) == NULL &&
           role_find(SPAN_LIT("endpointslices")) == NULL,
       "roles are known by their exact names");
    is_int(role_find(SPAN_LIT("endpoints"))->joined, 1U << OBJECT_SERVICE | 1U << OBJECT_POD,
           "endpoints look up services and pods");
    struct role_attach all = { true, true, true, false, true };
    is_int(role_find(SPAN_LIT("pod"))->attached(all),
           1U << OBJECT_NODE | 1U << OBJECT_NAMESPACE | 1U << OBJECT_REPLICASET | 1U << OBJECT_JOB,
           "what pods look up when it is attached");
    is_int(role_find(SPAN_LIT("service"))->attached(all), 1U << OBJECT_NAMESPACE,
           "a service has no node");
    is_int(role_find(SPAN_LIT("pod"))->attached(nothing), 0, "nothing attached, nothing looked up");
}

static void test_pod(void)
{
    AUTO_STR pod =
        mem_printf(POD, ",\"labels\":{\"a.b\":\"1\",\"a-b\":\"2\",\"\u00fc\":\"3\"}",
                   "{\"name\":\"c\",\"ports\":[{\"containerPort\":80,\"protocol\":\"SCTP\"}]},"
                   "{\"name\":\"d\"}",
                   ",\"containerStatuses\":[{\"name\":\"d\",\"containerID\":\"x://1\"}]");
    is_str(digest("pod", pod, nothing, NULL), "", "a pod");
    is_int(batch.groups.n, 2, "a target for a port, one for a container without");
    is_span(address(0), SPAN_LIT("[fd00::1]:80"), "brackets with a port");
    is_span(address(1), SPAN_LIT("fd00::1"), "none without");
    is_span(label(0, "__meta_kubernetes_pod_label_a_b"), SPAN_LIT("2"), "the last of equal names");
    is_span(label(0, "__meta_kubernetes_pod_label__"), SPAN_LIT("3"), "one '_' for a character");
    is_span(label(0, "__meta_kubernetes_pod_container_id"), SPAN_LIT(""), "no status, no id");
    is_span(label(1, "__meta_kubernetes_pod_container_id"), SPAN_LIT("x://1"), "its status");
    is_span(label(1, "__meta_kubernetes_pod_container_port_name"), SPAN_LIT("-"), "no port");
    is_span(label(0, "__meta_kubernetes_pod_ready"), SPAN_LIT("unknown"), "no condition");
    is_span(label(0, "__meta_kubernetes_pod_controller_kind"), SPAN_LIT("-"), "no owner");

    struct role_attach node = { .node = true };
    is_str(digest("pod", pod, node, NULL), "", "a pod of a node that is not known");
    is_int(batch.groups.n, 0, "has no targets");
    const struct other broken[] = { { OBJECT_NODE, "", "w", "{\"metadata\":3}" }, { 0 } };
    is_str(digest("pod", pod, node, broken), "node w: metadata has the wrong type",
           "a node that cannot be read is no missing node");
}

static void test_owners(void)
{
    AUTO_STR pod = mem_printf(
        POD, ",\"ownerReferences\":[{\"kind\":\"Job\",\"name\":\"j\",\"controller\":true}]",
        "{\"name\":\"c\"}", "");
    struct role_attach attach = { .job = true, .cronjob = true, .deployment = true };
    const struct other jobs[] = {
        { OBJECT_JOB, "n", "j",
          "{\"metadata\":{\"ownerReferences\":[{\"kind\":\"CronJob\",\"name\":\"c\",\"controller\":"
          "true}]}}" },
        { 0 },
    };

    is_str(digest("pod", pod, attach, jobs), "", "a pod of a job");
    is_span(label(0, "__meta_kubernetes_pod_job_name"), SPAN_LIT("j"), "the job");
    is_span(label(0, "__meta_kubernetes_pod_cronjob_name"), SPAN_LIT("c"), "and what made it");
    is_str(digest("pod", pod, attach, NULL), "", "the job is not known");
    is_span(label(0, "__meta_kubernetes_pod_job_name"), SPAN_LIT("j"), "its name is");
    is_span(label(0, "__meta_kubernetes_pod_cronjob_name"), SPAN_LIT("-"), "what made it is not");
    is_span(label(0, "__meta_kubernetes_pod_deployment_name"), SPAN_LIT("-"), "nor any deployment");
}

static void test_node(void)
{
    is_str(digest("node", "{\"metadata\":{\"name\":\"w\"}}", nothing, NULL),
           "the node has no address", "its targets are not known, which is not the same as none");
    is_str(
        digest("node",
               "{\"metadata\":{\"name\":\"w\"},\"status\":{\"addresses\":[{\"type\":\"Hostname\","
               "\"address\":\"h\"},{\"type\":\"ExternalIP\",\"address\":\"1.2.3.4\"},{\"type\":"
               "\"ExternalIP\",\"address\":\"5.6.7.8\"}]}}",
               nothing, NULL),
        "", "a node");
    is_span(address(0), SPAN_LIT("1.2.3.4:0"), "the best type, its first, and no port");
    is_span(label(0, "__meta_kubernetes_node_address_ExternalIP"), SPAN_LIT("1.2.3.4"),
            "the first");
    is_span(label(0, "instance"), SPAN_LIT("w"), "the instance is the node");
}

static void test_endpoints(void)
{
    const struct other others[] = {
        { OBJECT_POD, "n", "p",
          "{\"metadata\":{\"name\":\"p\",\"namespace\":\"n\"},\"spec\":{\"containers\":[{\"name\":"
          "\"a\","
          "\"ports\":[{\"containerPort\":80},{\"containerPort\":81}]}],\"initContainers\":[{"
          "\"name\":"
          "\"i\",\"ports\":[{\"containerPort\":80}]}]},\"status\":{\"podIP\":\"1.1.1.1\"}}" },
        { 0 },
    };
    is_str(
        digest(
            "endpoints",
            "{\"metadata\":{\"name\":\"e\",\"namespace\":\"n\"},\"subsets\":[{\"addresses\":[{"
            "\"ip\":"
            "\"1.1.1.1\",\"targetRef\":{\"kind\":\"Pod\",\"namespace\":\"n\",\"name\":\"p\"}}],"
            "\"notReadyAddresses\":[{\"ip\":\"1.1.1.2\",\"targetRef\":{\"kind\":\"Pod\",\"name\":"
            "\"p\"}}],\"ports\":[{\"port\":80,\"protocol\":\"TCP\"},{\"port\":90}]}]}",
            nothing, others),
        "", "endpoints");
    is_int(batch.groups.n, 5, "two addresses, two ports, and a port of the pod that was not there");
    is_span(label(0, "__meta_kubernetes_pod_container_name"), SPAN_LIT("i"),
            "of containers with the port the last");
    is_span(label(0, "__meta_kubernetes_pod_container_port_protocol"), SPAN_LIT("TCP"),
            "the protocol of the endpoint");
    is_span(label(1, "__meta_kubernetes_pod_name"), SPAN_LIT("-"), "a pod of no namespace is none");
    is_span(label(1, "__meta_kubernetes_endpoint_ready"), SPAN_LIT("false"), "not ready");
    is_span(label(2, "__meta_kubernetes_pod_container_name"), SPAN_LIT("-"), "no container has it");
    is_span(address(4), SPAN_LIT("1.1.1.1:81"), "the other port of the pod");
    is_span(label(4, "__meta_kubernetes_endpoint_ready"), SPAN_LIT("-"), "which is no endpoint");
}

static void test_slices(void)
{
    const struct other two_families[] = {
        { OBJECT_SERVICE, "n", "s",
          "{\"metadata\":{\"name\":\"s\"},\"spec\":{\"ipFamilyPolicy\":\"PreferDualStack\","
          "\"ipFamilies\":[\"IPv6\",\"IPv4\"]}}" },
        { 0 },
    };
    const char *slice = "{\"metadata\":{\"name\":\"e\",\"namespace\":\"n\",\"labels\":{"
                        "\"kubernetes.io/service-name\":\"s\"}},"
                        "\"addressType\":\"IPv4\",\"endpoints\":[{\"addresses\":[\"1.1.1.1\",\"1.1."
                        "1.2\"]}],\"ports\":[{}]}";

    is_str(digest("endpointslice", slice, nothing, NULL), "", "a slice of a service nobody knows");
    is_int(batch.groups.n, 2, "has targets");
    is_span(address(1), SPAN_LIT("1.1.1.2"), "a port without number is none");
    is_span(label(0, "__meta_kubernetes_endpointslice_port"), SPAN_LIT("-"), "and has no label");
    is_str(digest("endpointslice", slice, nothing, two_families), "", "a slice of two families");
    is_int(batch.groups.n, 0, "the second has no targets");
}

static void test_ingress(void)
{
    is_str(
        digest("ingress",
               "{\"metadata\":{\"name\":\"i\",\"namespace\":\"n\"},\"spec\":{\"tls\":[{\"hosts\":["
               "\"*.a.b\"]}],\"rules\":[{\"host\":\"x.a.b\"},{\"host\":\"x.y.a.b\"},{\"host\":\"a."
               "b\"},"
               "{\"http\":{\"paths\":[{\"path\":\"\"},{}]}},{\"host\":\".a.b\"}]}}",
               nothing, NULL),
        "", "an ingress");
    is_int(batch.groups.n, 6, "a target for a path");
    is_span(label(0, "__meta_kubernetes_ingress_scheme"), SPAN_LIT("https"), "one more name");
    is_span(label(1, "__meta_kubernetes_ingress_scheme"), SPAN_LIT("http"), "not two");
    is_span(label(2, "__meta_kubernetes_ingress_scheme"), SPAN_LIT("http"), "nor none");
    is_span(address(3), SPAN_LIT(""), "no host, no address: relabeling may give one");
    is_span(label(4, "__meta_kubernetes_ingress_path"), SPAN_LIT("/"), "no path is /");
    is_span(label(5, "__meta_kubernetes_ingress_scheme"), SPAN_LIT("https"),
            "an empty name is one");
}

static void test_service(void)
{
    is_str(digest("service",
                  "{\"metadata\":{\"name\":\"s\",\"namespace\":\"n\"},\"spec\":{\"type\":"
                  "\"LoadBalancer\","
                  "\"loadBalancerIP\":\"9.9.9.9\",\"ports\":[{\"port\":80}]},\"status\":{"
                  "\"loadBalancer\":"
                  "{\"ingress\":[{\"hostname\":\"h\"},{\"ip\":\"1.1.1.1\"},{\"ip\":\"::2\"}]}}}",
                  nothing, NULL),
           "", "a service");
    is_span(label(0, "__meta_kubernetes_service_loadbalancer_ip"), SPAN_LIT("1.1.1.1,::2"),
            "the addresses that it has");
    is_span(address(0), SPAN_LIT("s.n.svc:80"), "its name is its address");
    is_str(digest("service",
                  "{\"metadata\":{\"name\":\"s\",\"namespace\":\"n\"},\"spec\":{\"type\":"
                  "\"LoadBalancer\","
                  "\"loadBalancerIP\":\"9.9.9.9\",\"ports\":[{\"port\":80}]}}",
                  nothing, NULL),
           "", "a service");
    is_span(label(0, "__meta_kubernetes_service_loadbalancer_ip"), SPAN_LIT("9.9.9.9"),
            "the one that was asked for");
}

int main(void)
{
    strpool_init(&pool);
    sd_batch_init(&batch, &pool);
    test_roles();
    test_pod();
    test_owners();
    test_node();
    test_endpoints();
    test_slices();
    test_ingress();
    test_service();
    sd_batch_fini(&batch);
    strpool_fini(&pool);
    return check_done();
}
