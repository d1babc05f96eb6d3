/* Our own certificate authority: P-256 CA and leaf issuance. Pure but for random numbers: 'now' is
 * given, nothing is read or written. Threads: any. */
#ifndef OTEL_TA_CERTS_AUTHORITY_H
#define OTEL_TA_CERTS_AUTHORITY_H

#include "certs/keypair.h"

#include <stdint.h>

#define AUTHORITY_CA_SECONDS (365LL * 86400)
#define AUTHORITY_LEAF_SECONDS (168LL * 3600)
#define AUTHORITY_BACKDATE_SECONDS 3600LL /* for clocks that are behind */

/* A new CA: CN "otel-ta-ca-<8 hex of its key id>", CA:TRUE pathlen:0. On success the keypair is the
 * caller's. */
int authority_create(int64_t now_s, struct keypair *out, struct err *err) MUST_USE;
/* The same authority, name and key, whose time begins anew: who trusts the one before trusts what
 * this one signs. */
int authority_redate(const struct keypair *ca, int64_t now_s, struct keypair *out,
                     struct err *err) MUST_USE;
/* A serverAuth leaf for 'names' (host names, or IP addresses in text), valid AUTHORITY_LEAF_SECONDS
 * but never longer than the CA; empty subject, critical SAN. */
int authority_issue(const struct keypair *ca, const char *const *names, size_t n_names,
                    int64_t now_s, struct keypair *out, struct err *err) MUST_USE;

#endif
