/* An API server that follows a script: each request takes the first step that is meant for it, and
 * gets the very bytes of that step, in the way the step says. What the real one sends (headers,
 * chunks, order of keys) is in the macros below, as kube-apiserver 1.33 was seen to send it. A
 * request for which there is no step is held open without an answer.
 * Threads: one that accepts, one a connection; the test reads what they wrote after stopping. */
#ifndef OTEL_TA_TESTS_FAKE_APISERVER_H
#define OTEL_TA_TESTS_FAKE_APISERVER_H

#include "allocator/base/buf.h"
#include "allocator/base/limits.h"
#include "allocator/base/thread.h"
#include "allocator/base/vec.h"

#include <netinet/in.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define API_HEADERS                                                                                \
    "Audit-Id: 7f1c0a57-6c4c-4a53-a0fb-d8e5d0c4cb53\r\n"                                           \
    "Cache-Control: no-cache, private\r\n"                                                         \
    "X-Kubernetes-Pf-Flowschema-Uid: 5b3f0a9e-5c1f-4d68-a0ae-0d9b3b6d3c0a\r\n"                     \
    "X-Kubernetes-Pf-Prioritylevel-Uid: 0c8a2d55-7c11-4f4e-8a36-2f5e7a1f7b61\r\n"
#define API_CHUNKED                                                                                \
    "HTTP/1.1 200 OK\r\n" API_HEADERS                                                              \
    "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
#define API_END "0\r\n\r\n"

#define API_ITEM(n, v)                                                                             \
    "{\"metadata\":{\"name\":\"" n "\",\"namespace\":\"d\",\"uid\":\"u-" n                         \
    "\",\"resourceVersion\":\"" v "\"}}"
#define API_LIST(v, items)                                                                         \
    "{\"kind\":\"PodList\",\"apiVersion\":\"v1\",\"metadata\":{\"resourceVersion\":\"" v           \
    "\"},\"items\":[" items "]}\n"
#define API_EVENT(type, n, v)                                                                      \
    "{\"type\":\"" type "\",\"object\":{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{"     \
    "\"name\":\"" n "\",\"namespace\":\"d\",\"uid\":\"u-" n "\",\"resourceVersion\":\"" v          \
    "\"}}}\n"
#define API_STATUS(code, reason, message)                                                          \
    "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":\"Failure\","           \
    "\"message\":\"" message "\",\"reason\":\"" reason "\",\"code\":" #code "}\n"

enum apiserver_end {
    API_KEEP,  /* the connection takes the next request */
    API_CLOSE, /* FIN, with TLS close_notify */
    API_RESET, /* RST */
    API_HOLD,  /* silence, until the peer or the test goes */
};

struct apistep {
    const char *expects; /* part of the request's head, e.g. "watch=1"; NULL: any */
    struct span bytes;   /* owned */
    enum apiserver_end end;
    unsigned piece; /* bytes at a time, 1 ms apart; 0: all at once */
    bool is_taken;
};

struct apiserver {
    int fd;
    unsigned port;
    SSL_CTX *tls; /* NULL: none */
    pthread_t thread;
    struct mutex mu;
    VEC(struct apistep) steps;
    VEC(char *) requests; /* heads, as they came */
    VEC(pthread_t) threads;
    VEC(int) fds;
    atomic_bool is_stopping;
    atomic_uint n_connections;
};

struct apiconnection {
    struct apiserver *server;
    int fd;
    SSL *ssl;
};

/* ---- steps */

static inline struct apistep *apiserver_step(struct apiserver *s, const char *expects,
                                             struct span bytes, enum apiserver_end end)
{
    mutex_lock(&s->mu);
    struct apistep *step = vec_push(&s->steps);
    *step = (struct apistep){ .expects = expects, .bytes = mem_dup_span(bytes), .end = end };
    mutex_unlock(&s->mu);
    return step;
}

