#include "allocator/watch/filewatch.h"

#include "allocator/base/clock.h"
#include "allocator/base/container.h"
#include "allocator/base/mem.h"
#include "allocator/watch/carriers.h"
#include "tests/check.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MAX_FILES 3

static char *dir;

static char *at(const char *name)
{
    return mem_printf("%s/%s", dir, name);
}

static void put_text(const char *name, const char *text)
{
    AUTO_STR path = at(name);
    FILE *f = fopen(path, "we");
    ok(f != NULL && fputs(text, f) >= 0 && fclose(f) == 0, "write %s", name);
}

static void put(const char *name)
{
    put_text(name, "[]");
}

static void make_dir(const char *name)
{
    AUTO_STR path = at(name);
    ok(mkdir(path, 0700) == 0, "folder %s", name);
}

static void erase(const char *name)
{
    AUTO_STR path = at(name);
    ok(remove(path) == 0, "remove %s", name);
}

/* As kubelet does: a new link is renamed over the old one. */
static void point(const char *link, const char *target)
{
    AUTO_STR path = at(link);
    AUTO_STR temporary = mem_printf("%s.tmp", path);
    ok(symlink(target, temporary) == 0 && rename(temporary, path) == 0, "%s -> %s", link, target);
}

/* ---- the watcher, as far as files need it, with turns taken by hand */

struct rig {
    struct dirwatch *dirs;
    struct carriers carriers;
    struct carrier_source *files; /* the one of them */
    struct mailbox *engine;
};

static void open_rig(struct rig *r)
{
    r->dirs = dirwatch_new();
    r->files = filewatch_new(r->dirs, MAX_FILES);
    r->engine = mailbox_new(0);
    carriers_init(&r->carriers);
    carriers_put(&r->carriers, r->files);
    carriers_connect(&r->carriers, r->engine);
}

static void close_rig(struct rig *r)
{
    carriers_fini(&r->carriers);
    dirwatch_free(&r->dirs);
    mailbox_free(&r->engine);
}

static void add(struct rig *r, uint64_t id, const char *pattern, int64_t refresh_ms)
{
    AUTO_STR path = at(pattern);
    struct span patterns[] = { span_of(path) };
    const struct ask ask = { .carrier = CARRIER_FILE,
                             .refresh_ms = refresh_ms,
                             .file = { .patterns = patterns, .n_patterns = 1 } };

    ok(carriers_take(&r->carriers, &want_new(id, &ask)->mail, clock_mono_ms()), "a want");
}

static void change(struct rig *r, enum watcher_mail what, int64_t now_ms)
{
    ok(carriers_take(&r->carriers, &want_change_new(what, 1)->mail, now_ms), "a change of it");
}

/* What the engine was told since the last time, one letter each: the want, then '+' (read), '!'
 * (cannot be read) or '-' (gone), then the file's name without its ending; sorted. */
static int compare_lines(const void *a, const void *b)
{
    return strcmp(a, b);
}

static const char *told(const struct rig *r)
{
    static char text[512];
    char lines[32][16];
    size_t n = 0;

    for (struct mail *mail = mailbox_drain(r->engine), *next; mail != NULL; mail = next) {
        const struct arrival *a = CONTAINER_OF(mail, struct arrival, mail);
        next = mail->next;
        if (a->status != ARRIVAL_SETTLED && n < 32) {
            const char *name = a->source == NULL ? "" : strrchr(a->source, '/') + 1;
            (void)snprintf(lines[n++], sizeof(lines[0]), "%u%c%.*s", (unsigned)a->want,
                           a->status == ARRIVAL_OK        ? '+'
                           : a->status == ARRIVAL_FAILED  ? '!'
                           : a->status == ARRIVAL_BLIND   ? '?'
                           : a->status == ARRIVAL_SIGHTED ? '='
                                                          : '-',
                           (int)strcspn(name, "."), name);
        }
        mail->dispose(mail);
    }
    qsort(lines, n, sizeof(lines[0]), compare_lines);
    text[0] = '\0';
    for (size_t i = 0; i < n; i++) {
        (void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s", i > 0 ? " " : "",
                       lines[i]);
    }
    return text;
}

