/* A server that answers every connection with the same bytes, then closes (or says nothing at all):
 * what a well-behaved server would never send. Threads: one thread of its own. */
#ifndef OTEL_TA_TESTS_FAKE_RAWSERVER_H
#define OTEL_TA_TESTS_FAKE_RAWSERVER_H

#include "allocator/base/thread.h"
#include "tests/fake/rawclient.h"

#include <stdatomic.h>

struct rawserver {
    int fd;
    unsigned port;
    struct span answer; /* p NULL: take the connection, never answer */
    pthread_t thread;
    atomic_uint n_connections;
    char request[4096]; /* the last one; read it after rawserver_stop() */
};

static inline void *rawserver_main(void *arg)
{
    struct rawserver *s = arg;
    struct rawclient c = { 0 };

    for (;;) {
        c.fd = accept(s->fd, NULL, NULL);
        if (c.fd < 0) {
            return NULL;
        }
        atomic_fetch_add(&s->n_connections, 1);
        while (c.len == 0 || memmem(c.in, c.len, "\r\n\r\n", 4) == NULL) {
            if (!raw_more(&c)) {
                break;
            }
        }
        if (c.len > 0) {
            snprintf(s->request, sizeof(s->request), "%s", c.in);
        }
        if (s->answer.p != NULL) {
            raw_send(&c, s->answer.p, s->answer.len);
        } else {
            while (raw_more(&c)) {
            }
        }
        c.len = 0;
        raw_close(&c);
        c.cap = 0;
    }
}

static inline void rawserver_start(struct rawserver *s, struct span answer)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof(at);
    struct err err;

    memset(s, 0, sizeof(*s));
    s->answer = answer;
    s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(s->fd, (struct sockaddr *)(void *)&at, sizeof(at)) != 0 || listen(s->fd, 16) != 0 ||
        getsockname(s->fd, (struct sockaddr *)(void *)&at, &len) != 0 ||
        thread_start(&s->thread, "rawserver", rawserver_main, s, &err) != 0) {
        abort();
    }
    s->port = ntohs(at.sin_port);
}

static inline void rawserver_stop(struct rawserver *s)
{
    shutdown(s->fd, SHUT_RDWR);
    thread_join(s->thread);
    mem_close_fd(&s->fd);
}

#endif
