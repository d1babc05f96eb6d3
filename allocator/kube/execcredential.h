/* What is said to a program that prints credentials, and what it says: KUBERNETES_EXEC_INFO and the
 * object ExecCredential of client.authentication.k8s.io, v1 and v1beta1. Running it is for
 * watch/execplugin.c. Source: client-go plugin/pkg/client/auth/exec. Threads: any. */
#ifndef OTEL_TA_KUBE_EXECCREDENTIAL_H
#define OTEL_TA_KUBE_EXECCREDENTIAL_H

#include "allocator/base/buf.h"
#include "allocator/base/err.h"
#include "allocator/kube/config.h"

struct execcredential {
    struct span token;             /* may be empty, then there is a certificate */
    struct span cert_pem, key_pem; /* both or none */
    int64_t expires_ms;            /* Unix time; INT64_MAX: never */
};

/* One line of JSON, with its end. */
void execcredential_write_info(const struct kubeconfig *config, struct buf *out);
/* 'api_version' is what was asked for, and has to be answered. Texts are in 'arena'. ERR_INVALID;
 * no error shows what is secret. */
int execcredential_read(struct span text, struct span api_version, struct arena *arena,
                        struct execcredential *out, struct err *err) MUST_USE;

#endif