static void turn(const struct rig *r, int64_t now_ms)
{
    dirwatch_read(r->dirs);
    dirwatch_tick(r->dirs, now_ms);
    r->files->ops->tick(r->files, now_ms);
}

/* ---- cases */

/* The folder is a link that is swapped. One job looks at its interval, at which the watch moves to
 * the new folder; the other's interval is far away. */
static void test_swapped_folder(void)
{
    struct rig r;

    make_dir("v1");
    make_dir("v2");
    put("v1/a.json");
    put("v2/b.json");
    point("data", "v1");
    open_rig(&r);
    int64_t start_ms = clock_mono_ms();
    add(&r, 1, "data/*.json", 60000);
    add(&r, 2, "data/*.json", 3600000);
    is_str(told(&r), "1+a 2+a", "both see the first folder");
    turn(&r, start_ms);
    is_str(told(&r), "", "and nothing new");

    point("data", "v2");
    erase("v1/a.json");
    erase("v1");
    r.files->ops->tick(r.files,
                       start_ms + 61000); /* before the events of the old folder were read */
    turn(&r, start_ms + 61000);
    is_str(told(&r), "1+b 1-a 2+b 2-a", "both see the second");
    turn(&r, start_ms + 61000);
    is_str(told(&r), "", "once");
    is_int(r.files->ops->deadline_ms(r.files) >= start_ms + 61000 + 60000, 1, "and nothing is due");

    put("v2/c.json");
    dirwatch_read(r.dirs);
    r.files->ops->tick(r.files, start_ms + 62000); /* when the file has settled */
    is_str(told(&r), "1+c 2+c", "files of the second folder are watched for both");
    close_rig(&r);
    erase("v2/b.json");
    erase("v2/c.json");
    erase("v2");
    erase("data");
}

/* getdents64() fails for this thread from now on. */
static bool break_listing(void)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getdents64, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EIO),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog program = { .len = COUNT(code), .filter = code };

    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

static void *look_again_broken(void *arg)
{
    ok(break_listing(), "folders cannot be listed");
    change(arg, WATCHER_WANT_REFRESH, clock_mono_ms());
    return NULL;
}

static void test_broken_listing(void)
{
    struct rig r;
    struct err err;
    pthread_t thread;

    make_dir("sd");
    put("sd/a.json");
    put("sd/b.json");
    open_rig(&r);
    add(&r, 1, "sd/*.json", 60000);
    is_str(told(&r), "1+a 1+b", "two files");
    erase("sd/b.json");
    int rc = thread_start(&thread, "broken", look_again_broken, &r, &err);
    thread_join(thread); /* before this one counts checks again */
    is_int(rc, 0, "another thread");
    is_str(told(&r), "1! 1+a 1-b",
           "told of; what is there stays and is read, what is gone is gone");
    change(&r, WATCHER_WANT_REFRESH, clock_mono_ms());
    is_str(told(&r), "1+a", "good again");
    close_rig(&r);
    erase("sd/a.json");
    erase("sd");
}

