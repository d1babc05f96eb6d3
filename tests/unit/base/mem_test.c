#include "allocator/base/mem.h"

#include "tests/check.h"

#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct thing {
    int *n_freed;
};

static void thing_free(struct thing **thing)
{
    if (*thing != NULL) {
        (*(*thing)->n_freed)++;
        mem_free(*thing);
        *thing = NULL;
    }
}

static struct thing *make_thing(int *n_freed, bool keep)
{
    AUTO(thing) thing = mem_zalloc(sizeof(*thing));
    struct thing *kept = NULL;

    thing->n_freed = n_freed;
    if (keep) {
        kept = thing;
        thing = NULL;
    }
    return kept;
}

static void test_cleanup(void)
{
    int n_freed = 0;
    int fd = -1;

    make_thing(&n_freed, false);
    is_int(n_freed, 1, "AUTO releases what was not moved");
    struct thing *kept = make_thing(&n_freed, true);
    is_int(n_freed, 1, "and not what was moved");
    thing_free(&kept);
    {
        AUTO_STR text = mem_strdup("text");
        AUTO_FD open_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
        AUTO_FD no_fd = -1;
        is_str(text, "text", "mem_strdup");
        ok(open_fd >= 0 && no_fd == -1, "a descriptor");
        fd = open_fd;
    }
    is_int(fcntl(fd, F_GETFD), -1, "AUTO_FD closes it");
}

static void test_strings(void)
{
    AUTO_STR part = mem_strndup("abcdef", 3);
    AUTO_STR nothing = mem_strndup(NULL, 0);
    AUTO_STR printed = mem_printf("%s-%d", "a", 7);
    char *bytes = mem_zalloc(0);

    is_str(part, "abc", "mem_strndup");
    is_str(nothing, "", "mem_strndup of nothing");
    struct span text = SPAN_LIT("a\0b"), copy = mem_dup_span(text),
                none = mem_dup_span(SPAN_LIT(""));
    ok(span_eq(copy, text) && copy.p != text.p && copy.p[copy.len] == '\0', "mem_dup_span");
    ok(none.len == 0 && none.p[0] == '\0', "mem_dup_span of nothing");
    mem_free_span(&copy);
    mem_free_span(&none);
    ok(copy.p == NULL && copy.len == 0, "mem_free_span leaves an empty one");
    mem_free_span(&copy);
    is_str(printed, "a-7", "mem_printf");
    bytes = mem_realloc(bytes, 100);
    memset(bytes, 1, 100);
    mem_free(bytes);
    mem_free(NULL);
    char *zeros = mem_array(10, 10);
    ok(zeros[0] == 0 && memcmp(zeros, zeros + 1, 99) == 0, "mem_array is zeroed");
    mem_free(zeros);
}

static void allocate_too_much(void)
{
    volatile size_t half = SIZE_MAX / 2;
    mem_free(mem_array(half, 16));
}

static void realloc_too_much(void)
{
    volatile size_t size = SIZE_MAX / 2 - 64;
    mem_free(mem_realloc(NULL, size));
}

/* Runs 'f' in a child, which must not come back. */
static void must_die(void (*f)(void), const char *name)
{
    int fds[2], status = 0;
    char text[256] = "";

    ok(pipe(fds) == 0, "a pipe");
    pid_t pid = fork();
    if (pid == 0) {
        dup2(fds[1], STDERR_FILENO);
        f();
        _exit(0);
    }
    close(fds[1]);
    ssize_t n = read(fds[0], text, sizeof(text) - 1);
    close(fds[0]);
    ok(waitpid(pid, &status, 0) == pid && !(WIFEXITED(status) && WEXITSTATUS(status) == 0),
       "%s ends the process", name);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    ok(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT, "by abort()");
    is_str(text, "otel-ta: out of memory\n", "and says why");
#endif
    ok(n > 0, "something was said");
}

int main(void)
{
    test_cleanup();
    test_strings();
    must_die(allocate_too_much, "an overflowing product");
    must_die(realloc_too_much, "half the address space");
    return check_done();
}
