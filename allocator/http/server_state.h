/* The parts of a server. A listener has one socket on each serving thread (SO_REUSEPORT); its side
 * on one thread is a door. Private to this folder.
 * Threads: a listener is of all threads, which only read it, its counters apart; a worker, its
 * doors and its connections belong to one serving thread. */
#ifndef OTEL_TA_HTTP_SERVER_STATE_H
#define OTEL_TA_HTTP_SERVER_STATE_H

#include <stdatomic.h>

/* Debian ships h2o for its own event loop; the headers must agree with the library about that. */
#define H2O_USE_LIBUV 0
#include <h2o.h>

#include "allocator/base/arena.h"
#include "allocator/base/thread.h"
#include "allocator/http/exchange_state.h"
#include "allocator/http/listen.h"
#include "allocator/http/peer.h"
#include "allocator/http/server.h"

enum { ADDRESS_BUCKETS = 1024 };

struct listener {
    struct http_listener options;
    char *name, *address;  /* of the options: our copies */
    h2o_globalconf_t conf; /* of all threads, which only read it */
    unsigned port;
    char bound[LISTEN_NAME_MAX];
    int *fds; /* one per thread; -1 once a thread owns it */
    unsigned max_connections;
    /* Of all threads: connection_admit() counts up, the close down. */
    atomic_uint n_connections;
    atomic_uint n_from[ADDRESS_BUCKETS]; /* those of one peer, and of some others */
};

/* A ring of connections; the head stands for none of them. */
struct ring {
    struct ring *prev, *next;
};

static inline void ring_init(struct ring *head)
{
    head->prev = head->next = head;
}

static inline void ring_add_last(struct ring *head, struct ring *r)
{
    r->next = head;
    r->prev = head->prev;
    r->prev->next = r;
    head->prev = r;
}

/* Leaves 'r' in no ring: next is NULL. */
static inline void ring_remove(struct ring *r)
{
    r->prev->next = r->next;
    r->next->prev = r->prev;
    r->prev = r->next = NULL;
}

struct door {
    struct worker *worker;
    struct listener *listener;
    h2o_context_t ctx;
    h2o_accept_ctx_t accept;
    h2o_socket_t *listening;
    struct ring strangers; /* whose TLS handshake is not done, the oldest first */
    unsigned n_strangers;
    unsigned max_strangers;
    int64_t paused_until_ms; /* nobody is accepted before; 0: open */
    size_t held_bytes;       /* by its connections, at the last survey */
    struct connection *largest;
};

struct connection {
    struct door *door;
    h2o_socket_t *sock;
    struct ring all;      /* of the worker */
    struct ring stranger; /* of the door; not in a ring: next is NULL */
    struct peer peer;
    unsigned bucket;        /* in the listener's n_from */
    int64_t handshake_ends; /* on the monotonic clock */
    int alert;              /* the last that the peer sent during the handshake, or -1 */
    struct answer answer;   /* that it is being given, or was */
    bool is_verified;       /* a client certificate was presented and verified */
    bool is_cut;            /* its socket is shut down; h2o will notice */
};

struct worker {
    struct http_server *server;
    unsigned index;
    unsigned n_doors;
    unsigned n_threads;
    unsigned stalled_reader_ms;
    int64_t handshake_ms;
    pthread_t thread;
    h2o_evloop_t *loop;
    h2o_multithread_queue_t *queue;
    h2o_multithread_receiver_t receiver;
    struct door *doors;
    struct ring connections;
    struct gather_pool buffers;
    struct arena scratch; /* of the handler that runs */
    int64_t survey_at_ms; /* when the connections are looked at again */
    int spare_fd;         /* given up to take and close a connection when descriptors run out */
    bool is_stopping;
    int64_t grace_ms;
};

#endif
