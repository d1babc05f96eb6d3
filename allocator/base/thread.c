#include "allocator/base/thread.h"

#include "allocator/base/mem.h"

#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#define STACK_BYTES ((size_t)2 * 1024 * 1024)
#define NICENESS 10

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

void thread_be_nice(void)
{
    /* In Linux this is a thread's; where it is forbidden, life goes on. */
    (void)setpriority(PRIO_PROCESS, (id_t)gettid(), NICENESS);
}
