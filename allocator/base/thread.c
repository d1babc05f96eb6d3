#include "allocator/base/thread.h"

#include "allocator/base/mem.h"

#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define STACK_BYTES ((size_t)2 * 1024 * 1024)
#define NICENESS 10
#define SLICE_NS 100000 /* the shortest there is */

struct role role_keeper, role_watcher, role_engine, role_serve;

void mutex_init(struct mutex *m)
{
    pthread_mutex_init(&m->m, NULL);
}

void mutex_lock(struct mutex *m) TSA(no_thread_safety_analysis)
{
    pthread_mutex_lock(&m->m);
}

void mutex_unlock(struct mutex *m) TSA(no_thread_safety_analysis)
{
    pthread_mutex_unlock(&m->m);
}

void mutex_fini(struct mutex *m)
{
    pthread_mutex_destroy(&m->m);
}

int thread_start(pthread_t *out, const char *name, void *(*main_fn)(void *), void *arg,
                 struct err *err)
{
    sigset_t all, before;
    pthread_attr_t attr;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, STACK_BYTES);
    int rc = pthread_create(out, &attr, main_fn, arg);
    pthread_attr_destroy(&attr);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc != 0) {
        return err_sys(err, rc, "cannot start thread %s", name);
    }
    pthread_setname_np(*out, name);
    return 0;
}

void thread_join(pthread_t t)
{
    pthread_join(t, NULL);
}

void thread_background(void)
{
    /* In Linux this is a thread's; where it is forbidden, life goes on. */
    (void)setpriority(PRIO_PROCESS, (id_t)gettid(), NICENESS);
}

/* The first version of the kernel's struct; glibc has none before 2.41. */
struct attributes {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime_ns, deadline_ns, period_ns;
};

void thread_interactive(void)
{
    struct attributes a = { .size = sizeof(a) };

    /* Nothing but the slice changes. Linux before 6.12 takes it for nothing. */
    if (syscall(SYS_sched_getattr, 0, &a, sizeof(a), 0) == 0 && a.policy == SCHED_OTHER) {
        a.runtime_ns = SLICE_NS;
        (void)syscall(SYS_sched_setattr, 0, &a, 0);
    }
}
