#include "allocator/base/thread.h"
#include "tests/check.h"
#include "webhook/sandbox.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
/* The leak checker traces the process, which a confined one may not be. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "detect_leaks=0";
}
#endif

struct gate {
    pthread_mutex_t mutex;
    pthread_barrier_t both;
    int exec_errno;
};

static int try_exec(void)
{
    char *const argv[] = { (char[]){ "true" }, NULL };
    execv("/bin/true", argv);
    return errno;
}

/* A thread that was there before the filter: it must be covered too. */
static void *wait_and_exec(void *arg)
{
    struct gate *gate = arg;
    pthread_mutex_lock(&gate->mutex);
    gate->exec_errno = try_exec();
    pthread_mutex_unlock(&gate->mutex);
    return NULL;
}

static bool status_says(const char *line)
{
    char text[256];
    bool found = false;
    FILE *f = fopen("/proc/thread-self/status", "re");
    while (f != NULL && fgets(text, sizeof(text), f) != NULL) {
        found = found || strcmp(text, line) == 0;
    }
    if (f != NULL) {
        fclose(f);
    }
    return found;
}

/* On x86-64 every call has a second number, with bit 30 set, where the kernel was built with x32;
 * one that was not answers ENOSYS, so that EPERM can only come from the filter. */
static void test_x32(void)
{
#if defined(__x86_64__)
    static const struct {
        long number;
        const char *name;
    } t[] = { { SYS_getpid, "getpid" }, { SYS_chroot, "chroot" }, { 520, "execve" } };
    for (size_t i = 0; i < COUNT(t); i++) {
        errno = 0;
        long rc = syscall(__X32_SYSCALL_BIT | t[i].number, NULL, NULL, NULL);
        ok(rc == -1 && errno == EPERM, "no %s by its number of x32: %s", t[i].name,
           strerror(errno));
    }
#endif
}

/* A thread with a filter of its own cannot be given ours. */
static void *filter_alone(void *arg)
{
    struct sock_filter code[] = { BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW) };
    const struct sock_fprog program = { COUNT(code), code };
    struct gate *gate = arg;

    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    gate->exec_errno = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0 ? 0 : errno;
    pthread_barrier_wait(&gate->both);
    pthread_barrier_wait(&gate->both);
    return NULL;
}

/* In a child: it is confined half. */
static void test_refused(void)
{
    struct gate gate = { .exec_errno = -1 };
    struct err err = { 0 };
    pthread_t thread;
    int status = 0;

    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        pthread_barrier_init(&gate.both, NULL, 2);
        bool is_made = thread_start(&thread, "alone", filter_alone, &gate, &err) == 0;
        pthread_barrier_wait(&gate.both);
        int rc = sandbox_enter(&err);
        pthread_barrier_wait(&gate.both);
        thread_join(thread);
        bool is_refused = rc < 0 && strstr(err.text, "seccomp filter: No such process") != NULL;
        _exit(is_made && gate.exec_errno == 0 && is_refused ? 0 : 1);
    }
    ok(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0,
       "a thread that the filter cannot cover is an error");
}

int main(void)
{
    struct gate gate = { .mutex = PTHREAD_MUTEX_INITIALIZER };
    struct rlimit limit = { 1, 1 };
    struct err err = { 0 };
    pthread_t thread;

    test_refused();
    pthread_mutex_lock(&gate.mutex);
    is_int(thread_start(&thread, "early", wait_and_exec, &gate, &err), 0, "a thread from before");
    is_int(sandbox_enter(&err), 0, "confined %s", err.text);
    pthread_mutex_unlock(&gate.mutex);
    thread_join(thread);
    is_int(gate.exec_errno, EPERM, "the thread from before cannot start programs");
    is_int(try_exec(), EPERM, "nor can this one");
    is_int(ptrace(PTRACE_TRACEME, 0, NULL, NULL), -1, "nor be traced");
    is_int(chroot("/"), -1, "nor change its root");
    test_x32();
    ok(status_says("Seccomp:\t2\n"), "the kernel says: filtered");
    ok(status_says("NoNewPrivs:\t1\n"), "and: no new privileges");
    ok(getrlimit(RLIMIT_CORE, &limit) == 0 && limit.rlim_cur == 0 && limit.rlim_max == 0,
       "no core dumps");
    is_int(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), 0, "and nobody may look into the memory");
    FILE *f = fopen("/dev/null", "we");
    ok(f != NULL, "ordinary work goes on");
    if (f != NULL) {
        fclose(f);
    }
    return check_done();
}
