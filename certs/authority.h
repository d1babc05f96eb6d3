/* Our own certificate authority: P-256 CA and leaf issuance, PEM in and out. Pure but for random
 * numbers: 'now' is given, nothing is read or written. Threads: any; a keypair belongs to one
 * thread. */
#ifndef OTEL_TA_CERTS_AUTHORITY_H
#define OTEL_TA_CERTS_AUTHORITY_H

#include "allocator/base/buf.h"
#include "allocator/base/err.h"
#include "allocator/base/span.h"
#include "allocator/base/vec.h"

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stdint.h>

#define AUTHORITY_CA_SECONDS (365LL * 86400)
#define AUTHORITY_LEAF_SECONDS (168LL * 3600)
#define AUTHORITY_BACKDATE_SECONDS 3600LL /* for clocks that are behind */

struct keypair {
    EVP_PKEY *key;
    X509 *cert;
};

/* A new CA: CN "otel-ta-ca-<8 hex of its key id>", CA:TRUE pathlen:0. On success the keypair is the
 * caller's. */
int authority_create(int64_t now_s, struct keypair *out, struct err *err) MUST_USE;
/* A serverAuth leaf for 'names' (host names, or IP addresses in text), valid AUTHORITY_LEAF_SECONDS
 * but never longer than the CA; empty subject, critical SAN. */
int authority_issue(const struct keypair *ca, const char *const *names, size_t n_names,
                    int64_t now_s, struct keypair *out, struct err *err) MUST_USE;
/* Every certificate of a PEM text, in order; release with sk_X509_pop_free(). ERR_INVALID when
 * there is none, or when one is spoiled, cut off or encrypted: nobody is asked for a password. */
int certificates_from_pem(struct span pem, STACK_OF(X509) * *out, struct err *err) MUST_USE;
/* Takes over both texts' content; the first certificate of 'cert_pem' counts. ERR_INVALID when they
 * do not match. */
int keypair_from_pem(struct span cert_pem, struct span key_pem, struct keypair *out,
                     struct err *err) MUST_USE;
void keypair_cert_pem(const struct keypair *kp, struct buf *out);
/* The buffer should be a secret one. */
void keypair_key_pem(const struct keypair *kp, struct buf *out);
void keypair_fini(struct keypair *kp);

/* Validity of a certificate in Unix seconds. */
void certificate_validity(const X509 *cert, int64_t *out_not_before_s, int64_t *out_not_after_s);
/* When two thirds of its life are over: from then on it is due for renewal. */
int64_t certificate_due_s(const X509 *cert);

/* Host names and IP addresses of the SAN, as texts. */
struct certificate_names {
    VEC(char *) list; /* owned */
};
void certificate_names(const X509 *cert, struct certificate_names *out);
/* The same host name, whatever its case, or the same address, however it is written. */
bool certificate_names_have(const struct certificate_names *names, const char *name);
void certificate_names_fini(struct certificate_names *names);

#endif
