/* Labels that several roles give (discovery/role.h). A target of a role is a group of its own in
 * the batch: most of its labels are. Threads: as the batch. */
#ifndef OTEL_TA_DISCOVERY_ROLELABELS_H
#define OTEL_TA_DISCOVERY_ROLELABELS_H

#include "allocator/discovery/role.h"

#define ROLE_LABEL "__meta_kubernetes_"

struct role_label {
    const struct str *name;
    struct span value;
};
/* A list of labels to be put on many targets. */
struct role_labels {
    struct sd_batch *batch;
    VEC(struct role_label) v;
};

void role_labels_init(struct role_labels *l, struct sd_batch *batch);
/* Appends; later ones of a name count. 'name' is without ROLE_LABEL; 'value' must outlive the
 * batch. */
void role_labels_add(struct role_labels *l, const char *name, struct span value);
/* The same, when 'value' is there at all. */
void role_labels_add_given(struct role_labels *l, const char *name, struct span value);
/* ROLE_LABEL, 'prefix', and 'rest' with all but letters, digits and '_' replaced. */
void role_labels_add_made(struct role_labels *l, const char *prefix, struct span rest,
                          struct span value);
/* Labels and annotations of an object of 'kind' ("pod"), and its name. */
void role_labels_add_meta(struct role_labels *l, const char *kind, const struct object_meta *meta);
/* Only labels and annotations. */
void role_labels_add_families(struct role_labels *l, const char *kind,
                              const struct object_meta *meta);
/* Those of the namespace, if they are to be attached and it is known. */
int role_labels_add_namespace(struct role_labels *l, const struct role_input *in, struct span name,
                              struct err *err) MUST_USE;
/* Name, labels and annotations of the service, if it is known. '*out' is then the service; NULL:
 * nobody wants it. */
int role_labels_add_service(struct role_labels *l, const struct role_input *in, struct span ns,
                            struct span name, struct object_service *out, struct err *err) MUST_USE;
/* Those of the node. 'out_found' may be NULL. */
int role_labels_add_node(struct role_labels *l, const struct role_input *in, struct span name,
                         bool *out_found, struct err *err) MUST_USE;
void role_labels_fini(struct role_labels *l);

/* Into the group that is open. */
void role_labels_put(const struct role_labels *l);
void role_put(struct sd_batch *b, const char *name, struct span value);
void role_put_given(struct sd_batch *b, const char *name, struct span value);
void role_put_made(struct sd_batch *b, const char *prefix, struct span rest, struct span value);
/* Those of the node, if they are to be attached and it is known. */
int role_put_node(struct sd_batch *b, const struct role_input *in, struct span name,
                  struct err *err) MUST_USE;

/* "host:port", a host with colons in brackets; the host alone without a port. In the arena. */
struct span role_address(struct sd_batch *b, struct span host, struct span port);
/* With its ASCII letters lower-cased. In the arena. */
struct span role_lower(struct sd_batch *b, struct span s);

/* For role_ops.attached: of pods, and of what belongs to a namespace. */
unsigned role_attached(struct role_attach attach);
unsigned role_attached_namespace(struct role_attach attach);

#endif