/* An answer as most are: a status and a body with its length. 'headers' end with "\r\n", or "". */
static inline void apiserver_answer(struct apiserver *s, const char *expects, const char *status,
                                    const char *headers, const char *body)
{
    AUTO_STR text = mem_printf("HTTP/1.1 %s\r\n" API_HEADERS
                               "Content-Type: application/json\r\n%sContent-Length: %zu\r\n\r\n%s",
                               status, headers, strlen(body), body);
    (void)apiserver_step(s, expects, span_of(text), API_KEEP);
}

/* A chunked 200 with these bytes, that ends (API_END) unless the connection does something else. */
static inline void apiserver_chunks(struct apiserver *s, const char *expects, const char *body,
                                    enum apiserver_end end)
{
    AUTO_STR chunk =
        strlen(body) == 0 ? mem_strdup("") : mem_printf("%zx\r\n%s\r\n", strlen(body), body);
    AUTO_STR text = mem_printf("%s%s%s", API_CHUNKED, chunk, end == API_KEEP ? API_END : "");
    (void)apiserver_step(s, expects, span_of(text), end);
}

/* ---- connections */

static inline ssize_t apiserver_read(struct apiconnection *c, void *p, size_t n)
{
    return c->ssl != NULL ? SSL_read(c->ssl, p, (int)n) : recv(c->fd, p, n, 0);
}

static inline bool apiserver_write(struct apiconnection *c, struct span s)
{
    while (s.len > 0) {
        ssize_t n = c->ssl != NULL ? SSL_write(c->ssl, s.p, (int)s.len)
                                   : send(c->fd, s.p, s.len, MSG_NOSIGNAL);
        if (n <= 0) {
            return false;
        }
        s = span_from(s, (size_t)n);
    }
    return true;
}

/* Requests have no body here. */
static inline bool apiserver_read_head(struct apiconnection *c, struct buf *out)
{
    char byte;

    buf_clear(out);
    while (apiserver_read(c, &byte, 1) == 1) {
        buf_add_char(out, byte);
        if (out->len >= 4 && memcmp(out->p + out->len - 4, "\r\n\r\n", 4) == 0) {
            return true;
        }
    }
    return false;
}

static inline bool apiserver_take_step(struct apiserver *s, const char *head, struct apistep *out)
{
    bool is_found = false;

    mutex_lock(&s->mu);
    *vec_push(&s->requests) = mem_strdup(head);
    vec_each(&s->steps, step) {
        if (!step->is_taken && (step->expects == NULL || strstr(head, step->expects) != NULL)) {
            step->is_taken = is_found = true;
            *out = *step;
            break;
        }
    }
    mutex_unlock(&s->mu);
    return is_found;
}

static inline void apiserver_wait_for_end(struct apiconnection *c)
{
    char byte;

    while (!atomic_load(&c->server->is_stopping) && apiserver_read(c, &byte, 1) > 0) {
    }
}

/* False: the connection ends. */
static inline bool apiserver_play(struct apiconnection *c, const struct apistep *step)
{
    for (struct span rest = step->bytes; rest.len > 0;) {
        size_t n = step->piece == 0 || step->piece > rest.len ? rest.len : step->piece;
        if (!apiserver_write(c, span_make(rest.p, n))) {
            return false;
        }
        rest = span_from(rest, n);
        if (step->piece > 0) {
            poll(NULL, 0, 1);
        }
    }
    if (step->end == API_RESET) {
        const struct linger now = { .l_onoff = 1, .l_linger = 0 };
        poll(NULL, 0, 50); /* what was not read yet would be lost with it */
        setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    } else if (step->end == API_CLOSE && c->ssl != NULL) {
        SSL_shutdown(c->ssl);
    } else if (step->end == API_HOLD) {
        apiserver_wait_for_end(c);
    }
    return step->end == API_KEEP;
}

