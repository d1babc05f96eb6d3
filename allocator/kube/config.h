/* How to reach an API server, as kubeconfig files say it: several of them read as one, and the
 * current context resolved to a plain struct. Pure but for placing relative paths: nothing that a
 * configuration names is opened here, so that rotated files are read when they are needed
 * (kube/configplace.h finds the files).
 *
 * Source: client-go tools/clientcmd (loader, merging, validation), compared with kubectl 1.33.
 * The first file that has an entry of a name gives all of it. Unknown members are ignored, as
 * there. Credentials are forgotten, with a warning, when the server speaks http.
 * Deviations: names such as 1 or yes need no quotes; data beside a file is a warning and the data
 * counts; a context without a user is refused, where kubectl would ask for a password; an exec
 * plugin that must talk to somebody (interactiveMode: Always) is refused; a broken entry that the
 * context does not use does no harm.
 * Ownership: everything is in the arena that was given. Threads: any. */
#ifndef OTEL_TA_KUBE_CONFIG_H
#define OTEL_TA_KUBE_CONFIG_H

#include "allocator/base/arena.h"
#include "allocator/base/err.h"
#include "allocator/base/fault.h"

#include <stdbool.h>

struct kubeconfig_pair {
    struct span name, value;
};

/* A program that prints credentials. */
struct kubeconfig_exec {
    struct span command; /* a path when it has a '/', else looked for in PATH; empty: no plugin */
    struct span *args;
    size_t n_args;
    struct kubeconfig_pair *env; /* besides ours */
    size_t n_env;
    struct span api_version; /* client.authentication.k8s.io/v1 or …/v1beta1 */
    struct span install_hint;
    bool has_cluster_info;      /* it wants to know the server as well */
    struct span cluster_config; /* canonical JSON of the cluster's extension for it; may be empty */
};

/* Texts that are not given are empty. Where data and file are given, data counts. */
struct kubeconfig {
    struct span server; /* scheme://host[:port][/prefix], no '/' at the end */
    struct span namespace;
    struct span tls_server_name; /* to ask for and verify instead of the server's host */
    struct span ca_file, ca_pem;
    bool insecure_skip_verify;
    struct span proxy_url; /* http, https or socks5; empty: as the environment says */
    bool disable_compression;

    struct span cert_file, cert_pem, key_file, key_pem;
    struct span token, token_file; /* both: the file counts whenever it can be read */
    struct span username, password;
    struct kubeconfig_exec exec;
    struct span as, as_uid; /* impersonation */
    struct span *as_groups;
    size_t n_as_groups;
    struct kubeconfig_pair *as_extra; /* a name once for each of its values */
    size_t n_as_extra;
};

struct kubeconfig_text {
    const char *path; /* as it was named: for faults, and for what is relative to its folder */
    struct span text; /* YAML or JSON; may be empty */
};

/* 'may_run': an exec plugin is allowed; else a user that has one is refused. All text must outlive
 * 'out'. 0; ERR_INVALID with errors in 'f', each with file and path ("users[1].user.exec");
 * ERR_NOT_FOUND when the files name no cluster at all, 'f' then has no error. Warnings may come
 * with 0. */
int kubeconfig_read(const struct kubeconfig_text *texts, size_t n, bool may_run,
                    struct arena *arena, struct kubeconfig *out, struct faults *f) MUST_USE;

#endif
