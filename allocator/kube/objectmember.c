#include "allocator/kube/objectmember.h"

/* clang-format off */
#define ROOM(type, place) offsetof(struct type, place)
#define AT(shape, name, type, place) { name, OBJECT_##shape, ROOM(type, place), NULL, 0, 0 }
#define IN(name, offset, inner) { name, OBJECT_PART, offset, inner, 0, 0 }
#define EACH(name, type, place, inner) \
    { name, OBJECT_ITEMS, ROOM(type, place), inner, sizeof(*((struct type *)NULL)->place.v), 0 }
#define IF_ANY(name, type, offset, presence, inner) \
    { name, OBJECT_PART, offset, inner, 0, ROOM(type, presence) + 1 }
#define END { NULL, OBJECT_TEXT, 0, NULL, 0, 0 }
/* clang-format on */

static const struct object_member owner_members[] = {
    AT(TEXT, "kind", object_owner, kind),
    AT(TEXT, "name", object_owner, name),
    AT(TRUTH, "controller", object_owner, controller),
    END,
};
static const struct object_member meta_members[] = {
    AT(TEXT, "name", object_meta, name),
    AT(TEXT, "namespace", object_meta, namespace),
    AT(TEXT, "uid", object_meta, uid),
    AT(MAP, "labels", object_meta, labels),
    AT(MAP, "annotations", object_meta, annotations),
    EACH("ownerReferences", object_meta, owners, owner_members),
    END,
};
static const struct object_member bare[] = { IN("metadata", 0, meta_members), END };

static const struct object_member ref_members[] = {
    AT(TEXT, "kind", object_ref, kind),
    AT(TEXT, "namespace", object_ref, namespace),
    AT(TEXT, "name", object_ref, name),
    END,
};
static const struct object_member condition_members[] = {
    AT(TEXT, "type", object_condition, type),
    AT(TEXT, "status", object_condition, status),
    END,
};
static const struct object_member port_members[] = {
    AT(TEXT, "name", object_port, name),
    AT(TEXT, "protocol", object_port, protocol),
    AT(NUMBER, "port", object_port, number),
    AT(TEXT, "appProtocol", object_port, app_protocol),
    END,
};

/* ---- nodes */

static const struct object_member node_address_members[] = {
    AT(TEXT, "type", object_node_address, type),
    AT(TEXT, "address", object_node_address, address),
    END,
};
static const struct object_member node_spec[] = {
    AT(TEXT, "providerID", object_node, provider_id),
    END,
};
static const struct object_member node_kubelet[] = {
    AT(NUMBER, "Port", object_node, kubelet_port),
    END,
};
static const struct object_member node_daemons[] = { IN("kubeletEndpoint", 0, node_kubelet), END };
static const struct object_member node_status[] = {
    EACH("addresses", object_node, addresses, node_address_members),
    EACH("conditions", object_node, conditions, condition_members),
    IN("daemonEndpoints", 0, node_daemons),
    END,
};
static const struct object_member node[] = {
    IN("metadata", 0, meta_members),
    IN("spec", 0, node_spec),
    IN("status", 0, node_status),
    END,
};

/* ---- pods */

static const struct object_member container_port_members[] = {
    AT(TEXT, "name", object_port, name),
    AT(TEXT, "protocol", object_port, protocol),
    AT(NUMBER, "containerPort", object_port, number),
    END,
};
static const struct object_member container_members[] = {
    AT(TEXT, "name", object_container, name),
    AT(TEXT, "image", object_container, image),
    EACH("ports", object_container, ports, container_port_members),
    END,
};
static const struct object_member container_status_members[] = {
    AT(TEXT, "name", object_container_status, name),
    AT(TEXT, "containerID", object_container_status, id),
    END,
};
static const struct object_member pod_spec[] = {
    AT(TEXT, "nodeName", object_pod, node_name),
    EACH("containers", object_pod, containers, container_members),
    EACH("initContainers", object_pod, init_containers, container_members),
    END,
};
static const struct object_member pod_status[] = {
    AT(TEXT, "podIP", object_pod, ip),
    AT(TEXT, "hostIP", object_pod, host_ip),
    AT(TEXT, "phase", object_pod, phase),
    EACH("conditions", object_pod, conditions, condition_members),
    EACH("containerStatuses", object_pod, statuses, container_status_members),
    EACH("initContainerStatuses", object_pod, init_statuses, container_status_members),
    END,
};
static const struct object_member pod[] = {
    IN("metadata", 0, meta_members),
    IN("spec", 0, pod_spec),
    IN("status", 0, pod_status),
    END,
};

/* ---- pods that are collectors */

static const struct object_member turn_members[] = {
    AT(TEXT, "type", object_turn, type),
    AT(TEXT, "status", object_turn, status),
    AT(TEXT, "lastTransitionTime", object_turn, since),
    END,
};
static const struct object_member collector_meta[] = {
    AT(TEXT, "name", object_collector, name),
    AT(TEXT, "uid", object_collector, uid),
    AT(TEXT, "deletionTimestamp", object_collector, deleted),
    AT(MAP, "labels", object_collector, labels),
    END,
};
static const struct object_member collector_spec[] = {
    AT(TEXT, "nodeName", object_collector, node_name),
    END,
};
static const struct object_member collector_status[] = {
    AT(TEXT, "podIP", object_collector, ip),
    AT(TEXT, "phase", object_collector, phase),
    AT(TEXT, "startTime", object_collector, started),
    EACH("conditions", object_collector, conditions, turn_members),
    END,
};
static const struct object_member collector[] = {
    IN("metadata", 0, collector_meta),
    IN("spec", 0, collector_spec),
    IN("status", 0, collector_status),
    END,
};

