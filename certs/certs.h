/* Where the certificate of a listener comes from, one of three:
 *   files: --tls-cert-file and --tls-key-file, or a directory that somebody else keeps;
 *   our own directory: no tls.crt in it yet, or an authority.pem;
 *   memory: neither is given; the authority lives as long as the process.
 *
 * Files of somebody else (cert-manager, a mounted Secret) are read and checked, never written; a
 * pair that does not fit leaves the old one in use. Our own directory holds authority.pem (key and
 * certificate), next-authority.pem, previous-authority.pem, tls.crt, tls.key, and ca.crt, the
 * bundle that clients should trust. Its files are replaced by rename, keys are readable by their
 * owner only, and a lock file keeps two processes apart. Threads: the keeper's, or a command's only
 * thread. */
#ifndef OTEL_TA_CERTS_CERTS_H
#define OTEL_TA_CERTS_CERTS_H

#include "allocator/base/buf.h"
#include "certs/identity.h"

struct certs_options {
    const char *dir; /* NULL: none */
    const char *cert_file, *key_file;
    const char *client_ca_file; /* NULL: clients are not verified */
    const char *const *names;   /* of the leaf we issue ourselves */
    size_t n_names;
};

struct certs;

/* Remembers the options (copied); reads nothing yet. */
struct certs *certs_new(const struct certs_options *options);

/* Carries out what is due at 'now_s' (own directory: see rotation.h) and loads the identity. On
 * success '*out' is a new identity, or NULL when nothing changed since the last call. On failure
 * what was in use stays in use. */
int certs_refresh(struct certs *c, int64_t now_s, struct identity **out, struct err *err) MUST_USE;
/* The PEM bundle that clients of this listener should trust; after a successful refresh. */
int certs_bundle(struct certs *c, int64_t now_s, struct buf *out, struct err *err) MUST_USE;
/* Own directory with an authority only: asks for a new one; the running server goes through the
 * steps. */
int certs_rotate(struct certs *c, int64_t now_s, struct err *err) MUST_USE;
/* For people: role, names, issuer, validity and fingerprint of each certificate, and what happens
 * to it next. Writes nothing to the directory; ERR_NOT_FOUND when there are none. */
int certs_describe(struct certs *c, int64_t now_s, struct buf *out, struct err *err) MUST_USE;
/* The files to watch; borrowed, NULL-terminated. In memory mode that of the client CA at most. */
const char *const *certs_paths(const struct certs *c);
void certs_free(struct certs **c);

#endif