static void test_too_many(void)
{
    struct rig r;

    make_dir("sd");
    put("sd/c.json");
    put("sd/d.json");
    open_rig(&r);
    add(&r, 1, "sd/*.json", 60000);
    is_str(told(&r), "1+c 1+d", "fewer than may be");
    static const char *const more[] = { "sd/a.json", "sd/b.json", "sd/e.json", "sd/f.json" };
    for (size_t i = 0; i < COUNT(more); i++) {
        put(more[i]);
    }
    change(&r, WATCHER_WANT_REFRESH, clock_mono_ms());
    const char *text = told(&r);
    ok(strstr(text, "1+c") != NULL && strstr(text, "1+d") != NULL && strchr(text, '-') == NULL,
       "the known ones stay: %s", text);
    ok(strstr(text, "1! ") != NULL, "that there are too many is told: %s", text);
    is_int(strlen(text), 14, "and there is room for one more: %s", text);
    erase("sd/c.json");
    erase("sd/d.json");
    change(&r, WATCHER_WANT_REFRESH, clock_mono_ms());
    text = told(&r);
    ok(strstr(text, "1-c") != NULL && strstr(text, "1-d") != NULL, "known ones go: %s", text);
    change(&r, WATCHER_WANT_REFRESH, clock_mono_ms());
    is_int(strlen(told(&r)), 14, "others come");
    erase(more[0]);
    change(&r, WATCHER_WANT_REFRESH, clock_mono_ms());
    (void)told(&r);
    change(&r, WATCHER_WANT_REFRESH, clock_mono_ms());
    is_str(told(&r), "1+b 1+e 1+f", "until all are there");
    close_rig(&r);
    for (size_t i = 1; i < COUNT(more); i++) {
        erase(more[i]);
    }
    erase("sd");
}

/* What was written again with the bytes it had is not news, until somebody asks for it. */
static void test_same_bytes(void)
{
    struct rig r;

    make_dir("sd");
    put_text("sd/a.json", "[1]");
    open_rig(&r);
    int64_t now_ms = clock_mono_ms();
    add(&r, 1, "sd/*.json", 60000);
    is_str(told(&r), "1+a", "a first reading");
    put_text("sd/a.json", "[1]");
    turn(&r, now_ms += 1000);
    turn(&r, now_ms += 61000);
    is_str(told(&r), "", "the same bytes");
    put_text("sd/a.json", "[2]");
    turn(&r, now_ms += 1000);
    turn(&r, now_ms += 61000);
    is_str(told(&r), "1+a", "as many others");
    change(&r, WATCHER_WANT_REFRESH, now_ms);
    is_str(told(&r), "1+a", "asked for: told again");
    put_text("sd/a.json", "[2]");
    change(&r, WATCHER_WANT_REDELIVER, clock_mono_ms());
    turn(&r, now_ms += 1000);
    turn(&r, now_ms += 61000);
    is_str(told(&r), "1+a", "could not be read: told when it comes again");
    erase("sd/a.json");
    turn(&r, now_ms += 1000);
    turn(&r, now_ms += 61000);
    is_str(told(&r), "1-a", "gone");
    put_text("sd/a.json", "[2]");
    turn(&r, now_ms += 1000);
    turn(&r, now_ms + 61000);
    is_str(told(&r), "1+a", "and back with the same bytes");
    close_rig(&r);
    erase("sd/a.json");
    erase("sd");
}

/* A file that is being written is read when it was quiet for a while, or has not been for long. */
static void test_settling(void)
{
    AUTO_STR path = at("a.json");
    struct rig r;

    put_text("a.json", "[1]");
    open_rig(&r);
    add(&r, 1, "a.json", 3600000);
    is_str(told(&r), "1+a", "one file by its name");
    FILE *f = fopen(path, "we");
    ok(f != NULL && fputs("[", f) >= 0 && fflush(f) == 0, "half of it");
    int64_t from_ms = clock_mono_ms();
    dirwatch_read(r.dirs);
    int64_t due_ms = r.files->ops->deadline_ms(r.files);
    ok(due_ms >= from_ms + 100 && due_ms <= clock_mono_ms() + 100, "is waited for");
    r.files->ops->tick(r.files, due_ms - 1);
    is_str(told(&r), "", "so far");
    ok(fputs("22]", f) >= 0 && fclose(f) == 0, "the rest");
    turn(&r, clock_mono_ms());
    is_str(told(&r), "1+a", "closed: read at once");
    is_int(r.files->ops->deadline_ms(r.files) > clock_mono_ms() + 60000, 1, "and not again");
    erase("a.json");
    turn(&r, clock_mono_ms() + 2000);
    is_str(told(&r), "1-a", "gone");
    put("a.json");
    turn(&r, clock_mono_ms() + 2000);
    is_str(told(&r), "1+a", "back");
    change(&r, WATCHER_WANT_CANCEL, clock_mono_ms());
    put_text("a.json", "[3]");
    turn(&r, clock_mono_ms() + 2000);
    is_str(told(&r), "", "cancelled");
    turn(&r, clock_mono_ms() + 3700000);
    is_int(r.files->ops->deadline_ms(r.files), INT64_MAX, "nothing is due");
    close_rig(&r);
    erase("a.json");
}

