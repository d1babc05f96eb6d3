/* Upstream's own configuration file, /conf/targetallocator.yaml, so that this program can take the
 * place of the Go allocator: every key it knows, with its types and its leniency (unknown keys are
 * warnings, null keeps the default). What needs a Kubernetes API is read, and refused by name where
 * there is none; nothing is silently ignored. Precedence (defaults < file < environment < flags) is
 * the business of the options. Source: cmd/otel-allocator/internal/config of upstream. Threads:
 * any; immutable once parsed. */
#ifndef OTEL_TA_TENANT_DROPIN_H
#define OTEL_TA_TENANT_DROPIN_H

#include "allocator/scrape/scrapejob.h"

#define DROPIN_DEFAULT_PATH "/conf/targetallocator.yaml"

/* A Kubernetes LabelSelector. Both spellings are read: matchLabels, matchExpressions and all in
 * lower case. */
struct dropin_selector {
    bool is_given;                        /* not absent and not null */
    const struct node *match_labels;      /* map of text, or NULL */
    const struct node *match_expressions; /* list of {key, operator, values}, or NULL */
};

struct dropin {              /* what the file does not say is the default */
    struct span listen_addr; /* ":8080" */
    struct span kube_config_file;
    struct span collector_namespace;
    struct dropin_selector collectors; /* not given: no pods (upstream: all of the namespace) */
    struct span strategy;              /* "consistent-hashing" */
    struct span fallback;              /* empty: none */
    struct span filter_strategy;       /* "relabel-config"; any other word, also "": no filtering */
    int64_t grace_period_ms;           /* collector_not_ready_grace_period, 30 s; 0: off */
    bool allow_insecure_auth_secrets;  /* /scrape_configs shows secrets on plain HTTP too */
    bool is_prometheus_cr_enabled;
    const struct node *prometheus_cr; /* the block, or NULL */
    bool is_https_enabled;
    struct span https_listen_addr; /* ":8443" */
    struct span https_ca_file, https_cert_file, https_key_file;
    const struct node *config; /* a Prometheus configuration, or NULL */
    const struct node *root;   /* the document, or NULL */
};

/* Reads 'root', the document (NULL: an empty one, all defaults), which must outlive '*out'; faults
 * stand at the root.
 * '*out' is usable even when there were some, and needs no release. */
void dropin_parse(const struct node *root, struct faults *f, struct dropin *out);

/* What the program that runs it can do. */
struct dropin_support {
    bool has_collectors; /* the collectors are named on the command line */
    bool has_pods;       /* else they are pods, which are followed */
    bool has_namespace;  /* that is named elsewhere (collector_namespace) */
    bool has_cluster;    /* kubernetes_sd_configs can be watched */
    bool has_monitors;   /* monitors of prometheus-operator can */
    size_t *room;        /* as in struct scrape_options */
};
/* collector_selector as the API server is asked. ERR_INVALID: it is none. */
int dropin_selector_write(const struct dropin_selector *s, struct buf *out,
                          struct err *err) MUST_USE;
/* An error for every part of the file beside its jobs that 'support' cannot carry out, and for a
 * file that asks for nothing at all. */
void dropin_check(const struct dropin *d, struct dropin_support support, struct faults *f);

/* Appends the jobs of 'config', read as the Go allocator reads them: unknown fields are warnings,
 * relative paths are relative to the working directory, no relabeling unless filter_strategy says
 * so. A job with a section that 'support' cannot carry out is refused. 'thorough' as in struct
 * scrape_options. */
void dropin_jobs(const struct dropin *d, struct dropin_support support, bool thorough,
                 struct strpool *pool, struct faults *f, struct scrapejobs *out);

#endif
