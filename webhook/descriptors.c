#define LOG_MODULE "keeper"

#include "webhook/descriptors.h"

#include "allocator/base/log.h"

#include <dirent.h>
#include <errno.h>
#include <sys/resource.h>

enum {
    OF_PROCESS = 7,  /* signals, timer, the alarm of files, inotify, three mailboxes */
    OF_THREAD = 4,   /* epoll, a queue of two ends, the spare one (http/server) */
    OF_LISTENER = 3, /* on each thread: the socket, a queue of h2o's context of two ends */
    TO_WORK = 16,    /* connections, files that are read, requests that go */
};

unsigned long descriptors_needed(unsigned long n_open, unsigned n_threads, unsigned n_listeners)
{
    return n_open + OF_PROCESS +
           n_threads * (OF_THREAD + OF_LISTENER * (unsigned long)n_listeners) + TO_WORK;
}

static unsigned long count_open(void)
{
    DIR *dir = opendir("/proc/self/fd");
    unsigned long n = 0;

    if (dir == NULL) {
        return 0;
    }
    /* NOLINTBEGIN(concurrency-mt-unsafe): a stream of its own */
    for (const struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
        n += e->d_name[0] != '.';
    }
    /* NOLINTEND(concurrency-mt-unsafe) */
    closedir(dir);
    return n > 0 ? n - 1 : 0; /* but for the one that was read */
}

int descriptors_claim(unsigned n_threads, unsigned n_listeners, struct err *err)
{
    struct rlimit limit;
    unsigned long needed = descriptors_needed(count_open(), n_threads, n_listeners);

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return 0;
    }
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) {
        log_warn("limit of open files not raised", LOG_STR("error", strerrordesc_np(errno)));
        (void)getrlimit(RLIMIT_NOFILE, &limit);
    }
    if (limit.rlim_cur >= needed) {
        return 0;
    }
    return err_set(err, ERR_IO,
                   "the limit of open files is %lu, and %u serving threads with %u listeners need "
                   "%lu: raise it (ulimit -Hn, LimitNOFILE=), or serve with fewer --threads",
                   (unsigned long)limit.rlim_cur, n_threads, n_listeners, needed);
}
