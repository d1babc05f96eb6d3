/* An OpenTelemetryCollector CR, read in one place for everybody: the webhook, the commands and the
 * allocator learn here who it is, whether it wants an allocator and can have one, what its
 * configuration is, and what a rewrite left in it. v1alpha1 and v1beta1, spec.config as text or
 * object in either. The tree may be pruned (an AdmissionReview's object) or whole (a manifest).
 * Ownership: borrows from the tree; what is parsed is in the arena given. Threads: any. */
#ifndef OTEL_TA_TENANT_COLLECTOR_H
#define OTEL_TA_TENANT_COLLECTOR_H

#include "allocator/codec/node.h"

/* What its owner asks for. */
enum collector_intent {
    COLLECTOR_SILENT,    /* nothing */
    COLLECTOR_ALLOCATED, /* spec.targetAllocator.enabled, or label otel-ta/inject "true" */
    COLLECTOR_OPTED_OUT, /* label otel-ta/inject "false" */
};

struct collector {
    const struct node *root;
    struct span ns, name;    /* may be empty */
    struct span api_version; /* "opentelemetry.io/v1beta1" */
    enum collector_intent intent;
    struct span mode;               /* spec.mode, "deployment" by default */
    int64_t replicas;               /* spec.replicas, 1 by default */
    struct span strategy;           /* spec.targetAllocator.allocationStrategy, may be empty */
    struct span fallback;           /* annotation otel-ta/fallback-strategy, may be empty */
    struct span filter_strategy;    /* .filterStrategy; p == NULL: not given */
    struct span reload_interval;    /* .collectorTargetReloadInterval or "30s" */
    bool has_prometheus_cr;         /* .prometheusCR.enabled */
    bool is_deleting;               /* metadata.deletionTimestamp is set */
    const struct node *metadata;    /* NULL when absent */
    const struct node *annotations; /* metadata.annotations, NULL when absent */
    const struct node *annotation;  /* the value of ours, NULL when absent */
    size_t annotations_bytes;       /* keys and values without ours, as Kubernetes counts them */
    const struct node *config_node; /* spec.config where it stands, NULL when absent */
    const struct node *config; /* the same as a tree: 'config_node' itself, or what its text says */
    struct span config_text;   /* the decoded text when it is text, else p == NULL */
};

/* ---- the Collectors of a document */

/* Is this tree an OpenTelemetryCollector of opentelemetry.io? */
bool collector_is(const struct node *root);
/* The items of a Kubernetes list; NULL when it is none. */
const struct node *collector_items(const struct node *root);
/* The Collectors of a document, itself or the items of a list, one by one; NULL when there are no
 * more. '*at' (from 0 on) is where to go on: after an item it is that item's index and 1. */
const struct node *collector_next(const struct node *root, size_t *at);
size_t collector_count(const struct node *root);
/* Where collector_next() has just been: "items[2]", or nothing when 'root' is the Collector itself.
 * Returns a mark for faults_pop(). */
size_t collector_push(const struct node *root, size_t at, struct faults *f);

/* ---- one Collector */

/* Everything but 'config' of a text. What has the wrong type is as if it were not there. */
void collector_read(const struct node *root, struct collector *out);
/* Does it get an allocator: is it asked for, and can a Collector of that mode have one? */
bool collector_is_served(const struct collector *c);
/* An error when it has no name, or one that is still to be rendered. */
void collector_check_name(const struct collector *c, struct faults *f);
/* "Collector ns/name"; the caller frees it. */
char *collector_title(const struct collector *c);
/* Why it gets none, as it goes on after that: "does not ask for an allocator (…)", "is of mode …";
 * NULL when it gets one. The caller frees it. */
char *collector_refusal(const struct collector *c);
/* A warning when it asks for an allocator and cannot have one. */
void collector_report_mode(const struct collector *c, struct faults *f);
/* An error when it asks for an allocator that there is not: with a strategy, or one to fall back
 * on, that nobody knows. */
void collector_check_allocator(const struct collector *c, struct faults *f);
/* The same for a member of any document: an error at 'key' of 'map' when it is a text and the name
 * of no strategy. Absent and empty are fine. */
void collector_check_strategy(const struct node *map, const char *key, struct faults *f);
/* That of the allocator, and an error for everything of the wrong type, and for a missing name. */
void collector_check(const struct collector *c, struct faults *f);

/* Parses the text of the configuration into 'config'; lines in it become lines of its document,
 * where it is written line by line, else the first one. ERR_INVALID names a line of the text,
 * ERR_TOO_BIG: it is longer than LIMIT_CONFIG_TEXT_BYTES. */
int collector_parse_text(struct collector *c, struct arena *arena, struct err *err) MUST_USE;
/* The same with a fault at "spec.config", also for a configuration that is not a mapping; then
 * there is none. */
int collector_open_config(struct collector *c, struct arena *arena, enum fault_severity severity,
                          struct faults *f) MUST_USE;
/* Our annotation as a tree, and canonical: NULL and empty when there is none. ERR_UNSUPPORTED: it
 * is of a newer version and belongs to somebody who knows it. ERR_INVALID: it cannot be read. */
int collector_annotation(const struct collector *c, struct arena *arena, struct node **out,
                         struct span *out_json, struct err *err) MUST_USE;
/* The sentence about that error, for everybody. */
void collector_report_annotation(const struct collector *c, int rc, const struct err *why,
                                 enum fault_severity severity, struct faults *f);

#endif
