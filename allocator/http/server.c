#include "allocator/http/server.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <semaphore.h>
#include <stdatomic.h>

/* Debian ships h2o for its own event loop; the headers must agree with the library about that. */
#define H2O_USE_LIBUV 0
#include <h2o.h>

#include "allocator/base/clock.h"
#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "allocator/base/metric.h"
#include "allocator/http/exchange_state.h"
#include "allocator/http/head.h"
#include "allocator/http/listen.h"
#define LOG_MODULE "http"
#include "allocator/base/log.h"

enum {
    STALLED_READER_MS = 10000,
    HANDSHAKE_TIMEOUT_MS = 10000,
    ACCEPTS_PER_WAKEUP = 16,
    SWEEP_MS = 20,          /* how often a stopping thread looks for connections that became idle */
    UNBLOCK_MS = 5000,      /* what cut connections get to notice it */
    MEASURE_MS = 5,         /* at least, between two looks at the bytes being received … */
    CONNECTIONS_A_MS = 200, /* … and more the more there is to look at: about a hundredth */
};

/* ---- the parts of a server
 * A listener has one socket on each serving thread (SO_REUSEPORT); its side on one thread is a
 * door. */

struct listener {
    struct http_listener options;
    char *name, *address;  /* of the options: our copies */
    h2o_globalconf_t conf; /* of all threads, which only read it */
    unsigned port;
    char bound[LISTEN_NAME_MAX];
    int *fds; /* one per thread; -1 once a thread owns it */
    unsigned max_connections;
    atomic_uint n_connections; /* of all threads: admit() counts up, on_connection_close() down */
};

struct door {
    struct worker *worker;
    struct listener *listener;
    h2o_context_t ctx;
    h2o_accept_ctx_t accept;
    h2o_socket_t *listening;
    size_t waiting_bytes; /* at the last measure() */
    struct connection *largest;
};

struct connection {
    struct door *door;
    h2o_socket_t *sock;
    struct connection *prev, *next;
    bool is_verified; /* a client certificate was presented and verified */
    bool is_cut;      /* its socket is shut down; h2o will notice */
};

struct worker {
    struct http_server *server;
    unsigned index;
    pthread_t thread;
    h2o_evloop_t *loop;
    h2o_multithread_queue_t *queue;
    h2o_multithread_receiver_t receiver;
    struct door *doors;            /* n_listeners */
    struct connection connections; /* head of a ring */
    struct gather_pool buffers;
    struct arena scratch;  /* of the handler that runs */
    int64_t measure_at_ms; /* when the bytes being received are added up again */
    int spare_fd;          /* given up to take and close a connection when descriptors run out */
    bool is_stopping;
    int64_t grace_ms;
};

struct http_server {
    struct listener *listeners;
    size_t n_listeners;
    struct worker *workers;
    unsigned n_threads;
    unsigned n_started;
    unsigned stalled_reader_ms;
    sem_t ready; /* posted by each thread when it can take messages */
};

struct message {
    h2o_multithread_message_t super;
    void (*fn)(unsigned thread, void *arg);
    void *arg;
};

/* ---- requests */

static int on_request(h2o_handler_t *self, h2o_req_t *req)
{
    const struct connection *c = req->conn->callbacks->get_socket(req->conn)->on_close.data;
    const struct door *door = c->door;
    struct worker *w = door->worker;
    struct exchange x = {
        .req = req,
        .scratch = &w->scratch,
        .buffers = &w->buffers,
        .thread = w->index,
        .is_tls = door->listener->options.tls != NULL,
        .is_verified = c->is_verified,
        .is_head = h2o_memis(req->method.base, req->method.len, H2O_STRLIT("HEAD")),
    };

    (void)self;
    role_enter(serve);
    /* Until a request is answered its bytes stay where they were received. */
    const h2o_buffer_t *in = c->sock->input;
    struct head_fault fault = head_check((struct span){ in->bytes, in->size });
    if (fault.status != 0) {
        req->http1_is_persistent = 0;
        exchange_fail(&x, fault.status, "%s", fault.why);
        return 0;
    }
    const h2o_iovec_t *path = &req->input.path, *host = &req->input.authority;
    x.target = requesttarget_split((struct span){ path->base, path->len },
                                   (struct span){ host->base, host->len });
    door->listener->options.handler(&x, door->listener->options.arg);
    assert(x.is_answered);
    arena_recycle(&w->scratch, LIMIT_SCRATCH_KEPT);
    return 0;
}