/* ---- custom resources */

static const struct object_member custom_meta[] = {
    AT(TEXT, "name", object_custom, name),
    AT(TEXT, "namespace", object_custom, namespace),
    AT(TEXT, "deletionTimestamp", object_custom, deleted),
    AT(MAP, "labels", object_custom, labels),
    AT(MAP, "annotations", object_custom, annotations),
    END,
};
static const struct object_member custom[] = {
    AT(TEXT, "apiVersion", object_custom, api_version),
    AT(TEXT, "kind", object_custom, kind),
    IN("metadata", 0, custom_meta),
    AT(JSON, "spec", object_custom, spec),
    END,
};

/* ---- services */

static const struct object_member service_spec[] = {
    AT(TEXT, "type", object_service, type),
    AT(TEXT, "clusterIP", object_service, cluster_ip),
    AT(TEXT, "externalName", object_service, external_name),
    AT(TEXT, "loadBalancerIP", object_service, load_balancer_ip),
    AT(TEXT, "ipFamilyPolicy", object_service, ip_family_policy),
    AT(TEXTS, "ipFamilies", object_service, ip_families),
    EACH("ports", object_service, ports, port_members),
    END,
};
static const struct object_member ingress_point_members[] = {
    AT(TEXT, "ip", object_ingress_point, ip),
    END,
};
static const struct object_member service_balancer[] = {
    EACH("ingress", object_service, ingress, ingress_point_members),
    END,
};
static const struct object_member service_status[] = { IN("loadBalancer", 0, service_balancer),
                                                       END };
static const struct object_member service[] = {
    IN("metadata", 0, meta_members),
    IN("spec", 0, service_spec),
    IN("status", 0, service_status),
    END,
};

/* ---- endpoints and their slices */

static const struct object_member address_members[] = {
    AT(TEXT, "ip", object_address, ip),
    AT(TEXT, "hostname", object_address, hostname),
    AT(TEXT, "nodeName", object_address, node_name),
    IF_ANY("targetRef", object_address, ROOM(object_address, target), has_target, ref_members),
    END,
};
static const struct object_member subset_members[] = {
    EACH("addresses", object_subset, ready, address_members),
    EACH("notReadyAddresses", object_subset, not_ready, address_members),
    EACH("ports", object_subset, ports, port_members),
    END,
};
static const struct object_member endpoints[] = {
    IN("metadata", 0, meta_members),
    EACH("subsets", object_endpoints, subsets, subset_members),
    END,
};
static const struct object_member endpoint_conditions[] = {
    AT(TRUTH, "ready", object_endpoint, ready),
    AT(TRUTH, "serving", object_endpoint, serving),
    AT(TRUTH, "terminating", object_endpoint, terminating),
    END,
};
static const struct object_member endpoint_members[] = {
    AT(TEXTS, "addresses", object_endpoint, addresses),
    IN("conditions", 0, endpoint_conditions),
    AT(TEXT, "hostname", object_endpoint, hostname),
    AT(TEXT, "nodeName", object_endpoint, node_name),
    AT(TEXT, "zone", object_endpoint, zone),
    IF_ANY("targetRef", object_endpoint, ROOM(object_endpoint, target), has_target, ref_members),
    AT(MAP, "deprecatedTopology", object_endpoint, topology),
    END,
};
static const struct object_member endpointslice[] = {
    IN("metadata", 0, meta_members),
    AT(TEXT, "addressType", object_endpointslice, address_type),
    EACH("endpoints", object_endpointslice, endpoints, endpoint_members),
    EACH("ports", object_endpointslice, ports, port_members),
    END,
};

/* ---- ingresses */

static const struct object_member path_members[] = { AT(TEXT, "path", object_path, path), END };
static const struct object_member rule_http[] = {
    EACH("paths", object_rule, paths, path_members),
    END,
};
static const struct object_member rule_members[] = {
    AT(TEXT, "host", object_rule, host),
    IF_ANY("http", object_rule, 0, has_http, rule_http),
    END,
};
static const struct object_member tls_members[] = { AT(TEXTS, "hosts", object_tls, hosts), END };
static const struct object_member ingress_spec[] = {
    AT(TEXT, "ingressClassName", object_ingress, class_name),
    EACH("tls", object_ingress, tls, tls_members),
    EACH("rules", object_ingress, rules, rule_members),
    END,
};
static const struct object_member ingress[] = {
    IN("metadata", 0, meta_members),
    IN("spec", 0, ingress_spec),
    END,
};

const struct object_type object_types[OBJECT_N_ALL_KINDS] = {
    [OBJECT_NODE] = { node, sizeof(struct object_node) },
    [OBJECT_NAMESPACE] = { bare, sizeof(struct object_bare) },
    [OBJECT_POD] = { pod, sizeof(struct object_pod) },
    [OBJECT_SERVICE] = { service, sizeof(struct object_service) },
    [OBJECT_ENDPOINTS] = { endpoints, sizeof(struct object_endpoints) },
    [OBJECT_ENDPOINTSLICE] = { endpointslice, sizeof(struct object_endpointslice) },
    [OBJECT_INGRESS] = { ingress, sizeof(struct object_ingress) },
    [OBJECT_REPLICASET] = { bare, sizeof(struct object_bare) },
    [OBJECT_JOB] = { bare, sizeof(struct object_bare) },
    [OBJECT_COLLECTOR] = { collector, sizeof(struct object_collector) },
    [OBJECT_CUSTOM] = { custom, sizeof(struct object_custom) },
};
