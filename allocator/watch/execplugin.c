#include "allocator/watch/execplugin.h"

#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "allocator/base/vec.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

struct execplugin {
    const struct kubeconfig *config;
    pid_t pid; /* 0: it does not run */
    int fd;    /* of its standard output */
    int64_t deadline_ms;
    struct buf output;
    struct arena arena; /* of 'credential' */
    struct execcredential credential;
    bool has_credential;
    bool is_told; /* its error was */
    struct err err;
    int rc; /* of the last run */
};

struct execplugin *execplugin_new(const struct kubeconfig *config)
{
    struct execplugin *p = mem_zalloc(sizeof(*p));

    p->config = config;
    p->fd = -1;
    p->is_told = true;
    buf_init_secret(&p->output, LIMIT_SECRET);
    arena_init(&p->arena);
    return p;
}

static const char *name_of(const struct execplugin *p)
{
    return p->config->exec.command.p;
}

/* ---- start */

struct texts {
    VEC(char *) list; /* of mem_alloc; NULL at the end */
};

static void add_text(struct texts *t, char *text)
{
    *vec_push(&t->list) = text;
}

static void free_texts(struct texts *t)
{
    vec_each(&t->list, text) {
        mem_free(*text);
    }
    vec_fini(&t->list);
}

static void make_arguments(const struct execplugin *p, struct texts *out)
{
    const struct kubeconfig_exec *exec = &p->config->exec;

    add_text(out, mem_strndup(exec->command.p, exec->command.len));
    for (size_t i = 0; i < exec->n_args; i++) {
        add_text(out, mem_strndup(exec->args[i].p, exec->args[i].len));
    }
    add_text(out, NULL);
}

static bool is_set_by(const struct kubeconfig_exec *exec, const char *entry)
{
    size_t len = strcspn(entry, "=");

    for (size_t i = 0; i < exec->n_env; i++) {
        if (span_eq(exec->env[i].name, span_make(entry, len))) {
            return true;
        }
    }
    return span_is(span_make(entry, len), "KUBERNETES_EXEC_INFO");
}

static void make_environment(const struct execplugin *p, struct texts *out)
{
    const struct kubeconfig_exec *exec = &p->config->exec;
    AUTO_BUF info;

    for (char **e = environ; e != NULL && *e != NULL; e++) {
        if (!is_set_by(exec, *e)) {
            add_text(out, mem_strdup(*e));
        }
    }
    for (size_t i = 0; i < exec->n_env; i++) {
        add_text(out, mem_printf("%.*s=%.*s", SPAN_ARG(exec->env[i].name),
                                 SPAN_ARG(exec->env[i].value)));
    }
    buf_init(&info, MIB);
    buf_add_str(&info, "KUBERNETES_EXEC_INFO=");
    execcredential_write_info(p->config, &info);
    add_text(out, buf_take(&info, NULL));
    add_text(out, NULL);
}

/* Threads of this program block all signals; a child shall not. */
static int spawn(struct execplugin *p, int out_fd, char **arguments, char **environment)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    sigset_t none, all;

    sigemptyset(&none);
    sigfillset(&all);
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&files, out_fd, STDOUT_FILENO);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                              POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    int errnum = posix_spawnp(&p->pid, arguments[0], &files, &attributes, arguments, environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    return errnum;
}

static void fail(struct execplugin *p, int rc)
{
    p->rc = rc;
    p->has_credential = p->is_told = false;
    err_wrap(&p->err, rc, "exec plugin %s", name_of(p));
}

