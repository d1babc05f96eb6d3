#include "allocator/watch/filealarm.h"

#include "allocator/base/hash.h"
#include "allocator/base/limits.h"
#include "allocator/base/mem.h"
#include "allocator/base/readfile.h"
#include "allocator/discovery/pathglob.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>

#define QUIET_MS 1000
#define LIMIT_MS 3000 /* …or still changing after this: one file does not hold up the others */
#define LOOK_MS 10000
#define SOON_MS 50 /* after an event: several come together */

struct alarm_file {
    char *path;
    struct dirwatch_sub *sub;
    struct filealarm *alarm;
    uint64_t content; /* as last looked at */
    bool has_event;   /* since then */
};

struct filealarm {
    struct dirwatch *dirs;
    struct alarm_file *files;
    size_t n;
    int fd;
    uint64_t content;  /* of all files, as last looked at */
    uint64_t reported; /* as of the last ring */
    int64_t look_ms;   /* when to look again at those with events */
    int64_t all_ms;    /* … and at all of them */
    int64_t ring_ms;  /* when to ring if nothing changes until then; INT64_MAX: nothing to report */
    int64_t limit_ms; /* when to ring in any case; with 'ring_ms' */
    bool has_event;
};

struct filealarm *filealarm_new(struct dirwatch *dirs)
{
    struct filealarm *f = mem_zalloc(sizeof(*f));

    f->dirs = dirs;
    f->fd = -1;
    f->look_ms = f->all_ms = f->ring_ms = INT64_MAX;
    return f;
}

static bool is_folder(const char *path)
{
    return span_has_suffix(span_of(path), "/");
}

/* Which names are in it, in any order. */
static uint64_t read_names(const char *path)
{
    DIR *dir = opendir(path);
    uint64_t names = 0;

    if (dir == NULL) {
        return (uint64_t)errno;
    }
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): nobody else reads from this one */
    for (const struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
        names += e->d_name[0] == '.' ? 0 : hash_fast(span_of(e->d_name));
    }
    closedir(dir);
    return names;
}

static uint64_t read_content(const char *path)
{
    if (is_folder(path)) {
        return read_names(path);
    }
    struct readfile_signature signature;
    AUTO_STR body = NULL;
    size_t len = 0;
    int rc = readfile_read(path, LIMIT_DOCUMENT_BYTES, &signature, &body, &len, NULL);
    uint64_t content = rc < 0 ? (uint64_t)-rc : hash_fast(span_make(body, len));

    if (body != NULL) {
        explicit_bzero(body, len); /* private keys are among the files */
    }
    return content;
}

/* Reads those with events, or all of them; what all hold now. */
static uint64_t look(struct filealarm *f, bool is_all)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < f->n; i++) {
        if (is_all || f->files[i].has_event) {
            f->files[i].has_event = false;
            f->files[i].content = read_content(f->files[i].path);
        }
        sum = hash_mix(sum + i + f->files[i].content);
    }
    return sum;
}

static void on_event(void *arg, enum dirwatch_event event, struct span name)
{
    struct alarm_file *file = arg;

    (void)event;
    (void)name;
    file->has_event = true;
    file->alarm->has_event = true;
}

static void clear(struct filealarm *f) ON(watcher)
{
    for (size_t i = 0; i < f->n; i++) {
        dirwatch_remove(f->dirs, &f->files[i].sub);
        mem_free(f->files[i].path);
    }
    mem_free(f->files);
    f->files = NULL;
    f->n = 0;
}

void filealarm_set(struct filealarm *f, char *const *paths, size_t n, int fd, int64_t now_ms)
{
    clear(f);
    f->files = mem_array(n, sizeof(*f->files));
    f->n = n;
    f->fd = fd;
    for (size_t i = 0; i < n; i++) {
        struct span dir, base;
        f->files[i].path = mem_strdup(paths[i]);
        pathglob_split(span_of(f->files[i].path), &dir, &base);
        f->files[i].sub = dirwatch_add(f->dirs, dir, base, on_event, &f->files[i]);
        f->files[i].alarm = f;
    }
    f->content = look(f, true);
    f->reported = ~f->content;
    f->ring_ms = n == 0 ? INT64_MAX : now_ms + QUIET_MS;
    f->limit_ms = now_ms + LIMIT_MS;
    f->all_ms = n == 0 ? INT64_MAX : now_ms + LOOK_MS;
    f->look_ms = INT64_MAX;
    f->has_event = false;
}

int64_t filealarm_deadline_ms(const struct filealarm *f)
{
    int64_t first = f->look_ms < f->ring_ms ? f->look_ms : f->ring_ms;

    if (f->has_event) {
        return 0;
    }
    return f->all_ms < first ? f->all_ms : first;
}

/* While a ring is due anyhow, the files are looked at when it is: however often they are written,
 * they are read but once a second. */
static void take_events(struct filealarm *f, int64_t now_ms)
{
    if (f->has_event && f->ring_ms == INT64_MAX && f->look_ms > now_ms + SOON_MS) {
        f->look_ms = now_ms + SOON_MS;
    }
    f->has_event = false;
}

/* 'content' is news. */
static void put_off(struct filealarm *f, uint64_t content, int64_t now_ms)
{
    f->content = content;
    if (content == f->reported) {
        f->ring_ms = INT64_MAX;
        return;
    }
    if (f->ring_ms == INT64_MAX) {
        f->limit_ms = now_ms + LIMIT_MS;
    }
    f->ring_ms = now_ms + QUIET_MS < f->limit_ms ? now_ms + QUIET_MS : f->limit_ms;
}

void filealarm_tick(struct filealarm *f, int64_t now_ms)
{
    bool is_all = now_ms >= f->all_ms;

    take_events(f, now_ms);
    if (now_ms < f->look_ms && now_ms < f->ring_ms && !is_all) {
        return;
    }
    uint64_t content = look(f, is_all);
    f->look_ms = INT64_MAX;
    f->all_ms = is_all ? now_ms + LOOK_MS : f->all_ms;
    if (content != f->content) {
        put_off(f, content, now_ms);
    }
    if (now_ms >= f->ring_ms) {
        f->ring_ms = INT64_MAX;
        f->reported = content;
        f->all_ms = now_ms + LOOK_MS; /* who is told reads all of them */
        eventfd_write(f->fd, 1);
    }
}

void filealarm_free(struct filealarm **filealarm)
{
    if (*filealarm != NULL) {
        clear(*filealarm);
        mem_free(*filealarm);
        *filealarm = NULL;
    }
}
