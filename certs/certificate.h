/* What a certificate says: how long it is valid, and for which names. Threads: any; pure. */
#ifndef OTEL_TA_CERTS_CERTIFICATE_H
#define OTEL_TA_CERTS_CERTIFICATE_H

#include "allocator/base/err.h"
#include "allocator/base/span.h"
#include "allocator/base/vec.h"

#include <openssl/x509.h>
#include <stdbool.h>
#include <stdint.h>

/* Every certificate of a PEM text, in order; release with sk_X509_pop_free(). ERR_INVALID when
 * there is none, or when one is spoiled, cut off or encrypted: nobody is asked for a password. */
int certificate_list_from_pem(struct span pem, STACK_OF(X509) * *out, struct err *err) MUST_USE;
/* For OpenSSL, when it meets something encrypted: no terminal prompt, it is refused. */
int certificate_no_password(char *buf, int size, int rwflag, void *arg);

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
/* What a SAN may hold: an IP address as text, a host name (of characters that mean nothing to
 * OpenSSL's configuration). */
bool certificate_can_name_ip(const char *name);
bool certificate_can_name_host(struct span name);

#endif