/* What is there and cannot be read is a failure, told at each look; known targets stay. */
static void test_unreadable(void)
{
    struct rig r;

    make_dir("sd");
    make_dir("sd/a.json"); /* is read as a file: EISDIR, for root too */
    put("sd/b.json");
    open_rig(&r);
    add(&r, 1, "sd/*.json", 60000);
    is_str(told(&r), "1!a 1+b", "one of two");
    turn(&r, clock_mono_ms() + 61000);
    is_str(told(&r), "1!a", "still");
    erase("sd/a.json");
    put("sd/a.json");
    turn(&r, clock_mono_ms() + 61000);
    is_str(told(&r), "1+a", "until it can be read");
    close_rig(&r);
    erase("sd/a.json");
    erase("sd/b.json");
    erase("sd");
}

static void expect_told(const struct rig *r, const char *what, const char *why)
{
    turn(r, clock_mono_ms() + 200);
    is_str(told(r), what, "%s", why);
}

/* Of what is not there nobody knows what it would say; what is empty, and what goes, is known. */
static void test_unseen(void)
{
    struct rig r;

    make_dir("sd");
    open_rig(&r);
    add(&r, 1, "sd/a.json", 3600000);
    is_str(told(&r), "1?", "a file that was never there");
    change(&r, WATCHER_WANT_REFRESH, clock_mono_ms());
    is_str(told(&r), "", "which is said once");
    put("sd/a.json");
    expect_told(&r, "1+a 1=", "it comes, and nothing is unknown any more");
    erase("sd/a.json");
    expect_told(&r, "1-a", "and goes, which is known");
    add(&r, 2, "sd/*.json", 3600000);
    is_str(told(&r), "", "a folder with nothing that matches is an answer");
    add(&r, 3, "late/*.json", 3600000);
    is_str(told(&r), "3?", "a folder that is not there is none");
    add(&r, 4, "late?/x/*.json", 3600000);
    is_str(told(&r), "", "no folder matches, where folders could be listed");
    make_dir("late");
    dirwatch_tick(r.dirs, clock_mono_ms() + 6000);
    expect_told(&r, "3=", "it comes, without files");
    close_rig(&r);
    erase("late");
    erase("sd");
}

/* A link that leads nowhere is there, and cannot be read. */
static void test_dangling(void)
{
    struct rig r;

    make_dir("sd");
    point("sd/a.json", "nowhere");
    open_rig(&r);
    add(&r, 1, "sd/*.json", 3600000);
    is_str(told(&r), "1!a", "from the start");
    put("sd/nowhere");
    change(&r, WATCHER_WANT_REFRESH, clock_mono_ms());
    is_str(told(&r), "1+a", "what it leads to comes");
    erase("sd/nowhere");
    change(&r, WATCHER_WANT_REFRESH, clock_mono_ms());
    is_str(told(&r), "1!a", "and goes: what is known stays");
    erase("sd/a.json");
    change(&r, WATCHER_WANT_REFRESH, clock_mono_ms());
    is_str(told(&r), "1-a", "the link goes");
    point("sd/b.json", "nowhere");
    change(&r, WATCHER_WANT_REFRESH, clock_mono_ms());
    erase("sd/b.json");
    change(&r, WATCHER_WANT_REFRESH, clock_mono_ms());
    is_str(told(&r), "1!b 1-b", "so does one that never led anywhere");
    close_rig(&r);
    erase("sd");
}

