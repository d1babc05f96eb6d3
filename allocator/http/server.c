#include "allocator/http/server.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>

#include "allocator/base/clock.h"
#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "allocator/base/metric.h"
#include "allocator/http/connection.h"
#include "allocator/http/handshake.h"
#include "allocator/http/head.h"
#include "allocator/http/listen.h"
#define LOG_MODULE "http"
#include "allocator/base/log.h"

enum {
    STALLED_READER_MS = 10000,
    HANDSHAKE_TIMEOUT_MS = 10000,
    ACCEPTS_PER_WAKEUP = 16,
    SWEEP_MS = 20,     /* how often a stopping thread looks for connections that became idle */
    UNBLOCK_MS = 5000, /* what cut connections get to notice it */
    PAUSE_MS = 100,    /* without a descriptor nobody is accepted for so long */
};

struct http_server {
    struct listener *listeners;
    size_t n_listeners;
    struct worker *workers;
    unsigned n_threads;
    unsigned n_started;
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
    struct connection *c = connection_of(req);
    const struct door *door = c->door;
    struct worker *w = door->worker;
    struct exchange x = {
        .req = req,
        .scratch = &w->scratch,
        .buffers = &w->buffers,
        .answer = &c->answer,
        .patience_ms = w->stalled_reader_ms,
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

/* No descriptor is left: a connection that cannot be accepted would wake the loop without end.
 * Where even the spare one cannot be used, nobody is accepted for a while. */
static void refuse_one(struct door *door)
{
    struct worker *w = door->worker;

    mem_close_fd(&w->spare_fd);
    int fd = accept4(h2o_socket_get_fd(door->listening), NULL, NULL, SOCK_CLOEXEC);
    if (fd >= 0) {
        metric_add(METRIC_CONNECTIONS_REFUSED, 1);
        close(fd);
    } else {
        h2o_socket_read_stop(door->listening);
        door->paused_until_ms = clock_mono_ms() + PAUSE_MS;
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
        connection_admit(door, sock);
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

static void turn(struct worker *w, int32_t max_wait_ms)
{
    if (h2o_evloop_run(w->loop, max_wait_ms) != 0 && errno != EINTR) {
        log_error("event loop failed", LOG_STR("error", strerrordesc_np(errno)));
    }
}

/* Returns when the next pause of a door is over, or INT64_MAX. */
static int64_t resume_doors(struct worker *w, int64_t now_ms)
{
    int64_t due_ms = INT64_MAX;

    for (unsigned i = 0; i < w->n_doors; i++) {
        struct door *door = &w->doors[i];

        if (door->paused_until_ms != 0 && door->paused_until_ms <= now_ms) {
            door->paused_until_ms = 0;
            h2o_socket_read_start(door->listening, on_connect);
        }
        if (door->paused_until_ms != 0 && door->paused_until_ms < due_ms) {
            due_ms = door->paused_until_ms;
        }
    }
    return due_ms;
}

/* Returns for how long the next turn may wait. */
static int32_t after_turn(struct worker *w)
{
    int64_t now_ms = clock_mono_ms();
    int64_t survey_ms = connections_survey(w, now_ms), resume_ms = resume_doors(w, now_ms);
    int64_t due_ms = survey_ms < resume_ms ? survey_ms : resume_ms;

    return due_ms - now_ms > INT32_MAX ? INT32_MAX
           : due_ms < now_ms           ? 0
                                       : (int32_t)(due_ms - now_ms);
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
        connections_cut(w, now < cut_at);
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
        wait_ms = after_turn(w);
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
        w->doors[i].paused_until_ms = 0;
        on_connect(w->doors[i].listening, NULL);
        h2o_socket_read_stop(w->doors[i].listening);
        h2o_socket_close(w->doors[i].listening);
    }
    w->is_stopping = true;
}

/* ---- the server */

/* Once per listener, not once per thread: h2o fills it with a table of media types, which takes as
 * long as all the rest of a thread's start. */
static void listener_configure(struct listener *b)
{
    h2o_globalconf_t *conf = &b->conf;

    h2o_config_init(conf);
    conf->server_name = (h2o_iovec_t){ NULL, 0 };
    conf->max_request_entity_size = b->options.max_body_bytes;
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
    if (options->tls != NULL) {
        handshake_prepare(options->tls);
    }
    listener_configure(b);
}

static void worker_init(struct worker *w, struct http_server *s,
                        const struct http_server_options *o, unsigned index)
{
    unsigned max_strangers = o->max_handshakes != 0 ? o->max_handshakes : LIMIT_HANDSHAKES;

    w->server = s;
    w->index = index;
    w->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    w->n_doors = (unsigned)s->n_listeners;
    w->n_threads = s->n_threads;
    w->stalled_reader_ms =
        o->stalled_reader_ms != 0 ? (unsigned)o->stalled_reader_ms : STALLED_READER_MS;
    w->handshake_ms = o->handshake_ms != 0 ? o->handshake_ms : HANDSHAKE_TIMEOUT_MS;
    ring_init(&w->connections);
    w->doors = mem_array(s->n_listeners, sizeof(*w->doors));
    for (size_t i = 0; i < s->n_listeners; i++) {
        w->doors[i].worker = w;
        w->doors[i].listener = &s->listeners[i];
        w->doors[i].max_strangers = (max_strangers + s->n_threads - 1) / s->n_threads;
        ring_init(&w->doors[i].strangers);
    }
}

static struct http_server *server_new(const struct http_server_options *o)
{
    struct http_server *s = mem_zalloc(sizeof(*s));
    unsigned max_connections = o->max_connections != 0 ? o->max_connections : LIMIT_CONNECTIONS;

    assert(o->n_threads > 0);
    s->n_threads = o->n_threads;
    s->n_listeners = o->n_listeners;
    s->listeners = mem_array(o->n_listeners, sizeof(*s->listeners));
    s->workers = mem_array(s->n_threads, sizeof(*s->workers));
    sem_init(&s->ready, 0, 0);
    for (size_t i = 0; i < o->n_listeners; i++) {
        unsigned own = o->listeners[i].max_connections;

        listener_init(&s->listeners[i], &o->listeners[i], own != 0 ? own : max_connections,
                      s->n_threads);
    }
    for (unsigned t = 0; t < s->n_threads; t++) {
        worker_init(&s->workers[t], s, o, t);
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

struct hurry {
    struct worker *worker;
    uint64_t generation;
};

static void begin_hurry(unsigned thread, void *arg)
{
    const struct hurry *h = arg;

    (void)thread;
    connections_hurry(h->worker, h->generation, clock_mono_ms());
    mem_free(arg);
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

void http_server_hurry(struct http_server *s, uint64_t generation)
{
    for (unsigned t = 0; t < s->n_started; t++) {
        struct hurry *h = mem_alloc(sizeof(*h));

        *h = (struct hurry){ &s->workers[t], generation };
        post(&s->workers[t], begin_hurry, h);
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
