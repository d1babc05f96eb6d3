/* Programs that print credentials: run, waited for, ended. */
#include "allocator/watch/execplugin.h"

#include "allocator/base/clock.h"
#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "allocator/base/readfile.h"
#include "tests/check.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define V1 "client.authentication.k8s.io/v1"
#define TOKEN(t)                                                                                   \
    "echo '{\"kind\":\"ExecCredential\",\"apiVersion\":\"" V1 "\",\"status\":{\"token\":\"" t      \
    "\"}}'\n"

static char *folder;

struct rig {
    struct kubeconfig config;
    struct execplugin *plugin;
    struct span args[2];
    struct kubeconfig_pair env[1];
    char *path;
};

static void open_rig(struct rig *r, const char *script)
{
    *r = (struct rig){ 0 };
    r->path = mem_printf("%s/plugin", folder);
    FILE *file = fopen(r->path, "w");
    ok(file != NULL && fprintf(file, "#!/bin/sh\n%s", script) > 0 && fclose(file) == 0 &&
           chmod(r->path, 0700) == 0,
       "a plugin is written");
    r->args[0] = SPAN_LIT("one two");
    r->args[1] = span_of(folder);
    r->env[0] = (struct kubeconfig_pair){ SPAN_LIT("PLUGIN_WORD"), SPAN_LIT("word") };
    r->config = (struct kubeconfig){ .server = SPAN_LIT("https://h"),
                                     .exec = { .command = span_of(r->path),
                                               .args = r->args,
                                               .n_args = 2,
                                               .env = r->env,
                                               .n_env = 1,
                                               .api_version = SPAN_LIT(V1) } };
    r->plugin = execplugin_new(&r->config);
}

static void close_rig(struct rig *r)
{
    execplugin_free(&r->plugin);
    (void)unlink(r->path);
    mem_free(r->path);
}

/* Until it does not run any more. */
static void run(struct rig *r, int64_t skew_ms)
{
    for (int64_t end = clock_mono_ms() + 20000; clock_mono_ms() < end; poll(NULL, 0, 5)) {
        if (!execplugin_is_running(r->plugin, clock_mono_ms() + skew_ms, 1000)) {
            return;
        }
    }
    ok(false, "it ends");
}

static void is_token(struct rig *r, const char *token)
{
    struct execcredential c = { .token = { "", 0 } };
    struct err err = { 0 };

    is_int(execplugin_credential(r->plugin, &c, &err), 0, "it gave a credential %s", err.text);
    is_span(c.token, span_of(token), "this one");
}

static void is_error(struct rig *r, const char *part)
{
    struct execcredential c;
    struct err err = { 0 };

    ok(execplugin_credential(r->plugin, &c, &err) < 0, "it gave none");
    ok(strstr(err.text, part) != NULL && strstr(err.text, "exec plugin") != NULL, "%s", err.text);
}

static char *read_file(const char *name)
{
    AUTO_STR path = mem_printf("%s/%s", folder, name);
    struct readfile_signature signature;
    char *body = NULL;
    size_t len = 0;

    ok(readfile_read(path, MIB, &signature, &body, &len, NULL) == 0, "%s is there", name);
    (void)unlink(path);
    return body;
}

static void test_what_it_is_given(void)
{
    struct rig r;

    setenv("PLUGIN_WORD", "hidden", 1);
    setenv("KUBERNETES_EXEC_INFO", "hidden", 1);
    setenv("INHERITED", "yes", 1);
    open_rig(&r, "echo \"$1|$PLUGIN_WORD|$INHERITED\" >$2/said; cat >>$2/said\n"
                 "printf %s \"$KUBERNETES_EXEC_INFO\" >$2/info\n" TOKEN("t1"));
    ok(execplugin_is_running(r.plugin, clock_mono_ms(), 1000), "it runs");
    run(&r, 0);
    is_token(&r, "t1");
    AUTO_STR said = read_file("said");
    AUTO_STR info = read_file("info");
    is_str(said, "one two|word|yes\n", "arguments, environment, and nothing to read");
    is_str(info,
           "{\"kind\":\"ExecCredential\",\"apiVersion\":\"" V1
           "\",\"spec\":{\"interactive\":false}}\n",
           "what it is asked for");
    close_rig(&r);
}

