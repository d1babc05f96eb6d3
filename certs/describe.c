#include "certs/describe.h"

#include "certs/certificate.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <time.h>

static void add_time(struct buf *out, int64_t time_s)
{
    char text[64] = "?";
    struct tm tm;
    time_t t = (time_t)time_s;

    if (gmtime_r(&t, &tm) != NULL) {
        strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
    }
    buf_add_str(out, text);
}

static void add_name(struct buf *out, const X509_NAME *name)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *text = NULL;

    if (bio != NULL && X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253) > 0) {
        long len = BIO_get_mem_data(bio, &text);
        buf_add_span(out, span_make(text, (size_t)len));
    }
    BIO_free(bio);
}

static void add_names(struct buf *out, X509 *cert)
{
    struct certificate_names names;
    const char *separator = "";

    certificate_names(cert, &names);
    vec_each(&names.list, name) {
        buf_add_str(out, separator);
        buf_add_visible(out, span_of(*name));
        separator = ", ";
    }
    if (names.list.n == 0) {
        add_name(out, X509_get_subject_name(cert));
    }
    certificate_names_fini(&names);
}

static void add_fingerprint(struct buf *out, const X509 *cert)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;

    if (X509_digest(cert, EVP_sha256(), digest, &n) != 1) {
        buf_add_str(out, "?");
        return;
    }
    for (unsigned i = 0; i < n; i++) {
        buf_addf(out, "%s%02X", i == 0 ? "" : ":", digest[i]);
    }
}

void describe_certificate(const char *role, X509 *cert, const char *next, int64_t next_s,
                          struct buf *out)
{
    int64_t from_s = 0, until_s = 0;

    certificate_validity(cert, &from_s, &until_s);
    buf_addf(out, "%-10s ", role);
    add_names(out, cert);
    buf_add_str(out, "\n  issuer   ");
    add_name(out, X509_get_issuer_name(cert));
    buf_add_str(out, "\n  valid    ");
    add_time(out, from_s);
    buf_add_str(out, " until ");
    add_time(out, until_s);
    buf_add_str(out, "\n  SHA-256  ");
    add_fingerprint(out, cert);
    buf_addf(out, "\n  next     %s", next);
    if (next_s != 0) {
        buf_add_str(out, " from ");
        add_time(out, next_s);
        buf_add_str(out, " on");
    }
    buf_add_str(out, "\n");
}
