#include "allocator/http/connection.h"

#include <assert.h>
#include <netinet/tcp.h>

#include "allocator/base/clock.h"
#include "allocator/base/container.h"
#include "allocator/base/hash.h"
#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "allocator/base/metric.h"
#include "allocator/http/handshake.h"
#define LOG_MODULE "http"
#include "allocator/base/log.h"

enum {
    MEASURE_MS = 5,          /* at least, between two looks at the bytes being received … */
    CONNECTIONS_A_MS = 200,  /* … and more the more there is to look at: about a hundredth */
    PATIENCE_IN_A_HURRY = 5, /* this part of what a stalled reader has else */
    KEPT_FOR_OTHERS = 16,    /* this part of the places is for those who have few of them */
};

static struct connection *of_all(struct ring *r)
{
    return CONTAINER_OF(r, struct connection, all);
}

/* ---- who comes and goes */

static void on_close(void *arg)
{
    struct connection *c = arg;
    struct listener *b = c->door->listener;

    handshake_forget(c);
    ring_remove(&c->all);
    atomic_fetch_sub_explicit(&b->n_connections, 1, memory_order_relaxed);
    atomic_fetch_sub_explicit(&b->n_from[c->bucket], 1, memory_order_relaxed);
    mem_free(c);
}

/* The last places are not for one who has many already. */
static const char *why_not(const struct listener *b, unsigned n, unsigned n_own)
{
    unsigned kept = b->max_connections / KEPT_FOR_OTHERS;

    if (n >= b->max_connections) {
        return "connection refused: listener is full";
    }
    return kept > 0 && n + kept >= b->max_connections && n_own >= kept
               ? "connection refused: the last places are for other addresses"
               : NULL;
}

static bool is_admitted(struct listener *b, unsigned bucket, const struct sockaddr *address)
{
    unsigned n = atomic_fetch_add_explicit(&b->n_connections, 1, memory_order_relaxed);
    unsigned n_own = atomic_fetch_add_explicit(&b->n_from[bucket], 1, memory_order_relaxed);
    const char *why = why_not(b, n, n_own);
    char text[INET6_ADDRSTRLEN];

    if (why == NULL) {
        return true;
    }
    atomic_fetch_sub_explicit(&b->n_connections, 1, memory_order_relaxed);
    atomic_fetch_sub_explicit(&b->n_from[bucket], 1, memory_order_relaxed);
    metric_add(METRIC_CONNECTIONS_REFUSED, 1);
    const char *peer = peer_text(address, text);
    log_warn(why, LOG_STR("listener", b->options.name), LOG_STR("peer", peer == NULL ? "" : peer),
             LOG_INT("limit", b->max_connections));
    return false;
}

void connection_admit(struct door *door, h2o_socket_t *sock)
{
    struct worker *w = door->worker;
    struct sockaddr_storage address = { 0 };

    (void)h2o_socket_getpeername(sock, (void *)&address);
    struct peer peer = peer_of((const void *)&address);
    unsigned bucket =
        (unsigned)(hash_fast(span_make((const char *)peer.party, sizeof(peer.party))) %
                   ADDRESS_BUCKETS);

    if (!is_admitted(door->listener, bucket, (const void *)&address)) {
        h2o_socket_close(sock);
        return;
    }
    struct connection *c = mem_zalloc(sizeof(*c));

    c->door = door;
    c->sock = sock;
    c->peer = peer;
    c->bucket = bucket;
    ring_add_last(&w->connections, &c->all);
    sock->on_close.cb = on_close;
    sock->on_close.data = c;
    /* h2o has no write time-out: without this a peer that stops reading holds its answer for ever.
     */
    setsockopt(h2o_socket_get_fd(sock), IPPROTO_TCP, TCP_USER_TIMEOUT, &w->stalled_reader_ms,
               sizeof(w->stalled_reader_ms));
    if (door->listener->options.tls != NULL) {
        handshake_begin(c);
    } else {
        h2o_accept(&door->accept, sock);
    }
}

struct connection *connection_of(h2o_req_t *req)
{
    return req->conn->callbacks->get_socket(req->conn)->on_close.data;
}

/* ---- what they cost */

/* Shutting a socket down makes h2o notice, clean up and call on_close() from the loop. */
static void cut(struct connection *c)
{
    c->is_cut = true;
    shutdown(h2o_socket_get_fd(c->sock), SHUT_RDWR);
}

static bool is_taking(const struct connection *c)
{
    return c->answer.ends_ms != 0 && h2o_socket_is_writing(c->sock);
}

/* What it has sent of a request that is not answered, and what of its answer is its alone. */
static size_t held_bytes(const struct connection *c)
{
    return c->is_cut ? 0 : c->sock->input->size + (is_taking(c) ? c->answer.own_bytes : 0);
}

/* Adds up, for each door, what its connections hold, and finds the largest. Returns how many
 * connections there are. */
