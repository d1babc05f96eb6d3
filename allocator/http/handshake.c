#include "allocator/http/handshake.h"

#include <h2o/http1.h>
#include <openssl/err.h>

#include "allocator/base/clock.h"
#include "allocator/base/container.h"
#include "allocator/base/metric.h"
#define LOG_MODULE "http"
#include "allocator/base/log.h"

enum {
    TLS_HANDSHAKE_RECORD = 0x16,
    SHARE_OF_STRANGERS = 4, /* one address has so large a part of the places, when they are short */
};

void handshake_forget(struct connection *c)
{
    if (c->stranger.next != NULL) {
        ring_remove(&c->stranger);
        c->door->n_strangers--;
    }
}

/* ---- what went wrong */

enum reason {
    PLAIN_HTTP,
    NOT_TLS,
    NO_CLIENT_CERTIFICATE,
    BAD_CLIENT_CERTIFICATE,
    CERTIFICATE_REFUSED,
    PROTOCOL_VERSION,
    NO_COMMON_CIPHER,
    ALERT,
    CLOSED,
    TIMEOUT,
    CROWDED,
    OTHER,
};

static const struct {
    const char *label, *words;
} reasons[] = {
    [PLAIN_HTTP] = { "plain_http", "the peer speaks HTTP without TLS" },
    [NOT_TLS] = { "not_tls", "what the peer says is not TLS" },
    [NO_CLIENT_CERTIFICATE] = { "no_client_certificate",
                                "the peer shows no certificate, and one is required" },
    [BAD_CLIENT_CERTIFICATE] = { "bad_client_certificate",
                                 "the peer's certificate is not one of the client CA" },
    [CERTIFICATE_REFUSED] = { "certificate_refused",
                              "the peer does not trust our certificate: has it the CA bundle of "
                              "now?" },
    [PROTOCOL_VERSION] = { "protocol_version", "no version of TLS in common" },
    [NO_COMMON_CIPHER] = { "no_common_cipher", "no cipher in common" },
    [ALERT] = { "alert", "the peer gave up" },
    [CLOSED] = { "closed", "the peer went away in the middle" },
    [TIMEOUT] = { "timeout", "the handshake took too long" },
    [CROWDED] = { "crowded", "too many handshakes at once" },
    [OTHER] = { "other", "OpenSSL refused" },
};

static enum reason reason_of_alert(int alert)
{
    switch (alert) {
    case SSL_AD_BAD_CERTIFICATE:
    case SSL_AD_UNSUPPORTED_CERTIFICATE:
    case SSL_AD_CERTIFICATE_REVOKED:
    case SSL_AD_CERTIFICATE_EXPIRED:
    case SSL_AD_CERTIFICATE_UNKNOWN:
    case SSL_AD_UNKNOWN_CA:
    case SSL_AD_ACCESS_DENIED:
        return CERTIFICATE_REFUSED;
    case SSL_AD_PROTOCOL_VERSION:
        return PROTOCOL_VERSION;
    default:
        return ALERT;
    }
}

static enum reason reason_of_openssl(int code)
{
    switch (code) {
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
        return NO_CLIENT_CERTIFICATE;
    case SSL_R_CERTIFICATE_VERIFY_FAILED:
        return BAD_CLIENT_CERTIFICATE;
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_VERSION_TOO_LOW:
    case SSL_R_VERSION_TOO_HIGH:
    case SSL_R_INAPPROPRIATE_FALLBACK:
        return PROTOCOL_VERSION;
    case SSL_R_NO_SHARED_CIPHER:
    case SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM:
        return NO_COMMON_CIPHER;
    case SSL_R_WRONG_VERSION_NUMBER:
        return NOT_TLS;
    default:
        return OTHER;
    }
}

/* What we cut ourselves is no fault of the peer's. */
static void tell(const struct connection *c, enum reason why, const char *detail)
{
    const char *listener = c->door->listener->options.name;
    struct sockaddr_storage address = { 0 };
    char peer[INET6_ADDRSTRLEN];

    if (c->is_cut) {
        return;
    }
    (void)h2o_socket_getpeername(c->sock, (void *)&address);
    const char *text = peer_text((const void *)&address, peer);
    metric_add_for(METRIC_TLS_HANDSHAKE_FAILURES, (const char *[]){ listener, reasons[why].label },
                   1);
    log_warn("TLS handshake failed", LOG_STR("listener", listener),
             LOG_STR("peer", text == NULL ? "" : text), LOG_STR("reason", reasons[why].words),
             LOG_STR("detail", detail));
}

/* Forgotten at once: to close TLS in order may take h2o some time. */
static void fail(struct connection *c, enum reason why, const char *detail)
{
    tell(c, why, detail);
    handshake_forget(c);
    h2o_socket_close(c->sock);
}

/* ---- HTTP on a port for HTTPS */

static void on_rest(h2o_socket_t *sock, const char *err)
{
    if (err != NULL) {
        h2o_socket_close(sock);
    } else {
        h2o_buffer_consume(&sock->input, sock->input->size);
    }
}

/* The peer closes when it has read the answer: were it us, what it still sends would make the
 * kernel take the answer back. It remains a stranger meanwhile. */
static void on_refused(h2o_socket_t *sock, const char *err)
{
    if (err != NULL) {
        h2o_socket_close(sock);
        return;
    }
    shutdown(h2o_socket_get_fd(sock), SHUT_WR);
    h2o_socket_read_start(sock, on_rest);
}

