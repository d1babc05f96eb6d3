/* What a TLS listener presents: an immutable certificate identity, and the one long-lived SSL_CTX
 * per listener whose certificate callback installs the present identity at each handshake. The
 * SSL_CTX itself is never replaced while the server runs: h2o keeps an uncounted pointer to it for
 * every accepted but silent connection. Threads: identities are immutable and counted;
 * identity_front_present() from the keeper, handshakes on any thread. */
#ifndef OTEL_TA_CERTS_IDENTITY_H
#define OTEL_TA_CERTS_IDENTITY_H

#include "allocator/base/err.h"
#include "allocator/base/span.h"
#include "certs/keypair.h"

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>

struct identity;

/* Checks that key and certificate belong together and that the certificate is valid at 'now_s'.
 * 'client_ca_pem' (may be empty): clients may present a certificate, which must then verify against
 * it and be for client authentication. */
int identity_from_pem(struct span cert_pem, struct span key_pem, struct span client_ca_pem,
                      int64_t now_s, struct identity **out, struct err *err) MUST_USE;
/* The same of a key that was made in this process: its text would only be one more copy. The
 * keypair stays the caller's; it is shared, and may be read meanwhile. */
int identity_from_keypair(const struct keypair *kp, struct span client_ca_pem, int64_t now_s,
                          struct identity **out, struct err *err) MUST_USE;
int64_t identity_not_after_s(const struct identity *id);
void identity_validity(const struct identity *id, int64_t *out_from_s, int64_t *out_until_s);
void identity_put(struct identity **id); /* NULL-safe, drops one reference, sets NULL */

enum identity_clients {
    IDENTITY_CLIENTS_NONE,     /* never asked for a certificate */
    IDENTITY_CLIENTS_OPTIONAL, /* asked; a wrong one fails the handshake, none is fine */
    IDENTITY_CLIENTS_REQUIRED,
};

struct identity_front;

/* 'min_version': TLS1_2_VERSION or TLS1_3_VERSION. */
int identity_front_new(enum identity_clients clients, int min_version, struct identity_front **out,
                       struct err *err) MUST_USE;
/* For the listener; lives as long as the front. */
SSL_CTX *identity_front_ctx(struct identity_front *front);
/* Takes over one reference; every handshake that starts from now on uses it, also on connections
 * accepted before. */
void identity_front_present(struct identity_front *front, struct identity *id);
void identity_front_free(struct identity_front **front);

#endif