static unsigned measure(struct worker *w)
{
    unsigned n = 0;

    for (unsigned i = 0; i < w->n_doors; i++) {
        w->doors[i].held_bytes = 0;
        w->doors[i].largest = NULL;
    }
    for (struct ring *r = w->connections.next; r != &w->connections; r = r->next, n++) {
        struct connection *c = of_all(r);
        struct door *door = c->door;
        size_t size = held_bytes(c);

        door->held_bytes += size;
        if (size > 0 && (door->largest == NULL || size > held_bytes(door->largest))) {
            door->largest = c;
        }
    }
    return n;
}

static bool is_over(const struct door *door)
{
    const struct http_listener *o = &door->listener->options;
    size_t share = o->max_waiting_bytes / door->worker->n_threads;
    size_t one = o->max_body_bytes + LIMIT_HEAD_BYTES;

    if (o->max_waiting_bytes == 0 || door->largest == NULL) {
        return false;
    }
    size_t largest = held_bytes(door->largest);

    one = one < largest ? largest : one;
    return door->held_bytes > (share < one ? one : share);
}

/* h2o gathers a whole body before a handler sees it: many slow senders would fill the memory. So
 * would many who ask for much and do not read it. */
static unsigned cut_excess(struct worker *w)
{
    unsigned n = measure(w);

    for (unsigned i = 0; i < w->n_doors; i++) {
        for (struct door *door = &w->doors[i]; is_over(door); (void)measure(w)) {
            metric_add(METRIC_CONNECTIONS_REFUSED, 1);
            log_warn("connection cut: too many bytes of requests and answers are under way",
                     LOG_STR("listener", door->listener->options.name),
                     LOG_INT("bytes", door->held_bytes));
            cut(door->largest);
        }
    }
    return n;
}

static void tell_slow(struct connection *c, const char *why)
{
    struct sockaddr_storage address = { 0 };
    char peer[INET6_ADDRSTRLEN];

    (void)h2o_socket_getpeername(c->sock, (void *)&address);
    const char *text = peer_text((const void *)&address, peer);
    metric_add(METRIC_SLOW_READERS, 1);
    log_warn(why, LOG_STR("listener", c->door->listener->options.name),
             LOG_STR("peer", text == NULL ? "" : text));
}

static void cut_slow(struct connection *c, const char *why)
{
    tell_slow(c, why);
    cut(c);
}

/* Not cut by us, yet it had its time: it went away, or the kernel gave it up (TCP_USER_TIMEOUT). */
void connection_lost(h2o_req_t *req)
{
    struct connection *c = connection_of(req);

    if (!c->is_cut && clock_mono_ms() - c->answer.begun_ms >= c->door->worker->stalled_reader_ms) {
        tell_slow(c, "connection lost: the peer did not take its answer");
    }
}

/* Returns when the time of the next answer is over, or INT64_MAX. An answer that the loop is not
 * writing is taken: all of them go on writing from where they are told that something was written.
 */
static int64_t end_answers(struct worker *w, int64_t now_ms)
{
    int64_t due_ms = INT64_MAX;

    for (struct ring *r = w->connections.next; r != &w->connections; r = r->next) {
        struct connection *c = of_all(r);

        if (c->is_cut) {
            continue;
        }
        if (!is_taking(c)) {
            c->answer.ends_ms = 0;
        } else if (c->answer.ends_ms <= now_ms) {
            cut_slow(c, "connection cut: the peer takes its answer too slowly");
        } else if (c->answer.ends_ms < due_ms) {
            due_ms = c->answer.ends_ms;
        }
    }
    return due_ms;
}

void connections_hurry(struct worker *w, uint64_t generation, int64_t now_ms)
{
    for (struct ring *r = w->connections.next; r != &w->connections; r = r->next) {
        struct connection *c = of_all(r);

        if (!c->is_cut && is_taking(c) && c->answer.generation != 0 &&
            c->answer.generation <= generation &&
            now_ms - c->answer.begun_ms >= w->stalled_reader_ms / PATIENCE_IN_A_HURRY) {
            cut_slow(c,
                     "connection cut: the peer takes its answer slowly, and what it pins is old");
        }
    }
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* What came too soon after the last survey is looked at later. */
int64_t connections_survey(struct worker *w, int64_t now_ms)
{
    int64_t due_ms = w->survey_at_ms;

    if (now_ms >= w->survey_at_ms) {
        unsigned n = cut_excess(w);

        due_ms = end_answers(w, now_ms);
        w->survey_at_ms = now_ms + MEASURE_MS + n / CONNECTIONS_A_MS;
    }
    for (unsigned i = 0; i < w->n_doors; i++) {
        due_ms = earlier(due_ms, handshake_expire(&w->doors[i], now_ms));
    }
    return due_ms;
}

/* No request is being read or answered, and none is waiting in the kernel. */
static bool is_idle(struct connection *c)
{
    char byte;

    return !h2o_socket_is_writing(c->sock) && c->sock->input->size == 0 &&
           recv(h2o_socket_get_fd(c->sock), &byte, 1, MSG_PEEK | MSG_DONTWAIT) <= 0;
}

void connections_cut(struct worker *w, bool only_idle)
{
    for (struct ring *r = w->connections.next; r != &w->connections; r = r->next) {
        if (!only_idle || is_idle(of_all(r))) {
            cut(of_all(r));
        }
    }
}
