#include "allocator/base/mem.h"
#include "certs/authority.h"
#include "certs/identity.h"
#include "tests/check.h"

#include <openssl/err.h>
#include <time.h>

struct pems {
    struct buf cert, key;
};

static void to_pems(const struct keypair *kp, struct pems *out)
{
    buf_init(&out->cert, 65536);
    buf_init_secret(&out->key, 65536);
    keypair_cert_pem(kp, &out->cert);
    keypair_key_pem(kp, &out->key);
}

static void pems_fini(struct pems *p)
{
    buf_fini(&p->cert);
    buf_fini(&p->key);
}

static struct identity *make_identity(const struct keypair *ca, const char *name,
                                      const struct keypair *client_ca)
{
    struct keypair leaf = { NULL, NULL };
    struct pems leaf_pem, ca_pem;
    struct identity *id = NULL;
    int64_t now_s = (int64_t)time(NULL);

    is_int(authority_issue(ca, &name, 1, now_s, &leaf, NULL), 0, "issue %s", name);
    to_pems(&leaf, &leaf_pem);
    to_pems(client_ca == NULL ? ca : client_ca, &ca_pem);
    is_int(identity_from_pem(buf_span(&leaf_pem.cert), buf_span(&leaf_pem.key),
                             client_ca == NULL ? span_of("") : buf_span(&ca_pem.cert), now_s, &id,
                             NULL),
           0, "identity %s", name);
    pems_fini(&leaf_pem);
    pems_fini(&ca_pem);
    keypair_fini(&leaf);
    return id;
}

static void pump(SSL *from, SSL *to)
{
    char bytes[4096];
    int n = 0;

    while ((n = BIO_read(SSL_get_wbio(from), bytes, sizeof(bytes))) > 0) {
        BIO_write(SSL_get_rbio(to), bytes, n);
    }
}

static SSL *new_side(SSL_CTX *ctx, bool is_server)
{
    SSL *ssl = SSL_new(ctx);
    SSL_set_bio(ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    if (is_server) {
        SSL_set_accept_state(ssl);
    } else {
        SSL_set_connect_state(ssl);
    }
    return ssl;
}

/* A handshake in memory. Returns whether both sides are content; '*out_name' gets the served
 * certificate's name. */
static bool shake(struct identity_front *front, const struct keypair *ca,
                  const struct keypair *client, int max_version, SSL *waiting, const char *host)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), ca->cert);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_max_proto_version(ctx, max_version);
    if (client != NULL) {
        SSL_CTX_use_certificate(ctx, client->cert);
        SSL_CTX_use_PrivateKey(ctx, client->key);
    }
    SSL *c = new_side(ctx, false);
    SSL *s = waiting == NULL ? new_side(identity_front_ctx(front), true) : waiting;
    SSL_set1_host(c, host);
    bool ok_c = false, ok_s = false;
    for (int i = 0; i < 8; i++) {
        ok_c = SSL_do_handshake(c) == 1;
        pump(c, s);
        ok_s = SSL_do_handshake(s) == 1;
        pump(s, c);
    }
    char byte = 0;
    if (ok_c) { /* TLS 1.3 tells a client that it is refused only after its handshake */
        ok_c = SSL_read(c, &byte, 1) > 0 || SSL_get_error(c, -1) == SSL_ERROR_WANT_READ;
    }
    SSL_free(c);
    SSL_free(s);
    SSL_CTX_free(ctx);
    ERR_clear_error();
    return ok_c && ok_s;
}

