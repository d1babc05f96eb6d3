#include "certs/certificate.h"

#include "allocator/base/limits.h"
#include "allocator/base/mem.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <strings.h>
#include <time.h>

/* ---- PEM */

/* NOLINTNEXTLINE(readability-non-const-parameter): OpenSSL's type */
int certificate_no_password(char *buf, int size, int rwflag, void *arg)
{
    (void)buf;
    (void)size;
    (void)rwflag;
    (void)arg;
    return -1;
}

static X509 *read_certificate(BIO *pem)
{
    return PEM_read_bio_X509(pem, NULL, certificate_no_password, NULL);
}

int certificate_list_from_pem(struct span pem, STACK_OF(X509) * *out, struct err *err)
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

/* ---- validity */

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

bool certificate_can_name_ip(const char *name)
{
    unsigned char address[16];
    return inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1;
}

bool certificate_can_name_host(struct span name)
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

/* NULL for what is neither a host name nor an address. */
static char *name_text(const GENERAL_NAME *name)
{
    char text[INET6_ADDRSTRLEN];
    int type = 0;
    const ASN1_STRING *value = GENERAL_NAME_get0_value(name, &type);
    size_t len = type == GEN_DNS || type == GEN_IPADD ? (size_t)ASN1_STRING_length(value) : 0;
    const void *bytes = len > 0 ? ASN1_STRING_get0_data(value) : NULL;

    if (type == GEN_DNS) {
        return certificate_can_name_host(span_make(bytes, len)) ? mem_strndup(bytes, len) : NULL;
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