/* ---- connections */

static void on_connection_close(void *arg)
{
    struct connection *c = arg;

    c->prev->next = c->next;
    c->next->prev = c->prev;
    atomic_fetch_sub_explicit(&c->door->listener->n_connections, 1, memory_order_relaxed);
    mem_free(c);
}

/* The handshake is over: what the peer showed is noted at the connection. h2o's BIO carries its
 * socket. */
static void on_tls_state(const SSL *ssl, int where, int ret)
{
    (void)ret;
    if ((where & SSL_CB_HANDSHAKE_DONE) == 0) {
        return;
    }
    h2o_socket_t *sock = BIO_get_data(SSL_get_rbio(ssl));
    struct connection *c = sock->on_close.data;

    c->is_verified =
        SSL_get0_peer_certificate(ssl) != NULL && SSL_get_verify_result(ssl) == X509_V_OK;
}

static void admit(struct door *door, h2o_socket_t *sock)
{
    struct listener *b = door->listener;
    struct worker *w = door->worker;

    if (atomic_fetch_add_explicit(&b->n_connections, 1, memory_order_relaxed) >=
        b->max_connections) {
        atomic_fetch_sub_explicit(&b->n_connections, 1, memory_order_relaxed);
        metric_add(METRIC_CONNECTIONS_REFUSED, 1);
        log_warn("connection refused: listener is full", LOG_STR("listener", b->options.name),
                 LOG_INT("limit", b->max_connections));
        h2o_socket_close(sock);
        return;
    }
    struct connection *c = mem_zalloc(sizeof(*c));

    c->door = door;
    c->sock = sock;
    c->next = &w->connections;
    c->prev = w->connections.prev;
    c->prev->next = c;
    w->connections.prev = c;
    sock->on_close.cb = on_connection_close;
    sock->on_close.data = c;
    /* h2o has no write time-out: without this a peer that stops reading holds its answer for ever.
     */
    setsockopt(h2o_socket_get_fd(sock), IPPROTO_TCP, TCP_USER_TIMEOUT,
               &w->server->stalled_reader_ms, sizeof(w->server->stalled_reader_ms));
    h2o_accept(&door->accept, sock);
}

/* No descriptor is left: a connection that cannot be accepted would wake the loop without end. */
static void refuse_one(struct door *door)
{
    struct worker *w = door->worker;

    if (w->spare_fd < 0) {
        return;
    }
    close(w->spare_fd);
    int fd = accept4(h2o_socket_get_fd(door->listening), NULL, NULL, SOCK_CLOEXEC);
    if (fd >= 0) {
        metric_add(METRIC_CONNECTIONS_REFUSED, 1);
        close(fd);
    }
    w->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    log_warn("connection refused: out of file descriptors",
             LOG_STR("listener", door->listener->options.name));
}

static void on_connect(h2o_socket_t *listening, const char *err)
{
    struct door *door = listening->data;

    if (err != NULL) {
        return;
    }
    for (int i = 0; i < ACCEPTS_PER_WAKEUP; i++) {
        h2o_socket_t *sock = h2o_evloop_socket_accept(listening);

        if (sock == NULL) {
            if (errno == EMFILE || errno == ENFILE) {
                refuse_one(door);
            }
            return;
        }
        admit(door, sock);
    }
}

/* ---- a serving thread */

static void door_open(struct door *door)
{
    struct listener *b = door->listener;
    struct worker *w = door->worker;

    h2o_context_init(&door->ctx, w->loop, &b->conf);
    door->accept =
        (h2o_accept_ctx_t){ .ctx = &door->ctx, .hosts = b->conf.hosts, .ssl_ctx = b->options.tls };
    door->listening =
        h2o_evloop_socket_create(w->loop, b->fds[w->index], H2O_SOCKET_FLAG_DONT_READ);
    b->fds[w->index] = -1;
    door->listening->data = door;
    h2o_socket_read_start(door->listening, on_connect);
}

static void on_messages(h2o_multithread_receiver_t *receiver, h2o_linklist_t *messages)
{
    struct worker *w = H2O_STRUCT_FROM_MEMBER(struct worker, receiver, receiver);

    while (!h2o_linklist_is_empty(messages)) {
        struct message *m = H2O_STRUCT_FROM_MEMBER(struct message, super.link, messages->next);

        h2o_linklist_unlink(&m->super.link);
        m->fn(w->index, m->arg);
        mem_free(m);
    }
}

