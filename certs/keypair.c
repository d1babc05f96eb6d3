#include "certs/keypair.h"

#include "allocator/base/limits.h"
#include "certs/certificate.h"
#include "certs/opensslerror.h"

#include <openssl/pem.h>

int keypair_from_pem(struct span cert_pem, struct span key_pem, struct keypair *out,
                     struct err *err)
{
    BIO *cert_bio =
        BIO_new_mem_buf(cert_pem.p, (int)(cert_pem.len > LIMIT_CERTIFICATE ? 0 : cert_pem.len));
    BIO *key_bio =
        BIO_new_mem_buf(key_pem.p, (int)(key_pem.len > LIMIT_CERTIFICATE ? 0 : key_pem.len));
    X509 *cert =
        cert_bio == NULL ? NULL : PEM_read_bio_X509(cert_bio, NULL, certificate_no_password, NULL);
    EVP_PKEY *key = NULL;
    int rc = 0;

    if (cert == NULL) {
        rc = opensslerror_set(err, ERR_INVALID, "no PEM certificate");
    } else if (key_bio == NULL || (key = PEM_read_bio_PrivateKey(
                                       key_bio, NULL, certificate_no_password, NULL)) == NULL) {
        rc = opensslerror_set(err, ERR_INVALID, "no unencrypted PEM private key");
    } else if (X509_check_private_key(cert, key) != 1) {
        rc = opensslerror_set(err, ERR_INVALID,
                              "certificate and private key do not belong together");
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
