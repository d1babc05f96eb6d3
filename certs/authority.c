#include "certs/authority.h"

#include "allocator/base/limits.h"
#include "allocator/base/mem.h"

#include <arpa/inet.h>
#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <strings.h>
#include <time.h>

/* OpenSSL's newest reason as our error; the queue is emptied. */
static int fail(struct err *err, int code, const char *what)
{
    char reason[256] = "unknown reason";
    unsigned long e = ERR_peek_last_error();

    if (e != 0) {
        ERR_error_string_n(e, reason, sizeof(reason));
    }
    ERR_clear_error();
    return err_set(err, code, "%s: %s", what, reason);
}

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

int authority_create(int64_t now_s, struct keypair *out, struct err *err)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
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
        return fail(err, ERR_IO, "cannot make a certificate authority");
    }
    *out = (struct keypair){ key, cert };
    return 0;
}

static bool is_ip(const char *name)
{
    unsigned char address[16];
    return inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1;
}

static bool add_names(X509 *cert, X509 *issuer, const char *const *names, size_t n)
{
    AUTO_BUF value;

    buf_init(&value, LIMIT_CERTIFICATE);
    buf_add_str(&value, "critical");
    for (size_t i = 0; i < n; i++) {
        buf_addf(&value, ",%s:%s", is_ip(names[i]) ? "IP" : "DNS", names[i]);
    }
    return buf_error(&value) == 0 && add_extension(cert, issuer, NID_subject_alt_name, value.p);
}

static bool is_host(struct span name)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_*";

    for (size_t i = 0; i < name.len; i++) {
        if (memchr(allowed, name.p[i], sizeof(allowed) - 1) == NULL) {
            return false;
        }
    }
    return name.len > 0 && name.len <= 253;
}

/* The SAN value is OpenSSL configuration text, where ',' and ':' mean something: only what a host
 * can be gets there. */
