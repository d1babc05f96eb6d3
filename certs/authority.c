#include "certs/authority.h"

#include "allocator/base/limits.h"
#include "certs/certificate.h"
#include "certs/opensslerror.h"

#include <openssl/bn.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

static bool set_random_serial(X509 *cert)
{
    unsigned char bytes[16];
    bool ok = RAND_bytes(bytes, sizeof(bytes)) == 1;

    bytes[0] = (unsigned char)((bytes[0] & 0x7f) | 0x40); /* positive, always 16 bytes */
    BIGNUM *n = ok ? BN_bin2bn(bytes, sizeof(bytes), NULL) : NULL;
    ok = n != NULL && BN_to_ASN1_INTEGER(n, X509_get_serialNumber(cert)) != NULL;
    BN_free(n);
    return ok;
}

static bool add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;

    X509V3_set_ctx_nodb(&ctx);
    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    bool ok = ext != NULL && X509_add_ext(cert, ext, -1) == 1;
    X509_EXTENSION_free(ext);
    return ok;
}

static X509 *new_certificate(EVP_PKEY *key, int64_t not_before_s, int64_t not_after_s)
{
    X509 *cert = X509_new();
    bool ok = cert != NULL && X509_set_version(cert, X509_VERSION_3) == 1 &&
              set_random_serial(cert) && X509_set_pubkey(cert, key) == 1 &&
              ASN1_TIME_set(X509_getm_notBefore(cert), (time_t)not_before_s) != NULL &&
              ASN1_TIME_set(X509_getm_notAfter(cert), (time_t)not_after_s) != NULL;

    if (!ok) {
        X509_free(cert);
        return NULL;
    }
    return cert;
}

/* The name is unique per generation, so that verifiers never confuse two CAs. */
static bool name_ca(X509 *cert)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    char cn[64];

    if (X509_pubkey_digest(cert, EVP_sha1(), digest, &n) != 1) {
        return false;
    }
    snprintf(cn, sizeof(cn), "otel-ta-ca-%02x%02x%02x%02x", digest[0], digest[1], digest[2],
             digest[3]);
    X509_NAME *name = X509_get_subject_name(cert);
    return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)cn, -1, -1,
                                      0) == 1 &&
           X509_set_issuer_name(cert, name) == 1;
}

/* 'key' is taken; NULL: there was none to be had. */
static int make_ca(EVP_PKEY *key, int64_t now_s, struct keypair *out, struct err *err)
{
    X509 *cert = key == NULL ? NULL
                             : new_certificate(key, now_s - AUTHORITY_BACKDATE_SECONDS,
                                               now_s + AUTHORITY_CA_SECONDS);
    bool ok = cert != NULL && name_ca(cert) &&
              add_extension(cert, cert, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
              add_extension(cert, cert, NID_key_usage, "critical,keyCertSign,cRLSign") &&
              add_extension(cert, cert, NID_subject_key_identifier, "hash") &&
              X509_sign(cert, key, EVP_sha256()) > 0;

    if (!ok) {
        X509_free(cert);
        EVP_PKEY_free(key);
        return opensslerror_set(err, ERR_IO, "cannot make a certificate authority");
    }
    *out = (struct keypair){ key, cert };
    return 0;
}

int authority_create(int64_t now_s, struct keypair *out, struct err *err)
{
    return make_ca(EVP_EC_gen("P-256"), now_s, out, err);
}

int authority_redate(const struct keypair *ca, int64_t now_s, struct keypair *out, struct err *err)
{
    EVP_PKEY_up_ref(ca->key);
    return make_ca(ca->key, now_s, out, err);
}

static bool add_names(X509 *cert, X509 *issuer, const char *const *names, size_t n)
{
    AUTO_BUF value;

    buf_init(&value, LIMIT_CERTIFICATE);
    buf_add_str(&value, "critical");
    for (size_t i = 0; i < n; i++) {
        buf_addf(&value, ",%s:%s", certificate_can_name_ip(names[i]) ? "IP" : "DNS", names[i]);
    }
    return buf_error(&value) == 0 && add_extension(cert, issuer, NID_subject_alt_name, value.p);
}

/* The SAN value is OpenSSL configuration text, where ',' and ':' mean something: only what a host
 * can be gets there. */
static int check_names(const char *const *names, size_t n, struct err *err)
{
    for (size_t i = 0; i < n; i++) {
        if (!certificate_can_name_ip(names[i]) && !certificate_can_name_host(span_of(names[i]))) {
            return err_set(err, ERR_INVALID, "'%s' is not a host name or IP address", names[i]);
        }
    }
    return n > 0 ? 0 : err_set(err, ERR_INVALID, "a server certificate needs at least one name");
}

int authority_issue(const struct keypair *ca, const char *const *names, size_t n_names,
                    int64_t now_s, struct keypair *out, struct err *err)
{
    int64_t ca_from_s = 0, ca_until_s = 0;
    int rc = check_names(names, n_names, err);

    if (rc < 0) {
        return rc;
    }
    certificate_validity(ca->cert, &ca_from_s, &ca_until_s);
    int64_t until_s = now_s + AUTHORITY_LEAF_SECONDS;
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = key == NULL ? NULL
                             : new_certificate(key, now_s - AUTHORITY_BACKDATE_SECONDS,
                                               until_s < ca_until_s ? until_s : ca_until_s);
    bool ok = cert != NULL && X509_set_issuer_name(cert, X509_get_subject_name(ca->cert)) == 1 &&
              add_extension(cert, ca->cert, NID_basic_constraints, "critical,CA:FALSE") &&
              add_extension(cert, ca->cert, NID_key_usage, "critical,digitalSignature") &&
              add_extension(cert, ca->cert, NID_ext_key_usage, "serverAuth") &&
              add_names(cert, ca->cert, names, n_names) &&
              add_extension(cert, ca->cert, NID_subject_key_identifier, "hash") &&
              add_extension(cert, ca->cert, NID_authority_key_identifier, "keyid:always") &&
              X509_sign(cert, ca->key, EVP_sha256()) > 0;

    if (!ok) {
        X509_free(cert);
        EVP_PKEY_free(key);
        return opensslerror_set(err, ERR_IO, "cannot issue a certificate");
    }
    *out = (struct keypair){ key, cert };
    return 0;
}