#define IN_WORDS "This port speaks HTTPS: ask it with https://\n"
static void refuse_in_words(h2o_socket_t *sock)
{
    static const char answer[] =
        "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n"
        "Content-Length: 45\r\nConnection: close\r\n\r\n" IN_WORDS;
    _Static_assert(sizeof(IN_WORDS) - 1 == 45, "the length that the answer names");
    h2o_iovec_t v = h2o_iovec_init(answer, sizeof(answer) - 1);

    h2o_socket_write(sock, &v, 1, on_refused);
}

/* ---- the handshake */

/* h2o's BIO carries its socket. */
static void on_tls_state(const SSL *ssl, int where, int ret)
{
    h2o_socket_t *sock = BIO_get_data(SSL_get_rbio(ssl));
    struct connection *c = sock->on_close.data;

    if ((where & SSL_CB_READ_ALERT) == SSL_CB_READ_ALERT) {
        c->alert = ret & 0xff;
    }
    if ((where & SSL_CB_HANDSHAKE_DONE) != 0) {
        c->is_verified =
            SSL_get0_peer_certificate(ssl) != NULL && SSL_get_verify_result(ssl) == X509_V_OK;
    }
}

static void on_failure(struct connection *c, const char *err)
{
    unsigned long code = ERR_peek_error();
    const char *words = ERR_reason_error_string(code);

    if (c->alert >= 0) {
        fail(c, reason_of_alert(c->alert), SSL_alert_desc_string_long(c->alert));
    } else if (code != 0) {
        enum reason why = reason_of_openssl(ERR_GET_REASON(code));
        /* Of a certificate h2o passes on what is wrong with it. */
        fail(c, why, why == BAD_CLIENT_CERTIFICATE || words == NULL ? err : words);
    } else {
        fail(c, CLOSED, err);
    }
    ERR_clear_error();
}

static void on_handshake(h2o_socket_t *sock, const char *err)
{
    struct connection *c = sock->on_close.data;
    struct door *door = c->door;

    if (err != NULL) {
        on_failure(c, err);
        return;
    }
    handshake_forget(c);
    h2o_http1_accept(&door->accept, sock, *h2o_get_timestamp(&door->ctx, NULL, NULL));
}

/* A probe that connects and goes is nobody's fault. */
static void on_first_bytes(h2o_socket_t *sock, const char *err)
{
    struct connection *c = sock->on_close.data;

    if (err != NULL) {
        h2o_socket_close(sock);
        return;
    }
    if (sock->input->size == 0) {
        return;
    }
    unsigned char first = (unsigned char)sock->input->bytes[0];

    h2o_socket_read_stop(sock);
    if (first == TLS_HANDSHAKE_RECORD) {
        ERR_clear_error();
        h2o_socket_ssl_handshake(sock, c->door->listener->options.tls, NULL, on_handshake);
    } else if ((first >= 'A' && first <= 'Z') || (first >= 'a' && first <= 'z')) {
        tell(c, PLAIN_HTTP, "answered 400");
        refuse_in_words(sock);
    } else {
        fail(c, NOT_TLS, "");
    }
}

/* ---- who may be a stranger */

static struct connection *at(struct ring *r)
{
    return CONTAINER_OF(r, struct connection, stranger);
}

/* The oldest of the newcomer's own when he has his share, else, when no place is left, the oldest
 * of all; NULL: there is room. */
static struct connection *who_makes_room(struct door *door, const struct peer *newcomer)
{
    struct connection *own = NULL;
    unsigned n_own = 0;

    if (door->n_strangers < door->max_strangers / 2) {
        return NULL;
    }
    for (struct ring *r = door->strangers.next; r != &door->strangers; r = r->next) {
        if (peer_is_same(&at(r)->peer, newcomer)) {
            own = own == NULL ? at(r) : own;
            n_own++;
        }
    }
    if (n_own > 0 && n_own >= door->max_strangers / SHARE_OF_STRANGERS) {
        return own;
    }
    return door->n_strangers < door->max_strangers ? NULL : at(door->strangers.next);
}

void handshake_begin(struct connection *c)
{
    struct door *door = c->door;
    struct connection *oldest = who_makes_room(door, &c->peer);

    if (oldest != NULL) {
        fail(oldest, CROWDED, "");
    }
    c->alert = -1;
    c->handshake_ends = clock_mono_ms() + door->worker->handshake_ms;
    ring_add_last(&door->strangers, &c->stranger);
    door->n_strangers++;
    h2o_socket_read_start(c->sock, on_first_bytes);
}

int64_t handshake_expire(struct door *door, int64_t now_ms)
{
    while (door->strangers.next != &door->strangers) {
        struct connection *oldest = at(door->strangers.next);

        if (oldest->handshake_ends > now_ms) {
            return oldest->handshake_ends;
        }
        fail(oldest, TIMEOUT, "");
    }
    return INT64_MAX;
}

void handshake_prepare(SSL_CTX *tls)
{
    static const h2o_iovec_t protocols[] = { { (char *)(uintptr_t) "http/1.1", 8 }, { NULL, 0 } };

    h2o_ssl_register_alpn_protocols(tls, protocols);
    SSL_CTX_set_info_callback(tls, on_tls_state);
    SSL_CTX_set_mode(tls, SSL_MODE_RELEASE_BUFFERS);
}
