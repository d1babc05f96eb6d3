/* Who exists: how a request's words find a job and a collector, and the bodies that list them.
 * Rebuilt only when jobs, collectors or configurations change. Threads: immutable; any. */
#ifndef OTEL_TA_SERVE_DIRECTORY_H
#define OTEL_TA_SERVE_DIRECTORY_H

#include "allocator/base/buf.h"
#include "allocator/base/span.h"

#include <stdbool.h>
#include <stdint.h>

struct directory_tenant { /* one Collector CR; drop-in mode has one with empty names */
    struct span ns, name;
    const struct span *collectors; /* sorted by name */
    size_t n_collectors;
    const struct span *addresses; /* of the same; NULL or empty: not known */
    const uint32_t *seats;        /* of the same: their places in rows; NULL: in this order */
};
struct directory_job {
    size_t tenant;
    struct span receiver; /* "prometheus" or empty = default */
    struct span name;
    struct span config, config_masked; /* JSON of the complete scrape config; empty: not listed */
};
struct directory;
/* Copies everything, and which collectors were there in 'before' and have left; jobs in any order;
 * the order of rows in a snapshot is the order given here. Also renders the bodies of /jobs and
 * /scrape_configs (sorted by name, for each tenant), or shares those of 'before' (may be NULL) when
 * its jobs are the same. */
struct directory *directory_new(const struct directory_tenant *tenants, size_t n_tenants,
                                const struct directory_job *jobs, size_t n_jobs,
                                const struct directory *before);
/* What is missing for a fault. */
struct directory_gaps {
    const struct span *of_tenants; /* why nothing is known but its name; empty: it is served */
    const bool *may_have_more;     /* of the same: jobs that are not among those given */
    const struct span *of_jobs;    /* why it is known but not run; empty: it is */
    bool has_unread_file;          /* there may be tenants of which not even the name is known */
    struct span lines;             /* all of it, a line each, for people */
};
/* Before anybody else sees the directory; without it nothing is missing. Copies everything. */
void directory_set_gaps(struct directory *d, const struct directory_gaps *gaps);
/* On the thread that makes them. */
void directory_free(struct directory *d);

/* A body that changes only with the directory. */
struct directory_body {
    struct span plain, gzip;     /* gzip is empty where it would not be shorter, and of /jobs */
    struct span etag, gzip_etag; /* quoted; of /jobs there are none */
};

struct directory_view { /* of one tenant */
    struct directory_body jobs, configs, configs_masked;
};

#define DIRECTORY_ANY SIZE_MAX

struct directory_question {
    size_t tenant;           /* named by the path, or DIRECTORY_ANY */
    struct span host;        /* Host header, may be empty */
    struct span escaped_job; /* as url.QueryEscape gives it */
    struct span receiver;    /* unescaped; empty = default */
    struct span collector;   /* unescaped */
    struct span peer;        /* address the request comes from, or empty: it is not looked at */
    bool is_by_peer;         /* 'collector' says nothing: the one that has this address is meant */
};

enum directory_answer {
    DIRECTORY_FOUND,
    DIRECTORY_UNKNOWN_JOB,
    DIRECTORY_UNKNOWN_COLLECTOR, /* the job exists, but where it does this collector is not known */
    DIRECTORY_AMBIGUOUS,         /* several tenants fit */
    DIRECTORY_UNKNOWN_TENANT,    /* the Host names the Service of a Collector, but of none that is
                                    known */
};

/* The one job of the one tenant that has this collector, and that one's seat; where several have
 * one of that name, of the one whose collector has the peer's address. */
enum directory_answer directory_find(const struct directory *d, const struct directory_question *q,
                                     size_t *out_job, size_t *out_seat);
/* The one tenant with this job, whatever the collector. */
enum directory_answer directory_find_job(const struct directory *d,
                                         const struct directory_question *q, size_t *out_job);
/* DIRECTORY_ANY when there is none. The namespace "-" stands for none. */
size_t directory_tenant_of_path(const struct directory *d, struct span ns, struct span name);
/* Who is meant when only a Host is known. FOUND: the one tenant it admits, or DIRECTORY_ANY when
 * there is none at all. Of several, as a bare "<service>" that several namespaces have or a Host
 * that is not the Service of a Collector admits, the one with a collector of the peer's address is
 * meant; else AMBIGUOUS. */
enum directory_answer directory_tenant_of_host(const struct directory *d, struct span host,
                                               struct span peer, size_t *out_tenant);

size_t directory_n_tenants(const struct directory *d);
size_t directory_n_jobs(const struct directory *d);
size_t directory_job_tenant(const struct directory *d, size_t job);
struct directory_name {
    struct span ns, name;          /* of a tenant; of a job 'name' only */
    struct span receiver, escaped; /* of a job; an empty receiver is the default */
};
struct directory_name directory_tenant_name(const struct directory *d, size_t tenant);
struct directory_name directory_job_name(const struct directory *d, size_t job);
/* "/n/<ns>/<cr>", which names this tenant in a path; "-" stands for no namespace. */
void directory_add_path(const struct directory *d, size_t tenant, struct buf *out);
/* May a request with this Host mean this tenant? */
bool directory_admits(const struct directory *d, struct span host, size_t tenant);
/* The Collector that a Host seems to mean; empty when it is not like that of a Service. */
struct span directory_collector_of_host(struct span host);
/* It was a collector of this tenant, not long ago, and is none any more. */
bool directory_has_left(const struct directory *d, size_t tenant, struct span collector);
/* What is missing (struct directory_gaps); empty: it is not. */
struct span directory_tenant_fault(const struct directory *d, size_t tenant);
struct span directory_job_fault(const struct directory *d, size_t job);
bool directory_may_have_more(const struct directory *d, size_t tenant);
bool directory_has_unread_file(const struct directory *d);
struct span directory_gaps(const struct directory *d);
/* Sorted by name. */
const struct span *directory_collectors(const struct directory *d, size_t tenant, size_t *out_n);
const uint32_t *directory_seats(const struct directory *d, size_t tenant); /* of the same */
/* DIRECTORY_ANY: of no tenant, empty. */
const struct directory_view *directory_view(const struct directory *d, size_t tenant);

#endif
