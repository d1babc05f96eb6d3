/* A collector as plain bytes on a socket: tests write what they like and read one answer at a time,
 * so that cut, slow, pipelined and malformed requests can be made. Every wait ends after ten
 * seconds. Threads: a connection belongs to one thread. */
#ifndef OTEL_TA_TESTS_FAKE_RAWCLIENT_H
#define OTEL_TA_TESTS_FAKE_RAWCLIENT_H

#include "allocator/base/mem.h"
#include "allocator/base/span.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

struct rawclient {
    int fd;
    char *in; /* read, not yet consumed */
    size_t len, cap;
};

struct rawanswer { /* spans live until the next read on the connection */
    int status;    /* 0: the peer closed, or sent no HTTP */
    struct span head, body;
};

static inline void raw_connect(struct rawclient *c, unsigned port)
{
    const struct sockaddr_in to = { .sin_family = AF_INET,
                                    .sin_port = htons((uint16_t)port),
                                    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    const struct timeval patience = { .tv_sec = 10 };

    *c = (struct rawclient){ .fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) };
    setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setsockopt(c->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    if (connect(c->fd, (const struct sockaddr *)(const void *)&to, sizeof(to)) != 0) {
        mem_close_fd(&c->fd);
    }
}

static inline void raw_close(struct rawclient *c)
{
    mem_close_fd(&c->fd);
    mem_free(c->in);
    c->in = NULL;
}

/* False when the peer does not take it. */
static inline bool raw_send(struct rawclient *c, const char *p, size_t len)
{
    while (len > 0) {
        ssize_t n = send(c->fd, p, len, MSG_NOSIGNAL);
        if (n <= 0) {
            return false;
        }
        p += n;
        len -= (size_t)n;
    }
    return true;
}

static inline bool raw_say(struct rawclient *c, const char *text)
{
    return raw_send(c, text, strlen(text));
}

/* False at the end of the stream, on error and when nothing came in time. */
static inline bool raw_more(struct rawclient *c)
{
    if (c->in == NULL || c->cap - c->len < 65536) {
        c->cap = c->cap * 2 + 65536;
        c->in = mem_realloc(c->in, c->cap + 1);
    }
    ssize_t n = recv(c->fd, c->in + c->len, c->cap - c->len, 0);
    if (n <= 0) {
        return false;
    }
    c->len += (size_t)n;
    c->in[c->len] = '\0';
    return true;
}

/* The value of a header line in 'head'; empty when absent. */
static inline struct span raw_header(struct span head, const char *name)
{
    size_t n = strlen(name);

    for (size_t i = 0; i + n + 2 < head.len; i++) {
        if (head.p[i] == '\n' && strncasecmp(head.p + i + 1, name, n) == 0 &&
            head.p[i + 1 + n] == ':') {
            const char *value = head.p + i + n + 3;
            const char *end = memchr(value, '\r', (size_t)(head.p + head.len - value));
            return (struct span){ value, end == NULL ? 0 : (size_t)(end - value) };
        }
    }
    return (struct span){ 0 };
}

/* Reads one answer; its bytes leave the connection with the next call. 'has_body': false after
 * HEAD. */
static inline struct rawanswer raw_read(struct rawclient *c, size_t *consumed, bool has_body)
{
    struct rawanswer a = { 0 };
    char *end = NULL;

    c->len -= *consumed;
    if (*consumed > 0) {
        memmove(c->in, c->in + *consumed, c->len + 1);
    }
    *consumed = 0;
    while (c->in == NULL || (end = memmem(c->in, c->len, "\r\n\r\n", 4)) == NULL) {
        if (!raw_more(c)) {
            return a;
        }
    }
    size_t head = (size_t)(end - c->in) + 4;
    struct span length = raw_header((struct span){ c->in, head }, "Content-Length");
    size_t want = length.len == 0 || !has_body ? 0 : strtoul(length.p, NULL, 10);
    while (c->len < head + want) {
        if (!raw_more(c)) {
            return a;
        }
    }
    a.head = (struct span){ c->in, head };
    a.body = (struct span){ c->in + head, want };
    a.status = strncmp(c->in, "HTTP/1.1 ", 9) == 0 ? (int)strtol(c->in + 9, NULL, 10) : 0;
    *consumed = head + want;
    return a;
}

/* The peer closes without another byte; false when it keeps silent instead. */
static inline bool raw_is_closed(struct rawclient *c, size_t *consumed)
{
    c->len -= *consumed;
    *consumed = 0;
    errno = 0;
    return c->len == 0 && !raw_more(c) && errno != EAGAIN;
}

#endif
