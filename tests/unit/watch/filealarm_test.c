#include "allocator/watch/filealarm.h"

#include "allocator/base/mem.h"
#include "tests/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

static char *dir;

struct rig {
    struct dirwatch *dirs;
    struct filealarm *alarm;
    char *paths[2];
    int fd;
};

static void put(const char *path, const char *text)
{
    FILE *f = fopen(path, "we");
    ok(f != NULL && fputs(text, f) >= 0 && fclose(f) == 0, "'%s' in %s", text, path);
}

static void open_rig(struct rig *r)
{
    r->dirs = dirwatch_new();
    r->alarm = filealarm_new(r->dirs);
    r->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    r->paths[0] = mem_printf("%s/a", dir);
    r->paths[1] = mem_printf("%s/b", dir);
    put(r->paths[0], "a1");
    put(r->paths[1], "b1");
}

static void close_rig(struct rig *r)
{
    filealarm_free(&r->alarm);
    filealarm_free(&r->alarm); /* none: nothing */
    dirwatch_free(&r->dirs);
    for (size_t i = 0; i < 2; i++) {
        (void)unlink(r->paths[i]);
        mem_free(r->paths[i]);
    }
    close(r->fd);
}

/* Reads events and lets the time come; how often it rang. */
static int turn(struct rig *r, int64_t now_ms)
{
    eventfd_t n = 0;

    dirwatch_read(r->dirs);
    filealarm_tick(r->alarm, now_ms);
    return eventfd_read(r->fd, &n) == 0 ? (int)n : 0;
}

/* Watches the first 'n' files; at 'now_ms' the ring is over that asks to look once. */
static void watch(struct rig *r, size_t n, int64_t now_ms)
{
    filealarm_set(r->alarm, r->paths, n, r->fd, now_ms - 1000);
    is_int(filealarm_deadline_ms(r->alarm), now_ms, "rings after a second");
    is_int(turn(r, now_ms - 1), 0, "not before");
    is_int(turn(r, now_ms), 1, "for what has changed before they were watched");
}

/* Rings once, a second after the last change. */
static void test_quiet(void)
{
    struct rig r;

    open_rig(&r);
    is_int(filealarm_deadline_ms(r.alarm), INT64_MAX, "nothing to watch");
    watch(&r, 2, 0);
    is_int(filealarm_deadline_ms(r.alarm), 10000, "looked at every ten seconds");
    is_int(turn(&r, 100), 0, "nothing has changed");
    put(r.paths[0], "a2");
    dirwatch_read(r.dirs);
    is_int(filealarm_deadline_ms(r.alarm), 0, "an event");
    is_int(turn(&r, 200), 0, "is waited out");
    is_int(filealarm_deadline_ms(r.alarm), 250, "a moment");
    is_int(turn(&r, 250), 0, "seen");
    is_int(filealarm_deadline_ms(r.alarm), 1250, "quiet for a second");
    put(r.paths[1], "b2");
    is_int(turn(&r, 1200), 0, "not so");
    is_int(turn(&r, 1250), 0, "seen before it would have rung");
    is_int(turn(&r, 2249), 0, "quiet again");
    is_int(turn(&r, 2250), 1, "rings");
    is_int(turn(&r, 20000), 0, "once");
    close_rig(&r);
}

static void test_without_events(void)
{
    struct rig r;

    open_rig(&r);
    watch(&r, 2, 0);
    (void)unlink(r.paths[1]);
    filealarm_tick(r.alarm, 9999); /* the event is not read */
    is_int(filealarm_deadline_ms(r.alarm), 10000, "not looked at yet");
    filealarm_tick(r.alarm, 10000);
    is_int(filealarm_deadline_ms(r.alarm), 11000, "a file that goes is a change");
    close_rig(&r);
}