static inline void *apiserver_serve(void *arg)
{
    struct apiconnection *c = arg;
    struct apistep step;
    AUTO_BUF head;

    buf_init(&head, MIB);
    bool is_open = c->ssl == NULL || SSL_accept(c->ssl) == 1;
    while (is_open && apiserver_read_head(c, &head)) {
        if (apiserver_take_step(c->server, head.p, &step)) {
            is_open = apiserver_play(c, &step);
        } else {
            apiserver_wait_for_end(c);
            is_open = false;
        }
    }
    SSL_free(c->ssl);
    mutex_lock(&c->server->mu);
    vec_each(&c->server->fds, fd) {
        *fd = *fd == c->fd ? -1 : *fd;
    }
    close(c->fd);
    mutex_unlock(&c->server->mu);
    mem_free(c);
    return NULL;
}

static inline void *apiserver_main(void *arg)
{
    struct apiserver *s = arg;
    struct err err;

    for (;;) {
        int fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0) {
            return NULL;
        }
        struct apiconnection *c = mem_zalloc(sizeof(*c));
        *c = (struct apiconnection){ .server = s, .fd = fd };
        atomic_fetch_add(&s->n_connections, 1);
        mutex_lock(&s->mu);
        if (s->tls != NULL) {
            c->ssl = SSL_new(s->tls);
            SSL_set_fd(c->ssl, fd);
        }
        *vec_push(&s->fds) = fd;
        if (thread_start(vec_push(&s->threads), "apiserver", apiserver_serve, c, &err) != 0) {
            abort();
        }
        mutex_unlock(&s->mu);
    }
}

/* ---- life */

/* 'port' 0: any. Again after apiserver_close(), with the same steps, is a restart. */
static inline void apiserver_open(struct apiserver *s, unsigned port)
{
    struct sockaddr_in at = { .sin_family = AF_INET,
                              .sin_port = htons((uint16_t)port),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof(at);
    const int yes = 1;
    struct err err;

    atomic_store(&s->is_stopping, false);
    s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(s->fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    if (bind(s->fd, (struct sockaddr *)(void *)&at, sizeof(at)) != 0 || listen(s->fd, 64) != 0 ||
        getsockname(s->fd, (struct sockaddr *)(void *)&at, &len) != 0 ||
        thread_start(&s->thread, "apiserver", apiserver_main, s, &err) != 0) {
        abort();
    }
    s->port = ntohs(at.sin_port);
}

/* Nobody is answered any more, and connections end; steps and requests stay. */
static inline void apiserver_close(struct apiserver *s)
{
    atomic_store(&s->is_stopping, true);
    shutdown(s->fd, SHUT_RDWR);
    thread_join(s->thread);
    close(s->fd);
    mutex_lock(&s->mu);
    vec_each(&s->fds, fd) {
        if (*fd >= 0) {
            shutdown(*fd, SHUT_RDWR);
        }
    }
    mutex_unlock(&s->mu);
    vec_each(&s->threads, t) {
        thread_join(*t);
    }
    vec_clear(&s->threads);
    vec_clear(&s->fds);
}

static inline void apiserver_start(struct apiserver *s, SSL_CTX *tls)
{
    memset(s, 0, sizeof(*s));
    mutex_init(&s->mu);
    s->tls = tls;
    apiserver_open(s, 0);
}

static inline void apiserver_stop(struct apiserver *s)
{
    apiserver_close(s);
    vec_each(&s->steps, step) {
        mem_free_span(&step->bytes);
    }
    vec_each(&s->requests, r) {
        mem_free(*r);
    }
    vec_fini(&s->steps);
    vec_fini(&s->requests);
    vec_fini(&s->threads);
    vec_fini(&s->fds);
    mutex_fini(&s->mu);
}

/* How many requests came whose head has this part. */
static inline unsigned apiserver_count(struct apiserver *s, const char *part)
{
    unsigned n = 0;

    mutex_lock(&s->mu);
    vec_each(&s->requests, r) {
        n += strstr(*r, part) != NULL;
    }
    mutex_unlock(&s->mu);
    return n;
}

#endif
