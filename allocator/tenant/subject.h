/* The parts of an OpenTelemetryCollector that a rewrite looks at or touches, found in the tree of a
 * manifest or of an AdmissionReview's object (pruned or whole). Missing parts are NULL or empty.
 * Ownership: borrows from the tree; the parsed text of a configuration is in the arena given.
 * Threads: any. */
#ifndef OTEL_TA_TENANT_SUBJECT_H
#define OTEL_TA_TENANT_SUBJECT_H

#include "allocator/codec/node.h"

/* What its owner asks for. */
enum subject_wish {
    SUBJECT_REWRITE, /* spec.targetAllocator.enabled, or label otel-ta/inject "true" */
    SUBJECT_RESTORE, /* neither, or label "false", or a mode that cannot be served */
};

struct subject {
    const struct node *root;
    struct span ns, name;
    struct span api_version; /* "opentelemetry.io/v1beta1" */
    enum subject_wish wish;
    struct span
        unsupported_mode; /* asked for, but its mode cannot be served: then SUBJECT_RESTORE */
    bool is_deleting;     /* metadata.deletionTimestamp is set */
    const struct node *metadata;
    const struct node *annotations; /* metadata.annotations, NULL when absent */
    const struct node *annotation;  /* the value of ours, NULL when absent */
    size_t annotations_bytes;       /* keys and values without ours, as Kubernetes counts them */
    const struct node *config_node; /* spec.config where it stands */
    const struct node *config; /* the same as a tree: 'config_node' itself, or what its text says */
    struct span config_text;   /* the decoded text when it is text, else p == NULL */
    bool has_prometheus_cr;    /* spec.targetAllocator.prometheusCR.enabled */
    struct span reload_interval; /* spec.targetAllocator.collectorTargetReloadInterval or "30s" */
};

/* Is this tree an OpenTelemetryCollector of opentelemetry.io? */
bool subject_is(const struct node *root);
/* Everything but 'config' of a text. */
void subject_read(const struct node *root, struct subject *out);
/* Parses the text of the configuration into 'config'. ERR_INVALID names its line. */
int subject_parse_text(struct subject *s, struct arena *arena, struct err *err) MUST_USE;

#endif
