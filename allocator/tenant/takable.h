/* Which scrape jobs of a Collector the allocator takes: those that it can run exactly. All others
 * are left with the collectors, byte for byte, and somebody says why. One verdict for the webhook,
 * the commands and the allocator itself: a pure function of the Collector.
 * Ownership: everything in the arena given at birth. Threads: any. */
#ifndef OTEL_TA_TENANT_TAKABLE_H
#define OTEL_TA_TENANT_TAKABLE_H

#include "allocator/codec/spanmap.h"
#include "allocator/tenant/collector.h"
#include "allocator/tenant/expression.h"

enum left_kind {
    LEFT_NOT,        /* it is taken */
    LEFT_OWNER,      /* annotation otel-ta/local-jobs names it */
    LEFT_MECHANISM,  /* a discovery section that this program does not run */
    LEFT_EXPRESSION, /* what is not known decides about its targets, or about its name */
    LEFT_FILE,       /* its discovery reads files that lie where the collectors run */
    LEFT_KINDS,
};

/* Why a job is left alone. */
struct left {
    enum left_kind kind;
    struct span path; /* in the job, "static_configs[0].targets[0]"; empty: the job itself */
    unsigned line;
    const char *why; /* the end of a sentence about the job */
};

struct takable_options {
    bool leaves_files; /* discovery reads the files of the collectors, not those of this program */
    bool has_cluster; /* kubernetes_sd_configs are run: the Collector's owner may read what they ask
                         for */
    bool is_block_style;            /* the collectors get all members of a job from the allocator */
    struct span strategy, fallback; /* of the command line: they win; empty: not given */
};

struct takable {
    const struct collector *collector;
    struct takable_options options;
    struct arena *arena;
    struct environment environment;
    bool needs_nodes; /* a target without a node is nobody's: per-node, and nothing to fall back on
                       */
    bool has_rules;   /* they are run here (filterStrategy) */
    struct span local_jobs;   /* the annotation */
    const struct span *names; /* in it, sorted */
    size_t n_names;
};

void takable_init(struct takable *t, const struct collector *c,
                  const struct takable_options *options, struct arena *arena);

/* 'job', with its own discovery sections, with all filled in that is known; shares what is as it
 * was. Its name stays as it is written, and so do a job and a section that are one expression. */
const struct node *takable_fill(const struct takable *t, const struct node *job);
/* The same of the block "global", which may be NULL. */
const struct node *takable_fill_global(const struct takable *t, const struct node *global);
/* The verdict about a job of 'receiver', filled in. 'global' of its configuration may be NULL.
 * True: it is taken. */
bool takable_judge(const struct takable *t, struct span receiver, const struct node *job,
                   const struct node *global, struct left *out);
/* A job that is taken without the members that cannot be read here and need not: an interval that
 * only the collectors know. 'global' as it is written, or NULL. */
const struct node *takable_readable(const struct takable *t, const struct node *job,
                                    const struct node *global);
/* The same of the block "global", which may be NULL. */
const struct node *takable_readable_global(const struct takable *t, const struct node *global);
/* The names in the annotation that stand for no job of 'seen': a warning. 'seen' has the names of
 * jobs by receiver (spanmap_put_in), as they are written. */
void takable_report_strangers(const struct takable *t, const struct spanmap *seen,
                              struct faults *f);
/* The sentence about a job that is left: mem_free() it. */
char *takable_sentence(const struct left *left, struct span job);
/* The same as a fault, where 'f' stands at the job. */
void takable_report(const struct left *left, struct span job, enum fault_severity severity,
                    struct faults *f);
/* A value that is an expression where a map or a list is expected ("config: ${file:…}") leaves all
 * that is in it with the collectors: says so where 'f' stands and returns true. */
bool takable_is_template(const struct node *n, enum fault_severity severity, struct faults *f);
/* "owner", "mechanism", …: label values of metrics. */
const char *left_kind_name(enum left_kind kind);

#endif
