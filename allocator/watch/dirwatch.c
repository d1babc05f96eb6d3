#define LOG_MODULE "files"
#include "allocator/watch/dirwatch.h"

#include "allocator/base/container.h"
#include "allocator/base/hash.h"
#include "allocator/base/log.h"
#include "allocator/base/mem.h"
#include "allocator/base/metric.h"
#include "allocator/base/table.h"

#include <errno.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#define RETRY_MS 5000 /* between looks at a directory that cannot be watched */
#define EVENTS                                                                                     \
    (IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE | IN_MODIFY |            \
     IN_DELETE_SELF | IN_MOVE_SELF)

struct dirwatch_sub {
    struct table_node node;    /* in the directory's table, by name */
    struct dirwatch_sub *next; /* of the directory's list of subscribers to every name */
    struct dir *dir;
    char *name; /* "" = every name */
    dirwatch_fn *fn;
    void *arg;
};

struct dir {
    struct table_node by_path, by_wd;
    char *path;
    int wd; /* -1: not watched */
    size_t n_subs;
    struct table by_name;
    struct dirwatch_sub *for_all;
    int last_errno; /* why it is not watched: logged once */
};

struct dirwatch {
    int fd;
    struct table by_path, by_wd;
    size_t n_unwatched;
    int64_t retry_ms; /* when to look at those */
};

struct dirwatch *dirwatch_new(void)
{
    struct dirwatch *d = mem_zalloc(sizeof(*d));

    table_init(&d->by_path);
    table_init(&d->by_wd);
    d->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (d->fd < 0) {
        metric_add(METRIC_SD_FILE_WATCHER_ERRORS, 1);
        log_warn("no inotify: files are looked at every few seconds",
                 LOG_STR("error", strerrordesc_np(errno)));
    }
    return d;
}

int dirwatch_fd(const struct dirwatch *d)
{
    return d->fd;
}

/* ---- telling */

static void tell_everyone(struct dir *dir) ON(watcher)
{
    for (struct table_node *node = table_next(&dir->by_name, NULL); node != NULL;
         node = table_next(&dir->by_name, node)) {
        struct dirwatch_sub *sub = CONTAINER_OF(node, struct dirwatch_sub, node);
        sub->fn(sub->arg, DIRWATCH_UNSURE, SPAN_LIT(""));
    }
    for (struct dirwatch_sub *sub = dir->for_all; sub != NULL; sub = sub->next) {
        sub->fn(sub->arg, DIRWATCH_UNSURE, SPAN_LIT(""));
    }
}

/* A link that is renamed into place may be what files of this directory point through: "..data" of
 * a mounted ConfigMap. No event names those files. */
static bool is_link(const struct dir *dir, struct span name)
{
    AUTO_STR path = mem_printf("%s/%.*s", dir->path, SPAN_ARG(name));
    struct stat st;
    return lstat(path, &st) == 0 && S_ISLNK(st.st_mode);
}

static void tell(struct dir *dir, uint32_t mask, struct span name, bool is_last) ON(watcher)
{
    enum dirwatch_event event =
        (mask & (IN_CLOSE_WRITE | IN_MOVED_TO)) != 0 ? DIRWATCH_READY : DIRWATCH_TOUCHED;
    uint64_t hash = hash_fast(name);
    bool is_known = false;

    for (struct dirwatch_sub *sub = dir->for_all; sub != NULL; sub = sub->next) {
        sub->fn(sub->arg, event, name);
    }
    if (dir->by_name.n_slots > 0) {
        struct table_node *node = dir->by_name.slots[hash & (dir->by_name.n_slots - 1)];
        for (; node != NULL; node = node->next) {
            struct dirwatch_sub *sub = CONTAINER_OF(node, struct dirwatch_sub, node);
            if (node->hash == hash && span_is(name, sub->name)) {
                sub->fn(sub->arg, event, name);
                is_known = true;
            }
        }
    }
    if (!is_known && is_last && (mask & (IN_MOVED_TO | IN_CREATE)) != 0 && is_link(dir, name)) {
        tell_everyone(dir);
    }
}