/* Adds up, for each door, what its connections have sent of requests that are not answered, and
 * finds the largest. Returns how many connections there are. */
static unsigned measure(struct worker *w)
{
    unsigned n = 0;

    for (size_t i = 0; i < w->server->n_listeners; i++) {
        w->doors[i].waiting_bytes = 0;
        w->doors[i].largest = NULL;
    }
    for (struct connection *c = w->connections.next; c != &w->connections; c = c->next, n++) {
        size_t size = c->is_cut ? 0 : c->sock->input->size;
        struct door *door = c->door;

        door->waiting_bytes += size;
        if (size > 0 && (door->largest == NULL || size > door->largest->sock->input->size)) {
            door->largest = c;
        }
    }
    return n;
}

static bool is_over(const struct door *door)
{
    const struct http_listener *o = &door->listener->options;
    size_t share = o->max_waiting_bytes / door->worker->server->n_threads;
    size_t one = o->max_body_bytes + LIMIT_HEAD_BYTES;

    return o->max_waiting_bytes > 0 && door->largest != NULL &&
           door->waiting_bytes > (share < one ? one : share);
}

/* h2o gathers a whole body before a handler sees it: many slow senders would fill the memory.
 * Returns for how long the next turn may wait: bytes that came too soon after the last look are
 * looked at later. */
static int32_t cut_excess(struct worker *w)
{
    int64_t now_ms = clock_mono_ms();

    if (now_ms < w->measure_at_ms) {
        return (int32_t)(w->measure_at_ms - now_ms);
    }
    unsigned n = measure(w);
    for (size_t i = 0; i < w->server->n_listeners; i++) {
        for (struct door *door = &w->doors[i]; is_over(door); (void)measure(w)) {
            door->largest->is_cut = true;
            metric_add(METRIC_CONNECTIONS_REFUSED, 1);
            log_warn("connection cut: too many bytes of requests are being received",
                     LOG_STR("listener", door->listener->options.name),
                     LOG_INT("bytes", door->waiting_bytes));
            shutdown(h2o_socket_get_fd(door->largest->sock), SHUT_RDWR);
        }
    }
    w->measure_at_ms = now_ms + MEASURE_MS + n / CONNECTIONS_A_MS;
    return INT32_MAX;
}

static void turn(struct worker *w, int32_t max_wait_ms)
{
    if (h2o_evloop_run(w->loop, max_wait_ms) != 0 && errno != EINTR) {
        log_error("event loop failed", LOG_STR("error", strerrordesc_np(errno)));
    }
}

/* No request is being read or answered, and none is waiting in the kernel. */
static bool connection_is_idle(struct connection *c)
{
    char byte;

    return !h2o_socket_is_writing(c->sock) && c->sock->input->size == 0 &&
           recv(h2o_socket_get_fd(c->sock), &byte, 1, MSG_PEEK | MSG_DONTWAIT) <= 0;
}

/* Shutting a socket down makes h2o notice, clean up and call on_connection_close() from the loop.
 */
static void cut_connections(struct worker *w, bool only_idle)
{
    for (struct connection *c = w->connections.next; c != &w->connections; c = c->next) {
        if (!only_idle || connection_is_idle(c)) {
            shutdown(h2o_socket_get_fd(c->sock), SHUT_RDWR);
        }
    }
}

/* Until no connection is left: idle ones go at once, busy ones get the grace period to be answered.
 */
static bool finish_connections(struct worker *w)
{
    int64_t cut_at = clock_mono_ms() + w->grace_ms;

    while (w->connections.next != &w->connections) {
        int64_t now = clock_mono_ms();

        if (now > cut_at + UNBLOCK_MS) {
            return false;
        }
        cut_connections(w, now < cut_at);
        turn(w, SWEEP_MS);
    }
    return true;
}

static void worker_fini(struct worker *w)
{
    for (size_t i = 0; i < w->server->n_listeners; i++) {
        h2o_context_dispose(&w->doors[i].ctx);
    }
    h2o_multithread_unregister_receiver(w->queue, &w->receiver);
    h2o_multithread_destroy_queue(w->queue);
    h2o_evloop_destroy(w->loop);
    gather_fini(&w->buffers);
    arena_fini(&w->scratch);
}