/* A folder is the names in it, whatever the files hold. */
static void test_folder(void)
{
    struct rig r;

    open_rig(&r);
    char *file = r.paths[0];
    r.paths[0] = mem_printf("%s/", dir);
    watch(&r, 1, 0);
    put(file, "a2");
    is_int(turn(&r, 100), 0, "a file is written");
    is_int(turn(&r, 150), 0, "which is looked at");
    is_int(turn(&r, 2000), 0, "and is no news of the folder");
    char *hidden = mem_printf("%s/.c", dir);
    put(hidden, "c");
    is_int(turn(&r, 3000) + turn(&r, 3050) + turn(&r, 5000), 0, "a hidden name is none, either");
    (void)unlink(hidden);
    (void)unlink(file);
    is_int(turn(&r, 6000) + turn(&r, 6050), 0, "a name goes");
    is_int(turn(&r, 7050), 1, "that is");
    put(file, "a1");
    is_int(turn(&r, 8000) + turn(&r, 8050), 0, "and comes back");
    is_int(turn(&r, 9050), 1, "that too");
    mem_free(r.paths[0]);
    mem_free(hidden);
    r.paths[0] = file;
    close_rig(&r);
}

/* Changed and changed back within the second: nothing to report. */
static void test_changed_back(void)
{
    struct rig r;

    open_rig(&r);
    watch(&r, 2, 0);
    put(r.paths[0], "a2");
    is_int(turn(&r, 100) + turn(&r, 150), 0, "seen");
    put(r.paths[0], "a1");
    is_int(turn(&r, 200) + turn(&r, 250), 0, "back");
    is_int(filealarm_deadline_ms(r.alarm), 1150, "looked at when it would ring");
    is_int(turn(&r, 1150), 0, "nothing to ring for");
    is_int(filealarm_deadline_ms(r.alarm), 10000, "no more, but the usual look");
    is_int(turn(&r, 30000), 0, "never");
    close_rig(&r);
}

/* One file is written all the time: the other is not held up, nor is that one itself. */
static void test_never_quiet(int step_ms)
{
    struct rig r;
    int n = 0, n_late = 0;
    int64_t last_ms = 0;

    open_rig(&r);
    watch(&r, 2, 0);
    for (int64_t now = step_ms; now <= 20000; now += step_ms) {
        FILE *f = fopen(r.paths[0], "we");
        n_late += f == NULL || fprintf(f, "%lld", (long long)now) < 0 || fclose(f) != 0;
        if (turn(&r, now) > 0) {
            n_late += now - last_ms > 3000 + 50 + 3 * step_ms;
            last_ms = now;
            n++;
        }
    }
    is_int(n_late, 0, "written every %d ms: never silent for longer", step_ms);
    ok(n >= 4 && n <= 7, "%d rings in 20 s", n);
    close_rig(&r);
}

/* The first ring is owed also when there is a change in its second, and when that is taken back. */
static void test_changed_at_once(void)
{
    struct rig r;

    open_rig(&r);
    filealarm_set(r.alarm, r.paths, 2, r.fd, 0);
    put(r.paths[0], "a2");
    is_int(turn(&r, 100) + turn(&r, 150), 0, "seen");
    put(r.paths[0], "a1");
    is_int(turn(&r, 200) + turn(&r, 250), 0, "back");
    is_int(turn(&r, 999), 0, "quiet for a second");
    is_int(turn(&r, 1000), 1, "rings");
    is_int(turn(&r, 30000), 0, "once");
    close_rig(&r);
}

/* Another list: what its files hold then is what changes are told from. */
static void test_replaced(void)
{
    struct rig r;

    open_rig(&r);
    watch(&r, 2, 0);
    put(r.paths[0], "a2");
    is_int(turn(&r, 100) + turn(&r, 150), 0, "a change");
    watch(&r, 1, 200);
    is_int(filealarm_deadline_ms(r.alarm), 10200, "is none any more");
    put(r.paths[1], "b2");
    is_int(turn(&r, 300) + turn(&r, 350) + turn(&r, 20000) + turn(&r, 40000), 0,
           "nobody asks for the second file");
    put(r.paths[0], "a3");
    is_int(turn(&r, 40100) + turn(&r, 40150), 0, "a change of the first");
    is_int(turn(&r, 41150), 1, "rings");
    filealarm_set(r.alarm, NULL, 0, -1, 50000);
    is_int(filealarm_deadline_ms(r.alarm), INT64_MAX, "nothing to watch");
    close_rig(&r);
}

int main(void)
{
    dir = check_folder("filealarm");
    test_quiet();
    test_without_events();
    test_folder();
    test_changed_back();
    test_never_quiet(400);
    test_never_quiet(50);
    test_never_quiet(10);
    test_changed_at_once();
    test_replaced();
    ok(rmdir(dir) == 0, "nothing is left");
    mem_free(dir);
    return check_done();
}