static void test_when_it_is_run(void)
{
    struct rig r;

    open_rig(&r, "echo x >>$2/runs\n" TOKEN("t"));
    run(&r, 0);
    run(&r, 0);
    AUTO_STR once = read_file("runs");
    is_str(once, "x\n", "once is enough");
    execplugin_forget(r.plugin);
    run(&r, 0);
    AUTO_STR again = read_file("runs");
    is_str(again, "x\n", "until it is refused");
    close_rig(&r);

    open_rig(
        &r, "echo x >>$2/runs\necho '{\"kind\":\"ExecCredential\",\"apiVersion\":\"" V1
            "\",\"status\":{\"token\":\"t\",\"expirationTimestamp\":\"1970-01-01T00:00:02Z\"}}'\n");
    run(&r, 0);
    ok(!execplugin_is_running(r.plugin, clock_mono_ms(), 1999), "it is good");
    ok(execplugin_is_running(r.plugin, clock_mono_ms(), 2000), "until it expires");
    close_rig(&r);
    AUTO_STR runs = read_file("runs");
    (void)runs;
}

static void test_failures(void)
{
    static const struct {
        const char *script, *part;
    } t[] = {
        { "exit 3\n", "it ended with code 3" },
        { "kill -9 $$\n", "a signal ended it (9)" },
        { "echo nonsense\n", "it did not print a JSON object" },
        { "exec head -c 3000000 /dev/zero\n", "it printed more than" },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        struct rig r;
        open_rig(&r, t[i].script);
        run(&r, 0);
        ok(!execplugin_is_running(r.plugin, clock_mono_ms(), 1000), "not again before it was told");
        is_error(&r, t[i].part);
        ok(execplugin_is_running(r.plugin, clock_mono_ms(), 1000), "then once more");
        close_rig(&r);
    }
    struct rig r;
    open_rig(&r, "");
    r.config.exec.command = SPAN_LIT("/nowhere/plugin");
    r.config.exec.install_hint = SPAN_LIT("install it");
    run(&r, 0);
    is_error(&r, "install it: cannot be run: No such file or directory");
    close_rig(&r);
}

/* And not only waits to be buried. */
static bool is_alive(pid_t pid)
{
    AUTO_STR path = mem_printf("/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "r");
    char text[256] = "";

    if (file == NULL) {
        return false;
    }
    (void)!fread(text, 1, sizeof(text) - 1, file);
    (void)fclose(file);
    return strstr(text, ") Z") == NULL;
}

/* What it has started itself ends with it. */
static void test_deadline(void)
{
    struct rig r;

    open_rig(&r, "sleep 600 & echo $! >$2/pid\nwait\n");
    AUTO_STR path = mem_printf("%s/pid", folder);
    struct stat st;
    ok(execplugin_is_running(r.plugin, clock_mono_ms(), 1000), "it runs");
    for (int64_t end = clock_mono_ms() + 20000;
         (stat(path, &st) != 0 || st.st_size == 0) && clock_mono_ms() < end;) {
        poll(NULL, 0, 5);
    }
    ok(execplugin_is_running(r.plugin, clock_mono_ms() + 29000, 1000), "for half a minute");
    ok(!execplugin_is_running(r.plugin, clock_mono_ms() + 30001, 1000), "and no longer");
    is_error(&r, "it took longer than 30 s");
    AUTO_STR pid = read_file("pid");
    pid_t child = (pid_t)strtol(pid, NULL, 10);
    for (int64_t end = clock_mono_ms() + 20000; is_alive(child) && clock_mono_ms() < end;) {
        poll(NULL, 0, 5);
    }
    ok(child > 0 && !is_alive(child), "its child has ended");
    close_rig(&r);
}

int main(void)
{
    folder = check_folder("execplugin");
    test_what_it_is_given();
    test_when_it_is_run();
    test_failures();
    test_deadline();
    (void)rmdir(folder);
    mem_free(folder);
    return check_done();
}