static void *worker_main(void *arg)
{
    struct worker *w = arg;
    struct http_server *s = w->server;

    role_enter(serve);
    thread_interactive();
    w->loop = h2o_evloop_create();
    w->queue = h2o_multithread_create_queue(w->loop);
    h2o_multithread_register_receiver(w->queue, &w->receiver, on_messages);
    for (size_t i = 0; i < s->n_listeners; i++) {
        door_open(&w->doors[i]);
    }
    sem_post(&s->ready);

    int32_t wait_ms = INT32_MAX;
    while (!w->is_stopping) {
        turn(w, wait_ms);
        wait_ms = cut_excess(w);
    }
    if (finish_connections(w)) {
        worker_fini(w);
    } else {
        /* h2o aborts when a context goes before its connections; the process is about to end
         * anyway. */
        log_error("connections did not close", LOG_INT("thread", w->index));
    }
    return NULL;
}

static void begin_drain(unsigned thread, void *arg)
{
    struct worker *w = arg;

    (void)thread;
    for (size_t i = 0; i < w->server->n_listeners; i++) {
        h2o_context_request_shutdown(&w->doors[i].ctx);
    }
}

static void begin_stop(unsigned thread, void *arg)
{
    struct worker *w = arg;

    begin_drain(thread, w);
    for (size_t i = 0; i < w->server->n_listeners; i++) {
        /* What the kernel has accepted already is served, not reset. */
        on_connect(w->doors[i].listening, NULL);
        h2o_socket_read_stop(w->doors[i].listening);
        h2o_socket_close(w->doors[i].listening);
    }
    w->is_stopping = true;
}

/* ---- the server */

static void prepare_tls(SSL_CTX *tls)
{
    static const h2o_iovec_t protocols[] = { { (char *)(uintptr_t) "http/1.1", 8 }, { NULL, 0 } };

    if (tls == NULL) {
        return;
    }
    h2o_ssl_register_alpn_protocols(tls, protocols);
    SSL_CTX_set_info_callback(tls, on_tls_state);
    SSL_CTX_set_mode(tls, SSL_MODE_RELEASE_BUFFERS);
}

/* Once per listener, not once per thread: h2o fills it with a table of media types, which takes as
 * long as all the rest of a thread's start. */
static void listener_configure(struct listener *b)
{
    h2o_globalconf_t *conf = &b->conf;

    h2o_config_init(conf);
    conf->server_name = (h2o_iovec_t){ NULL, 0 };
    conf->max_request_entity_size = b->options.max_body_bytes;
    conf->handshake_timeout = HANDSHAKE_TIMEOUT_MS;
    conf->http1.req_timeout = (uint64_t)b->options.request_timeout_ms;
    conf->http1.upgrade_to_http2 = 0;
    /* It would leave a timer behind that a context must not be disposed with. */
    conf->http2.callbacks.request_shutdown = NULL;
    h2o_hostconf_t *host =
        h2o_config_register_host(conf, h2o_iovec_init(H2O_STRLIT("default")), 65535);
    h2o_pathconf_t *path = h2o_config_register_path(host, "/", 0);
    h2o_create_handler(path, sizeof(h2o_handler_t))->on_req = on_request;
}

static void listener_init(struct listener *b, const struct http_listener *options,
                          unsigned max_connections, unsigned n_threads)
{
    b->options = *options;
    b->options.name = b->name = mem_strdup(options->name);
    b->options.address = b->address = mem_strdup(options->address);
    b->max_connections = max_connections;
    b->fds = mem_array(n_threads, sizeof(*b->fds));
    for (unsigned t = 0; t < n_threads; t++) {
        b->fds[t] = -1;
    }
    atomic_init(&b->n_connections, 0);
    prepare_tls(options->tls);
    listener_configure(b);
}

static void worker_init(struct worker *w, struct http_server *s, unsigned index)
{
    w->server = s;
    w->index = index;
    w->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    w->connections.prev = w->connections.next = &w->connections;
    w->doors = mem_array(s->n_listeners, sizeof(*w->doors));
    for (size_t i = 0; i < s->n_listeners; i++) {
        w->doors[i].worker = w;
        w->doors[i].listener = &s->listeners[i];
    }
}

static struct http_server *server_new(const struct http_server_options *o)
{
    struct http_server *s = mem_zalloc(sizeof(*s));
    unsigned max_connections = o->max_connections != 0 ? o->max_connections : LIMIT_CONNECTIONS;