/* Folders that are patterns are not watched, and looked at once a minute whatever the interval. */
static void test_folder_patterns(void)
{
    struct rig r;

    make_dir("x1");
    make_dir("x1/in");
    make_dir("x2");
    put("x1/in/a.json");
    put("x2/b.json"); /* not in "in" */
    open_rig(&r);
    int64_t now_ms = clock_mono_ms();
    add(&r, 1, "x*/in/*.json", 3600000);
    is_str(told(&r), "1+a", "the one that matches");
    ok(r.files->ops->deadline_ms(r.files) <= clock_mono_ms() + 60000, "looked at in a minute");
    make_dir("x2/in");
    put("x2/in/c.json");
    turn(&r, now_ms + 1000);
    is_str(told(&r), "", "no event tells");
    turn(&r, now_ms + 70000);
    is_str(told(&r), "1+c", "a look does");
    close_rig(&r);
    erase("x1/in/a.json");
    erase("x1/in");
    erase("x1");
    erase("x2/in/c.json");
    erase("x2/in");
    erase("x2/b.json");
    erase("x2");
}

/* A want ends while files of it and of another one are waited for: the other's are read all the
 * same, and those of the first are forgotten. */
static void test_cancelled_while_due(void)
{
    static const char *const names[] = { "ga.json", "gb.json", "gc.json" };
    static const struct {
        const char *first, *second, *begin, *end;
    } t[] = {
        { "g*.json", "gb.json", "1+ga 1+gb 1+gc 2+gb", "2+gb" },
        { "gb.json", "g*.json", "1+gb 2+ga 2+gb 2+gc", "2+ga 2+gb 2+gc" },
        { "ga.json", "gc.json", "1+ga 2+gc", "2+gc" },
        { "gc.json", "ga.json", "1+gc 2+ga", "2+ga" },
    };

    for (size_t i = 0; i < COUNT(t); i++) {
        FILE *files[COUNT(names)];
        struct rig r;
        for (size_t k = 0; k < COUNT(names); k++) {
            put_text(names[k], "[1]");
        }
        open_rig(&r);
        add(&r, 1, t[i].first, 3600000);
        add(&r, 2, t[i].second, 3600000);
        is_str(told(&r), t[i].begin, "%s and %s", t[i].first, t[i].second);
        for (size_t k = 0; k < COUNT(names); k++) {
            AUTO_STR path = at(names[k]);
            files[k] = fopen(path, "ae");
            ok(files[k] != NULL && fputs("x", files[k]) >= 0 && fflush(files[k]) == 0,
               "more of it");
        }
        dirwatch_read(r.dirs);
        ok(r.files->ops->deadline_ms(r.files) <= clock_mono_ms() + 100, "they are waited for");
        change(&r, WATCHER_WANT_CANCEL, clock_mono_ms());
        r.files->ops->tick(r.files, clock_mono_ms() + 2000);
        is_str(told(&r), t[i].end, "one want is left");
        ok(r.files->ops->deadline_ms(r.files) > clock_mono_ms() + 60000, "and nothing is due");
        close_rig(&r);
        for (size_t k = 0; k < COUNT(names); k++) {
            fclose(files[k]);
            erase(names[k]);
        }
    }
}

int main(void)
{
    dir = check_folder("filewatch");
    test_swapped_folder();
    test_broken_listing();
    test_too_many();
    test_same_bytes();
    test_settling();
    test_unreadable();
    test_unseen();
    test_dangling();
    test_folder_patterns();
    test_cancelled_while_due();
    ok(rmdir(dir) == 0, "nothing is left behind");
    mem_free(dir);
    return check_done();
}
