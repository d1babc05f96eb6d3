#include "certs/identity.h"

#include "allocator/base/mem.h"
#include "allocator/base/ref.h"
#include "allocator/base/thread.h"
#include "certs/certificate.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

struct identity {
    struct ref ref;
    struct keypair pair;
    STACK_OF(X509) * chain;             /* certificates after the leaf; NULL: none */
    X509_STORE *clients;                /* NULL: client certificates are not asked for */
    STACK_OF(X509_NAME) * client_names; /* sent to clients as acceptable authorities */
    int64_t not_after_s;
};

struct identity_front {
    SSL_CTX *ctx;
    enum identity_clients clients;
    struct mutex mutex;
    struct identity *current GUARDED;
};

/* ---- identity */

static void identity_destroy(struct identity *id)
{
    keypair_fini(&id->pair);
    sk_X509_pop_free(id->chain, X509_free);
    X509_STORE_free(id->clients);
    sk_X509_NAME_pop_free(id->client_names, X509_NAME_free);
    mem_free(id);
}

void identity_put(struct identity **id)
{
    if (*id != NULL && ref_put(&(*id)->ref)) {
        identity_destroy(*id);
    }
    *id = NULL;
}

static int read_clients(struct identity *id, struct span pem, struct err *err)
{
    STACK_OF(X509) *list = NULL;
    int rc = certificate_list_from_pem(pem, &list, err);

    if (rc < 0) {
        return err_wrap(err, rc, "client CA");
    }
    id->clients = X509_STORE_new();
    id->client_names = sk_X509_NAME_new_null();
    for (int i = 0; i < sk_X509_num(list); i++) {
        X509_STORE_add_cert(id->clients, sk_X509_value(list, i));
        sk_X509_NAME_push(id->client_names,
                          X509_NAME_dup(X509_get_subject_name(sk_X509_value(list, i))));
    }
    ERR_clear_error();
    sk_X509_pop_free(list, X509_free);
    return 0;
}

static int check_dates(struct identity *id, int64_t now_s, struct err *err)
{
    int64_t from_s = 0;

    certificate_validity(id->pair.cert, &from_s, &id->not_after_s);
    if (now_s > id->not_after_s) {
        return err_set(err, ERR_INVALID, "certificate expired %lld seconds ago",
                       (long long)(now_s - id->not_after_s));
    }
    if (now_s < from_s) {
        return err_set(err, ERR_INVALID, "certificate is not valid before %lld seconds from now",
                       (long long)(from_s - now_s));
    }
    return 0;
}

/* The last steps of making one; on failure it is gone. */
static int complete(struct identity *id, struct span client_ca_pem, int64_t now_s,
                    struct identity **out, struct err *err)
{
    int rc = check_dates(id, now_s, err);

    if (rc == 0 && client_ca_pem.len > 0) {
        rc = read_clients(id, client_ca_pem, err);
    }
    if (rc < 0) {
        identity_destroy(id);
        return rc;
    }
    *out = id;
    return 0;
}

static struct identity *identity_new(void)
{
    struct identity *id = mem_zalloc(sizeof(*id));

    ref_init(&id->ref);
    return id;
}

int identity_from_pem(struct span cert_pem, struct span key_pem, struct span client_ca_pem,
                      int64_t now_s, struct identity **out, struct err *err)
{
    struct identity *id = identity_new();
    int rc = keypair_from_pem(cert_pem, key_pem, &id->pair, err);

    if (rc == 0) {
        rc = certificate_list_from_pem(cert_pem, &id->chain, err);
    }
    if (rc < 0) {
        identity_destroy(id);
        return rc;
    }
    X509_free(sk_X509_shift(id->chain));
    return complete(id, client_ca_pem, now_s, out, err);
}

int identity_from_keypair(const struct keypair *kp, struct span client_ca_pem, int64_t now_s,
                          struct identity **out, struct err *err)
{
    struct identity *id = identity_new();