/* ---- watches */

static bool is_wd(const struct table_node *node, const void *key)
{
    const struct dir *dir = CONTAINER_OF(node, struct dir, by_wd);
    return dir->wd == *(const int *)key;
}

/* Two paths may lead to one directory, which then has one watch. */
static struct dir *find_wd(const struct dirwatch *d, int wd)
{
    struct table_node *node = table_find(&d->by_wd, hash_mix((uint64_t)wd), is_wd, &wd);
    return node == NULL ? NULL : CONTAINER_OF(node, struct dir, by_wd);
}

static void set_wd(struct dirwatch *d, struct dir *dir, int wd)
{
    dir->wd = wd;
    d->n_unwatched--;
    table_put(&d->by_wd, &dir->by_wd, hash_mix((uint64_t)wd));
}

static void drop_watch(struct dirwatch *d, struct dir *dir)
{
    int wd = dir->wd;

    if (wd < 0) {
        return;
    }
    table_del(&d->by_wd, &dir->by_wd);
    dir->wd = -1;
    d->n_unwatched++;
    if (find_wd(d, wd) == NULL) {
        inotify_rm_watch(d->fd, wd);
    }
}

/* True when the directory is watched from now on and was not before. */
static bool watch(struct dirwatch *d, struct dir *dir)
{
    errno = ENOSYS;
    int wd = d->fd < 0 ? -1 : inotify_add_watch(d->fd, dir->path, EVENTS | IN_ONLYDIR);

    if (wd < 0) {
        if (errno != dir->last_errno && d->fd >= 0) {
            dir->last_errno = errno;
            metric_add(METRIC_SD_FILE_WATCHER_ERRORS, 1);
            log_warn("a folder cannot be watched and is looked at every few seconds",
                     LOG_STR("folder", dir->path), LOG_STR("error", strerrordesc_np(errno)));
        }
        return false;
    }
    dir->last_errno = 0;
    set_wd(d, dir, wd);
    return true;
}

void dirwatch_renew(struct dirwatch *d, const struct dirwatch_sub *sub)
{
    struct dir *dir = sub->dir;

    if (dir->wd < 0 || d->fd < 0) {
        return;
    }
    int wd = inotify_add_watch(d->fd, dir->path, EVENTS | IN_ONLYDIR);
    if (wd >= 0 && wd != dir->wd) {
        drop_watch(d, dir);
        set_wd(d, dir, wd);
        tell_everyone(dir); /* events of the old directory reach nobody any more */
    }
}

static bool is_path(const struct table_node *node, const void *key)
{
    const struct dir *dir = CONTAINER_OF(node, struct dir, by_path);
    return span_is(*(const struct span *)key, dir->path);
}

static struct dir *need_dir(struct dirwatch *d, struct span path)
{
    uint64_t hash = hash_fast(path);
    struct table_node *node = table_find(&d->by_path, hash, is_path, &path);

    if (node != NULL) {
        return CONTAINER_OF(node, struct dir, by_path);
    }
    struct dir *dir = mem_zalloc(sizeof(*dir));
    dir->path = mem_strndup(path.p, path.len);
    dir->wd = -1;
    table_init(&dir->by_name);
    table_put(&d->by_path, &dir->by_path, hash);
    d->n_unwatched++;
    watch(d, dir);
    return dir;
}

static void free_dir(struct dirwatch *d, struct dir *dir)
{
    drop_watch(d, dir);
    d->n_unwatched--;
    table_del(&d->by_path, &dir->by_path);
    table_fini(&dir->by_name);
    mem_free(dir->path);
    mem_free(dir);
}

/* ---- subscribers */

struct dirwatch_sub *dirwatch_add(struct dirwatch *d, struct span dir, struct span name,
                                  dirwatch_fn *fn, void *arg)
{
    struct dirwatch_sub *sub = mem_zalloc(sizeof(*sub));

    sub->dir = need_dir(d, dir);
    sub->name = mem_strndup(name.len == 0 ? "" : name.p, name.len);
    sub->fn = fn;
    sub->arg = arg;
    sub->dir->n_subs++;
    if (name.len > 0) {
        table_put(&sub->dir->by_name, &sub->node, hash_fast(name));
    } else {
        sub->next = sub->dir->for_all;
        sub->dir->for_all = sub;
    }
    return sub;
}

