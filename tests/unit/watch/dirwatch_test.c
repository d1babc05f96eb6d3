#include "allocator/watch/dirwatch.h"

#include "allocator/base/clock.h"
#include "allocator/base/log.h"
#include "allocator/base/mem.h"
#include "allocator/base/metric.h"
#include "tests/check.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char *dir;

static char *at(const char *name)
{
    return mem_printf("%s/%s", dir, name);
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

static void move(const char *from, const char *to)
{
    AUTO_STR a = at(from);
    AUTO_STR b = at(to);
    ok(rename(a, b) == 0, "%s becomes %s", from, to);
}

static void put(const char *name)
{
    AUTO_STR path = at(name);
    FILE *f = fopen(path, "we");
    ok(f != NULL && fputs("x", f) >= 0 && fclose(f) == 0, "write %s", name);
}

/* ---- subscribers that write down what they hear: <subscriber>, then '!' (ready), '~' (touched) or
 * '?' (unsure), then the name; of several in a row that are equal, one */

static char heard[512], last[64];

struct listener {
    char name;
    struct dirwatch_sub *sub;
};

static void on_event(void *arg, enum dirwatch_event event, struct span name)
{
    char now[64];

    (void)snprintf(now, sizeof(now), "%c%c%.*s", ((struct listener *)arg)->name,
                   event == DIRWATCH_READY     ? '!'
                   : event == DIRWATCH_TOUCHED ? '~'
                                               : '?',
                   SPAN_ARG(name));
    if (strcmp(now, last) != 0) {
        size_t n = strlen(heard);
        (void)snprintf(heard + n, sizeof(heard) - n, "%s%s", n > 0 ? " " : "", now);
        (void)snprintf(last, sizeof(last), "%s", now);
    }
}

static void listen_to(struct dirwatch *d, struct listener *l, const char *folder, const char *name)
{
    AUTO_STR path = at(folder);
    l->sub = dirwatch_add(d, span_of(path), span_of(name), on_event, l);
}

/* What was heard since the last time; events are there when the call that made them returns. */
static const char *hear(struct dirwatch *d)
{
    static char text[512];

    heard[0] = last[0] = '\0';
    dirwatch_read(d);
    (void)snprintf(text, sizeof(text), "%s", heard);
    return text;
}

static const char *hear_tick(struct dirwatch *d, int64_t now_ms)
{
    heard[0] = last[0] = '\0';
    dirwatch_tick(d, now_ms);
    return heard;
}

/* ---- cases */

static void test_names(void)
{
    struct listener all = { 'A', NULL }, one = { 'B', NULL }, other = { 'C', NULL };
    struct dirwatch *d = dirwatch_new();

    make_dir("sd");
    listen_to(d, &all, "sd", "");
    listen_to(d, &one, "sd", "x");
    listen_to(d, &other, "sd", "y");
    is_int(dirwatch_deadline_ms(d), INT64_MAX, "watched: nothing to look at");
    put("sd/x");
    is_str(hear(d), "A~x B~x A~x B~x A!x B!x", "created, written, closed");
    put("sd/z");
    is_str(hear(d), "A~z A!z", "nobody else asks for it");
    move("sd/z", "sd/y");
    is_str(hear(d), "A~z A!y C!y", "renamed into place: complete");
    dirwatch_remove(d, &one.sub);
    ok(one.sub == NULL, "gone");
    erase("sd/x");
    is_str(hear(d), "A~x", "the others stay");
    dirwatch_remove(d, &all.sub);
    erase("sd/y");
    is_str(hear(d), "C~y", "one by name alone");
    dirwatch_remove(d, &other.sub);
    dirwatch_remove(d, &other.sub); /* none: nothing */
    dirwatch_free(&d);
    erase("sd");
}

/* Several who listen to all names; the one in the middle leaves. */
static void test_many_for_all(void)
{
    struct listener l[] = { { 'A', NULL }, { 'B', NULL }, { 'C', NULL } };
    struct dirwatch *d = dirwatch_new();

    make_dir("sd");
    for (size_t i = 0; i < COUNT(l); i++) {
        listen_to(d, &l[i], "sd", "");
    }
    dirwatch_remove(d, &l[1].sub);
    make_dir("sd/x");
    is_str(hear(d), "C~x A~x", "two are left");
    dirwatch_remove(d, &l[2].sub);
    dirwatch_remove(d, &l[0].sub);
    erase("sd/x");
    is_str(hear(d), "", "none");
    dirwatch_free(&d);
    erase("sd");
}

/* A link that is renamed into place changes files whose names no event tells. */
static void test_link(void)
{
    struct listener one = { 'A', NULL }, all = { 'B', NULL };
    struct dirwatch *d = dirwatch_new();
    AUTO_STR path = at("sd/..data");

    make_dir("sd");
    listen_to(d, &one, "sd", "x");
    listen_to(d, &all, "sd", "");
    ok(symlink("nowhere", path) == 0, "a link");
    is_str(hear(d), "B~..data A? B?", "everybody may see something else now");
    dirwatch_remove(d, &one.sub);
    dirwatch_remove(d, &all.sub);
    dirwatch_free(&d);
    erase("sd/..data");
    erase("sd");
}

/* How many folders could not be watched since 'n' was 0. */
static uint64_t errors_since(uint64_t n)
{
    return metric_value(METRIC_SD_FILE_WATCHER_ERRORS) - n;
}

/* A folder that comes late is found at a look, one that goes is looked for again. */
static void test_late_folder(void)
{
    struct listener l = { 'A', NULL };
    struct dirwatch *d = dirwatch_new();
    const uint64_t n = errors_since(0);

    listen_to(d, &l, "sd", "x");
    is_int(dirwatch_deadline_ms(d), 0, "not there: look soon");
    is_str(hear_tick(d, 1000), "A?", "each look is told");
    is_int(dirwatch_deadline_ms(d), 6000, "the next one in five seconds");
    is_str(hear_tick(d, 5999), "", "not earlier");
    is_int(errors_since(n), 1, "that it is not there counts once");
    make_dir("sd");
    is_str(hear_tick(d, 6000), "A?", "it is there");
    is_int(dirwatch_deadline_ms(d), INT64_MAX, "and watched");
    put("sd/x");
    is_str(hear(d), "A~x A!x", "from now on");
    erase("sd/x");
    erase("sd");
    is_str(hear(d), "A~x A?", "gone with what was in it");
    is_int(dirwatch_deadline_ms(d), 0, "look again");
    (void)hear_tick(d, 6500);
    is_int(errors_since(n), 2, "that it is gone counts too");
    put("sd");
    (void)hear_tick(d, 11500);
    is_int(errors_since(n), 3, "so does a file in its place");
    erase("sd");
    make_dir("sd");
    is_str(hear_tick(d, 16500), "A?", "back");
    put("sd/x");
    is_str(hear(d), "A~x A!x", "and watched");
    dirwatch_remove(d, &l.sub);
    dirwatch_free(&d);
    erase("sd/x");
    erase("sd");
}

/* Two paths to one folder are one watch; it lives as long as one of them is listened to. */
static void test_two_paths(void)
{
    struct listener a = { 'A', NULL }, b = { 'B', NULL };
    struct dirwatch *d = dirwatch_new();
    AUTO_STR path = at("link");

    make_dir("sd");
    ok(symlink("sd", path) == 0, "a second path");
    listen_to(d, &a, "sd", "x");
    listen_to(d, &b, "link", "x");
    make_dir("sd/x");
    const char *text = hear(d);
    ok(strcmp(text, "A~x B~x") == 0 || strcmp(text, "B~x A~x") == 0, "both hear: %s", text);
    dirwatch_remove(d, &a.sub);
    erase("sd/x");
    is_str(hear(d), "B~x", "the other goes on");
    dirwatch_remove(d, &b.sub);
    dirwatch_free(&d);
    erase("link");
    erase("sd");
}

/* The path leads elsewhere: no event tells, the subscriber asks. */
static void test_renew(void)
{
    struct listener l = { 'A', NULL };
    struct dirwatch *d = dirwatch_new();
    AUTO_STR path = at("data");

    make_dir("v1");
    make_dir("v2");
    ok(symlink("v1", path) == 0, "data -> v1");
    listen_to(d, &l, "data", "x");
    heard[0] = '\0';
    dirwatch_renew(d, l.sub);
    is_str(heard, "", "nothing has changed");
    erase("data");
    ok(symlink("v2", path) == 0, "data -> v2");
    heard[0] = last[0] = '\0';
    dirwatch_renew(d, l.sub);
    is_str(heard, "A?", "another folder");
    make_dir("v2/x");
    is_str(hear(d), "A~x", "which is watched");
    make_dir("v1/x");
    is_str(hear(d), "", "the old one is not");
    dirwatch_remove(d, &l.sub);
    dirwatch_free(&d);
    erase("v1/x");
    erase("v2/x");
    erase("v1");
    erase("v2");
    erase("data");
}

/* Without inotify each folder is looked at every few seconds. */
static void test_no_inotify(void)
{
    struct listener l = { 'A', NULL };
    struct rlimit had, none;

    ok(getrlimit(RLIMIT_NOFILE, &had) == 0, "limit");
    none = had;
    none.rlim_cur = 0;
    ok(setrlimit(RLIMIT_NOFILE, &none) == 0, "no more descriptors");
    struct dirwatch *d = dirwatch_new();
    ok(setrlimit(RLIMIT_NOFILE, &had) == 0, "as many as before");
    const uint64_t n = errors_since(0);
    is_int(dirwatch_fd(d), -1, "no inotify");
    make_dir("sd");
    listen_to(d, &l, "sd", "x");
    dirwatch_renew(d, l.sub);
    is_str(hear_tick(d, 1000), "A?", "a look");
    is_str(hear_tick(d, 6000), "A?", "and another");
    is_int(errors_since(n), 0, "no folder is to blame for that");
    dirwatch_remove(d, &l.sub);
    is_int(dirwatch_deadline_ms(d), INT64_MAX, "nobody listens");
    dirwatch_free(&d);
    dirwatch_free(&d); /* none: nothing */
    erase("sd");
}

static void make_link(const char *name)
{
    AUTO_STR path = at(name);
    ok(symlink("nowhere", path) == 0, "link %s", name);
}

/* A link may lead anywhere, so that nothing is sure any more; whatever happens next to it, be it of
 * a name as long or of the same name elsewhere, does not hide it. */
static void test_links_among_others(void)
{
    struct listener one = { 'A', NULL }, two = { 'B', NULL };
    struct dirwatch *d = dirwatch_new();

    make_dir("one");
    make_dir("two");
    listen_to(d, &one, "one", "");
    listen_to(d, &two, "two", "");
    make_link("one/l");
    put("one/m");
    is_str(hear(d), "A~l A? A~m A!m", "a link, then another name as long");
    make_link("one/k");
    put("two/k");
    is_str(hear(d), "A~k A? B~k B!k", "a link, then the same name in another folder");
    make_link("one/longer-than-sixteen-bytes");
    put("one/n");
    is_str(hear(d), "A~longer-than-sixteen-bytes A? A~n A!n", "a link, then a shorter name");
    make_link("one/x");
    erase("one/x");
    make_link("one/x");
    is_str(hear(d), "A~x A?", "a link that goes and comes: it counts as it is in the end");
    dirwatch_remove(d, &one.sub);
    dirwatch_remove(d, &two.sub);
    dirwatch_free(&d);
    static const char *const all[] = {
        "one/l", "one/m", "one/k", "two/k", "one/longer-than-sixteen-bytes",
        "one/n", "one/x", "one",   "two"
    };
    for (size_t i = 0; i < COUNT(all); i++) {
        erase(all[i]);
    }
}

int main(void)
{
    log_set_level(LOG_ERROR);
    dir = check_folder("dirwatch");
    test_links_among_others();
    test_names();
    test_many_for_all();
    test_link();
    test_late_folder();
    test_two_paths();
    test_renew();
    test_no_inotify();
    ok(rmdir(dir) == 0, "nothing is left");
    mem_free(dir);
    return check_done();
}
