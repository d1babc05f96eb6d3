/* What a rewrite or a restore does to the configuration of one Collector, decided on trees alone:
 * which job gets our entry, which gets its own discovery sections back, and what the annotation
 * says afterwards. A pure function of the object, the old object and the options: every replica,
 * dry run and repetition decides the same. Threads: any. */
#ifndef OTEL_TA_WEBHOOK_REWRITE_PLAN_H
#define OTEL_TA_WEBHOOK_REWRITE_PLAN_H

#include "allocator/base/fault.h"
#include "allocator/tenant/collector.h"
#include "allocator/tenant/originals.h"
#include "allocator/tenant/sections.h"
#include "allocator/tenant/takable.h"
#include "allocator/tenant/wire.h"

struct rewrite_options {
    struct span collector_id_expr; /* "${POD_NAME}" */
    enum wire_style style;
    struct span shared_host; /* of WIRE_SHARED */
    bool is_block_style;     /* --rewrite-style=target-allocator */
    struct takable_options takable;
    bool denies_untakable; /* --untakable=deny: a job that is left is a fault */
};

enum job_action {
    JOB_LEAVE,
    JOB_REWRITE, /* its discovery sections become the one entry with 'url' */
    JOB_RESTORE, /* our entry becomes 'sections' */
};

struct plan_job {
    const struct node *node;
    size_t index; /* in scrape_configs */
    struct jobname_written name;
    enum job_action action;
    struct span url;          /* JOB_REWRITE */
    struct sections sections; /* what it discovers, from the job or the annotation; JOB_RESTORE:
                                 what comes back */
    const struct node *entry; /* our entry when it has options of the user's, else NULL */
    const struct original *original; /* what the annotation has of it, or NULL */
    bool has_more;                   /* beside its originals it discovers something itself */
    bool is_mixed;    /* what it discovers itself has become part of sections that are stored */
    bool is_lost;     /* it has our entry, and no originals anywhere */
    struct left left; /* why it is not taken, if it is not */
};

enum block_action {
    BLOCK_LEAVE,
    BLOCK_SET, /* target_allocator becomes 'block' */
    BLOCK_REMOVE,
};

struct plan_receiver {
    struct span name;
    const struct node *node;   /* the receiver */
    const struct node *config; /* its "config", or NULL */
    const struct node *list;   /* "scrape_configs", or NULL */
    const struct node *global; /* "global" with all filled in that is known, or NULL */
    struct plan_job *jobs;
    size_t n_jobs;
    bool has_stored_list; /* 'jobs' holds those that block style took out of the list */
    size_t n_taken;
    const struct node *new_list; /* the whole list changes to this (block style), else NULL */
    const struct node
        *stored_list; /* jobs that the annotation keeps whole (block style), else NULL */
    enum block_action block_action;
    const struct node *block;        /* the whole new block */
    const struct node *stored_block; /* what our members of the block replaced, as the annotation
                                        keeps it; NULL: no block of ours */
    const struct node *records;      /* of the annotation that has what is stored of it */
    bool is_block_lost;              /* the block is ours, and the annotation cannot be read */
};

struct plan {
    struct plan_receiver *receivers;
    size_t n_receivers;
    size_t n_jobs_served;      /* jobs that the allocator discovers for this Collector */
    size_t n_left[LEFT_KINDS]; /* jobs that stay with the collectors, by reason */
    size_t n_lost;             /* jobs and blocks that are ours, and no originals anywhere */
    size_t n_changed;          /* jobs and blocks that change */
    bool has_annotation;       /* something is kept: the annotation stays */
};

/* What is known of the stored object. */
struct plan_old {
    const struct node *annotation; /* of its annotation, or NULL */
    const struct node *config;     /* its configuration as a tree, or NULL */
};

struct plan_input {
    const struct collector *collector;
    bool is_restore;               /* whatever the Collector asks for: 'otel-ta restore' */
    const struct node *annotation; /* of the incoming annotation, or NULL */
    bool is_annotation_unread;     /* there is an annotation, but it cannot be read */
    /* Reads the stored object: called once, if an original is missing. NULL: there is none
     * (create). */
    void (*load_old)(void *arg, struct plan_old *out);
    void *load_arg;
    const struct rewrite_options *options;
};

/* Errors in 'f' are what the user has to mend (a denial), warnings what they should know; paths
 * start at "spec.config". */
void plan_make(const struct plan_input *in, struct arena *arena, struct faults *f,
               struct plan *out);

/* A job as it will be. */
const struct node *plan_intended_job(const struct plan_job *job, struct arena *arena);

/* ---- plan_result.c */

/* The configuration that the plan leads to. */
const struct node *plan_intended(const struct plan *plan, const struct node *config,
                                 struct arena *arena);

/* Canonical JSON of what the annotation keeps. 'records' (may be empty) is its member "text". */
void plan_write_annotation(const struct plan *plan, struct span records, struct arena *arena,
                           struct buf *out);

#endif
