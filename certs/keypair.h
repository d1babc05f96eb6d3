/* A private key and the certificate of its public half. Threads: any; a keypair belongs to one
 * thread. */
#ifndef OTEL_TA_CERTS_KEYPAIR_H
#define OTEL_TA_CERTS_KEYPAIR_H

#include "allocator/base/buf.h"
#include "allocator/base/err.h"
#include "allocator/base/span.h"

#include <openssl/evp.h>
#include <openssl/x509.h>

struct keypair {
    EVP_PKEY *key;
    X509 *cert;
};

/* Takes over both texts' content; the first certificate of 'cert_pem' counts. ERR_INVALID when they
 * do not match, or when the key is encrypted: nobody is asked for a password. */
int keypair_from_pem(struct span cert_pem, struct span key_pem, struct keypair *out,
                     struct err *err) MUST_USE;
void keypair_cert_pem(const struct keypair *kp, struct buf *out);
/* The buffer should be a secret one. */
void keypair_key_pem(const struct keypair *kp, struct buf *out);
void keypair_fini(struct keypair *kp);

#endif
