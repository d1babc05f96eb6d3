/* Certificates for tests, made on the spot: one authority, and leaves for a name.
 * Threads: any. */
#ifndef OTEL_TA_TESTS_FAKE_TESTCERT_H
#define OTEL_TA_TESTS_FAKE_TESTCERT_H

#include <assert.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdbool.h>

struct testcert {
    EVP_PKEY *key;
    X509 *cert;
};

static inline void testcert_extend(X509 *cert, int nid, const char *value)
{
    X509V3_CTX ctx;

    X509V3_set_ctx_nodb(&ctx);
    X509V3_set_ctx(&ctx, cert, cert, NULL, NULL, 0);
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    assert(e != NULL);
    X509_add_ext(cert, e, -1);
    X509_EXTENSION_free(e);
}

/* 'issuer' NULL: an authority. 'names': "DNS:localhost,IP:127.0.0.1". */
static inline struct testcert testcert_new(const struct testcert *issuer, const char *common_name,
                                           const char *names)
{
    struct testcert c = { .key = EVP_EC_gen("P-256"), .cert = X509_new() };
    X509_NAME *name = X509_NAME_new();
    static long serial = 1;

    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)common_name, -1, -1,
                               0);
    X509_set_version(c.cert, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(c.cert), serial++);
    X509_gmtime_adj(X509_getm_notBefore(c.cert), -3600);
    X509_gmtime_adj(X509_getm_notAfter(c.cert), 3600);
    X509_set_subject_name(c.cert, name);
    X509_set_issuer_name(c.cert, issuer == NULL ? name : X509_get_subject_name(issuer->cert));
    X509_set_pubkey(c.cert, c.key);
    testcert_extend(c.cert, NID_basic_constraints,
                    issuer == NULL ? "critical,CA:TRUE" : "critical,CA:FALSE");
    if (names != NULL) {
        testcert_extend(c.cert, NID_subject_alt_name, names);
    }
    int size = X509_sign(c.cert, issuer == NULL ? c.key : issuer->key, EVP_sha256());
    assert(size > 0);
    (void)size;
    X509_NAME_free(name);
    return c;
}

/* The caller frees them with OPENSSL_free(). */
static inline char *testcert_pem(const struct testcert *c, bool is_key)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *data = NULL;

    if (is_key) {
        PEM_write_bio_PrivateKey(bio, c->key, NULL, NULL, 0, NULL, NULL);
    } else {
        PEM_write_bio_X509(bio, c->cert);
    }
    long len = BIO_get_mem_data(bio, &data);
    char *text = OPENSSL_strndup(data, (size_t)len);
    BIO_free(bio);
    return text;
}

/* A server context that shows 'c'; with 'client_ca' it asks for client certificates, 'verify' as
 * for SSL_CTX_set_verify. */
static inline SSL_CTX *testcert_server(const struct testcert *c, const struct testcert *client_ca,
                                       int verify)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

    SSL_CTX_use_certificate(ctx, c->cert);
    SSL_CTX_use_PrivateKey(ctx, c->key);
    if (client_ca != NULL) {
        SSL_CTX_set_verify(ctx, verify, NULL);
        X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), client_ca->cert);
        SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"test", 4);
    }
    return ctx;
}

static inline void testcert_free(struct testcert *c)
{
    X509_free(c->cert);
    EVP_PKEY_free(c->key);
}

#endif