void dirwatch_remove(struct dirwatch *d, struct dirwatch_sub **subscription)
{
    struct dirwatch_sub *sub = *subscription;

    if (sub == NULL) {
        return;
    }
    struct dir *dir = sub->dir;
    if (sub->name[0] != '\0') {
        table_del(&dir->by_name, &sub->node);
    } else {
        struct dirwatch_sub **place = &dir->for_all;
        while (*place != sub) {
            place = &(*place)->next;
        }
        *place = sub->next;
    }
    if (--dir->n_subs == 0) {
        free_dir(d, dir);
    }
    mem_free(sub->name);
    mem_free(sub);
    *subscription = NULL;
}

/* ---- events */

static void take_overflow(struct dirwatch *d) ON(watcher)
{
    for (struct table_node *node = table_next(&d->by_path, NULL); node != NULL;
         node = table_next(&d->by_path, node)) {
        tell_everyone(CONTAINER_OF(node, struct dir, by_path));
    }
}

/* 'is_last': no event of the same name follows at once. A link has but one when it is made; a file
 * that is being written has more, and need not be asked whether it is one. */
static void take_event(struct dirwatch *d, const struct inotify_event *e, bool is_last) ON(watcher)
{
    bool is_gone = (e->mask & (IN_IGNORED | IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT)) != 0;
    struct dir *dir = find_wd(d, e->wd);

    for (; is_gone && dir != NULL; dir = find_wd(d, e->wd)) {
        drop_watch(d, dir);
        d->retry_ms = 0;
        tell_everyone(dir);
    }
    for (struct table_node *node = dir == NULL ? NULL : &dir->by_wd; node != NULL;
         node = node->next) {
        dir = CONTAINER_OF(node, struct dir, by_wd);
        if (dir->wd == e->wd) {
            tell(dir, e->mask, span_of(e->len == 0 ? "" : e->name), is_last);
        }
    }
}

static bool is_same_name(const struct inotify_event *a, const struct inotify_event *b)
{
    return a->wd == b->wd && a->len == b->len && memcmp(a->name, b->name, a->len) == 0;
}

void dirwatch_read(struct dirwatch *d)
{
    char events[16384] __attribute__((aligned(__alignof__(struct inotify_event))));

    for (;;) {
        ssize_t n = read(d->fd, events, sizeof(events));
        if (n <= 0) {
            return;
        }
        for (char *p = events; p < events + n;) {
            const struct inotify_event *e = (const struct inotify_event *)(const void *)p;
            p += sizeof(*e) + e->len;
            if ((e->mask & IN_Q_OVERFLOW) != 0) {
                take_overflow(d);
                continue;
            }
            const struct inotify_event *next = (const struct inotify_event *)(const void *)p;
            take_event(d, e, p == events + n || !is_same_name(e, next));
        }
    }
}

int64_t dirwatch_deadline_ms(const struct dirwatch *d)
{
    return d->n_unwatched == 0 ? INT64_MAX : d->retry_ms;
}

void dirwatch_tick(struct dirwatch *d, int64_t now_ms)
{
    if (d->n_unwatched == 0 || now_ms < d->retry_ms) {
        return;
    }
    d->retry_ms = now_ms + RETRY_MS;
    for (struct table_node *node = table_next(&d->by_path, NULL); node != NULL;
         node = table_next(&d->by_path, node)) {
        struct dir *dir = CONTAINER_OF(node, struct dir, by_path);
        if (dir->wd < 0) {
            watch(d, dir);
            tell_everyone(dir);
        }
    }
}

void dirwatch_free(struct dirwatch **dirwatch)
{
    struct dirwatch *d = *dirwatch;

    if (d == NULL) {
        return;
    }
    mem_close_fd(&d->fd);
    table_fini(&d->by_path);
    table_fini(&d->by_wd);
    mem_free(d);
    *dirwatch = NULL;
}
