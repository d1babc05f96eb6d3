/* A certificate in words, for people. Threads: any; pure. */
#ifndef OTEL_TA_CERTS_DESCRIBE_H
#define OTEL_TA_CERTS_DESCRIBE_H

#include "allocator/base/buf.h"

#include <openssl/x509.h>
#include <stdint.h>

/* A line "ROLE NAMES", then lines of two blanks, a word and what it is about: "  issuer   CN=x".
 * Role, names (SAN, or the subject where there is none), issuer, validity, SHA-256 fingerprint, and
 * what happens next: 'next' from 'next_s' (Unix seconds) on; 0: no time is known. */
void describe_certificate(const char *role, X509 *cert, const char *next, int64_t next_s,
                          struct buf *out);

#endif
