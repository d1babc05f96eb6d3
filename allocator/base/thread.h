/* Threads, their roles and the one kind of lock, annotated for clang -Wthread-safety.
 * ROLE(name) declares a role (a clang capability); ON(name) on a prototype says which thread may
 * call it; a thread's main function states its role with role_enter(name). gcc ignores all of it.
 */
#ifndef OTEL_TA_BASE_THREAD_H
#define OTEL_TA_BASE_THREAD_H

#include "allocator/base/err.h"

#include <pthread.h>

#if defined(__clang__)
#define TSA(x) __attribute__((x))
#else
#define TSA(x)
#endif

struct TSA(capability("role")) role {
    int unused;
};
#define ROLE(name) extern struct role role_##name
#define ON(name) TSA(requires_capability(role_##name))
static inline void role_assert(struct role *r) TSA(assert_capability(r))
{
    (void)r;
}
#define role_enter(name) role_assert(&role_##name)

ROLE(keeper);  /* main thread: options, signals, certificate and configuration files, stop order */
ROLE(watcher); /* outward I/O: files, HTTP; keeps no objects */
ROLE(engine);  /* owns jobs, targets, assignment; makes snapshots */
ROLE(serve);   /* one of N serving threads: its loop, sockets, current snapshot */

struct TSA(capability("mutex")) mutex {
    pthread_mutex_t m;
};
#define MUTEX_INIT                                                                                 \
    {                                                                                              \
        PTHREAD_MUTEX_INITIALIZER                                                                  \
    }
void mutex_init(struct mutex *m);
void mutex_lock(struct mutex *m) TSA(acquire_capability(m));
void mutex_unlock(struct mutex *m) TSA(release_capability(m));
void mutex_fini(struct mutex *m);
#define REQUIRES(m) TSA(requires_capability(m))
/* On a member: touched only while a lock is held. (clang 14 cannot say which one in C.) */
#define GUARDED TSA(guarded_var)

/* Starts a thread with all signals blocked, a 2 MiB stack and 'name' (at most 15 bytes) for ps and
 * gdb. */
int thread_start(pthread_t *out, const char *name, void *(*main_fn)(void *), void *arg,
                 struct err *err) MUST_USE;
void thread_join(pthread_t t);
/* The calling thread lets others of the process go first: for work in the background, so that who
 * waits for an answer does not wait for it as well. */
void thread_background(void);
/* The calling thread asks for the processor in short turns, and so gets it sooner: for whoever
 * answers requests. What it gets in all stays the same. */
void thread_interactive(void);

#endif