static int check_names(const char *const *names, size_t n, struct err *err)
{
    for (size_t i = 0; i < n; i++) {
        if (!is_ip(names[i]) && !is_host(span_of(names[i]))) {
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
        return fail(err, ERR_IO, "cannot issue a certificate");
    }
    *out = (struct keypair){ key, cert };
    return 0;
}

/* No terminal prompt for encrypted keys: they are refused. */
/* NOLINTNEXTLINE(readability-non-const-parameter): OpenSSL's type */
static int no_password(char *buf, int size, int rwflag, void *arg)
{
    (void)buf;
    (void)size;
    (void)rwflag;
    (void)arg;
    return -1;
}

static X509 *read_certificate(BIO *pem)
{
    return PEM_read_bio_X509(pem, NULL, no_password, NULL);
}

int certificates_from_pem(struct span pem, STACK_OF(X509) * *out, struct err *err)
{
    STACK_OF(X509) *list = sk_X509_new_null();
    BIO *bio = BIO_new_mem_buf(pem.p, (int)(pem.len > LIMIT_CERTIFICATE ? 0 : pem.len));
    X509 *cert = NULL;

    ERR_clear_error();
    while (bio != NULL && list != NULL && (cert = read_certificate(bio)) != NULL) {
        sk_X509_push(list, cert);
    }
    unsigned long why = ERR_peek_last_error();
    bool is_end = ERR_GET_LIB(why) == ERR_LIB_PEM && ERR_GET_REASON(why) == PEM_R_NO_START_LINE;
    int n = sk_X509_num(list);
    BIO_free(bio);
    ERR_clear_error();
    if (n > 0 && is_end) {
        *out = list;
        return 0;
    }
    sk_X509_pop_free(list, X509_free);
    return n > 0 ? err_set(err, ERR_INVALID, "certificate %d of it cannot be read", n + 1)
                 : err_set(err, ERR_INVALID, "no PEM certificate");
}

int keypair_from_pem(struct span cert_pem, struct span key_pem, struct keypair *out,
                     struct err *err)
{
    BIO *cert_bio =
        BIO_new_mem_buf(cert_pem.p, (int)(cert_pem.len > LIMIT_CERTIFICATE ? 0 : cert_pem.len));
    BIO *key_bio =
        BIO_new_mem_buf(key_pem.p, (int)(key_pem.len > LIMIT_CERTIFICATE ? 0 : key_pem.len));
    X509 *cert = cert_bio == NULL ? NULL : read_certificate(cert_bio);
    EVP_PKEY *key = NULL;
    int rc = 0;

    if (cert == NULL) {
        rc = fail(err, ERR_INVALID, "no PEM certificate");
    } else if (key_bio == NULL ||
               (key = PEM_read_bio_PrivateKey(key_bio, NULL, no_password, NULL)) == NULL) {
        rc = fail(err, ERR_INVALID, "no unencrypted PEM private key");
    } else if (X509_check_private_key(cert, key) != 1) {
        rc = fail(err, ERR_INVALID, "certificate and private key do not belong together");
    }
    BIO_free(cert_bio);
    BIO_free(key_bio);
    if (rc < 0) {
        X509_free(cert);
        EVP_PKEY_free(key);
        return rc;
    }
    *out = (struct keypair){ key, cert };
    return 0;
}

static void add_bio(struct buf *out, BIO *bio)
{
    char *p = NULL;
    long n = BIO_get_mem_data(bio, &p);

    if (n > 0) {
        buf_add(out, p, (size_t)n);
    }
}

void keypair_cert_pem(const struct keypair *kp, struct buf *out)
{
    BIO *bio = BIO_new(BIO_s_mem());

    if (bio != NULL && PEM_write_bio_X509(bio, kp->cert) == 1) {
        add_bio(out, bio);
    }
    BIO_free(bio);
}

void keypair_key_pem(const struct keypair *kp, struct buf *out)
{
    BIO *bio = BIO_new(BIO_s_secmem());

    if (bio != NULL &&
        PEM_write_bio_PKCS8PrivateKey(bio, kp->key, NULL, NULL, 0, NULL, NULL) == 1) {
        add_bio(out, bio);
    }
    BIO_free(bio);
}

void keypair_fini(struct keypair *kp)
{
    X509_free(kp->cert);
    EVP_PKEY_free(kp->key);
    *kp = (struct keypair){ NULL, NULL };
}

static int64_t to_unix(const ASN1_TIME *t)
{
    struct tm tm = { 0 };
    return ASN1_TIME_to_tm(t, &tm) == 1 ? (int64_t)timegm(&tm) : 0;
}

void certificate_validity(const X509 *cert, int64_t *out_not_before_s, int64_t *out_not_after_s)
{
    *out_not_before_s = to_unix(X509_get0_notBefore(cert));
    *out_not_after_s = to_unix(X509_get0_notAfter(cert));
}

int64_t certificate_due_s(const X509 *cert)
{
    int64_t from_s = 0, until_s = 0;

    certificate_validity(cert, &from_s, &until_s);
    return from_s + (until_s - from_s) / 3 * 2;
}

/* ---- names */

/* NULL for what is neither a host name nor an address. */
static char *name_text(const GENERAL_NAME *name)
{
    char text[INET6_ADDRSTRLEN];
    int type = 0;
    const ASN1_STRING *value = GENERAL_NAME_get0_value(name, &type);
    size_t len = type == GEN_DNS || type == GEN_IPADD ? (size_t)ASN1_STRING_length(value) : 0;
    const void *bytes = len > 0 ? ASN1_STRING_get0_data(value) : NULL;

    if (type == GEN_DNS) {
        return is_host(span_make(bytes, len)) ? mem_strndup(bytes, len) : NULL;
    }
    int family = len == 4 ? AF_INET : AF_INET6;
    return type == GEN_IPADD && (len == 4 || len == 16) &&
                   inet_ntop(family, bytes, text, sizeof(text)) != NULL
               ? mem_strdup(text)
               : NULL;
}

void certificate_names(const X509 *cert, struct certificate_names *out)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);

    memset(out, 0, sizeof(*out));
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) { /* -1 of NULL */
        char *text = name_text(sk_GENERAL_NAME_value(names, i));
        if (text != NULL) {
            *vec_push(&out->list) = text;
        }
    }
    GENERAL_NAMES_free(names);
}

bool certificate_names_have(const struct certificate_names *names, const char *name)
{
    vec_each(&names->list, have) {
        unsigned char a[16], b[16];
        if (strcasecmp(*have, name) == 0 ||
            (inet_pton(AF_INET6, *have, a) == 1 && inet_pton(AF_INET6, name, b) == 1 &&
             memcmp(a, b, sizeof(a)) == 0)) {
            return true;
        }
    }
    return false;
}

void certificate_names_fini(struct certificate_names *names)
{
    vec_each(&names->list, text) {
        mem_free(*text);
    }
    vec_fini(&names->list);
}
