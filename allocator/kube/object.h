/* Kubernetes objects as the API server writes them, as far as targets are made of them: a view of
 * each kind, and the cut of an object to what its view shows. Both come from one table (object.c).
 *
 * Cut: half of a pod is bookkeeping, and most events change nothing else (a node reports that it
 * lives every few minutes). Equal cuts, equal views, so only cuts need to be kept and compared. A
 * cut is JSON, and the view of a cut is the view of the object.
 *
 * Lenient as Go's decoder is with objects of its own server: unknown members are skipped, null is
 * as good as absent, and 'p' is then NULL. A member of another type than it has in the API makes
 * the object unreadable.
 *
 * Source: the API types of k8s.io/api: core/v1, discovery/v1, networking/v1. Pure.
 * Ownership: views borrow from the text and from the arena. Threads: any. */
#ifndef OTEL_TA_KUBE_OBJECT_H
#define OTEL_TA_KUBE_OBJECT_H

#include "allocator/base/arena.h"
#include "allocator/base/buf.h"
#include "allocator/base/err.h"

#include <stdbool.h>

enum object_kind {
    OBJECT_NODE,
    OBJECT_NAMESPACE,
    OBJECT_POD,
    OBJECT_SERVICE,
    OBJECT_ENDPOINTS,
    OBJECT_ENDPOINTSLICE,
    OBJECT_INGRESS,
    OBJECT_REPLICASET,
    OBJECT_JOB,
    OBJECT_N_KINDS,                    /* that targets are made of */
    OBJECT_COLLECTOR = OBJECT_N_KINDS, /* a pod, as far as it is a collector */
    OBJECT_CUSTOM, /* a custom resource: what its author says, without what becomes of it */
    OBJECT_N_ALL_KINDS,
};

#define OBJECT_LIST(type)                                                                          \
    struct {                                                                                       \
        type *v;                                                                                   \
        size_t n;                                                                                  \
    }

struct object_pair {
    struct span name, value;
};
struct object_pairs {
    struct object_pair *v;
    size_t n;
};
struct object_ports {
    struct object_port *v;
    size_t n;
};
struct object_texts {
    struct span *v;
    size_t n;
};

/* Numbers are their characters, truths "true" or "false". */
struct object_ref {
    struct span kind, namespace, name;
};
struct object_owner {
    struct span kind, name, controller;
};
struct object_meta {
    struct span namespace, name, uid;
    struct object_pairs labels, annotations;
    OBJECT_LIST(struct object_owner) owners;
};
struct object_condition {
    struct span type, status;
};
struct object_port {
    struct span name, protocol, number, app_protocol;
};
/* Of all kinds; of namespaces, replica sets and jobs it is everything. */
struct object_bare {
    struct object_meta meta;
};

struct object_container {
    struct span name, image;
    struct object_ports ports;
};
struct object_containers {
    struct object_container *v;
    size_t n;
};
struct object_container_status {
    struct span name, id; /* "containerd://…" */
};
struct object_container_statuses {
    struct object_container_status *v;
    size_t n;
};
struct object_pod {
    struct object_meta meta;
    struct span node_name, ip, host_ip, phase;
    OBJECT_LIST(struct object_condition) conditions;
    struct object_containers containers, init_containers;
    struct object_container_statuses statuses, init_statuses;
};

struct object_turn { /* a condition, and since when it is so */
    struct span type, status, since;
};
struct object_collector {
    struct span name, uid, deleted; /* when it is to go; NULL: it stays */
    struct object_pairs labels;
    struct span node_name, ip, phase, started;
    OBJECT_LIST(struct object_turn) conditions;
};

struct object_custom {
    struct span api_version, kind;
    struct span namespace, name, deleted;
    struct object_pairs labels, annotations;
    struct span spec; /* JSON */
};

struct object_node_address {
    struct span type, address;
};
struct object_node {
    struct object_meta meta;
    struct span provider_id, kubelet_port;
    OBJECT_LIST(struct object_node_address) addresses;
    OBJECT_LIST(struct object_condition) conditions;
};

struct object_ingress_point {
    struct span ip; /* absent where it is a name */
};
struct object_service {
    struct object_meta meta;
    struct span type, cluster_ip, external_name, load_balancer_ip, ip_family_policy;
    struct object_texts ip_families;
    struct object_ports ports;
    OBJECT_LIST(struct object_ingress_point) ingress; /* of the load balancer */
};

struct object_address {
    struct span ip, hostname, node_name;
    struct object_ref target;
    bool has_target;
};
struct object_addresses {
    struct object_address *v;
    size_t n;
};
struct object_subset {
    struct object_addresses ready, not_ready;
    struct object_ports ports;
};
struct object_endpoints {
    struct object_meta meta;
    OBJECT_LIST(struct object_subset) subsets;
};

struct object_endpoint {
    struct object_texts addresses;
    struct span ready, serving, terminating, hostname, node_name, zone;
    struct object_ref target;
    bool has_target;
    struct object_pairs topology;
};
struct object_endpointslice {
    struct object_meta meta;
    struct span address_type;
    OBJECT_LIST(struct object_endpoint) endpoints;
    struct object_ports ports;
};

struct object_path {
    struct span path;
};
struct object_rule {
    struct span host;
    OBJECT_LIST(struct object_path) paths;
    bool has_http;
};
struct object_tls {
    struct object_texts hosts;
};
struct object_ingress {
    struct object_meta meta;
    struct span class_name;
    OBJECT_LIST(struct object_tls) tls;
    OBJECT_LIST(struct object_rule) rules;
};

union object_any {
    struct object_bare bare;
    struct object_node node;
    struct object_pod pod;
    struct object_collector collector;
    struct object_custom custom;
    struct object_service service;
    struct object_endpoints endpoints;
    struct object_endpointslice slice;
    struct object_ingress ingress;
};

/* Appends the cut of 'text' to 'out'. ERR_INVALID: 'text' is no such object, as far as that shows
 * without looking at each text, which the view does; 'out' may then have grown.
 * ERR_TOO_BIG: 'out' has no room. */
int object_cut(enum object_kind kind, struct span text, struct buf *out, struct err *err) MUST_USE;
/* Fills '*out', the struct of that kind (struct object_bare for those without one of their own).
 * ERR_INVALID: 'text' is no such object, and '*out' is unspecified. */
int object_view(enum object_kind kind, struct span text, struct arena *arena, void *out,
                struct err *err) MUST_USE;

/* Of an object's key, "namespace/name", or "name" where there are no namespaces: its parts. */
struct span object_key_namespace(struct span key); /* empty: none */
struct span object_key_name(struct span key);
/* Who owns it and says that it is in control; NULL: nobody. */
const struct object_owner *object_controller(const struct object_meta *meta);

#endif
