#include "allocator/http/listen.h"

#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "tests/check.h"

#include <dirent.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { N = 3 };

static size_t count_descriptors(void)
{
    size_t n = 0;
    DIR *folder = opendir("/proc/self/fd");

    if (folder == NULL) {
        return 0;
    }
    while (readdir(folder) != NULL) {
        n++;
    }
    closedir(folder);
    return n;
}

static unsigned port_of(int fd)
{
    struct sockaddr_in6 got = { 0 };
    socklen_t len = sizeof(got);

    return getsockname(fd, (struct sockaddr *)(void *)&got, &len) == 0 ? ntohs(got.sin6_port) : 0;
}

static int option_of(int fd, int name)
{
    int value = -1;
    socklen_t len = sizeof(value);

    return getsockopt(fd, SOL_SOCKET, name, &value, &len) == 0 ? value : -1;
}

static void close_all(int *fds)
{
    for (size_t i = 0; i < N; i++) {
        close(fds[i]);
    }
}

/* Of what is accepted; connections of other sockets of this port are waited for elsewhere. */
static void test_send_buffer(void)
{
    int fds[1] = { -1 }, client = socket(AF_INET, SOCK_STREAM, 0);
    int plain = option_of(client, SO_SNDBUF), asked = (int)LIMIT_SEND_BUFFER;
    unsigned port = 0;

    is_int(listen_all("127.0.0.1:0", 1, fds, &port, NULL), 0, "a socket");
    struct sockaddr_in to = { .sin_family = AF_INET,
                              .sin_port = htons((uint16_t)port),
                              .sin_addr = { htonl(INADDR_LOOPBACK) } };
    ok(connect(client, (struct sockaddr *)(void *)&to, sizeof(to)) == 0, "a connection");
    int accepted = accept(fds[0], NULL, NULL);
    ok(setsockopt(client, SOL_SOCKET, SO_SNDBUF, &asked, sizeof(asked)) == 0 &&
           option_of(client, SO_SNDBUF) != plain,
       "a buffer of that size is not what a socket has anyway");
    is_int(option_of(accepted, SO_SNDBUF), option_of(client, SO_SNDBUF),
           "what is accepted has a send buffer as asked for, as far as this system gives it");
    close(accepted);
    close(client);
    close(fds[0]);
}

static bool can_connect(unsigned port)
{
    struct sockaddr_in to = { .sin_family = AF_INET,
                              .sin_port = htons((uint16_t)port),
                              .sin_addr = { htonl(INADDR_LOOPBACK) } };
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    bool is_good = connect(fd, (struct sockaddr *)(void *)&to, sizeof(to)) == 0;

    close(fd);
    return is_good;
}

static void test_opens(void)
{
    static const char *const t[] = { "127.0.0.1:0", ":0", "[127.0.0.1]:0", "127.0.0.1:00000",
                                     "0.0.0.0:0" };
    static const char *const bound[] = { "127.0.0.1", "[::]", "127.0.0.1", "127.0.0.1", "0.0.0.0" };

    for (size_t i = 0; i < COUNT(t); i++) {
        int fds[N] = { -1, -1, -1 };
        unsigned port = 0, n_good = 0;
        struct err err = { 0 };
        size_t n_before = count_descriptors();
        is_int(listen_all(t[i], N, fds, &port, &err), 0, "'%s' %s", t[i], err.text);
        is_int(count_descriptors() - n_before, N, "'%s': as many sockets as wanted, no other",
               t[i]);
        ok(port != 0 && can_connect(port), "'%s': port %u is open", t[i], port);
        char name[LISTEN_NAME_MAX];
        listen_name(fds[0], name);
        AUTO_STR want = mem_printf("%s:%u", bound[i], port);
        is_str(name, want, "'%s': what it is bound to", t[i]);
        for (size_t k = 0; k < N; k++) {
            n_good += port_of(fds[k]) == port && option_of(fds[k], SO_ACCEPTCONN) == 1;
        }
        is_int(n_good, N, "'%s': all listen on that port", t[i]);
        close_all(fds);
    }
}