    assert(o->n_threads > 0);
    s->n_threads = o->n_threads;
    s->n_listeners = o->n_listeners;
    s->stalled_reader_ms =
        o->stalled_reader_ms != 0 ? (unsigned)o->stalled_reader_ms : STALLED_READER_MS;
    s->listeners = mem_array(o->n_listeners, sizeof(*s->listeners));
    s->workers = mem_array(s->n_threads, sizeof(*s->workers));
    sem_init(&s->ready, 0, 0);
    for (size_t i = 0; i < o->n_listeners; i++) {
        listener_init(&s->listeners[i], &o->listeners[i], max_connections, s->n_threads);
    }
    for (unsigned t = 0; t < s->n_threads; t++) {
        worker_init(&s->workers[t], s, t);
    }
    return s;
}

static int start_threads(struct http_server *s, struct err *err)
{
    for (; s->n_started < s->n_threads; s->n_started++) {
        struct worker *w = &s->workers[s->n_started];
        char name[16];

        snprintf(name, sizeof(name), "serve-%u", w->index);
        int rc = thread_start(&w->thread, name, worker_main, w, err);
        if (rc < 0) {
            return err_wrap(err, rc, "serving thread %u", w->index);
        }
        while (sem_wait(&s->ready) != 0) {
        }
    }
    return 0;
}

int http_server_start(const struct http_server_options *options, struct http_server **out,
                      struct err *err)
{
    struct http_server *s = server_new(options);
    int rc = 0;

    for (size_t i = 0; i < s->n_listeners && rc == 0; i++) {
        struct listener *b = &s->listeners[i];

        rc = listen_all(b->options.address, s->n_threads, b->fds, &b->port, err);
        if (rc < 0) {
            err_wrap(err, rc, "listener %s: cannot listen on %s", b->options.name,
                     b->options.address);
        } else {
            listen_name(b->fds[0], b->bound);
        }
    }
    if (rc == 0) {
        rc = start_threads(s, err);
    }
    if (rc < 0) {
        http_server_stop(&s, 0);
        return rc;
    }
    *out = s;
    return 0;
}

unsigned http_server_threads(const struct http_server *s)
{
    return s->n_threads;
}

unsigned http_server_port(const struct http_server *s, size_t listener)
{
    return s->listeners[listener].port;
}

const char *http_server_address(const struct http_server *s, size_t listener)
{
    return s->listeners[listener].bound;
}

static void post(struct worker *w, void (*fn)(unsigned thread, void *arg), void *arg)
{
    struct message *m = mem_zalloc(sizeof(*m));

    m->fn = fn;
    m->arg = arg;
    h2o_multithread_send_message(&w->receiver, &m->super);
}

void http_server_broadcast(struct http_server *s, void (*fn)(unsigned thread, void *arg), void *arg)
{
    for (unsigned t = 0; t < s->n_started; t++) {
        post(&s->workers[t], fn, arg);
    }
}

void http_server_drain(struct http_server *s)
{
    for (unsigned t = 0; t < s->n_started; t++) {
        post(&s->workers[t], begin_drain, &s->workers[t]);
    }
}

static void listener_fini(struct listener *b, unsigned n_threads)
{
    for (unsigned t = 0; t < n_threads; t++) {
        mem_close_fd(&b->fds[t]);
    }
    h2o_config_dispose(&b->conf);
    mem_free(b->fds);
    mem_free(b->name);
    mem_free(b->address);
}

void http_server_stop(struct http_server **server, int64_t grace_ms)
{
    struct http_server *s = *server;

    if (s == NULL) {
        return;
    }
    for (unsigned t = 0; t < s->n_started; t++) {
        s->workers[t].grace_ms = grace_ms;
        post(&s->workers[t], begin_stop, &s->workers[t]);
    }
    for (unsigned t = 0; t < s->n_started; t++) {
        thread_join(s->workers[t].thread);
    }
    for (unsigned t = 0; t < s->n_threads; t++) {
        mem_close_fd(&s->workers[t].spare_fd);
        mem_free(s->workers[t].doors);
    }
    for (size_t i = 0; i < s->n_listeners; i++) {
        listener_fini(&s->listeners[i], s->n_threads);
    }
    sem_destroy(&s->ready);
    mem_free(s->listeners);
    mem_free(s->workers);
    mem_free(s);
    *server = NULL;
}
