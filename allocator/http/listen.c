#include "allocator/http/listen.h"

#include <errno.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include "allocator/base/limits.h"
#include "allocator/base/mem.h"

enum { BACKLOG = 4096 };

static int split_address(const char *address, char *host, size_t host_size, const char **out_port,
                         struct err *err)
{
    const char *colon = strrchr(address, ':');
    size_t len = colon == NULL ? 0 : (size_t)(colon - address);
    const char *p = address;

    if (colon == NULL || colon[1] == '\0' || strspn(colon + 1, "0123456789") != strlen(colon + 1) ||
        strlen(colon + 1) > 5 || strtoul(colon + 1, NULL, 10) > UINT16_MAX) {
        return err_set(err, ERR_INVALID, "'%s' is not host:port", address);
    }
    if (len >= 2 && p[0] == '[' && p[len - 1] == ']') {
        p++;
        len -= 2;
    }
    if (len >= host_size) {
        return err_set(err, ERR_INVALID, "'%s': host name too long", address);
    }
    memcpy(host, p, len);
    host[len] = '\0';
    *out_port = colon + 1;
    return 0;
}

/* 'share': one of several sockets on the same port. Returns the descriptor or a negative errno. */
static int listen_on(const struct sockaddr *sa, socklen_t sa_len, bool share)
{
    const int on = 1;
    const int off = 0;
    const int send_buffer = LIMIT_SEND_BUFFER;
    int fd = socket(sa->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0) {
        return -errno;
    }
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (sa->sa_family == AF_INET6) {
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
    }
    /* What is accepted inherits it. */
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &send_buffer, sizeof(send_buffer));
    if (share) {
        setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
    }
    if (bind(fd, sa, sa_len) != 0 || (share && listen(fd, BACKLOG) != 0)) {
        int rc = -errno;
        close(fd);
        return rc;
    }
    return fd;
}

static void set_port(struct sockaddr *sa, unsigned port)
{
    if (sa->sa_family == AF_INET) {
        ((struct sockaddr_in *)(void *)sa)->sin_port = htons((uint16_t)port);
    } else {
        ((struct sockaddr_in6 *)(void *)sa)->sin6_port = htons((uint16_t)port);
    }
}

/* The port stands at the same place in both families' addresses. */
static unsigned port_of(int fd)
{
    struct sockaddr_in6 got = { 0 };
    socklen_t len = sizeof(got);

    return getsockname(fd, (struct sockaddr *)(void *)&got, &len) == 0 ? ntohs(got.sin6_port) : 0;
}

void listen_name(int fd, char out[LISTEN_NAME_MAX])
{
    char host[LISTEN_NAME_MAX - 16] = "?", port[8] = "?"; /* an address with its zone, a number */
    struct sockaddr_storage got = { 0 };
    socklen_t len = sizeof(got);

    if (getsockname(fd, (struct sockaddr *)(void *)&got, &len) == 0) {
        (void)getnameinfo((const struct sockaddr *)(const void *)&got, len, host, sizeof(host),
                          port, sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV);
    }
    snprintf(out, LISTEN_NAME_MAX, got.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
}

static void close_all(int *fds, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        mem_close_fd(&fds[i]);
    }
}

/* 0 or a negative errno; then nothing is left open. */
static int listen_on_all(struct sockaddr *sa, socklen_t sa_len, unsigned n, int *fds,
                         unsigned *out_port)
{
    /* SO_REUSEPORT would share the port with another process of this user without a word; a bind
     * without it tells whether the port is free. */
    int probe = listen_on(sa, sa_len, false);

    if (probe < 0) {
        return probe;
    }
    close(probe);
    for (unsigned i = 0; i < n; i++) {
        fds[i] = listen_on(sa, sa_len, true);
        if (fds[i] < 0) {
            int rc = fds[i];
            close_all(fds, n);
            return rc;
        }
        if (i == 0) {
            *out_port = port_of(fds[0]);
            set_port(sa, *out_port); /* port 0: the first socket picks, the others follow */
        }
    }
    return 0;
}

static int resolve(const char *host, const char *port, struct addrinfo **out, struct err *err)
{
    const struct addrinfo hints = { .ai_flags = AI_PASSIVE | AI_NUMERICSERV,
                                    .ai_socktype = SOCK_STREAM };
    int rc = getaddrinfo(host[0] == '\0' ? "::" : host, port, &hints, out);

    if (rc != 0) {
        return err_set(err, ERR_IO, "%s", gai_strerror(rc));
    }
    return 0;
}

int listen_all(const char *address, unsigned n, int *fds, unsigned *out_port, struct err *err)
{
    char host[256];
    const char *port = NULL;
    struct addrinfo *found = NULL;
    int rc = split_address(address, host, sizeof(host), &port, err);

    if (rc == 0) {
        rc = resolve(host, port, &found, err);
    }
    if (rc < 0) {
        return rc;
    }
    rc = -EADDRNOTAVAIL;
    for (struct addrinfo *a = found; a != NULL && rc != 0; a = a->ai_next) {
        rc = listen_on_all(a->ai_addr, a->ai_addrlen, n, fds, out_port);
    }
    freeaddrinfo(found);
    if (host[0] == '\0' && (rc == -EAFNOSUPPORT || rc == -EADDRNOTAVAIL)) {
        /* A kernel without IPv6. */
        struct sockaddr_in any = { .sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)strtoul(port, NULL, 10)) };

        rc = listen_on_all((struct sockaddr *)(void *)&any, sizeof(any), n, fds, out_port);
    }
    return rc == 0 ? 0 : err_set(err, ERR_IO, "%s", strerrordesc_np(-rc));
}

unsigned listen_quota(const char *cpu_max)
{
    char *end = NULL;
    unsigned long long quota = strtoull(cpu_max, &end, 10);
    unsigned long long period = strtoull(end, NULL, 10);
    unsigned long long cores = period == 0 ? 0 : quota / period + (quota % period > 0);

    return cores == 0 || cores > UINT_MAX ? UINT_MAX : (unsigned)cores;
}

static unsigned cgroup_cores(void)
{
    char line[64] = "";
    FILE *f = fopen("/sys/fs/cgroup/cpu.max", "re");

    if (f == NULL) {
        return UINT_MAX;
    }
    const char *text = fgets(line, sizeof(line), f);
    fclose(f);
    return listen_quota(text == NULL ? "" : text);
}

unsigned listen_cores(void)
{
    cpu_set_t set;
    unsigned n = 1;

    if (sched_getaffinity(0, sizeof(set), &set) == 0) {
        n = (unsigned)CPU_COUNT(&set);
    }
    unsigned quota = cgroup_cores();

    return n < quota ? n : quota;
}