static void test_rotation(const struct keypair *ca)
{
    struct identity_front *front = NULL;

    is_int(identity_front_new(IDENTITY_CLIENTS_NONE, TLS1_2_VERSION, &front, NULL), 0, "front");
    ok(!shake(front, ca, NULL, TLS1_3_VERSION, NULL, "one"), "without identity no handshake");
    identity_front_present(front, make_identity(ca, "one", NULL));
    ok(shake(front, ca, NULL, TLS1_3_VERSION, NULL, "one"), "TLS 1.3");
    ok(shake(front, ca, NULL, TLS1_2_VERSION, NULL, "one"), "TLS 1.2");
    ok(!shake(front, ca, NULL, TLS1_1_VERSION, NULL, "one"), "not TLS 1.1");
    SSL *waiting = new_side(identity_front_ctx(front), true);
    identity_front_present(front, make_identity(ca, "two", NULL));
    ok(shake(front, ca, NULL, TLS1_3_VERSION, waiting, "two"),
       "a connection accepted before the swap gets the new certificate");
    ok(!shake(front, ca, NULL, TLS1_3_VERSION, NULL, "one"), "the old one is gone");
    identity_front_free(&front);
    is_int(identity_front_new(IDENTITY_CLIENTS_NONE, TLS1_3_VERSION, &front, NULL), 0,
           "front of TLS 1.3");
    identity_front_present(front, make_identity(ca, "one", NULL));
    ok(!shake(front, ca, NULL, TLS1_2_VERSION, NULL, "one"), "refuses TLS 1.2");
    identity_front_free(&front);
}

/* A client's certificate, signed by itself: authority_issue() makes those of servers only. */
static struct keypair make_client(void)
{
    struct keypair kp = { EVP_EC_gen("P-256"), X509_new() };

    X509_set_version(kp.cert, X509_VERSION_3);
    X509_gmtime_adj(X509_getm_notBefore(kp.cert), -60);
    X509_gmtime_adj(X509_getm_notAfter(kp.cert), 3600);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(kp.cert), "CN", MBSTRING_ASC,
                               (const unsigned char *)"client", -1, -1, 0);
    X509_set_issuer_name(kp.cert, X509_get_subject_name(kp.cert));
    X509_set_pubkey(kp.cert, kp.key);
    X509_sign(kp.cert, kp.key, EVP_sha256());
    return kp;
}

static void test_clients(const struct keypair *ca, const struct keypair *client)
{
    struct identity_front *front = NULL;

    is_int(identity_front_new(IDENTITY_CLIENTS_REQUIRED, TLS1_2_VERSION, &front, NULL), 0,
           "front that wants clients");
    identity_front_present(front, make_identity(ca, "one", client));
    ok(shake(front, ca, client, TLS1_3_VERSION, NULL, "one"),
       "a client of the CA is let in (TLS 1.3)");
    ok(shake(front, ca, client, TLS1_2_VERSION, NULL, "one"),
       "a client of the CA is let in (TLS 1.2)");
    ok(!shake(front, ca, NULL, TLS1_3_VERSION, NULL, "one"),
       "one without certificate is not (TLS 1.3)");
    ok(!shake(front, ca, NULL, TLS1_2_VERSION, NULL, "one"),
       "one without certificate is not (TLS 1.2)");
    ok(!shake(front, ca, ca, TLS1_3_VERSION, NULL, "one"), "one of another CA is not");
    identity_front_free(&front);
    is_int(identity_front_new(IDENTITY_CLIENTS_OPTIONAL, TLS1_2_VERSION, &front, NULL), 0,
           "front that may take clients");
    identity_front_present(front, make_identity(ca, "one", client));
    ok(shake(front, ca, NULL, TLS1_3_VERSION, NULL, "one"),
       "optional: one without certificate is let in");
    ok(!shake(front, ca, ca, TLS1_3_VERSION, NULL, "one"), "optional: a wrong certificate is not");
    identity_front_free(&front);
}

static void test_names(const struct keypair *ca)
{
    static const char *const bad[] = { "a,DNS:evil", "", "a b", "x:y" };
    struct keypair leaf = { NULL, NULL };

    for (size_t i = 0; i < COUNT(bad); i++) {
        is_int(authority_issue(ca, &bad[i], 1, 0, &leaf, NULL), ERR_INVALID,
               "'%s' is no name for a certificate", bad[i]);
    }
    is_int(authority_issue(ca, bad, 0, 0, &leaf, NULL), ERR_INVALID, "no name at all neither");
}

