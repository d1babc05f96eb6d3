#include "allocator/base/thread.h"

#include "allocator/base/ref.h"
#include "tests/check.h"

#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { N_THREADS = 4, N_ROUNDS = 20000 };

static struct {
    struct mutex mutex;
    int64_t n GUARDED;
    struct ref ref;
    atomic_int n_last;
} shared = { .mutex = MUTEX_INIT };

static void *count(void *arg)
{
    role_enter(engine);
    for (int i = 0; i < N_ROUNDS; i++) {
        mutex_lock(&shared.mutex);
        shared.n++;
        mutex_unlock(&shared.mutex);
        ref_get(&shared.ref);
        if (ref_put(&shared.ref)) {
            atomic_fetch_add(&shared.n_last, 1);
        }
    }
    if (ref_put(&shared.ref)) {
        atomic_fetch_add(&shared.n_last, 1);
    }
    return arg;
}

static void test_mutex_and_ref(void)
{
    pthread_t threads[N_THREADS];

    ref_init(&shared.ref);
    for (size_t i = 0; i < N_THREADS; i++) {
        struct err err = { 0 };
        ref_get(&shared.ref);
        ok(thread_start(&threads[i], "counter", count, NULL, &err) == 0, "thread %zu starts", i);
    }
    ok(!ref_put(&shared.ref) || atomic_load(&shared.n_last) == 0, "this thread lets go");
    for (size_t i = 0; i < N_THREADS; i++) {
        thread_join(threads[i]);
    }
    mutex_lock(&shared.mutex);
    is_int(shared.n, (int64_t)N_THREADS * N_ROUNDS, "the lock excludes");
    mutex_unlock(&shared.mutex);
    ok(atomic_load(&shared.n_last) <= 1, "at most one thread was told that it is the last");
}

static void test_ref(void)
{
    struct ref r;

    ref_init(&r);
    ok(ref_is_sole(&r), "one reference");
    ref_get(&r);
    ok(!ref_is_sole(&r), "two references");
    ok(!ref_put(&r), "one goes");
    ok(ref_put(&r), "the last one goes");
}

struct seen {
    char name[32];
    bool has_all_blocked;
    size_t stack_bytes;
};

static void *look_around(void *arg)
{
    struct seen *seen = arg;
    sigset_t set;
    pthread_attr_t attr;

    pthread_sigmask(SIG_SETMASK, NULL, &set);
    seen->has_all_blocked = sigismember(&set, SIGTERM) == 1 && sigismember(&set, SIGHUP) == 1;
    if (pthread_getattr_np(pthread_self(), &attr) == 0) {
        pthread_attr_getstacksize(&attr, &seen->stack_bytes);
        pthread_attr_destroy(&attr);
    }
    return NULL;
}

static void test_start(void)
{
    struct seen seen = { 0 };
    pthread_t thread;
    sigset_t set;

    ok(thread_start(&thread, "looker", look_around, &seen, NULL) == 0, "a thread");
    thread_join(thread);
    ok(seen.has_all_blocked, "has all signals blocked");
    is_int(seen.stack_bytes, 2 * 1024 * 1024, "and a stack of 2 MiB");
    pthread_sigmask(SIG_SETMASK, NULL, &set);
    ok(sigismember(&set, SIGTERM) == 0, "its starter has not");
}

static void *in_background(void *arg)
{
    int *nice_of = arg;

    thread_background();
    *nice_of = getpriority(PRIO_PROCESS, (id_t)gettid());
    return NULL;
}

static void test_nice(void)
{
    int before = getpriority(PRIO_PROCESS, 0), inside = 0;
    pthread_t thread;

    ok(thread_start(&thread, "nice", in_background, &inside, NULL) == 0, "another");
    thread_join(thread);
    ok(inside >= 10, "lets others go first");
    is_int(getpriority(PRIO_PROCESS, 0), before, "which changes nobody else");
}

static void *interactive(void *arg)
{
    int *nice_of = arg;

    thread_interactive();
    *nice_of = getpriority(PRIO_PROCESS, (id_t)gettid()) * 10 + sched_getscheduler(0);
    return NULL;
}

static void test_prompt(void)
{
    int inside = -1;
    pthread_t thread;

    ok(thread_start(&thread, "prompt", interactive, &inside, NULL) == 0, "and one more");
    thread_join(thread);
    is_int(inside, getpriority(PRIO_PROCESS, 0) * 10 + sched_getscheduler(0),
           "is prompt without being more than others");
}

int main(void)
{
    test_prompt();
    test_nice();
    test_ref();
    test_mutex_and_ref();
    test_start();
    return check_done();
}
