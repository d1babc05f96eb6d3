/* What one discovery section wants to be asked of the outside, and over which carrier: made by the
 * section's mechanism (provider.h), carried out by a carrier (watch/source.h), which knows no
 * mechanism. Sections with equal asks are asked for once. Ownership: what a plan made borrows from
 * the section and the plan's arena; a copy owns everything. Threads: any. */
#ifndef OTEL_TA_DISCOVERY_ASK_H
#define OTEL_TA_DISCOVERY_ASK_H

#include "allocator/base/buf.h"
#include "allocator/scrape/httpconfig.h"

enum carrier {
    CARRIER_NONE, /* nothing needs to be asked: the section says it all */
    CARRIER_FILE, /* files by pattern; a source is a path */
    CARRIER_HTTP, /* one URL at an interval; the source is the URL */
    CARRIER_KUBE, /* a collection of objects of an API server; told by object arrivals */
    CARRIER_JOIN, /* several of these, joined by the engine (engine/joins.h): it makes an ask of
                     its own for each, and the sources are objects */
};

struct ask_header {
    struct span name, value;
};

struct ask_file {
    struct span *patterns;
    size_t n_patterns;
};

struct ask_http {
    struct span url;
    struct httpconfig *client;
    struct ask_header *headers; /* besides those of the client */
    size_t n_headers;
    struct span body_type; /* asked for, and the only one taken: "application/json"; empty: any */
};

/* Where the server is: 'kubeconfig_file' if given, else 'api_server' with 'client', else the
 * cluster that this process was pointed at or runs in. The rest as in kube/reflector.h. */
struct ask_kube {
    struct span kubeconfig_file, api_server;
    struct httpconfig *client; /* NULL without 'api_server' */
    struct span group, version, resource, kind;
    struct span namespace, label_selector, field_selector;
    bool is_own_namespace; /* instead of 'namespace': the one that this process runs in */
    bool is_metadata;
};

struct ask_join {
    struct ask_kube *collections;
    size_t n_collections;
};

struct ask {
    enum carrier carrier;
    int64_t refresh_ms;    /* at least 1; nothing to CARRIER_KUBE and _JOIN */
    struct span digest_by; /* members of the section that 'digest' goes by, as text: equal asks are
                              digested once for all of them. Nothing to a carrier */
    union {
        struct ask_file file;
        struct ask_http http;
        struct ask_kube kube;
        struct ask_join join;
    };
};

/* Everything that decides what is found and how, as bytes: equal keys, equal asks. */
void ask_key(const struct ask *ask, struct buf *out);
/* The same of the server only: equal keys, one server that is asked in one way. */
void ask_cluster_key(const struct ask_kube *kube, struct buf *out);
/* A deep copy in 'arena'. */
void ask_copy(const struct ask *ask, struct arena *arena, struct ask *out);
/* Asked again and again whether or not anything happened: a failure may be chance, and the next
 * answer comes by itself. */
bool ask_is_polled(enum carrier carrier);
/* The name of its one source; empty when it may have many, whose names only arrivals tell. */
struct span ask_source(const struct ask *ask);

#endif