/* The key never becomes text, and lives as long as either needs it. */
static void test_keypair(const struct keypair *ca)
{
    static const char *const name = "two";
    int64_t now_s = (int64_t)time(NULL);
    struct keypair leaf = { NULL, NULL };
    struct identity_front *front = NULL;
    struct identity *id = NULL;

    is_int(authority_issue(ca, &name, 1, now_s, &leaf, NULL), 0, "issue");
    is_int(identity_from_keypair(&leaf, span_of(""), now_s + AUTHORITY_LEAF_SECONDS + 1, &id, NULL),
           ERR_INVALID, "one that expired is refused");
    is_int(identity_from_keypair(&leaf, span_of(""), now_s, &id, NULL), 0, "a keypair as it is");
    keypair_fini(&leaf);
    is_int(identity_front_new(IDENTITY_CLIENTS_NONE, TLS1_2_VERSION, &front, NULL), 0, "front");
    identity_front_present(front, id);
    ok(shake(front, ca, NULL, TLS1_3_VERSION, NULL, "two"), "it is served");
    identity_front_free(&front);
}

/* Good from the first second of its life to the last. */
static void test_dates(const struct keypair *ca)
{
    static const char *const name = "one";
    const int64_t now_s = (int64_t)time(NULL), from_s = now_s - AUTHORITY_BACKDATE_SECONDS,
                  until_s = now_s + AUTHORITY_LEAF_SECONDS;
    const struct {
        int64_t at_s;
        const char *why; /* NULL: it is good */
    } t[] = {
        { from_s - 2, "certificate is not valid before 2 seconds from now" },
        { from_s - 1, "certificate is not valid before 1 seconds from now" },
        { from_s, NULL },
        { from_s + 1, NULL },
        { until_s - 1, NULL },
        { until_s, NULL },
        { until_s + 1, "certificate expired 1 seconds ago" },
        { until_s + 100, "certificate expired 100 seconds ago" },
    };
    struct keypair leaf = { NULL, NULL };

    is_int(authority_issue(ca, &name, 1, now_s, &leaf, NULL), 0, "issue");
    for (size_t i = 0; i < COUNT(t); i++) {
        struct identity *id = NULL;
        struct err err = { 0 };
        is_int(identity_from_keypair(&leaf, span_of(""), t[i].at_s, &id, &err),
               t[i].why == NULL ? 0 : ERR_INVALID, "%lld seconds after its beginning",
               (long long)(t[i].at_s - from_s));
        is_str(err.text, t[i].why == NULL ? "" : t[i].why, "  why");
        is_int(id == NULL ? 0 : identity_not_after_s(id), t[i].why == NULL ? until_s : 0,
               "  its end");
        identity_put(&id);
    }
    keypair_fini(&leaf);
}

/* A version that OpenSSL does not know is not another one. */
static void test_versions(void)
{
    static const int bad[] = { 1, 0x0305, 0x7f00 };

    for (size_t i = 0; i < COUNT(bad); i++) {
        struct identity_front *front = NULL;
        struct err err = { 0 };
        is_int(identity_front_new(IDENTITY_CLIENTS_NONE, bad[i], &front, &err), ERR_IO,
               "TLS version %#x", (unsigned)bad[i]);
        is_str(err.text, "OpenSSL does not offer the TLS settings this program needs", "  why");
        ok(front == NULL, "  no front");
        is_int((int64_t)ERR_peek_error(), 0, "  and nothing is left for the next to trip over");
    }
}

int main(void)
{
    struct keypair ca = { NULL, NULL }, client = make_client();

    is_int(authority_create((int64_t)time(NULL), &ca, NULL), 0, "CA");
    test_rotation(&ca);
    test_clients(&ca, &client);
    test_names(&ca);
    test_keypair(&ca);
    test_dates(&ca);
    test_versions();
    keypair_fini(&ca);
    keypair_fini(&client);
    return check_done();
}