static void start(struct execplugin *p, int64_t mono_ms)
{
    struct texts arguments = { 0 }, environment = { 0 };
    int fds[2];

    p->pid = 0;
    if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) != 0) {
        fail(p, err_sys(&p->err, errno, "pipe"));
        return;
    }
    fcntl(fds[1], F_SETFL, 0); /* its end waits, as programs expect */
    make_arguments(p, &arguments);
    make_environment(p, &environment);
    int errnum = spawn(p, fds[1], arguments.list.v, environment.list.v);
    free_texts(&arguments);
    free_texts(&environment);
    close(fds[1]);
    if (errnum != 0) {
        const struct span hint = p->config->exec.install_hint;
        close(fds[0]);
        p->pid = 0;
        fail(p, err_sys(&p->err, errnum, "%.*s%scannot be run", SPAN_ARG(hint),
                        hint.len > 0 ? ": " : ""));
        return;
    }
    p->fd = fds[0];
    p->deadline_ms = mono_ms + EXECPLUGIN_TIMEOUT_MS;
    buf_clear(&p->output);
}

/* ---- end */

static void close_output(struct execplugin *p)
{
    mem_close_fd(&p->fd);
    buf_fini(&p->output);
    buf_init_secret(&p->output, LIMIT_SECRET);
}

static void take_output(struct execplugin *p)
{
    char piece[4096];

    for (;;) {
        ssize_t n = read(p->fd, piece, sizeof(piece));
        if (n <= 0) {
            break;
        }
        buf_add(&p->output, piece, (size_t)n);
    }
    explicit_bzero(piece, sizeof(piece));
}

static void finish(struct execplugin *p, int status)
{
    p->pid = 0;
    take_output(p);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        fail(p, err_set(&p->err, ERR_IO,
                        WIFEXITED(status) ? "it ended with code %d" : "a signal ended it (%d)",
                        WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status)));
    } else if (buf_error(&p->output) != 0) {
        fail(p, err_set(&p->err, ERR_TOO_BIG, "it printed more than %zu bytes", LIMIT_SECRET));
    } else {
        arena_reset(&p->arena);
        int rc = execcredential_read(buf_span(&p->output), p->config->exec.api_version, &p->arena,
                                     &p->credential, &p->err);
        p->has_credential = rc == 0;
        if (rc < 0) {
            fail(p, rc);
        }
    }
    close_output(p);
}

static void kill_it(struct execplugin *p)
{
    int status;

    kill(-p->pid, SIGKILL);
    while (waitpid(p->pid, &status, 0) < 0 && errno == EINTR) {
    }
    p->pid = 0;
    close_output(p);
}

static bool look_after(struct execplugin *p, int64_t mono_ms)
{
    int status = 0;
    pid_t ended = waitpid(p->pid, &status, WNOHANG);

    if (ended == p->pid) {
        finish(p, status);
        return false;
    }
    take_output(p); /* it may wait for room */
    if (mono_ms < p->deadline_ms && buf_error(&p->output) == 0) {
        return true;
    }
    bool is_late = buf_error(&p->output) == 0;
    kill_it(p);
    fail(p, is_late
                ? err_set(&p->err, ERR_TIMEOUT, "it took longer than %d s",
                          EXECPLUGIN_TIMEOUT_MS / 1000)
                : err_set(&p->err, ERR_TOO_BIG, "it printed more than %zu bytes", LIMIT_SECRET));
    return false;
}

bool execplugin_is_running(struct execplugin *p, int64_t mono_ms, int64_t wall_ms)
{
    if (p->pid != 0) {
        return look_after(p, mono_ms);
    }
    if (!p->is_told || (p->has_credential && wall_ms < p->credential.expires_ms)) {
        return false;
    }
    p->has_credential = false;
    start(p, mono_ms);
    return p->pid != 0;
}

int execplugin_credential(struct execplugin *p, struct execcredential *out, struct err *err)
{
    if (p->has_credential) {
        *out = p->credential;
        return 0;
    }
    p->is_told = true;
    return err_set(err, p->rc, "%s", p->err.text);
}

void execplugin_forget(struct execplugin *p)
{
    p->has_credential = false;
}

void execplugin_free(struct execplugin **plugin)
{
    struct execplugin *p = *plugin;

    if (p == NULL) {
        return;
    }
    if (p->pid != 0) {
        kill_it(p);
    }
    close_output(p);
    arena_fini(&p->arena);
    mem_free(p);
    *plugin = NULL;
}