    X509_up_ref(kp->cert);
    EVP_PKEY_up_ref(kp->key);
    id->pair = *kp;
    return complete(id, client_ca_pem, now_s, out, err);
}

void identity_validity(const struct identity *id, int64_t *out_from_s, int64_t *out_until_s)
{
    certificate_validity(id->pair.cert, out_from_s, out_until_s);
}

int64_t identity_not_after_s(const struct identity *id)
{
    return id->not_after_s;
}

/* ---- front */

static struct identity *front_take(struct identity_front *front)
{
    mutex_lock(&front->mutex);
    struct identity *id = front->current;
    if (id != NULL) {
        ref_get(&id->ref);
    }
    mutex_unlock(&front->mutex);
    return id;
}

static int verify_mode(enum identity_clients clients)
{
    switch (clients) {
    case IDENTITY_CLIENTS_REQUIRED:
        return SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    case IDENTITY_CLIENTS_OPTIONAL:
        return SSL_VERIFY_PEER;
    case IDENTITY_CLIENTS_NONE:
        break;
    }
    return SSL_VERIFY_NONE;
}

/* Runs in every handshake, before the certificate is chosen and the client is asked for its own. */
static int on_certificate(SSL *ssl, void *arg)
{
    struct identity_front *front = arg;
    struct identity *id = front_take(front);

    if (id == NULL) {
        return 0;
    }
    int ok = SSL_use_cert_and_key(ssl, id->pair.cert, id->pair.key, id->chain, 1);
    if (ok == 1 && front->clients != IDENTITY_CLIENTS_NONE && id->clients != NULL) {
        SSL_set_verify(ssl, verify_mode(front->clients), NULL);
        ok = SSL_set1_verify_cert_store(ssl, id->clients) == 1;
        SSL_set_client_CA_list(ssl, SSL_dup_CA_list(id->client_names));
    }
    identity_put(&id);
    return ok == 1;
}

static bool configure(SSL_CTX *ctx, int min_version)
{
    static const char ciphers[] =
        "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
        "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
    char groups[] = "X25519:P-256"; /* OpenSSL's macro casts const away */
    static const unsigned char session_context[] = "otel-ta";

    SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                 SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_NO_TICKET);
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(ctx, 0);
    return SSL_CTX_set_min_proto_version(ctx, min_version) == 1 &&
           SSL_CTX_set_cipher_list(ctx, ciphers) == 1 &&
           SSL_CTX_set1_groups_list(ctx, groups) == 1 &&
           SSL_CTX_set_session_id_context(ctx, session_context, sizeof(session_context) - 1) == 1;
}

int identity_front_new(enum identity_clients clients, int min_version, struct identity_front **out,
                       struct err *err)
{
    struct identity_front *front = mem_zalloc(sizeof(*front));

    front->clients = clients;
    mutex_init(&front->mutex);
    front->ctx = SSL_CTX_new(TLS_server_method());
    if (front->ctx == NULL || !configure(front->ctx, min_version)) {
        ERR_clear_error();
        identity_front_free(&front);
        return err_set(err, ERR_IO, "OpenSSL does not offer the TLS settings this program needs");
    }
    /* The mode on the context decides whether h2o's handshake asks at all when no identity says
     * otherwise. */
    SSL_CTX_set_verify(front->ctx, SSL_VERIFY_NONE, NULL);
    SSL_CTX_set_cert_cb(front->ctx, on_certificate, front);
    *out = front;
    return 0;
}

SSL_CTX *identity_front_ctx(struct identity_front *front)
{
    return front->ctx;
}

void identity_front_present(struct identity_front *front, struct identity *id)
{
    mutex_lock(&front->mutex);
    struct identity *old = front->current;
    front->current = id;
    mutex_unlock(&front->mutex);
    identity_put(&old);
}

void identity_front_free(struct identity_front **front)
{
    if (*front == NULL) {
        return;
    }
    identity_put(&(*front)->current);
    SSL_CTX_free((*front)->ctx);
    mutex_fini(&(*front)->mutex);
    mem_free(*front);
    *front = NULL;
}
