/* Upstream's configuration file, targetallocator.yaml (spec/operator.md §5): every key is known; what needs Kubernetes and is
 * not built into this program is refused by name, never ignored. Precedence (file < environment < flags) is the caller's.
 * Ownership: texts and nodes in the given arena and document. Threads: any. */
#ifndef OTEL_TA_PROM_DROPIN_H
#define OTEL_TA_PROM_DROPIN_H

#include "allocator/codec/walk.h"

struct dropin {
    struct span listen_addr;                  /* ":8080" by default */
    struct span allocation_strategy;          /* "consistent-hashing" by default */
    struct span allocation_fallback_strategy; /* empty: none */
    struct span filter_strategy;              /* "relabel-config" by default; anything else: no filtering */
    bool is_https_enabled;
    struct span https_listen_addr;            /* ":8443" by default */
    struct span https_ca_file, https_cert_file, https_key_file;
    bool allow_insecure_auth_secrets;
    int64_t not_ready_grace_ms;               /* 30 s by default; 0: off */
    bool has_collector_selector;
    bool is_prometheus_cr_enabled;
    const struct node *config;                /* the Prometheus configuration, or NULL */
};

/* Reads the document 'root'. Unknown keys are warnings (upstream ignores them), wrong types errors. Nothing is refused here
 * for want of Kubernetes: see dropin_refuse_kubernetes(). False when there was an error. */
bool dropin_parse(const struct node *root, struct arena *arena, struct faults *f, struct dropin *out);
/* Adds an error for each part that needs the Kubernetes client: prometheus_cr.enabled, and the search for collectors
 * unless 'has_collectors' (they were named on the command line). */
void dropin_refuse_kubernetes(const struct dropin *d, bool has_collectors, struct faults *f);

#endif