static void test_refuses(void)
{
    static const struct {
        const char *address;
        int rc;
        const char *text;
    } t[] = {
        { "127.0.0.1", ERR_INVALID, "is not host:port" },
        { "127.0.0.1:", ERR_INVALID, "is not host:port" },
        { "127.0.0.1:1x", ERR_INVALID, "is not host:port" },
        { "127.0.0.1:-1", ERR_INVALID, "is not host:port" },
        { "127.0.0.1:65536", ERR_INVALID, "is not host:port" },
        { "127.0.0.1:000000", ERR_INVALID, "is not host:port" },
        { "", ERR_INVALID, "is not host:port" },
        { "[127.0.0.1:0", ERR_IO, "not known" },
        { "127.0.0.1]:0", ERR_IO, "not known" },
        { "]:0", ERR_IO, "not known" },
        { "192.0.2.1:0", ERR_IO, "Cannot assign requested address" },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        int fds[N] = { -1, -1, -1 };
        unsigned port = 0;
        struct err err = { 0 };
        is_int(listen_all(t[i].address, N, fds, &port, &err), t[i].rc, "'%s'", t[i].address);
        ok(strstr(err.text, t[i].text) != NULL, "'%s': %s", t[i].address, err.text);
    }
}

/* A host name of 255 bytes is looked for, a longer one is not. */
static void test_long_names(void)
{
    for (size_t len = 255; len <= 256; len++) {
        char address[300];
        int fds[N] = { -1, -1, -1 };
        unsigned port = 0;
        struct err err = { 0 };
        memset(address, '-', len);
        (void)snprintf(address + len, sizeof(address) - len, ":0");
        is_int(listen_all(address, N, fds, &port, &err), len == 255 ? ERR_IO : ERR_INVALID,
               "a host name of %zu bytes", len);
    }
}

static void test_taken(void)
{
    int first[N] = { -1, -1, -1 }, second[N] = { -1, -1, -1 };
    unsigned port = 0, other = 0;
    char address[32];
    struct err err = { 0 };

    is_int(listen_all("127.0.0.1:0", N, first, &port, NULL), 0, "a port");
    (void)snprintf(address, sizeof(address), "127.0.0.1:%u", port);
    is_int(listen_all(address, N, second, &other, &err), ERR_IO, "is not shared with another");
    is_str(err.text, "Address already in use", "and why");
    ok(second[0] == -1 && second[1] == -1 && second[2] == -1, "nothing is open");
    (void)snprintf(address, sizeof(address), ":%u", port);
    is_int(listen_all(address, N, second, &other, &err), ERR_IO, "nor with every address");
    is_str(err.text, "Address already in use", "and why");
    (void)snprintf(address, sizeof(address), "127.0.0.1:%u", port);
    close_all(first);
    is_int(listen_all(address, N, second, &other, &err), 0, "a port that is free again");
    is_int(other, port, "is the one that was asked for");
    close_all(second);
}

/* One descriptor too few: those that were opened are closed. */
static void test_too_few_descriptors(void)
{
    struct rlimit limit, low;
    int fds[N] = { -1, -1, -1 };
    unsigned port = 0;
    struct err err = { 0 };
    size_t n_before = count_descriptors();

    ok(getrlimit(RLIMIT_NOFILE, &limit) == 0, "limit");
    int next = dup(0);
    close(next);
    low = limit;
    low.rlim_cur = (rlim_t)next + N - 1;
    ok(setrlimit(RLIMIT_NOFILE, &low) == 0, "room for all but one");
    is_int(listen_all("127.0.0.1:0", N, fds, &port, &err), ERR_IO, "not all can be opened");
    ok(setrlimit(RLIMIT_NOFILE, &limit) == 0, "limit");
    is_str(err.text, "Too many open files", "and why");
    ok(n_before > 0 && count_descriptors() == n_before, "nothing is left open");
    ok(fds[0] == -1 && fds[1] == -1 && fds[2] == -1, "nor said to be");
}

static void test_quota(void)
{
    static const struct {
        const char *cpu_max;
        unsigned cores;
    } t[] = {
        { "max 100000\n", UINT_MAX },
        { "100000 100000\n", 1 },
        { "100001 100000\n", 2 },
        { "99999 100000\n", 1 },
        { "1 100000\n", 1 },
        { "200000 100000", 2 },
        { "150000 100000", 2 },
        { "6400000 100000\n", 64 },
        { "3 2", 2 },
        { "0 100000\n", UINT_MAX },
        { "100000 0\n", UINT_MAX },
        { "100000\n", UINT_MAX },
        { "", UINT_MAX },
        { "x", UINT_MAX },
        { "18446744073709551615 1", UINT_MAX },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        is_int(listen_quota(t[i].cpu_max), t[i].cores, "cpu.max '%s'", t[i].cpu_max);
    }
}

int main(void)
{
    test_opens();
    test_send_buffer();
    test_refuses();
    test_long_names();
    test_taken();
    test_too_few_descriptors();
    test_quota();
    ok(listen_cores() >= 1 && listen_cores() <= (unsigned)sysconf(_SC_NPROCESSORS_CONF), "%u cores",
       listen_cores());
    return check_done();
}
